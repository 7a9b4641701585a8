//! Global search: an order number, serial or fingerprint leads to its order at once; names and
//! addresses to what they match.

pub mod api;

use leptos::prelude::*;

use self::api::{Found, FoundEndpoint, FoundOrder};
use crate::kit::{
    Badge, Column, EmptyState, Expiry, LinkButton, NONE, Names, Section, Sheet, Table, page,
};
use crate::pages::activity::api::endpoint_tone;
use crate::paths;
use crate::query::Query;
use crate::viewer::Viewer;

/// Global search.
#[component]
pub fn SearchPage() -> impl IntoView {
    let query = Query::parse(Viewer::current().query());
    let text = api::bounded(query.get("q").unwrap_or_default());
    let after = query.get("after").unwrap_or_default().to_owned();
    page(async move {
        if text.is_empty() {
            return Ok(Sheet::new("Search", nothing_typed()));
        }
        let found = api::search(text.clone(), after).await?;
        if let Some(number) = found.meant {
            go(&paths::order(number));
        }
        let title = format!("Search: {text}");
        Ok(Sheet::new(title, results(found, &text)))
    })
}

fn nothing_typed() -> AnyView {
    view! {
        <EmptyState
            title="What are you looking for?"
            text="An order number, a serial or SHA-256 fingerprint leads to its order. Part of a name finds orders and endpoints; \
                  .example.com finds what ends so, www. what begins so."
        />
    }
    .into_any()
}

fn results(found: Found, text: &str) -> AnyView {
    if found.orders.is_empty() && found.endpoints.is_empty() && found.next.is_none() {
        let title = format!("Nothing matches “{text}”");
        return view! {
            <EmptyState title=title text="Try a shorter part of the name, or the list with its filters.">
                <LinkButton href=paths::orders()>"All orders"</LinkButton>
                <LinkButton href=paths::endpoints()>"Automated IPs"</LinkButton>
            </EmptyState>
        }
        .into_any();
    }
    let more = found
        .next
        .map(|next| Query::default().with("q", text).with("after", next).href(&paths::search()));
    let none_yet = (found.orders.is_empty() && more.is_some()).then(|| {
        view! { <p>"There are very many names like this, and none of those looked at so far fits."</p> }
    });
    view! {
        {(!found.endpoints.is_empty()).then(|| endpoints(found.endpoints))}
        {(!found.orders.is_empty()).then(|| orders(found.orders))}
        {none_yet}
        {more.map(|href| view! { <p><LinkButton href=href>"More orders"</LinkButton></p> })}
    }
    .into_any()
}

fn orders(orders: Vec<FoundOrder>) -> AnyView {
    let rows = orders.into_iter().map(|order| {
        let other = (order.matched != order.common_name).then_some(order.matched);
        view! {
            <tr>
                <th scope="row"><a href=paths::order(order.number)>{order.number.0}</a></th>
                <td><Names names=vec![order.common_name]/>{other.map(|name| view! { <span class="small muted">{name}</span> })}</td>
                <td>{order.product}</td>
                <td>{order.valid_till.map_or_else(|| NONE.into_any(), |at| view! { <Expiry at=at/> }.into_any())}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    let columns = ["Order ID", "Common name", "Product", "Valid till"].map(Column::new).into();
    view! { <Section title="Orders"><Table label="Orders that match" columns=columns>{rows}</Table></Section> }.into_any()
}

fn endpoints(endpoints: Vec<FoundEndpoint>) -> AnyView {
    let rows = endpoints.into_iter().map(|endpoint| {
        view! {
            <tr>
                <th scope="row"><a href=paths::endpoint(endpoint.id)>{endpoint.address}</a></th>
                <td>{endpoint.name}</td>
                <td>{endpoint.agent}</td>
                <td><Badge tone=endpoint_tone(endpoint.status) text=endpoint.status.label()/></td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    let columns = ["IP / Port", "Common name", "Host", "Automation status"].map(Column::new).into();
    view! { <Section title="Automated IPs"><Table label="Endpoints that match" columns=columns>{rows}</Table></Section> }.into_any()
}

/// Leads on at once.
#[cfg_attr(not(feature = "ssr"), expect(unused_variables, reason = "only the server redirects"))]
fn go(path: &str) {
    #[cfg(feature = "ssr")]
    crate::browser::redirect(path);
}
