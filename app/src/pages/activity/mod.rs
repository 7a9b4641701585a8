//! "Automation > Activity": automation events.

use leptos::prelude::*;

use crate::pages::later::later;

/// The list of automation events.
#[component]
pub fn ActivityPage() -> impl IntoView {
    later("Activity", Some("Automation"))
}

/// An event's own page.
#[component]
pub fn EventPage() -> impl IntoView {
    later("Automation event", Some("Automation"))
}
