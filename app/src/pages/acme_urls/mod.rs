//! "Automation > ACME Directory URLs".

use leptos::prelude::*;

use crate::pages::later::later;

/// The list of ACME Directory URLs.
#[component]
pub fn AcmeUrlsPage() -> impl IntoView {
    later("ACME Directory URLs", Some("Automation"))
}

/// "Add ACME Directory URL".
#[component]
pub fn AcmeUrlNewPage() -> impl IntoView {
    later("Add ACME Directory URL", Some("Automation"))
}

/// An ACME Directory URL with its accounts and orders.
#[component]
pub fn AcmeUrlPage() -> impl IntoView {
    later("ACME Directory URL", Some("Automation"))
}

/// "Try a request".
#[component]
pub fn TryPage() -> impl IntoView {
    later("Try a request", Some("Automation"))
}
