//! Accounts and orders of an ACME Directory URL, each order with its explanation.

use domain::model::acme::{AccountStatus, AcmeOrderStatus};
use leptos::prelude::*;

use super::api::{AccountRow, AcmeOrderRow, UrlView};
use crate::kit::{Badge, Column, EmptyState, LinkButton, Section, Table, Time, Tone};
use crate::pages::activity::Explained;
use crate::paths;
use crate::query::Query;

/// "Accounts".
pub(super) fn accounts(view: &UrlView) -> AnyView {
    if view.accounts.is_empty() {
        return view! {
            <Section title="Accounts">
                <EmptyState title="No account yet" text="A client that registers with the credential appears here."/>
            </Section>
        }
        .into_any();
    }
    let columns = vec![
        Column::new("Account"),
        Column::new("Status"),
        Column::new("Contacts"),
        Column::new("Key (RFC 7638)"),
        Column::new("Created"),
    ];
    let rows = view.accounts.iter().cloned().map(account).collect_view();
    let pages = pages(view, "accounts", view.more_accounts.map(|id| id.0));
    view! {
        <Section title="Accounts" lead="Newest first.">
            <Table label="Accounts" columns=columns>{rows}</Table>
            {pages}
        </Section>
    }
    .into_any()
}

fn account(account: AccountRow) -> impl IntoView {
    let (tone, text) = match account.status {
        AccountStatus::Valid => (Tone::Good, "Valid"),
        AccountStatus::Deactivated => (Tone::Neutral, "Deactivated"),
        AccountStatus::Revoked => (Tone::Bad, "Revoked"),
    };
    view! {
        <tr>
            <th scope="row">{account.id.to_string()}</th>
            <td><Badge tone=tone text=text/></td>
            <td class="name">{account.contacts.join(", ")}</td>
            <td><code class="kid">{account.thumbprint}</code></td>
            <td><Time at=account.created_at/></td>
        </tr>
    }
}

/// "Orders".
pub(super) fn orders(view: &UrlView) -> AnyView {
    if view.orders.is_empty() {
        return view! {
            <Section title="Orders">
                <EmptyState title="No ACME order yet" text="Run one of the client's commands, or try a request first: that issues nothing."/>
            </Section>
        }
        .into_any();
    }
    let orders = view.orders.iter().cloned().map(order).collect_view();
    let pages = pages(view, "orders", view.more_orders.map(|id| id.0));
    view! {
        <Section title="Orders" lead="Newest first. Each opens to why it did what it did.">
            {orders}
            {pages}
        </Section>
    }
    .into_any()
}

fn order(order: AcmeOrderRow) -> impl IntoView {
    let (tone, text) = match order.status {
        AcmeOrderStatus::Pending => (Tone::Waiting, "Pending"),
        AcmeOrderStatus::Ready => (Tone::Info, "Ready"),
        AcmeOrderStatus::Processing => (Tone::Waiting, "Processing"),
        AcmeOrderStatus::Valid => (Tone::Good, "Valid"),
        AcmeOrderStatus::Invalid => (Tone::Bad, "Invalid"),
    };
    let number = order
        .order
        .map(|number| view! { <a href=paths::order(number)>{format!("Order {number}")}</a> });
    let asked = order.asked.map_or_else(
        || "found by the server".to_owned(),
        |asked| format!("asked for by the URL: {asked}"),
    );
    let decided_at = Some(order.created_at);
    let explained = order.explanation.map_or_else(
        || view! { <p class="muted">"Nothing was decided yet."</p> }.into_any(),
        |explanation| view! { <Explained explanation=explanation at=decided_at/> }.into_any(),
    );
    view! {
        <article class="acme-order">
            <p class="acme-order-head">
                <Badge tone=tone text=text/>
                <strong class="name">{order.names.join(", ")}</strong>
                {number}
                <span class="muted small">{format!("ACME order {}, account {}, ", order.id, order.account)}<Time at=order.created_at/></span>
            </p>
            {order.error.map(|error| view! { <p class="fault">{error}</p> })}
            <details>
                <summary>"Why"<span class="visually-hidden">{format!(" ACME order {}", order.id)}</span></summary>
                <p class="muted">{format!("Action {asked}.")}</p>
                {explained}
            </details>
        </article>
    }
}

/// Links to older ones and back to the newest.
fn pages(view: &UrlView, which: &str, next: Option<i64>) -> Option<AnyView> {
    let own = paths::acme_url(view.row.url.id);
    let query = Query::parse(crate::viewer::Viewer::current().query());
    let first = query.has(which).then(|| query.without(which).href(&own));
    let older = next.map(|id| query.with(which, id).href(&own));
    (first.is_some() || older.is_some()).then(|| {
        let label = format!("Pages of {which}");
        view! {
            <nav class="actions" aria-label=label>
                {first.map(|href| view! { <LinkButton href=href>"Newest"</LinkButton> })}
                {older.map(|href| view! { <LinkButton href=href>"Older"</LinkButton> })}
            </nav>
        }
        .into_any()
    })
}
