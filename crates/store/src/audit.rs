//! The audit log's rows and its chain of seals.

use domain::Timestamp;
use sqlx::QueryBuilder;

use crate::keyset::{Rows, push_rows};
use crate::users::like;
use crate::{StoreError, Tx, on};

/// Seals that one statement writes: bound values are few in some databases.
const SEALED_AT_ONCE: usize = 200;

/// Rows that one statement writes.
const INSERTED_AT_ONCE: usize = 64;

/// Rows without a seal, on SQLite and on PostgreSQL. SQLite is told the index: with statistics of when
/// the log was short it would rather read the log from its beginning.
const UNSEALED: (&str, &str) = (
    "SELECT * FROM audit_log INDEXED BY audit_log_unsealed WHERE hash IS NULL ORDER BY id LIMIT $1",
    "SELECT * FROM audit_log WHERE hash IS NULL ORDER BY id LIMIT $1",
);
const COUNT_UNSEALED: (&str, &str) = (
    "SELECT COUNT(*) FROM (SELECT id FROM audit_log INDEXED BY audit_log_unsealed \
     WHERE hash IS NULL LIMIT $1) AS waiting",
    "SELECT COUNT(*) FROM (SELECT id FROM audit_log WHERE hash IS NULL LIMIT $1) AS waiting",
);

/// The seal of one row.
#[derive(Debug, Clone)]
pub struct Seal {
    /// The row.
    pub id: i64,
    /// Its place in the chain.
    pub position: i64,
    /// The hash of the row before it.
    pub previous: String,
    /// Its own hash.
    pub hash: String,
}

/// A row to be written.
#[derive(Debug, Clone)]
pub struct NewAuditRow {
    /// When.
    pub at: Timestamp,
    /// The kind of actor: `person`, `api_key`, `acme_account`, `worker`, `operator`, `visitor`.
    pub actor_kind: &'static str,
    /// The person or ACME account.
    pub actor_id: Option<i64>,
    /// The actor's name at that time.
    pub actor_name: String,
    /// Where from.
    pub address: Option<String>,
    /// What was done.
    pub action: &'static str,
    /// The kind of thing.
    pub resource_kind: &'static str,
    /// Which one.
    pub resource_id: String,
    /// How it was, as JSON.
    pub old: Option<String>,
    /// How it is, as JSON.
    pub new: Option<String>,
    /// The act in a sentence.
    pub description: String,
}

/// A row of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Its id.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// The kind of actor.
    pub actor_kind: String,
    /// The person or ACME account.
    pub actor_id: Option<i64>,
    /// The actor's name at that time.
    pub actor_name: String,
    /// Where from.
    pub address: Option<String>,
    /// What was done.
    pub action: String,
    /// The kind of thing.
    pub resource_kind: String,
    /// Which one.
    pub resource_id: String,
    /// How it was, as JSON.
    pub old: Option<String>,
    /// How it is, as JSON.
    pub new: Option<String>,
    /// The act in a sentence.
    pub description: String,
    /// Its place in the chain; none before it is sealed.
    pub position: Option<i64>,
    /// The seal before it and its own, in hex.
    pub seals: Option<(String, String)>,
}

/// The newest seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainHead {
    /// Its position; 0 before the first.
    pub position: i64,
    /// The seal, in hex; empty before the first.
    pub seal: String,
}

/// Which rows a page shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// In the actor's name or e-mail address, in any case.
    pub actor: Option<String>,
    /// The kind of actor.
    pub actor_kind: Option<String>,
    /// The action is this one, or where it ends in `.`, begins so.
    pub action: Option<String>,
    /// The kind of thing.
    pub resource_kind: Option<String>,
    /// Which one.
    pub resource_id: Option<String>,
    /// At this moment or later.
    pub since: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    at: i64,
    actor_kind: String,
    actor_id: Option<i64>,
    actor_name: String,
    address: Option<String>,
    action: String,
    resource_kind: String,
    resource_id: Option<String>,
    old_value: Option<String>,
    new_value: Option<String>,
    description: String,
    chain_position: Option<i64>,
    prev_hash: Option<String>,
    hash: Option<String>,
}

impl From<Row> for AuditRow {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            at: Timestamp(row.at),
            actor_kind: row.actor_kind,
            actor_id: row.actor_id,
            actor_name: row.actor_name,
            address: row.address,
            action: row.action,
            resource_kind: row.resource_kind,
            resource_id: row.resource_id.unwrap_or_default(),
            old: row.old_value,
            new: row.new_value,
            description: row.description,
            position: row.chain_position,
            seals: row.prev_hash.zip(row.hash),
        }
    }
}

impl Tx {
    /// Adds a row.
    pub async fn insert_audit(&mut self, row: NewAuditRow) -> Result<(), StoreError> {
        if let Some(waiting) = self.waiting_entries() {
            waiting.push(row);
            return Ok(());
        }
        self.insert_audit_rows(&[row]).await
    }

    /// Writes rows in their order.
    pub(crate) async fn insert_audit_rows(
        &mut self,
        rows: &[NewAuditRow],
    ) -> Result<(), StoreError> {
        for some in rows.chunks(INSERTED_AT_ONCE) {
            on!(self, |conn| {
                let mut query = QueryBuilder::new(
                    "INSERT INTO audit_log (at, actor_kind, actor_id, actor_name, address, action, \
                     resource_kind, resource_id, old_value, new_value, description) ",
                );
                query.push_values(some, |mut values, row| {
                    values
                        .push_bind(row.at.0)
                        .push_bind(row.actor_kind)
                        .push_bind(row.actor_id)
                        .push_bind(row.actor_name.clone())
                        .push_bind(row.address.clone())
                        .push_bind(row.action)
                        .push_bind(row.resource_kind)
                        .push_bind(row.resource_id.clone())
                        .push_bind(row.old.clone())
                        .push_bind(row.new.clone())
                        .push_bind(row.description.clone());
                });
                query.build().execute(&mut *conn).await?;
            });
        }
        Ok(())
    }

    /// Rows that `filter` lets through, sorted by id.
    pub async fn audit_page(
        &mut self,
        filter: &AuditFilter,
        page: &Rows,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let rows: Vec<Row> = on!(self, |conn| {
            let mut query = QueryBuilder::new("SELECT * FROM audit_log WHERE 1 = 1");
            let equal = [
                (" AND actor_kind = ", &filter.actor_kind),
                (" AND resource_kind = ", &filter.resource_kind),
                (" AND resource_id = ", &filter.resource_id),
            ];
            for (condition, value) in equal {
                if let Some(value) = value {
                    query.push(condition).push_bind(value.clone());
                }
            }
            if let Some(actor) = &filter.actor {
                query
                    .push(" AND LOWER(actor_name) LIKE ")
                    .push_bind(like(actor))
                    .push(" ESCAPE '!'");
            }
            match &filter.action {
                Some(prefix) if prefix.ends_with('.') => {
                    query.push(" AND action >= ").push_bind(prefix.clone());
                    query.push(" AND action < ").push_bind(format!("{prefix}\u{10FFFF}"));
                }
                Some(action) => {
                    query.push(" AND action = ").push_bind(action.clone());
                }
                None => {}
            }
            if let Some(since) = filter.since {
                query.push(" AND at >= ").push_bind(since.0);
            }
            if let Some(until) = filter.until {
                query.push(" AND at < ").push_bind(until.0);
            }
            push_rows!(query, "id", "id", page);
            query.build_query_as().fetch_all(&mut *conn).await?
        });
        Ok(rows.into_iter().map(AuditRow::from).collect())
    }

    /// The newest seal, kept apart from the rows.
    pub async fn audit_chain_head(&mut self) -> Result<ChainHead, StoreError> {
        let (position, seal) = on!(self, |conn| {
            sqlx::query_as("SELECT position, hash FROM audit_chain WHERE id = 1")
                .fetch_one(&mut *conn)
                .await?
        });
        Ok(ChainHead { position, seal })
    }

    /// Moves the newest seal.
    pub async fn set_audit_chain_head(
        &mut self,
        position: i64,
        seal: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query(
                "UPDATE audit_chain SET position = $1, hash = $2, sealed_at = $3 WHERE id = 1",
            )
            .bind(position)
            .bind(seal)
            .bind(now.0)
            .execute(&mut *conn)
            .await?;
        });
        Ok(())
    }

    /// Rows without a seal, oldest id first.
    pub async fn unsealed_audit(&mut self, limit: i64) -> Result<Vec<AuditRow>, StoreError> {
        let sql = if self.is_postgres() { UNSEALED.1 } else { UNSEALED.0 };
        let rows: Vec<Row> =
            on!(self, |conn| sqlx::query_as(sql).bind(limit).fetch_all(&mut *conn).await?);
        Ok(rows.into_iter().map(AuditRow::from).collect())
    }

    /// How many rows have no seal; counts to `most` at most.
    pub async fn count_unsealed_audit(&mut self, most: i64) -> Result<i64, StoreError> {
        let sql = if self.is_postgres() { COUNT_UNSEALED.1 } else { COUNT_UNSEALED.0 };
        Ok(on!(self, |conn| sqlx::query_scalar(sql).bind(most).fetch_one(&mut *conn).await?))
    }

    /// Seals rows.
    pub async fn seal_audit_rows(&mut self, seals: &[Seal]) -> Result<(), StoreError> {
        for some in seals.chunks(SEALED_AT_ONCE) {
            on!(self, |conn| {
                let mut query = QueryBuilder::new("WITH seal (id, position, previous, hash) AS (");
                query.push_values(some, |mut row, seal| {
                    row.push_bind(seal.id)
                        .push_bind(seal.position)
                        .push_bind(&seal.previous)
                        .push_bind(&seal.hash);
                });
                query.push(
                    ") UPDATE audit_log SET chain_position = seal.position, prev_hash = seal.previous, \
                     hash = seal.hash FROM seal WHERE audit_log.id = seal.id AND audit_log.hash IS NULL",
                );
                query.build().execute(&mut *conn).await?;
            });
        }
        Ok(())
    }

    /// Sealed rows behind `position`, in the order of the chain.
    pub async fn sealed_audit_after(
        &mut self,
        position: i64,
        limit: i64,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let rows: Vec<Row> = on!(self, |conn| {
            sqlx::query_as("SELECT * FROM audit_log WHERE chain_position > $1 ORDER BY chain_position LIMIT $2")
                .bind(position)
                .bind(limit)
                .fetch_all(&mut *conn)
                .await?
        });
        Ok(rows.into_iter().map(AuditRow::from).collect())
    }
}
