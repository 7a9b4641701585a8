//! What an ACME Directory URL allows, over the wire.

use domain::rules::Action;
use domain::{Days, DnsName};
use lifecycle::acme::{NewAcmeUrl, Quota};
use serde_json::json;
use store::testing::databases;

use crate::client::Client;
use crate::house::{House, houses};

async fn client_of(house: &House, url: NewAcmeUrl) -> Client {
    let credential = house.url_with(url).await;
    let mut client = Client::new(house);
    client.register(&credential).await;
    client
}

/// What a URL may not do is refused where it is asked for; done by itself it becomes a new order.
#[tokio::test]
async fn a_url_does_what_it_may_and_no_more() {
    for house in houses().await {
        let all = NewAcmeUrl::permissive("all", "ssl_plus".into(), house.organization);
        let nothing = NewAcmeUrl {
            name: "nothing".to_owned(),
            may_renew: false,
            may_reissue: false,
            may_duplicate: false,
            duplicate_automatically: false,
            ..all.clone()
        };
        let (may, may_not) = (client_of(&house, all).await, client_of(&house, nothing).await);
        let names = ["www.example.com"];
        may.issue("new-order", &names).await;
        let (order, _, _) = newest_of(&house, "all").await;
        for action in ["renew", "reissue", "duplicate"] {
            let path = format!("new-order/{action}/{order}");
            let refused = may_not.order_at(&path, &names, json!({})).await.expect(403);
            assert_eq!(refused.problem(), "unauthorized", "{action} on {}", house.kind);
            let words = refused.json()["detail"].as_str().unwrap().to_owned();
            assert!(words.contains(action), "{words}");
        }
        for days in [0, 190] {
            house.clock.advance(Days(days));
            may_not.issue("new-order", &names).await;
            let (made, action, explanation) = newest_of(&house, "nothing").await;
            assert_eq!(action, Action::Enroll, "after {days} days: {explanation}");
            assert_ne!(made, order);
        }
        for action in ["reissue", "duplicate", "renew"] {
            may.issue(&format!("new-order/{action}/{order}"), &names).await;
        }
    }
}

/// The newest order of a URL.
async fn newest_of(house: &House, url: &str) -> (domain::OrderNumber, Action, serde_json::Value) {
    let operator = lifecycle::Actor::Operator;
    let urls = house.desk.acme_urls(&operator, None, 9).await.unwrap();
    let url = urls.iter().find(|one| one.url.name == url).unwrap().url.id;
    let order = house.desk.acme_orders(&operator, url, None, 1).await.unwrap().remove(0);
    let explanation: serde_json::Value =
        serde_json::from_str(order.explanation.as_deref().unwrap()).unwrap();
    let action = explanation["action"].as_str().unwrap().parse().unwrap();
    (order.order_number.unwrap(), action, explanation)
}

/// Names beyond the allowed domains are refused one by one, whoever has validated them.
#[tokio::test]
async fn a_url_orders_within_its_allowed_domains() {
    for house in houses().await {
        let url = NewAcmeUrl {
            allowed_domains: vec![DnsName::parse("allowed.example.com").unwrap()],
            ..NewAcmeUrl::permissive("one", "ssl_plus".into(), house.organization)
        };
        let client = client_of(&house, url).await;
        client.issue("new-order", &["allowed.example.com", "www.allowed.example.com"]).await;
        let names = ["www.allowed.example.com", "www.example.com"];
        let refused = client.order(&names).await.expect(403);
        assert_eq!(refused.problem(), "rejectedIdentifier", "on {}", house.kind);
        let told = refused.json()["subproblems"].clone();
        assert_eq!(told.as_array().unwrap().len(), 1, "{told}");
        assert_eq!(told[0]["identifier"]["value"], "www.example.com");
        for (name, status) in [("www.example.com", 403), ("a.allowed.example.com", 201)] {
            let wanted = json!({"identifier": {"type": "dns", "value": name}});
            client.post(&client.url("new-authz"), Some(wanted)).await.expect(status);
        }
    }
}

/// An account that is there is given back, on all nodes, also where no more are made from its address.
#[tokio::test]
async fn an_account_that_is_there_is_given_back_beyond_the_limit() {
    for database in databases().await {
        let house = House::on(database, |config| {
            config.policy.limits.accounts_per_address = Quota::per(1, 3_600);
        })
        .await;
        let credential = house.url("one", "ssl_plus").await;
        let mut first = Client::new(&house);
        first.register(&credential).await;
        let account = first.account.take();
        for node in [house.base.clone(), house.second_node().await] {
            let url = first.url("new-account");
            first.node = node;
            let existing = json!({"onlyReturnExisting": true});
            let known = first.post(&url, Some(existing)).await.expect(200);
            assert_eq!(Some(known.header("location")), account, "on {}", house.kind);
        }
    }
}
