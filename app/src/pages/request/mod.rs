//! "Request a certificate" by hand.

use leptos::prelude::*;

use crate::pages::later::later;

/// "Request a certificate".
#[component]
pub fn RequestCertificatePage() -> impl IntoView {
    later("Request a certificate", Some("Certificates"))
}
