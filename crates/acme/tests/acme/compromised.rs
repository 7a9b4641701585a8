//! Whose certificates end with a key that is said, or shown, to be compromised.

use domain::Days;
use serde_json::json;

use crate::client::{Client, Key, csr_with_key, leaf};
use crate::house::houses;
use crate::orders::revocation;

/// A CSR is no secret: whoever sends somebody else's has a certificate of a key that it does not hold,
/// and its word takes no certificate but its own with it. A signature with the key takes all.
#[tokio::test]
async fn an_account_speaks_for_its_own_certificates_and_the_key_for_all() {
    for house in houses().await {
        let (owner, other) =
            (house.client("one", "ssl_plus").await, house.client("two", "ssl_plus").await);
        let names = ["www.example.com"];
        let pair = Key::generate("ES256");
        let shared_csr = csr_with_key(&names, None, &pair.for_certificate());
        let finalize = async |client: &Client| {
            let order = client.order_at("new-order/enroll", &names, json!({})).await.expect(201);
            client.finalize(&order.json(), &shared_csr).await
        };
        let issue = async |client: &Client| {
            let done = finalize(client).await.expect(200).json();
            leaf(&client.fetch(done["certificate"].as_str().unwrap()).await.text)
        };
        let revoke = async |client: &Client, der: &[u8]| {
            client.post(&client.url("revoke-cert"), Some(revocation(der, Some(1)))).await
        };
        let end_others = async || {
            house.clock.advance(Days(1));
            house.desk.run_compromised_keys().await.unwrap()
        };
        let kind = house.kind;
        let (owners, copied) = (issue(&owner).await, issue(&other).await);
        issue(&other).await;
        revoke(&other, &copied).await.expect(200);
        assert_eq!(end_others().await, 1, "the account's other one, on {kind}");
        assert_eq!(finalize(&other).await.expect(400).problem(), "badCSR", "on {kind}");
        // Nor does it go on from the other one.
        issue(&owner).await;
        let again = revoke(&other, &copied).await.expect(400);
        assert_eq!(again.problem(), "alreadyRevoked", "on {kind}");

        let holder = Client::with_key(&house, pair);
        revoke(&holder, &copied).await.expect(200);
        assert_eq!(finalize(&owner).await.expect(400).problem(), "badCSR", "on {kind}");
        assert_eq!(end_others().await, 2, "the owner's, on {kind}");
        let late = revoke(&owner, &owners).await.expect(400);
        assert_eq!(late.problem(), "alreadyRevoked", "on {kind}");
        let twice = revoke(&holder, &copied).await.expect(400);
        assert_eq!(twice.problem(), "alreadyRevoked", "on {kind}");
    }
}
