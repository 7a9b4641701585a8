//! "Automation > Automated IPs".

use leptos::prelude::*;

use crate::pages::later::later;

/// The list of endpoints.
#[component]
pub fn EndpointsPage() -> impl IntoView {
    later("Automated IPs", Some("Automation"))
}

/// The check before a bulk action.
#[component]
pub fn BulkPage() -> impl IntoView {
    later("Bulk action", Some("Automation"))
}

/// An endpoint's details.
#[component]
pub fn EndpointPage() -> impl IntoView {
    later("Automated IP", Some("Automation"))
}
