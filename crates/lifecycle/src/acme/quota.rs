//! Limits that many requests a second go through.
//!
//! The buckets are in the database, for all nodes together. A node takes a handful from one at a
//! time and hands them out itself: otherwise all orders of a credential would wait in line for one
//! row, on every node. A small limit is taken one by one, so it holds exactly.

use std::collections::HashMap;
use std::sync::Mutex;

use domain::Timestamp;

use super::{AcmeDesk, AcmeResult};
use crate::LifecycleError;
use crate::rate::{self, Limit};

/// Keys that are remembered at once; all are forgotten when there are more.
const MOST_KEYS: usize = 50_000;
/// A node takes this part of a limit at a time, at most.
const PART: u32 = 100;
/// A node never takes more than this at a time.
const MOST: u32 = 64;

/// So many within so many seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    count: u32,
    seconds: u32,
}

impl Quota {
    /// `count` within `seconds`, all of them at once if need be.
    pub const fn per(count: u32, seconds: u32) -> Self {
        Self { count, seconds }
    }

    /// The same limit counted one by one, for what may be given back to any node.
    pub(super) const fn one_by_one(self) -> Limit {
        Limit::per(self.count, self.seconds)
    }

    /// How many a node takes at a time.
    fn handful(self) -> u32 {
        (self.count / PART).clamp(1, MOST)
    }

    /// The same limit counted in handfuls.
    fn in_handfuls(self) -> Limit {
        Limit::per(self.count / self.handful(), self.seconds)
    }
}

/// What this node has taken and not handed out yet.
#[derive(Debug, Default)]
pub(super) struct Purse(Mutex<HashMap<String, u32>>);

impl Purse {
    fn spend(&self, key: &str) -> bool {
        let Ok(mut purse) = self.0.lock() else { return false };
        match purse.get_mut(key) {
            Some(left) if *left > 0 => {
                *left -= 1;
                true
            }
            _ => false,
        }
    }

    fn put(&self, key: &str, more: u32) {
        let Ok(mut purse) = self.0.lock() else { return };
        if purse.len() >= MOST_KEYS {
            purse.clear();
        }
        *purse.entry(key.to_owned()).or_default() += more;
    }
}

impl AcmeDesk {
    /// Takes one from the quota of `key`; refused with the time to wait where it is used up.
    pub(super) async fn take(&self, key: String, quota: Quota, now: Timestamp) -> AcmeResult<()> {
        if self.purse.spend(&key) {
            return Ok(());
        }
        let bucket = key.clone();
        self.desk
            .store()
            .write(move |tx| {
                Box::pin(async move {
                    rate::take(tx, now, &bucket, quota.in_handfuls()).await?;
                    Ok::<_, LifecycleError>(())
                })
            })
            .await?;
        if quota.handful() > 1 {
            self.purse.put(&key, quota.handful() - 1);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_limits_are_exact_and_large_ones_taken_by_the_handful() {
        assert_eq!(Quota::per(2, 60).handful(), 1);
        assert_eq!(Quota::per(200, 60).handful(), 2);
        assert_eq!(Quota::per(100_000, 60).handful(), 64);
        assert_eq!(Quota::per(6_400, 60).in_handfuls(), Limit::per(100, 60));
        assert_eq!(Quota::per(0, 60).handful(), 1, "nothing is allowed");
    }

    /// What one node has used up is used up on another, whose handfuls come from the same bucket, and
    /// in a process that begins anew.
    #[tokio::test]
    async fn handfuls_of_all_nodes_come_from_one_limit() {
        use crate::acme::AcmeError;
        use crate::testing::desks;
        for desk in desks().await {
            let (quota, now) = (Quota::per(400, 3_600), desk.clock().now());
            assert!(quota.handful() > 1);
            let node = async || {
                let store = store::Store::open(desk.url(), store::StoreOptions::default()).await;
                let lifecycle = crate::Lifecycle::new(store.unwrap(), desk.clock().clone());
                AcmeDesk::new(lifecycle, crate::acme::AcmePolicy::default())
            };
            let (one, two) = (node().await, node().await);
            for _ in 0..200 {
                one.take("k".to_owned(), quota, now).await.unwrap();
                two.take("k".to_owned(), quota, now).await.unwrap();
            }
            let restarted = node().await;
            for refused in [&one, &two, &restarted] {
                let refused = refused.take("k".to_owned(), quota, now).await.unwrap_err();
                // A handful in 36 seconds, rounded up.
                let wait = LifecycleError::Throttled { retry_after_seconds: 37 };
                assert_eq!(refused.to_string(), AcmeError::Desk(wait).to_string());
            }
            let early = restarted.take("k".to_owned(), quota, now.plus_seconds(36)).await;
            assert!(early.is_err());
            let later = now.plus_seconds(37);
            for _ in 0..quota.handful() {
                restarted.take("k".to_owned(), quota, later).await.unwrap();
            }
            assert!(restarted.take("k".to_owned(), quota, later).await.is_err());
        }
    }

    #[test]
    fn a_purse_hands_out_what_was_put_in() {
        let purse = Purse::default();
        assert!(!purse.spend("a"));
        purse.put("a", 2);
        assert!(purse.spend("a") && purse.spend("a") && !purse.spend("a"));
        assert!(!purse.spend("b"));
    }
}
