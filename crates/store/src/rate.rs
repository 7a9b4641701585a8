//! Leaky buckets, shared by all nodes.

use domain::Timestamp;

use crate::{StoreError, Tx, on};

/// One attempt in a bucket's unit, millionths.
pub const ONE: i64 = 1_000_000;

/// A bucket with its measures, in millionths of one attempt.
#[derive(Debug, Clone, Copy)]
pub struct Bucket<'a> {
    /// What is counted.
    pub key: &'a str,
    /// How much it holds.
    pub capacity: i64,
    /// How much a second takes out.
    pub drained_each_second: i64,
}

/// What is in the bucket at `$2`. A node whose clock is behind takes nothing out.
macro_rules! level {
    () => {
        "CASE WHEN rate_buckets.updated_at >= $2 THEN rate_buckets.level \
         WHEN rate_buckets.level > ($2 - rate_buckets.updated_at) * $3 \
         THEN rate_buckets.level - ($2 - rate_buckets.updated_at) * $3 ELSE 0 END"
    };
}

impl Tx {
    /// Adds one to the bucket; false, with nothing changed, where it does not fit in. One
    /// statement, so that callers at the same moment are counted one after the other.
    pub async fn pour(&mut self, bucket: Bucket<'_>, now: Timestamp) -> Result<bool, StoreError> {
        let level: Option<i64> = on!(self, |conn| {
            sqlx::query_scalar(concat!(
                "INSERT INTO rate_buckets (key, level, updated_at) VALUES ($1, $4, $2) \
                 ON CONFLICT (key) DO UPDATE SET level = ", level!(), " + $4, \
                 updated_at = CASE WHEN rate_buckets.updated_at > $2 THEN rate_buckets.updated_at ELSE $2 END \
                 WHERE ", level!(), " + $4 <= $5 RETURNING level"
            ))
            .bind(bucket.key)
            .bind(now.0)
            .bind(bucket.drained_each_second)
            .bind(ONE)
            .bind(bucket.capacity)
            .fetch_optional(&mut *conn)
            .await?
        });
        Ok(level.is_some())
    }

    /// What is in the bucket.
    pub async fn bucket_level(
        &mut self,
        bucket: Bucket<'_>,
        now: Timestamp,
    ) -> Result<i64, StoreError> {
        let level: Option<i64> = on!(self, |conn| {
            sqlx::query_scalar(concat!("SELECT ", level!(), " FROM rate_buckets WHERE key = $1"))
                .bind(bucket.key)
                .bind(now.0)
                .bind(bucket.drained_each_second)
                .fetch_optional(&mut *conn)
                .await?
        });
        Ok(level.unwrap_or(0))
    }

    /// Takes one out again.
    pub async fn ladle(&mut self, key: &str) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query("UPDATE rate_buckets SET level = CASE WHEN level > $2 THEN level - $2 ELSE 0 END WHERE key = $1")
                .bind(key)
                .bind(ONE)
                .execute(&mut *conn)
                .await?;
        });
        Ok(())
    }

    /// Empties the bucket.
    pub async fn empty_bucket(&mut self, key: &str) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query("DELETE FROM rate_buckets WHERE key = $1")
                .bind(key)
                .execute(&mut *conn)
                .await?;
        });
        Ok(())
    }

    /// Removes buckets that nobody poured into since `before`.
    pub async fn sweep_buckets(&mut self, before: Timestamp) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query("DELETE FROM rate_buckets WHERE updated_at < $1")
                .bind(before.0)
                .execute(&mut *conn)
                .await?;
        });
        Ok(())
    }
}
