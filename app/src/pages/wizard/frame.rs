//! What stands around every step.

use domain::EndpointId;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::api::Frame;
use crate::fault::PortalError;
use crate::kit::{Elsewhere, EmptyState, Hidden, LinkButton, Sheet, Step, Steps, Weight};
use crate::paths;
use crate::query::Query;
use crate::viewer::Viewer;

/// The endpoint in the path, and the query.
pub(super) fn asked() -> (Result<EndpointId, PortalError>, String) {
    let id = use_params_map().get_untracked().get("id").and_then(|id| id.parse().ok());
    (id.ok_or_else(|| PortalError::no_such("endpoint")), Viewer::current().query().to_owned())
}

/// A link to a step that keeps what was filled in.
pub(super) fn to(frame: &Frame, path: String) -> String {
    Query::parse(&frame.state).href(&path)
}

/// The step with the field `name`, with what was filled in: faults can be of any step.
pub(super) fn step_of(frame: &Frame, name: &str) -> Option<String> {
    elsewhere(frame).into_iter().find(|(fields, _)| fields.contains(&name)).map(|(_, href)| href)
}

/// The steps of all fields.
pub(super) fn elsewhere(frame: &Frame) -> Elsewhere {
    const CERTIFICATE: &[&str] = &["obtain", "common_name", "sans", "order", "extra_names"];
    const INSTALLATION: &[&str] =
        &["install", "date", "time", "time_zone", "days_before", "renew_time", "emails", "note"];
    let (id, state) = (frame.endpoint.id, Query::parse(&frame.state));
    vec![
        (&["profile"], state.href(&paths::wizard_profile(id))),
        (CERTIFICATE, state.href(&paths::wizard_certificate(id))),
        (INSTALLATION, state.href(&paths::wizard_installation(id))),
    ]
}

/// The page of step `current`, counted from 1.
pub(super) fn sheet(frame: &Frame, current: usize, body: AnyView) -> Sheet {
    let (id, state) = (frame.endpoint.id, Query::parse(&frame.state));
    let step = |label, path: String| Step { label, href: Some(state.href(&path)) };
    let steps = vec![
        step("Automation profile", paths::wizard_profile(id)),
        step("Certificate", paths::wizard_certificate(id)),
        step("Installation", paths::wizard_installation(id)),
        step("Review", paths::wizard_review(id)),
    ];
    let on = frame.endpoint.common_name.clone().or_else(|| frame.endpoint.server_name.clone());
    let lead = view! {
        <p class="muted">
            {format!("On {}", frame.endpoint.address)}
            {on.map(|name| format!(" · {name}"))}
            {format!(" · agent {}", frame.endpoint.host)}
        </p>
    };
    Sheet::new(frame.label.clone(), view! { <Steps steps=steps current=current/>{body} })
        .under("Automation")
        .crumb("Automated IPs", paths::endpoints())
        .crumb(frame.endpoint.address.clone(), paths::endpoint(id))
        .lead(lead)
}

/// In place of a later step before a profile was chosen.
pub(super) fn profile_first(frame: &Frame) -> AnyView {
    let first = to(frame, paths::wizard_profile(frame.endpoint.id));
    view! {
        <EmptyState title="Choose an automation profile first" text="It says for whom what is ordered: the other steps follow from it.">
            <LinkButton href=first weight=Weight::Primary>"Automation profile"</LinkButton>
        </EmptyState>
    }
    .into_any()
}

/// The endpoint and what was filled in so far, inside a step's form.
#[component]
pub(super) fn Carried(
    /// The endpoint.
    id: EndpointId,
    /// The query so far.
    state: String,
) -> impl IntoView {
    view! {
        <Hidden name="endpoint" value=id.to_string()/>
        <Hidden name="state" value=state/>
    }
}
