//! "Account > API keys".

use leptos::prelude::*;

use crate::pages::later::later;

/// The list of API keys.
#[component]
pub fn ApiKeysPage() -> impl IntoView {
    later("API keys", Some("Account"))
}

/// "Add API key".
#[component]
pub fn ApiKeyNewPage() -> impl IntoView {
    later("Add API key", Some("Account"))
}
