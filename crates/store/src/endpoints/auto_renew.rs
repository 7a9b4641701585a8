//! Auto-renew of endpoints: whether it is on, for which names, and when it acts.

use domain::model::AutoRenew;
use domain::{EndpointId, NameSet, ProfileId, Timestamp, UserId};

use crate::value::to_json;
use crate::{StoreError, Tx, on};

impl Tx {
    /// Switches auto-renew on (with all its facts) or off.
    pub async fn set_endpoint_auto_renew(
        &mut self,
        id: EndpointId,
        renew: Option<&AutoRenew>,
        profile: Option<ProfileId>,
        user: Option<UserId>,
        auto_replace: bool,
        next: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query(
                "UPDATE endpoints SET auto_renew = $2, auto_renew_days = $3, auto_renew_minute = $4, \
                 auto_renew_time_zone = $5, profile_id = coalesce($6, profile_id), auto_renew_user_id = $7, \
                 auto_replace = $8, next_auto_renew_at = $9 WHERE id = $1",
            )
            .bind(id.0)
            .bind(renew.is_some())
            .bind(renew.map(|renew| renew.days_before.0))
            .bind(renew.map(|renew| i64::from(renew.minute_of_day)))
            .bind(renew.map(|renew| renew.time_zone.as_str()))
            .bind(profile.map(|id| id.0))
            .bind(user.map(|id| id.0))
            .bind(auto_replace)
            .bind(next.map(|at| at.0))
            .execute(&mut *conn)
            .await?;
        });
        Ok(())
    }

    /// Sets the names that auto-renew renews; none where nothing is in place.
    pub async fn set_auto_renew_names(
        &mut self,
        id: EndpointId,
        names: Option<&NameSet>,
    ) -> Result<(), StoreError> {
        let names = names.map(|names| to_json("endpoints.auto_renew_names", names)).transpose()?;
        on!(self, |conn| {
            sqlx::query("UPDATE endpoints SET auto_renew_names = $2 WHERE id = $1")
                .bind(id.0)
                .bind(names.as_deref())
                .execute(&mut *conn)
                .await?;
        });
        Ok(())
    }

    /// Sets the next moment at which auto-renew acts.
    pub async fn set_next_auto_renew(
        &mut self,
        id: EndpointId,
        next: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query("UPDATE endpoints SET next_auto_renew_at = $2 WHERE id = $1")
                .bind(id.0)
                .bind(next.map(|at| at.0))
                .execute(&mut *conn)
                .await?;
        });
        Ok(())
    }

    /// Endpoints whose auto-renew is due, the longest waiting first.
    pub async fn auto_renew_due(
        &mut self,
        now: Timestamp,
        limit: i64,
    ) -> Result<Vec<EndpointId>, StoreError> {
        let ids: Vec<i64> = on!(self, |conn| {
            sqlx::query_scalar(
                "SELECT id FROM endpoints WHERE next_auto_renew_at IS NOT NULL AND next_auto_renew_at <= $1 \
                 ORDER BY next_auto_renew_at LIMIT $2",
            )
            .bind(now.0)
            .bind(limit)
            .fetch_all(&mut *conn)
            .await?
        });
        Ok(ids.into_iter().map(EndpointId).collect())
    }
}
