//! `replaces` (RFC 9773 section 5) over the time of an order.

use domain::Days;
use serde_json::json;
use store::testing::databases;

use crate::client::{Client, csr};
use crate::house::{House, houses};
use crate::orders::certificate_id;

/// Two accounts of one ACME Directory URL.
pub async fn siblings(house: &House) -> (Client, Client) {
    let credential = house.url("one", "ssl_plus").await;
    let (mut one, mut other) = (Client::new(house), Client::new(house));
    one.register(&credential).await;
    other.register(&credential).await;
    (one, other)
}

/// An order that nobody finalizes keeps no other account from replacing the certificate, and comes too
/// late after that.
#[tokio::test]
async fn the_order_that_is_finalized_first_replaces_the_certificate() {
    for house in houses().await {
        let (owner, sibling) = siblings(&house).await;
        let names = ["www.example.com"];
        let (_, chain) = owner.issue("new-order", &names).await;
        let with = json!({"replaces": certificate_id(&chain)});
        let order =
            async |client: &Client| client.order_at("new-order", &names, with.clone()).await;
        let left_open = order(&sibling).await.expect(201).json();
        let made = order(&owner).await.expect(201).json();
        assert_eq!(made["replaces"], with["replaces"], "on {}", house.kind);
        let done = owner.finalize(&made, &csr(&names, None)).await.expect(200).json();
        assert_eq!(done["status"], "valid", "on {}", house.kind);
        let late = sibling.finalize(&left_open, &csr(&names, None)).await.expect(409);
        assert_eq!(late.problem(), "alreadyReplaced", "on {}", house.kind);
        let again = order(&sibling).await.expect(409);
        assert_eq!(again.problem(), "alreadyReplaced", "on {}", house.kind);
        let words = again.json()["detail"].as_str().unwrap().to_owned();
        assert!(words.contains("without replaces"), "{words}");
        sibling.issue("new-order", &names).await;
    }
}

/// Who lost an order just before its end makes it anew: the one that is passed over is nobody else's
/// replacement.
#[tokio::test]
async fn an_order_that_is_about_to_end_gives_its_place_to_the_same_one() {
    for database in databases().await {
        let house = House::on(database, |config| {
            config.policy.order_seconds = 6 * 86_400 + 1_800;
        })
        .await;
        let client = house.client("one", "ssl_plus").await;
        let names = ["www.example.com"];
        let (_, chain) = client.issue("new-order", &names).await;
        let with = json!({"replaces": certificate_id(&chain)});
        let first = client.order_at("new-order", &names, with.clone()).await.expect(201);
        house.clock.advance(Days(6));
        let other = client.order_at("new-order/enroll", &names, with.clone()).await.expect(409);
        assert_eq!(other.problem(), "alreadyReplaced", "on {}", house.kind);
        let second = client.order_at("new-order", &names, with.clone()).await.expect(201);
        assert_ne!(second.header("location"), first.header("location"), "on {}", house.kind);
        let passed_over = client.fetch(&first.header("location")).await.expect(200).json();
        assert_eq!(passed_over["status"], "invalid", "on {}", house.kind);
        let again = client.order_at("new-order", &names, with.clone()).await.expect(201);
        assert_eq!(again.header("location"), second.header("location"));
        client.finalize(&second.json(), &csr(&names, None)).await.expect(200);
        let third = client.order_at("new-order", &names, with).await.expect(409);
        assert_eq!(third.problem(), "alreadyReplaced");
    }
}
