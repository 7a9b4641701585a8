//! Rows that rarely change, kept between the works of SQLite's one writer.
//!
//! Each order rests on the settings, an organization with its domains and an ACME Directory URL:
//! to read them again for each costs as much as all that is written for it. What is kept is
//! forgotten when a row of theirs changes (this writer's own changes show by SQLite's update hook,
//! those of other connections and programs by `PRAGMA data_version`, read as each group of works
//! begins) and when a work is undone. On PostgreSQL, which has many writers, nothing is kept.

use std::collections::HashMap;
use std::hash::Hash;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::model::{AcmeUrl, Domain, Organization};
use domain::{AcmeAccountId, AcmeUrlId, OrganizationId, Timestamp};
use sqlx::SqliteConnection;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::Sqlite;

use crate::settings::SettingRow;
use crate::{StoreError, Tx};

/// Of each kind; all are forgotten when there are more.
const MOST: usize = 1_000;

/// The tables whose rows are kept.
const TABLES: [&str; 5] = ["settings", "organizations", "domains", "acme_urls", "acme_accounts"];

/// A SQLite connection; the writer's keeps rows.
#[derive(Debug)]
pub struct SqliteSession {
    connection: PoolConnection<Sqlite>,
    kept: Option<Box<Kept>>,
}

#[derive(Debug)]
struct Kept {
    /// A row of [`TABLES`] was changed here.
    changed: Arc<AtomicBool>,
    /// Changes when another connection commits.
    data_version: i64,
    rows: KeptRows,
}

/// What is kept.
#[derive(Debug, Default)]
pub(crate) struct KeptRows {
    pub(crate) settings: Option<Vec<SettingRow>>,
    pub(crate) organizations: HashMap<OrganizationId, Organization>,
    /// All domains of an organization; none where they are too many.
    pub(crate) domains: HashMap<OrganizationId, Option<Vec<Domain>>>,
    /// By the account, and the key that it must have.
    pub(crate) urls: HashMap<(AcmeAccountId, String), AcmeUrl>,
    /// When a URL's use was noted.
    pub(crate) used: HashMap<AcmeUrlId, Timestamp>,
}

/// Keeps a row, within bounds.
pub(crate) fn keep<K: Eq + Hash, V>(rows: &mut HashMap<K, V>, key: K, row: V) {
    if rows.len() >= MOST {
        rows.clear();
    }
    rows.insert(key, row);
}

impl SqliteSession {
    /// A session that only reads, or takes every row from the database.
    pub(crate) const fn plain(connection: PoolConnection<Sqlite>) -> Self {
        Self { connection, kept: None }
    }

    /// The writer's session.
    pub(crate) async fn keeping(mut connection: PoolConnection<Sqlite>) -> Result<Self, StoreError> {
        let changed = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&changed);
        connection.lock_handle().await?.set_update_hook(move |row| {
            if TABLES.contains(&row.table) {
                seen.store(true, Ordering::Relaxed);
            }
        });
        let kept = Kept { changed, data_version: 0, rows: KeptRows::default() };
        Ok(Self { connection, kept: Some(Box::new(kept)) })
    }

    /// Forgets all rows, where another connection has committed since the last time.
    pub(crate) fn begin_at(&mut self, data_version: i64) {
        if let Some(kept) = &mut self.kept
            && kept.data_version != data_version
        {
            kept.data_version = data_version;
            kept.rows = KeptRows::default();
        }
    }

    /// Forgets all rows: some may have been read in a work that was undone.
    pub(crate) fn forget(&mut self) {
        if let Some(kept) = &mut self.kept {
            kept.rows = KeptRows::default();
        }
    }
}

impl Deref for SqliteSession {
    type Target = SqliteConnection;
    fn deref(&self) -> &SqliteConnection {
        &self.connection
    }
}

impl DerefMut for SqliteSession {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }
}

impl Tx {
    /// The rows that are kept, as they are now; none where this session keeps none.
    pub(crate) fn kept(&mut self) -> Option<&mut KeptRows> {
        let Self::Sqlite(session) = self else { return None };
        let kept = session.kept.as_mut()?;
        if kept.changed.swap(false, Ordering::Relaxed) {
            kept.rows = KeptRows::default();
        }
        Some(&mut kept.rows)
    }
}

#[cfg(test)]
mod tests;
