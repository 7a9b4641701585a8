//! The list of ACME Directory URLs.

use domain::Timestamp;
use domain::product::CATALOGUE;
use leptos::prelude::*;

use super::api::{COUNT_LIMIT, SORTS, UrlRow, acme_urls};
use super::detail::rotate_and_revoke;
use crate::kit::{
    Badge, Choice, Column, EmptyState, FilterBar, FilterSelect, FilterText, Glyph, LinkButton,
    Listing, Pager, Sheet, Table, Time, Tone, Weight, page,
};
use crate::pages::paged::Paged;
use crate::paths;
use crate::viewer::Viewer;

/// The list of ACME Directory URLs.
#[component]
pub fn AcmeUrlsPage() -> impl IntoView {
    let query = Viewer::current().query().to_owned();
    page(async move {
        let found = acme_urls(query.clone()).await?;
        let listing = Listing::read(paths::ACME_URLS, &query, &SORTS);
        Ok(Sheet::new("ACME Directory URLs", list(listing, found))
            .under("Automation")
            .lead("Each fixes product, organization and terms for the ACME clients that hold its credential.")
            .actions(view! {
                <LinkButton href=paths::acme_url_new() weight=Weight::Primary glyph=Glyph::Add>"Add ACME Directory URL"</LinkButton>
            }))
    })
}

fn list(listing: Listing, found: Paged<UrlRow>) -> AnyView {
    let Paged { rows, previous, next } = found;
    let products = CATALOGUE.iter().map(|product| Choice::new(product.id, product.name)).collect();
    let statuses = vec![Choice::new("active", "Active"), Choice::new("revoked", "Revoked")];
    let (bar, shown) = (listing.clone(), table(&listing, rows, previous.is_some()));
    view! {
        <FilterBar listing=bar export=true>
            <FilterText name="text" label="Name or KID"/>
            <FilterSelect name="product" label="Product" choices=products/>
            <FilterText name="organization" label="Organization"/>
            <FilterSelect name="status" label="Status" choices=statuses/>
        </FilterBar>
        {shown}
        <Pager listing=listing previous=previous next=next/>
    }
    .into_any()
}

fn table(listing: &Listing, rows: Vec<UrlRow>, paged: bool) -> AnyView {
    if rows.is_empty() && !paged {
        return if listing.is_filtered() {
            view! { <EmptyState title="No ACME Directory URL matches" text="Change or clear the filters. An organization is found by its name, whole or as far as no other has it."/> }.into_any()
        } else {
            view! {
                <EmptyState title="No ACME Directory URLs yet" text="Add one for each use: certbot, lego and all other ACME clients get their certificates through it.">
                    <LinkButton href=paths::acme_url_new() weight=Weight::Primary>"Add ACME Directory URL"</LinkButton>
                </EmptyState>
            }
            .into_any()
        };
    }
    let columns = vec![
        Column::new("Name").sorted("name"),
        Column::new("KID"),
        Column::new("Product"),
        Column::new("Organization"),
        Column::new("Status"),
        Column::new("Accounts").number(),
        Column::new("Last used").sorted("used"),
        Column::new("Orders").number(),
        Column::new("Created").sorted("made"),
        Column::new("Action"),
    ];
    let (listing, rows) = (listing.clone(), rows.into_iter().map(row).collect_view());
    view! { <Table label="ACME Directory URLs" columns=columns listing=listing>{rows}</Table> }
        .into_any()
}

fn row(row: UrlRow) -> impl IntoView {
    let used = row
        .last_used_at
        .map_or_else(|| "Never".into_any(), |at| view! { <Time at=at/> }.into_any());
    let actions = row.revoked_at.is_none().then(|| {
        let buttons = rotate_and_revoke(row.url.id, Some(&row.url.name));
        view! { <div class="row-actions">{buttons}</div> }
    });
    view! {
        <tr>
            <th scope="row"><a href=paths::acme_url(row.url.id)>{row.url.name}</a></th>
            <td><code class="kid">{row.kid}</code></td>
            <td>{row.product}</td>
            <td>{row.organization}</td>
            <td>{status(row.revoked_at)}</td>
            <td class="number">{count(row.accounts)}</td>
            <td>{used}</td>
            <td class="number">{count(row.orders)}</td>
            <td><Time at=row.created_at day_only=true/></td>
            <td class="end">{actions}</td>
        </tr>
    }
}

/// "Active" or "Revoked".
pub(super) fn status(revoked_at: Option<Timestamp>) -> AnyView {
    let (tone, text) =
        if revoked_at.is_some() { (Tone::Neutral, "Revoked") } else { (Tone::Good, "Active") };
    view! { <Badge tone=tone text=text/> }.into_any()
}

/// A count that is told up to a limit.
pub(super) fn count(count: i64) -> String {
    if count >= COUNT_LIMIT { format!("{COUNT_LIMIT}+") } else { count.to_string() }
}
