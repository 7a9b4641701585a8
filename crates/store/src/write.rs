//! The one way to write.
//!
//! SQLite has one writer: it takes the works that wait, runs each in a savepoint of its own, and
//! commits them together (group commit), so that one flush to disk serves them all. PostgreSQL
//! gives each work a plain transaction.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::checkpoint::{Checkpoints, PASSIVE};
use crate::open::Backend;
use crate::session::Savepoint;
use crate::tx::PgSession;
use crate::{SqliteSession, Store, StoreError, Tx};

/// How long one work may hold a write transaction.
pub const WORK_LIMIT: Duration = Duration::from_secs(30);

/// How many works share one commit.
const GROUP: usize = 64;

/// How long a group waits for further works, where the one before had several: a commit costs as
/// much as a work, and those who ask at the same time go on asking at the same time.
const GATHERING: Duration = Duration::from_millis(1);

/// What `thread_priority` calls a niceness of 0, of 0 to 99.
#[cfg(target_os = "linux")]
const NICENESS_0: u8 = 48;

/// How many works may wait in line; more wait to get in line.
const LINE: usize = 1024;

/// A caller's work, wrapped: given a transaction, or the reason why there is none.
type Work = Box<dyn for<'t> FnOnce(Result<&'t mut Tx, StoreError>) -> BoxFuture<'t, Ran> + Send>;

/// What became of a work, and how its caller is told how the commit went.
struct Ran {
    keep: bool,
    answer: Box<dyn FnOnce(Result<(), StoreError>) + Send>,
}

enum Message {
    Work(Work),
    Close(oneshot::Sender<()>),
}

impl Store {
    /// Runs `work` in a write transaction: kept where it returns `Ok`, undone where it fails or
    /// panics. When this returns `Ok`, the change is on disk.
    ///
    /// On SQLite a work that was handed over is done even where its caller stops waiting.
    /// [`StoreError::is_retryable`] says whether the same work may be tried again.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.give_back_reader();
        match self.backend() {
            Backend::Sqlite { writer, .. } => writer.write(work).await,
            Backend::Postgres { writers, .. } => {
                let transaction = writers.begin().await.map_err(StoreError::from)?;
                let mut tx = Tx::Postgres(PgSession::Writing(transaction));
                let value = match tokio::time::timeout(WORK_LIMIT, work(&mut tx)).await {
                    Ok(outcome) => outcome?,
                    Err(_) => return Err(StoreError::TookTooLong.into()),
                };
                if let Tx::Postgres(PgSession::Writing(transaction)) = tx {
                    transaction.commit().await.map_err(StoreError::from)?;
                }
                Ok(value)
            }
        }
    }
}

/// The line in front of SQLite's one writer.
#[derive(Debug)]
pub(crate) struct Writer {
    line: mpsc::Sender<Message>,
}

impl Writer {
    /// Starts the writer with a connection of its own, on a thread of its own: it waits for the
    /// connection's answers most of the time, and to wake a plain thread is cheaper than to wake the
    /// runtime.
    pub(crate) async fn start(
        options: SqliteConnectOptions,
        checkpoints: Checkpoints,
    ) -> Result<Self, StoreError> {
        let (line, waiting) = mpsc::channel(LINE);
        let (opened, open) = oneshot::channel();
        let runtime = tokio::runtime::Handle::current();
        std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || {
                let _inside = runtime.enter();
                take_turns();
                futures::executor::block_on(async move {
                    match connect(options).await {
                        // Where nobody waits any more, the line is closed, too.
                        Ok(tx) => {
                            let _ = opened.send(Ok(()));
                            serve(tx, waiting, checkpoints).await;
                        }
                        Err(error) => drop(opened.send(Err(error))),
                    }
                });
            })
            .map_err(sqlx::Error::Io)?;
        open.await.map_err(|_| StoreError::Closed)??;
        Ok(Self { line })
    }

    async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let work: Work = Box::new(move |tx| {
            async move {
                let outcome = AssertUnwindSafe(limited(tx, work)).catch_unwind().await;
                Ran {
                    keep: matches!(outcome, Ok(Ok(_))),
                    answer: Box::new(move |commit| {
                        let told = match (outcome, commit) {
                            (Ok(Ok(_)), Err(error)) => Ok(Err(E::from(error))),
                            (outcome, _) => outcome,
                        };
                        // The caller may have gone: the work is done all the same.
                        drop(reply.send(told));
                    }),
                }
            }
            .boxed()
        });
        self.line.send(Message::Work(work)).await.map_err(|_| StoreError::Closed)?;
        match answer.await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(_) => Err(StoreError::Closed.into()),
        }
    }

    /// Waits until all that is in line is written, then closes the connection.
    pub(crate) async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.line.send(Message::Close(done)).await.is_ok() {
            drop(closed.await);
        }
    }
}

/// Lets this thread, and the connection's thread that it starts, finish what they do before they make
/// room for each other (`SCHED_BATCH` of sched(7)). They hand statements and rows to and fro, one of
/// them always waiting: on a busy core each answer otherwise takes the core from who sends it, while
/// the channel's lock is held, and gives it back at once. Best effort: without it they are slower.
#[cfg(target_os = "linux")]
fn take_turns() {
    use thread_priority::unix::{set_thread_priority_and_policy, thread_native_id};
    use thread_priority::{NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy};
    let batch = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Batch);
    let Ok(plain) = NICENESS_0.try_into().map(ThreadPriority::Crossplatform) else { return };
    let _ = set_thread_priority_and_policy(thread_native_id(), plain, batch);
}

#[cfg(not(target_os = "linux"))]
const fn take_turns() {}

/// The one connection that writes.
async fn connect(options: SqliteConnectOptions) -> Result<Tx, StoreError> {
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(options)
        .await?;
    Ok(Tx::Sqlite(SqliteSession::keeping(pool.acquire().await?).await?))
}

async fn limited<T, E, F>(tx: Result<&mut Tx, StoreError>, work: F) -> Result<T, E>
where
    F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>>,
    E: From<StoreError>,
{
    match tokio::time::timeout(WORK_LIMIT, work(tx?)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(StoreError::TookTooLong.into()),
    }
}

async fn serve(mut tx: Tx, mut waiting: mpsc::Receiver<Message>, mut checkpoints: Checkpoints) {
    let mut kept = 0;
    while let Some(message) = waiting.recv().await {
        let closing = match message {
            Message::Work(first) => group(&mut tx, first, &mut waiting, &mut kept).await,
            Message::Close(done) => Some(done),
        };
        if checkpoints.committed(kept) {
            // Best effort: a log that does not begin anew becomes longer, and is tried again.
            let _ = statement(&mut tx, PASSIVE).await;
        }
        if let Some(done) = closing {
            checkpoints.end().await;
            // Best effort: without it the next start reads the log instead.
            let _ = statement(&mut tx, "PRAGMA wal_checkpoint(TRUNCATE)").await;
            drop(tx);
            let _ = done.send(());
            return;
        }
    }
}

/// The next in line, for which is waited `until` then where that is given.
async fn further(waiting: &mut mpsc::Receiver<Message>, until: Option<Instant>) -> Option<Message> {
    match waiting.try_recv() {
        Ok(message) => Some(message),
        Err(_) => tokio::time::timeout_at(until?, waiting.recv()).await.ok().flatten(),
    }
}

/// Runs `first` and what waits behind it, at most [`GROUP`], and commits once. Gives back a wish
/// to close that it met in line. `works` tells how many the last group kept: several at a time go on
/// coming so.
///
/// Each work has the savepoint to itself, so that its failure undoes nothing but itself. Where a
/// statement of ours fails, the whole transaction is lost (SQLite ends it itself when the disk is
/// full, for one). Statements go together where they can: each way to the connection's thread and
/// back has its price.
async fn group(
    tx: &mut Tx,
    first: Work,
    waiting: &mut mpsc::Receiver<Message>,
    works: &mut usize,
) -> Option<oneshot::Sender<()>> {
    let until = (*works > 1).then(|| Instant::now() + GATHERING);
    *works = 0;
    let mut state = begin(tx).await;
    if let Err(error) = &state {
        let error = error.clone();
        // Where the first of the two went through, its transaction must not stay open.
        let _ = statement(tx, "ROLLBACK").await;
        (first(Err(error)).await.answer)(Ok(()));
        return None;
    }
    let mut kept = Vec::new();
    let mut closing = None;
    let mut next = Some(first);
    while let Some(work) = next.take() {
        let ran = work(Ok(tx)).await;
        let keep = ran.keep;
        if keep {
            kept.push(ran.answer);
        } else {
            state = undo_work(tx).await;
            (ran.answer)(Ok(()));
        }
        if tx.savepoint() == Savepoint::Unknown {
            state = Err(StoreError::NotBegun);
        }
        if state.is_err() || kept.len() >= GROUP {
            break;
        }
        match further(waiting, until).await {
            Some(Message::Work(work)) => {
                tx.next_work();
                if keep && tx.savepoint() == Savepoint::Open {
                    tx.set_savepoint(Savepoint::Due);
                }
                next = Some(work);
            }
            Some(Message::Close(done)) => closing = Some(done),
            None => {}
        }
    }
    *works = kept.len();
    tx.set_savepoint(Savepoint::Open);
    let committed = match state {
        Ok(()) => commit(tx).await,
        Err(error) => Err(error),
    };
    if committed.is_err() {
        tx.take_entries();
        tx.undo_work();
        // Fails where SQLite has undone the transaction by itself already.
        let _ = statement(tx, "ROLLBACK").await;
    }
    for answer in kept {
        answer(committed.clone());
    }
    closing
}

/// Begins a transaction and its first work; rows that another connection changed are forgotten.
async fn begin(tx: &mut Tx) -> Result<(), StoreError> {
    let version: i64 = crate::on!(tx, |conn| {
        sqlx::query_scalar("BEGIN IMMEDIATE; SAVEPOINT work; PRAGMA data_version")
            .fetch_one(&mut *conn)
            .await?
    });
    tx.begin_group(version);
    Ok(())
}

/// Takes back what a work did; what it read is forgotten.
async fn undo_work(tx: &mut Tx) -> Result<(), StoreError> {
    tx.undo_work();
    match tx.savepoint() {
        Savepoint::Open => statement(tx, "ROLLBACK TO work").await,
        // It did nothing, or nobody knows which work a savepoint is of.
        Savepoint::Due | Savepoint::Unknown => Ok(()),
    }
}

/// Commits with what was left for the end of all works: their entries of the audit log, and from time
/// to time names in the trigram index.
async fn commit(tx: &mut Tx) -> Result<(), StoreError> {
    let entries = tx.take_entries();
    tx.insert_audit_rows(&entries).await?;
    tx.index_new_orders().await?;
    statement(tx, "COMMIT").await
}

async fn statement(tx: &mut Tx, sql: &'static str) -> Result<(), StoreError> {
    crate::on!(tx, |conn| {
        sqlx::query(sql).execute(&mut *conn).await?;
    });
    Ok(())
}

#[cfg(test)]
mod tests;
