//! Writing: what is kept, what is undone, and what callers are told.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::testing::{TestDatabase, databases};
use crate::{Store, StoreError, StoreOptions, Tx, on};
use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use sqlx::Connection;

async fn insert(tx: &mut Tx, key: &str) -> Result<(), StoreError> {
    let sql = "INSERT INTO settings (key, value, updated_at) VALUES ($1, '1', 0)";
    match tx {
        Tx::Sqlite(session) => sqlx::query(sql).bind(key).execute(session).await.map(drop),
        Tx::Postgres(session) => sqlx::query(sql).bind(key).execute(&mut **session).await.map(drop),
    }?;
    Ok(())
}

async fn keys(store: &Store) -> Vec<String> {
    let sql = "SELECT key FROM settings ORDER BY key";
    match &mut store.reader().await.unwrap() {
        Tx::Sqlite(session) => sqlx::query_scalar(sql).fetch_all(session).await.unwrap(),
        Tx::Postgres(session) => sqlx::query_scalar(sql).fetch_all(&mut **session).await.unwrap(),
    }
}

async fn put(store: &Store, key: &'static str) -> Result<(), StoreError> {
    store.write(move |tx| Box::pin(async move { insert(tx, key).await })).await
}

#[tokio::test]
async fn a_failing_work_undoes_itself_alone() {
    for TestDatabase { kind, store, .. } in databases().await {
        let failing = store.write(|tx| {
            Box::pin(async move {
                insert(tx, "lost").await?;
                Err::<(), _>(StoreError::NotFound)
            })
        });
        let (first, failed, second) = tokio::join!(put(&store, "a"), failing, put(&store, "b"));
        assert!(first.is_ok() && second.is_ok(), "{kind}");
        assert!(matches!(failed, Err(StoreError::NotFound)), "{kind}: {failed:?}");
        assert_eq!(keys(&store).await, ["a", "b"], "{kind}");
    }
}

type Work<T> = Box<dyn for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send>;

/// Works that are in line behind one that waits for them, so that they share a commit on SQLite.
async fn together<T: Send + 'static>(
    store: &Store,
    works: Vec<Work<T>>,
) -> Vec<Result<T, StoreError>> {
    let (go, gone) = tokio::sync::oneshot::channel();
    let first = store.write(move |tx| {
        Box::pin(async move {
            insert(tx, "first").await?;
            gone.await.map_err(|_| StoreError::Closed)
        })
    });
    let waiting = join_all(works.into_iter().map(|work| store.write(work)));
    // Each is asked once in this order: all are in line when the first goes on.
    let (_, outcomes, _) = tokio::join!(first, waiting, async { go.send(()) });
    outcomes
}

/// A work of a group opens its savepoint with its first statement, whatever kind that is and however
/// it ends.
#[tokio::test]
async fn works_of_a_group_know_nothing_of_each_other() {
    for TestDatabase { kind, store, .. } in databases().await {
        put(&store, "taken").await.unwrap();
        let refused_first: Work<u64> =
            Box::new(|tx| async move { insert(tx, "taken").await.map(|()| 0) }.boxed());
        let refused_before_all: Work<u64> =
            Box::new(|_| async { Err::<u64, _>(StoreError::NotFound) }.boxed());
        let refused_later: Work<u64> = Box::new(|tx| {
            async move {
                insert(tx, "lost").await?;
                Err(StoreError::NotFound)
            }
            .boxed()
        });
        // SQLite would tell how many rows the work before has changed.
        let changes_nothing: Work<u64> = Box::new(|tx| {
            async move {
                let sql = "UPDATE settings SET value = '2' WHERE key = 'nobody'";
                Ok(on!(tx, |conn| sqlx::query(sql).execute(&mut *conn).await?.rows_affected()))
            }
            .boxed()
        });
        let reads_one: Work<u64> = Box::new(|tx| {
            async move {
                let sql = "SELECT value FROM settings ORDER BY key";
                let value: Option<String> =
                    on!(tx, |conn| sqlx::query_scalar(sql).fetch_optional(&mut *conn).await?);
                assert_eq!(value.as_deref(), Some("1"));
                insert(tx, "behind a row").await.map(|()| 1)
            }
            .boxed()
        });
        let reads_all: Work<u64> = Box::new(|tx| {
            async move {
                let sql = "SELECT key FROM settings WHERE key = $1";
                let keys: Vec<String> = on!(tx, |conn| {
                    sqlx::query_scalar(sql).bind("taken").fetch_all(&mut *conn).await?
                });
                assert_eq!(keys, ["taken"]);
                insert(tx, "behind rows").await.map(|()| 1)
            }
            .boxed()
        });
        let does_nothing: Work<u64> = Box::new(|_| async { Ok(7) }.boxed());
        let works = vec![
            reads_one,
            refused_first,
            changes_nothing,
            refused_before_all,
            does_nothing,
            refused_later,
            reads_all,
        ];
        let outcomes = together(&store, works).await;
        let told: Vec<String> = outcomes
            .iter()
            .map(|one| one.as_ref().map_or("no".to_owned(), u64::to_string))
            .collect();
        assert_eq!(told, ["1", "no", "0", "no", "7", "no", "1"], "{kind}: {outcomes:?}");
        assert!(outcomes[1].as_ref().is_err_and(|error| error.is_unique("settings.key")));
        let keys = keys(&store).await;
        assert_eq!(keys, ["behind a row", "behind rows", "first", "taken"], "{kind}");
    }
}

/// Where nobody knows whether a work's savepoint is open, nothing of its group is kept, and all are
/// told so.
#[tokio::test]
async fn a_group_is_lost_whole_where_a_savepoint_is_unknown() {
    let TestDatabase { store, folder: _folder, .. } = crate::testing::sqlite().await;
    let kept: Work<()> = Box::new(|tx| async move { insert(tx, "kept").await }.boxed());
    let left: Work<()> = Box::new(|tx| {
        async move {
            // Sent, and not waited for.
            assert!(insert(tx, "left").now_or_never().is_none());
            // Nothing runs any more.
            assert!(insert(tx, "further").await.is_err());
            Ok(())
        }
        .boxed()
    });
    let outcomes = together(&store, vec![kept, left]).await;
    for outcome in outcomes {
        assert!(matches!(outcome, Err(StoreError::NotBegun)), "{outcome:?}");
    }
    assert!(keys(&store).await.is_empty());
    put(&store, "after").await.unwrap();
    assert_eq!(keys(&store).await, ["after"]);
}

#[tokio::test]
async fn a_panicking_work_undoes_itself_and_panics_in_its_caller() {
    for TestDatabase { kind, store, .. } in databases().await {
        let work = store.write::<(), StoreError, _>(|tx| {
            Box::pin(async move {
                insert(tx, "lost").await?;
                panic!("on purpose")
            })
        });
        let panic = std::panic::AssertUnwindSafe(work).catch_unwind().await.unwrap_err();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"on purpose"), "{kind}");
        put(&store, "after").await.unwrap();
        assert_eq!(keys(&store).await, ["after"], "{kind}");
    }
}

#[tokio::test]
async fn a_taken_unique_key_is_named_alike() {
    for TestDatabase { kind, store, .. } in databases().await {
        put(&store, "a").await.unwrap();
        let error = put(&store, "a").await.unwrap_err();
        assert!(error.is_unique("settings.key"), "{kind}: {error:?}");
        assert!(!error.is_retryable());
    }
}

#[tokio::test]
async fn readers_cannot_write() {
    for TestDatabase { kind, store, .. } in databases().await {
        let outcome = store.read(|tx| Box::pin(async move { insert(tx, "a").await })).await;
        assert!(matches!(outcome, Err(StoreError::Database(_))), "{kind}: {outcome:?}");
        assert!(keys(&store).await.is_empty(), "{kind}");
    }
}

#[tokio::test]
async fn many_writers_are_all_served() {
    for TestDatabase { kind, store, .. } in databases().await {
        let works = (0..200).map(|number| {
            let store = store.clone();
            async move {
                store
                    .write(move |tx| {
                        Box::pin(async move { insert(tx, &format!("{number:03}")).await })
                    })
                    .await
            }
        });
        let outcomes: Vec<Result<(), StoreError>> = join_all(works).await;
        assert!(outcomes.iter().all(Result::is_ok), "{kind}");
        assert_eq!(keys(&store).await.len(), 200, "{kind}");
    }
}

#[tokio::test]
async fn closing_finishes_what_is_in_line() {
    for TestDatabase { kind, url, store, folder: _folder } in databases().await {
        let done = Arc::new(AtomicUsize::new(0));
        let works = (0..20).map(|number| {
            let (store, done) = (store.clone(), done.clone());
            async move {
                let key = format!("{number:03}");
                store
                    .write(move |tx| Box::pin(async move { insert(tx, &key).await }))
                    .await
                    .unwrap();
                done.fetch_add(1, Ordering::Relaxed);
            }
        });
        let works = join_all(works);
        tokio::join!(works, async {
            tokio::task::yield_now().await;
        });
        store.close().await;
        assert_eq!(done.load(Ordering::Relaxed), 20, "{kind}");
        assert!(matches!(put(&store, "late").await, Err(StoreError::Closed)), "{kind}");
        let again = Store::open(&url, StoreOptions::default()).await.unwrap();
        assert_eq!(keys(&again).await.len(), 20, "{kind}");
    }
}

#[tokio::test]
async fn an_unusable_address_is_refused_without_its_password() {
    for url in [
        "mysql://root:secret@host/db",
        "certdeck.db",
        "sqlite::memory:",
        "postgres://u:secret@[/db",
    ] {
        let error = Store::open(url, StoreOptions::default()).await.unwrap_err();
        assert!(matches!(error, StoreError::Address(_)), "{url}: {error:?}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[tokio::test]
async fn another_process_in_the_way_is_busy_and_later_is_not() {
    let TestDatabase { store, url, folder: _folder, .. } = crate::testing::sqlite().await;
    // Not still about to let go of the file, which the other store would have to wait for.
    store.close().await;
    let options = StoreOptions { patience: Duration::from_millis(20), ..Default::default() };
    let store = Store::open(&url, options).await.unwrap();
    let mut other = sqlx::SqliteConnection::connect(&url).await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let error = put(&store, "a").await.unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
    sqlx::query("COMMIT").execute(&mut other).await.unwrap();
    put(&store, "a").await.unwrap();
    assert_eq!(keys(&store).await, ["a"]);
}

#[tokio::test]
async fn a_lost_transaction_is_never_answered_as_done() {
    let TestDatabase { store, folder: _folder, .. } = crate::testing::sqlite().await;
    // SQLite ends a transaction by itself on a full disk, for one; here the work does it.
    let losing = store.write::<(), StoreError, _>(|tx| {
        Box::pin(async move {
            insert(tx, "lost").await?;
            crate::on!(tx, |conn| {
                sqlx::query("ROLLBACK").execute(&mut *conn).await?;
            });
            Ok(())
        })
    });
    assert!(losing.await.is_err());
    put(&store, "after").await.unwrap();
    assert_eq!(keys(&store).await, ["after"]);
}

#[tokio::test]
async fn a_deadlock_ends_one_of_the_two_as_busy() {
    let Some(TestDatabase { store, .. }) = crate::testing::postgres().await else { return };
    let both_hold_one = Arc::new(tokio::sync::Barrier::new(2));
    let work = |first: &'static str, second: &'static str| {
        let barrier = both_hold_one.clone();
        store.write::<(), StoreError, _>(move |tx| {
            Box::pin(async move {
                tx.lock(first).await?;
                barrier.wait().await;
                tx.lock(second).await
            })
        })
    };
    let (left, right) = tokio::join!(work("a", "b"), work("b", "a"));
    let (lost, won) = if left.is_err() { (left, right) } else { (right, left) };
    assert!(won.is_ok());
    assert!(lost.is_err_and(|error| error.is_retryable()));
}

/// A thread's niceness and scheduling policy, with its name (proc(5), stat: 19, 41 and 2).
#[cfg(target_os = "linux")]
fn threads() -> Vec<(String, i64, i64)> {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    // A thread may end meanwhile.
    let stats =
        threads.filter_map(|one| std::fs::read_to_string(one.ok()?.path().join("stat")).ok());
    stats
        .map(|stat| {
            let (before, behind) = stat.rsplit_once(") ").unwrap();
            let name = before.split_once('(').unwrap().1.to_owned();
            let fields: Vec<&str> = behind.split(' ').collect();
            (name, fields[16].parse().unwrap(), fields[38].parse().unwrap())
        })
        .collect()
}

/// The writer and its connection finish what they do before they make room for each other, and are
/// no less important than others.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_writer_and_its_connection_are_batch_threads() {
    const SCHED_BATCH: i64 = 3;
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("one.db").display());
    let store = Store::open(&url, StoreOptions::default()).await.unwrap();
    let threads = threads();
    for name in ["store-writer", "sqlx-sqlite-wor"] {
        let batch =
            threads.iter().find(|(found, _, policy)| found == name && *policy == SCHED_BATCH);
        let (_, niceness, _) = batch.unwrap_or_else(|| panic!("no {name}: {threads:?}"));
        // Without rights, a thread of a nicer process stays as nice as that.
        assert!(
            *niceness == 0 || threads.iter().all(|(_, other, _)| other == niceness),
            "{threads:?}"
        );
    }
    store.close().await;
}
