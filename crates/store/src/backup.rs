//! Backup while serving, and restore.
//!
//! SQLite only: a PostgreSQL database is backed up with PostgreSQL's own tools, which know its
//! users, extensions and other databases, and can do it incrementally.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};

use crate::open::{Backend, known_migrations};
use crate::{Store, StoreError};

/// Why a backup or a restore was not made.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The database is PostgreSQL.
    #[error(
        "this database is PostgreSQL: back it up with `pg_dump --format=custom --file=FILE DATABASE-URL` \
         and restore it with `pg_restore --clean --if-exists --dbname=DATABASE-URL FILE`"
    )]
    UsePostgresTools,
    /// The backup's file is there already.
    #[error("{0} exists already: give the name of a new file, a backup never overwrites one")]
    Exists(PathBuf),
    /// The file to restore is not a backup that this program can use.
    #[error("{file} cannot be restored: {why}")]
    Unusable {
        /// The file.
        file: PathBuf,
        /// What is wrong with it, in words.
        why: String,
    },
    /// Another process has the database open.
    #[error("{0} is in use: stop `certdeck serve`, then try again")]
    InUse(PathBuf),
    /// What is in the database's place can't be read: nobody can tell whether it is in use.
    #[error(
        "{file} can't be read, so that nobody can tell whether it is in use: stop `certdeck serve`, \
         move the file away, then try again"
    )]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: StoreError,
    },
    /// A file could not be read or written.
    #[error("{file} could not be read or written")]
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Writes a consistent copy of the database to the new file `file`, readable by its owner
    /// alone, while others read and write. Answers its size in bytes.
    ///
    /// The copy holds sealed keys: it is of use only together with the master key.
    pub async fn backup(&self, file: &Path) -> Result<u64, BackupError> {
        let Backend::Sqlite { options, .. } = self.backend() else {
            return Err(BackupError::UsePostgresTools);
        };
        if file.exists() {
            return Err(BackupError::Exists(file.to_owned()));
        }
        // The name is taken only once the copy is whole.
        let partial = beside(file, "partial");
        let failed = |source| BackupError::File { file: partial.clone(), source };
        remove_if_there(&partial).map_err(failed)?;
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&partial)
            .map_err(failed)?;
        let copied = copy_into(options, &partial).await;
        let finished = match copied {
            Ok(()) => settle(&partial, file).map_err(failed),
            Err(error) => Err(error.into()),
        };
        if finished.is_err() {
            // What is left is of no use; the first error is the one to tell.
            let _ = fs::remove_file(&partial);
        }
        finished
    }
}

async fn copy_into(options: &SqliteConnectOptions, file: &Path) -> Result<(), StoreError> {
    let mut connection = options.connect().await?;
    sqlx::query("VACUUM INTO $1").bind(file.display().to_string()).execute(&mut connection).await?;
    connection.close().await?;
    Ok(())
}

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The database file that is in place now.
    pub database: PathBuf,
    /// Where the database that was there before was put.
    pub previous: Option<PathBuf>,
}

/// Puts the backup `file` in the place of the SQLite database at `url`, which nobody may have
/// open. The database that was there is kept under another name. An older backup is brought up to
/// the present schema by [`Store::migrate`] as usual.
pub async fn restore(file: &Path, url: &str) -> Result<Restored, BackupError> {
    if !url.starts_with("sqlite:") {
        return Err(BackupError::UsePostgresTools);
    }
    let address =
        SqliteConnectOptions::from_str(url).map_err(|_| StoreError::Address(url.to_owned()))?;
    let database = address.get_filename().to_owned();
    check(file).await?;
    if database.exists() {
        take_out_of_use(&address, &database).await?;
    }
    let at = |file: &Path| {
        let file = file.to_owned();
        move |source| BackupError::File { file, source }
    };
    let incoming = beside(&database, "restoring");
    copy_private(file, &incoming).map_err(at(&incoming))?;
    let previous = if database.exists() {
        let previous = free_name(&database);
        fs::rename(&database, &previous).map_err(at(&previous))?;
        Some(previous)
    } else {
        None
    };
    for rest in ["-wal", "-shm"] {
        let rest = PathBuf::from(format!("{}{rest}", database.display()));
        remove_if_there(&rest).map_err(at(&rest))?;
    }
    settle(&incoming, &database).map_err(at(&database))?;
    Ok(Restored { database, previous })
}

/// Copies without the mode: a backup that came by mail may be readable by everybody.
fn copy_private(from: &Path, to: &Path) -> io::Result<()> {
    remove_if_there(to)?;
    let mut to = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
    io::copy(&mut File::open(from)?, &mut to)?;
    Ok(())
}

/// The file of the SQLite database at `url`; none where that is another kind of database.
pub fn database_file(url: &str) -> Option<PathBuf> {
    let address =
        SqliteConnectOptions::from_str(url).ok().filter(|_| url.starts_with("sqlite:"))?;
    Some(address.get_filename().to_owned())
}

/// The file of the SQLite database at `url`, where there is none.
pub fn missing(url: &str) -> Option<PathBuf> {
    database_file(url).filter(|file| !file.exists())
}

/// Refuses where anybody has the SQLite database at `url` open.
pub async fn check_unused(url: &str) -> Result<(), BackupError> {
    let address =
        SqliteConnectOptions::from_str(url).map_err(|_| StoreError::Address(url.to_owned()))?;
    take_out_of_use(&address, address.get_filename()).await
}

/// Whether `file` is an undamaged database of this program, not newer than it.
async fn check(file: &Path) -> Result<(), BackupError> {
    let unusable = |why: &str| BackupError::Unusable { file: file.to_owned(), why: why.to_owned() };
    let mut header = [0; 16];
    let mut opened =
        File::open(file).map_err(|source| BackupError::File { file: file.to_owned(), source })?;
    if opened.read_exact(&mut header).is_err() || &header != b"SQLite format 3\0" {
        return Err(unusable("it is not an SQLite database"));
    }
    let options = SqliteConnectOptions::new().filename(file).read_only(true);
    let mut connection = options.connect().await.map_err(|_| unusable("it can't be opened"))?;
    let verdict: Result<String, _> =
        sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&mut connection).await;
    if !verdict.is_ok_and(|verdict| verdict == "ok") {
        return Err(unusable("it is damaged; use another backup"));
    }
    let applied = migrations_of(&mut connection)
        .await
        .map_err(|_| unusable("it is not a Certdeck database"))?;
    connection.close().await.map_err(StoreError::from)?;
    if applied.is_empty() || applied.iter().any(|step| !known_migrations().contains(step)) {
        return Err(unusable(
            "it was made by another version of Certdeck; restore it with that one or a newer one",
        ));
    }
    Ok(())
}

async fn migrations_of(
    connection: &mut SqliteConnection,
) -> Result<Vec<(i64, Vec<u8>)>, sqlx::Error> {
    sqlx::query_as("SELECT version, checksum FROM _sqlx_migrations ORDER BY version")
        .fetch_all(connection)
        .await
}

/// How long who is about to let go of a database is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// Folds the write-ahead log into the database, which SQLite does only where nobody else has it
/// open. SQLite's own patience is for reads and writes; here it has none.
async fn take_out_of_use(
    address: &SqliteConnectOptions,
    database: &Path,
) -> Result<(), BackupError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match fold_log(address).await.map_err(StoreError::from) {
            Ok(()) => return Ok(()),
            Err(StoreError::Busy(_)) if Instant::now() < deadline => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(StoreError::Busy(_)) => return Err(BackupError::InUse(database.to_owned())),
            Err(source) => {
                return Err(BackupError::Unreadable { file: database.to_owned(), source });
            }
        }
    }
}

async fn fold_log(address: &SqliteConnectOptions) -> Result<(), sqlx::Error> {
    let mut connection = address.clone().busy_timeout(PATIENCE).connect().await?;
    let folded = sqlx::query("PRAGMA journal_mode = DELETE").execute(&mut connection).await;
    // Also where it was refused: a connection that is only dropped goes when it likes.
    connection.close().await?;
    folded.map(|_| ())
}

/// Makes the content of `from` durable and gives it its final name. Answers its size.
fn settle(from: &Path, to: &Path) -> io::Result<u64> {
    let file = File::open(from)?;
    file.sync_all()?;
    let size = file.metadata()?.len();
    fs::rename(from, to)?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(size)
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    PathBuf::from(format!("{}.{ending}", file.display()))
}

/// A name beside the database that is not taken.
fn free_name(database: &Path) -> PathBuf {
    let mut name = beside(database, "before-restore");
    let mut number = 2;
    while name.exists() {
        name = beside(database, &format!("before-restore.{number}"));
        number += 1;
    }
    name
}

fn remove_if_there(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
