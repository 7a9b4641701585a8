use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::samples::{NOW, load, order};
use crate::testing::{TestDatabase, postgres, sqlite};
use crate::{StoreOptions, on};

async fn orders(store: &Store) -> Vec<i64> {
    let mut tx = store.reader().await.unwrap();
    on!(&mut tx, |conn| sqlx::query_scalar("SELECT number FROM orders ORDER BY number")
        .fetch_all(&mut *conn)
        .await
        .unwrap())
}

async fn add(store: &Store, number: i64) {
    let orders = vec![order(number, 1, "ssl_plus", &["a.example.com"])];
    store.load_orders(orders, 1, NOW, None, |_| {}).await.unwrap();
}

#[tokio::test]
async fn a_backup_holds_what_was_there_and_a_restore_brings_it_back() {
    let TestDatabase { store, url, folder, .. } = sqlite().await;
    let folder = folder.unwrap();
    let file = folder.path().join("backup.db");
    load(&store, vec![order(1, 1, "ssl_plus", &["a.example.com"])]).await;
    let size = store.backup(&file).await.unwrap();
    assert_eq!(size, file.metadata().unwrap().len());
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(matches!(store.backup(&file).await, Err(BackupError::Exists(_))));
    add(&store, 2).await;

    assert!(matches!(restore(&file, &url).await, Err(BackupError::InUse(_))), "the store is open");
    assert_eq!(orders(&store).await, [1, 2]);
    store.close().await;

    // As it may come from elsewhere.
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    for round in ["before-restore", "before-restore.2"] {
        let restored = restore(&file, &url).await.unwrap();
        let mode = restored.database.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "nobody else reads it");
        assert!(restored.previous.unwrap().ends_with(format!("test.db.{round}")));
    }
    let store = Store::open(&url, StoreOptions::default()).await.unwrap();
    assert!(store.schema_is_current().await.unwrap());
    assert_eq!(orders(&store).await, [1]);
    add(&store, 3).await;
    store.close().await;

    let previous = format!("{url}.before-restore");
    let store = Store::open(&previous, StoreOptions::default()).await.unwrap();
    assert_eq!(orders(&store).await, [1, 2], "what was there before is kept");
    store.close().await;
}

#[tokio::test]
async fn who_is_about_to_let_go_is_waited_for() {
    let TestDatabase { store, url, folder: _folder, .. } = sqlite().await;
    let closing = async {
        // Long enough for the first attempt.
        tokio::time::sleep(Duration::from_millis(300)).await;
        store.close().await;
    };
    let (unused, ()) = tokio::join!(check_unused(&url), closing);
    unused.unwrap();
}

#[tokio::test]
async fn what_cannot_be_read_is_not_called_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("portal.db");
    fs::write(&file, "not a database at all, but longer than a header".repeat(100)).unwrap();
    let error = check_unused(&format!("sqlite://{}", file.display())).await.unwrap_err();
    assert!(matches!(&error, BackupError::Unreadable { .. }), "{error:?}");
    assert!(error.to_string().contains("move the file away"), "{error}");
}

#[test]
fn a_database_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("portal.db");
    let url = format!("sqlite://{}", file.display());
    assert_eq!(missing(&url), Some(file.clone()));
    fs::write(&file, "").unwrap();
    assert_eq!(missing(&url), None);
    assert_eq!(missing("postgres://localhost/portal"), None);
}

#[tokio::test]
async fn writers_go_on_during_a_backup() {
    let TestDatabase { store, folder, .. } = sqlite().await;
    let folder = folder.unwrap();
    load(
        &store,
        (1..=3000).map(|number| order(number, 1, "ssl_plus", &["a.example.com"])).collect(),
    )
    .await;
    let file = folder.path().join("backup.db");
    let write = async {
        let outcome: Result<(), StoreError> = store
            .write(|tx| {
                Box::pin(async move {
                    on!(tx, |conn| {
                        sqlx::query("UPDATE orders SET note = 'x'").execute(&mut *conn).await?;
                    });
                    Ok(())
                })
            })
            .await;
        outcome.unwrap();
    };
    let (size, ()) = tokio::join!(store.backup(&file), write);
    assert!(size.unwrap() > 1_000_000);
    let copy = Store::open(&format!("sqlite://{}", file.display()), StoreOptions::default())
        .await
        .unwrap();
    let mut tx = copy.reader().await.unwrap();
    let noted: i64 =
        on!(&mut tx, |conn| sqlx::query_scalar("SELECT count(*) FROM orders WHERE note = 'x'")
            .fetch_one(&mut *conn)
            .await
            .unwrap());
    assert!(noted == 0 || noted == 3000, "a copy is of one moment, not {noted}");
}

#[tokio::test]
async fn what_is_not_a_backup_is_refused_and_the_database_stays() {
    let TestDatabase { store, url, folder, .. } = sqlite().await;
    let folder = folder.unwrap();
    load(&store, vec![order(1, 1, "ssl_plus", &["a.example.com"])]).await;
    let backup = folder.path().join("backup.db");
    store.backup(&backup).await.unwrap();
    store.close().await;
    let text = folder.path().join("text");
    fs::write(&text, "not a database at all").unwrap();
    let damaged = folder.path().join("damaged");
    let mut bytes = fs::read(&backup).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8192].fill(0xa5);
    fs::write(&damaged, bytes).unwrap();
    let newer = folder.path().join("newer");
    fs::copy(&backup, &newer).unwrap();
    let mut connection = SqliteConnectOptions::new().filename(&newer).connect().await.unwrap();
    sqlx::query("UPDATE _sqlx_migrations SET version = 99 WHERE version = 1")
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    for (file, why) in [(text, "not an SQLite"), (damaged, "damaged"), (newer, "another version")] {
        let error = restore(&file, &url).await.unwrap_err();
        assert!(matches!(&error, BackupError::Unusable { .. }), "{error:?}");
        assert!(error.to_string().contains(why), "{error}");
    }
    let missing = restore(Path::new("/nonexistent"), &url).await;
    assert!(matches!(missing, Err(BackupError::File { .. })));
    let store = Store::open(&url, StoreOptions::default()).await.unwrap();
    assert_eq!(orders(&store).await, [1]);
}

#[tokio::test]
async fn postgres_is_left_to_its_own_tools() {
    let Some(TestDatabase { store, url, .. }) = postgres().await else { return };
    let error = store.backup(Path::new("/tmp/never-written")).await.unwrap_err();
    assert!(error.to_string().contains("pg_dump"));
    assert!(matches!(restore(Path::new("/tmp/x"), &url).await, Err(BackupError::UsePostgresTools)));
}
