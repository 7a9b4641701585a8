//! The list of API keys.

use leptos::prelude::*;

use super::api::{ApiKeyRow, SORTS, api_keys, taken_key};
use crate::kit::{
    Badge, Choice, CodeBlock, Column, EmptyState, FilterBar, FilterSelect, FilterText, Glyph,
    LinkButton, Listing, Notice, Pager, Sheet, Table, Time, Tone, Weight, page,
};
use crate::pages::paged::Paged;
use crate::paths;
use crate::viewer::Viewer;

/// What the buttons "Revoke" send: the key's id.
pub(super) const KEY: &str = "key";

/// "API keys".
#[component]
pub fn ApiKeysPage() -> impl IntoView {
    let query = Viewer::current().query().to_owned();
    page(async move {
        let keys = api_keys(query.clone()).await?;
        let made = taken_key().await?;
        let listing = Listing::read(paths::API_KEYS, &query, &SORTS);
        let body = view! {
            {made.map(|key| view! { <NewKey key=key/> })}
            {list(listing, keys)}
        };
        Ok(Sheet::new("API keys", body)
            .under("Account")
            .lead("For programs: sent in the header X-DC-DEVKEY, they act in their owner's name.")
            .actions(view! {
                <LinkButton href=paths::api_key_new() weight=Weight::Primary glyph=Glyph::Add>"Add API key"</LinkButton>
            }))
    })
}

#[component]
fn NewKey(key: String) -> impl IntoView {
    view! {
        <Notice tone=Tone::Info title="Your new API key">
            <p>"Copy it now: it is shown this once, and kept as a hash only."</p>
        </Notice>
        <CodeBlock label="API key" text=key/>
    }
}

fn list(listing: Listing, keys: Paged<ApiKeyRow>) -> AnyView {
    let Paged { rows, previous, next } = keys;
    let body =
        if rows.is_empty() { empty(listing.is_filtered()) } else { table(listing.clone(), rows) };
    let statuses = vec![Choice::new("active", "Active"), Choice::new("revoked", "Revoked")];
    let bar = listing.clone();
    view! {
        <FilterBar listing=bar export=true>
            <FilterText name="text" label="Name or e-mail"/>
            <FilterSelect name="status" label="Status" choices=statuses/>
        </FilterBar>
        {body}
        <Pager listing=listing previous=previous next=next/>
    }
    .into_any()
}

fn empty(filtered: bool) -> AnyView {
    if filtered {
        return view! { <EmptyState title="No API key matches" text="Clear the filters to see all."/> }.into_any();
    }
    view! {
        <EmptyState title="No API keys yet" text="Add one for each program, so that each can be revoked alone.">
            <LinkButton href=paths::api_key_new() weight=Weight::Primary>"Add API key"</LinkButton>
        </EmptyState>
    }
    .into_any()
}

fn table(listing: Listing, rows: Vec<ApiKeyRow>) -> AnyView {
    let columns = vec![
        Column::new("Name").sorted("name"),
        Column::new("Person").sorted("person"),
        Column::new("Role"),
        Column::new("Status"),
        Column::new("Created").sorted("created"),
        Column::new("Last used").sorted("used"),
        Column::new("Actions").hidden(),
    ];
    let rows = rows.into_iter().map(row).collect_view();
    view! {
        <form method="get" action=paths::api_key_revoke()>
            <Table label="API keys" columns=columns listing=listing>{rows}</Table>
        </form>
    }
    .into_any()
}

fn row(key: ApiKeyRow) -> impl IntoView {
    let (tone, status) =
        if key.revoked_at.is_some() { (Tone::Neutral, "Revoked") } else { (Tone::Good, "Active") };
    let (role, used) = (role_of(&key), used(&key));
    let revoke = key.revoked_at.is_none().then(|| {
        let label = format!("Revoke {}", key.name);
        view! {
            <button class="button ghost" name=KEY value=key.id.to_string() aria-label=label>"Revoke"</button>
        }
    });
    view! {
        <tr>
            <th scope="row">{key.name}</th>
            <td>{key.email}</td>
            <td>{role}</td>
            <td><Badge tone=tone text=status/></td>
            <td><Time at=key.created_at day_only=true/></td>
            <td>{used}</td>
            <td class="end">{revoke}</td>
        </tr>
    }
}

/// What it may do.
pub(super) fn role_of(key: &ApiKeyRow) -> &'static str {
    key.role.map_or("As the person", domain::model::Role::label)
}

/// When it was last used.
pub(super) fn used(key: &ApiKeyRow) -> AnyView {
    key.last_used_at.map_or_else(|| "Never".into_any(), |at| view! { <Time at=at/> }.into_any())
}
