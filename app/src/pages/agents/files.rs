//! The list of agents as CSV.

use axum::extract::RawQuery;
use axum::response::Response;

use lifecycle::automation::AgentRecord;

use super::api::row;
use super::reading::{filter, listing, sort};
use crate::desk::{Desk, May};
use crate::fault::PortalError;
use crate::pages::csv::{Csv, all_rows, exported};

/// `/automation/agents.csv`.
pub async fn agents(desk: Desk, RawQuery(query): RawQuery) -> Response {
    exported("agents", export(desk, &query.unwrap_or_default()).await)
}

async fn export(desk: Desk, query: &str) -> Result<Csv, PortalError> {
    desk.check(May::SeeAll)?;
    let listing = listing(query);
    let (sort, filter) = (sort(&listing), filter(&listing, desk.now));
    let key = |agent: &AgentRecord| (sort.key(agent), agent.id);
    let agents = all_rows(sort, listing.sort.descending, key, |page| {
        let (desk, filter) = (desk.clone(), filter.clone());
        async move { desk.lifecycle.agents(&desk.actor(), &filter, &page).await }
    });
    let mut csv = Csv::new(&[
        "Name",
        "State",
        "Host",
        "Version",
        "Platform",
        "Last seen",
        "Endpoints",
        "Added",
    ]);
    for agent in agents.await? {
        let agent = row(agent, desk.now);
        csv.line([
            agent.name,
            agent.state.as_str().to_owned(),
            agent.hostname.unwrap_or_default(),
            agent.version.unwrap_or_default(),
            agent.platform.unwrap_or_default(),
            agent.seen_at.map(domain::Timestamp::rfc3339).unwrap_or_default(),
            agent.endpoints.to_string(),
            agent.created_at.rfc3339(),
        ]);
    }
    Ok(csv)
}
