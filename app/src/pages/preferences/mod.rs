//! "Settings > Preferences".

use leptos::prelude::*;

use crate::pages::later::later;

/// The account's preferences.
#[component]
pub fn PreferencesPage() -> impl IntoView {
    later("Preferences", Some("Settings"))
}
