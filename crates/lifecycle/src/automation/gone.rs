//! Endpoints that are no longer there: their agent reports without them, or was removed. What is
//! known of them stays, and goes on once the agent reports them again; of very many, those on which
//! nobody did anything are forgotten.

use std::collections::BTreeSet;

use domain::rules::status_after;
use domain::{AgentId, EndpointId, Timestamp};
use serde_json::{Value, json};
use store::Tx;
use store::endpoints::EndpointRecord;

use super::intervene::give_up;
use crate::audit::{AuditEntry, record};
use crate::{Actor, LifecycleError, Result};

/// Endpoints of an agent that are known, those that are gone counted in. Beyond them those that are gone
/// are forgotten where nobody did anything there: an agent may report other addresses each time.
const MOST_KNOWN: usize = 2_000;

/// Why nothing is done on an endpoint any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone {
    /// Since when.
    pub since: Timestamp,
    /// What happened.
    pub cause: &'static str,
    /// What a person can do.
    pub solution: &'static str,
}

impl Gone {
    /// None while the endpoint is there.
    pub fn of(endpoint: &EndpointRecord) -> Option<Self> {
        endpoint.gone_at.map(|since| {
            if endpoint.agent_removed { Self::removed(since) } else { Self::unreported(since) }
        })
    }

    pub(super) const fn removed(since: Timestamp) -> Self {
        let cause = "The agent was removed.";
        let solution =
            "Add an agent on the host, and request a certificate on the endpoint that it reports.";
        Self { since, cause, solution }
    }

    const fn unreported(since: Timestamp) -> Self {
        let cause = "The agent no longer finds this endpoint on its host.";
        let solution = "Where it should be there, mend the server's or the agent's configuration, \
                        and request a certificate once the agent reports the endpoint again.";
        Self { since, cause, solution }
    }
}

/// Refuses what nobody can do on an endpoint that is no longer there.
pub(super) fn check_there(endpoint: &EndpointRecord) -> Result<()> {
    Gone::of(endpoint).map_or(Ok(()), |Gone { cause, solution, .. }| {
        Err(LifecycleError::Conflict { message: format!("{cause} {solution}") })
    })
}

/// Compares what an agent reports with what it reported before.
pub(super) async fn compare(
    tx: &mut Tx,
    now: Timestamp,
    agent: AgentId,
    reported: &[EndpointId],
) -> Result<()> {
    let reported: BTreeSet<&EndpointId> = reported.iter().collect();
    let known = tx.endpoints_of_agent(agent).await?;
    let beyond = known.len().saturating_sub(MOST_KNOWN);
    for (id, gone_at) in known {
        match (gone_at, reported.contains(&id)) {
            (None, false) => leave(tx, now, id).await?,
            (Some(_), true) => come_back(tx, now, id).await?,
            _ => {}
        }
    }
    if beyond > 0 {
        tx.forget_gone_endpoints(agent, i64::try_from(beyond).unwrap_or(i64::MAX)).await?;
    }
    Ok(())
}

async fn leave(tx: &mut Tx, now: Timestamp, id: EndpointId) -> Result<()> {
    // Nobody schedules anything there at the same moment.
    tx.lock(&format!("endpoint:{id}")).await?;
    let Some(endpoint) = tx.endpoint(id).await? else { return Ok(()) };
    tx.set_endpoint_gone(id, Some(now)).await?;
    tx.set_next_auto_renew(id, None).await?;
    if let Some(event) = tx.open_event(id).await? {
        let actor = Actor::Worker { on_behalf_of: event.requester };
        give_up(tx, now, &actor, event.id, Gone::unreported(now)).await?;
        // The event tells why it ended: where the endpoint comes back that is over.
        let status = status_after(endpoint.auto_renew.is_some());
        tx.set_endpoint_status(id, status, None, None, None).await?;
    }
    let words = format!(
        "{}:{} is no longer there: agent {:?} reported without it.",
        endpoint.ip, endpoint.port, endpoint.agent_name
    );
    let entry = AuditEntry::new("endpoint.gone", "endpoint", id, words)
        .changing(holds(&endpoint), Value::Null);
    record(tx, now, &Actor::Worker { on_behalf_of: None }, entry).await
}

async fn come_back(tx: &mut Tx, now: Timestamp, id: EndpointId) -> Result<()> {
    let Some(endpoint) = tx.endpoint(id).await? else { return Ok(()) };
    tx.set_endpoint_gone(id, None).await?;
    let words = format!(
        "{}:{} is there again: agent {:?} reported it.",
        endpoint.ip, endpoint.port, endpoint.agent_name
    );
    let entry = AuditEntry::new("endpoint.returned", "endpoint", id, words)
        .changing(Value::Null, holds(&endpoint));
    record(tx, now, &Actor::Worker { on_behalf_of: None }, entry).await
}

/// What stops there, or goes on: no other entry says that auto-renew does.
fn holds(endpoint: &EndpointRecord) -> Value {
    json!({
        "auto_renew": endpoint.auto_renew, "certificate": endpoint.certificate, "order": endpoint.order,
    })
}
