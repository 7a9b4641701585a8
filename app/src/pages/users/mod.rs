//! "Account > Users".

use leptos::prelude::*;

use crate::pages::later::later;

/// The list of people.
#[component]
pub fn UsersPage() -> impl IntoView {
    later("Users", Some("Account"))
}

/// "Invite a user".
#[component]
pub fn UserNewPage() -> impl IntoView {
    later("Invite a user", Some("Account"))
}

/// A person.
#[component]
pub fn UserPage() -> impl IntoView {
    later("User", Some("Account"))
}
