//! What can go wrong in the store, by what a caller does about it.

use std::sync::Arc;

use sqlx::error::ErrorKind;

/// A failure of the store. Cheap to clone: one failed commit answers all who shared it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// A unique key is taken.
    #[error("{constraint} must be unique, and this value is taken")]
    Unique {
        /// `table.column`, or `table.a, table.b` for a key of several columns; the same text on
        /// both databases.
        constraint: String,
    },
    /// Another writer was in the way; the same work may succeed when it is done again.
    #[error("the database is busy with another change; try again")]
    Busy(#[source] Arc<sqlx::Error>),
    /// The work in a write transaction took longer than [`crate::WORK_LIMIT`] and was undone.
    #[error("a change took too long and was undone; nothing was saved")]
    TookTooLong,
    /// What stands before a work could not be done, with which all works beside it were undone; the
    /// same work may succeed when it is done again.
    #[error("a change could not be begun; nothing was saved, try again")]
    NotBegun,
    /// A row that must be there is not.
    #[error("no such row")]
    NotFound,
    /// A text holds a NUL, which PostgreSQL does not keep.
    #[error("a text holds a NUL, which the database does not keep")]
    Nul,
    /// A stored value is not what this program ever writes.
    #[error("the database holds an unreadable value: {what}")]
    Corrupt {
        /// Table, column and what is wrong with it; never the value of a secret.
        what: String,
    },
    /// The address of the database can't be used.
    #[error(
        "{0:?} is not a usable database address: give sqlite://path/to/file or postgres://user@host/name"
    )]
    Address(String),
    /// Nothing answers at the database's address, or it lets nobody in.
    #[error(
        "the database can't be reached: check its address, that it runs, and that it lets this user in"
    )]
    Unreachable(#[source] Arc<sqlx::Error>),
    /// The store was closed.
    #[error("the database was closed: the program is shutting down")]
    Closed,
    /// A newer program has changed the schema.
    #[error(
        "it is a newer certdeck's (migration {migration} is not known here): start that version, or \
         restore a backup from before it"
    )]
    Newer {
        /// The first migration that this program does not have.
        migration: i64,
    },
    /// The schema could not be brought up.
    #[error("the database's schema could not be brought up to date")]
    Migrate(#[source] Arc<sqlx::migrate::MigrateError>),
    /// Everything else.
    #[error("the database failed")]
    Database(#[source] Arc<sqlx::Error>),
}

impl StoreError {
    /// A stored value that can't be read: `what` names table and column.
    pub fn corrupt(what: impl std::fmt::Display) -> Self {
        Self::Corrupt { what: what.to_string() }
    }

    /// Whether this is a taken unique key whose columns are `constraint`, such as `users.email`.
    pub fn is_unique(&self, constraint: &str) -> bool {
        matches!(self, Self::Unique { constraint: taken } if taken == constraint)
    }

    /// Whether the same work may succeed when it is simply done again.
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Busy(_) | Self::NotBegun)
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::RowNotFound => Self::NotFound,
            sqlx::Error::PoolClosed => Self::Closed,
            sqlx::Error::PoolTimedOut => Self::Busy(Arc::new(error)),
            sqlx::Error::Database(database) => match database.kind() {
                ErrorKind::UniqueViolation => {
                    Self::Unique { constraint: unique_columns(database.as_ref()) }
                }
                _ if is_contention(database.code().as_deref()) => Self::Busy(Arc::new(error)),
                // character_not_in_repertoire: texts are UTF-8 already, so that only this is left.
                _ if database.code().as_deref() == Some("22021") => Self::Nul,
                _ => Self::Database(Arc::new(error)),
            },
            _ => Self::Database(Arc::new(error)),
        }
    }
}

impl From<sqlx::migrate::MigrateError> for StoreError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        match error {
            sqlx::migrate::MigrateError::VersionMissing(migration) => Self::Newer { migration },
            error => Self::Migrate(Arc::new(error)),
        }
    }
}

/// SQLite's result codes BUSY and LOCKED with their extended forms; PostgreSQL's serialization
/// failure, deadlock and lock timeout.
fn is_contention(code: Option<&str>) -> bool {
    matches!(code, Some("5" | "6" | "261" | "262" | "517" | "773" | "40001" | "40P01" | "55P03"))
}

/// `table.column, …` of the key that is taken. SQLite says so in its message; PostgreSQL names
/// the table and puts the columns into the detail, `Key (a, b)=(…) already exists.`
fn unique_columns(error: &dyn sqlx::error::DatabaseError) -> String {
    if let Some(postgres) = error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>() {
        let table = postgres.table().unwrap_or_default();
        let columns =
            postgres.detail().and_then(|detail| detail.split_once('(')?.1.split_once(")="));
        if let Some((columns, _)) = columns {
            let full: Vec<String> =
                columns.split(", ").map(|column| format!("{table}.{column}")).collect();
            return full.join(", ");
        }
        return postgres.constraint().unwrap_or(table).to_owned();
    }
    let message = error.message();
    message.rsplit_once(": ").map_or(message, |(_, columns)| columns).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts that strangers send come with anything that JSON can hold.
    #[tokio::test]
    async fn a_nul_is_told_from_a_failure() {
        for database in crate::testing::databases().await {
            let mut tx = database.store.reader().await.unwrap();
            let found = tx.binding_key("a\0").await;
            let told = match database.kind {
                "postgres" => matches!(found, Err(StoreError::Nul)),
                _ => matches!(found, Ok(None)),
            };
            assert!(told, "{found:?} on {}", database.kind);
        }
    }
}
