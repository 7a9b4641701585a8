//! The two schemas are one: tables, columns, nullability, kinds of type and unique keys are read
//! from live databases and compared.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{Connection, PgConnection, SqliteConnection};

/// `table.column` → kind of type and whether it may be null.
type Columns = BTreeMap<String, (String, bool)>;
/// `table(columns)` of every unique key, primary keys included.
type Keys = BTreeSet<String>;

/// SQLite keeps a full-text index in tables of its own.
const SQLITE_ONLY: &str = "order_names_fts";

async fn of_sqlite(url: &str) -> (Columns, Keys) {
    let mut connection = SqliteConnection::connect(url).await.unwrap();
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '\\_sqlx%' ESCAPE '\\'",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    let mut columns = Columns::new();
    let mut keys = Keys::new();
    for table in tables.iter().filter(|table| !table.starts_with(SQLITE_ONLY)) {
        let rows: Vec<(String, String, bool, i64)> = sqlx::query_as(
            "SELECT name, type, \"notnull\" = 0, pk FROM pragma_table_info($1) ORDER BY pk",
        )
        .bind(table)
        .fetch_all(&mut connection)
        .await
        .unwrap();
        for (name, kind, nullable, _) in &rows {
            columns.insert(format!("{table}.{name}"), (kind.clone(), *nullable));
        }
        let primary: Vec<&str> =
            rows.iter().filter(|row| row.3 > 0).map(|row| row.0.as_str()).collect();
        keys.insert(format!("{table}({})", primary.join(",")));
        let unique: Vec<String> = sqlx::query_scalar(
            "SELECT (SELECT group_concat(name) FROM (SELECT name FROM pragma_index_info(list.name) ORDER BY seqno)) \
             FROM pragma_index_list($1) AS list WHERE \"unique\"",
        )
        .bind(table)
        .fetch_all(&mut connection)
        .await
        .unwrap();
        keys.extend(unique.iter().map(|columns| format!("{table}({columns})")));
    }
    (columns, keys)
}

async fn of_postgres(url: &str) -> (Columns, Keys) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let rows: Vec<(String, String, String, bool)> = sqlx::query_as(
        "SELECT table_name::text, column_name::text, data_type::text, is_nullable = 'YES' \
         FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> '_sqlx_migrations'",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    let columns = rows
        .into_iter()
        .map(|(table, column, kind, nullable)| (format!("{table}.{column}"), (kind, nullable)))
        .collect();
    let keys: Vec<String> = sqlx::query_scalar(
        "SELECT c.relname || '(' || (SELECT string_agg(a.attname, ',' ORDER BY k.place) \
           FROM unnest(i.indkey) WITH ORDINALITY AS k (number, place) \
           JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number) || ')' \
         FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE i.indisunique AND n.nspname = 'public' AND c.relname <> '_sqlx_migrations'",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    (columns, keys.into_iter().collect())
}

/// One word for types that hold the same.
fn kind(declared: &str) -> &'static str {
    match declared.to_ascii_lowercase().as_str() {
        "integer" | "bigint" => "integer",
        "boolean" => "boolean",
        "text" => "text",
        "blob" | "bytea" => "bytes",
        _ => "not allowed",
    }
}

#[tokio::test]
async fn both_schemas_are_the_same() {
    let Some(postgres) = crate::testing::postgres().await else { return };
    let sqlite = crate::testing::sqlite().await;
    let (mut left, left_keys) = of_sqlite(&sqlite.url).await;
    let (mut right, right_keys) = of_postgres(&postgres.url).await;
    for (declared, _) in left.values_mut().chain(right.values_mut()) {
        *declared = kind(declared).to_owned();
    }
    assert!(left.len() > 300, "only {} columns were read", left.len());
    assert!(left_keys.contains("users(email)"), "unique keys were not read");
    assert!(left.values().all(|(kind, _)| kind != "not allowed"), "{left:#?}");
    for (name, column) in &left {
        assert_eq!(right.get(name), Some(column), "{name} differs");
    }
    let only_right: Vec<&String> = right.keys().filter(|name| !left.contains_key(*name)).collect();
    assert!(only_right.is_empty(), "only on PostgreSQL: {only_right:?}");
    assert_eq!(left_keys, right_keys);
}

#[tokio::test]
async fn the_schema_is_current_after_migrating_and_not_before() {
    for database in crate::testing::databases().await {
        assert!(database.store.schema_is_current().await.unwrap(), "{}", database.kind);
        // A second run changes nothing.
        database.store.migrate().await.unwrap();
        assert!(database.store.schema_is_current().await.unwrap(), "{}", database.kind);
    }
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("empty.db").display());
    let store = crate::Store::open(&url, crate::StoreOptions::default()).await.unwrap();
    assert!(!store.schema_is_current().await.unwrap());
    store.ping().await.unwrap();
}

#[tokio::test]
async fn a_database_that_is_not_there_is_told_from_a_busy_one() {
    let patience = std::time::Duration::from_millis(50);
    let options = crate::StoreOptions { patience, ..crate::StoreOptions::default() };
    let nobody = "postgres://nobody@127.0.0.1:1/nothing";
    let Err(error) = crate::Store::open(nobody, options).await else { panic!("opened") };
    assert!(matches!(error, crate::StoreError::Unreachable(_)), "{error:?}");
    assert!(!error.is_retryable());
    let reason = std::error::Error::source(&error).unwrap().to_string();
    assert!(reason.contains("refused"), "{reason}");
}
