//! `certdeck worker`, beside or without a portal.

use store::testing::postgres;
use tokio::net::TcpListener;

use super::portal::{PATIENCE, Running, certdeck};

#[tokio::test]
async fn a_worker_does_the_background_work() {
    let Some(database) = postgres().await else { return };
    database
        .execute(
            "INSERT INTO one_time_links (token_hash, created_at, expires_at) VALUES ('old', 1, 2)",
        )
        .await
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut command = certdeck(folder.path(), &["worker"]);
    command.env("CERTDECK_DATABASE_URL", &database.url);
    let mut worker = Running::spawn(command);
    worker.line_with("working").await;
    let swept = async {
        while database.store.reader().await.unwrap().link("old").await.unwrap().is_some() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, swept).await.unwrap();
    worker.terminate().await;
    assert_eq!(worker.code().await, Some(0));
}

#[tokio::test]
async fn a_worker_that_still_opens_its_database_ends_when_asked() {
    // Takes connections and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("postgres://nobody@{}/none", silent.local_addr().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let mut command = certdeck(folder.path(), &["worker"]);
    command.env("CERTDECK_DATABASE_URL", url);
    let worker = Running::spawn(command);
    let _connection = silent.accept().await.unwrap();
    worker.terminate().await;
    assert_eq!(worker.code().await, Some(0));
}
