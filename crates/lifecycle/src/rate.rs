//! Limits on how often something may be done, counted in the database, so that they hold across
//! nodes and restarts.
//!
//! Leaky buckets: each attempt adds one, time takes out. One statement reads, decides and writes,
//! so attempts in parallel can't slip through.

use std::net::IpAddr;

use domain::Timestamp;
use store::Tx;
use store::rate::{Bucket, ONE};

use crate::{LifecycleError, Result};

/// So many at once, then as many more as the time lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    burst: u32,
    /// Millionths of one attempt that a second takes out.
    drained_each_second: i64,
}

impl Limit {
    /// `count` within `seconds`, all of them at once if need be.
    pub const fn per(count: u32, seconds: u32) -> Self {
        let seconds = if seconds == 0 { 1 } else { seconds };
        let drained = count as i64 * ONE / seconds as i64;
        Self { burst: count, drained_each_second: if drained == 0 { 1 } else { drained } }
    }

    fn bucket(self, key: &str) -> Bucket<'_> {
        Bucket {
            key,
            capacity: i64::from(self.burst).saturating_mul(ONE),
            drained_each_second: self.drained_each_second,
        }
    }
}

/// Takes one attempt from the limit of `key`; [`LifecycleError::Throttled`], with nothing written,
/// where it is used up.
pub async fn take(tx: &mut Tx, now: Timestamp, key: &str, limit: Limit) -> Result<()> {
    let bucket = limit.bucket(key);
    if tx.pour(bucket, now).await? {
        return Ok(());
    }
    let over = tx.bucket_level(bucket, now).await? + ONE - bucket.capacity;
    let wait = u64::try_from(over.max(0)).unwrap_or(0);
    let rate = u64::try_from(limit.drained_each_second).unwrap_or(1);
    Err(LifecycleError::Throttled { retry_after_seconds: wait.div_ceil(rate).max(1) })
}

/// Whom a limit by address counts: the address, or for IPv6 its /64: one household or attacker has at least that many.
pub fn network(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            v6.to_ipv4_mapped()
                .map_or_else(|| format!("{a:x}:{b:x}:{c:x}:{d:x}::/64"), |v4| v4.to_string())
        }
    }
}

/// Puts one attempt back: it turned out to be a good one.
pub async fn give_back(tx: &mut Tx, key: &str) -> Result<()> {
    Ok(tx.ladle(key).await?)
}

/// Empties the bucket of `key`.
pub async fn forgive(tx: &mut Tx, key: &str) -> Result<()> {
    Ok(tx.empty_bucket(key).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::desks;

    #[tokio::test]
    async fn a_burst_is_let_through_then_one_each_interval() {
        for desk in desks().await {
            let limit = Limit::per(3, 30);
            let take_at = |seconds: i64| {
                let store = desk.store().clone();
                async move {
                    store
                        .write(move |tx| {
                            Box::pin(async move { take(tx, Timestamp(seconds), "k", limit).await })
                        })
                        .await
                }
            };
            for _ in 0..3 {
                take_at(1_000).await.unwrap();
            }
            let refused = take_at(1_000).await.unwrap_err();
            assert!(
                matches!(refused, LifecycleError::Throttled { retry_after_seconds: 10..=11 }),
                "{refused:?}"
            );
            take_at(1_011).await.unwrap();
            assert!(take_at(1_011).await.is_err());
            // A long pause gives back the burst, never more.
            for _ in 0..3 {
                take_at(9_000).await.unwrap();
            }
            assert!(take_at(9_000).await.is_err());
            // A node whose clock is behind takes nothing out.
            assert!(take_at(8_000).await.is_err());
        }
    }
}
