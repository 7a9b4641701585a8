//! Global search.

use leptos::prelude::*;

use crate::pages::later::later;

/// Global search.
#[component]
pub fn SearchPage() -> impl IntoView {
    later("Search", None)
}
