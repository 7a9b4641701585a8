//! What one client could do to others, or to the server.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use serde_json::{Value, json};

use crate::client::{Client, binding, csr_with_key, leaf};
use crate::house::houses;

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

fn revocation(chain: &str, reason: i64) -> Option<Value> {
    Some(json!({"certificate": B64.encode(leaf(chain)), "reason": reason}))
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
        let refused = other.post(&url, revocation(&chains[1], 1)).await.expect(400);
        assert_eq!(refused.problem(), "badRevocationReason", "on {}", house.kind);
        let words = refused.json()["detail"].as_str().unwrap().to_owned();
        assert!(words.contains("certificate's key") && words.contains("5"), "{words}");
        other.post(&url, revocation(&chains[1], 5)).await.expect(200);
        house.clock.advance(domain::Days(1));
        assert_eq!(house.desk.run_compromised_keys().await.unwrap(), 0, "on {}", house.kind);
        // Whose certificate it is has shown the key with its CSR.
        owner.post(&url, revocation(&chains[0], 1)).await.expect(200);
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
