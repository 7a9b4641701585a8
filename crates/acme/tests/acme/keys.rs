//! A finalize with another key than the one before: no certificate is handed to whoever has not its
//! key.

use domain::Days;
use domain::model::Approval;
use lifecycle::{Actor, LifecycleError};
use rcgen::KeyPair;
use serde_json::json;

use crate::client::{Client, certificates_in, csr_with_key, leaf};
use crate::house::{House, houses};

fn key() -> KeyPair {
    KeyPair::generate().unwrap()
}

/// Whether the certificate is for the key.
fn is_for(chain: &str, key: &KeyPair) -> bool {
    let (der, point) = (leaf(chain), key.public_key_raw());
    der.windows(point.len()).any(|window| window == point)
}

async fn chain_of(client: &Client, order: &serde_json::Value) -> String {
    client.fetch(order["certificate"].as_str().unwrap()).await.expect(200).text
}

async fn approval_step(house: &House, step: &str) {
    house.desk.settings_set(&Actor::Operator, "approval_step", step).await.unwrap();
}

/// An issued order has the certificate of its first key, and says so to whoever has another.
#[tokio::test]
async fn an_issued_order_is_for_its_first_key() {
    for house in houses().await {
        let client = house.client("one", "ssl_plus").await;
        let (names, first, second) = (["www.example.com"], key(), key());
        let made = client.order(&names).await.expect(201);
        let order = made.json();
        let done = client.finalize(&order, &csr_with_key(&names, None, &first)).await.expect(200);
        let done = done.json();
        assert!(is_for(&chain_of(&client, &done).await, &first), "on {}", house.kind);
        let same = csr_with_key(&names, Some("www.example.com"), &first);
        assert_eq!(client.finalize(&order, &same).await.expect(200).json(), done, "a poll");
        let other = csr_with_key(&names, None, &second);
        let refused = client.finalize(&order, &other).await.expect(403);
        assert_eq!(refused.problem(), "orderNotReady");
        let words = refused.json()["detail"].as_str().unwrap().to_owned();
        assert!(words.contains("another key") && words.contains("new order"), "{words}");
        // What the words say to do leads to a certificate for the new key.
        let next = client.order(&names).await.expect(201);
        assert_ne!(next.header("location"), made.header("location"));
        let done = client.finalize(&next.json(), &other).await.expect(200).json();
        assert!(is_for(&chain_of(&client, &done).await, &second));
    }
}

/// Whoever lost the key while the order waited for a reviewer gets the certificate of the newest.
#[tokio::test]
async fn a_held_order_takes_another_key_until_it_is_decided() {
    for house in houses().await {
        let client = house.client("one", "ssl_plus").await;
        let reviewer = house.reviewer().await;
        approval_step(&house, "one_step").await;
        let (names, first, second, third) = (["www.example.com"], key(), key(), key());
        let made = client.order(&names).await.expect(201);
        let order = made.json();
        let finalize = async |names: &[&str], common_name: Option<&str>, key: &KeyPair| {
            client.finalize(&order, &csr_with_key(names, common_name, key)).await
        };
        for key in [&first, &second, &second] {
            let held = finalize(&names, None, key).await.expect(200).json();
            assert_eq!(held["status"], "processing", "on {}", house.kind);
        }
        let wider = finalize(&["www.example.com", "a.example.com"], None, &third).await;
        assert_eq!(wider.expect(400).problem(), "badCSR", "what is issued is still checked");
        let request = house.newest_request().await;
        let changes = house
            .desk
            .audit_page(
                &Actor::Operator,
                lifecycle::audit::AuditFilter::default(),
                &lifecycle::lists::PageOf::first((), 200),
            )
            .await
            .unwrap()
            .rows;
        let noted = changes.iter().filter(|row| row.action == "request.key_changed").count();
        assert_eq!(noted, 1, "once for the second key");
        house.desk.approve(&reviewer, request, "fine").await.unwrap();
        let late = finalize(&names, None, &third).await.expect(403);
        assert_eq!(late.problem(), "orderNotReady");
        let done = client.fetch(&made.header("location")).await.expect(200).json();
        let chain = chain_of(&client, &done).await;
        assert!(is_for(&chain, &second) && certificates_in(&chain) == 2, "on {}", house.kind);
        assert_eq!(finalize(&names, None, &second).await.expect(200).json(), done);
    }
}

/// A reviewer who was shown one key issues for no other.
#[tokio::test]
async fn an_approval_is_for_the_key_that_the_reviewer_was_shown() {
    for house in houses().await {
        let client = house.client("one", "ssl_plus").await;
        let reviewer = house.reviewer().await;
        approval_step(&house, "one_step").await;
        let (names, first, second) = (["www.example.com"], key(), key());
        let made = client.order(&names).await.expect(201);
        let finalize = async |key: &KeyPair| {
            client.finalize(&made.json(), &csr_with_key(&names, None, key)).await.expect(200)
        };
        finalize(&first).await;
        let id = house.newest_request().await;
        let request = async || house.desk.request(&reviewer, id).await.unwrap();
        let approve = async |seen: &str| {
            let approved = house.desk.approve_seen(&reviewer, id, Some(seen), "").await;
            approved.map_err(|error| match error {
                LifecycleError::Conflict { message } => message,
                other => panic!("{other:?} on {}", house.kind),
            })
        };
        let record = request().await;
        let through = house.desk.asked_through(&record).await.unwrap().unwrap();
        assert_eq!((through.name.as_str(), through.made_by), ("one", None));
        let shown = record.wish.spki_sha256.unwrap();
        finalize(&second).await;
        let refused = approve(&shown).await.unwrap_err();
        let now = request().await;
        assert_eq!(now.request.approval, Approval::Pending, "on {}", house.kind);
        let shown_now = now.wish.spki_sha256.unwrap();
        assert!(refused.contains("another key") && refused.contains(&shown_now), "{refused}");
        approve(&shown_now.to_uppercase()).await.unwrap();
        let late = approve(&shown).await.unwrap_err();
        assert!(late.contains("decided already"), "on {}: {late}", house.kind);
        let done = client.fetch(&made.header("location")).await.expect(200).json();
        assert!(is_for(&chain_of(&client, &done).await, &second), "on {}", house.kind);
    }
}

/// What was decided rests on the common name, so that another one needs another order.
#[tokio::test]
async fn another_common_name_is_another_order() {
    for house in houses().await {
        let client = house.client("one", "ssl_multi_domain").await;
        approval_step(&house, "one_step").await;
        let names = ["www.example.com", "a.example.com"];
        let order = client.order(&names).await.expect(201).json();
        let csr = |common_name| csr_with_key(&names, common_name, &key());
        client.finalize(&order, &csr(Some("www.example.com"))).await.expect(200);
        client.finalize(&order, &csr(None)).await.expect(200);
        client.finalize(&order, &csr(Some("www.example.com"))).await.expect(200);
        let other = client.finalize(&order, &csr(Some("a.example.com"))).await.expect(403);
        assert_eq!(other.problem(), "orderNotReady", "on {}", house.kind);
    }
}

/// newOrder does not lead back to what was decided since anybody looked.
#[tokio::test]
async fn a_decided_order_is_open_no_longer() {
    for house in houses().await {
        let client = house.client("one", "ssl_plus").await;
        let reviewer = house.reviewer().await;
        approval_step(&house, "one_step").await;
        let names = ["www.example.com"];
        let made = client.order(&names).await.expect(201);
        let csr = csr_with_key(&names, None, &key());
        client.finalize(&made.json(), &csr).await.expect(200);
        house.desk.approve(&reviewer, house.newest_request().await, "").await.unwrap();
        let next = client.order(&names).await.expect(201);
        assert_ne!(next.header("location"), made.header("location"), "on {}", house.kind);
    }
}

/// However long a reviewer takes, the same request is the same held order.
#[tokio::test]
async fn a_held_order_is_found_again_after_its_time() {
    for house in houses().await {
        let client = house.client("one", "ssl_plus").await;
        approval_step(&house, "one_step").await;
        let names = ["www.example.com"];
        let made = client.order(&names).await.expect(201);
        let csr = csr_with_key(&names, None, &key());
        client.finalize(&made.json(), &csr).await.expect(200);
        house.clock.advance(Days(8));
        let again = client.order(&names).await.expect(201);
        assert_eq!(again.header("location"), made.header("location"), "on {}", house.kind);
        assert_eq!(again.json()["status"], json!("processing"));
    }
}

/// Public certificates hold RSA and ECDSA keys only (CA/Browser Forum Baseline Requirements 6.1.5): a
/// key that could never be issued for neither takes the order nor waits for a reviewer.
#[tokio::test]
async fn a_key_that_the_product_does_not_hold_is_refused_and_leaves_the_order_ready() {
    for house in houses().await {
        let client = house.client("one", "ssl_plus").await;
        let private = house.client("two", "private_ssl_plus").await;
        let (names, edwards) =
            (["www.example.com"], KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap());
        let csr = csr_with_key(&names, None, &edwards);
        for step in ["skip", "one_step"] {
            approval_step(&house, step).await;
            let made = client.order(&names).await.expect(201);
            let refused = client.finalize(&made.json(), &csr).await.expect(400);
            assert_eq!(refused.problem(), "badCSR", "{step} on {}", house.kind);
            let detail = refused.json()["detail"].as_str().unwrap().to_owned();
            assert!(detail.contains("ECDSA"), "{detail}");
            let order = client.fetch(&made.header("location")).await.expect(200).json();
            assert_eq!(order["status"], "ready", "{step} on {}", house.kind);
        }
        // What waits takes no such key either.
        let made = client.order(&names).await.expect(201);
        let held = client.finalize(&made.json(), &csr_with_key(&names, None, &key())).await;
        assert_eq!(held.expect(200).json()["status"], "processing");
        let refused = client.finalize(&made.json(), &csr).await.expect(400);
        assert_eq!(refused.problem(), "badCSR", "on {}", house.kind);
        approval_step(&house, "skip").await;
        let made = private.order(&names).await.expect(201);
        let done = private.finalize(&made.json(), &csr).await.expect(200).json();
        assert_eq!(done["status"], "valid", "on {}", house.kind);
    }
}
