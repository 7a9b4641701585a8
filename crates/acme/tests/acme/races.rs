//! Two at once: one wins, and the other is told so or gets the same.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use futures::future::join_all;
use serde_json::json;

use crate::client::{Answer, Client, Key, csr, jws, leaf};
use crate::house::houses;
use crate::orders::certificate_id;
use crate::replaces::siblings;

/// Status and problem of all that did not succeed.
fn losers(answers: &[Answer]) -> Vec<(u16, String)> {
    let lost = answers.iter().filter(|answer| answer.status != 200);
    lost.map(|answer| (answer.status, answer.problem())).collect()
}

#[tokio::test]
async fn finalizes_at_once_issue_one_certificate() {
    for house in houses().await {
        let client = house.client("one", "ssl_plus").await;
        let made = client.order(&["www.example.com"]).await.expect(201);
        let order = made.json();
        let der = csr(&["www.example.com"], None);
        let nodes = house.nodes().await;
        let payload = json!({"csr": B64.encode(&der)});
        let url = order["finalize"].as_str().unwrap();
        let finalize = |index: usize| client.post_at(&nodes[index % nodes.len()], url, &payload);
        let answers = join_all((0..8).map(finalize)).await;
        for answer in answers {
            let status = answer.expect(200).json()["status"].clone();
            assert!(status == "valid" || status == "processing", "{status} on {}", house.kind);
        }
        let order = client.fetch(&made.header("location")).await.json();
        assert_eq!(order["status"], "valid");
        let number = house
            .desk
            .acme_orders(&lifecycle::Actor::Operator, domain::AcmeUrlId(1), None, 1)
            .await
            .unwrap()[0]
            .order_number;
        let mut tx = house.desk.store().reader().await.unwrap();
        assert_eq!(tx.certificates_of_order(number.unwrap()).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn one_of_two_uses_of_a_nonce_counts_also_across_nodes() {
    for house in houses().await {
        let client = house.client("one", "ssl_plus").await;
        let account = client.account.clone().unwrap();
        let bases = house.nodes().await;
        for _ in 0..5 {
            let header = json!({"alg": "ES256", "kid": account, "nonce": client.nonce().await, "url": account});
            let body = jws(&client.key, &header, "").to_string();
            let sent = (0..6).map(|index| {
                let url = account.replace(&house.base, &bases[index % bases.len()]);
                let (client, body) = (&client, body.clone());
                async move { client.send(&url, body).await }
            });
            let answers = join_all(sent).await;
            assert_eq!(
                losers(&answers),
                vec![(400, "badNonce".to_owned()); 5],
                "on {}",
                house.kind
            );
        }
    }
}

#[tokio::test]
async fn identical_orders_at_once_are_one() {
    for house in houses().await {
        let client = house.client("one", "ssl_plus").await;
        let answers = join_all((0..6).map(|_| client.order(&["www.example.com"]))).await;
        let mut urls: Vec<String> =
            answers.into_iter().map(|answer| answer.expect(201).header("location")).collect();
        urls.dedup();
        assert_eq!(urls.len(), 1, "on {}", house.kind);
    }
}

#[tokio::test]
async fn one_of_two_key_changes_wins() {
    for house in houses().await {
        let client = house.client("one", "ssl_plus").await;
        let url = client.url("key-change");
        let account = client.account.clone().unwrap();
        let change = |new: &Key| {
            let header = json!({"alg": "ES256", "jwk": new.jwk(), "url": url});
            jws(new, &header, &json!({"account": account, "oldKey": client.key.jwk()}).to_string())
        };
        let (a, b) = (Key::generate("ES256"), Key::generate("ES256"));
        let nodes = house.nodes().await;
        let (wish_a, wish_b) = (change(&a), change(&b));
        let (first, second) = tokio::join!(
            client.post_at(&nodes[0], &url, &wish_a),
            client.post_at(nodes.last().unwrap(), &url, &wish_b)
        );
        let won = first.status == 200;
        // Too late for the account's row, or already for the signature.
        let lost = losers(&[first, second]);
        let told = [(400, "malformed".to_owned()), (409, "malformed".to_owned())];
        assert!(lost.len() == 1 && told.contains(&lost[0]), "{lost:?} on {}", house.kind);
        let holder = Client {
            key: if won { a } else { b },
            account: Some(account.clone()),
            ..Client::new(&house)
        };
        holder.fetch(&account).await.expect(200);
    }
}

#[tokio::test]
async fn one_account_takes_a_key_that_two_want() {
    for house in houses().await {
        let one = house.client("one", "ssl_plus").await;
        let two = house.client("two", "ssl_plus").await;
        let new = Key::generate("ES256");
        let url = one.url("key-change");
        let change = |client: &Client| {
            let header = json!({"alg": "ES256", "jwk": new.jwk(), "url": url});
            jws(
                &new,
                &header,
                &json!({"account": client.account, "oldKey": client.key.jwk()}).to_string(),
            )
        };
        let nodes = house.nodes().await;
        let (of_one, of_two) = (change(&one), change(&two));
        let (first, second) = tokio::join!(
            one.post_at(&nodes[0], &url, &of_one),
            two.post_at(nodes.last().unwrap(), &url, &of_two)
        );
        let (winner, loser) = if first.status == 200 { (&one, &second) } else { (&two, &first) };
        assert_eq!(loser.header("location"), winner.account.clone().unwrap(), "{loser:?}");
        assert_eq!(losers(&[first, second]), [(409, "malformed".to_owned())], "on {}", house.kind);
    }
}

#[tokio::test]
async fn one_of_two_revocations_counts() {
    for house in houses().await {
        let client = house.client("one", "ssl_plus").await;
        let (_, chain) = client.issue("new-order", &["www.example.com"]).await;
        let certificate = B64.encode(leaf(&chain));
        let payload = json!({"certificate": certificate});
        let url = client.url("revoke-cert");
        let nodes = house.nodes().await;
        let revoke = |index: usize| client.post_at(&nodes[index % nodes.len()], &url, &payload);
        let answers = join_all((0..4).map(revoke)).await;
        let lost = vec![(400, "alreadyRevoked".to_owned()); 3];
        assert_eq!(losers(&answers), lost, "on {}", house.kind);
    }
}

/// Of two open orders that would replace one certificate.
#[tokio::test]
async fn one_of_two_replacements_counts() {
    for house in houses().await {
        let (one, two) = siblings(&house).await;
        let names = ["www.example.com"];
        let (_, chain) = one.issue("new-order", &names).await;
        let with = json!({"replaces": certificate_id(&chain)});
        let nodes = house.nodes().await;
        let mut urls = Vec::new();
        for client in [&one, &two] {
            let made = client.order_at("new-order", &names, with.clone()).await.expect(201).json();
            urls.push(made["finalize"].as_str().unwrap().to_owned());
        }
        let finalize = async |client: &Client, at: usize| {
            let payload = json!({"csr": B64.encode(csr(&names, None))});
            client.post_at(&nodes[at % nodes.len()], &urls[at], &payload).await
        };
        let (first, second) = tokio::join!(finalize(&one, 0), finalize(&two, 1));
        let lost = vec![(409, "alreadyReplaced".to_owned())];
        assert_eq!(losers(&[first, second]), lost, "on {}", house.kind);
    }
}

/// The authorization of a pending order, and the order.
fn pending(order: &serde_json::Value) -> i64 {
    assert_eq!(order["status"], "pending");
    let url = order["authorizations"][0].as_str().unwrap();
    url.rsplit_once('/').unwrap().1.parse().unwrap()
}

/// An order for what is being validated at that moment is ready with it.
#[tokio::test]
async fn an_order_made_beside_a_validation_becomes_ready() {
    use domain::model::acme::AuthorizationStatus::{Pending, Valid};
    for house in houses().await {
        let client = house.client("one", "ssl_dv_geotrust").await;
        let names = ["www.example.com"];
        let id = pending(&client.order(&names).await.expect(201).json());
        let now = house.clock.now();
        let (started, begun) = tokio::sync::oneshot::channel();
        let validating = house.desk.store().write(move |tx| {
            Box::pin(async move {
                let until = Some(now.plus_seconds(3_600));
                let changed = tx.set_authorization_status(id, &[Pending], Valid, until, now).await;
                let _ = started.send(());
                tokio::time::sleep(std::time::Duration::from_millis(300)).await;
                changed
            })
        });
        let ordering = async {
            begun.await.unwrap();
            // Not identical to the first, with which it would be joined.
            client.order_at("new-order/enroll", &names, json!({})).await
        };
        let (changed, made) = tokio::join!(validating, ordering);
        assert!(changed.unwrap());
        assert_eq!(made.expect(201).json()["status"], "ready", "on {}", house.kind);
    }
}

/// And the other way round: who validates waits for the order that is being made, and sees it.
#[tokio::test]
async fn a_validation_sees_the_order_that_is_made_beside_it() {
    use domain::model::acme::AuthorizationStatus::{Pending, Valid};
    use domain::model::acme::{AcmeOrderStatus, Identifier, NewAcmeOrder};
    for house in houses().await {
        let client = house.client("one", "ssl_dv_geotrust").await;
        let first = client.order(&["www.example.com"]).await.expect(201).json();
        let id = pending(&first);
        let (now, soon) = (house.clock.now(), house.clock.now().plus_seconds(60));
        let identifier = Identifier::of(&"www.example.com".parse().unwrap());
        let (account, url) = (domain::AcmeAccountId(1), domain::AcmeUrlId(1));
        let (started, begun) = tokio::sync::oneshot::channel();
        let ordering = house.desk.store().write(move |tx| {
            Box::pin(async move {
                let needed = store::acme::WantedAuthorization {
                    identifier: identifier.clone(),
                    wildcard: false,
                    prevalidated: false,
                    until: soon,
                };
                let found = tx.usable_authorizations(account, &[needed]).await?;
                assert_eq!(found, [Some((id, Pending))]);
                let _ = started.send(());
                tokio::time::sleep(std::time::Duration::from_millis(300)).await;
                let wanted = NewAcmeOrder {
                    identifiers: vec![identifier],
                    profile: "default".to_owned(),
                    replaces: None,
                    asked: None,
                };
                let row = store::acme::NewAcmeOrderRow {
                    account,
                    url,
                    wanted,
                    status: AcmeOrderStatus::Pending,
                    expires_at: now.plus_seconds(3_600),
                    authorizations: vec![id],
                    created_at: now,
                };
                tx.insert_acme_order(&row).await
            })
        });
        let validating = async {
            begun.await.unwrap();
            let validated = house.desk.store().write(move |tx| {
                Box::pin(async move {
                    let until = Some(now.plus_seconds(3_600));
                    tx.set_authorization_status(id, &[Pending], Valid, until, now).await?;
                    tx.open_orders_of_authorization(id).await
                })
            });
            validated.await
        };
        let (made, seen) = tokio::join!(ordering, validating);
        let made = made.unwrap();
        assert!(seen.unwrap().contains(&made), "on {}", house.kind);
    }
}

/// An authorization that is given up while an order is finalized comes too late for that order.
#[tokio::test]
async fn an_order_that_is_being_issued_does_not_end_with_its_authorization() {
    for house in houses().await {
        let client = house.client("one", "ssl_plus").await;
        let made = client.order(&["www.example.com"]).await.expect(201);
        let authorization = made.json()["authorizations"][0].as_str().unwrap().to_owned();
        let der = csr(&["www.example.com"], None);
        let (started, begun) = tokio::sync::oneshot::channel();
        let now = house.clock.now();
        let claiming = house.desk.store().write(move |tx| {
            Box::pin(async move {
                let claim = store::acme::Claim {
                    order: domain::AcmeOrderId(1),
                    account: domain::AcmeAccountId(1),
                    csr: &der,
                    names: &domain::NameSet::parse_list("www.example.com").unwrap(),
                    thumbprint: None,
                    at: now,
                };
                let claimed = tx.claim_acme_order(claim).await?;
                let _ = started.send(());
                tokio::time::sleep(std::time::Duration::from_millis(300)).await;
                let outcome = store::acme::AcmeOrderOutcome::default();
                tx.note_acme_outcome(claim.order, Some(claim), &outcome).await?;
                Ok::<_, store::StoreError>(claimed)
            })
        });
        let giving_up = async {
            begun.await.unwrap();
            client.post(&authorization, Some(json!({"status": "deactivated"}))).await
        };
        let (claimed, given_up) = tokio::join!(claiming, giving_up);
        assert!(claimed.unwrap().is_some());
        given_up.expect(200);
        let order = client.fetch(&made.header("location")).await.expect(200).json();
        assert_eq!(order["status"], "valid", "on {}: {order}", house.kind);
    }
}

/// A reviewer who decides beside an account's end was faster: the account ends all the same.
#[tokio::test]
async fn an_account_ends_beside_a_reviewers_decision() {
    use domain::model::Approval;
    for house in houses().await {
        let client = house.client("one", "ssl_plus").await;
        let account = client.account.clone().unwrap();
        let operator = lifecycle::Actor::Operator;
        house.desk.settings_set(&operator, "approval_step", "one_step").await.unwrap();
        let order = client.order(&["www.example.com"]).await.expect(201).json();
        client.finalize(&order, &csr(&["www.example.com"], None)).await.expect(200);
        let (request, now) = (house.newest_request().await, house.clock.now());
        let (started, begun) = tokio::sync::oneshot::channel();
        let deciding = house.desk.store().write(move |tx| {
            Box::pin(async move {
                let found = tx.request(request).await?.unwrap();
                tx.lock_order(found.request.order).await?;
                let _ = started.send(());
                tokio::time::sleep(std::time::Duration::from_millis(300)).await;
                tx.decide_request(request, &Approval::Canceled { at: now }, None, None).await
            })
        });
        let ending = async {
            begun.await.unwrap();
            client.post(&account, Some(json!({"status": "deactivated"}))).await
        };
        let (decided, ended) = tokio::join!(deciding, ending);
        assert!(decided.unwrap());
        assert_eq!(ended.expect(200).json()["status"], "deactivated", "on {}", house.kind);
    }
}

/// Two renewals of one order: one new order, and a duplicate of it.
#[tokio::test]
async fn two_renewals_of_one_order_make_one_new_order() {
    for house in houses().await {
        let one = house.client("one", "ssl_plus").await;
        one.issue("new-order", &["www.example.com"]).await;
        let credential = house
            .desk
            .rotate_acme_url(&lifecycle::Actor::Operator, domain::AcmeUrlId(1), domain::Days(0))
            .await
            .unwrap();
        let mut two = Client::new(&house);
        two.register(&credential).await;
        house.clock.advance(domain::Days(190));
        let orders = tokio::join!(one.order(&["www.example.com"]), two.order(&["www.example.com"]));
        let der = (csr(&["www.example.com"], None), csr(&["www.example.com"], None));
        let (first, second) = (orders.0.expect(201), orders.1.expect(201));
        let (body_one, body_two) = (first.json(), second.json());
        let nodes = house.nodes().await;
        let finalize = |order: &serde_json::Value| order["finalize"].as_str().unwrap().to_owned();
        let (of_one, of_two) = (finalize(&body_one), finalize(&body_two));
        let (csr_one, csr_two) =
            (json!({"csr": B64.encode(der.0)}), json!({"csr": B64.encode(der.1)}));
        let done = tokio::join!(
            one.post_at(&nodes[0], &of_one, &csr_one),
            two.post_at(nodes.last().unwrap(), &of_two, &csr_two)
        );
        done.0.expect(200);
        done.1.expect(200);
        for (client, made) in [(&one, &first), (&two, &second)] {
            let polled = client.until(&made.header("location"), "valid").await;
            assert!(polled["certificate"].is_string());
        }
        let placed = house
            .desk
            .acme_orders(&lifecycle::Actor::Operator, domain::AcmeUrlId(1), None, 3)
            .await
            .unwrap();
        assert_eq!(placed[0].order_number, placed[1].order_number, "on {}", house.kind);
        assert_ne!(placed[0].order_number, placed[2].order_number);
    }
}
