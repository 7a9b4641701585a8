//! Endpoints that are no longer there.

use domain::{AgentId, EndpointId, Timestamp};

use crate::{StoreError, Tx, on};

impl Tx {
    /// Every endpoint that an agent ever reported, with since when it is gone.
    pub async fn endpoints_of_agent(
        &mut self,
        agent: AgentId,
    ) -> Result<Vec<(EndpointId, Option<Timestamp>)>, StoreError> {
        let rows: Vec<(i64, Option<i64>)> = on!(self, |conn| {
            sqlx::query_as("SELECT id, gone_at FROM endpoints WHERE agent_id = $1 ORDER BY id")
                .bind(agent.0)
                .fetch_all(&mut *conn)
                .await?
        });
        Ok(rows.into_iter().map(|(id, gone)| (EndpointId(id), gone.map(Timestamp))).collect())
    }

    /// Forgets up to `limit` endpoints of an agent that are gone, the longest ago first, and on which
    /// nobody did anything: they have no event, and auto-renew is off.
    pub async fn forget_gone_endpoints(
        &mut self,
        agent: AgentId,
        limit: i64,
    ) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query(
                "DELETE FROM endpoints WHERE id IN (SELECT e.id FROM endpoints e WHERE e.agent_id = $1 \
                 AND e.gone_at IS NOT NULL AND NOT e.auto_renew \
                 AND NOT EXISTS (SELECT 1 FROM events v WHERE v.endpoint_id = e.id) \
                 ORDER BY e.gone_at, e.id LIMIT $2)",
            )
            .bind(agent.0)
            .bind(limit)
            .execute(&mut *conn)
            .await?;
        });
        Ok(())
    }

    /// Notes since when an endpoint is gone, or that it is there again.
    pub async fn set_endpoint_gone(
        &mut self,
        id: EndpointId,
        since: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query("UPDATE endpoints SET gone_at = $2 WHERE id = $1")
                .bind(id.0)
                .bind(since.map(|at| at.0))
                .execute(&mut *conn)
                .await?;
        });
        Ok(())
    }
}
