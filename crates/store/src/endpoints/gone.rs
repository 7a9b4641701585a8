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
