//! The list of domains.

use leptos::prelude::*;

use super::api::{DomainRow, OwnerChoice, domains};
use super::coverage;
use crate::kit::{
    Choice, Column, EmptyState, FilterBar, FilterSelect, FilterText, Glyph, LinkButton, Listing,
    Pager, Sheet, Table, Weight, page,
};
use crate::pages::organizations::api::SORTS;
use crate::pages::organizations::{validation_badge, validation_choices, validation_end};
use crate::pages::paged::Paged;
use crate::pages::permitted::administrators;
use crate::paths;
use crate::viewer::Viewer;

/// "Domains".
#[component]
pub fn DomainsPage() -> impl IntoView {
    let query = Viewer::current().query().to_owned();
    page(async move {
        let found = domains(query.clone()).await?;
        let listing = Listing::read(paths::DOMAINS, &query, &SORTS);
        Ok(Sheet::new("Domains", list(listing, found))
            .under("Certificates")
            .lead("A validated domain covers itself and every name below it; one that an HTTP file validated, its own name only.")
            .actions(administrators(add_button)))
    })
}

fn add_button() -> impl IntoView {
    view! { <LinkButton href=paths::domain_new() weight=Weight::Primary glyph=Glyph::Add>"Add domain"</LinkButton> }
}

pub(super) fn owner_choices(owners: Vec<OwnerChoice>) -> Vec<Choice> {
    owners.into_iter().map(|owner| Choice::new(owner.id.to_string(), owner.name)).collect()
}

fn list(listing: Listing, found: Paged<DomainRow>) -> AnyView {
    let Paged { rows, previous, next } = found;
    let columns = vec![
        Column::new("Domain").sorted("name"),
        Column::new("Organization"),
        Column::new("Validation"),
        Column::new("Covers"),
        Column::new("Validated until").sorted("until"),
    ];
    let (none, filtered) = (rows.is_empty(), listing.is_filtered());
    let (bar, table) = (listing.clone(), listing.clone());
    let rows = rows.into_iter().map(row).collect_view();
    view! {
        <FilterBar listing=bar export=true>
            <FilterText name="text" label="Domain" placeholder="example.com"/>
            <FilterText name="organization" label="Organization"/>
            <FilterSelect name="status" label="Validation" choices=validation_choices()/>
        </FilterBar>
        {match (none, filtered) {
            (true, true) => view! {
                <EmptyState title="No domain matches" text="Change or clear the filters. An organization is found by its name, whole or as far as no other has it."/>
            }.into_any(),
            (true, false) => view! {
                <EmptyState title="No domains yet" text="Add a domain and show that your organization controls it.">
                    {administrators(add_button)}
                </EmptyState>
            }.into_any(),
            _ => view! { <Table label="Domains" columns=columns listing=table>{rows}</Table> }.into_any(),
        }}
        <Pager listing=listing previous=previous next=next/>
    }
    .into_any()
}

fn row(record: DomainRow) -> impl IntoView {
    let until = record.validated_until;
    view! {
        <tr>
            <th scope="row"><a href=paths::domain(record.id)>{record.name}</a></th>
            <td><a href=paths::organization(record.organization)>{record.organization_name}</a></td>
            <td>{validation_badge(until)}</td>
            <td>{coverage(record.proof)}</td>
            <td>{validation_end(until)}</td>
        </tr>
    }
}
