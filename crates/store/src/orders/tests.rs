use domain::model::{CertificateStatus, KeyType, Origin, RevocationReason, Serial, SignatureHash};
use domain::{Name, NameSet};

use domain::model::Certificate;

use super::*;
use crate::Store;
use crate::bulk::LoadedOrder;
use crate::samples::{load, order, organizations};
use crate::search::{NameQuery, SearchFilter};
use crate::testing::{TestDatabase, databases, sqlite};

fn new(text: &str, at: i64) -> NewOrder {
    let names = NameSet::parse_list(text).unwrap();
    let common_name = names.iter().next().unwrap().clone();
    NewOrder {
        number: None,
        organization: OrganizationId(1),
        product: ProductId::from("ssl_plus"),
        common_name,
        names,
        status: OrderStatus::Pending,
        origin: Origin::Portal,
        coverage: Coverage::Single,
        ordered_at: Timestamp(at),
        issued_at: None,
        renews: None,
        auto_renew: false,
        validity_days: None,
        key_type: KeyType::EcP256,
        signature_hash: SignatureHash::Sha256,
        acme_url: None,
        acme_account: None,
        profile: None,
        requester: None,
        requester_name: Some("Ada".to_owned()),
        idempotency_key: None,
        note: None,
        certificate_until: None,
    }
}

async fn insert(store: &Store, order: NewOrder) -> Option<OrderNumber> {
    store
        .write(move |tx| {
            Box::pin(async move {
                Ok::<_, StoreError>(tx.insert_order(&order).await?.map(|order| order.number))
            })
        })
        .await
        .unwrap()
}

#[tokio::test]
async fn an_order_reads_as_it_was_written() {
    for database in databases().await {
        let store = &database.store;
        organizations(store, 1).await;
        let coverage = Coverage::MultiYear { years: 2, ends: Timestamp(99) };
        let order =
            NewOrder { coverage, number: Some(OrderNumber(12345)), ..new("b.test a.test", 7) };
        assert_eq!(
            insert(store, order.clone()).await,
            Some(OrderNumber(12345)),
            "{}",
            database.kind
        );
        let mut tx = store.reader().await.unwrap();
        let record = tx.order_record(OrderNumber(12345)).await.unwrap().unwrap();
        assert_eq!((record.order.names, record.order.coverage), (order.names, coverage));
        assert_eq!((record.requester_name.as_deref(), record.valid_till), (Some("Ada"), None));
        assert_eq!(tx.order(OrderNumber(1)).await.unwrap(), None);
    }
}

#[tokio::test]
async fn an_idempotency_key_is_used_once_until_it_is_released() {
    for database in databases().await {
        let store = &database.store;
        organizations(store, 1).await;
        let order = NewOrder { idempotency_key: Some("renew/1".to_owned()), ..new("a.test", 1) };
        let first = insert(store, order.clone()).await.unwrap();
        assert_eq!(insert(store, order.clone()).await, None, "{}", database.kind);
        let found =
            store.reader().await.unwrap().order_by_idempotency_key("renew/1").await.unwrap();
        assert_eq!(found, Some(first));
        let release =
            store.write(move |tx| Box::pin(async move { tx.release_order_key(first).await }));
        release.await.unwrap();
        assert!(insert(store, order).await.is_some_and(|second| second != first));
    }
}

#[tokio::test]
async fn a_state_is_left_once() {
    for database in databases().await {
        let store = &database.store;
        organizations(store, 1).await;
        let number = insert(store, new("a.test", 1)).await.unwrap();
        let reject = || {
            store.write(move |tx| {
                Box::pin(async move {
                    tx.lock_order(number).await?;
                    tx.move_order(number, OrderStatus::Pending, OrderStatus::Rejected).await
                })
            })
        };
        let (one, two) = tokio::join!(reject(), reject());
        assert_ne!(one.unwrap(), two.unwrap(), "{}", database.kind);
    }
}

#[tokio::test]
async fn certificates_are_counted_into_the_order() {
    for database in databases().await {
        let store = &database.store;
        organizations(store, 1).await;
        let number = insert(store, new("a.test", 1)).await.unwrap();
        store
            .write(move |tx| {
                Box::pin(async move {
                    let count = [
                        (CertificateKind::Original, 10, 100),
                        (CertificateKind::Duplicate, 20, 100),
                        (CertificateKind::Reissue, 30, 90),
                    ];
                    for (kind, at, until) in count {
                        tx.count_certificate(number, kind, Timestamp(at), Timestamp(until)).await?;
                    }
                    Ok::<_, StoreError>(())
                })
            })
            .await
            .unwrap();
        let record = store.reader().await.unwrap().order_record(number).await.unwrap().unwrap();
        assert_eq!(record.order.status, OrderStatus::Issued, "{}", database.kind);
        assert_eq!(
            (record.order.issued_at, record.valid_till),
            (Some(Timestamp(10)), Some(Timestamp(90)))
        );
        assert_eq!((record.certificates, record.reissues, record.duplicates), (3, 1, 1));
    }
}

#[tokio::test]
async fn pages_follow_one_another_under_every_sort() {
    for database in databases().await {
        let store = &database.store;
        organizations(store, 1).await;
        for at in 0..7 {
            // Equal times and names, so that the number has to break ties.
            insert(store, new(&format!("n{}.test", at / 3), at / 2)).await.unwrap();
        }
        let mut tx = store.reader().await.unwrap();
        let filter = OrderFilter { origin: Some(Origin::Portal), ..OrderFilter::default() };
        for sort in [OrderSort::Number, OrderSort::OrderedAt, OrderSort::CommonName] {
            for descending in [false, true] {
                let all = tx.orders_page(&filter, sort, descending, None, 100).await.unwrap();
                let mut walked = Vec::new();
                let mut after = None;
                loop {
                    let page =
                        tx.orders_page(&filter, sort, descending, after.as_ref(), 2).await.unwrap();
                    let Some(last) = page.last() else { break };
                    after = Some(sort.key(last));
                    walked.extend(page);
                }
                assert_eq!(walked, all, "{} {sort:?} {descending}", database.kind);
                assert_eq!(walked.len(), 7);
            }
        }
    }
}

#[tokio::test]
async fn names_filter_by_whole_domain_and_beginning() {
    for database in databases().await {
        let store = &database.store;
        organizations(store, 1).await;
        let shop = insert(store, new("shop.example.test", 1)).await.unwrap();
        let wild = insert(store, new("*.example.test", 2)).await.unwrap();
        let evil = insert(store, new("evil-example.test", 3)).await.unwrap();
        let mut tx = store.reader().await.unwrap();
        let name = |text: &str| Some(Name::parse(text).unwrap());
        for (filter, expected) in [
            (OrderFilter { name: name("*.example.test"), ..OrderFilter::default() }, vec![wild]),
            (
                OrderFilter { below: name("example.test"), ..OrderFilter::default() },
                vec![shop, wild],
            ),
            (
                OrderFilter { name_prefix: Some("evil".to_owned()), ..OrderFilter::default() },
                vec![evil],
            ),
            (OrderFilter { has_duplicates: Some(true), ..OrderFilter::default() }, vec![]),
        ] {
            let page = tx.orders_page(&filter, OrderSort::Number, false, None, 10).await.unwrap();
            let numbers: Vec<OrderNumber> = page.iter().map(|row| row.order.number).collect();
            assert_eq!(numbers, expected, "{} {filter:?}", database.kind);
        }
    }
}

#[tokio::test]
async fn new_names_take_the_place_of_the_old_ones_in_search() {
    for database in databases().await {
        let store = &database.store;
        organizations(store, 1).await;
        let number = insert(store, new("old.test", 1)).await.unwrap();
        rename(store, number, "new.test").await;
        let mut tx = store.reader().await.unwrap();
        for (text, count) in [("old.test", 0), ("new.test", 1)] {
            let filter = OrderFilter { name: text.parse().ok(), ..OrderFilter::default() };
            let page = tx.orders_page(&filter, OrderSort::Number, false, None, 10).await.unwrap();
            assert_eq!(page.len(), count, "{} {text}", database.kind);
        }
    }
}

/// Compares the trigram index with the orders that it is of.
const WHOLE: &str = "INSERT INTO orders_fts (orders_fts, rank) VALUES ('integrity-check', 1)";

/// How many orders are in the trigram index.
async fn indexed(store: &Store) -> i64 {
    let mut tx = store.reader().await.unwrap();
    let count = "SELECT count(*) FROM orders_fts_docsize";
    crate::on!(&mut tx, |conn| sqlx::query_scalar(count).fetch_one(&mut *conn).await.unwrap())
}

/// Writes so many orders that all that wait go into the trigram index; answers the last one.
async fn insert_many(store: &Store, at: i64) -> OrderNumber {
    let written: Result<OrderNumber, StoreError> = store
        .write(move |tx| {
            Box::pin(async move {
                let mut last = OrderNumber(0);
                for _ in 0..128 {
                    let order = tx.insert_order(&new("many.test", at)).await?;
                    last = order.ok_or(StoreError::NotFound)?.number;
                }
                Ok(last)
            })
        })
        .await;
    written.unwrap()
}

/// Gives an order another name.
async fn rename(store: &Store, number: OrderNumber, name: &'static str) {
    let renamed = store.write(move |tx| {
        Box::pin(async move {
            let order = tx.order(number).await?.ok_or(StoreError::NotFound)?;
            let names = NameSet::parse_list(name).unwrap();
            tx.set_order_names(&order, &name.parse().unwrap(), &names).await
        })
    });
    renamed.await.unwrap();
}

/// Names of orders that hold a text further on, latest first.
async fn found(store: &Store, text: &str) -> Vec<String> {
    let mut tx = store.reader().await.unwrap();
    let query = NameQuery::Substring(text.to_owned());
    let page = tx.search_orders(&query, &SearchFilter::default(), None, 10).await.unwrap();
    page.orders.into_iter().map(|(_, name)| name).collect()
}

#[tokio::test]
async fn names_are_found_while_they_wait_for_the_trigram_index_and_in_it() {
    let database = sqlite().await;
    let store = &database.store;
    organizations(store, 1).await;
    insert(store, new("first.waits.test", 1)).await.unwrap();
    insert(store, new("second.waits.test", 2)).await.unwrap();
    let both = ["second.waits.test", "first.waits.test"];
    assert_eq!(indexed(store).await, 0);
    assert_eq!(found(store, ".waits").await, both);
    insert_many(store, 3).await;
    assert_eq!(indexed(store).await, 130);
    assert_eq!(found(store, ".waits").await, both);
    insert(store, new("third.waits.test", 4)).await.unwrap();
    assert_eq!(indexed(store).await, 130);
    assert_eq!(found(store, ".waits").await, ["third.waits.test", both[0], both[1]]);
}

#[tokio::test]
async fn an_order_with_an_earlier_number_does_not_wait_for_the_trigram_index() {
    let database = sqlite().await;
    let store = &database.store;
    organizations(store, 1).await;
    insert(store, new("first.waits.test", 1)).await.unwrap();
    insert_many(store, 2).await;
    let imported = NewOrder { number: Some(OrderNumber(12_345)), ..new("old.waits.test", 0) };
    insert(store, imported).await.unwrap();
    assert_eq!(indexed(store).await, 130);
    assert_eq!(found(store, ".waits").await, ["first.waits.test", "old.waits.test"]);
    database.execute(WHOLE).await.unwrap();
}

#[tokio::test]
async fn the_trigram_index_holds_the_names_that_are_there_whatever_came_and_went_together() {
    let database = sqlite().await;
    let store = &database.store;
    organizations(store, 1).await;
    for at in 1..5 {
        // Written and changed in one work; then one that is undone.
        let changed: Result<(), StoreError> = store
            .write(move |tx| {
                Box::pin(async move {
                    let order = tx.insert_order(&new("first.test", at)).await?.unwrap();
                    let names = NameSet::parse_list("second.test").unwrap();
                    tx.set_order_names(&order, &"second.test".parse().unwrap(), &names).await
                })
            })
            .await;
        changed.unwrap();
        let undone: Result<(), StoreError> = store
            .write(move |tx| {
                Box::pin(async move {
                    tx.insert_order(&new("undone.test", at)).await?;
                    Err(StoreError::NotFound)
                })
            })
            .await;
        undone.unwrap_err();
        // So many that all are indexed; some leave the index again, some leave before.
        let last = insert_many(store, at).await;
        database.execute(WHOLE).await.unwrap();
        rename(store, last, "renamed.test").await;
    }
    insert_many(store, 5).await;
    database.execute(WHOLE).await.unwrap();
    let expected = [["second.test"; 4], ["renamed.test"; 4]].concat();
    let mut names = found(store, "d.test").await;
    names.sort_unstable_by(|one, other| other.cmp(one));
    assert_eq!(names, expected);
}

#[tokio::test]
async fn several_orders_come_with_their_certificates_in_the_order_of_their_numbers() {
    for TestDatabase { kind, store, .. } in databases().await {
        let orders = (1..=5).map(|number| order(number, 1, "ssl_plus", &["www.example.com"]));
        let mut orders: Vec<LoadedOrder> = orders.collect();
        orders[0].file.certificates.clear();
        let at = Timestamp(1_700_000_000);
        let revoked = CertificateStatus::Revoked { reason: RevocationReason::KeyCompromise, at };
        let due = CertificateStatus::RevocationPending { due: at };
        for (place, status) in [revoked, due].into_iter().enumerate() {
            let original = orders[2].file.certificates[0].clone();
            let serial = Serial(format!("{:032x}", 9 - place));
            let kind = CertificateKind::Duplicate;
            orders[2].file.certificates.push(Certificate { serial, kind, status, ..original });
        }
        load(&store, orders).await;
        let mut tx = store.reader().await.unwrap();
        let numbers = [3, 99, 1, 5].map(OrderNumber);
        let files = tx.order_files(&numbers).await.unwrap();
        let found = files.iter().map(|file| (file.order.number.0, file.certificates.len()));
        assert_eq!(found.collect::<Vec<_>>(), [(3, 3), (1, 0), (5, 1)], "{kind}");
        for file in files {
            let alone = tx.order_file(file.order.number).await.unwrap();
            assert_eq!(alone, Some(file), "{kind}");
        }
        assert_eq!(tx.order_files(&[]).await.unwrap(), [], "{kind}");
    }
}
