//! The jobs that validate challenges: written with the answer to a challenge, leased by whichever
//! process runs them, tried again until they are decided.

use domain::{AcmeUrlId, Timestamp};

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
    /// Writes the job that validates a challenge, in the lane of the account's ACME Directory URL;
    /// there is at most one.
    pub async fn insert_validation_job(
        &mut self,
        challenge: i64,
        lane: AcmeUrlId,
        run_at: Timestamp,
    ) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query(
                "INSERT INTO jobs (kind, payload, unique_key, lane, run_at, created_at) \
                 VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT (unique_key) DO NOTHING",
            )
            .bind(KIND)
            .bind(challenge.to_string())
            .bind(format!("{KIND}/{challenge}"))
            .bind(lane.0)
            .bind(run_at.0)
            .execute(&mut *conn)
            .await?;
        });
        Ok(())
    }

    /// Leases validations that are due, at most `limit`, until `lease_until`: as many of each lane, the
    /// oldest first. No lane has more than `of_a_lane` leased at once.
    pub async fn lease_validation_jobs(
        &mut self,
        owner: &str,
        now: Timestamp,
        lease_until: Timestamp,
        limit: i64,
        of_a_lane: i64,
    ) -> Result<Vec<ValidationJob>, StoreError> {
        let mut lanes = self.waiting_lanes(now, limit, of_a_lane).await?;
        let mut jobs = Vec::new();
        let mut places = limit;
        while let Some((lane, leased)) = lanes.pop() {
            let waiting = i64::try_from(lanes.len()).unwrap_or(i64::MAX).saturating_add(1);
            let share = (places / waiting).min(of_a_lane - leased);
            let these = self.lease_of_lane(owner, now, lease_until, lane, share).await?;
            places -= i64::try_from(these.len()).unwrap_or(places);
            jobs.extend(these);
        }
        Ok(jobs)
    }

    /// The lanes that have validations due and fewer than `of_a_lane` leased, with how many are; at most
    /// `limit`, those with the fewest first.
    async fn waiting_lanes(
        &mut self,
        now: Timestamp,
        limit: i64,
        of_a_lane: i64,
    ) -> Result<Vec<(i64, i64)>, StoreError> {
        // One step of the index from each lane to the next: however many jobs wait in a lane, they are
        // not read.
        Ok(on!(self, |conn| {
            sqlx::query_as(
                "WITH RECURSIVE lanes (lane) AS (\
                 SELECT MIN(lane) FROM jobs WHERE kind = $1 AND finished_at IS NULL UNION ALL \
                 SELECT (SELECT MIN(j.lane) FROM jobs j WHERE j.kind = $1 AND j.finished_at IS NULL \
                 AND j.lane > lanes.lane) FROM lanes WHERE lanes.lane IS NOT NULL) \
                 SELECT lane, leased FROM (SELECT lane, \
                 (SELECT COUNT(*) FROM jobs j WHERE j.kind = $1 AND j.lane = lanes.lane AND j.finished_at IS NULL \
                 AND j.lease_until > $2) AS leased, \
                 (SELECT j.run_at FROM jobs j WHERE j.kind = $1 AND j.lane = lanes.lane AND j.finished_at IS NULL \
                 AND j.run_at <= $2 AND (j.lease_until IS NULL OR j.lease_until <= $2) \
                 ORDER BY j.run_at LIMIT 1) AS due FROM lanes WHERE lane IS NOT NULL) AS waiting \
                 WHERE due IS NOT NULL AND leased < $3 ORDER BY leased, due LIMIT $4",
            )
            .bind(KIND)
            .bind(now.0)
            .bind(of_a_lane)
            .bind(limit)
            .fetch_all(&mut *conn)
            .await?
        }))
    }

    async fn lease_of_lane(
        &mut self,
        owner: &str,
        now: Timestamp,
        lease_until: Timestamp,
        lane: i64,
        limit: i64,
    ) -> Result<Vec<ValidationJob>, StoreError> {
        // The lease is looked at twice: on PostgreSQL another node may take a row between the
        // inner look and the update, which then sees the row as that node left it.
        let rows: Vec<(i64, String)> = on!(self, |conn| {
            sqlx::query_as(
                "UPDATE jobs SET lease_owner = $1, lease_until = $2, attempts = attempts + 1 WHERE id IN \
                 (SELECT id FROM jobs WHERE kind = $3 AND lane = $6 AND finished_at IS NULL AND run_at <= $4 \
                 AND (lease_until IS NULL OR lease_until <= $4) ORDER BY run_at, id LIMIT $5) \
                 AND (lease_until IS NULL OR lease_until <= $4) RETURNING id, payload",
            )
            .bind(owner)
            .bind(lease_until.0)
            .bind(KIND)
            .bind(now.0)
            .bind(limit)
            .bind(lane)
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
