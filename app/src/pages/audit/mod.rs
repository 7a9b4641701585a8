//! "Account > Audit log".

use leptos::prelude::*;

use crate::pages::later::later;

/// The audit log.
#[component]
pub fn AuditPage() -> impl IntoView {
    later("Audit log", Some("Account"))
}
