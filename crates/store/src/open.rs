//! Opening a database, bringing its schema up, and reading sessions.

use std::fs::OpenOptions;
use std::num::NonZero;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection};

use crate::checkpoint::{self, Checkpoints};
use crate::search::Trigrams;
use crate::tx::PgSession;
use crate::write::Writer;
use crate::{SqliteSession, StoreError, Tx, on};

static SQLITE: Migrator = sqlx::migrate!("../../migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("../../migrations/postgres");

/// Readers can't write, and no page is worth more than half a minute. To start other processes for a
/// search, as PostgreSQL does in large tables, takes longer than the search.
const READING: [(&str, &str); 3] = [
    ("default_transaction_read_only", "on"),
    ("statement_timeout", "30s"),
    ("max_parallel_workers_per_gather", "0"),
];

/// KiB that a connection of SQLite keeps of what it has read, negative as SQLite wants it.
const READER_CACHE: &str = "-16384";

/// The same for the one that writes: with a million orders the inner pages of all indexes alone are
/// some ten megabytes.
const WRITER_CACHE: &str = "-49152";

/// Each of SQLite's keeps some memory, and a PostgreSQL has a hundred for all nodes.
const MOST_READERS: u32 = 16;

/// How long a reader of SQLite is kept: it holds the pages that it has read, also when the busy
/// hour is over. Now and then some work needs one, so none is ever idle for long.
const READER_LIFE: Duration = Duration::from_mins(10);

/// How many connections a store may open.
#[derive(Debug, Clone, Copy)]
pub struct StoreOptions {
    /// Connections for reading.
    pub readers: u32,
    /// Connections for writing; SQLite always has one.
    pub writers: u32,
    /// How long to wait for a free connection or for another process's write.
    pub patience: Duration,
}

/// While a page reads it takes a core half of the time, here or in the database: with many more of
/// them than cores pages would wait for each other in their midst, and not in line.
fn readers() -> u32 {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    u32::try_from(cores + 3).map_or(MOST_READERS, |readers| readers.min(MOST_READERS))
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self { readers: readers(), writers: 12, patience: Duration::from_secs(10) }
    }
}

/// The database. Cheap to clone; all clones share its connections.
#[derive(Debug, Clone)]
pub struct Store {
    backend: Arc<Backend>,
}

#[derive(Debug)]
pub(crate) enum Backend {
    Sqlite {
        options: Box<SqliteConnectOptions>,
        readers: SqlitePool,
        writer: Writer,
        trigrams: Trigrams,
    },
    Postgres {
        readers: PgPool,
        writers: PgPool,
        trigrams: Trigrams,
    },
}

impl Store {
    /// Opens `sqlite://path` (made where it is missing) or `postgres://…`. The schema is left as
    /// it is: see [`Self::migrate`].
    pub async fn open(url: &str, options: StoreOptions) -> Result<Self, StoreError> {
        let backend = match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => open_sqlite(url, options).await?,
            Some("postgres" | "postgresql") => open_postgres(url, options).await?,
            _ => return Err(StoreError::Address(without_secrets(url))),
        };
        Ok(Self { backend: Arc::new(backend) })
    }

    pub(crate) fn backend(&self) -> &Backend {
        &self.backend
    }

    /// Whether both share their connections.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.backend, &other.backend)
    }

    /// Brings the schema up to this program's. Safe to run on several nodes at once.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        self.run(self.migrations()).await?;
        // SQL alone can't read an IPv6 address on both databases.
        while self.write(|tx| Box::pin(tx.fill_address_keys(500))).await? > 0 {}
        Ok(())
    }

    /// Brings the schema of an empty database up to that of an earlier program.
    #[cfg(test)]
    pub(crate) async fn migrate_to(&self, version: i64) -> Result<(), StoreError> {
        let steps = self.migrations().iter().filter(|step| step.version <= version).cloned();
        self.run(&Migrator { migrations: steps.collect(), ..Migrator::DEFAULT }).await
    }

    async fn run(&self, migrations: &Migrator) -> Result<(), StoreError> {
        match self.backend() {
            Backend::Sqlite { options, .. } => {
                let mut connection = sqlx::SqliteConnection::connect_with(options).await?;
                migrations.run(&mut connection).await?;
                connection.close().await?;
            }
            Backend::Postgres { writers, .. } => migrations.run(writers).await?,
        }
        Ok(())
    }

    fn migrations(&self) -> &'static Migrator {
        match self.backend() {
            Backend::Sqlite { .. } => &SQLITE,
            Backend::Postgres { .. } => &POSTGRES,
        }
    }

    /// Whether the schema is exactly this program's: every migration applied, unchanged.
    pub async fn schema_is_current(&self) -> Result<bool, StoreError> {
        let wanted = steps(self.migrations());
        let mut tx = self.reader().await?;
        let applied: Result<Vec<(i64, Vec<u8>)>, sqlx::Error> = on!(&mut tx, |conn| {
            sqlx::query_as(
                "SELECT version, checksum FROM _sqlx_migrations WHERE success ORDER BY version",
            )
            .fetch_all(&mut *conn)
            .await
        });
        match applied {
            Ok(applied) => Ok(applied == wanted),
            // The table is not there: nothing was ever applied.
            Err(sqlx::Error::Database(error))
                if matches!(error.code().as_deref(), Some("42P01" | "1")) =>
            {
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let mut tx = self.reader().await?;
        on!(&mut tx, |conn| {
            sqlx::query("SELECT 1").execute(&mut *conn).await?;
        });
        Ok(())
    }

    /// A session that only reads: writing through it fails.
    pub async fn reader(&self) -> Result<Tx, StoreError> {
        Ok(match self.backend() {
            Backend::Sqlite { readers, trigrams, .. } => {
                let connection = self.lease(readers, |held| &held.sqlite).await?;
                Tx::Sqlite(SqliteSession::plain(connection, trigrams.clone()))
            }
            Backend::Postgres { readers, trigrams, .. } => {
                let connection = self.lease(readers, |held| &held.postgres).await?;
                Tx::Postgres(PgSession::Reading(connection, trigrams.clone()))
            }
        })
    }

    /// Runs `work` in a reading session.
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send,
        E: From<StoreError>,
    {
        let mut tx = self.reader().await?;
        work(&mut tx).await
    }

    /// Lets searches, and SQLite's planner, know how the tables have grown; a matter of
    /// milliseconds, wanted a few times a day. PostgreSQL's planner knows by itself.
    pub async fn maintain(&self) -> Result<(), StoreError> {
        self.sample_names().await?;
        if let Backend::Sqlite { options, .. } = self.backend() {
            let mut connection = sqlx::SqliteConnection::connect_with(options).await?;
            sqlx::raw_sql("PRAGMA analysis_limit = 1000; PRAGMA optimize = 0x10002")
                .execute(&mut connection)
                .await?;
            connection.close().await?;
        }
        Ok(())
    }

    /// Finishes the writes that wait and lets all connections go.
    pub async fn close(&self) {
        match self.backend() {
            Backend::Sqlite { readers, writer, .. } => {
                readers.close().await;
                writer.close().await;
            }
            Backend::Postgres { readers, writers, .. } => {
                readers.close().await;
                writers.close().await;
            }
        }
    }

    /// Whether this is PostgreSQL, where several nodes may share the database.
    pub fn is_postgres(&self) -> bool {
        matches!(self.backend(), Backend::Postgres { .. })
    }
}

/// Version and checksum of each step.
fn steps(migrator: &Migrator) -> Vec<(i64, Vec<u8>)> {
    migrator.iter().map(|step| (step.version, step.checksum.to_vec())).collect()
}

/// The steps of SQLite's schema that this program knows.
pub(crate) fn known_migrations() -> Vec<(i64, Vec<u8>)> {
    steps(&SQLITE)
}

/// Makes a database that is not there yet readable by its owner alone; SQLite gives the files beside
/// it the same mode. Where it can't be made, SQLite says why.
fn keep_private(database: &Path) {
    let _ = OpenOptions::new().write(true).create_new(true).mode(0o600).open(database);
}

async fn open_sqlite(url: &str, options: StoreOptions) -> Result<Backend, StoreError> {
    let address =
        SqliteConnectOptions::from_str(url).map_err(|_| StoreError::Address(url.to_owned()))?;
    // Each connection would have a database of its own.
    if url.contains(":memory:") || url.contains("mode=memory") {
        return Err(StoreError::Address(url.to_owned()));
    }
    keep_private(address.get_filename());
    let shared = address
        .foreign_keys(true)
        .busy_timeout(options.patience)
        .statement_cache_capacity(500)
        // Rows that wait between the connection's thread and the reader: a whole page, or the two
        // take turns.
        .row_buffer_size(256)
        // KiB for each connection; the operating system keeps what more is read. To map the file
        // instead was no faster and made the process look, and its limits count, as large as that.
        .pragma("cache_size", READER_CACHE)
        .pragma("temp_store", "memory")
        .disable_statement_logging();
    let writing = shared
        .clone()
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("wal_autocheckpoint", checkpoint::LONGEST.to_string())
        .pragma("journal_size_limit", "67108864");
    let beside = writing.clone().pragma("wal_autocheckpoint", "0");
    let checkpoints = Checkpoints::beside(beside, checkpoint::PACE);
    let keeping = writing.clone().pragma("cache_size", WRITER_CACHE);
    let writer = Writer::start(keeping, checkpoints).await?;
    let readers = SqlitePoolOptions::new()
        .max_connections(options.readers)
        .acquire_timeout(options.patience)
        .idle_timeout(None)
        .max_lifetime(READER_LIFE)
        .test_before_acquire(false)
        .connect_with(shared.read_only(true).create_if_missing(false))
        .await?;
    let trigrams = Trigrams::default();
    Ok(Backend::Sqlite { options: Box::new(writing), readers, writer, trigrams })
}

async fn open_postgres(url: &str, options: StoreOptions) -> Result<Backend, StoreError> {
    let address = PgConnectOptions::from_str(url)
        .map_err(|_| StoreError::Address(without_secrets(url)))?
        .application_name("certdeck")
        .statement_cache_capacity(500)
        .disable_statement_logging();
    let pool = |size| {
        PgPoolOptions::new()
            .max_connections(size)
            .acquire_timeout(options.patience)
            .test_before_acquire(false)
    };
    let writers = match pool(options.writers).connect_with(address.clone()).await {
        Ok(writers) => writers,
        Err(error) => return Err(unreachable(&address, error).await),
    };
    let readers = pool(options.readers).connect_lazy_with(address.options(READING));
    Ok(Backend::Postgres { readers, writers, trigrams: Trigrams::default() })
}

/// Why no connection could be had. A pool tries until its patience ends and then says no more than
/// that it did: one more try says what is in the way.
async fn unreachable(address: &PgConnectOptions, error: sqlx::Error) -> StoreError {
    let reason = match error {
        sqlx::Error::PoolTimedOut => {
            match tokio::time::timeout(Duration::from_secs(1), address.connect()).await {
                Ok(Err(reason)) => reason,
                Ok(Ok(_)) | Err(_) => sqlx::Error::PoolTimedOut,
            }
        }
        other => other,
    };
    StoreError::Unreachable(Arc::new(reason))
}

/// A database address may hold a password: only its scheme is shown.
fn without_secrets(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, _)) => format!("{}://…", scheme.chars().take(20).collect::<String>()),
        None => url.chars().take(20).collect(),
    }
}

#[cfg(test)]
mod tests;
