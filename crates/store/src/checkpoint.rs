//! Carrying SQLite's log over into the database, beside the writer.
//!
//! A checkpoint reads thousands of pages, writes them and waits for the disk. Done by the writer,
//! as SQLite does by itself, all who wait for a commit wait for that too: at some hundred orders a
//! second those are more than one in a hundred. A connection of its own does it without holding
//! anybody up. Only to begin the log anew somebody has to see it carried over whole, and that can
//! the writer alone, since it goes on writing: it carries over the few pages that came meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::StoreError;

/// When what is done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// After so many works the log is carried over.
    works: usize,
    /// In pages: a longer log is begun anew.
    long: i64,
}

/// Some thousand pages each time: hot pages of indexes stand in the log many times, and are written
/// to the database once for each checkpoint.
pub(crate) const PACE: Pace = Pace { works: 500, long: 12_000 };

/// In pages: how long the log may become before the writer carries it over whatever it costs, where
/// the connection beside it does not get there (SQLite's `wal_autocheckpoint`).
pub(crate) const LONGEST: u32 = 32_000;

/// Carries over without waiting for anybody: busy (0 or 1), pages in the log, pages carried over.
pub(crate) const PASSIVE: &str = "PRAGMA wal_checkpoint(PASSIVE)";

/// The connection beside the writer. It opens at the first work for it.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    wish: mpsc::Sender<()>,
    task: JoinHandle<()>,
    /// The log is long and almost carried over.
    begin_anew: Arc<AtomicBool>,
    /// Works since the last wish.
    works: usize,
    pace: Pace,
}

impl Checkpoints {
    pub(crate) fn beside(options: SqliteConnectOptions, pace: Pace) -> Self {
        let (wish, wishes) = mpsc::channel(1);
        let begin_anew = Arc::new(AtomicBool::new(false));
        let task = tokio::spawn(carry_over(options, pace, wishes, Arc::clone(&begin_anew)));
        Self { wish, task, begin_anew, works: 0, pace }
    }

    /// Works are on disk. Answers whether the writer is to carry over what is left of the log, so
    /// that it begins anew.
    pub(crate) fn committed(&mut self, works: usize) -> bool {
        self.works += works;
        // Where one is under way, the next group asks again.
        if self.works >= self.pace.works && self.wish.try_send(()).is_ok() {
            self.works = 0;
        }
        self.begin_anew.swap(false, Ordering::Relaxed)
    }

    /// Lets the connection go.
    pub(crate) async fn end(self) {
        drop(self.wish);
        // A panic in there has no other consequence than that there are no more checkpoints.
        let _ = self.task.await;
    }
}

async fn carry_over(
    options: SqliteConnectOptions,
    pace: Pace,
    mut wishes: mpsc::Receiver<()>,
    begin_anew: Arc<AtomicBool>,
) {
    let mut connection = None;
    while wishes.recv().await.is_some() {
        match once(&options, &mut connection).await {
            Ok(pages) => begin_anew.store(pages >= pace.long, Ordering::Relaxed),
            Err(error) => {
                // The writer still does it itself, later.
                tracing::warn!(%error, "SQLite's log could not be carried over; tried again soon");
                connection = None;
            }
        }
    }
    if let Some(connection) = connection {
        let _ = connection.close().await;
    }
}

/// One checkpoint; answers the pages in the log.
async fn once(
    options: &SqliteConnectOptions,
    connection: &mut Option<SqliteConnection>,
) -> Result<i64, StoreError> {
    let connection = match connection {
        Some(connection) => connection,
        None => connection.insert(options.connect().await?),
    };
    let (_, pages, _): (i64, i64, i64) =
        sqlx::query_as(PASSIVE).fetch_one(&mut *connection).await?;
    Ok(pages)
}

#[cfg(test)]
mod tests;
