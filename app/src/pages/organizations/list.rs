//! The list of organizations, and what it shares with that of domains.

use domain::Timestamp;
use leptos::prelude::*;

use super::api::{OrganizationRow, SORTS, organizations};
use crate::kit::{
    Badge, Choice, Column, EmptyState, Expiry, FilterBar, FilterSelect, FilterText, Glyph,
    LinkButton, Listing, NONE, Pager, Sheet, Table, Tone, Weight, page,
};
use crate::pages::paged::Paged;
use crate::pages::permitted::administrators;
use crate::paths;
use crate::query::Query;
use crate::viewer::Viewer;

/// "Organizations".
#[component]
pub fn OrganizationsPage() -> impl IntoView {
    let query = Viewer::current().query().to_owned();
    page(async move {
        let found = organizations(query.clone()).await?;
        let listing = Listing::read(paths::ORGANIZATIONS, &query, &SORTS);
        Ok(Sheet::new("Organizations", list(listing, found))
            .under("Certificates")
            .lead(
                "Who certificates are issued to. OV and EV products ask for a current validation.",
            )
            .actions(administrators(add_button)))
    })
}

fn add_button() -> impl IntoView {
    view! {
        <LinkButton href=paths::organization_new() weight=Weight::Primary glyph=Glyph::Add>"Add organization"</LinkButton>
    }
}

fn list(listing: Listing, found: Paged<OrganizationRow>) -> AnyView {
    let Paged { rows, previous, next } = found;
    let columns = vec![
        Column::new("Name").sorted("name"),
        Column::new("Country"),
        Column::new("Validation"),
        Column::new("Validated until").sorted("until"),
        Column::new("Domains"),
    ];
    let (none, filtered) = (rows.is_empty(), listing.is_filtered());
    let (bar, table) = (listing.clone(), listing.clone());
    let rows = rows.into_iter().map(row).collect_view();
    view! {
        <FilterBar listing=bar export=true>
            <FilterText name="text" label="Name"/>
            <FilterSelect name="status" label="Validation" choices=validation_choices()/>
        </FilterBar>
        {match (none, filtered) {
            (true, true) => view! {
                <EmptyState title="No organization matches" text="Clear the filters to see all."/>
            }.into_any(),
            (true, false) => view! {
                <EmptyState title="No organizations yet" text="Add the organization that certificates are issued to.">
                    {administrators(add_button)}
                </EmptyState>
            }.into_any(),
            _ => view! { <Table label="Organizations" columns=columns listing=table>{rows}</Table> }.into_any(),
        }}
        <Pager listing=listing previous=previous next=next/>
    }
    .into_any()
}

fn row(organization: OrganizationRow) -> impl IntoView {
    let until = organization.validated_until;
    let domains =
        Query::default().with("organization", &organization.name).href(paths::DOMAINS.as_str());
    view! {
        <tr>
            <th scope="row"><a href=paths::organization(organization.id)>{organization.name}</a></th>
            <td>{organization.country}</td>
            <td>{validation_badge(until)}</td>
            <td>{validation_end(until)}</td>
            <td><a href=domains>"Domains"</a></td>
        </tr>
    }
}

/// How a validation stands.
pub(crate) fn validation_badge(until: Option<Timestamp>) -> AnyView {
    let now = Viewer::current().now;
    let (tone, text) = match until {
        Some(until) if now <= until => (Tone::Good, "Validated"),
        Some(_) => (Tone::Bad, "Expired"),
        None => (Tone::Waiting, "Pending"),
    };
    view! { <Badge tone=tone text=text/> }.into_any()
}

/// Until when a validation holds.
pub(crate) fn validation_end(until: Option<Timestamp>) -> AnyView {
    until.map_or_else(|| NONE.into_any(), |until| view! { <Expiry at=until/> }.into_any())
}

/// The filter by validation.
pub(crate) fn validation_choices() -> Vec<Choice> {
    vec![Choice::new("validated", "Validated"), Choice::new("wanted", "Pending or expired")]
}
