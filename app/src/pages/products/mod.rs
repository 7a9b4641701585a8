//! "Settings > Product settings".

use leptos::prelude::*;

use crate::pages::later::later;

/// Product settings.
#[component]
pub fn ProductSettingsPage() -> impl IntoView {
    later("Product settings", Some("Settings"))
}
