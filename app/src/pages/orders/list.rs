//! The list of orders.

use domain::model::{OrderStatus, Origin};
use domain::product::CATALOGUE;
use leptos::prelude::*;

use super::api::{OrderRow, SORTS, orders};
use super::badges::{order_state, origin_label, product_name, status_label};
use crate::kit::{
    Choice, Column, EmptyState, FilterBar, FilterSelect, FilterText, Glyph, LinkButton, Listing,
    Markup, NONE, Pager, Sheet, Table, Weight, page,
};
use crate::pages::paged::Paged;
use crate::paths;
use crate::viewer::Viewer;

#[cfg(feature = "ssr")]
pub(super) mod read;

/// The status that follows from the clock: what is issued, and good no more.
const EXPIRED: &str = "expired";

/// About what a row takes, in bytes.
const ROW_BYTES: usize = 1000;

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
    let goes_on = next.is_some();
    let bar = listing.clone();
    // Found names come in the order in which the search walks.
    let sorted = listing.filter("name").is_none().then(|| listing.clone());
    let expired = listing.filter("status") == Some(EXPIRED);
    let viewer = Viewer::current();
    let mut html = Markup::with_capacity(rows.len() * ROW_BYTES);
    for order in &rows {
        row(&mut html, order, &viewer);
    }
    view! {
        <FilterBar listing=bar export=true>{filters()}</FilterBar>
        {sorted.is_none().then(|| view! { <p class="muted small">"Names that are what was typed stand first, then those that begin so, then those that hold it. Clear “CN or SAN” to sort by a column."</p> })}
        {(sorted.is_some() && expired).then(|| view! { <p class="muted small">"Expired orders are sorted by their end."</p> })}
        {match (none, filtered) {
            (true, _) if goes_on => view! {
                <EmptyState title="None so far" text="There are very many names like this, and none of those looked at so far fits. Go on with “Next”, or type more of the name."/>
            }.into_any(),
            (true, true) => view! {
                <EmptyState title="No order matches" text="Change or clear the filters. A serial number finds the order of any of its certificates, duplicates included; organization and requester are found by their name, whole or as far as no other has it."/>
            }.into_any(),
            (true, false) => view! {
                <EmptyState title="No orders yet" text="Request a certificate, or let automation or an ACME client order one.">
                    <LinkButton href=paths::request_certificate() weight=Weight::Primary>"Request a certificate"</LinkButton>
                </EmptyState>
            }.into_any(),
            _ => view! { <div class="orders-table">{table(sorted, expired, html)}</div> }.into_any(),
        }}
        <Pager listing=listing previous=previous next=next/>
    }
    .into_any()
}

fn table(sorted: Option<Listing>, expired: bool, rows: Markup) -> AnyView {
    let by = |column: Column, key| if expired { column } else { column.sorted(key) };
    let columns = vec![
        by(Column::new("Order ID"), "number"),
        Column::new("Status"),
        by(Column::new("Common name"), "name"),
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
            view! { <Table label="Orders" columns=columns listing=listing rows=rows/> }.into_any()
        }
        None => view! { <Table label="Orders" columns=columns rows=rows/> }.into_any(),
    }
}

fn filters() -> AnyView {
    let statuses = OrderStatus::ALL.iter().map(|one| Choice::new(one.as_str(), status_label(*one)));
    let statuses = statuses.chain([Choice::new(EXPIRED, "Expired")]).collect();
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
        <FilterText name="organization" label="Organization"/>
        <FilterSelect name="status" label="Status" choices=statuses/>
        <FilterSelect name="product" label="Product" choices=products/>
        <FilterSelect name="expires" label="Expires within" choices=within/>
        <FilterSelect name="duplicates" label="Has duplicates" choices=yes_no()/>
        <FilterSelect name="renewed" label="Renewed" choices=yes_no()/>
        <FilterSelect name="origin" label="Origin" choices=origins/>
        <FilterText name="requester" label="Requester"/>
    }
    .into_any()
}

/// A row as text: see [`Markup`].
fn row(html: &mut Markup, order: &OrderRow, viewer: &Viewer) {
    let (tone, state) = order_state(order.status, order.valid_till, viewer.now);
    html.tags("<tr><th scope=\"row\"><a href=\"").path(paths::ORDER, order.number.0).tags("\">");
    html.number(order.number.0).tags("</a></th><td>").badge(tone, state);
    html.tags("</td><td>").names(&[&order.common_name]);
    if order.more_names > 0 {
        let word = if order.more_names == 1 { "name" } else { "names" };
        html.tags("<p class=\"muted small\">and ")
            .number(order.more_names)
            .tags(" more ")
            .tags(word);
        html.tags("</p>");
    }
    if let Some(found) = &order.found {
        html.tags("<p class=\"muted small\">found: ").names(&[found]).tags("</p>");
    }
    html.tags("</td><td>").text(&product_name(&order.product));
    html.tags("</td><td><a href=\"").path(paths::ORGANIZATION, order.organization.0).tags("\">");
    html.text(&order.organization_name).tags("</a></td><td>");
    match order.valid_till {
        Some(at) => html.tags("<span class=\"expiry\">").expiry(at, viewer).tags("</span>"),
        None => html.tags(NONE),
    };
    if let Some(at) = order.certificate_till.filter(|at| Some(*at) != order.valid_till) {
        html.tags("<p class=\"muted small\">its certificate: ").expiry(at, viewer).tags("</p>");
    }
    html.tags("</td><td>");
    certificates(html, order.certificates);
    html.tags("</td><td>");
    match order.renewed_by {
        Some(next) => html
            .tags("<a href=\"")
            .path(paths::ORDER, next.0)
            .tags("\">")
            .number(next.0)
            .tags("</a>"),
        None => html.tags(NONE),
    };
    html.tags("</td><td>").tags(origin_label(order.origin)).tags("</td><td>");
    html.text(order.requester.as_deref().unwrap_or(NONE)).tags("</td></tr>");
}

/// "1 / 0 / 2", said in full to assistive technology.
fn certificates(html: &mut Markup, [originals, reissues, duplicates]: [i64; 3]) {
    html.tags("<span aria-hidden=\"true\">").number(originals).tags(" / ").number(reissues);
    html.tags(" / ").number(duplicates).tags("</span><span class=\"visually-hidden\">");
    html.number(originals)
        .tags(" original, ")
        .number(reissues)
        .tags(" reissues, ")
        .number(duplicates);
    html.tags(" duplicates</span>");
}
