//! "Certificates > Domains".

use leptos::prelude::*;

use crate::pages::later::later;

/// The list of domains.
#[component]
pub fn DomainsPage() -> impl IntoView {
    later("Domains", Some("Certificates"))
}

/// "Add domain".
#[component]
pub fn DomainNewPage() -> impl IntoView {
    later("Add domain", Some("Certificates"))
}

/// A domain with its validation.
#[component]
pub fn DomainPage() -> impl IntoView {
    later("Domain", Some("Certificates"))
}
