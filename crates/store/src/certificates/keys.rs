//! Keys that are known to be compromised, and the other certificates of such a key.
//!
//! There is no index of all certificates by their keys, which each issuance would write a page of for
//! what is asked hardly ever: a job looks through them all, some at a time.

use domain::{AcmeAccountId, CertificateId, Timestamp};

use super::compromised;
use crate::{StoreError, Tx, on};

const KIND: &str = "compromised_keys";

impl Tx {
    /// Whether a certificate of the public key with this SHA-256, in lower-case hex, was revoked
    /// because its key was compromised. What an ACME account only says counts for that `account`.
    pub async fn key_is_compromised(
        &mut self,
        spki_sha256: &str,
        account: Option<AcmeAccountId>,
    ) -> Result<bool, StoreError> {
        Ok(on!(self, |conn| {
            sqlx::query_scalar(concat!("SELECT ", compromised!("$1", "$2")))
                .bind(spki_sha256)
                .bind(account.map(|id| id.0))
                .fetch_one(&mut *conn)
                .await?
        }))
    }

    /// Notes of a certificate that was revoked because its key was compromised that its ACME account
    /// only says so.
    pub async fn set_compromise_claimed(&mut self, id: CertificateId) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query("UPDATE certificates SET compromise_claimed = TRUE WHERE id = $1")
                .bind(id.0)
                .execute(&mut *conn)
                .await?;
        });
        Ok(())
    }

    /// Keeps of a revoked certificate, whatever it was revoked for, that its key was shown to be
    /// compromised; false where that is known already, or it is not revoked.
    pub async fn prove_compromise(&mut self, id: CertificateId) -> Result<bool, StoreError> {
        let changed = on!(self, |conn| {
            sqlx::query(
                "UPDATE certificates SET revocation_reason = 'key_compromise', \
                 compromise_claimed = FALSE WHERE id = $1 AND status = 'revoked' \
                 AND (compromise_claimed OR COALESCE(revocation_reason, '') <> 'key_compromise')",
            )
            .bind(id.0)
            .execute(&mut *conn)
            .await?
            .rows_affected()
        });
        if changed == 1 {
            self.outdate_crl(id).await?;
        }
        Ok(changed == 1)
    }

    /// Writes the job that looks for the other certificates of compromised keys, which begins in the
    /// minute after the next one: one job for all that are named within a minute.
    pub async fn insert_key_job(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let minute = now.0.div_euclid(60) + 2;
        on!(self, |conn| {
            sqlx::query(
                "INSERT INTO jobs (kind, payload, unique_key, run_at, created_at) VALUES ($1, '', $2, $3, $4) \
                 ON CONFLICT (unique_key) DO NOTHING",
            )
            .bind(KIND)
            .bind(format!("{KIND}/{minute}"))
            .bind(minute * 60)
            .bind(now.0)
            .execute(&mut *conn)
            .await?;
        });
        Ok(())
    }

    /// Whether such a job is due that nobody works on.
    pub async fn key_job_is_due(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        Ok(on!(self, |conn| {
            sqlx::query_scalar(
                "SELECT EXISTS (SELECT 1 FROM jobs WHERE kind = $1 AND finished_at IS NULL \
                 AND run_at <= $2 AND (lease_until IS NULL OR lease_until <= $2))",
            )
            .bind(KIND)
            .bind(now.0)
            .fetch_one(&mut *conn)
            .await?
        }))
    }

    /// Takes all such jobs that are due, until `lease_until`: looking once does for all of them.
    pub async fn take_key_jobs(
        &mut self,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Vec<i64>, StoreError> {
        Ok(on!(self, |conn| {
            sqlx::query_scalar(
                "UPDATE jobs SET lease_until = $3, attempts = attempts + 1 \
                 WHERE kind = $1 AND finished_at IS NULL AND run_at <= $2 \
                 AND (lease_until IS NULL OR lease_until <= $2) RETURNING id",
            )
            .bind(KIND)
            .bind(now.0)
            .bind(lease_until.0)
            .fetch_all(&mut *conn)
            .await?
        }))
    }

    /// Forgets a job that is done.
    pub async fn end_key_job(&mut self, id: i64) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query("DELETE FROM jobs WHERE id = $1").bind(id).execute(&mut *conn).await?;
        });
        Ok(())
    }

    /// The id of the newest certificate.
    pub async fn newest_certificate(&mut self) -> Result<CertificateId, StoreError> {
        let id: i64 = on!(self, |conn| {
            sqlx::query_scalar("SELECT COALESCE(MAX(id), 0) FROM certificates")
                .fetch_one(&mut *conn)
                .await?
        });
        Ok(CertificateId(id))
    }

    /// Of the certificates with ids above `after` up to `until`: those of authorities of this database
    /// that have a compromised key, are not revoked and had not expired at `now`.
    pub async fn certificates_of_compromised_keys(
        &mut self,
        after: CertificateId,
        until: CertificateId,
        now: Timestamp,
    ) -> Result<Vec<CertificateId>, StoreError> {
        let ids: Vec<i64> = on!(self, |conn| {
            sqlx::query_scalar(concat!(
                "SELECT id FROM certificates AS one WHERE id > $1 AND id <= $2 \
                 AND status <> 'revoked' AND not_after >= $3 AND issuer_id IS NOT NULL AND ",
                compromised!("one.spki_sha256", "one.acme_account_id"),
                " ORDER BY id",
            ))
            .bind(after.0)
            .bind(until.0)
            .bind(now.0)
            .fetch_all(&mut *conn)
            .await?
        });
        Ok(ids.into_iter().map(CertificateId).collect())
    }
}
