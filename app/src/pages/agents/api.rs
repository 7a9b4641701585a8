//! Agents as their pages show them.

use domain::{AgentId, Timestamp};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::fault::PortalError;
use crate::pages::paged::Paged;

/// After so many seconds without a call an agent counts as silent.
#[cfg(feature = "ssr")]
pub(super) const SILENT_SECONDS: i64 = 300;

/// How an agent stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AgentState {
    /// Waits for its activation.
    New,
    /// Its activation token is no longer good, and it never came.
    Lapsed,
    /// Heard of lately.
    Active,
    /// Not heard of for more than five minutes.
    Silent,
    /// Its access was taken away.
    Removed,
}

impl AgentState {
    /// Those that the list shows.
    pub const LISTED: [Self; 4] = [Self::Active, Self::Silent, Self::New, Self::Lapsed];

    /// In URLs and exports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Lapsed => "lapsed",
            Self::Active => "active",
            Self::Silent => "silent",
            Self::Removed => "removed",
        }
    }

    /// On screens.
    pub const fn label(self) -> &'static str {
        match self {
            Self::New => "Waits for activation",
            Self::Lapsed => "Activation expired",
            Self::Active => "Active",
            Self::Silent => "Silent",
            Self::Removed => "Removed",
        }
    }
}

/// An agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentRow {
    /// Its id.
    pub id: AgentId,
    /// Its name.
    pub name: String,
    /// How it stands.
    pub state: AgentState,
    /// The host's own name.
    pub hostname: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// Operating system and processor.
    pub platform: Option<String>,
    /// When it was heard of last.
    pub seen_at: Option<Timestamp>,
    /// Until when its activation token is good.
    pub activation_expires_at: Option<Timestamp>,
    /// When it was added.
    pub created_at: Timestamp,
    /// How many endpoints it reported.
    pub endpoints: i64,
}

/// Agents as their list shows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentList {
    /// As the URL asks.
    pub page: Paged<AgentRow>,
    /// This person may add and remove agents.
    pub may_automate: bool,
}

/// An agent's page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentView {
    /// The agent.
    pub row: AgentRow,
    /// Its activation token, shown this once, right after it was added.
    pub token: Option<String>,
    /// This portal's address.
    pub server: String,
    /// This person may remove it.
    pub may_automate: bool,
}

/// How an agent stands at `now`.
#[cfg(feature = "ssr")]
pub(crate) fn state(
    status: &str,
    seen: Option<Timestamp>,
    activation: Option<Timestamp>,
    now: Timestamp,
) -> AgentState {
    match (status, seen) {
        ("removed", _) => AgentState::Removed,
        (_, Some(seen)) if now.seconds_since(seen) <= SILENT_SECONDS => AgentState::Active,
        ("new", None) if activation.is_some_and(|until| now < until) => AgentState::New,
        ("new", None) => AgentState::Lapsed,
        _ => AgentState::Silent,
    }
}

#[cfg(feature = "ssr")]
pub(crate) fn row(agent: lifecycle::automation::AgentRecord, now: Timestamp) -> AgentRow {
    let seen_at = agent.last_seen_at.map(Timestamp);
    let activation_expires_at = agent.activation_expires_at.map(Timestamp);
    AgentRow {
        id: agent.agent_id(),
        state: state(&agent.status, seen_at, activation_expires_at, now),
        name: agent.name,
        hostname: agent.hostname,
        version: agent.version,
        platform: agent.platform,
        seen_at,
        activation_expires_at,
        created_at: Timestamp(agent.created_at),
        endpoints: agent.endpoints,
    }
}

/// Keys that the list is sorted by.
pub const SORTS: [&str; 3] = ["name", "host", "seen"];

/// A page of agents that are not removed.
#[server(prefix = "/api", endpoint = "agents/list")]
pub async fn agents(query: String) -> Result<AgentList, PortalError> {
    use super::reading::{filter, listing, sort};
    use crate::desk::{Desk, May};
    use crate::pages::paged::{page_of, paged};
    use lifecycle::automation::AgentSort;

    let desk = Desk::require(May::SeeAll)?;
    let listing = listing(&query);
    let sort = sort(&listing);
    let page = page_of(&listing, sort, sort == AgentSort::LastSeen);
    let slice = desk.lifecycle.agents(&desk.actor(), &filter(&listing, desk.now), &page).await?;
    let page = paged(slice, |agent| (sort.key(agent), agent.id), |agent| row(agent, desk.now));
    Ok(AgentList { page, may_automate: desk.may(May::Automate) })
}

/// One agent, right after it was added with its token.
#[server(prefix = "/api", endpoint = "agents/one")]
pub async fn agent(id: i64) -> Result<AgentView, PortalError> {
    use crate::browser;
    use crate::desk::{Desk, May};

    let desk = Desk::require(May::SeeAll)?;
    let record = desk.lifecycle.agent(&desk.actor(), AgentId(id)).await?;
    let row = row(record, desk.now);
    let may_automate = desk.may(May::Automate);
    let token =
        if may_automate && row.state == AgentState::New { browser::take_over() } else { None };
    Ok(AgentView { row, token, server: browser::absolute(""), may_automate })
}

/// "Add agent": its page shows the token once.
#[server(prefix = "/api", endpoint = "agents/add")]
pub async fn add_agent(name: String) -> Result<(), PortalError> {
    use crate::browser;
    use crate::desk::{Desk, May};

    let desk = Desk::require(May::Automate)?;
    let activation = desk.lifecycle.add_agent(&desk.actor(), &name).await?;
    browser::hand_over(activation.token.reveal());
    browser::redirect(&crate::paths::agent(activation.agent));
    Ok(())
}

/// "Remove": takes an agent's access away.
#[server(prefix = "/api", endpoint = "agents/remove")]
pub async fn remove_agent(id: i64) -> Result<(), PortalError> {
    use crate::desk::{Desk, May};

    let desk = Desk::require(May::Automate)?;
    desk.lifecycle.remove_agent(&desk.actor(), AgentId(id)).await?;
    crate::browser::flash(
        "The agent was removed. Its endpoints left the list; their history stays.",
    );
    crate::browser::redirect(&crate::paths::agents());
    Ok(())
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn an_agent_is_silent_after_five_minutes() {
        let now = Timestamp(10_000);
        let seen = |ago: i64| Some(now.plus_seconds(-ago));
        assert_eq!(state("active", seen(300), None, now), AgentState::Active);
        assert_eq!(state("active", seen(301), None, now), AgentState::Silent);
        assert_eq!(state("active", None, None, now), AgentState::Silent);
        assert_eq!(state("new", None, seen(-5), now), AgentState::New);
        assert_eq!(state("new", None, seen(5), now), AgentState::Lapsed);
        assert_eq!(state("removed", seen(0), None, now), AgentState::Removed);
    }
}
