//! What one client could do to others, or to the server.

use serde_json::json;

use crate::client::{Client, binding};
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
