//! The automation request page, one URL per step.

use leptos::prelude::*;

use crate::pages::later::later;

/// Step 1: "Automation profile".
#[component]
pub fn ProfileStep() -> impl IntoView {
    later("Automation profile", Some("Automation"))
}

/// Step 2: "Certificate".
#[component]
pub fn CertificateStep() -> impl IntoView {
    later("Certificate", Some("Automation"))
}

/// Step 3: "Installation".
#[component]
pub fn InstallationStep() -> impl IntoView {
    later("Installation", Some("Automation"))
}

/// Step 4: "Review".
#[component]
pub fn ReviewStep() -> impl IntoView {
    later("Review", Some("Automation"))
}
