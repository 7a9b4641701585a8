use domain::{CertificateId, OrderNumber, OrganizationId};

use super::*;
use crate::on;
use crate::samples::{NOW, load, order, organizations};
use crate::search::{NameQuery, SearchFilter};
use crate::seed::Seed;
use crate::testing::{TestDatabase, databases};

async fn count(store: &Store, sql: &'static str) -> i64 {
    let mut tx = store.reader().await.unwrap();
    on!(&mut tx, |conn| sqlx::query_scalar(sql).fetch_one(&mut *conn).await.unwrap())
}

/// As read back: with the ids that the database gave taken off.
async fn read(store: &Store, number: OrderNumber) -> OrderFile {
    let mut file = store.reader().await.unwrap().order_file(number).await.unwrap().unwrap();
    file.certificates.iter_mut().for_each(|certificate| certificate.id = CertificateId(0));
    file
}

#[tokio::test]
async fn what_is_loaded_is_read_back_unchanged() {
    for TestDatabase { kind, store, .. } in databases().await {
        organizations(&store, 2).await;
        let seed = Seed {
            orders: 300,
            seed: 7,
            now: NOW,
            first_number: OrderNumber(12_345),
            organizations: vec![OrganizationId(1), OrganizationId(2)],
        };
        let orders: Vec<LoadedOrder> = seed.orders().collect();
        let loaded = store.load_orders(orders.clone(), 300, NOW, None, |_| {}).await.unwrap();
        assert_eq!(loaded, 300, "{kind}");
        for order in &orders {
            assert_eq!(read(&store, order.file.order.number).await, order.file, "{kind}");
        }
    }
}

#[tokio::test]
async fn a_taken_number_loads_nothing() {
    for TestDatabase { kind, store, .. } in databases().await {
        load(&store, vec![order(5, 1, "ssl_plus", &["a.example.com"])]).await;
        let more = vec![
            order(6, 1, "ssl_plus", &["b.example.com"]),
            order(5, 1, "ssl_plus", &["c.example.com"]),
        ];
        let error = store.load_orders(more, 2, NOW, None, |_| {}).await.unwrap_err();
        assert!(error.is_unique("orders.number"), "{kind}: {error:?}");
        assert_eq!(count(&store, "SELECT count(*) FROM orders").await, 1, "{kind}");
        // The store still writes.
        load_more(&store, 7).await;
    }
}

async fn load_more(store: &Store, number: i64) {
    let orders = vec![order(number, 1, "ssl_plus", &["d.example.com"])];
    store.load_orders(orders, 1, NOW, None, |_| {}).await.unwrap();
}

#[tokio::test]
async fn the_next_number_follows_the_highest_loaded_one() {
    for TestDatabase { kind, store, .. } in databases().await {
        load(&store, vec![order(555_123_456, 1, "ssl_plus", &["a.example.com"])]).await;
        load_more(&store, 77).await;
        let sql = "INSERT INTO orders (organization_id, product_id, common_name, names, names_key, status, origin, \
                   ordered_at, key_type, signature_hash) \
                   VALUES (1, 'ssl_plus', 'a', '[]', '', 'pending', 'portal', 0, 'rsa2048', 'sha256') RETURNING number";
        let number: Result<i64, StoreError> = store
            .write(move |tx| {
                Box::pin(async move {
                    Ok(on!(tx, |conn| sqlx::query_scalar(sql).fetch_one(&mut *conn).await?))
                })
            })
            .await;
        assert_eq!(number.unwrap(), 555_123_457, "{kind}");
    }
}

#[tokio::test]
async fn a_large_load_builds_the_same_indexes_again() {
    const SCHEMA: &str = "SELECT count(*) FROM sqlite_master WHERE type IN ('index', 'trigger')";
    let TestDatabase { store, folder: _folder, .. } = crate::testing::sqlite().await;
    let before = count(&store, SCHEMA).await;
    organizations(&store, 1).await;
    let orders = (1..=20).map(|number| order(number, 1, "ssl_plus", &["big.example.com"]));
    // It only claims to be large.
    store.load_orders(orders, 1_000_000, NOW, None, |_| {}).await.unwrap();
    assert_eq!(count(&store, SCHEMA).await, before);
    load_more(&store, 99).await;
    for (typed, found) in [("ig.exam", 20), ("d.exam", 1)] {
        let query = NameQuery::typed(typed).unwrap();
        let mut tx = store.reader().await.unwrap();
        let page = tx.search_orders(&query, &SearchFilter::default(), None, 50).await.unwrap();
        assert_eq!(page.orders.len(), found, "{typed}");
    }
}
