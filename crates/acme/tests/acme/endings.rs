//! What has ended says so, and goes.

use domain::Days;
use serde_json::{Value, json};

use crate::client::Client;
use crate::house::{House, houses};

async fn in_advance(client: &Client, name: &str) -> String {
    let wanted = json!({"identifier": {"type": "dns", "value": name}});
    client.post(&client.url("new-authz"), Some(wanted)).await.expect(201).header("location")
}

async fn challenge(client: &Client, authorization: &str) -> String {
    let shown = client.fetch(authorization).await.expect(200).json();
    shown["challenges"][0]["url"].as_str().unwrap().to_owned()
}

async fn deactivate(client: &Client, authorization: &str) -> Value {
    client.post(authorization, Some(json!({"status": "deactivated"}))).await.expect(200).json()
}

/// An authorization that came to nothing and that no order needs is forgotten with its time; one that an
/// order needs, with the order.
#[tokio::test]
async fn authorizations_in_advance_are_forgotten_whatever_they_came_to() {
    for mut house in houses().await {
        house.stop();
        house.ended().await;
        let client = house.client("one", "ssl_dv_geotrust").await;
        let given_up = in_advance(&client, "a.test").await;
        deactivate(&client, &given_up).await;
        let failed = in_advance(&client, "b.test").await;
        fail(&house, &client, &failed).await;
        let needed = in_advance(&client, "c.test").await;
        let order = client.order(&["c.test"]).await.expect(201);
        assert_eq!(order.json()["authorizations"], json!([needed]));
        deactivate(&client, &needed).await;
        let unused = in_advance(&client, "d.test").await;
        house.clock.advance(Days(8));
        for _ in 0..2 {
            house.server.desk().sweep().await.unwrap();
        }
        for gone in [&given_up, &failed, &unused] {
            client.fetch(gone).await.expect(404);
        }
        assert_eq!(client.fetch(&needed).await.expect(200).json()["status"], "deactivated");
        house.clock.advance(Days(31));
        house.server.desk().sweep().await.unwrap();
        client.fetch(&needed).await.expect(404);
        client.fetch(&order.header("location")).await.expect(404);
    }
}

/// Its challenge is answered, and fails for good.
async fn fail(house: &House, client: &Client, authorization: &str) {
    let challenge = challenge(client, authorization).await;
    client.post(&challenge, Some(json!({}))).await.expect(200);
    let desk = house.server.desk();
    for task in desk.due_validations("test", 9).await.unwrap() {
        let fault = domain::model::acme::Fault::new("connection", "silent");
        let refused = lifecycle::acme::ValidationOutcome::Refused(fault);
        desk.finish_validation(task, refused, "{}".to_owned()).await.unwrap();
    }
    let shown = client.fetch(authorization).await.expect(200).json();
    assert_eq!(shown["status"], "invalid");
}

/// Nobody waits for the challenge of an authorization that has ended.
#[tokio::test]
async fn challenges_end_with_their_authorization() {
    for mut house in houses().await {
        house.stop();
        house.ended().await;
        let client = house.client("one", "ssl_dv_geotrust").await;
        let given_up = in_advance(&client, "a.test").await;
        let running = in_advance(&client, "b.test").await;
        let over = in_advance(&client, "c.test").await;
        let answered = challenge(&client, &running).await;
        let shown = client.post(&answered, Some(json!({}))).await.expect(200);
        assert_eq!(shown.json()["status"], "processing");
        assert!(!shown.header("retry-after").is_empty());
        deactivate(&client, &given_up).await;
        deactivate(&client, &running).await;
        let urls = [challenge(&client, &given_up).await, answered, challenge(&client, &over).await];
        house.clock.advance(Days(7));
        for url in &urls {
            for payload in [None, Some(json!({}))] {
                let shown = client.post(url, payload).await.expect(200);
                assert_eq!(shown.json()["status"], "invalid", "{url} on {}", house.kind);
                assert!(shown.json()["error"]["detail"].is_string(), "{url} on {}", house.kind);
                assert_eq!(shown.header("retry-after"), "", "{url} on {}", house.kind);
            }
        }
        // What has ended can't be given up any more.
        assert_eq!(deactivate(&client, &over).await["status"], "expired", "on {}", house.kind);
        assert_eq!(client.fetch(&over).await.expect(200).json()["status"], "expired");
        assert!(house.server.desk().due_validations("test", 9).await.unwrap().is_empty());
    }
}

/// Whoever tries a request of a revoked ACME Directory URL learns that nobody orders through it.
#[tokio::test]
async fn a_revoked_url_is_told_when_a_request_is_tried() {
    use lifecycle::acme::{DryRun, DryRunAnswer};
    for house in houses().await {
        house.url("one", "ssl_plus").await;
        let run = DryRun {
            url_name: "one".to_owned(),
            names: domain::NameSet::parse_list("www.example.com").unwrap(),
            common_name: None,
            asked: None,
            at: None,
        };
        let why = async || match house.desk.acme_explain(&run).await.unwrap() {
            DryRunAnswer::Decided(explanation) => explanation.why,
            DryRunAnswer::Refused(refusal) => panic!("{refusal:?}"),
        };
        assert!(!why().await.contains("revoked"));
        house
            .desk
            .revoke_acme_url(&lifecycle::Actor::Operator, domain::AcmeUrlId(1))
            .await
            .unwrap();
        assert!(why().await.contains("revoked"), "on {}", house.kind);
    }
}
