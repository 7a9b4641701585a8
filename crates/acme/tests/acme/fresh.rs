//! What was just made is given out without reading it again, and must be the same.

use serde_json::json;

use crate::client::csr;
use crate::house::houses;

#[tokio::test]
async fn what_was_just_made_is_what_the_database_has() {
    for house in houses().await {
        let kind = house.kind;
        for product in ["ssl_plus", "ssl_dv_geotrust"] {
            let client = house.client(product, product).await;
            let order = client.order(&["a.example.com", "b.example.com"]).await.expect(201).json();
            for url in order["authorizations"].as_array().unwrap() {
                let url = url.as_str().unwrap();
                let first = client.fetch(url).await.expect(200).json();
                assert_eq!(client.fetch(url).await.expect(200).json(), first, "on {kind}");
            }
        }
        let client = house.client("one", "ssl_plus").await;
        let names = ["www.example.com"];
        let order = client.order(&names).await.expect(201).json();
        let valid = client.finalize(&order, &csr(&names, None)).await.expect(200).json();
        let url = valid["certificate"].as_str().unwrap();
        let first = client.fetch(url).await.expect(200);
        let again = client.fetch(url).await.expect(200);
        assert_eq!(again.text, first.text, "on {kind}");
        assert_eq!(again.header("link"), first.header("link"), "on {kind}");
    }
}

#[tokio::test]
async fn what_was_just_made_is_its_accounts_alone() {
    for house in houses().await {
        let owner = house.client("one", "ssl_plus").await;
        let other = house.client("two", "ssl_plus").await;
        let names = ["www.example.com"];
        let order = owner.order(&names).await.expect(201).json();
        let authorization = order["authorizations"][0].as_str().unwrap();
        other.fetch(authorization).await.expect(404);
        owner.fetch(authorization).await.expect(200);
        let valid = owner.finalize(&order, &csr(&names, None)).await.expect(200).json();
        let certificate = valid["certificate"].as_str().unwrap();
        other.fetch(certificate).await.expect(404);
        owner.fetch(certificate).await.expect(200);
    }
}

/// Nobody has looked at the authorization before it is given up.
#[tokio::test]
async fn what_was_just_given_up_is_shown_so() {
    for house in houses().await {
        let client = house.client("one", "ssl_plus").await;
        let order = client.order(&["www.example.com"]).await.expect(201).json();
        let authorization = order["authorizations"][0].as_str().unwrap();
        client.post(authorization, Some(json!({"status": "deactivated"}))).await.expect(200);
        let shown = client.fetch(authorization).await.expect(200).json();
        assert_eq!(shown["status"], "deactivated", "on {}", house.kind);
    }
}

/// An identifier that is named twice, and a name beside its wildcard.
#[tokio::test]
async fn identifiers_share_an_authorization_where_they_are_the_same() {
    for house in houses().await {
        let client = house.client("one", "ssl_wildcard").await;
        let names = ["example.com", "*.example.com", "example.com"];
        let order = client.order(&names).await.expect(201).json();
        assert_eq!(order["authorizations"].as_array().unwrap().len(), 2, "{order}");
        // Not the identical order, but what authorizes it is there.
        let again = client.order(&names[..2]).await.expect(201).json();
        assert_eq!(again["authorizations"], order["authorizations"], "on {}", house.kind);
    }
}
