//! Counts for the dashboard: each from one index, and bounded, so that a million orders cost no
//! more than ten thousand.

use domain::model::{OrderStatus, Origin};
use domain::time::DAY;
use domain::{Timestamp, UserId};

use crate::value::{parse, small};
use crate::{StoreError, Tx, on};

/// Counting stops here.
pub const MOST: i64 = 10_000;

/// Orders of one day through one door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayCount {
    /// The day's first second, in UTC.
    pub day: Timestamp,
    /// The door.
    pub origin: Origin,
    /// How many.
    pub orders: u64,
}

impl Tx {
    /// Issued orders that nobody has renewed and that are good until a moment in `from..until`;
    /// of one requester where given. At most [`MOST`].
    pub async fn count_ending(
        &mut self,
        from: Timestamp,
        until: Timestamp,
        requester: Option<UserId>,
    ) -> Result<u64, StoreError> {
        let count: i64 = on!(self, |conn| {
            sqlx::query_scalar(
                "SELECT count(*) FROM (SELECT 1 AS one FROM orders WHERE status = $1 AND valid_till >= $2 \
                 AND valid_till < $3 AND renewed_by IS NULL \
                 AND (CAST($4 AS BIGINT) IS NULL OR requester_id = $4) LIMIT $5) AS found",
            )
            .bind(OrderStatus::Issued.as_str())
            .bind(from.0)
            .bind(until.0)
            .bind(requester.map(|id| id.0))
            .bind(MOST)
            .fetch_one(&mut *conn)
            .await?
        });
        small("count", count)
    }

    /// Orders placed since `from` by day and door, oldest day first; of one requester where given.
    /// The newest [`MOST`] are looked at.
    pub async fn count_ordered(
        &mut self,
        from: Timestamp,
        requester: Option<UserId>,
    ) -> Result<Vec<DayCount>, StoreError> {
        let rows: Vec<(i64, String, i64)> = on!(self, |conn| {
            sqlx::query_as(
                "SELECT day, origin, count(*) FROM (SELECT ordered_at / 86400 AS day, origin FROM orders \
                 WHERE ordered_at >= $1 AND (CAST($2 AS BIGINT) IS NULL OR requester_id = $2) \
                 ORDER BY ordered_at DESC, number DESC LIMIT $3) AS latest \
                 GROUP BY day, origin ORDER BY day, origin",
            )
            .bind(from.0)
            .bind(requester.map(|id| id.0))
            .bind(MOST)
            .fetch_all(&mut *conn)
            .await?
        });
        rows.into_iter()
            .map(|(day, origin, orders)| {
                let origin = parse("orders.origin", &origin)?;
                Ok(DayCount { day: Timestamp(day * DAY), origin, orders: small("count", orders)? })
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

    use super::*;
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
    async fn orders_are_counted_by_day_and_door() {
        for database in databases().await {
            let mut automated = order(2, 1, "ssl_plus", &["b.example"]);
            automated.file.order.origin = Origin::Automation;
            load(&database.store, vec![order(1, 1, "ssl_plus", &["a.example"]), automated]).await;
            let mut tx = database.store.reader().await.unwrap();
            let days = tx.count_ordered(Timestamp(1_700_000_000), None).await.unwrap();
            let day = Timestamp(1_700_000_000 / DAY * DAY);
            let expected = [Origin::Automation, Origin::Portal].map(|origin| DayCount {
                day,
                origin,
                orders: 1,
            });
            assert_eq!(days, expected, "{}", database.kind);
            assert!(tx.count_ordered(NOW, None).await.unwrap().is_empty());
        }
    }
}
