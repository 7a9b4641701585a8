//! "Certificates > Requests".

use leptos::prelude::*;

use crate::pages::later::later;

/// The list of requests.
#[component]
pub fn RequestsPage() -> impl IntoView {
    later("Requests", Some("Certificates"))
}

/// A request with its review.
#[component]
pub fn RequestPage() -> impl IntoView {
    later("Request", Some("Certificates"))
}
