//! The scheduler: looks at what is due and has the lifecycle do it, over and over.
//!
//! Every act that it starts is safe to start twice and on several nodes at once: what decides
//! who does it is in the database.

use std::future::Future;
use std::time::Duration;

use lifecycle::Lifecycle;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

/// How often it looks.
const EVERY: Duration = Duration::from_secs(1);
/// Rarer work is done every this many rounds.
const RARELY: u64 = 30;

/// The planner's statistics are kept up every this many rounds, some four times a day.
const SELDOM: u64 = 6 * 3_600;

/// Runs until `stop`; what is under way then is finished first.
pub async fn run(lifecycle: Lifecycle, stop: CancellationToken) {
    let mut ticks = interval_at(Instant::now() + EVERY, EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut round: u64 = 0;
    // Searches go without until it is read, which may take seconds.
    let sample = async { Ok(lifecycle.store().sample_names().await?) };
    tokio::select! {
        () = stop.cancelled() => return,
        () = logged("a sample of names", sample) => {}
    }
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        often(&lifecycle).await;
        if round.is_multiple_of(RARELY) {
            rarely(&lifecycle).await;
        }
        round += 1;
        if round.is_multiple_of(SELDOM) {
            logged("statistics", async { Ok(lifecycle.store().maintain().await?) }).await;
        }
    }
}

async fn often(lifecycle: &Lifecycle) {
    logged("auto-renewals", lifecycle.run_due_auto_renewals()).await;
    logged("events to issue", lifecycle.run_due_events()).await;
    logged("decided requests", lifecycle.run_decided_events()).await;
    logged("revocations", lifecycle.run_due_revocations(lifecycle.clock().now())).await;
    logged("audit seals", lifecycle.seal_audit(lifecycle.clock().now())).await;
}

async fn rarely(lifecycle: &Lifecycle) {
    logged("abandoned issuances", lifecycle.recover_abandoned()).await;
    logged("certificates of compromised keys", lifecycle.run_compromised_keys()).await;
    logged("old sessions", lifecycle.sweep_sessions()).await;
}

/// A failure of one kind of work keeps none of the others from being done.
async fn logged<T>(what: &'static str, work: impl Future<Output = lifecycle::Result<T>>) {
    if let Err(error) = work.await {
        tracing::error!(what, error = ?error, "background work failed; it is tried again");
    }
}
