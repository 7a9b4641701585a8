//! "Automation > Manage profiles".

use leptos::prelude::*;

use crate::pages::later::later;

/// The list of profiles.
#[component]
pub fn ProfilesPage() -> impl IntoView {
    later("Manage profiles", Some("Automation"))
}

/// "Add new profile".
#[component]
pub fn ProfileNewPage() -> impl IntoView {
    later("Add new profile", Some("Automation"))
}

/// A profile.
#[component]
pub fn ProfilePage() -> impl IntoView {
    later("Profile", Some("Automation"))
}
