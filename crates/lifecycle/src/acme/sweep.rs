//! What nobody comes back for: orders and authorizations whose time is over, also those that a
//! reviewer has left undecided; used nonces, ended jobs.

use std::time::{Duration, Instant};

use domain::model::acme::AcmeOrderStatus;
use domain::rules::ACME_REQUEST_WAITS;
use domain::{AcmeOrderId, Timestamp};

use super::{AcmeDesk, AcmeResult, orders};

/// How many rows one sweep looks at, so that its transaction stays short.
const BATCH: i64 = 500;
/// A finalize that takes longer than this was cut off, in seconds.
const CUT_OFF: i64 = 120;
/// Used nonces are kept longer than any nonce is good for, in seconds.
const NONCES_KEPT: i64 = 2 * 3_600;
/// Orders that came to nothing are shown for 30 days after their end.
const ENDED_KEPT: i64 = 30 * 86_400;
/// Ended validation jobs are kept for a day.
const JOBS_KEPT: i64 = 86_400;

/// The longest that one sweep goes on, so that it ends before the next one: what is left then is that
/// one's.
const LONGEST: Duration = Duration::from_secs(30);

/// What one look at everything came to.
struct Swept {
    /// Orders that were touched.
    touched: usize,
    /// Whether a batch was full of what is gone now: there may be more of it.
    more: bool,
}

/// Whether a batch was full.
fn is_full(found: usize) -> bool {
    i64::try_from(found).is_ok_and(|found| found >= BATCH)
}

impl AcmeDesk {
    /// Ends what is over and settles what was cut off, until nothing is left, or for as long as a
    /// sweep may take; answers how many orders were touched. Call it every minute or so, on any node.
    pub async fn sweep(&self) -> AcmeResult<usize> {
        let begun = Instant::now();
        let mut touched = 0;
        loop {
            let swept = self.sweep_once().await?;
            touched += swept.touched;
            if !swept.more || begun.elapsed() > LONGEST {
                return Ok(touched);
            }
        }
    }

    async fn sweep_once(&self) -> AcmeResult<Swept> {
        let now = self.clock().now();
        let stale = {
            let mut tx = self.desk.store().reader().await?;
            let asked = now.minus(ACME_REQUEST_WAITS);
            tx.stale_acme_orders(now, now.plus_seconds(-CUT_OFF), asked, BATCH).await?
        };
        let (touched, mut ended) = (stale.len(), 0);
        for (id, status) in stale {
            let outcome = if status == AcmeOrderStatus::Processing {
                self.settle(id).await.map(drop)
            } else {
                self.expire(id).await.inspect(|()| ended += 1)
            };
            // One that fails holds up no other.
            if let Err(error) = outcome {
                tracing::warn!(order = id.0, %error, "an ACME order could not be swept");
            }
        }
        let expired = self
            .desk
            .store()
            .write(move |tx| {
                Box::pin(async move {
                    let expired = tx.expire_authorizations(now, BATCH).await?;
                    let count = expired.len();
                    for authorization in expired {
                        orders::fail_all_on(tx, authorization, &orders::unauthorized(), now)
                            .await?;
                        // One that was made in advance and never needed.
                        tx.forget_authorization(authorization).await?;
                    }
                    tx.forget_acme_nonces(now.plus_seconds(-NONCES_KEPT)).await?;
                    tx.forget_validation_jobs(now.plus_seconds(-JOBS_KEPT)).await?;
                    Ok::<_, super::AcmeError>(count)
                })
            })
            .await?;
        let given_up = self.forget_without_order(now).await?;
        let for_nothing = self.forget_for_nothing(now.plus_seconds(-ENDED_KEPT)).await?;
        let more = [ended, expired, given_up, for_nothing].into_iter().any(is_full);
        Ok(Swept { touched, more })
    }

    /// Ends an order whose time is over, unless it was finalized a moment before.
    async fn expire(&self, id: AcmeOrderId) -> AcmeResult<()> {
        let now = self.clock().now();
        self.desk
            .store()
            .write(move |tx| {
                Box::pin(async move {
                    orders::lock(tx, id).await?;
                    tx.fail_open_acme_order(id, &orders::expired(), now).await?;
                    Ok(())
                })
            })
            .await
    }

    /// Forgets authorizations that were given up, or whose challenge failed, before an order needed them.
    async fn forget_without_order(&self, now: Timestamp) -> AcmeResult<usize> {
        let store = self.desk.store();
        let ended = store.reader().await?.ended_authorizations(now, BATCH).await?;
        let count = ended.len();
        let forgetting = store.write(move |tx| {
            Box::pin(async move {
                for authorization in ended {
                    tx.forget_authorization(authorization).await?;
                }
                Ok(count)
            })
        });
        forgetting.await
    }

    /// Forgets orders that ended before `before` and came to nothing.
    async fn forget_for_nothing(&self, before: Timestamp) -> AcmeResult<usize> {
        let store = self.desk.store();
        let ended = store.reader().await?.acme_orders_for_nothing(before, BATCH).await?;
        let count = ended.len();
        for id in ended {
            store
                .write(move |tx| {
                    Box::pin(async move {
                        orders::lock(tx, id).await?;
                        tx.forget_acme_order(id).await?;
                        Ok::<_, super::AcmeError>(())
                    })
                })
                .await?;
        }
        Ok(count)
    }
}
