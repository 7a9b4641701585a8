//! The two schemas are one: tables, columns, nullability, kinds of type and unique keys are read
//! from live databases and compared.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{Connection, PgConnection, SqliteConnection};

use crate::StoreError;

/// `table.column` → kind of type and whether it may be null.
type Columns = BTreeMap<String, (String, bool)>;
/// `table(columns)` of every unique key, primary keys included.
type Keys = BTreeSet<String>;

/// SQLite keeps a full-text index in tables of its own.
const SQLITE_ONLY: &str = "orders_fts";

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
async fn a_newer_programs_database_is_left_alone_and_said_to_be_one() {
    for database in crate::testing::databases().await {
        database
            .execute(
                "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                 VALUES (9999, 'of later', TRUE, '', 0)",
            )
            .await
            .unwrap();
        let error = database.store.migrate().await.unwrap_err();
        assert!(matches!(error, StoreError::Newer { migration: 9999 }), "{error:?}");
        assert!(!database.store.schema_is_current().await.unwrap(), "{}", database.kind);
    }
}

/// Rows as version 6 kept them: an order with one certificate that was issued and one that is being
/// made, another that was refused, and an authorization with its challenges.
const ROWS_OF_VERSION_6: [&str; 11] = [
    "INSERT INTO organizations (id, name, country, created_at) VALUES (7, 'Ours', 'US', 1)",
    "INSERT INTO domains (name, organization_id, validated_until, method, token, created_at) VALUES \
     ('withdrawn.test', 7, NULL, 'administrator', 't', 1), ('held.test', 7, 99, 'dns-txt', 'u', 1)",
    "INSERT INTO authorities (id, kind, certificate_pem, created_at, active) \
     VALUES ('ca', 'intermediate', 'PEM', 1, TRUE)",
    "INSERT INTO orders (number, organization_id, product_id, common_name, names, names_key, status, \
     origin, ordered_at, key_type, signature_hash) VALUES \
     (12345, 7, 'ssl_plus', 'a.test', '[\"a.test\"]', 'k', 'issued', 'portal', 5, 'ec_p256', 'sha256'), \
     (12346, 7, 'ssl_plus', 'b.test', '[\"b.test\"]', 'l', 'rejected', 'portal', 6, 'ec_p256', 'sha256')",
    "INSERT INTO order_names (order_number, name, reversed, is_common_name, organization_id, \
     product_id, ordered_at) VALUES (12345, 'a.test', 'tset.a', TRUE, 7, 'ssl_plus', 5), \
     (12346, 'b.test', 'tset.b', TRUE, 7, 'ssl_plus', 6)",
    "INSERT INTO requests (kind, status, order_number, created_at) VALUES \
     ('revoke', 'pending', 12345, 1), ('duplicate', 'pending', 12345, 1)",
    "INSERT INTO crls (issuer_id, number, der, this_update, next_update) VALUES ('ca', 3, '', 1, 9)",
    "INSERT INTO issuances (serial, order_number, kind, plan, state, idempotency_key, created_at, \
     finished_at) VALUES ('0a', 12345, 'original', '{\"n\":1}', 'issued', 'once', 8, 9), \
     ('0b', 12345, 'duplicate', '{\"n\":2}', 'reserved', NULL, 10, NULL)",
    "INSERT INTO acme_accounts (id, thumbprint, jwk, status, created_at) \
     VALUES (2, 'print', '{}', 'valid', 1)",
    "INSERT INTO acme_authorizations (id, account_id, identifier_kind, identifier_value, status, \
     expires_at, created_at) VALUES (3, 2, 'dns', 'a.test', 'pending', 99, 1)",
    "INSERT INTO acme_challenges (authorization_id, kind, token, status, attempts, created_at) \
     VALUES (3, 'http-01', 'tok1', 'pending', 2, 1), (3, 'dns-01', 'tok2', 'valid', 1, 1)",
];

async fn told(store: &crate::Store, sql: &'static str) -> Vec<String> {
    let mut tx = store.reader().await.unwrap();
    crate::on!(&mut tx, |conn| sqlx::query_scalar(sql).fetch_all(&mut *conn).await.unwrap())
}

#[tokio::test]
async fn a_database_of_an_earlier_version_keeps_what_is_in_it() {
    for database in crate::testing::databases_at(6).await.unwrap() {
        let (kind, store) = (database.kind, &database.store);
        assert!(!store.schema_is_current().await.unwrap(), "{kind}");
        for row in ROWS_OF_VERSION_6 {
            database.execute(row).await.unwrap();
        }
        store.migrate().await.unwrap();
        assert!(store.schema_is_current().await.unwrap(), "{kind}");
        let issuances = "SELECT id || ' ' || serial || ' ' || order_number || ' ' || kind || ' ' || plan \
                         || ' ' || state || ' ' || COALESCE(idempotency_key, '-') || ' ' || created_at \
                         || ' ' || COALESCE(finished_at, 0) FROM issuances ORDER BY id";
        assert_eq!(
            told(store, issuances).await,
            [
                "1 0a 12345 original  issued once 8 9",
                "2 0b 12345 duplicate {\"n\":2} reserved - 10 0"
            ],
            "{kind}"
        );
        let challenges = "SELECT id || ' ' || authorization_id || ' ' || kind || ' ' || token || ' ' \
                          || status || ' ' || attempts FROM acme_challenges ORDER BY id";
        assert_eq!(
            told(store, challenges).await,
            ["1 3 http-01 tok1 pending 2", "2 3 dns-01 tok2 valid 1"],
            "{kind}"
        );
        let without = "SELECT CAST(id AS TEXT) FROM acme_authorizations WHERE without_order";
        assert_eq!(told(store, without).await, ["3"], "{kind}");
        let requests = "SELECT kind || ' ' || COALESCE(product_id, '-') || ' ' || \
                        COALESCE(organization_id, 0) || ' ' || COALESCE(common_name, '-') || ' ' || \
                        COALESCE(names, '-') FROM requests ORDER BY id";
        assert_eq!(
            told(store, requests).await,
            ["revoke ssl_plus 7 a.test [\"a.test\"]", "duplicate - 0 - -"],
            "{kind}"
        );
        // Numbers go on where they were, also where a table was made anew.
        for (sql, next) in [
            (
                "INSERT INTO issuances (serial, order_number, kind, plan, state, created_at) \
                 VALUES ('0c', 12345, 'reissue', '', 'issued', 12) RETURNING CAST(id AS TEXT)",
                3,
            ),
            (
                "INSERT INTO acme_challenges (authorization_id, kind, token, status, created_at) \
                 VALUES (3, 'tls-alpn-01', 'tok3', 'pending', 1) RETURNING CAST(id AS TEXT)",
                3,
            ),
        ] {
            let id: String = store
                .write(move |tx| {
                    Box::pin(async move {
                        Ok::<_, StoreError>(crate::on!(tx, |conn| {
                            sqlx::query_scalar(sql).fetch_one(&mut *conn).await?
                        }))
                    })
                })
                .await
                .unwrap();
            assert_eq!(id, next.to_string(), "{kind}");
        }
        let mut tx = store.reader().await.unwrap();
        let part = crate::search::NameQuery::Substring(".tes".to_owned());
        let found = tx
            .search_orders(&part, &crate::search::SearchFilter::default(), None, 9)
            .await
            .unwrap()
            .orders;
        let found: Vec<i64> = found.iter().map(|(order, _)| order.number.0).collect();
        assert_eq!(found, [12346, 12345], "{kind}");
        let crl = tx.latest_crl("ca").await.unwrap().unwrap();
        assert_eq!((crl.number, crl.outdated), (3, false), "{kind}");
        let domains = tx.domains_named(domain::OrganizationId(7), &["withdrawn.test", "held.test"]);
        for domain in domains.await.unwrap() {
            assert_eq!(domain.proof.is_some(), domain.name.as_str() == "held.test", "{kind}");
        }
    }
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
    assert!(matches!(error, StoreError::Unreachable(_)), "{error:?}");
    assert!(!error.is_retryable());
    let reason = std::error::Error::source(&error).unwrap().to_string();
    assert!(reason.contains("refused"), "{reason}");
}

/// Orders, names and sealed keys: for the portal alone, whatever the folder lets through.
#[tokio::test]
async fn a_new_database_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("portal.db").display());
    let store = crate::Store::open(&url, crate::StoreOptions::default()).await.unwrap();
    store.migrate().await.unwrap();
    let mut seen = 0;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        seen += 1;
    }
    assert!(seen >= 2, "the log beside it as well");
}
