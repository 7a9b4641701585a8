use domain::OrderNumber;
use domain::model::{CertificateKind, Coverage, OrderFile, Serial};
use proptest::prelude::*;

use super::windows::Window;
use super::*;
use crate::samples::{load, order};
use crate::testing::{TestDatabase, databases};

fn numbers(page: &FoundPage) -> Vec<i64> {
    page.orders.iter().map(|(order, _)| order.number.0).collect()
}

async fn pages(
    store: &crate::Store,
    query: &NameQuery,
    filter: &SearchFilter,
    limit: usize,
) -> Vec<Vec<i64>> {
    let mut tx = store.reader().await.unwrap();
    let mut pages = Vec::new();
    let mut after = None;
    loop {
        let page = tx.search_orders(query, filter, after.as_ref(), limit).await.unwrap();
        assert!(page.orders.len() <= limit);
        pages.push(numbers(&page));
        match page.next {
            Some(next) => after = Some(next.to_string().parse().unwrap()),
            None => return pages,
        }
    }
}

async fn all(store: &crate::Store, typed: &str, filter: &SearchFilter, limit: usize) -> Vec<i64> {
    pages(store, &NameQuery::typed(typed).unwrap(), filter, limit).await.concat()
}

#[test]
fn typed_text_says_what_is_looked_for() {
    for (typed, query) in [
        (" Example.COM ", NameQuery::Substring("example.com".into())),
        (".example.com", NameQuery::Suffix(".example.com".into())),
        ("www.", NameQuery::Prefix("www.".into())),
        ("api*", NameQuery::Prefix("api".into())),
        ("ww", NameQuery::Prefix("ww".into())),
        ("*.example.com", NameQuery::Exact("*.example.com".into())),
        ("\"example.com\"", NameQuery::Exact("example.com".into())),
        ("192.0.2.7", NameQuery::Exact("192.0.2.7".into())),
        ("2001:DB8:0::7", NameQuery::Exact("2001:db8::7".into())),
        ("192.0.2.", NameQuery::Prefix("192.0.2.".into())),
        ("2001:db8:", NameQuery::Substring("2001:db8:".into())),
        ("bücher.example", NameQuery::Substring("xn--bcher-kva.example".into())),
    ] {
        assert_eq!(NameQuery::typed(typed), Some(query), "{typed}");
    }
    for typed in ["", "  ", "a b", "%", "a_b", "\"\"", &"a".repeat(254)] {
        assert_eq!(NameQuery::typed(typed), None, "{typed}");
    }
}

#[tokio::test]
async fn a_text_with_a_dot_is_found_by_what_is_on_both_sides_of_it() {
    for TestDatabase { kind, store, .. } in databases().await {
        let others =
            (1..=50).map(|at| order(at, 1, "ssl_plus", &[&format!("docs.ember{at}.example")]));
        let one = order(51, 1, "ssl_plus", &["docs.example.com"]);
        load(&store, others.chain([one]).collect()).await;
        assert_eq!(all(&store, "s.exam", &SearchFilter::default(), 10).await, [51], "{kind}");
        let lookup = store.reader().await.unwrap().lookup("s.exam", i64::MAX, 0).await.unwrap();
        assert!(
            matches!(&lookup, Lookup::Fts(query) if query == "\"sex\"")
                || matches!(&lookup, Lookup::Gin(trigrams, _) if trigrams == &["sex"]),
            "{kind}: {lookup:?}"
        );
    }
}

#[tokio::test]
async fn each_kind_of_search_finds_its_orders_once() {
    for TestDatabase { kind, store, .. } in databases().await {
        load(
            &store,
            vec![
                order(1, 1, "ssl_plus", &["www.example.com", "www2.example.com", "example.com"]),
                order(2, 1, "ssl_wildcard", &["*.example.com", "example.com"]),
                order(3, 2, "ssl_plus", &["api.example.org"]),
                order(4, 2, "ssl_plus", &["www.example.com"]),
                order(5, 2, "ssl_plus", &["evil-example.com"]),
                order(6, 2, "ssl_plus", &["192.0.2.7", "2001:db8::7"]),
            ],
        )
        .await;
        for (typed, found) in [
            ("\"www.example.com\"", vec![4, 1]),
            ("*.example.com", vec![2]),
            // Longer names by name, the same name once an order.
            ("www", vec![1, 4]),
            // The very name first, then names that hold it.
            ("example.com", vec![2, 1, 5, 4]),
            ("www.example.com", vec![4, 1]),
            ("example", vec![1, 2, 5, 4, 3]),
            ("www.", vec![1, 4]),
            ("w", vec![1, 4]),
            (".example.com", vec![2, 1, 4]),
            ("xample.c", vec![5, 4, 2, 1]),
            ("nothing", vec![]),
            (".org", vec![3]),
            ("192.0.2.7", vec![6]),
            ("192.0.2.", vec![6]),
            ("2001:0db8::0007", vec![6]),
            ("2001:db8:", vec![6]),
        ] {
            for limit in [1, 2, 50] {
                let filter = SearchFilter::default();
                assert_eq!(
                    all(&store, typed, &filter, limit).await,
                    found,
                    "{kind} {typed} by {limit}"
                );
            }
        }
        let filter =
            SearchFilter { organization: Some(OrganizationId(2)), ..SearchFilter::default() };
        assert_eq!(all(&store, "xample.c", &filter, 1).await, [5, 4], "{kind}");
    }
}

/// More names of one order match than a page has room for.
#[tokio::test]
async fn an_order_with_many_such_names_takes_one_line() {
    for TestDatabase { kind, store, .. } in databases().await {
        let orders = (1..=4).map(|number| {
            let names: Vec<String> =
                (10..90).map(|at| format!("shop{number}-{at}.example.com")).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            order(number, number % 2 + 1, "ssl_plus", &names)
        });
        load(&store, orders.collect()).await;
        for (typed, found) in [
            ("shop", vec![1, 2, 3, 4]),
            ("shop3", vec![3]),
            // By the name written backwards: all end in 0 before any ends in 1.
            (".example.com", vec![1, 2, 3, 4]),
            ("hop2-8", vec![2]),
        ] {
            for limit in [1, 2, 3, 50] {
                let filter = SearchFilter::default();
                let met = all(&store, typed, &filter, limit).await;
                assert_eq!(met, found, "{kind} {typed} by {limit}");
            }
        }
        let filter =
            SearchFilter { organization: Some(OrganizationId(1)), ..SearchFilter::default() };
        assert_eq!(all(&store, "shop", &filter, 1).await, [2, 4], "{kind}");
        let mut tx = store.reader().await.unwrap();
        let query = NameQuery::typed("shop").unwrap();
        let page = tx.search_orders(&query, &SearchFilter::default(), None, 4).await.unwrap();
        assert_eq!((numbers(&page), page.next), (vec![1, 2, 3, 4], None), "{kind}");
    }
}

/// What one page looks at is bounded, however many names of few orders match.
#[tokio::test]
async fn many_names_of_few_orders_end_in_short_pages() {
    const ORDERS: i64 = 40;
    for TestDatabase { kind, store, .. } in databases().await {
        let orders = (1..=ORDERS).map(|number| {
            let names: Vec<String> =
                (100..300).map(|at| format!("shop{number:02}-{at}.example.com")).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            order(number, 1, "ssl_plus", &names)
        });
        load(&store, orders.collect()).await;
        let mut tx = store.reader().await.unwrap();
        let query = NameQuery::typed("shop").unwrap();
        let page = tx.search_orders(&query, &SearchFilter::default(), None, 39).await.unwrap();
        assert!((2..39).contains(&page.orders.len()), "{kind}: {}", page.orders.len());
        assert!(page.next.is_some(), "{kind}");
        drop(tx);
        let found = all(&store, "shop", &SearchFilter::default(), 39).await;
        assert_eq!(found, (1..=ORDERS).collect::<Vec<_>>(), "{kind}");
    }
}

#[tokio::test]
async fn names_that_begin_so_are_suggested_before_those_that_hold_the_text() {
    for TestDatabase { kind, store, .. } in databases().await {
        let orders = (1..=300).map(|number| match number {
            1 => order(1, 1, "ssl_plus", &["www.example.com", "example.com"]),
            2 => order(2, 1, "ssl_plus", &["example.com.test", "example.net"]),
            _ => order(number, 1, "ssl_plus", &["example.com", "api.example.com"]),
        });
        load(&store, orders.collect()).await;
        let mut tx = store.reader().await.unwrap();
        let mut names = async |typed: &str, limit| {
            let query = NameQuery::typed(typed).unwrap();
            tx.suggest_names(&query, limit).await.unwrap()
        };
        let whole = ["example.com", "example.com.test", "example.net"];
        assert_eq!(names("ex", 9).await, whole, "{kind}");
        assert_eq!(names("example", 2).await, whole[..2], "{kind}");
        assert_eq!(
            names("example", 9).await[..4],
            [&whole[..], &["api.example.com"]].concat(),
            "{kind}"
        );
        assert_eq!(
            names(".example.com", 9).await,
            ["api.example.com", "www.example.com"],
            "{kind}"
        );
        assert!(names("nothing", 9).await.is_empty(), "{kind}");
    }
}

#[tokio::test]
async fn a_text_that_few_names_hold_though_many_may_ends_in_short_pages_not_in_a_scan() {
    for TestDatabase { kind, store, .. } in databases().await {
        let many = i64::try_from(LOOKED_AT_TOGETHER).unwrap() + 100;
        // All names hold each of the text's trigrams, few of them in a row: the last that the first
        // page looks at in either database, the next one, and the very last.
        let last_looked_at =
            [LOOKED_AT, LOOKED_AT_TOGETHER].map(|bound| many + 1 - i64::try_from(bound).unwrap());
        let mut with_it: Vec<i64> = last_looked_at.iter().flat_map(|at| [*at, at - 1]).collect();
        with_it.push(1);
        let orders = (1..=many).map(|number| {
            let name =
                if with_it.contains(&number) { "a.example.com" } else { "a.exam-example.com" };
            order(number, 1, "ssl_plus", &[name])
        });
        load(&store, orders.collect()).await;
        let query = NameQuery::Substring(".example".to_owned());
        for limit in [10, LONGEST_PAGE] {
            let pages = pages(&store, &query, &SearchFilter::default(), limit).await;
            assert_eq!(pages.concat(), with_it, "{kind} by {limit}");
            assert!((2..6).contains(&pages.len()), "{kind} by {limit}: {}", pages.len());
        }
    }
}

/// PostgreSQL's index is asked window by window where many names hold what is asked for.
#[tokio::test]
async fn what_many_orders_hold_is_found_once_wherever_their_numbers_are() {
    for TestDatabase { kind, store, .. } in databases().await {
        // More than are read at once, some hundred in the largest window, and one that is far away.
        let numbers = || (1..=4200).map(|at| at * 1000).chain([1_000_000_000]);
        let rare = |number| [1000, 3_000_000].contains(&number);
        let orders = numbers().map(|number| {
            let name = if rare(number) { "a.exemplar.test" } else { "a.exem-xemplar.test" };
            order(number, 1, "ssl_plus", &[name])
        });
        load(&store, orders.collect()).await;
        let lookup = store.reader().await.unwrap().lookup("xemplar", i64::MAX, 0).await.unwrap();
        assert!(
            matches!(&lookup, Lookup::Fts(_) | Lookup::Gin(_, Window { keys: Some(_), .. })),
            "{kind}: {lookup:?}"
        );
        let latest_first: Vec<i64> = numbers().rev().collect();
        for limit in [70, LONGEST_PAGE] {
            let found = all(&store, "xemplar", &SearchFilter::default(), limit).await;
            assert!(found == latest_first, "{kind} by {limit}: {} orders", found.len());
        }
        // With a filter what is looked at for one page is bounded in all windows together.
        let other = SearchFilter { organization: Some(OrganizationId(2)), ..Default::default() };
        let query = NameQuery::Substring("xemplar".to_owned());
        let filtered = pages(&store, &query, &other, 10).await;
        assert_eq!(filtered.concat(), Vec::<i64>::new(), "{kind}");
        assert!(filtered.len() > numbers().count() / FILTERED_ORDERS, "{kind}: {}", filtered.len());
        // All names hold its trigrams, and few hold it.
        let query = NameQuery::Substring(".exemplar".to_owned());
        let pages = pages(&store, &query, &SearchFilter::default(), 10).await;
        assert_eq!(pages.concat(), [3_000_000, 1000], "{kind}");
        assert!((2..6).contains(&pages.len()), "{kind}: {}", pages.len());
        let suggested = store.reader().await.unwrap().suggest_names(&query, 3).await.unwrap();
        assert_eq!(suggested, ["a.exemplar.test"], "{kind}");
    }
}

#[tokio::test]
async fn a_filter_that_drops_almost_all_ends_in_short_pages_not_in_a_scan() {
    for TestDatabase { kind, store, .. } in databases().await {
        let many = i64::try_from(FILTERED_ORDERS).unwrap() + 100;
        let orders = (1..=many).map(|number| {
            let organization = if number == 1 { 2 } else { 1 };
            order(number, organization, "ssl_plus", &["www.example.com"])
        });
        load(&store, orders.collect()).await;
        let query = NameQuery::typed("example").unwrap();
        let filter =
            SearchFilter { organization: Some(OrganizationId(2)), ..SearchFilter::default() };
        let mut tx = store.reader().await.unwrap();
        let page = tx.search_orders(&query, &filter, None, 10).await.unwrap();
        assert!(page.orders.is_empty() && page.next.is_some(), "{kind}");
        let page = tx.search_orders(&query, &filter, page.next.as_ref(), 10).await.unwrap();
        assert_eq!(numbers(&page), [1], "{kind}");
    }
}

#[tokio::test]
async fn a_search_is_narrowed_by_all_that_the_list_is() {
    for TestDatabase { kind, store, .. } in databases().await {
        let mut renewed = order(2, 1, "ssl_plus", &["b.example.com"]);
        renewed.file.order.renewed_by = Some(OrderNumber(3));
        let mut plan = order(4, 1, "ssl_plus", &["d.example.com", "d.example.net"]);
        let ends = plan.file.certificates[0].not_after.plus_seconds(-50_000_000);
        plan.file.certificates[0].not_after = ends;
        let until = plan.file.order.ordered_at.plus_seconds(100_000_000);
        plan.file.order.coverage = Coverage::MultiYear { years: 3, ends: until };
        let mut twice = order(3, 1, "ssl_plus", &["c.example.com"]);
        let mut duplicate = twice.file.certificates[0].clone();
        duplicate.kind = CertificateKind::Duplicate;
        duplicate.serial = Serial("7e03".to_owned());
        twice.file.certificates.push(duplicate);
        load(&store, vec![order(1, 1, "ssl_plus", &["a.example.com"]), renewed, twice, plan]).await;
        let none = SearchFilter::default();
        let number = |number| SearchFilter { number: Some(OrderNumber(number)), ..none.clone() };
        for (filter, found) in [
            (none.clone(), vec![4, 3, 2, 1]),
            (SearchFilter { has_duplicates: Some(true), ..none.clone() }, vec![3]),
            (SearchFilter { has_duplicates: Some(false), ..none.clone() }, vec![4, 2, 1]),
            (SearchFilter { renewed: Some(true), ..none.clone() }, vec![2]),
            (SearchFilter { renewed: Some(false), ..none.clone() }, vec![4, 3, 1]),
            // By its certificate's end, not by the plan's.
            (SearchFilter { ends_until: Some(ends), ..none.clone() }, vec![4]),
            (SearchFilter { ends_from: Some(ends.plus_seconds(1)), ..none.clone() }, vec![3, 2, 1]),
            // By its own end.
            (
                SearchFilter { valid_until: Some(until.plus_seconds(-1)), ..none.clone() },
                vec![3, 2, 1],
            ),
            (SearchFilter { valid_until: Some(until), ..none.clone() }, vec![4, 3, 2, 1]),
            (number(4), vec![4]),
            (SearchFilter { renewed: Some(true), ..number(4) }, vec![]),
        ] {
            assert_eq!(all(&store, "example.com", &filter, 2).await, found, "{kind}: {filter:?}");
        }
        for (typed, found) in [
            ("d.", true),
            (".example.net", true),
            ("\"d.example.net\"", true),
            ("example.n", true),
            ("a.", false),
            (".example.org", false),
            ("\"example.net\"", false),
            ("example.o", false),
        ] {
            let found = if found { vec![4] } else { Vec::new() };
            assert_eq!(all(&store, typed, &number(4), 2).await, found, "{kind}: {typed}");
        }
    }
}

#[tokio::test]
async fn an_order_that_changes_its_names_is_found_by_the_new_ones_only() {
    for TestDatabase { kind, store, .. } in databases().await {
        load(&store, vec![order(1, 1, "ssl_plus", &["old.example.com"])]).await;
        let OrderFile { order, .. } =
            store.reader().await.unwrap().order_file(OrderNumber(1)).await.unwrap().unwrap();
        let changed: Result<(), StoreError> = store
            .write(move |tx| {
                Box::pin(async move {
                    let name: Name = "new.example.com".parse().unwrap();
                    tx.set_order_names(&order, &name, &[name.clone()].into_iter().collect()).await
                })
            })
            .await;
        changed.unwrap();
        assert_eq!(
            all(&store, "old", &SearchFilter::default(), 9).await,
            Vec::<i64>::new(),
            "{kind}"
        );
        assert_eq!(all(&store, "new", &SearchFilter::default(), 9).await, [1], "{kind}");
    }
}

#[test]
fn a_bad_position_is_refused() {
    for text in ["", "1", "x~y", "0~x~y", "-1~1~", "0~1"] {
        assert!(text.parse::<SearchCursor>().is_err());
    }
}

proptest! {
    #[test]
    fn whatever_is_typed_is_bounded_and_plain(typed in ".{0,300}") {
        let text = match NameQuery::typed(&typed) {
            None => return Ok(()),
            Some(NameQuery::Exact(text) | NameQuery::Prefix(text) | NameQuery::Suffix(text) | NameQuery::Substring(text)) => text,
        };
        prop_assert!(!text.is_empty() && text.len() <= LONGEST_TEXT);
        // Colons are of addresses.
        prop_assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.*:".contains(&byte)));
    }
}
