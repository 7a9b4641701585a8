//! One transaction or reading session, on either database.

use std::ops::{Deref, DerefMut};

use sqlx::{PgConnection, Postgres, Transaction};

use crate::one_reader::Lease;
use crate::search::Trigrams;
use crate::{SqliteSession, StoreError};

/// Where store methods live: a write transaction, or a session that only reads.
#[derive(Debug)]
pub enum Tx {
    /// SQLite.
    Sqlite(SqliteSession),
    /// PostgreSQL.
    Postgres(PgSession),
}

/// A PostgreSQL connection, in a transaction where it writes.
#[derive(Debug)]
pub enum PgSession {
    /// Each statement for itself, reads only.
    Reading(Lease<Postgres>, Trigrams),
    /// A transaction; undone where it is dropped.
    Writing(Transaction<'static, Postgres>),
}

impl Deref for PgSession {
    type Target = PgConnection;
    fn deref(&self) -> &PgConnection {
        match self {
            Self::Reading(connection, _) => connection,
            Self::Writing(transaction) => transaction,
        }
    }
}

impl DerefMut for PgSession {
    fn deref_mut(&mut self) -> &mut PgConnection {
        match self {
            Self::Reading(connection, _) => connection,
            Self::Writing(transaction) => transaction,
        }
    }
}

/// Runs one sqlx body on whichever database the [`Tx`] is of. The body is compiled for both:
///
/// ```ignore
/// let row = on!(self, |conn| {
///     sqlx::query_as::<_, Row>("SELECT … WHERE id = $1").bind(id).fetch_optional(&mut *conn).await?
/// });
/// ```
///
/// Results that differ by database (`rows_affected`) must be taken inside the body.
macro_rules! on {
    ($tx:expr, |$conn:ident| $body:expr) => {
        match $tx {
            $crate::Tx::Sqlite(session) => {
                let $conn: &mut $crate::SqliteSession = session;
                $body
            }
            $crate::Tx::Postgres(session) => {
                let $conn: &mut sqlx::PgConnection = &mut *session;
                $body
            }
        }
    };
}
pub(crate) use on;

/// The entries of the JSON list that is bound as `$n`, each as `value`.
macro_rules! listed {
    (sqlite, $list:literal) => {
        concat!("json_each(", $list, ")")
    };
    (postgres, $list:literal) => {
        concat!("json_array_elements(CAST(", $list, " AS JSON)) AS listed (value)")
    };
}
pub(crate) use listed;

/// A row and the rows that belong to it, written by one statement: to go to SQLite's thread and back,
/// or to PostgreSQL, for each costs as much as to write it. How those learn the `$key` of theirs
/// differs. `$rows!` is their `INSERT … SELECT … FROM`, given that; `$list` is bound as
/// [`listed!`] says. It answers `$answer` for each of them, and nothing where the row is not inserted.
macro_rules! with_rows {
    ($tx:expr, $insert:ident, $key:literal, $rows:ident, $list:literal, $answer:literal) => {
        if $tx.is_postgres() {
            concat!(
                "WITH made AS (",
                $insert!(),
                " RETURNING ",
                $key,
                ") ",
                $rows!(concat!("made.", $key)),
                "made, ",
                $crate::tx::listed!(postgres, $list),
                " RETURNING ",
                $answer
            )
        } else {
            concat!(
                $insert!(),
                "; ",
                $rows!("(SELECT last_insert_rowid())"),
                $crate::tx::listed!(sqlite, $list),
                " WHERE changes() > 0 RETURNING ",
                $answer
            )
        }
    };
}
pub(crate) use with_rows;

impl Tx {
    /// Keeps all others who lock the same `what` waiting until this transaction ends.
    ///
    /// For decisions that look at more than the rows they change (rule D18: one new order for two
    /// endpoints). On SQLite there is one writer anyway.
    pub async fn lock(&mut self, what: &str) -> Result<(), StoreError> {
        if let Self::Postgres(session) = self {
            sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))")
                .bind(what)
                .execute(&mut **session)
                .await?;
        }
        Ok(())
    }

    /// How common trigrams are, for searches; none is kept for PostgreSQL's writers.
    pub(crate) const fn trigrams(&self) -> Option<&Trigrams> {
        match self {
            Self::Sqlite(session) => Some(session.trigrams()),
            Self::Postgres(PgSession::Reading(_, trigrams)) => Some(trigrams),
            Self::Postgres(PgSession::Writing(_)) => None,
        }
    }

    /// Whether this is PostgreSQL: for the few statements that can't be one text.
    pub const fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }
}
