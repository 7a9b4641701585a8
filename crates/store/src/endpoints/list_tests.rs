//! The list's filters, sorts and pages, on both databases.

use domain::model::ServedIssuer;

use super::*;
use crate::Store;
use crate::samples::NOW;
use crate::testing::{databases, databases_at};

/// An endpoint: agent, address, port, common name, days until the end of what it serves (both none
/// where nothing is), issuer.
type Place = (usize, &'static str, u16, Option<&'static str>, i64, ServedIssuer);

/// In the order in which agents report them. Addresses, names and ends repeat.
const PLACES: [Place; 8] = [
    (0, "192.0.2.10", 443, Some("b.example"), 40, ServedIssuer::Ours),
    (0, "192.0.2.9", 8443, Some("a.example"), 7, ServedIssuer::Ours),
    (0, "2001:db8::1", 443, None, 0, ServedIssuer::None),
    (0, "192.0.2.9", 443, Some("b.example"), 40, ServedIssuer::Other),
    (1, "192.0.2.9", 443, Some("c.example"), -3, ServedIssuer::Ours),
    (1, "2001:db8::1", 8443, Some("a.example"), 7, ServedIssuer::Other),
    (1, "2001:db8::10", 443, None, 0, ServedIssuer::None),
    (1, "10.0.0.200", 443, Some("b.example"), 8, ServedIssuer::Other),
];

fn end(days: i64) -> Timestamp {
    NOW.plus(Days(days))
}

/// Both agents' endpoints; one more that is gone.
async fn fill(store: &Store) {
    let filled: Result<(), StoreError> = store
        .write(|tx| {
            Box::pin(async move {
                let mut agents = Vec::new();
                for name in ["one", "two"] {
                    agents.push(tx.insert_agent(name, name, NOW, NOW).await?);
                }
                for (agent, ip, port, name, days, issuer_kind) in PLACES {
                    let report = report(ip, port);
                    let id = tx.report_endpoint(agents[agent], &report, NOW).await?;
                    let name = name.map(|name| Name::parse(name).unwrap());
                    let served = name.map(|name| Served {
                        chain_pem: String::new(),
                        serial: Serial("0a".to_owned()),
                        issuer: String::new(),
                        names: [name.clone()].into_iter().collect(),
                        common_name: Some(name),
                        not_before: NOW,
                        not_after: end(days),
                    });
                    let probe = EndpointProbe {
                        issuer_kind,
                        served,
                        certificate: None,
                        order: None,
                        error: None,
                        at: NOW,
                    };
                    tx.set_endpoint_probe(id, &probe).await?;
                }
                let gone = tx.report_endpoint(agents[0], &report("192.0.2.1", 443), NOW).await?;
                tx.set_endpoint_gone(gone, Some(NOW)).await
            })
        })
        .await;
    filled.unwrap();
}

fn report(ip: &str, port: u16) -> EndpointReport {
    EndpointReport {
        ip: ip.to_owned(),
        port,
        server_name: String::new(),
        software: None,
        alias: None,
        manual_reason: None,
    }
}

/// Ids of the whole list, walked in pages of `size`, forwards.
async fn walked(
    tx: &mut Tx,
    filter: &EndpointFilter,
    sort: EndpointSort,
    descending: bool,
    size: i64,
) -> Vec<i64> {
    let (mut ids, mut after) = (Vec::new(), None);
    loop {
        let page = tx.endpoints(filter, sort, descending, after.as_ref(), size).await.unwrap();
        ids.extend(page.iter().map(|row| row.id.0));
        match page.last() {
            Some(last) if i64::try_from(page.len()).unwrap() == size => {
                after = Some(sort.key(last));
            }
            _ => return ids,
        }
        assert!(ids.len() <= 2 * PLACES.len(), "rows come again: {ids:?}");
    }
}

/// Ids in the order of [`PLACES`], which begin with 1: what each sort shows, rising.
const SORTED: [(EndpointSort, [i64; 8]); 3] = [
    (EndpointSort::Address, [8, 4, 5, 2, 1, 3, 6, 7]),
    (EndpointSort::CommonName, [2, 6, 1, 4, 8, 5, 3, 7]),
    (EndpointSort::Expires, [5, 2, 6, 8, 1, 4, 3, 7]),
];

#[tokio::test]
async fn every_sort_shows_each_row_once_in_its_order_in_both_directions_and_all_page_sizes() {
    for database in databases().await {
        fill(&database.store).await;
        let mut tx = database.store.reader().await.unwrap();
        let all = EndpointFilter::default();
        for (sort, rising) in SORTED {
            let falling: Vec<i64> = rising.iter().rev().copied().collect();
            for size in [1, 2, 3, 8, 50] {
                let told = format!("{}: {sort:?} in pages of {size}", database.kind);
                assert_eq!(walked(&mut tx, &all, sort, false, size).await, rising, "{told}");
                assert_eq!(walked(&mut tx, &all, sort, true, size).await, falling, "{told}");
            }
        }
    }
}

/// "Previous" walks the other way round from the first row that is shown.
#[tokio::test]
async fn from_every_row_both_neighbours_are_found() {
    for database in databases().await {
        fill(&database.store).await;
        let mut tx = database.store.reader().await.unwrap();
        let all = EndpointFilter::default();
        for (sort, rising) in SORTED {
            let rows = tx.endpoints(&all, sort, false, None, 50).await.unwrap();
            for (at, row) in rows.iter().enumerate() {
                let key = sort.key(row);
                let next = tx.endpoints(&all, sort, false, Some(&key), 1).await.unwrap();
                let previous = tx.endpoints(&all, sort, true, Some(&key), 1).await.unwrap();
                let ids = |rows: Vec<EndpointRecord>| rows.first().map(|row| row.id.0);
                assert_eq!(ids(next), rising.get(at + 1).copied(), "{}: {sort:?}", database.kind);
                let before = at.checked_sub(1).map(|before| rising[before]);
                assert_eq!(ids(previous), before, "{}: {sort:?}", database.kind);
            }
        }
    }
}

#[tokio::test]
async fn filters_show_what_they_say_and_count_it() {
    for database in databases().await {
        fill(&database.store).await;
        let mut tx = database.store.reader().await.unwrap();
        let of = |issuer| EndpointFilter { issuer: Some(issuer), ..EndpointFilter::default() };
        let ends = |from: Option<Timestamp>, until: Option<Timestamp>| EndpointFilter {
            ends_from: from,
            ends_until: until,
            ..EndpointFilter::default()
        };
        let both = EndpointFilter { ends_until: Some(end(10)), ..of(ServedIssuer::Other) };
        for (filter, wanted) in [
            (of(ServedIssuer::Ours), vec![1, 2, 5]),
            (of(ServedIssuer::Other), vec![4, 6, 8]),
            (of(ServedIssuer::None), vec![3, 7]),
            (ends(Some(NOW), Some(end(7))), vec![2, 6]),
            (ends(Some(end(7).plus_seconds(1)), None), vec![1, 4, 8]),
            (ends(None, Some(end(7).plus_seconds(-1))), vec![5]),
            (both, vec![6, 8]),
        ] {
            for (sort, rising) in SORTED {
                let rows = rising.into_iter().filter(|id| wanted.contains(id)).collect::<Vec<_>>();
                let found = walked(&mut tx, &filter, sort, false, 2).await;
                assert_eq!(found, rows, "{}: {sort:?} {filter:?}", database.kind);
            }
            let counted = tx.count_endpoints(&filter).await.unwrap();
            assert_eq!(counted, wanted.len() as u64, "{}: {filter:?}", database.kind);
        }
    }
}

#[tokio::test]
async fn an_address_is_found_as_it_is_shown_and_as_it_is_typed() {
    for database in databases().await {
        fill(&database.store).await;
        let mut tx = database.store.reader().await.unwrap();
        for (text, wanted) in [
            ("[2001:db8::1]:443", vec![3]),
            ("[2001:db8::1]", vec![3, 6]),
            ("2001:DB8::10", vec![7]),
            ("2001:db8:0:0:0::10", vec![7]),
            ("[2001:db8:0::1]:8443", vec![6]),
            ("2001:db8::1:8443", vec![6]),
            ("2001:db8", vec![3, 6, 7]),
            ("]:8443", vec![6]),
            ("192.0.2.9:443", vec![4, 5]),
            ("192.0.2.9", vec![2, 4, 5]),
            ("[192.0.2.9]", vec![]),
            ("2001:db8::2", vec![]),
        ] {
            let filter =
                EndpointFilter { text: Some(text.to_owned()), ..EndpointFilter::default() };
            let mut found = walked(&mut tx, &filter, EndpointSort::Address, false, 50).await;
            found.sort_unstable();
            assert_eq!(found, wanted, "{}: {text}", database.kind);
        }
    }
}

/// They were written before addresses had a key to be sorted by.
#[tokio::test]
async fn endpoints_of_an_earlier_version_are_sorted_by_address_too() {
    for database in databases_at(17).await.unwrap() {
        database
            .execute(
                "INSERT INTO agents (id, name, status, created_at) VALUES (1, 'a', 'active', 1)",
            )
            .await
            .unwrap();
        database
            .execute(
                "INSERT INTO endpoints (agent_id, ip, port, status, created_at) VALUES \
                 (1, '2001:db8::1', 443, 'configured', 1), (1, '192.0.2.10', 443, 'configured', 1), \
                 (1, '192.0.2.9', 443, 'configured', 1), (1, '192.0.2.9', 80, 'configured', 1)",
            )
            .await
            .unwrap();
        database.store.migrate().await.unwrap();
        let mut tx = database.store.reader().await.unwrap();
        let all = EndpointFilter::default();
        let shown = walked(&mut tx, &all, EndpointSort::Address, false, 1).await;
        assert_eq!(shown, [4, 3, 2, 1], "{}", database.kind);
    }
}
