//! The jobs that validate challenges: written with the answer to a challenge, leased by whichever
//! process runs them, tried again until they are decided.

use domain::Timestamp;

use crate::{StoreError, Tx, on};

/// A leased job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidationJob {
    /// The job.
    pub id: i64,
    /// The challenge that is to be validated.
    pub challenge: i64,
}

const KIND: &str = "acme_validation";

impl Tx {
    /// Writes the job that validates a challenge; there is at most one.
    pub async fn insert_validation_job(
        &mut self,
        challenge: i64,
        run_at: Timestamp,
    ) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query(
                "INSERT INTO jobs (kind, payload, unique_key, run_at, created_at) VALUES ($1, $2, $3, $4, $4) \
                 ON CONFLICT (unique_key) DO NOTHING",
            )
            .bind(KIND)
            .bind(challenge.to_string())
            .bind(format!("{KIND}/{challenge}"))
            .bind(run_at.0)
            .execute(&mut *conn)
            .await?;
        });
        Ok(())
    }

    /// Leases validations that are due, oldest first, at most `limit`, until `lease_until`.
    pub async fn lease_validation_jobs(
        &mut self,
        owner: &str,
        now: Timestamp,
        lease_until: Timestamp,
        limit: i64,
    ) -> Result<Vec<ValidationJob>, StoreError> {
        // The lease is looked at twice: on PostgreSQL another node may take a row between the
        // inner look and the update, which then sees the row as that node left it.
        let rows: Vec<(i64, String)> = on!(self, |conn| {
            sqlx::query_as(
                "UPDATE jobs SET lease_owner = $1, lease_until = $2, attempts = attempts + 1 WHERE id IN \
                 (SELECT id FROM jobs WHERE kind = $3 AND finished_at IS NULL AND run_at <= $4 \
                 AND (lease_until IS NULL OR lease_until <= $4) ORDER BY run_at, id LIMIT $5) \
                 AND (lease_until IS NULL OR lease_until <= $4) RETURNING id, payload",
            )
            .bind(owner)
            .bind(lease_until.0)
            .bind(KIND)
            .bind(now.0)
            .bind(limit)
            .fetch_all(&mut *conn)
            .await?
        });
        rows.into_iter()
            .map(|(id, payload)| {
                let challenge = payload
                    .parse()
                    .map_err(|_| StoreError::corrupt("jobs.payload is no challenge"))?;
                Ok(ValidationJob { id, challenge })
            })
            .collect()
    }

    /// Gives back what `owner` leased and did not end: it is due as it was, and the attempt that was
    /// broken off is none.
    pub async fn release_jobs(&mut self, owner: &str) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query(
                "UPDATE jobs SET lease_owner = NULL, lease_until = NULL, attempts = attempts - 1 \
                 WHERE lease_owner = $1 AND finished_at IS NULL",
            )
            .bind(owner)
            .execute(&mut *conn)
            .await?;
        });
        Ok(())
    }

    /// Puts a validation off.
    pub async fn postpone_validation_job(
        &mut self,
        id: i64,
        run_at: Timestamp,
        why: &str,
    ) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query(
                "UPDATE jobs SET lease_owner = NULL, lease_until = NULL, run_at = $2, last_error = $3 \
                 WHERE id = $1 AND finished_at IS NULL",
            )
            .bind(id)
            .bind(run_at.0)
            .bind(why)
            .execute(&mut *conn)
            .await?;
        });
        Ok(())
    }

    /// Ends a validation job.
    pub async fn finish_validation_job(
        &mut self,
        id: i64,
        failed: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query(
                "UPDATE jobs SET finished_at = $2, failed = $3, unique_key = NULL, lease_owner = NULL, \
                 lease_until = NULL WHERE id = $1",
            )
            .bind(id)
            .bind(now.0)
            .bind(failed)
            .execute(&mut *conn)
            .await?;
        });
        Ok(())
    }

    /// Forgets validation jobs that ended before `before`.
    pub async fn forget_validation_jobs(&mut self, before: Timestamp) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query("DELETE FROM jobs WHERE kind = $1 AND finished_at < $2")
                .bind(KIND)
                .bind(before.0)
                .execute(&mut *conn)
                .await?;
        });
        Ok(())
    }
}
