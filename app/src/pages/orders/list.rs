//! The list of orders.

use domain::model::{OrderStatus, Origin};
use domain::product::CATALOGUE;
use leptos::prelude::*;

use super::api::{OrderRow, SORTS, orders};
use super::badges::{order_badge, origin_label, product_name, status_label};
use crate::kit::{
    Choice, Column, EmptyState, Expiry, FilterBar, FilterSelect, FilterText, Glyph, LinkButton,
    Listing, Pager, Sheet, Table, Weight, page,
};
use crate::pages::paged::Paged;
use crate::paths;
use crate::viewer::Viewer;

#[cfg(feature = "ssr")]
pub(super) mod read;

/// "Orders".
#[component]
pub fn OrdersPage() -> impl IntoView {
    let query = Viewer::current().query().to_owned();
    page(async move {
        let found = orders(query.clone()).await?;
        let listing = Listing::read(paths::ORDERS, &query, &SORTS);
        Ok(Sheet::new("Orders", list(listing, found)).under("Certificates").actions(view! {
            <LinkButton href=paths::request_certificate() weight=Weight::Primary glyph=Glyph::Add>
                "Request a certificate"
            </LinkButton>
        }))
    })
}

fn list(listing: Listing, found: Paged<OrderRow>) -> AnyView {
    let Paged { rows, previous, next } = found;
    let (none, filtered) = (rows.is_empty(), listing.is_filtered());
    let bar = listing.clone();
    // Found names come in the order in which the search walks.
    let sorted = listing.filter("name").is_none().then(|| listing.clone());
    let rows = rows.into_iter().map(row).collect_view();
    view! {
        <FilterBar listing=bar export=true>{filters()}</FilterBar>
        {match (none, filtered) {
            (true, true) => view! {
                <EmptyState title="No order matches" text="Change or clear the filters. A serial number finds the order of any of its certificates, duplicates included."/>
            }.into_any(),
            (true, false) => view! {
                <EmptyState title="No orders yet" text="Request a certificate, or let automation or an ACME client order one.">
                    <LinkButton href=paths::request_certificate() weight=Weight::Primary>"Request a certificate"</LinkButton>
                </EmptyState>
            }.into_any(),
            _ => view! { <div class="orders-table">{table(sorted, rows.into_any())}</div> }.into_any(),
        }}
        <Pager listing=listing previous=previous next=next/>
    }
    .into_any()
}

fn table(sorted: Option<Listing>, rows: AnyView) -> AnyView {
    let columns = vec![
        Column::new("Order ID").sorted("number"),
        Column::new("Status"),
        Column::new("Common name").sorted("name"),
        Column::new("Product"),
        Column::new("Organization"),
        Column::new("Valid till").sorted("expires"),
        Column::new("Certificates"),
        Column::new("Renewed"),
        Column::new("Origin"),
        Column::new("Requester"),
    ];
    match sorted {
        Some(listing) => {
            view! { <Table label="Orders" columns=columns listing=listing>{rows}</Table> }
                .into_any()
        }
        None => view! { <Table label="Orders" columns=columns>{rows}</Table> }.into_any(),
    }
}

fn filters() -> AnyView {
    let statuses =
        OrderStatus::ALL.iter().map(|one| Choice::new(one.as_str(), status_label(*one))).collect();
    let origins =
        Origin::ALL.iter().map(|one| Choice::new(one.as_str(), origin_label(*one))).collect();
    let products = CATALOGUE.iter().map(|one| Choice::new(one.id, one.name)).collect();
    let within =
        [7, 30, 60, 90].map(|days| Choice::new(days.to_string(), format!("{days} days"))).to_vec();
    let yes_no = || vec![Choice::new("yes", "Yes"), Choice::new("no", "No")];
    view! {
        <FilterText name="number" label="Order ID" placeholder="12345"/>
        <FilterText name="name" label="CN or SAN" placeholder="www.example.com"/>
        <FilterText name="serial" label="Serial number"/>
        <FilterSelect name="status" label="Status" choices=statuses/>
        <FilterSelect name="product" label="Product" choices=products/>
        <FilterSelect name="expires" label="Expires within" choices=within/>
        <FilterSelect name="duplicates" label="Has duplicates" choices=yes_no()/>
        <FilterSelect name="renewed" label="Renewed" choices=yes_no()/>
        <FilterSelect name="origin" label="Origin" choices=origins/>
    }
    .into_any()
}

fn row(order: OrderRow) -> impl IntoView {
    let badge = order_badge(order.status, order.valid_till);
    let more = match order.more_names {
        0 => None,
        1 => Some("and 1 more name".to_owned()),
        count => Some(format!("and {count} more names")),
    };
    let found = order.found.map(|name| view! { <p class="muted small">"found: " {name}</p> });
    let valid_till =
        order.valid_till.map_or_else(|| "—".into_any(), |at| view! { <Expiry at=at/> }.into_any());
    let renewed = order.renewed_by.map_or_else(
        || "—".into_any(),
        |next| view! { <a href=paths::order(next)>{next.to_string()}</a> }.into_any(),
    );
    view! {
        <tr>
            <th scope="row"><a href=paths::order(order.number)>{order.number.to_string()}</a></th>
            <td>{badge}</td>
            <td>
                <span class="name">{order.common_name}</span>
                {more.map(|more| view! { <p class="muted small">{more}</p> })}
                {found}
            </td>
            <td>{product_name(&order.product)}</td>
            <td><a href=paths::organization(order.organization)>{order.organization_name}</a></td>
            <td>{valid_till}</td>
            <td>{certificates(order.certificates)}</td>
            <td>{renewed}</td>
            <td>{origin_label(order.origin)}</td>
            <td>{order.requester.unwrap_or_else(|| "—".to_owned())}</td>
        </tr>
    }
}

/// "1 / 0 / 2", said in full to assistive technology.
fn certificates([originals, reissues, duplicates]: [i64; 3]) -> AnyView {
    let short = format!("{originals} / {reissues} / {duplicates}");
    let long = format!("{originals} original, {reissues} reissues, {duplicates} duplicates");
    view! { <span aria-hidden="true">{short}</span><span class="visually-hidden">{long}</span> }
        .into_any()
}
