//! What one client could do to others, or to the server.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use serde_json::{Value, json};

use crate::client::{Client, binding, csr, csr_with_key, leaf};
use crate::house::{House, houses};

/// PostgreSQL takes no NUL in a text: no such text comes as far as the database.
#[tokio::test]
async fn a_nul_is_a_fault_of_the_request() {
    for house in houses().await {
        let mut credential = house.url("one", "ssl_plus").await;
        credential.kid = "a\0".to_owned();
        let stranger = Client::new(&house);
        let url = stranger.url("new-account");
        let payload = json!({
            "termsOfServiceAgreed": true,
            "externalAccountBinding": binding(&credential, &stranger.key.jwk(), &url),
        });
        let refused = stranger.post(&url, Some(payload)).await.expect(400);
        assert_eq!(refused.problem(), "malformed", "on {}", house.kind);
        let client = house.client("two", "ssl_plus").await;
        for replaces in ["\0", "AAAA.\0"] {
            let with = json!({"replaces": replaces});
            let refused = client.order_at("new-order", &["www.example.com"], with).await;
            assert_eq!(refused.expect(400).problem(), "malformed", "on {}", house.kind);
        }
    }
}

fn revocation(chain: &str, reason: i64) -> Value {
    json!({"certificate": B64.encode(leaf(chain)), "reason": reason})
}

/// An account that has only shown control of a certificate's names knows nothing of its key: it takes
/// no certificate with it but this one.
#[tokio::test]
async fn who_holds_authorizations_only_does_not_speak_of_the_key() {
    for house in houses().await {
        let owner = house.client("one", "ssl_plus").await;
        let other = house.client("two", "ssl_plus").await;
        let key = rcgen::KeyPair::generate().unwrap();
        let url = owner.url("revoke-cert");
        let mut chains = Vec::new();
        for name in ["a.example.com", "c.example.com"] {
            let order = owner.order(&[name]).await.expect(201).json();
            let done = owner.finalize(&order, &csr_with_key(&[name], None, &key)).await;
            let done = done.expect(200).json();
            chains.push(owner.fetch(done["certificate"].as_str().unwrap()).await.expect(200).text);
        }
        other.order(&["c.example.com"]).await.expect(201);
        let refused = other.post(&url, Some(revocation(&chains[1], 1))).await.expect(400);
        assert_eq!(refused.problem(), "badRevocationReason", "on {}", house.kind);
        let words = refused.json()["detail"].as_str().unwrap().to_owned();
        assert!(words.contains("certificate's key") && words.contains('5'), "{words}");
        other.post(&url, Some(revocation(&chains[1], 5))).await.expect(200);
        house.clock.advance(domain::Days(1));
        assert_eq!(house.desk.run_compromised_keys().await.unwrap(), 0, "on {}", house.kind);
        // Whose certificate it is has shown the key with its CSR.
        owner.post(&url, Some(revocation(&chains[0], 1))).await.expect(200);
        let order = owner.order(&["b.example.com"]).await.expect(201).json();
        let refused = owner.finalize(&order, &csr_with_key(&["b.example.com"], None, &key)).await;
        assert_eq!(refused.expect(400).problem(), "badCSR", "on {}", house.kind);
    }
}

/// Each label is another domain to look at: for orders that cover the name, and for CAA.
#[tokio::test]
async fn a_name_has_ten_labels_at_most() {
    for house in houses().await {
        let client = house.client("one", "ssl_dv_geotrust").await;
        let long = |labels: usize| format!("{}test", "a.".repeat(labels - 1));
        let order = client.order(&["b.test", &long(11)]).await.expect(403);
        assert_eq!(order.problem(), "rejectedIdentifier", "on {}", house.kind);
        let told = order.json();
        assert!(told["detail"].as_str().unwrap().contains("10"), "{told}");
        let identifier = json!({"identifier": {"type": "dns", "value": long(11)}});
        let early = client.post(&client.url("new-authz"), Some(identifier)).await.expect(403);
        assert_eq!(early.problem(), "rejectedIdentifier", "on {}", house.kind);
        client.order(&[&long(10)]).await.expect(201);
    }
}

/// Answers the http-01 challenge of every name.
async fn answer_all(client: &Client, names: &[String]) {
    for some in names.chunks(100) {
        let some: Vec<&str> = some.iter().map(String::as_str).collect();
        let order = client.order(&some).await.expect(201).json();
        for authorization in order["authorizations"].as_array().unwrap() {
            let shown = client.fetch(authorization.as_str().unwrap()).await.expect(200).json();
            let challenges = shown["challenges"].as_array().unwrap();
            let challenge = challenges.iter().find(|one| one["type"] == "http-01").unwrap();
            client.post(challenge["url"].as_str().unwrap(), Some(json!({}))).await.expect(200);
        }
    }
}

/// However many challenges the accounts of one ACME Directory URL answer, others have their places.
#[tokio::test]
async fn one_url_does_not_take_all_places_of_validation() {
    for mut house in houses().await {
        house.stop();
        house.ended().await;
        let names: Vec<String> = (0..150).map(|number| format!("w{number}.test")).collect();
        answer_all(&house.client("many", "ssl_dv_geotrust").await, &names).await;
        let few = house.client("few", "ssl_dv_geotrust").await;
        answer_all(&few, &["few.test".to_owned()]).await;
        let desk = house.server.desk();
        let first = desk.due_validations("node", 32).await.unwrap();
        let holds = |value: &str| first.iter().any(|task| task.identifier.value == value);
        assert!(holds("few.test") && holds("w0.test"), "on {}", house.kind);
        let mut leased = first.len();
        loop {
            let more = desk.due_validations("node", 32).await.unwrap().len();
            leased += more;
            if more == 0 {
                break;
            }
        }
        assert_eq!(leased, 128 + 1, "on {}", house.kind);
        // What another process took counts as well, and what is given back is due again.
        answer_all(&few, &["again.test".to_owned()]).await;
        assert_eq!(desk.due_validations("other", 32).await.unwrap().len(), 1, "{}", house.kind);
        desk.give_leases_back("node").await.unwrap();
        assert_eq!(desk.due_validations("other", 32).await.unwrap().len(), 32, "{}", house.kind);
    }
}

/// Orders that wait for a reviewer are nobody's work; those that were cut off are not kept waiting by
/// them.
#[tokio::test]
async fn held_orders_hold_up_no_sweep() {
    for house in houses().await {
        let client = house.client("one", "ssl_plus").await;
        let operator = lifecycle::Actor::Operator;
        house.desk.settings_set(&operator, "approval_step", "one_step").await.unwrap();
        for name in ["a.example.com", "b.example.com"] {
            let order = client.order(&[name]).await.expect(201).json();
            let held = client.finalize(&order, &csr(&[name], None)).await.expect(200).json();
            assert_eq!(held["status"], "processing");
        }
        let cut_off = cut_off(&house, &client, "c.example.com").await;
        house.clock.advance(domain::Days(1));
        let now = house.clock.now();
        let asked = now.minus(domain::rules::ACME_REQUEST_WAITS);
        let mut tx = house.desk.store().reader().await.unwrap();
        let stale = tx.stale_acme_orders(now, now, asked, 1).await.unwrap();
        let processing = domain::model::acme::AcmeOrderStatus::Processing;
        assert_eq!(stale, [(cut_off, processing)], "on {}", house.kind);
        drop(tx);
        // Once they are decided they are somebody's.
        let reviewer = house.reviewer().await;
        let first = house.desk.acme_orders(&operator, domain::AcmeUrlId(1), None, 3).await.unwrap();
        let (id, request) = (first[2].id, first[2].request.unwrap());
        house.desk.reject(&reviewer, request, "no").await.unwrap();
        let mut tx = house.desk.store().reader().await.unwrap();
        let stale = tx.stale_acme_orders(now, now, asked, 9).await.unwrap();
        assert_eq!(stale, [(id, processing), (cut_off, processing)], "on {}", house.kind);
    }
}

/// One sweep ends all that is over, however many a client has left behind: it must not fall behind what
/// the limits allow.
#[tokio::test]
async fn a_sweep_goes_on_until_nothing_is_left() {
    use domain::model::acme::{AcmeOrderStatus, AuthorizationStatus, Identifier, NewAcmeOrder};
    const COUNT: usize = 501;
    for house in houses().await {
        let client = house.client("one", "ssl_plus").await;
        client.issue("new-order", &["www.example.com"]).await;
        let (account, url) = (domain::AcmeAccountId(1), domain::AcmeUrlId(1));
        let now = house.clock.now();
        let write = house.desk.store().write(move |tx| {
            Box::pin(async move {
                for number in 0..COUNT {
                    let name = format!("n{number}.example.com").parse().unwrap();
                    let identifier = Identifier::of(&name);
                    let authorization = store::acme::NewAuthorization {
                        account,
                        identifier: identifier.clone(),
                        wildcard: false,
                        status: AuthorizationStatus::Valid,
                        expires_at: now.plus_seconds(60),
                        prevalidated: true,
                        without_order: false,
                        created_at: now,
                        challenges: vec![store::acme::NewChallenge {
                            kind: domain::model::acme::ChallengeKind::Http01,
                            token: format!("token{number}"),
                            status: domain::model::acme::ChallengeStatus::Valid,
                        }],
                    };
                    let authorization = tx.insert_authorization(authorization).await?;
                    let row = store::acme::NewAcmeOrderRow {
                        account,
                        url,
                        wanted: NewAcmeOrder {
                            identifiers: vec![identifier],
                            profile: "default".to_owned(),
                            replaces: None,
                            asked: None,
                        },
                        status: AcmeOrderStatus::Ready,
                        expires_at: now.plus_seconds(60),
                        authorizations: vec![authorization.id],
                        created_at: now,
                    };
                    tx.insert_acme_order(&row).await?;
                }
                Ok::<_, store::StoreError>(())
            })
        });
        write.await.unwrap();
        let rows = house.rows().await;
        house.clock.advance(domain::Days(1));
        let desk = house.server.desk();
        desk.sweep().await.unwrap();
        let now = house.clock.now();
        let left =
            house.desk.store().reader().await.unwrap().stale_acme_orders(now, now, now, 9).await;
        assert_eq!(left.unwrap(), [], "on {}", house.kind);
        let expired = house
            .desk
            .store()
            .write(move |tx| Box::pin(async move { tx.expire_authorizations(now, 9).await }));
        assert_eq!(expired.await.unwrap(), Vec::<i64>::new(), "on {}", house.kind);
        house.clock.advance(domain::Days(40));
        desk.sweep().await.unwrap();
        let gone = |table: &str, after: &std::collections::BTreeMap<String, i64>| {
            rows[table] - after[table]
        };
        let after = house.rows().await;
        let count = i64::try_from(COUNT).unwrap();
        assert_eq!(gone("acme_orders", &after), count, "on {}", house.kind);
        assert!(gone("acme_authorizations", &after) >= count, "on {}", house.kind);
    }
}

/// An order whose finalize was cut off before anything came of it.
async fn cut_off(house: &House, client: &Client, name: &str) -> domain::AcmeOrderId {
    let made = client.order(&[name]).await.expect(201);
    let id = made.header("location").rsplit('/').next().unwrap().parse().unwrap();
    let (id, der, now) = (domain::AcmeOrderId(id), csr(&[name], None), house.clock.now());
    let claiming = house.desk.store().write(move |tx| {
        Box::pin(async move {
            let order = tx.acme_order(id).await?.unwrap();
            let (account, names) = (order.account, &order.names());
            let claim = store::acme::Claim {
                order: id,
                account,
                csr: &der,
                names,
                thumbprint: None,
                at: now,
            };
            tx.claim_acme_order(claim).await?;
            tx.note_acme_outcome(id, Some(claim), &store::acme::AcmeOrderOutcome::default()).await
        })
    });
    claiming.await.unwrap();
    id
}
