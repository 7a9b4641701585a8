//! The *Action* column: the one next step as a button, the others in a menu.

use domain::model::EndpointAction;
use domain::rules::OfferedAction;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;

use super::api::{DisableAutoRenew, EndpointRow};
use crate::kit::{ActionMenu, Button, Form, Hidden, LinkButton, Weight};
use crate::pages::activity::api::{CancelEvent, RetryEvent};
use crate::paths;
use crate::query::Query;
use crate::viewer::Viewer;

/// The button and the menu of an endpoint.
#[component]
pub(super) fn Actions(
    /// The endpoint.
    row: EndpointRow,
    /// The word behind "Switch to".
    brand: String,
    /// Whether auto-renew may be switched.
    may_automate: bool,
    /// On the endpoint's own page: the next step stands out, and the menu has a word.
    #[prop(optional)]
    own_page: bool,
) -> impl IntoView {
    let weight = if own_page { Weight::Primary } else { Weight::Plain };
    let next = row.offer.next.map(|action| button(&row, action, &brand, weight));
    let others = row.offer.others.iter().map(|action| entry(&row, *action, &brand)).collect_view();
    let renew = may_automate.then(|| renew_entry(&row));
    let id = row.id;
    let text = if own_page { "Actions" } else { "" };
    view! {
        <div class="row-actions">
            {next}
            <ActionMenu id=format!("actions-{id}") label=format!("Actions for {}", row.address) text=text>
                {others}
                {renew}
                {(!own_page).then(|| view! { <li><a href=paths::endpoint(id)>"Show details"</a></li> })}
            </ActionMenu>
        </div>
    }
}

/// Where an action on the certificate begins.
pub(super) fn begin(row: &EndpointRow, action: EndpointAction) -> String {
    Query::default().with("action", action).href(&paths::wizard_profile(row.id))
}

/// "Submit manual request": the manual workflow, for what the endpoint serves.
pub(super) fn manual(row: &EndpointRow) -> String {
    match row.order {
        Some(order) => paths::order(order),
        None => paths::request_certificate(),
    }
}

fn button(row: &EndpointRow, action: OfferedAction, brand: &str, weight: Weight) -> AnyView {
    let label = action.label(brand);
    match action {
        OfferedAction::Act(act) => {
            view! { <LinkButton href=begin(row, act) weight=weight>{label}</LinkButton> }.into_any()
        }
        OfferedAction::ManualRequest => {
            view! { <LinkButton href=manual(row) weight=weight>{label}</LinkButton> }.into_any()
        }
        OfferedAction::Retry | OfferedAction::Cancel => post(row, action, label).into_any(),
    }
}

fn entry(row: &EndpointRow, action: OfferedAction, brand: &str) -> AnyView {
    let label = action.label(brand);
    let inside = match action {
        OfferedAction::Act(act) => view! { <a href=begin(row, act)>{label}</a> }.into_any(),
        OfferedAction::ManualRequest => view! { <a href=manual(row)>{label}</a> }.into_any(),
        OfferedAction::Retry | OfferedAction::Cancel => post(row, action, label).into_any(),
    };
    view! { <li>{inside}</li> }.into_any()
}

/// "Retry" and "Cancel" act on the newest event.
fn post(row: &EndpointRow, action: OfferedAction, label: String) -> Option<AnyView> {
    let event = row.event?;
    let here = Viewer::current().url;
    let form = if action == OfferedAction::Retry {
        view! {
            <Form action=RetryEvent::PATH key=row.id.to_string() class="inline">
                <Hidden name="id" value=event.to_string()/>
                <Button weight=Weight::Plain>{label}</Button>
            </Form>
        }
        .into_any()
    } else {
        view! {
            <Form action=CancelEvent::PATH key=row.id.to_string() class="inline">
                <Hidden name="id" value=event.to_string()/>
                <Hidden name="back" value=here/>
                <Button weight=Weight::Plain>{label}</Button>
            </Form>
        }
        .into_any()
    };
    Some(form)
}

fn renew_entry(row: &EndpointRow) -> AnyView {
    if row.auto_renew.is_none() {
        let href = format!("{}#auto-renew", paths::endpoint(row.id));
        return view! { <li><a href=href>"Enable auto-renew"</a></li> }.into_any();
    }
    let id = row.id.to_string();
    view! {
        <li>
            <Form action=DisableAutoRenew::PATH key=id.clone() class="inline">
                <Hidden name="id" value=id/>
                <Hidden name="back" value=Viewer::current().url/>
                <Button>"Disable auto-renew"</Button>
            </Form>
        </li>
    }
    .into_any()
}
