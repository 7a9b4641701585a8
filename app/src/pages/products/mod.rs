//! "Settings > Product settings".

use leptos::prelude::*;

use crate::pages::later::later;

/// Product settings.
#[component]
pub fn ProductSettingsPage() -> impl IntoView {
    later(
        "Product settings",
        Some("Settings"),
        "Every product of the catalogue can be ordered; the command certdeck product list shows what each of them can do.",
    )
}
