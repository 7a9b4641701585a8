//! The short lists of the dashboard.

use domain::model::{CertificateStatus, EndpointStatus, RequestKind};
use leptos::prelude::*;

use super::api::{ExpiringView, WaitingView};
use crate::kit::{Badge, Column, Expiry, Section, Table, Time, Tone};
use crate::pages::activity::api::endpoint_tone;
use crate::pages::endpoints::NEEDS_ACTION;
use crate::pages::endpoints::api::EndpointRow;
use crate::paths;
use crate::query::Query;
use crate::viewer::Viewer;

pub(super) fn expiring(orders: Vec<ExpiringView>) -> AnyView {
    let none = orders.is_empty();
    let rows = orders.into_iter().map(|order| {
        view! {
            <tr>
                <th scope="row"><a href=paths::order(order.number)>{order.common_name}</a></th>
                <td>{order.number.0}</td>
                <td>{order.product}</td>
                <td><Expiry at=order.valid_till/></td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    let columns = ["Common name", "Order ID", "Product", "Valid till"].map(Column::new).into();
    view! {
        <Section title="Expiring soon">
            {if none {
                view! { <p class="muted">"Nothing expires in the next 90 days."</p> }.into_any()
            } else {
                view! { <Table label="Expiring soon" columns=columns>{rows}</Table> }.into_any()
            }}
        </Section>
    }
    .into_any()
}

pub(super) fn requests(requests: Vec<WaitingView>, may_review: bool) -> AnyView {
    let none = requests.is_empty();
    let items = requests.into_iter().map(|request| {
        let about = request.common_name.unwrap_or_else(|| format!("order {}", request.order));
        view! {
            <li>
                <a href=paths::request(request.id)>{format!("{}: {about}", kind(request.kind))}</a>
                <span class="muted small">
                    {request.requester.map(|name| format!("{name}, "))}
                    <Time at=request.created_at/>
                </span>
            </li>
        }
    });
    let items = items.collect_view();
    let lead = if may_review {
        "Yours to approve or reject."
    } else {
        "A Manager or Administrator decides."
    };
    let all = view! { <a href=paths::requests()>"All requests"</a> };
    view! {
        <Section title="Requests that wait for approval" lead=lead actions=all.into_any()>
            {if none {
                view! { <p class="muted">"None."</p> }.into_any()
            } else {
                view! { <ul class="short-list">{items}</ul> }.into_any()
            }}
        </Section>
    }
    .into_any()
}

pub(super) fn trouble(endpoints: Vec<EndpointRow>) -> AnyView {
    let none = endpoints.is_empty();
    let items = endpoints.into_iter().map(|row| {
        let badge = wrong(&row);
        let (name, address) = match row.common_name.or(row.server_name) {
            Some(name) => (name, Some(row.address)),
            None => (row.address, None),
        };
        view! {
            <li>
                <a href=paths::endpoint(row.id)>{name}</a>
                {address.map(|address| view! { <span class="muted small">{address}</span> })}
                {badge}
            </li>
        }
    });
    let items = items.collect_view();
    let all = Query::default().with("status", NEEDS_ACTION).href(paths::ENDPOINTS.as_str());
    let all = view! { <a href=all>"All that need action"</a> };
    view! {
        <Section title="Automation events that need action" actions=all.into_any()>
            {if none {
                view! { <p class="muted">"None: automation goes on by itself."</p> }.into_any()
            } else {
                view! { <ul class="short-list">{items}</ul> }.into_any()
            }}
        </Section>
    }
    .into_any()
}

/// Why it needs action: automation came to nothing, or what is in place is no good.
fn wrong(row: &EndpointRow) -> AnyView {
    let stopped = row.status.needs_a_person() || row.status == EndpointStatus::AgentError;
    let now = Viewer::current().now;
    match (row.certificate, row.expires) {
        _ if stopped => {
            view! { <Badge tone=endpoint_tone(row.status) text=row.status.label()/> }.into_any()
        }
        (Some(CertificateStatus::Revoked { .. }), _) => {
            view! { <Badge tone=Tone::Bad text="Revoked"/> }.into_any()
        }
        (Some(CertificateStatus::RevocationPending { .. }), _) => {
            view! { <Badge tone=Tone::Warning text="Revocation pending"/> }.into_any()
        }
        (_, Some(at)) if at < now => view! { <Badge tone=Tone::Bad text="Expired"/> }.into_any(),
        _ => view! { <Badge tone=Tone::Bad text="Missing"/> }.into_any(),
    }
}

/// What is asked, in a word.
const fn kind(kind: RequestKind) -> &'static str {
    match kind {
        RequestKind::New => "New",
        RequestKind::Duplicate => "Duplicate",
        RequestKind::Reissue => "Reissue",
        RequestKind::Renew => "Renewal",
        RequestKind::Revoke => "Revocation",
    }
}
