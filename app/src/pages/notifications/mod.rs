//! "Settings > Notifications".

use leptos::prelude::*;

use crate::pages::later::later;

/// Notifications.
#[component]
pub fn NotificationsPage() -> impl IntoView {
    later("Notifications", Some("Settings"))
}
