//! "Certificates > Orders": the list, an order, its certificate actions.

use leptos::prelude::*;

use crate::pages::later::later;

/// The list of orders.
#[component]
pub fn OrdersPage() -> impl IntoView {
    later("Orders", Some("Certificates"))
}

/// An order.
#[component]
pub fn OrderPage() -> impl IntoView {
    later("Order", Some("Certificates"))
}

/// "Request duplicate".
#[component]
pub fn DuplicatePage() -> impl IntoView {
    later("Request duplicate", Some("Certificates"))
}

/// "Reissue certificate".
#[component]
pub fn ReissuePage() -> impl IntoView {
    later("Reissue certificate", Some("Certificates"))
}

/// "Renew certificate".
#[component]
pub fn RenewPage() -> impl IntoView {
    later("Renew certificate", Some("Certificates"))
}

/// "Revoke certificate".
#[component]
pub fn RevokePage() -> impl IntoView {
    later("Revoke certificate", Some("Certificates"))
}

/// "Download".
#[component]
pub fn DownloadPage() -> impl IntoView {
    later("Download", Some("Certificates"))
}
