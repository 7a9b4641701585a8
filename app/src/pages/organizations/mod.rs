//! "Certificates > Organizations".

use leptos::prelude::*;

use crate::pages::later::later;

/// The list of organizations.
#[component]
pub fn OrganizationsPage() -> impl IntoView {
    later("Organizations", Some("Certificates"))
}

/// "Add organization".
#[component]
pub fn OrganizationNewPage() -> impl IntoView {
    later("Add organization", Some("Certificates"))
}

/// An organization with its validation.
#[component]
pub fn OrganizationPage() -> impl IntoView {
    later("Organization", Some("Certificates"))
}
