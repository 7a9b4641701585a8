//! Account settings: a JSON value and a version for each key.

use domain::{Timestamp, UserId};

use crate::{StoreError, Tx, on};

/// A setting that was ever changed.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct SettingRow {
    /// Its key.
    pub key: String,
    /// Its value, as JSON.
    pub value: String,
    /// How often it was changed.
    pub version: i64,
    /// When it was changed last.
    pub updated_at: i64,
    /// By whom; none for the operator.
    pub updated_by: Option<i64>,
}

impl Tx {
    /// All settings that were ever changed.
    pub async fn settings(&mut self) -> Result<Vec<SettingRow>, StoreError> {
        if let Some(rows) = self.kept().and_then(|kept| kept.settings.clone()) {
            return Ok(rows);
        }
        let rows: Vec<SettingRow> = on!(self, |conn| {
            sqlx::query_as(
                "SELECT key, value, version, updated_at, updated_by FROM settings ORDER BY key",
            )
            .fetch_all(&mut *conn)
            .await?
        });
        if let Some(kept) = self.kept() {
            kept.settings = Some(rows.clone());
        }
        Ok(rows)
    }

    /// Writes a setting where its version is still `expected` (0: it was never changed); false
    /// where it is not.
    pub async fn put_setting(
        &mut self,
        key: &str,
        value: &str,
        expected: i64,
        now: Timestamp,
        by: Option<UserId>,
    ) -> Result<bool, StoreError> {
        let version: Option<i64> = on!(self, |conn| {
            sqlx::query_scalar(
                "INSERT INTO settings (key, value, version, updated_at, updated_by) VALUES ($1, $2, 1, $3, $4) \
                 ON CONFLICT (key) DO UPDATE SET value = $2, version = settings.version + 1, \
                 updated_at = $3, updated_by = $4 WHERE settings.version = $5 RETURNING version",
            )
            .bind(key)
            .bind(value)
            .bind(now.0)
            .bind(by.map(|by| by.0))
            .bind(expected)
            .fetch_optional(&mut *conn)
            .await?
        });
        Ok(version.is_some())
    }
}
