use std::cell::Cell;
use std::time::Duration;

use futures::future::join;
use futures::{FutureExt, poll};
use tokio::sync::oneshot;

use super::*;
use crate::testing::databases;
use crate::{StoreError, StoreOptions};

/// The databases, each with so few connections for reading.
async fn with_readers(readers: u32) -> Vec<(Store, crate::testing::TestDatabase)> {
    let mut stores = Vec::new();
    for database in databases().await {
        let options =
            StoreOptions { readers, patience: Duration::from_mins(1), ..StoreOptions::default() };
        stores.push((Store::open(&database.url, options).await.unwrap(), database));
    }
    stores
}

#[tokio::test]
async fn readings_of_a_work_take_one_connection_and_give_it_back_at_its_end() {
    for (store, _database) in with_readers(1).await {
        let (between, until_then) = oneshot::channel();
        let (in_line, until_in_line) = oneshot::channel();
        let ended = Cell::new(false);
        let work = store.with_one_reader(async {
            store.ping().await.unwrap();
            between.send(()).unwrap();
            until_in_line.await.unwrap();
            store.ping().await.unwrap();
        });
        let others = async {
            until_then.await.unwrap();
            let mut other = std::pin::pin!(store.reader());
            assert!(poll!(&mut other).is_pending());
            in_line.send(()).unwrap();
            other.await.unwrap();
            assert!(ended.get(), "the work gave its connection back before its end");
        };
        let work = work.map(|()| ended.set(true));
        join(work, others).await;
        store.close().await;
    }
}

/// As a page does that has read what it shows, and is being written.
#[tokio::test]
async fn what_was_given_back_goes_to_others() {
    for (store, _database) in with_readers(1).await {
        let (given_back, until_given_back) = oneshot::channel();
        let (read, until_read) = oneshot::channel();
        let work = store.with_one_reader(async {
            store.ping().await.unwrap();
            store.give_back_reader();
            given_back.send(()).unwrap();
            until_read.await.unwrap();
            store.ping().await.unwrap();
        });
        let others = async {
            until_given_back.await.unwrap();
            store.ping().await.unwrap();
            read.send(()).unwrap();
        };
        join(work, others).await;
        store.close().await;
    }
}

/// As a page does that notes when its session was seen.
#[tokio::test]
async fn who_waits_to_write_keeps_nobody_from_reading() {
    for (store, _database) in with_readers(1).await {
        let (writing, until_writing) = oneshot::channel();
        let (read, until_read) = oneshot::channel();
        let work = store.with_one_reader(async {
            store.ping().await.unwrap();
            let written: Result<(), StoreError> = store
                .write(move |_| {
                    Box::pin(async move {
                        writing.send(()).unwrap();
                        until_read.await.unwrap();
                        Ok(())
                    })
                })
                .await;
            written.unwrap();
            store.ping().await.unwrap();
        });
        let others = async {
            until_writing.await.unwrap();
            store.ping().await.unwrap();
            read.send(()).unwrap();
        };
        join(work, others).await;
        store.close().await;
    }
}

#[tokio::test]
async fn two_readings_at_once_wait_for_whichever_connection_is_free_first() {
    for (store, _database) in with_readers(1).await {
        store
            .with_one_reader(async {
                let first = store.reader().await.unwrap();
                let mut second = std::pin::pin!(store.reader());
                assert!(poll!(&mut second).is_pending());
                drop(first);
                second.await.unwrap();
            })
            .await;
        store.close().await;
    }
    for (store, _database) in with_readers(2).await {
        store
            .with_one_reader(async {
                let _first = store.reader().await.unwrap();
                store.ping().await.unwrap();
            })
            .await;
        store.close().await;
    }
}

#[tokio::test]
async fn another_store_is_read_by_connections_of_its_own() {
    let (ours, theirs) = (with_readers(1).await, with_readers(1).await);
    for ((ours, _database), (theirs, database)) in ours.into_iter().zip(theirs) {
        theirs.close().await;
        ours.with_one_reader(async {
            ours.ping().await.unwrap();
            let refused = theirs.reader().now_or_never();
            assert!(matches!(refused, Some(Err(_))), "{}: read through ours", database.kind);
        })
        .await;
        ours.close().await;
    }
}
