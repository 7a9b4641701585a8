//! "Settings > Notifications".

use leptos::prelude::*;

use crate::pages::later::later;

/// Notifications.
#[component]
pub fn NotificationsPage() -> impl IntoView {
    later(
        "Notifications",
        Some("Settings"),
        "Certdeck sends no mail and calls no webhooks: the Dashboard shows what expires, Requests what waits for \
         approval, and Activity how automation goes on.",
    )
}
