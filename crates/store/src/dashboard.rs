//! Counts for the dashboard: each from one index, and bounded, so that a million orders cost no
//! more than ten thousand.

use domain::model::OrderStatus;
use domain::time::DAY;
use domain::{Timestamp, UserId};

use sqlx::AssertSqlSafe;

use crate::value::small;
use crate::{StoreError, Tx, on};

/// Counting stops here.
pub const MOST: i64 = 10_000;

/// What was issued on one day to one kind of actor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayCount {
    /// The day's first second, in UTC.
    pub day: Timestamp,
    /// The kind of actor, as the audit log names it.
    pub actor_kind: String,
    /// How many certificates.
    pub certificates: u64,
}

/// Orders whose certificate ends in `$2..$3`: what is no plan is good until then, and is counted
/// along the index of all orders; plans have their own.
const ENDING: [&str; 2] = [
    "coverage_ends_at IS NULL AND valid_till >= $2 AND valid_till < $3",
    "coverage_ends_at IS NOT NULL AND primary_not_after >= $2 AND primary_not_after < $3",
];

impl Tx {
    /// Issued orders that nobody has renewed and whose primary certificate ends at a moment in
    /// `from..until`; of one requester where given. At most [`MOST`].
    pub async fn count_ending(
        &mut self,
        from: Timestamp,
        until: Timestamp,
        requester: Option<UserId>,
    ) -> Result<u64, StoreError> {
        let mut total = 0;
        for ending in ENDING {
            let sql = format!(
                "SELECT count(*) FROM (SELECT 1 AS one FROM orders WHERE status = $1 AND {ending} \
                 AND renewed_by IS NULL AND (CAST($4 AS BIGINT) IS NULL OR requester_id = $4) \
                 LIMIT $5) AS found"
            );
            let count: i64 = on!(self, |conn| {
                sqlx::query_scalar(AssertSqlSafe(sql))
                    .bind(OrderStatus::Issued.as_str())
                    .bind(from.0)
                    .bind(until.0)
                    .bind(requester.map(|id| id.0))
                    .bind(MOST)
                    .fetch_one(&mut *conn)
                    .await?
            });
            total += count;
        }
        small("count", total.min(MOST))
    }

    /// Certificates issued since `from` by day and kind of actor, oldest day first; of one
    /// person's orders where given. The newest [`MOST`] are looked at.
    pub async fn count_issued(
        &mut self,
        from: Timestamp,
        requester: Option<UserId>,
    ) -> Result<Vec<DayCount>, StoreError> {
        let rows: Vec<(i64, String, i64)> = on!(self, |conn| {
            sqlx::query_as(
                "SELECT at / 86400 AS day, actor_kind, count(*) FROM \
                 (SELECT at, actor_kind, resource_id FROM audit_log \
                 WHERE action = 'certificate.issued' ORDER BY id DESC LIMIT $3) AS latest \
                 WHERE at >= $1 AND (CAST($2 AS BIGINT) IS NULL OR EXISTS (SELECT 1 FROM orders \
                 WHERE number = CAST(latest.resource_id AS BIGINT) AND requester_id = $2)) \
                 GROUP BY 1, 2 ORDER BY 1, 2",
            )
            .bind(from.0)
            .bind(requester.map(|id| id.0))
            .bind(MOST)
            .fetch_all(&mut *conn)
            .await?
        });
        rows.into_iter()
            .map(|(day, actor_kind, count)| {
                let day = Timestamp(day * DAY);
                Ok(DayCount { day, actor_kind, certificates: small("count", count)? })
            })
            .collect()
    }

    /// Requests that wait for a reviewer; of one requester where given. At most [`MOST`].
    pub async fn count_waiting(&mut self, requester: Option<UserId>) -> Result<u64, StoreError> {
        let count: i64 = on!(self, |conn| {
            sqlx::query_scalar(
                "SELECT count(*) FROM (SELECT 1 AS one FROM requests WHERE status = 'pending' \
                 AND (CAST($1 AS BIGINT) IS NULL OR requester_id = $1) LIMIT $2) AS found",
            )
            .bind(requester.map(|id| id.0))
            .bind(MOST)
            .fetch_one(&mut *conn)
            .await?
        });
        small("count", count)
    }
}

#[cfg(test)]
mod tests {
    use domain::Days;
    use domain::model::Coverage;

    use super::*;
    use crate::audit::NewAuditRow;
    use crate::samples::{NOW, load, order};
    use crate::testing::databases;

    #[tokio::test]
    async fn counts_are_of_what_ends_between_and_is_not_renewed() {
        for database in databases().await {
            let mut renewed = order(3, 1, "ssl_plus", &["c.example"]);
            renewed.file.order.renewed_by = Some(domain::OrderNumber(2));
            let orders = vec![
                order(1, 1, "ssl_plus", &["a.example"]),
                order(2, 1, "ssl_plus", &["b.example"]),
                renewed,
            ];
            // The samples are good for 100,000,000 seconds from 1,700,000,000 and their number on.
            load(&database.store, orders).await;
            let mut tx = database.store.reader().await.unwrap();
            let end = NOW;
            let count = tx.count_ending(end, end.plus(Days(1)), None).await.unwrap();
            assert_eq!(count, 2, "{}", database.kind);
            let edge =
                tx.count_ending(end.plus_seconds(1), end.plus_seconds(2), None).await.unwrap();
            assert_eq!(edge, 1, "the first second counts, the last does not");
            assert_eq!(tx.count_ending(end, end.plus(Days(1)), Some(UserId(9))).await.unwrap(), 0);
            assert_eq!(tx.count_waiting(None).await.unwrap(), 0);
        }
    }

    #[tokio::test]
    async fn a_plan_counts_by_its_certificate() {
        for database in databases().await {
            let mut plan = order(1, 1, "ssl_plus", &["a.example"]);
            plan.file.order.coverage = Coverage::MultiYear { years: 3, ends: NOW.plus(Days(700)) };
            load(&database.store, vec![plan]).await;
            let mut tx = database.store.reader().await.unwrap();
            let day = Days(1);
            let now = tx.count_ending(NOW, NOW.plus(day), None).await.unwrap();
            assert_eq!(now, 1, "{}", database.kind);
            let (from, until) = (NOW.plus(day), Timestamp(i64::MAX));
            assert_eq!(tx.count_ending(from, until, None).await.unwrap(), 0);
        }
    }

    #[tokio::test]
    async fn certificates_are_counted_by_day_and_door() {
        for database in databases().await {
            let mut mine = order(2, 1, "ssl_plus", &["b.example"]);
            mine.file.order.requester = Some(UserId(9));
            load(&database.store, vec![order(1, 1, "ssl_plus", &["a.example"]), mine]).await;
            let entry = |day: i64, actor_kind, order: i64| NewAuditRow {
                at: NOW.plus(Days(day)),
                actor_kind,
                actor_id: None,
                actor_name: String::new(),
                address: None,
                action: if order == 0 { "order.placed" } else { "certificate.issued" },
                resource_kind: "order",
                resource_id: order.to_string(),
                old: None,
                new: None,
                description: String::new(),
            };
            let entries = [
                (0, "person", 1),
                (1, "api_key", 2),
                (1, "worker", 2),
                (1, "api_key", 1),
                (1, "person", 0),
            ];
            let written: Result<(), StoreError> = database
                .store
                .write(move |tx| {
                    Box::pin(async move {
                        for (day, actor_kind, order) in entries {
                            tx.insert_audit(entry(day, actor_kind, order)).await?;
                        }
                        Ok(())
                    })
                })
                .await;
            written.unwrap();
            let mut tx = database.store.reader().await.unwrap();
            let count = |days, actor_kind: &str, certificates| DayCount {
                day: Timestamp(NOW.plus(Days(days)).0 / DAY * DAY),
                actor_kind: actor_kind.to_owned(),
                certificates,
            };
            let all = [count(0, "person", 1), count(1, "api_key", 2), count(1, "worker", 1)];
            assert_eq!(tx.count_issued(NOW, None).await.unwrap(), all, "{}", database.kind);
            let mine = [count(1, "api_key", 1), count(1, "worker", 1)];
            assert_eq!(tx.count_issued(NOW, Some(UserId(9))).await.unwrap(), mine);
            assert_eq!(tx.count_issued(NOW.plus(Days(1)), None).await.unwrap(), all[1..]);
        }
    }
}
