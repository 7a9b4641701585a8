//! (ssr) The URL of the list of agents as the lifecycle takes it.

use domain::Timestamp;
use lifecycle::automation::{AgentFilter, AgentSort, AgentStanding};

use super::api::{AgentState, SILENT_SECONDS, SORTS};
use crate::kit::Listing;
use crate::paths;

pub(super) fn listing(query: &str) -> Listing {
    Listing::read(paths::AGENTS, query, &SORTS)
}

pub(super) fn sort(listing: &Listing) -> AgentSort {
    match listing.sort.key.as_str() {
        "host" => AgentSort::Host,
        "seen" => AgentSort::LastSeen,
        _ => AgentSort::Name,
    }
}

pub(super) fn filter(listing: &Listing, now: Timestamp) -> AgentFilter {
    let state = listing.filter("state");
    let state = AgentState::LISTED.into_iter().find(|one| state == Some(one.as_str()));
    let since = now.plus_seconds(-SILENT_SECONDS);
    AgentFilter {
        text: listing.filter("text").map(str::to_owned),
        standing: state.and_then(|state| match state {
            AgentState::Active => Some(AgentStanding::Heard(since)),
            AgentState::Silent => Some(AgentStanding::Silent(since)),
            AgentState::New => Some(AgentStanding::Awaited(now)),
            AgentState::Lapsed => Some(AgentStanding::Lapsed(now)),
            AgentState::Removed => None,
        }),
    }
}
