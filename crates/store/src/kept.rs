//! Rows that rarely change, kept between the works of SQLite's one writer.
//!
//! Each order rests on the settings, an organization with its domains and an ACME Directory URL:
//! to read them again for each costs as much as all that is written for it. What is kept is
//! forgotten when a row of theirs changes (this writer's own changes show by SQLite's update hook,
//! those of other connections and programs by `PRAGMA data_version`, read as each group of works
//! begins) and when a work is undone. On PostgreSQL, which has many writers, nothing is kept.
//!
//! The audit log's entries of a group of works are kept until its commit, and written by one
//! statement: nobody reads them before. Orders come into the trigram index many at a time: each turn
//! writes a piece of the index, and pieces are merged again and again. Searches look at the few that
//! are not in it yet one by one.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::model::{AcmeUrl, Domain, Organization};
use domain::{AcmeAccountId, AcmeUrlId, OrganizationId, Timestamp};
use sqlx::{AssertSqlSafe, Executor, Sqlite, SqliteConnection};

use crate::audit::NewAuditRow;
use crate::settings::SettingRow;
use crate::{StoreError, Tx};

/// Of each kind; all are forgotten when there are more.
const MOST: usize = 1_000;

/// Orders that wait for the trigram index: so many go into it together.
const UNINDEXED: usize = 128;

/// The tables whose rows are kept.
const TABLES: [&str; 5] = ["settings", "organizations", "domains", "acme_urls", "acme_accounts"];

/// What the writer's session keeps.
#[derive(Debug)]
pub(crate) struct Kept {
    /// A row of [`TABLES`] was changed here.
    changed: Arc<AtomicBool>,
    /// Changes when another connection commits.
    data_version: i64,
    rows: KeptRows,
    /// Entries of the group that is being written.
    entries: Vec<NewAuditRow>,
    /// How many of them are of works before the present one.
    earlier: usize,
    /// How many orders were written, at most, that are not in the trigram index yet.
    unindexed: usize,
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

impl Kept {
    /// What a connection keeps that sees itself what it changes.
    pub(crate) async fn watching(connection: &mut SqliteConnection) -> Result<Self, StoreError> {
        let changed = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&changed);
        connection.lock_handle().await?.set_update_hook(move |row| {
            if TABLES.contains(&row.table) {
                seen.store(true, Ordering::Relaxed);
            }
        });
        Ok(Self {
            changed,
            data_version: 0,
            rows: KeptRows::default(),
            entries: Vec::new(),
            earlier: 0,
            // Those that an earlier process left.
            unindexed: UNINDEXED,
        })
    }
}

impl Tx {
    fn keeper(&mut self) -> Option<&mut Kept> {
        let Self::Sqlite(session) = self else { return None };
        session.kept.as_deref_mut()
    }

    /// The rows that are kept, as they are now; none where this session keeps none.
    pub(crate) fn kept(&mut self) -> Option<&mut KeptRows> {
        let kept = self.keeper()?;
        if kept.changed.swap(false, Ordering::Relaxed) {
            kept.rows = KeptRows::default();
        }
        Some(&mut kept.rows)
    }

    /// Where entries wait for the group's commit; none where each is written at once.
    pub(crate) fn waiting_entries(&mut self) -> Option<&mut Vec<NewAuditRow>> {
        self.keeper().map(|kept| &mut kept.entries)
    }

    /// An order was written: the trigram index gets it, sooner or later.
    pub(crate) fn order_is_new(&mut self) {
        if let Some(kept) = self.keeper() {
            kept.unindexed += 1;
        }
    }

    /// Puts the orders that wait for it into the trigram index, where they are many.
    pub(crate) async fn index_new_orders(&mut self) -> Result<(), StoreError> {
        let Self::Sqlite(session) = self else { return Ok(()) };
        if session.kept.as_ref().is_some_and(|kept| kept.unindexed >= UNINDEXED) {
            index_new_orders(&mut *session).await?;
            if let Some(kept) = &mut session.kept {
                kept.unindexed = 0;
            }
        }
        Ok(())
    }

    /// A group begins: forgets all rows, where another connection has committed since the last.
    pub(crate) fn begin_group(&mut self, data_version: i64) {
        if let Some(kept) = self.keeper()
            && kept.data_version != data_version
        {
            kept.data_version = data_version;
            kept.rows = KeptRows::default();
        }
    }

    /// The entries so far stay, whatever becomes of the next work.
    pub(crate) fn next_work(&mut self) {
        if let Some(kept) = self.keeper() {
            kept.earlier = kept.entries.len();
        }
    }

    /// Forgets all rows, some of which may have been read in the work that is being undone, and
    /// that work's entries.
    pub(crate) fn undo_work(&mut self) {
        if let Some(kept) = self.keeper() {
            kept.rows = KeptRows::default();
            kept.entries.truncate(kept.earlier);
        }
    }

    /// A group ends: its entries, to be written or forgotten.
    pub(crate) fn take_entries(&mut self) -> Vec<NewAuditRow> {
        self.keeper().map_or_else(Vec::new, |kept| {
            kept.earlier = 0;
            std::mem::take(&mut kept.entries)
        })
    }
}

/// The last order in SQLite's trigram index. Those that it does not hold stand behind it: an order
/// that is written with a number before it goes into the index at once, by a trigger.
pub(crate) const LAST_INDEXED: &str = "(SELECT coalesce(max(id), 0) FROM orders_fts_docsize)";

/// Puts the orders that are not in SQLite's trigram index into it.
pub(crate) async fn index_new_orders<'c>(
    connection: impl Executor<'c, Database = Sqlite>,
) -> Result<(), StoreError> {
    let sql = format!(
        "INSERT INTO orders_fts (rowid, names, undotted) \
         SELECT number, names, undotted FROM searched_orders WHERE number > {LAST_INDEXED}"
    );
    sqlx::query(AssertSqlSafe(sql)).execute(connection).await?;
    Ok(())
}

#[cfg(test)]
mod tests;
