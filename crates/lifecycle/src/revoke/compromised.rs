//! The other certificates of a compromised key (CA/Browser Forum Baseline Requirements, section 4.9.1.1:
//! within 24 hours).
//!
//! Where an ACME account only says that the key of a certificate of its own is compromised, these are the
//! account's other ones: a CSR, which may be copied, is all that it has shown.
//!
//! Each revocation that names a key as compromised writes a job with it, and so does what was signed
//! meanwhile. Certificates whose issuance goes on while a revocation is written are on record when the
//! job begins.

use domain::model::{CertificateStatus, RevocationReason};
use domain::{CertificateId, Timestamp};
use serde_json::json;
use store::Tx;

use crate::audit::{AuditEntry, record};
use crate::{Actor, Lifecycle, LifecycleError, Result, fault};

/// How long a process that looks is left alone, in seconds.
const LEASE_SECONDS: i64 = 3_600;
/// Certificates looked at in one reading.
const SLICE: i64 = 20_000;

impl Lifecycle {
    /// Where a key was named as compromised, revokes its other certificates; answers how many.
    pub async fn run_compromised_keys(&self) -> Result<usize> {
        let now = self.clock().now();
        if !self.store().reader().await?.key_job_is_due(now).await? {
            return Ok(0);
        }
        let jobs = self
            .store()
            .write(move |tx| {
                Box::pin(async move {
                    let until = now.plus_seconds(LEASE_SECONDS);
                    Ok::<_, LifecycleError>(tx.take_key_jobs(now, until).await?)
                })
            })
            .await?;
        if jobs.is_empty() {
            return Ok(0);
        }
        fault::point("key_job.after_take");
        let revoked = self.revoke_compromised(now).await?;
        self.store()
            .write(move |tx| {
                Box::pin(async move {
                    for job in jobs {
                        tx.end_key_job(job).await?;
                    }
                    Ok::<_, LifecycleError>(())
                })
            })
            .await?;
        Ok(revoked)
    }

    async fn revoke_compromised(&self, now: Timestamp) -> Result<usize> {
        let newest = self.store().reader().await?.newest_certificate().await?;
        let (mut after, mut revoked) = (CertificateId(0), 0_usize);
        while after < newest {
            let until = CertificateId(after.0 + SLICE);
            let mut tx = self.store().reader().await?;
            let found = tx.certificates_of_compromised_keys(after, until, now).await?;
            drop(tx);
            for id in found {
                revoked += usize::from(
                    self.store()
                        .write(move |tx| Box::pin(async move { revoke(tx, now, id).await }))
                        .await?,
                );
                fault::point("key_job.after_revoke");
            }
            after = until;
        }
        Ok(revoked)
    }
}

/// False where somebody else revoked it meanwhile.
async fn revoke(tx: &mut Tx, now: Timestamp, id: CertificateId) -> Result<bool> {
    let found =
        tx.certificate(id).await?.ok_or(LifecycleError::NotFound { what: "certificate" })?;
    let certificate = found.certificate;
    tx.lock_order(certificate.order).await?;
    // What rests on an account's word goes no further than that.
    let claimed = match &found.spki_sha256 {
        Some(key) => !tx.key_is_compromised(key, None).await?,
        None => false,
    };
    let reason = RevocationReason::KeyCompromise;
    if !tx.set_certificate_status(id, CertificateStatus::Revoked { reason, at: now }).await? {
        return Ok(false);
    }
    if claimed {
        tx.set_compromise_claimed(id).await?;
    }
    let words = format!(
        "Revoked certificate {} of order {}: another certificate of its key was revoked because the \
         key was compromised.",
        certificate.serial, certificate.order
    );
    let facts = json!({ "serial": certificate.serial, "reason": reason });
    let entry = AuditEntry::new("certificate.revoked", "order", certificate.order, words);
    let actor = Actor::Worker { on_behalf_of: None };
    record(tx, now, &actor, entry.changing(json!(null), facts)).await?;
    Ok(true)
}
