//! The list of agents as CSV.

use axum::extract::RawQuery;
use axum::response::Response;

use super::api::listed;
use crate::desk::{Desk, May};
use crate::fault::PortalError;
use crate::pages::csv::{Csv, exported};

/// `/automation/agents.csv`.
pub async fn agents(desk: Desk, RawQuery(query): RawQuery) -> Response {
    exported("agents", export(desk, &query.unwrap_or_default()).await)
}

async fn export(desk: Desk, query: &str) -> Result<Csv, PortalError> {
    desk.check(May::SeeAll)?;
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
    for agent in listed(&desk, query).await? {
        csv.line([
            agent.name,
            format!("{:?}", agent.state).to_lowercase(),
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
