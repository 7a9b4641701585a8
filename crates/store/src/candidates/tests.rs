use domain::{Name, NameSet};

use super::*;
use crate::samples::{load, order};
use crate::testing::{TestDatabase, databases};

fn names(list: &str) -> NameSet {
    NameSet::parse_list(list).unwrap()
}

fn wildcards(list: &[&str]) -> Vec<Name> {
    list.iter().map(|name| name.parse().unwrap()).collect()
}

#[tokio::test]
async fn exact_sets_are_found_whatever_the_order_of_names_longest_validity_first() {
    for TestDatabase { kind, store, .. } in databases().await {
        let mut longest = order(1, 1, "ssl_plus", &["a.example.com", "b.example.com"]);
        longest.file.certificates[0].not_after = domain::Timestamp(1_999_999_999);
        let mut revoked = order(4, 1, "ssl_plus", &["a.example.com", "b.example.com"]);
        revoked.file.order.status = OrderStatus::Revoked;
        let mut reissuing = order(6, 1, "ssl_plus", &["a.example.com", "b.example.com"]);
        reissuing.file.order.status = OrderStatus::ReissuePending;
        reissuing.file.order.origin = Origin::Acme;
        load(
            &store,
            vec![
                longest,
                order(2, 1, "ssl_plus", &["b.example.com", "a.example.com"]),
                order(3, 2, "ssl_plus", &["a.example.com", "b.example.com"]),
                revoked,
                order(5, 1, "ssl_plus", &["a.example.com"]),
                reissuing,
                order(7, 1, "ssl_basic", &["a.example.com", "b.example.com"]),
            ],
        )
        .await;
        let mut tx = store.reader().await.unwrap();
        let product = ProductId::from("ssl_plus");
        let of = Candidates {
            organization: OrganizationId(1),
            product: &product,
            origin: None,
            limit: 9,
        };
        let wanted = names("b.example.com a.example.com");
        let found = tx.candidates_with_names(of, &wanted, None).await.unwrap();
        assert_eq!(found, [1, 6, 2].map(OrderNumber), "{kind}");
        let found =
            tx.candidates_with_names(Candidates { limit: 1, ..of }, &wanted, None).await.unwrap();
        assert_eq!(found, [OrderNumber(1)], "{kind}");
        let acme = Candidates { origin: Some(Origin::Acme), ..of };
        assert_eq!(
            tx.candidates_with_names(acme, &wanted, None).await.unwrap(),
            [OrderNumber(6)],
            "{kind}"
        );
    }
}

#[tokio::test]
async fn orders_with_the_names_or_any_of_others_come_newest_first() {
    for TestDatabase { kind, store, .. } in databases().await {
        let mut longest = order(2, 1, "ssl_wildcard", &["*.b.example.com", "b.example.com"]);
        longest.file.certificates[0].not_after = domain::Timestamp(1_999_999_999);
        let mut revoked = order(7, 1, "ssl_wildcard", &["*.b.example.com"]);
        revoked.file.order.status = OrderStatus::Revoked;
        load(
            &store,
            vec![
                order(1, 1, "ssl_wildcard", &["*.example.com"]),
                longest,
                order(3, 1, "ssl_wildcard", &["*.example.org"]),
                order(4, 1, "ssl_wildcard", &["*.b.example.com"]),
                order(5, 2, "ssl_wildcard", &["*.example.com"]),
                order(6, 1, "ssl_wildcard", &["*.b.example.com", "*.example.com"]),
                revoked,
            ],
        )
        .await;
        let mut tx = store.reader().await.unwrap();
        let product = ProductId::from("ssl_wildcard");
        let of = Candidates {
            organization: OrganizationId(1),
            product: &product,
            origin: None,
            limit: 9,
        };
        let (exact, other) = (names("b.example.com *.b.example.com"), names("*.example.net"));
        let any = wildcards(&["*.a.b.example.com", "*.b.example.com", "*.example.com"]);
        // As many as a name has ancestors at most.
        let deep: Name = format!("{}example.com", "a.".repeat(119)).parse().unwrap();
        let mut many: Vec<Name> =
            deep.ancestors().filter_map(|domain| format!("*.{domain}").parse().ok()).collect();
        assert!(many.len() > 100);
        many.push("*.b.example.com".parse().unwrap());
        for (limit, names, any, found) in [
            (9, &other, &many[..], &[6, 4, 2, 1][..]),
            (9, &exact, &any[..], &[6, 4, 2, 1]),
            (2, &exact, &any, &[6, 4, 2]),
            (1, &other, &any, &[6]),
            (9, &exact, &[], &[2]),
            (9, &other, &[], &[]),
        ] {
            let of = Candidates { limit, ..of };
            let files = tx.candidates_with_names_or_any(of, names, any).await.unwrap();
            let these: Vec<i64> = files.iter().map(|file| file.number().0).collect();
            assert_eq!(these, found, "{kind} {limit}");
            for file in files {
                assert_eq!(tx.order_file(file.number()).await.unwrap(), Some(file), "{kind}");
            }
        }
    }
}

/// An order is not missed because many newer ones hold one of its names.
#[tokio::test]
async fn a4_covering_orders_come_longest_validity_first_and_hold_something_for_each_name() {
    for TestDatabase { kind, store, .. } in databases().await {
        let mut longest = order(1, 1, "ssl_wildcard", &["*.example.com"]);
        longest.file.certificates[0].not_after = domain::Timestamp(1_999_999_999);
        let mut revoked = order(2, 1, "ssl_wildcard", &["*.example.com"]);
        revoked.file.order.status = OrderStatus::Revoked;
        let both = order(3, 1, "ssl_wildcard", &["*.example.com", "*.example.org"]);
        let mut loaded = vec![longest, revoked, both];
        loaded.extend((4..70).map(|number| order(number, 1, "ssl_wildcard", &["*.example.com"])));
        loaded.push(order(70, 1, "ssl_wildcard", &["*.example.org"]));
        loaded.push(order(71, 2, "ssl_wildcard", &["*.example.com", "*.example.org"]));
        load(&store, loaded).await;
        let mut tx = store.reader().await.unwrap();
        let product = ProductId::from("ssl_wildcard");
        let of = Candidates {
            organization: OrganizationId(1),
            product: &product,
            origin: None,
            limit: 50,
        };
        let com = wildcards(&["*.a.example.com", "*.example.com", "a.example.com"]);
        let other = wildcards(&["*.b.example.com", "*.example.com", "b.example.com"]);
        let org = wildcards(&["*.a.example.org", "*.example.org", "a.example.org"]);
        let found = tx.candidates_covering(of, std::slice::from_ref(&com)).await.unwrap();
        assert_eq!(
            (found.len(), found[0], found[1]),
            (50, OrderNumber(1), OrderNumber(69)),
            "{kind}"
        );
        let found = tx.candidates_covering(of, &[com.clone(), other]).await.unwrap();
        assert_eq!((found.len(), found[0]), (50, OrderNumber(1)), "{kind}");
        let found = tx.candidates_covering(of, &[com.clone(), org.clone()]).await.unwrap();
        assert_eq!(found, [OrderNumber(3)], "{kind}");
        let acme = Candidates { origin: Some(Origin::Acme), ..of };
        assert_eq!(tx.candidates_covering(acme, &[com, org]).await.unwrap(), [], "{kind}");
        assert_eq!(tx.candidates_covering(of, &[]).await.unwrap(), [], "{kind}");
    }
}
