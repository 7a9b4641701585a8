//! Forgetting ACME orders and authorizations that came to nothing.

use domain::{AcmeOrderId, Timestamp};

use crate::{StoreError, Tx, on};

impl Tx {
    /// Orders that ended before `before` and came to nothing, those of the earliest end first, at most
    /// `limit`. Requests of theirs that were refused are of no account: they stay without them.
    pub async fn acme_orders_for_nothing(
        &mut self,
        before: Timestamp,
        limit: i64,
    ) -> Result<Vec<AcmeOrderId>, StoreError> {
        let ids: Vec<i64> = on!(self, |conn| {
            sqlx::query_scalar(
                "SELECT id FROM acme_orders WHERE status = 'invalid' AND ended_at <= $1 \
                 ORDER BY ended_at LIMIT $2",
            )
            .bind(before.0)
            .bind(limit)
            .fetch_all(&mut *conn)
            .await?
        });
        Ok(ids.into_iter().map(AcmeOrderId).collect())
    }

    /// Forgets an order that came to nothing, with the ended authorizations that no other order
    /// needs.
    pub async fn forget_acme_order(&mut self, id: AcmeOrderId) -> Result<(), StoreError> {
        let authorizations: Vec<i64> = on!(self, |conn| {
            let authorizations = sqlx::query_scalar(
                "DELETE FROM acme_order_authorizations WHERE acme_order_id = $1 RETURNING authorization_id",
            )
            .bind(id.0)
            .fetch_all(&mut *conn)
            .await?;
            sqlx::query("DELETE FROM acme_orders WHERE id = $1")
                .bind(id.0)
                .execute(&mut *conn)
                .await?;
            authorizations
        });
        for authorization in authorizations {
            self.forget_authorization(authorization).await?;
        }
        Ok(())
    }

    /// Authorizations that have ended, and whose time is over, of which it is not known that an order
    /// needs them; those of the earliest end first, at most `limit`.
    pub async fn ended_authorizations(
        &mut self,
        now: Timestamp,
        limit: i64,
    ) -> Result<Vec<i64>, StoreError> {
        Ok(on!(self, |conn| {
            sqlx::query_scalar(
                "SELECT id FROM acme_authorizations WHERE without_order AND status NOT IN ('pending', 'valid') \
                 AND expires_at <= $1 ORDER BY expires_at LIMIT $2",
            )
            .bind(now.0)
            .bind(limit)
            .fetch_all(&mut *conn)
            .await?
        }))
    }

    /// Forgets an ended authorization that no order needs. Others stay, and it is noted whether an
    /// order needs them.
    pub async fn forget_authorization(&mut self, id: i64) -> Result<(), StoreError> {
        on!(self, |conn| {
            let forgotten: Option<bool> = sqlx::query_scalar(
                "UPDATE acme_authorizations SET without_order = NOT EXISTS \
                 (SELECT 1 FROM acme_order_authorizations WHERE authorization_id = $1) WHERE id = $1 \
                 RETURNING without_order AND status NOT IN ('pending', 'valid')",
            )
            .bind(id)
            .fetch_optional(&mut *conn)
            .await?;
            if forgotten == Some(true) {
                sqlx::query("DELETE FROM acme_challenges WHERE authorization_id = $1")
                    .bind(id)
                    .execute(&mut *conn)
                    .await?;
                sqlx::query("DELETE FROM acme_authorizations WHERE id = $1")
                    .bind(id)
                    .execute(&mut *conn)
                    .await?;
            }
        });
        Ok(())
    }
}
