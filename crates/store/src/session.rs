//! A SQLite connection as the store's statements meet it.
//!
//! The writer runs each work in a savepoint. To open it costs a way to the connection's thread and
//! back, as much as a statement does, so a work's first statement opens it on its way: nothing of a
//! work can run outside of its savepoint, as there is no other way to the connection.

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{
    Sqlite, SqliteArguments, SqliteQueryResult, SqliteRow, SqliteStatement, SqliteTypeInfo,
};
use sqlx::{AssertSqlSafe, Either, Execute, Executor, SqlSafeStr, SqlStr, SqliteConnection};

use crate::kept::Kept;
use crate::one_reader::Lease;
use crate::search::Trigrams;
use crate::{StoreError, Tx};

/// A SQLite connection; the writer's keeps rows.
#[derive(Debug)]
pub struct SqliteSession {
    connection: Lease<Sqlite>,
    savepoint: Savepoint,
    pub(crate) kept: Option<Box<Kept>>,
    trigrams: Trigrams,
}

/// The savepoint of the present work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Savepoint {
    /// It is open, or there is no work.
    Open,
    /// The work has run nothing yet: its first statement opens it.
    Due,
    /// Its first statement was sent, and did not tell whether it was opened.
    Unknown,
}

/// Ends the savepoint of the work before, and opens that of the next.
const NEXT_SAVEPOINT: &str = "RELEASE work; SAVEPOINT work; ";
/// So many statements these are, each of which says when it is done.
const STATEMENTS: usize = 2;

impl SqliteSession {
    /// A session that only reads, or takes every row from the database.
    pub(crate) const fn plain(connection: Lease<Sqlite>, trigrams: Trigrams) -> Self {
        Self { connection, savepoint: Savepoint::Open, kept: None, trigrams }
    }

    /// The writer's session.
    pub(crate) async fn keeping(
        mut connection: PoolConnection<Sqlite>,
    ) -> Result<Self, StoreError> {
        let kept = Kept::watching(&mut connection).await?;
        let mut session = Self::plain(Lease::Own(connection), Trigrams::default());
        session.kept = Some(Box::new(kept));
        Ok(session)
    }

    /// How common trigrams are, for searches.
    pub(crate) const fn trigrams(&self) -> &Trigrams {
        &self.trigrams
    }

    /// The connection itself, where no savepoint is due.
    #[cfg(test)]
    pub(crate) fn plain_connection(&mut self) -> &mut SqliteConnection {
        assert_eq!(self.savepoint, Savepoint::Open);
        &mut self.connection
    }
}

impl Tx {
    /// Where the present work's savepoint stands; always open on PostgreSQL, which has none.
    pub(crate) const fn savepoint(&self) -> Savepoint {
        match self {
            Self::Sqlite(session) => session.savepoint,
            Self::Postgres(_) => Savepoint::Open,
        }
    }

    /// What follows is a work of its own, where `Due`, or belongs to no work.
    pub(crate) const fn set_savepoint(&mut self, savepoint: Savepoint) {
        if let Self::Sqlite(session) = self {
            session.savepoint = savepoint;
        }
    }
}

fn not_known() -> sqlx::Error {
    sqlx::Error::Protocol("it is not known whether the change's savepoint is open".to_owned())
}

/// A statement with [`NEXT_SAVEPOINT`] in front of it.
struct Joined {
    sql: SqlStr,
    arguments: Option<SqliteArguments>,
    persistent: bool,
}

impl Execute<'_, Sqlite> for Joined {
    fn sql(self) -> SqlStr {
        self.sql
    }

    fn statement(&self) -> Option<&SqliteStatement> {
        None
    }

    fn take_arguments(&mut self) -> Result<Option<SqliteArguments>, sqlx::error::BoxDynError> {
        Ok(self.arguments.take())
    }

    fn persistent(&self) -> bool {
        self.persistent
    }
}

impl<'c> Executor<'c> for &'c mut SqliteSession {
    type Database = Sqlite;

    fn fetch_many<'e, 'q, E>(
        self,
        mut query: E,
    ) -> BoxStream<'e, Result<Either<SqliteQueryResult, SqliteRow>, sqlx::Error>>
    where
        'c: 'e,
        E: Execute<'q, Sqlite>,
        'q: 'e,
        E: 'q,
    {
        let connection: &'c mut SqliteConnection = &mut self.connection;
        match self.savepoint {
            Savepoint::Open => return connection.fetch_many(query),
            // It might run outside of the transaction.
            Savepoint::Unknown => return stream::iter([Err(not_known())]).boxed(),
            Savepoint::Due => {}
        }
        let arguments = match query.take_arguments() {
            Ok(arguments) => arguments,
            Err(error) => return stream::iter([Err(sqlx::Error::Encode(error))]).boxed(),
        };
        let persistent = query.persistent();
        let sql = AssertSqlSafe(format!("{NEXT_SAVEPOINT}{}", query.sql().as_str()));
        let joined = Joined { sql: sql.into_sql_str(), arguments, persistent };
        let savepoint = &mut self.savepoint;
        *savepoint = Savepoint::Unknown;
        let mut done = 0;
        connection
            .fetch_many(joined)
            .filter(move |step| {
                let opens = done < STATEMENTS && matches!(step, Ok(Either::Left(_)));
                if opens {
                    done += 1;
                }
                if opens && done == STATEMENTS {
                    *savepoint = Savepoint::Open;
                }
                std::future::ready(!opens)
            })
            .boxed()
    }

    fn fetch_optional<'e, 'q, E>(
        self,
        query: E,
    ) -> BoxFuture<'e, Result<Option<SqliteRow>, sqlx::Error>>
    where
        'c: 'e,
        E: Execute<'q, Sqlite>,
        'q: 'e,
        E: 'q,
    {
        if self.savepoint == Savepoint::Open {
            let connection: &'c mut SqliteConnection = &mut self.connection;
            return connection.fetch_optional(query);
        }
        let mut steps = self.fetch_many(query);
        Box::pin(async move {
            while let Some(step) = steps.try_next().await? {
                if let Either::Right(row) = step {
                    return Ok(Some(row));
                }
            }
            Ok(None)
        })
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [SqliteTypeInfo],
    ) -> BoxFuture<'e, Result<SqliteStatement, sqlx::Error>>
    where
        'c: 'e,
    {
        let connection: &'c mut SqliteConnection = &mut self.connection;
        connection.prepare_with(sql, parameters)
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<sqlx::Describe<Sqlite>, sqlx::Error>>
    where
        'c: 'e,
    {
        let connection: &'c mut SqliteConnection = &mut self.connection;
        connection.describe(sql)
    }
}
