//! The list of API keys.

use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;

use super::api::{ApiKeyRow, RevokeApiKey, SORTS, api_keys, taken_key};
use crate::kit::{
    Badge, Button, Choice, CodeBlock, Column, Dialog, EmptyState, FilterBar, FilterSelect,
    FilterText, Form, FormActions, Glyph, Hidden, LinkButton, Listing, Notice, OpenDialog, Pager,
    Sheet, Table, Time, Tone, Weight, page,
};
use crate::pages::paged::Paged;
use crate::paths;
use crate::viewer::Viewer;

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
    view! { <Table label="API keys" columns=columns listing=listing>{rows}</Table> }.into_any()
}

fn row(key: ApiKeyRow) -> impl IntoView {
    let (tone, status) =
        if key.revoked_at.is_some() { (Tone::Neutral, "Revoked") } else { (Tone::Good, "Active") };
    let used = key
        .last_used_at
        .map_or_else(|| "Never".into_any(), |at| view! { <Time at=at/> }.into_any());
    let name = key.name.clone();
    let dialog = format!("revoke-{}", key.id);
    let revoke = key.revoked_at.is_none().then(|| {
        let (spoken, title) = (format!(" {name}"), format!("Revoke {name}"));
        view! {
            <OpenDialog id=dialog.clone() weight=Weight::Ghost>
                "Revoke"<span class="visually-hidden">{spoken}</span>
            </OpenDialog>
            <Dialog id=dialog title=title>
                <p>"Programs that use this key are turned away at once. It can't be taken back."</p>
                <Form action=RevokeApiKey::PATH key=key.id.to_string()>
                    <Hidden name="id" value=key.id.to_string()/>
                    <FormActions><Button weight=Weight::Danger>"Revoke API key"</Button></FormActions>
                </Form>
            </Dialog>
        }
    });
    view! {
        <tr>
            <th scope="row">{key.name}</th>
            <td class="wide">{key.email}</td>
            <td>{key.role.map_or("As the person", domain::model::Role::label)}</td>
            <td><Badge tone=tone text=status/></td>
            <td><Time at=key.created_at/></td>
            <td>{used}</td>
            <td class="end">{revoke}</td>
        </tr>
    }
}
