//! `replaces` (RFC 9773 section 5) over the time of an order.

use domain::Days;
use serde_json::json;
use store::testing::databases;

use crate::client::csr;
use crate::house::House;
use crate::orders::certificate_id;

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
