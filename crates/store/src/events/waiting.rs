//! Which events wait for what.

use domain::model::EventStatus;
use domain::{AgentId, EventId, OrderNumber, ProfileId, Timestamp};

use crate::{StoreError, Tx, on};

impl Tx {
    /// All unfinished events of an agent.
    pub async fn open_events_of_agent(
        &mut self,
        agent: AgentId,
    ) -> Result<Vec<EventId>, StoreError> {
        let ids: Vec<i64> = on!(self, |conn| {
            sqlx::query_scalar(
                "SELECT id FROM events WHERE finished_at IS NULL \
                 AND endpoint_id IN (SELECT id FROM endpoints WHERE agent_id = $1) ORDER BY id",
            )
            .bind(agent.0)
            .fetch_all(&mut *conn)
            .await?
        });
        Ok(ids.into_iter().map(EventId).collect())
    }

    /// Events with a CSR and without a certificate that are due: left by a crash or by a try that
    /// failed.
    pub async fn events_to_issue(
        &mut self,
        now: Timestamp,
        limit: i64,
    ) -> Result<Vec<EventId>, StoreError> {
        let ids: Vec<i64> = on!(self, |conn| {
            sqlx::query_scalar(
                "SELECT id FROM events WHERE finished_at IS NULL AND status = 'in_progress' \
                 AND csr_pem IS NOT NULL AND certificate_id IS NULL \
                 AND (next_attempt_at IS NULL OR next_attempt_at <= $1) ORDER BY id LIMIT $2",
            )
            .bind(now.0)
            .bind(limit)
            .fetch_all(&mut *conn)
            .await?
        });
        Ok(ids.into_iter().map(EventId).collect())
    }

    /// Events that wait for an approval whose request has been decided, and, where it was
    /// approved, issued.
    pub async fn decided_events(&mut self, limit: i64) -> Result<Vec<EventId>, StoreError> {
        let ids: Vec<i64> = on!(self, |conn| {
            sqlx::query_scalar(
                "SELECT e.id FROM events e JOIN requests r ON r.id = e.request_id \
                 WHERE e.status = 'approval_pending' AND e.finished_at IS NULL \
                 AND (r.status IN ('rejected', 'canceled') OR r.issued_certificate_id IS NOT NULL) \
                 ORDER BY e.id LIMIT $1",
            )
            .bind(limit)
            .fetch_all(&mut *conn)
            .await?
        });
        Ok(ids.into_iter().map(EventId).collect())
    }

    /// Lets the events that wait for this order's renewal try again now.
    pub async fn wake_events_waiting_for(&mut self, order: OrderNumber) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query(
                "UPDATE events SET waits_for = NULL, next_attempt_at = NULL WHERE waits_for = $1",
            )
            .bind(order.0)
            .execute(&mut *conn)
            .await?;
        });
        Ok(())
    }

    /// Events made from a profile that no agent has begun.
    pub async fn scheduled_events_of_profile(
        &mut self,
        profile: ProfileId,
    ) -> Result<Vec<EventId>, StoreError> {
        let ids: Vec<i64> = on!(self, |conn| {
            sqlx::query_scalar(
                "SELECT id FROM events WHERE profile_id = $1 AND status = $2 ORDER BY id",
            )
            .bind(profile.0)
            .bind(EventStatus::Scheduled.as_str())
            .fetch_all(&mut *conn)
            .await?
        });
        Ok(ids.into_iter().map(EventId).collect())
    }
}
