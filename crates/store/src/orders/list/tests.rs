use domain::model::{OrderStatus, Origin};
use domain::time::DAY;

use super::*;
use crate::orders::ListedOrder;
use crate::samples::{NOW, organizations};
use crate::seed::Seed;
use crate::testing::{TestDatabase, databases};

const SORTS: [OrderSort; 5] = [
    OrderSort::Number,
    OrderSort::OrderedAt,
    OrderSort::ValidTill,
    OrderSort::CommonName,
    OrderSort::CertificateEnd,
];

/// Every choice for each of six filters, all together.
fn every_mix() -> Vec<OrderFilter> {
    let mut mixes = vec![OrderFilter::default()];
    let mut cross = |choices: &[fn(&mut OrderFilter)]| {
        let with = |mix: &OrderFilter, choose: &fn(&mut OrderFilter)| {
            let mut mix = mix.clone();
            choose(&mut mix);
            mix
        };
        let further = choices.iter().flat_map(|choose| mixes.iter().map(|mix| with(mix, choose)));
        let further: Vec<OrderFilter> = further.collect();
        mixes.extend(further);
    };
    cross(&[
        |mix| mix.status = Some(OrderStatus::Issued),
        |mix| mix.status = Some(OrderStatus::Revoked),
    ]);
    cross(&[|mix| mix.organization = Some(OrganizationId(2))]);
    cross(&[|mix| mix.product = Some("ssl_plus".into())]);
    cross(&[|mix| mix.origin = Some(Origin::Acme)]);
    cross(&[|mix| mix.has_duplicates = Some(true), |mix| mix.has_duplicates = Some(false)]);
    cross(&[|mix| mix.renewed = Some(true), |mix| mix.renewed = Some(false)]);
    cross(&[
        |mix| {
            mix.valid_from = Some(NOW);
            mix.valid_until = Some(NOW.plus_seconds(200 * DAY));
        },
        |mix| {
            mix.ends_from = Some(NOW);
            mix.ends_until = Some(NOW.plus_seconds(20 * DAY));
        },
        |mix| {
            mix.ends_from = Some(NOW.plus_seconds(30 * DAY));
            mix.ends_until = Some(NOW.plus_seconds(90 * DAY));
        },
        |mix| {
            mix.ends_from = Some(NOW.plus_seconds(40 * DAY));
            mix.ends_until = Some(NOW.plus_seconds(200 * DAY));
        },
        // Ends before it begins.
        |mix| {
            mix.ends_from = Some(NOW.plus_seconds(20 * DAY));
            mix.ends_until = Some(NOW.plus_seconds(10 * DAY));
        },
        |mix| mix.ends_from = Some(NOW.plus_seconds(100 * DAY)),
    ]);
    // Two months of the two years that the seed spreads its orders over.
    let ordered: Vec<OrderFilter> = mixes.iter().step_by(3).cloned().collect();
    mixes.extend(ordered.into_iter().map(|mix| OrderFilter {
        ordered_from: Some(NOW.plus_seconds(-200 * DAY)),
        ordered_until: Some(NOW.plus_seconds(-140 * DAY)),
        ..mix
    }));
    mixes
}

fn lets_through(filter: &OrderFilter, order: &ListedOrder) -> bool {
    fn is<T: PartialEq>(wanted: Option<&T>, found: &T) -> bool {
        wanted.is_none_or(|wanted| wanted == found)
    }
    is(filter.status.as_ref(), &order.status)
        && is(filter.organization.as_ref(), &order.organization)
        && is(filter.product.as_ref(), &order.product)
        && is(filter.origin.as_ref(), &order.origin)
        && is(filter.has_duplicates.as_ref(), &(order.duplicates > 0))
        && is(filter.renewed.as_ref(), &order.renewed_by.is_some())
        && filter.ordered_from.is_none_or(|from| order.ordered_at >= from)
        && filter.ordered_until.is_none_or(|until| order.ordered_at <= until)
        && filter.valid_from.is_none_or(|from| order.valid_till.is_some_and(|till| till >= from))
        && filter.valid_until.is_none_or(|until| order.valid_till.is_some_and(|till| till <= until))
        && filter.ends_from.is_none_or(|from| order.certificate_till.is_some_and(|end| end >= from))
        && filter
            .ends_until
            .is_none_or(|until| order.certificate_till.is_some_and(|end| end <= until))
}

fn expected(all: &[ListedOrder], filter: &OrderFilter, sort: OrderSort) -> Vec<OrderNumber> {
    let mut orders: Vec<&ListedOrder> = all
        .iter()
        .filter(|order| lets_through(filter, order))
        .filter(|order| match sort {
            OrderSort::ValidTill => order.valid_till.is_some(),
            OrderSort::CertificateEnd => order.certificate_till.is_some(),
            _ => true,
        })
        .collect();
    orders.sort_by(|one, other| match sort {
        OrderSort::Number => one.number.cmp(&other.number),
        OrderSort::OrderedAt => (one.ordered_at, one.number).cmp(&(other.ordered_at, other.number)),
        OrderSort::ValidTill => (one.valid_till, one.number).cmp(&(other.valid_till, other.number)),
        OrderSort::CommonName => {
            (&one.common_name, one.number).cmp(&(&other.common_name, other.number))
        }
        OrderSort::CertificateEnd => {
            (one.certificate_till, one.number).cmp(&(other.certificate_till, other.number))
        }
    });
    orders.into_iter().map(|order| order.number).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_mix_of_filters_in_every_order_shows_each_order_once() {
    // Each takes minutes on a slow machine.
    let databases = databases().await.into_iter();
    let both: Vec<_> =
        databases.map(|database| tokio::spawn(every_mix_in_every_order(database))).collect();
    for one in both {
        one.await.unwrap();
    }
}

async fn every_mix_in_every_order(database: TestDatabase) {
    let store = &database.store;
    organizations(store, 3).await;
    let seed = Seed {
        orders: 400,
        seed: 5,
        now: NOW,
        first_number: OrderNumber(100_000_001),
        organizations: (1..=3).map(OrganizationId).collect(),
    };
    store.load_orders(seed.orders(), 400, NOW, None, |_| {}).await.unwrap();
    let mut tx = store.reader().await.unwrap();
    let none = OrderFilter::default();
    let all = tx.listed_orders_page(&none, OrderSort::Number, false, None, 500).await.unwrap();
    assert_eq!(all.len(), 400);
    let plans = all.iter().filter(|order| order.valid_till != order.certificate_till).count();
    assert!(plans > 10, "plans end later than their certificates: {plans}");
    for filter in every_mix() {
        for sort in SORTS {
            for descending in [false, true] {
                let mut wanted = expected(&all, &filter, sort);
                if descending {
                    wanted.reverse();
                }
                // Two pages, the second as long as it gets.
                let first =
                    tx.listed_orders_page(&filter, sort, descending, None, 9).await.unwrap();
                let mut found: Vec<OrderNumber> = first.iter().map(|one| one.number).collect();
                if let Some(last) = first.last() {
                    let key = sort.listed_key(last);
                    let rest = tx
                        .listed_orders_page(&filter, sort, descending, Some(&key), 500)
                        .await
                        .unwrap();
                    found.extend(rest.iter().map(|one| one.number));
                }
                assert_eq!(found, wanted, "{}: {filter:?} by {sort:?}", database.kind);
                let place = wanted.len() as u64 / 2;
                let there = tx.order_at(&filter, sort, descending, place).await.unwrap();
                assert_eq!(there, wanted.get(wanted.len() / 2).copied());
                let end = wanted.len() as u64;
                assert_eq!(tx.order_at(&filter, sort, descending, end).await.unwrap(), None);
                assert_eq!(tx.count_orders(&filter, sort).await.unwrap(), end, "{filter:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_listed_order_is_the_order_with_its_organization() {
    for database in databases().await {
        let store = &database.store;
        organizations(store, 1).await;
        let seed = Seed {
            orders: 50,
            seed: 3,
            now: NOW,
            first_number: OrderNumber(100_000_001),
            organizations: vec![OrganizationId(1)],
        };
        store.load_orders(seed.orders(), 50, NOW, None, |_| {}).await.unwrap();
        // What separates the values of rows is in neither by the rules, but stands here.
        let written: Result<(), StoreError> = store
            .write(|tx| {
                Box::pin(async move {
                    on!(&mut *tx, |conn| {
                        let renamed = "UPDATE organizations SET name = 'A\u{1f}, \"B\"'";
                        sqlx::query(renamed).execute(&mut *conn).await?;
                        let asked =
                            "UPDATE orders SET requester_name = '\u{1f}Zoë' WHERE number % 2 = 0";
                        sqlx::query(asked).execute(&mut *conn).await?;
                    });
                    Ok(())
                })
            })
            .await;
        written.unwrap();
        let mut tx = store.reader().await.unwrap();
        let (name, requester) = ("A , \"B\"".to_owned(), " Zoë".to_owned());
        let (filter, sort) = (OrderFilter::default(), OrderSort::CommonName);
        let records = tx.orders_page(&filter, sort, true, None, 50).await.unwrap();
        let listed = tx.listed_orders_page(&filter, sort, true, None, 50).await.unwrap();
        let keys: Vec<OrderKey> = records.iter().map(|record| sort.key(record)).collect();
        assert_eq!(listed.iter().map(|order| sort.listed_key(order)).collect::<Vec<_>>(), keys);
        let same = records.into_iter().map(|mut record| {
            let asked = record.requester_name.is_some();
            record.requester_name = asked.then(|| requester.clone());
            ListedOrder::of(record, name.clone())
        });
        let same: Vec<ListedOrder> = same.collect();
        assert!(same.iter().any(|order| order.requester_name.is_some()));
        assert_eq!(listed, same, "{}", database.kind);
    }
}

#[tokio::test]
async fn of_no_numbers_there_is_no_order() {
    for database in databases().await {
        let store = &database.store;
        organizations(store, 1).await;
        let seed = Seed {
            orders: 5,
            seed: 3,
            now: NOW,
            first_number: OrderNumber(100_000_001),
            organizations: vec![OrganizationId(1)],
        };
        store.load_orders(seed.orders(), 5, NOW, None, |_| {}).await.unwrap();
        let mut tx = store.reader().await.unwrap();
        for status in [None, Some(OrderStatus::Issued)] {
            let filter = OrderFilter { numbers: Some(Vec::new()), status, ..Default::default() };
            for sort in SORTS {
                assert_eq!(tx.orders_page(&filter, sort, true, None, 9).await.unwrap(), []);
                assert_eq!(tx.order_at(&filter, sort, true, 0).await.unwrap(), None);
                assert_eq!(tx.count_orders(&filter, sort).await.unwrap(), 0);
            }
        }
    }
}
