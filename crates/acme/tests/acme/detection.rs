//! Actions and auto-detection over the wire (rules A1 to A9 and their decisions).

use domain::model::{Certificate, OrderStatus};
use domain::rules::Action;
use domain::{Days, OrderNumber};
use lifecycle::Actor;
use lifecycle::acme::{DryRun, DryRunAnswer, NewAcmeUrl};
use serde_json::json;
use store::orders::OrderRecord;

use crate::client::{Client, csr, serial};
use crate::house::{House, houses};

/// The portal's order and the action behind the newest ACME order of a URL.
pub async fn newest(house: &House) -> (OrderNumber, Action, serde_json::Value) {
    let urls = house.desk.acme_urls(&Actor::Operator, None, 1).await.unwrap();
    let orders = house.desk.acme_orders(&Actor::Operator, urls[0].url.id, None, 1).await.unwrap();
    let explanation: serde_json::Value =
        serde_json::from_str(orders[0].explanation.as_deref().unwrap()).unwrap();
    let action = explanation["action"].as_str().unwrap().parse().unwrap();
    (orders[0].order_number.unwrap(), action, explanation)
}

/// A1, A3, A4, A7: first enroll, then duplicate, in the window renew.
#[tokio::test]
async fn a3_the_same_command_enrolls_then_duplicates_then_renews() {
    for house in houses().await {
        let client = house.client("one", "ssl_plus").await;
        let names = ["www.example.com", "example.com"];
        let (_, first) = client.issue("new-order", &names).await;
        let (order, action, _) = newest(&house).await;
        assert_eq!(action, Action::Enroll, "on {}", house.kind);
        let (_, second) = client.issue("new-order", &names).await;
        let (same, action, explanation) = newest(&house).await;
        assert_eq!((same, action), (order, Action::Duplicate), "{explanation}");
        assert_ne!(serial(&first), serial(&second));
        assert_eq!(explanation["candidates"][0]["kept"], true);
        assert!(explanation["window"]["opens_at"].is_string());
        house.clock.advance(Days(170));
        let (_, third) = client.issue("new-order", &names).await;
        let (renewal, action, explanation) = newest(&house).await;
        assert_eq!(action, Action::Renew, "{explanation}");
        assert_ne!(renewal, order);
        assert_ne!(serial(&third), serial(&second));
        // And again: of the renewal a duplicate.
        client.issue("new-order", &names).await;
        let (last, action, _) = newest(&house).await;
        assert_eq!((last, action), (renewal, Action::Duplicate));
    }
}

/// A4 and D13: who renewed the order in the portal has made the order to go on with. No order waits
/// for a renewal that was made already.
#[tokio::test]
async fn a4_a_renewal_outside_acme_is_followed() {
    for house in houses().await {
        let operator = Actor::Operator;
        let client = house.client("one", "ssl_plus").await;
        let names = ["www.example.com"];
        client.issue("new-order", &names).await;
        let (first, _, _) = newest(&house).await;
        house.clock.advance(Days(170));
        let form =
            lifecycle::renew::RenewForm { csr: pem(&csr(&names, None)), ..Default::default() };
        let renewed = house.desk.request_renew(&operator, first, &form).await.unwrap().order();
        client.issue("new-order", &names).await;
        let (order, action, explanation) = newest(&house).await;
        assert_eq!((order, action), (renewed, Action::Duplicate), "{explanation}");
        assert_eq!(explanation["candidates"][0]["order"], json!(first));
        assert_eq!(explanation["candidates"][1]["order"], json!(renewed));

        // A reissue of it is pending: it is not settled what a duplicate would hold.
        move_order(&house, renewed, OrderStatus::Issued, OrderStatus::ReissuePending).await;
        client.issue("new-order", &names).await;
        let (enrolled, action, explanation) = newest(&house).await;
        assert_eq!(action, Action::Enroll, "{explanation}");
        assert!(enrolled != first && enrolled != renewed);
    }
}

async fn move_order(house: &House, number: OrderNumber, from: OrderStatus, to: OrderStatus) {
    let moved = house
        .desk
        .store()
        .write(move |tx| Box::pin(async move { tx.move_order(number, from, to).await }));
    moved.await.unwrap();
}

pub fn pem(der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN CERTIFICATE REQUEST-----\n{text}\n-----END CERTIFICATE REQUEST-----\n")
}

/// The newest order as lists show it, beside its certificates.
async fn counted(house: &House) -> (OrderRecord, Vec<Certificate>) {
    let (number, _, _) = newest(house).await;
    let mut tx = house.desk.store().reader().await.unwrap();
    let record = tx.order_record(number).await.unwrap().unwrap();
    (record, tx.certificates_of_order(number).await.unwrap())
}

/// An order that is issued as it is placed is on its row what its certificates make of it.
#[tokio::test]
async fn an_enrolled_order_shows_its_certificates() {
    for house in houses().await {
        let client = house.client("one", "ssl_plus").await;
        let names = ["www.example.com"];
        for duplicates in 0..2 {
            client.issue("new-order", &names).await;
            let (record, certificates) = counted(&house).await;
            assert_eq!(record.order.status, OrderStatus::Issued, "on {}", house.kind);
            assert_eq!(record.order.issued_at, Some(record.order.ordered_at));
            assert_eq!(record.valid_till, Some(certificates[0].not_after));
            assert_eq!((record.certificates, record.duplicates), (1 + duplicates, duplicates));
            assert_eq!(certificates.len(), 1 + usize::try_from(duplicates).unwrap());
        }
    }
}

/// A5, A6: other names, or `enroll` in the URL, make a new order.
#[tokio::test]
async fn a6_enroll_always_makes_a_new_order() {
    for house in houses().await {
        let client = house.client("one", "ssl_plus").await;
        client.issue("new-order", &["www.example.com"]).await;
        let (first, _, _) = newest(&house).await;
        client.issue("new-order/enroll", &["www.example.com"]).await;
        let (second, action, _) = newest(&house).await;
        assert_eq!(action, Action::Enroll);
        assert_ne!(first, second);
        client.issue("new-order", &["www.example.com", "a.example.com"]).await;
        let (third, action, _) = newest(&house).await;
        assert_eq!(action, Action::Enroll);
        assert!(third != first && third != second);
    }
}

/// A2: an explicit action on an order, also through its chain; refusals in words.
#[tokio::test]
async fn a2_explicit_actions_are_carried_out_on_the_chain() {
    for house in houses().await {
        let client = house.client("one", "ssl_plus").await;
        let names = ["www.example.com"];
        client.issue("new-order", &names).await;
        let (order, _, _) = newest(&house).await;
        client.issue(&format!("new-order/reissue/{order}"), &names).await;
        assert_eq!(newest(&house).await.1, Action::Reissue);
        client.issue(&format!("new-order/renew/{order}"), &names).await;
        let (renewal, action, _) = newest(&house).await;
        assert_eq!(action, Action::Renew, "in its window or not");
        assert_ne!(renewal, order);
        // The URL that a client stored goes on: the chain was renewed, so its newest is duplicated.
        client.issue(&format!("new-order/renew/{order}"), &names).await;
        let (last, action, explanation) = newest(&house).await;
        assert_eq!((last, action), (renewal, Action::Duplicate), "{explanation}");
        let missing =
            client.order_at("new-order/renew/999999999", &names, json!({})).await.expect(403);
        assert_eq!(missing.problem(), "unauthorized");
        let other = client
            .order_at(&format!("new-order/renew/{order}"), &["b.example.com"], json!({}))
            .await;
        assert_eq!(other.expect(403).problem(), "unauthorized");
    }
}

/// A foreign organization's order and a missing one look the same.
#[tokio::test]
async fn a_foreign_order_looks_like_a_missing_one() {
    for house in houses().await {
        let client = house.client("one", "ssl_plus").await;
        client.issue("new-order", &["www.example.com"]).await;
        let (order, _, _) = newest(&house).await;
        let operator = Actor::Operator;
        let other = house.desk.add_organization(&operator, "Other", "DE", true).await.unwrap();
        house.desk.add_domain(&operator, "example.com", other, true).await.unwrap();
        let credential =
            house.url_with(NewAcmeUrl::permissive("other", "ssl_plus".into(), other)).await;
        let mut stranger = Client::new(&house);
        stranger.register(&credential).await;
        let words = |number: OrderNumber| {
            let stranger = &stranger;
            async move {
                let path = format!("new-order/renew/{number}");
                let answer =
                    stranger.order_at(&path, &["www.example.com"], json!({})).await.expect(403);
                answer.json()["detail"].as_str().unwrap().replace(&number.to_string(), "N")
            }
        };
        assert_eq!(words(order).await, words(OrderNumber(1)).await);
    }
}

/// A4, wildcard orders: subdomains are covered, and the certificate holds just what was asked for.
#[tokio::test]
async fn a4_a_wildcard_order_covers_its_subdomains() {
    for house in houses().await {
        let client = house.client("one", "ssl_wildcard").await;
        client.issue("new-order", &["*.example.com"]).await;
        let (order, _, _) = newest(&house).await;
        let (_, chain) = client.issue("new-order", &["a.example.com", "b.c.example.com"]).await;
        let (same, action, explanation) = newest(&house).await;
        assert_eq!((same, action), (order, Action::Duplicate), "{explanation}");
        assert_eq!(names_of(&chain), ["a.example.com", "b.c.example.com"]);
    }
}

fn names_of(chain: &str) -> Vec<String> {
    use x509_parser::prelude::{FromDer as _, GeneralName};
    let der = crate::client::leaf(chain);
    let (_, certificate) = x509_parser::certificate::X509Certificate::from_der(&der).unwrap();
    let names = certificate.subject_alternative_name().unwrap().unwrap();
    let mut names: Vec<String> = names
        .value
        .general_names
        .iter()
        .map(|name| match name {
            GeneralName::DNSName(name) => (*name).to_owned(),
            other => panic!("{other:?}"),
        })
        .collect();
    names.sort();
    names
}

/// A7: from the day on which a shorter maximum holds, what was issued before it is duplicated no
/// longer: a new order is made, and the page of the order says why.
#[tokio::test]
async fn a7_enrolls_where_the_maximum_became_shorter() {
    let (step, _) = domain::rules::validity::PUBLIC_MAXIMUM.last().unwrap();
    for database in store::testing::databases().await {
        let clock = lifecycle::Clock::starting_at(step.plus_seconds(-3_600));
        let house = House::starting(database, clock, |_| {}).await;
        let client = house.client("one", "ssl_plus").await;
        client.issue("new-order", &["www.example.com"]).await;
        let (first, _, _) = newest(&house).await;
        house.clock.advance(Days(1));
        client.issue("new-order", &["www.example.com"]).await;
        let (second, action, explanation) = newest(&house).await;
        assert_eq!(action, Action::Enroll, "on {}", house.kind);
        assert_ne!(first, second);
        let why = explanation["why"].as_str().unwrap();
        assert!(why.contains("longer left"), "{why}");
        let path = format!("new-order/duplicate/{first}");
        let refused = client.order_at(&path, &["www.example.com"], json!({})).await;
        assert_eq!(refused.expect(403).problem(), "unauthorized");
    }
}

/// A7: with "Duplicate automatically when an order matches" off, a new order with its options.
#[tokio::test]
async fn a7_automatic_duplicates_can_be_switched_off() {
    for house in houses().await {
        let credential = house
            .url_with(NewAcmeUrl {
                duplicate_automatically: false,
                ..NewAcmeUrl::permissive("one", "ssl_plus".into(), house.organization)
            })
            .await;
        let mut client = Client::new(&house);
        client.register(&credential).await;
        client.issue("new-order", &["www.example.com"]).await;
        let (first, _, _) = newest(&house).await;
        client.issue("new-order", &["www.example.com"]).await;
        let (second, action, _) = newest(&house).await;
        assert_eq!(action, Action::Enroll);
        assert_ne!(first, second);
    }
}

/// A8: a multi-year plan gets its next certificate, and is renewed in the order's window.
#[tokio::test]
async fn a8_a_multi_year_plan_is_reissued_then_renewed() {
    for house in houses().await {
        let credential = house
            .url_with(NewAcmeUrl {
                coverage_years: Some(1),
                ..NewAcmeUrl::permissive("one", "ssl_plus".into(), house.organization)
            })
            .await;
        let mut client = Client::new(&house);
        client.register(&credential).await;
        client.issue("new-order", &["www.example.com"]).await;
        let (order, _, _) = newest(&house).await;
        let (record, certificates) = counted(&house).await;
        assert_eq!(record.valid_till, record.order.coverage.ends());
        assert!(record.valid_till > Some(certificates[0].not_after));
        house.clock.advance(Days(100));
        client.issue("new-order", &["www.example.com"]).await;
        let (same, action, _) = newest(&house).await;
        assert_eq!((same, action), (order, Action::Reissue));
        house.clock.advance(Days(180));
        client.issue("new-order", &["www.example.com"]).await;
        let (renewal, action, explanation) = newest(&house).await;
        assert_eq!(action, Action::Renew, "{explanation}");
        assert_ne!(renewal, order);
    }
}

/// Precedence: `replaces` names the order before detection does.
#[tokio::test]
async fn replaces_names_the_order_before_detection_does() {
    for house in houses().await {
        let client = house.client("one", "ssl_plus").await;
        let names = ["www.example.com"];
        let (_, chain) = client.issue("new-order", &names).await;
        let (first, _, _) = newest(&house).await;
        client.issue("new-order/enroll", &names).await;
        let with = json!({"replaces": crate::orders::certificate_id(&chain)});
        let order = client.order_at("new-order", &names, with).await.expect(201).json();
        client.finalize(&order, &csr(&names, None)).await.expect(200);
        let (same, action, explanation) = newest(&house).await;
        assert_eq!((same, action), (first, Action::Duplicate), "{explanation}");
    }
}

/// A4: the order may have come through any ACME Directory URL of the organization, and no other's.
#[tokio::test]
async fn a4_an_order_of_the_organizations_other_url_is_found() {
    for house in houses().await {
        let names = ["www.example.com"];
        house.client("one", "ssl_plus").await.issue("new-order", &names).await;
        let (first, _, _) = newest(&house).await;
        house.client("two", "ssl_plus").await.issue("new-order", &names).await;
        let (order, action, explanation) = newest(&house).await;
        assert_eq!((order, action), (first, Action::Duplicate), "on {}: {explanation}", house.kind);
        let operator = Actor::Operator;
        let other = house.desk.add_organization(&operator, "Other", "DE", true).await.unwrap();
        house.desk.add_domain(&operator, "example.com", other, true).await.unwrap();
        let url = NewAcmeUrl::permissive("other", "ssl_plus".into(), other);
        let mut stranger = Client::new(&house);
        stranger.register(&house.url_with(url).await).await;
        stranger.issue("new-order", &names).await;
        let (order, action, explanation) = newest(&house).await;
        assert_eq!(action, Action::Enroll, "on {}: {explanation}", house.kind);
        assert_ne!(order, first);
    }
}

/// Approval: the order stays processing until a reviewer decides.
#[tokio::test]
async fn a_held_order_waits_for_its_reviewer() {
    for house in houses().await {
        let client = house.client("one", "ssl_plus").await;
        let operator = Actor::Operator;
        house.desk.settings_set(&operator, "approval_step", "one_step").await.unwrap();
        let reviewer = house.reviewer().await;
        let mut outcomes = Vec::new();
        for approve in [true, false] {
            let name = if approve { "www.example.com" } else { "b.example.com" };
            let made = client.order(&[name]).await.expect(201);
            let held = client.finalize(&made.json(), &csr(&[name], None)).await.expect(200);
            assert_eq!(held.json()["status"], "processing", "on {}", house.kind);
            let wait: u64 = held.header("retry-after").parse().unwrap();
            assert!((1..=600).contains(&wait));
            let again = client.order(&[name]).await.expect(201);
            assert_eq!(again.header("location"), made.header("location"), "the same held order");
            let request = house.newest_request().await;
            if approve {
                house.desk.approve(&reviewer, request, "fine").await.unwrap();
            } else {
                house.desk.reject(&reviewer, request, "not now").await.unwrap();
            }
            outcomes.push(client.fetch(&made.header("location")).await.expect(200).json());
        }
        assert_eq!(outcomes[0]["status"], "valid", "{}", outcomes[0]);
        client.fetch(outcomes[0]["certificate"].as_str().unwrap()).await.expect(200);
        assert_eq!(outcomes[1]["status"], "invalid");
        assert!(
            outcomes[1]["error"]["detail"].as_str().unwrap().contains("not now"),
            "{}",
            outcomes[1]
        );
    }
}

/// Nobody can fetch what an account or a URL that is gone still waited for: nobody is asked to
/// approve it either.
#[tokio::test]
async fn what_nobody_can_fetch_is_not_held() {
    for house in houses().await {
        let operator = Actor::Operator;
        let reviewer = house.reviewer().await;
        house.desk.settings_set(&operator, "approval_step", "one_step").await.unwrap();
        for revoked in [false, true] {
            let client = house.client(if revoked { "two" } else { "one" }, "ssl_plus").await;
            let stays = house.client(if revoked { "four" } else { "three" }, "ssl_plus").await;
            let mut held = Vec::new();
            for client in [&stays, &client] {
                let made = client.order(&["www.example.com"]).await.expect(201);
                let csr = csr(&["www.example.com"], None);
                let held_order = client.finalize(&made.json(), &csr).await.expect(200).json();
                assert_eq!(held_order["status"], "processing");
                held.push(made.header("location"));
            }
            let urls = house.desk.acme_urls(&operator, None, 10).await.unwrap();
            let newest = async |url| {
                house.desk.acme_orders(&operator, url, None, 1).await.unwrap().remove(0)
            };
            let (other, own) = (newest(urls[0].url.id).await, newest(urls[1].url.id).await);
            if revoked {
                house.desk.revoke_acme_url(&operator, urls[1].url.id).await.unwrap();
            } else {
                let account = client.account.clone().unwrap();
                let payload = Some(json!({"status": "deactivated"}));
                client.post(&account, payload).await.expect(200);
            }
            let late = house.desk.approve(&reviewer, own.request.unwrap(), "").await;
            assert!(late.is_err(), "on {}: {late:?}", house.kind);
            let ended = newest(urls[1].url.id).await;
            assert_eq!(ended.status, domain::model::acme::AcmeOrderStatus::Invalid);
            house.desk.approve(&reviewer, other.request.unwrap(), "").await.unwrap();
            let done = stays.fetch(&held[0]).await.expect(200).json();
            assert_eq!(done["status"], "valid", "{done}");
        }
    }
}

/// The dry run answers what the order would come to, and writes nothing.
#[tokio::test]
async fn a_dry_run_explains_without_issuing() {
    for house in houses().await {
        let client = house.client("one", "ssl_plus").await;
        client.issue("new-order", &["www.example.com"]).await;
        let (order, _, _) = newest(&house).await;
        let run = |at: Option<i64>, asked| DryRun {
            url_name: "one".to_owned(),
            names: ["www.example.com".parse().unwrap()].into_iter().collect(),
            common_name: None,
            asked,
            at: at.map(|days| house.clock.now().plus(Days(days))),
        };
        let explain = |run: DryRun| {
            let desk = house.desk.clone();
            async move { desk.acme_explain(&run).await.unwrap() }
        };
        let now = explain(run(None, None)).await.to_json();
        assert_eq!((&now["action"], &now["order"]), (&json!("duplicate"), &json!(order)));
        assert_eq!(now["candidates"][0]["rule"], "A4");
        assert!(!now["why"].as_str().unwrap().contains("newOrder"), "{now}");
        let mut elsewhere = run(None, None);
        elsewhere.names = ["www.elsewhere.test".parse().unwrap()].into_iter().collect();
        let refused = explain(elsewhere).await.to_json();
        let why = refused["why"].as_str().unwrap();
        assert!(why.contains("refuses") && why.contains("www.elsewhere.test"), "{refused}");
        client.order(&["www.elsewhere.test"]).await.expect(403);
        let later = explain(run(Some(190), None)).await.to_json();
        assert_eq!(later["action"], "renew", "{later}");
        let foreign = domain::rules::DirectoryAction::Renew(OrderNumber(7));
        let DryRunAnswer::Refused(refusal) = explain(run(None, Some(foreign))).await else {
            panic!("refused")
        };
        assert_eq!(refusal.code, "order_unknown");
        assert_eq!(newest(&house).await.0, order);
    }
}
