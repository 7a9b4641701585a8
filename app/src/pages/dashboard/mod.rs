//! "Dashboard".

use leptos::prelude::*;

use crate::pages::later::later;

/// The dashboard.
#[component]
pub fn DashboardPage() -> impl IntoView {
    later("Dashboard", None)
}
