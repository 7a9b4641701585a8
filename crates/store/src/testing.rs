//! Databases for tests: each test gets a fresh one of both kinds.
//!
//! The PostgreSQL cluster is temporary, without TCP, one for each test process. It is watched by
//! a shell that holds the other end of a pipe: when the test process is gone, however it ended,
//! so is the cluster.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::{Store, StoreError, StoreOptions, on};

/// A migrated, empty database.
#[derive(Debug)]
pub struct TestDatabase {
    /// `sqlite` or `postgres`, for messages of failing tests.
    pub kind: &'static str,
    /// Its address.
    pub url: String,
    /// The open store.
    pub store: Store,
    /// Holds the database file; removed when dropped.
    pub folder: Option<TempDir>,
}

impl TestDatabase {
    /// Runs one statement past all methods, as somebody with access to the database could.
    ///
    /// # Errors
    /// Where the database refuses it.
    pub async fn execute(&self, sql: &'static str) -> Result<(), StoreError> {
        if self.kind == "sqlite" {
            let mut connection = SqliteConnection::connect(&self.url).await?;
            sqlx::query(sql).execute(&mut connection).await?;
            return Ok(connection.close().await?);
        }
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    on!(tx, |conn| {
                        sqlx::query(sql).execute(&mut *conn).await?;
                    });
                    Ok(())
                })
            })
            .await
    }
}

impl TestDatabase {
    /// How many rows each table has whose name begins so.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn rows(&self, beginning: &str) -> Result<BTreeMap<String, i64>, StoreError> {
        let mut tx = self.store.reader().await?;
        let tables = if tx.is_postgres() {
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        } else {
            "SELECT name FROM sqlite_master WHERE type = 'table'"
        };
        let tables: Vec<String> =
            on!(&mut tx, |conn| sqlx::query_scalar(tables).fetch_all(&mut *conn).await?);
        let mut rows = BTreeMap::new();
        for table in tables.into_iter().filter(|table| table.starts_with(beginning)) {
            let sql = format!("SELECT COUNT(*) FROM {table}");
            let count = on!(&mut tx, |conn| {
                sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut *conn).await?
            });
            rows.insert(table, count);
        }
        Ok(rows)
    }
}

/// A failure to set up a test, in words.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A fresh SQLite database and, where PostgreSQL is installed, a fresh PostgreSQL database.
///
/// # Panics
/// Where a database can't be set up, or PostgreSQL is missing and `CERTDECK_REQUIRE_POSTGRES=1`.
pub async fn databases() -> Vec<TestDatabase> {
    let mut databases = vec![sqlite().await];
    databases.extend(postgres().await);
    databases
}

/// A fresh SQLite database in a temporary folder.
///
/// # Panics
/// Where it can't be set up.
#[expect(clippy::panic, reason = "called by tests only")]
pub async fn sqlite() -> TestDatabase {
    match fresh_sqlite().await {
        Ok(database) => database,
        Err(error) => panic!("no SQLite test database: {error:?}"),
    }
}

/// A fresh PostgreSQL database; none where PostgreSQL is not installed.
///
/// # Panics
/// As [`databases`].
#[expect(clippy::panic, reason = "called by tests only")]
pub async fn postgres() -> Option<TestDatabase> {
    match fresh_postgres().await {
        Ok(database) => database,
        Err(error) => panic!("no PostgreSQL test database: {error:?}"),
    }
}

/// [`databases`] as a program left them whose last migration was `version`.
#[cfg(test)]
pub(crate) async fn databases_at(version: i64) -> Result<Vec<TestDatabase>, Failure> {
    let mut databases = vec![empty_sqlite().await?];
    databases.extend(postgres_like("template1").await?);
    for database in &databases {
        database.store.migrate_to(version).await?;
    }
    Ok(databases)
}

async fn fresh_sqlite() -> Result<TestDatabase, Failure> {
    let database = empty_sqlite().await?;
    database.store.migrate().await?;
    Ok(database)
}

async fn empty_sqlite() -> Result<TestDatabase, Failure> {
    let folder = TempDir::with_prefix("certdeck-test-")?;
    let url = format!("sqlite://{}", folder.path().join("test.db").display());
    let store = Store::open(&url, StoreOptions::default()).await?;
    Ok(TestDatabase { kind: "sqlite", url, store, folder: Some(folder) })
}

async fn fresh_postgres() -> Result<Option<TestDatabase>, Failure> {
    postgres_like("certdeck_template").await
}

async fn postgres_like(template: &str) -> Result<Option<TestDatabase>, Failure> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let Some(cluster) = CLUSTER.get_or_try_init(Cluster::start).await? else {
        return Ok(None);
    };
    let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    cluster.create(&name, template).await?;
    let url = cluster.url(&name);
    // One reader: what reads while it holds a reader waits in vain, and its test fails.
    let options = StoreOptions { readers: 1, writers: 6, ..StoreOptions::default() };
    let store = Store::open(&url, options).await?;
    Ok(Some(TestDatabase { kind: "postgres", url, store, folder: None }))
}

static CLUSTER: OnceCell<Option<Cluster>> = OnceCell::const_new();

/// A running temporary cluster. Never dropped: it ends with the process.
#[derive(Debug)]
struct Cluster {
    folder: PathBuf,
    _watcher: std::process::Child,
}

impl Cluster {
    async fn start() -> Result<Option<Self>, Failure> {
        let Some(programs) = programs() else {
            if std::env::var("CERTDECK_REQUIRE_POSTGRES").is_ok_and(|value| value == "1") {
                return Err(
                    "CERTDECK_REQUIRE_POSTGRES=1, but no PostgreSQL server is installed".into()
                );
            }
            eprintln!(
                "skipped on PostgreSQL: no server under /usr/lib/postgresql/*/bin (install the package postgresql)"
            );
            return Ok(None);
        };
        let cluster = tokio::task::spawn_blocking(move || watched(&programs)).await??;
        cluster.create("certdeck_template", "template1").await?;
        let store = Store::open(&cluster.url("certdeck_template"), StoreOptions::default()).await?;
        store.migrate().await?;
        // A template must have no connections.
        store.close().await;
        Ok(Some(cluster))
    }

    fn url(&self, database: &str) -> String {
        let folder = self.folder.display().to_string().replace('/', "%2F");
        format!("postgres://postgres@{folder}/{database}")
    }

    async fn create(&self, name: &str, template: &str) -> Result<(), Failure> {
        let mut connection = PgConnection::connect(&self.url("postgres")).await?;
        let sql = format!("CREATE DATABASE {name} TEMPLATE {template}");
        sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await?;
        connection.close().await?;
        Ok(())
    }
}

/// The folder of the newest installed server's programs.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let folders = versions.filter_map(|entry| {
        let entry = entry.ok()?;
        let version: u32 = entry.file_name().to_str()?.parse().ok()?;
        let folder = entry.path().join("bin");
        folder.join("initdb").exists().then_some((version, folder))
    });
    folders.max().map(|(_, folder)| folder)
}

/// Starts a cluster, prints its folder when it answers, and ends it at the end of standard input.
const WATCH: &str = r#"
set -e
dir=$(mktemp -d /tmp/certdeck-pg.XXXXXX)
trap 'rm -rf "$dir"' EXIT
"$1/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >"$dir/log" 2>&1 \
    || { cat "$dir/log" >&2; exit 1; }
"$1/postgres" -D "$dir/data" -k "$dir" -c listen_addresses= -c fsync=off -c full_page_writes=off \
    -c synchronous_commit=off -c max_connections=400 -c shared_buffers=64MB \
    </dev/null >>"$dir/log" 2>&1 &
server=$!
until "$1/pg_isready" -q -h "$dir"; do
    kill -0 $server || { cat "$dir/log" >&2; exit 1; }
    sleep 0.05
done
echo "$dir"
cat >/dev/null || true
kill -INT $server
wait $server || true
"#;

fn watched(programs: &Path) -> Result<Cluster, Failure> {
    use std::io::BufRead;
    use std::os::unix::process::CommandExt;

    // PostgreSQL refuses to run as root: then as the user that its package made.
    let mut command = if is_root()? {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "--", "sh"]);
        command
    } else {
        Command::new("sh")
    };
    command.args(["-c", WATCH, "sh"]).arg(programs).current_dir("/");
    // A group of its own: an interrupt at the terminal must not end the watcher before it has tidied up.
    command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut watcher = command.spawn()?;
    let mut line = String::new();
    let output = watcher.stdout.take().ok_or("no standard output")?;
    std::io::BufReader::new(output).read_line(&mut line)?;
    let folder = PathBuf::from(line.trim_end());
    if folder.as_os_str().is_empty() {
        return Err("the temporary PostgreSQL cluster did not start; see its messages above".into());
    }
    Ok(Cluster { folder, _watcher: watcher })
}

fn is_root() -> std::io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    Ok(std::fs::metadata("/proc/self")?.uid() == 0)
}
