use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};

use super::*;

const QUICK: Pace = Pace { works: 10, long: 60 };

/// Pages in the log, of which all that can be are carried over.
async fn log(writer: &mut SqliteConnection) -> i64 {
    let (busy, pages, _): (i64, i64, i64) =
        sqlx::query_as(PASSIVE).fetch_one(writer).await.unwrap();
    assert_eq!(busy, 0, "somebody else is at it");
    pages
}

#[tokio::test]
async fn a_long_log_is_carried_over_beside_the_writer_and_begins_anew() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteConnectOptions::new()
        .filename(folder.path().join("log.sqlite"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .pragma("wal_autocheckpoint", "0");
    let mut writer = options.connect().await.unwrap();
    sqlx::query("CREATE TABLE works (it TEXT)").execute(&mut writer).await.unwrap();
    let mut checkpoints = Checkpoints::beside(options, QUICK);
    let mut works = 0_usize;
    let insert = "INSERT INTO works (it) VALUES (hex(randomblob(3000)))";
    tokio::time::timeout(Duration::from_mins(1), async {
        loop {
            sqlx::query(insert).execute(&mut writer).await.unwrap();
            works += 1;
            if checkpoints.committed(1) {
                break;
            }
        }
    })
    .await
    .expect("no checkpoint came beside the writer");
    checkpoints.end().await;
    // What is left is the writer's part; the next work then finds the log empty.
    assert!(log(&mut writer).await >= QUICK.long);
    sqlx::query(insert).execute(&mut writer).await.unwrap();
    let pages = log(&mut writer).await;
    assert!(pages < QUICK.long, "{pages} pages stand in the log that was to begin anew");
    let found: i64 =
        sqlx::query_scalar("SELECT count(*) FROM works").fetch_one(&mut writer).await.unwrap();
    assert_eq!(usize::try_from(found).unwrap(), works + 1);
}
