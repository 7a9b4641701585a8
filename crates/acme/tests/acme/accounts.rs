//! newAccount, accounts, external account binding, keyChange (RFC 8555 section 7.3).

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use domain::{AcmeAccountId, Days};
use lifecycle::acme::{AcmeError, Quota, Registration};
use lifecycle::{Actor, LifecycleError};
use serde_json::json;

use crate::client::{Answer, Client, Key, binding, binding_by, csr, jws};
use crate::house::{house_with, houses};

#[tokio::test]
async fn an_account_of_each_key_type_is_made_once_and_given_back_without_binding() {
    for house in houses().await {
        let credential = house.url("one", "ssl_plus").await;
        for algorithm in ["ES256", "ES384", "ES512", "EdDSA", "RS256"] {
            let mut client = Client::with_key(&house, Key::generate(algorithm));
            let made = client.register(&credential).await;
            let account = made.json();
            assert_eq!(account["status"], "valid");
            assert_eq!(account["contact"][0], "mailto:admin@example.com");
            assert!(account["orders"].as_str().unwrap().starts_with(&house.base));
            let url = client.account.take().unwrap();
            // The key again: neither terms nor binding are asked for.
            let again = client.post(&client.url("new-account"), Some(json!({}))).await.expect(200);
            assert_eq!(again.header("location"), url, "{algorithm} on {}", house.kind);
            let existing = json!({"onlyReturnExisting": true});
            client.post(&client.url("new-account"), Some(existing)).await.expect(200);
        }
        let stranger = Client::new(&house);
        let answer = stranger
            .post(&stranger.url("new-account"), Some(json!({"onlyReturnExisting": true})))
            .await;
        assert_eq!(answer.expect(400).problem(), "accountDoesNotExist");
    }
}

/// RFC 8555 section 7.3.4 leaves the hash to the client.
#[tokio::test]
async fn a_binding_is_made_with_any_of_the_three_hashes() {
    for house in houses().await {
        let credential = house.url("one", "ssl_plus").await;
        let all = [
            ("HS256", hmac::HMAC_SHA256),
            ("HS384", hmac::HMAC_SHA384),
            ("HS512", hmac::HMAC_SHA512),
        ];
        for (at, algorithm) in all.into_iter().enumerate() {
            let client = Client::new(&house);
            let url = client.url("new-account");
            // The hash that the header names is the one that was taken.
            let mixed = (algorithm.0, all[(at + 1) % all.len()].1);
            for (algorithm, status) in [(mixed, 403), (algorithm, 201)] {
                let bound = binding_by(algorithm, &credential, &client.key.jwk(), &url);
                let payload =
                    json!({"termsOfServiceAgreed": true, "externalAccountBinding": bound});
                let answer = client.post(&url, Some(payload)).await;
                assert_eq!(answer.status, status, "{} on {}", algorithm.0, house.kind);
            }
        }
    }
}

/// Of a URL it shows to the minute when a client ordered last, of its credential when an account was
/// bound with it last.
#[tokio::test]
async fn what_was_last_used_moves_with_use() {
    for house in houses().await {
        let credential = house.url("one", "ssl_plus").await;
        let id = house.desk.acme_urls(&Actor::Operator, None, 9).await.unwrap()[0].url.id;
        let used = async || {
            let shown = house.desk.acme_url(&Actor::Operator, id).await.unwrap();
            (shown.record.last_used_at, shown.credentials[0].last_used_at)
        };
        assert_eq!(used().await, (None, None), "on {}", house.kind);
        let mut client = Client::new(&house);
        client.register(&credential).await;
        client.order(&["www.example.com"]).await.expect(201);
        let first = used().await;
        assert!(first.0.is_some() && first.1.is_some(), "on {}: {first:?}", house.kind);
        client.order(&["other.example.com"]).await.expect(201);
        assert_eq!(used().await, first, "once a minute, on {}", house.kind);
        house.clock.advance(Days(1));
        client.order(&["third.example.com"]).await.expect(201);
        let (url, key) = used().await;
        assert!(url >= first.0.map(|at| at.plus(Days(1))), "on {}: {url:?}", house.kind);
        assert_eq!(key, first.1, "no account was bound");
        Client::new(&house).register(&credential).await;
        let (_, key) = used().await;
        assert!(key >= first.1.map(|at| at.plus(Days(1))), "on {}: {key:?}", house.kind);
    }
}

#[tokio::test]
async fn a_binding_must_be_there_and_fit() {
    for house in houses().await {
        let credential = house.url("one", "ssl_plus").await;
        let client = Client::new(&house);
        let url = client.url("new-account");
        let jwk = client.key.jwk();
        let other_key = Key::generate("ES256").jwk();
        let mut unknown = credential.clone();
        unknown.kid = "unknown".to_owned();
        let mut wrong_mac = credential.clone();
        wrong_mac.hmac_key = "AAAA".to_owned();
        for (binding, status, problem) in [
            (json!(null), 403, "externalAccountRequired"),
            (binding(&unknown, &jwk, &url), 403, "unauthorized"),
            (binding(&wrong_mac, &jwk, &url), 403, "unauthorized"),
            (binding(&credential, &other_key, &url), 400, "malformed"),
            (binding(&credential, &jwk, "https://other.test/"), 400, "malformed"),
            (
                jws(
                    &client.key,
                    &json!({"alg": "ES256", "kid": credential.kid, "url": url}),
                    &jwk.to_string(),
                ),
                400,
                "malformed",
            ),
            (json!("text"), 400, "malformed"),
        ] {
            let payload = json!({"termsOfServiceAgreed": true, "externalAccountBinding": binding});
            let answer = client.post(&url, Some(payload)).await.expect(status);
            assert_eq!(answer.problem(), problem, "{binding}");
        }
        let good = binding(&credential, &jwk, &url);
        let no_terms = json!({"externalAccountBinding": good});
        assert_eq!(client.post(&url, Some(no_terms)).await.expect(400).problem(), "malformed");
        for (contact, problem) in [("tel:+1", "unsupportedContact"), ("mailto:x", "invalidContact")]
        {
            let payload = json!({"termsOfServiceAgreed": true, "contact": [contact], "externalAccountBinding": good});
            assert_eq!(client.post(&url, Some(payload)).await.expect(400).problem(), problem);
        }
        let answer = client.post(&url, Some(json!({"onlyReturnExisting": true}))).await;
        assert_eq!(answer.problem(), "accountDoesNotExist", "nothing was made on the way");
    }
}

#[tokio::test]
async fn credentials_rotate_with_overlap_and_are_revoked_with_their_accounts() {
    for house in houses().await {
        let old = house.url("one", "ssl_plus").await;
        let url = house.desk.acme_urls(&Actor::Operator, None, 10).await.unwrap()[0].url.id;
        let mut early = Client::new(&house);
        early.register(&old).await;
        let new = house.desk.rotate_acme_url(&Actor::Operator, url, Days(7)).await.unwrap();
        Client::new(&house).register(&old).await;
        Client::new(&house).register(&new).await;
        house.clock.advance(Days(8));
        let late = Client::new(&house);
        let payload = json!({
            "termsOfServiceAgreed": true,
            "externalAccountBinding": binding(&old, &late.key.jwk(), &late.url("new-account")),
        });
        let refused = late.post(&late.url("new-account"), Some(payload)).await.expect(403);
        assert_eq!(refused.problem(), "unauthorized");
        // Accounts that were bound before go on working, until the URL is revoked.
        early.order(&["www.example.com"]).await.expect(201);
        let record = house.desk.acme_url(&Actor::Operator, url).await.unwrap();
        assert_eq!((record.record.accounts, record.record.orders), (3, 1));
        assert!(record.record.last_used_at.is_some());
        house.desk.revoke_acme_url(&Actor::Operator, url).await.unwrap();
        let refused = early.order(&["www.example.com"]).await.expect(401);
        assert_eq!(refused.problem(), "unauthorized");
        assert!(
            house.desk.revoke_acme_url(&Actor::Operator, url).await.is_err(),
            "revoked for good"
        );
    }
}

#[tokio::test]
async fn an_account_changes_its_contacts_and_deactivates_itself() {
    for house in houses().await {
        let client = house.client("one", "ssl_plus").await;
        let url = client.account.clone().unwrap();
        let change = json!({"contact": ["mailto:b@example.com"], "orders": "https://evil.test/"});
        let changed = client.post(&url, Some(change)).await.expect(200).json();
        assert_eq!(changed["contact"], json!(["mailto:b@example.com"]));
        assert_eq!(changed["orders"], format!("{url}/orders"));
        assert_eq!(client.fetch(&url).await.expect(200).json(), changed);
        let other = house.client("two", "ssl_plus").await;
        assert_eq!(other.fetch(&url).await.expect(403).problem(), "unauthorized");
        let refused = client.post(&url, Some(json!({"status": "revoked"}))).await;
        assert_eq!(refused.expect(400).problem(), "malformed");
        let gone = client.post(&url, Some(json!({"status": "deactivated"}))).await.expect(200);
        assert_eq!(gone.json()["status"], "deactivated");
        assert_eq!(client.fetch(&url).await.expect(401).problem(), "unauthorized");
        assert_eq!(client.order(&["www.example.com"]).await.expect(401).problem(), "unauthorized");
        let mut by_key = Client::with_key(&house, client.key);
        by_key.account = None;
        let answer = by_key.post(&by_key.url("new-account"), Some(json!({}))).await;
        assert_eq!(answer.expect(401).problem(), "unauthorized");
    }
}

/// The inner request of a key change.
pub fn inner(
    new: &Key,
    header: &serde_json::Value,
    payload: &serde_json::Value,
) -> serde_json::Value {
    jws(new, header, &payload.to_string())
}

/// A key that another node has just changed is the account's key here as well: its client comes
/// through at once, and the old key orders nothing.
#[tokio::test]
async fn another_nodes_key_change_holds_here() {
    for house in houses().await {
        let mut client = house.client("one", "ssl_plus").await;
        let account = client.account.clone().unwrap();
        let order = client.order(&["www.example.com"]).await.expect(201);
        client.fetch(&account).await.expect(200);
        let id = AcmeAccountId(account.rsplit('/').next().unwrap().parse().unwrap());
        let new = Key::generate("ES384");
        let (old, jwk, thumbprint) =
            (client.key.thumbprint(), new.jwk().to_string(), new.thumbprint());
        let changed = house.desk.store().write(move |tx| {
            Box::pin(async move { tx.set_acme_account_key(id, &old, &jwk, &thumbprint).await })
        });
        assert!(changed.await.unwrap());
        let late = client.order(&["other.example.com"]).await;
        assert_old_key(&late, house.kind);
        let csr = csr(&["www.example.com"], None);
        let late = client.finalize(&order.json(), &csr).await;
        assert_old_key(&late, house.kind);
        client.key = new;
        client.fetch(&account).await.expect(200);
        client.finalize(&order.json(), &csr).await.expect(200);
    }
}

/// Refused where the account is looked at again; or already for its algorithm, where a second has gone by
/// since the account was read.
fn assert_old_key(late: &Answer, kind: &str) {
    let told = (late.status, late.problem());
    let here = (401, "unauthorized".to_owned());
    let later = (400, "badSignatureAlgorithm".to_owned());
    assert!(told == here || told == later, "on {kind}: {late:?}");
}

#[tokio::test]
async fn a_key_change_is_checked_and_keeps_open_orders() {
    for house in houses().await {
        let mut client = house.client("one", "ssl_plus").await;
        let order = client.order(&["www.example.com"]).await.expect(201).header("location");
        let url = client.url("key-change");
        let account = client.account.clone().unwrap();
        let old = client.key.jwk();
        let new = Key::generate("ES384");
        let header = json!({"alg": "ES384", "jwk": new.jwk(), "url": url});
        let payload = json!({"account": account, "oldKey": old});
        let with = |member: &str, value: serde_json::Value, of: &serde_json::Value| {
            let mut changed = of.clone();
            changed[member] = value;
            changed
        };
        let stranger = Key::generate("ES256");
        for (name, body) in [
            ("other url", inner(&new, &with("url", json!("https://a.test/"), &header), &payload)),
            ("a nonce", inner(&new, &with("nonce", json!("AAAA"), &header), &payload)),
            (
                "another account",
                inner(&new, &header, &with("account", json!(format!("{account}1")), &payload)),
            ),
            ("another old key", inner(&new, &header, &with("oldKey", stranger.jwk(), &payload))),
            ("signed by another", inner(&Key::generate("ES384"), &header, &payload)),
            ("no JWS", json!({"account": account})),
        ] {
            let answer = client.post(&url, Some(body)).await.expect(400);
            assert_eq!(answer.problem(), "malformed", "{name}");
        }
        let other = house.client("two", "ssl_plus").await;
        let taken = json!({"alg": "ES256", "jwk": other.key.jwk(), "url": url});
        let conflict =
            client.post(&url, Some(inner(&other.key, &taken, &payload))).await.expect(409);
        assert_eq!(conflict.header("location"), other.account.clone().unwrap());
        let own = json!({"alg": "ES256", "jwk": client.key.jwk(), "url": url});
        let same = client.post(&url, Some(inner(&client.key, &own, &payload))).await.expect(409);
        assert_eq!(same.header("location"), account, "RFC 8555 section 7.3.5: its own key, too");
        client.post(&url, Some(inner(&new, &header, &payload))).await.expect(200);
        let late = client.fetch(&account).await.expect(400);
        assert_eq!(late.problem(), "badSignatureAlgorithm", "the new key signs with ES384");
        client.key = new;
        client.fetch(&account).await.expect(200);
        assert_eq!(client.fetch(&order).await.expect(200).json()["status"], "ready");
    }
}

/// A URL that is being revoked while an account is made for it leaves no valid account behind.
#[tokio::test]
async fn no_account_is_made_beside_a_revocation() {
    for house in houses().await {
        let credential = house.url("one", "ssl_plus").await;
        let key = Key::generate("ES256");
        let registration = Registration {
            jwk: key.jwk().to_string(),
            thumbprint: key.thumbprint(),
            contacts: Vec::new(),
            terms_agreed: true,
            kid: credential.kid.clone(),
            address: None,
        };
        let (started, begun) = tokio::sync::oneshot::channel();
        let now = house.clock.now();
        let revoking = house.desk.store().write(move |tx| {
            Box::pin(async move {
                let revoked = tx.revoke_acme_url(domain::AcmeUrlId(1), now).await;
                let _ = started.send(());
                tokio::time::sleep(std::time::Duration::from_millis(300)).await;
                revoked
            })
        });
        let making = async {
            begun.await.unwrap();
            house.server.desk().register(registration).await
        };
        let (revoked, made) = tokio::join!(revoking, making);
        assert!(revoked.unwrap());
        assert!(made.is_err(), "on {}: {made:?}", house.kind);
    }
}

/// Under the neutral point of Ed25519 one signature fits everything.
#[tokio::test]
async fn a_key_that_anybody_can_sign_for_is_none() {
    let house = houses().await.remove(0);
    let client = Client::new(&house);
    let url = client.url("new-account");
    let mut point = [0; 32];
    point[0] = 1;
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": B64.encode(point)});
    let header = json!({"alg": "EdDSA", "jwk": jwk, "nonce": client.nonce().await, "url": url});
    let signature = [point, [0; 32]].concat();
    let body = json!({
        "protected": B64.encode(header.to_string()),
        "payload": B64.encode("{\"onlyReturnExisting\":true}"),
        "signature": B64.encode(signature),
    });
    let refused = client.send(&url, body.to_string()).await.expect(400);
    assert_eq!(refused.problem(), "badPublicKey");
}

/// Whoever has one IPv6 address has a network of them.
#[tokio::test]
async fn new_accounts_are_counted_by_network() {
    let house = house_with(|config| {
        config.policy.limits.accounts_per_address = Quota::per(2, 3_600);
    })
    .await;
    let credential = house.url("one", "ssl_plus").await;
    let register = async |address: &str| {
        let key = Key::generate("ES256");
        let registration = Registration {
            jwk: key.jwk().to_string(),
            thumbprint: key.thumbprint(),
            contacts: Vec::new(),
            terms_agreed: true,
            kid: credential.kid.clone(),
            address: Some(address.parse().unwrap()),
        };
        house.server.desk().register(registration).await
    };
    for address in ["2001:db8:1:2::1", "2001:db8:1:2:3::1", "192.0.2.1", "::ffff:192.0.2.1"] {
        register(address).await.unwrap();
    }
    for address in ["2001:db8:1:2:ffff::9", "192.0.2.1"] {
        let limited = register(address).await.unwrap_err();
        let throttled = matches!(limited, AcmeError::Desk(LifecycleError::Throttled { .. }));
        assert!(throttled, "{address}: {limited:?}");
    }
    register("2001:db8:1:3::1").await.unwrap();
}
