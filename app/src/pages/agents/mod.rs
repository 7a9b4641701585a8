//! "Automation > Agents".

use leptos::prelude::*;

use crate::pages::later::later;

/// The list of agents.
#[component]
pub fn AgentsPage() -> impl IntoView {
    later("Agents", Some("Automation"))
}

/// An agent's activation.
#[component]
pub fn AgentNewPage() -> impl IntoView {
    later("Add agent", Some("Automation"))
}

/// An agent.
#[component]
pub fn AgentPage() -> impl IntoView {
    later("Agent", Some("Automation"))
}
