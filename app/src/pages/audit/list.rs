//! The audit log.

use leptos::prelude::*;

use super::api::{AuditLine, ChainView, SORTS, audit_log, check_chain};
use crate::kit::{
    Choice, Column, EmptyState, FilterBar, FilterSelect, FilterText, Glyph, LinkButton, Listing,
    Notice, Pager, Sheet, Table, Time, Tone, page,
};
use crate::pages::paged::Paged;
use crate::paths;
use crate::viewer::Viewer;

/// "Audit log".
#[component]
pub fn AuditPage() -> impl IntoView {
    let query = Viewer::current().query().to_owned();
    page(async move {
        let lines = audit_log(query.clone()).await?;
        let mut listing = Listing::read(paths::AUDIT_LOG, &query, &SORTS);
        let check = if listing.query.has("check") { Some(check_chain().await?) } else { None };
        listing.query = listing.query.without("check");
        let again = listing.query.with("check", 1).href(paths::AUDIT_LOG.as_str());
        let body = view! {
            {check.map(outcome)}
            {list(listing, lines)}
        };
        Ok(Sheet::new("Audit log", body)
            .under("Account")
            .lead("Who did what, on what, and from where. Entries are sealed into a hash chain.")
            .actions(
                view! { <LinkButton href=again glyph=Glyph::Check>"Check hash chain"</LinkButton> },
            ))
    })
}

fn outcome(check: ChainView) -> AnyView {
    match check {
        ChainView::Intact { sealed, waiting } => {
            let rest = match waiting {
                0 => String::new(),
                1 => " One newer entry waits for its seal.".to_owned(),
                more => format!(" {more} newer entries wait for their seals."),
            };
            let words = format!(
                "All {sealed} sealed entries are as they were written; none is missing.{rest}"
            );
            view! { <Notice tone=Tone::Good title="The hash chain is intact"><p>{words}</p></Notice> }.into_any()
        }
        ChainView::Broken { position, entry } => {
            let what = entry.map_or_else(
                || "an entry is missing, or was put in its place".to_owned(),
                |entry| format!("entry {entry} is not as it was written"),
            );
            let words = format!(
                "At position {position} {what}. Somebody changed the database past the portal: keep a copy of it, and \
                 compare with a backup or an export from before."
            );
            view! { <Notice tone=Tone::Bad title="The hash chain is broken"><p>{words}</p></Notice> }.into_any()
        }
    }
}

fn list(listing: Listing, lines: Paged<AuditLine>) -> AnyView {
    let Paged { rows, previous, next } = lines;
    let columns = vec![
        Column::new("When").sorted("at"),
        Column::new("Who"),
        Column::new("Action"),
        Column::new("On"),
        Column::new("What happened"),
    ];
    let none = rows.is_empty();
    let (bar, table) = (listing.clone(), listing.clone());
    let rows = rows.into_iter().map(row).collect_view();
    view! {
        <FilterBar listing=bar export=true>
            <FilterText name="actor" label="Who" placeholder="jane@"/>
            <FilterSelect name="kind" label="Kind of actor" choices=actor_kinds()/>
            <FilterSelect name="action" label="Action" choices=action_areas()/>
            <FilterText name="id" label="Number or id" placeholder="12345"/>
            <FilterText name="since" label="From day" kind="date"/>
            <FilterText name="until" label="To day" kind="date"/>
        </FilterBar>
        {if none {
            view! { <EmptyState title="No entry matches" text="Clear the filters to see all."/> }.into_any()
        } else {
            view! { <Table label="Audit log" columns=columns listing=table>{rows}</Table> }.into_any()
        }}
        <Pager listing=listing previous=previous next=next/>
    }
    .into_any()
}

fn row(line: AuditLine) -> impl IntoView {
    let changes = changes(line.changes);
    let from = match line.address {
        Some(address) => format!("{} · {address}", line.actor_kind),
        None => line.actor_kind,
    };
    let shown = shortened(&line.resource);
    view! {
        <tr>
            <th scope="row" class="nowrap"><Time at=line.at/></th>
            <td class="wide">{line.actor}<span class="small muted">{from}</span></td>
            <td><code>{line.action}</code></td>
            <td class="nowrap" title=line.resource>{shown}</td>
            <td class="wide">{line.description}{changes}</td>
        </tr>
    }
}

/// Digests stand for what they are digests of: their beginning is enough.
fn shortened(resource: &str) -> String {
    if resource.chars().count() <= 32 {
        return resource.to_owned();
    }
    resource.chars().take(28).chain(['…']).collect()
}

/// Old → new, opened by a click.
fn changes(changes: Vec<(String, String, String)>) -> Option<AnyView> {
    if changes.is_empty() {
        return None;
    }
    let lines = changes.into_iter().map(|(key, old, new)| {
        let name = (!key.is_empty()).then(|| view! { <dt>{key}</dt> });
        let old = (!old.is_empty()).then(|| view! { <del>{old}</del>" → " });
        let new = if new.is_empty() { "nothing".to_owned() } else { new };
        view! { <div>{name}<dd>{old}<ins>{new}</ins></dd></div> }
    });
    let lines = lines.collect_view();
    Some(view! { <details class="changes"><summary>"Old and new"</summary><dl>{lines}</dl></details> }.into_any())
}

fn actor_kinds() -> Vec<Choice> {
    [
        ("person", "Person"),
        ("api_key", "API key"),
        ("acme_account", "ACME account"),
        ("worker", "Automation"),
        ("operator", "Command line"),
        ("visitor", "Not signed in"),
    ]
    .map(|(code, label)| Choice::new(code, label))
    .into()
}

/// An action's code begins with its area.
fn action_areas() -> Vec<Choice> {
    [
        ("order.", "Orders"),
        ("orders.", "Imports of orders"),
        ("certificate.", "Certificates"),
        ("request.", "Requests"),
        ("endpoint.", "Automated IPs"),
        ("event.", "Automation events"),
        ("profile.", "Automation profiles"),
        ("agent.", "Agents"),
        ("acme_url.", "ACME Directory URLs"),
        ("acme_account.", "ACME accounts"),
        ("organization.", "Organizations"),
        ("domain.", "Domains"),
        ("user.", "Users"),
        ("api_key.", "API keys"),
        ("session.", "Sign-ins"),
        ("settings.", "Settings"),
        ("authority.", "Certificate authority"),
        ("listener.", "The portal's own HTTPS listener"),
    ]
    .map(|(code, label)| Choice::new(code, label))
    .into()
}
