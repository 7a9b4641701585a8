//! After a crash: every reserved issuance is finished, under its own serial, as it was planned.

use domain::Timestamp;
use store::issuances::Issuance;

use crate::issue::{Reserved, StoredPlan, lint};
use crate::{Actor, Lifecycle, LifecycleError, Result};

/// With several nodes another one may be signing at this moment: its reservations are left alone
/// for this many seconds.
const OTHERS_SECONDS: i64 = 120;
const BATCH: u32 = 200;

/// What a recovery found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Recovered {
    /// Issuances that were finished.
    pub finished: usize,
    /// Issuances that can never be finished, and were voided.
    pub voided: usize,
}

impl Lifecycle {
    /// Finishes what a process that died left reserved. Called at the start.
    pub async fn recover(&self) -> Result<Recovered> {
        let now = self.clock().now();
        // With SQLite this process is the only one: whatever is open was left behind.
        let others = self.store().reader().await?.is_postgres();
        self.finish_older_than(if others { now.plus_seconds(-OTHERS_SECONDS) } else { now }).await
    }

    /// The same from time to time while others are at work: nodes may die at any moment.
    pub async fn recover_abandoned(&self) -> Result<Recovered> {
        self.finish_older_than(self.clock().now().plus_seconds(-OTHERS_SECONDS)).await
    }

    async fn finish_older_than(&self, before: Timestamp) -> Result<Recovered> {
        let now = self.clock().now();
        let open = self.store().reader().await?.open_issuances(before, BATCH).await?;
        let mut recovered = Recovered::default();
        for issuance in open {
            match self.finish_left_behind(&issuance).await {
                Ok(()) => recovered.finished += 1,
                Err(error @ (LifecycleError::Authority(_) | LifecycleError::Internal(_))) => {
                    tracing::error!(issuance = issuance.id.0, %error, "a reserved issuance can't be finished");
                    self.void(&issuance, now).await?;
                    recovered.voided += 1;
                }
                Err(error) => return Err(error),
            }
        }
        if recovered != Recovered::default() {
            tracing::info!(?recovered, "finished what was left behind");
        }
        Ok(recovered)
    }

    async fn finish_left_behind(&self, issuance: &Issuance) -> Result<()> {
        let plan = StoredPlan::read(&issuance.plan)?;
        // Where another authority took over meanwhile, the former one keeps its word.
        let signer = self.authority_with_id(&plan.issuer).await.map_err(|error| match error {
            LifecycleError::NotFound { .. } => {
                LifecycleError::Internal("the issuer's key is gone".to_owned())
            }
            other => other,
        })?;
        let linted = lint(plan.certificate.clone(), signer.get())?;
        let actor = Actor::Worker { on_behalf_of: plan.requester() };
        let reserved = Reserved {
            id: Some(issuance.id),
            order: issuance.order,
            kind: issuance.kind,
            request: issuance.request,
            plan,
            linted,
            counted: false,
        };
        self.finish_with(signer, &actor, reserved).await?;
        Ok(())
    }

    async fn void(&self, issuance: &Issuance, now: Timestamp) -> Result<()> {
        let id = issuance.id;
        self.store()
            .write(move |tx| Box::pin(async move { Ok(tx.finish_issuance(id, false, now).await?) }))
            .await
            .map(|_: bool| ())
    }
}

#[cfg(test)]
mod tests;
