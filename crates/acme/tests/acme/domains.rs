//! A domain's token in a file on its web server, fetched from servers on loopback; and how far the
//! validation reaches then.

use std::sync::Arc;

use domain::model::DomainProof;
use domain::{DomainId, Timestamp};
use lifecycle::{Actor, Lifecycle, LifecycleError};
use serde_json::json;
use store::testing::databases;

use crate::client::csr;
use crate::house::{House, houses};
use crate::world::{Dns, Web};

const PATH: &str = "/.well-known/pki-validation/fileauth.txt";
const BY: &Actor = &Actor::Operator;

struct Scene {
    house: House,
    desk: Lifecycle,
    dns: Dns,
    web: Web,
}

async fn scenes() -> Vec<Scene> {
    let mut scenes = Vec::new();
    for database in databases().await {
        let (dns, web) = (Dns::start().await, Web::start().await);
        let house = House::on(database, |config| {
            config.dns_resolver = Some(dns.address);
            config.http01_port = web.port;
        })
        .await;
        let desk = house.desk.with_token_lookup(Arc::new(house.server.clone()));
        scenes.push(Scene { house, desk, dns, web });
    }
    scenes
}

impl Scene {
    /// A new domain and its token.
    async fn domain(&self, name: &str) -> (DomainId, String) {
        let id = self.desk.add_domain(BY, name, self.house.organization, false).await.unwrap();
        (id, self.desk.domain(&Actor::Operator, id).await.unwrap().token.unwrap())
    }

    /// What the desk says of a file that is not as it should be.
    async fn fails(&self, id: DomainId) -> String {
        let refused = self.desk.check_domain_file(BY, id).await.unwrap_err();
        assert!(matches!(refused, LifecycleError::Conflict { .. }), "{refused:?}");
        assert_eq!(
            self.desk.domain(&Actor::Operator, id).await.unwrap().domain.validated_until,
            None
        );
        let told = refused.to_string();
        assert!(told.contains("Serve exactly the token at http://"), "{told}");
        assert!(!told.contains("SECRET"), "{told}");
        told
    }

    fn asked(&self) -> Vec<String> {
        self.web.asked.lock().unwrap().clone()
    }
}

#[tokio::test]
async fn the_file_is_fetched_from_its_place_and_over_redirects() {
    for scene in scenes().await {
        let (straight, token) = scene.domain("straight.test").await;
        scene.web.page(&format!("straight.test{PATH}"), &format!("{token}\r\n"));
        scene.desk.check_domain_file(BY, straight).await.unwrap();
        assert_eq!(scene.asked(), [format!("straight.test{PATH}")]);
        let domain = scene.desk.domain(&Actor::Operator, straight).await.unwrap().domain;
        assert_eq!(domain.proof, Some(DomainProof::HttpFile));
        assert!(domain.is_validated(scene.desk.clock().now()));

        let (moved, token) = scene.domain("moved.test").await;
        let port = scene.web.port;
        scene.web.answer(&format!("moved.test{PATH}"), 301, &format!("http://other.test:{port}/a"));
        scene.web.answer("other.test/a", 302, "/b");
        scene.web.page("other.test/b", &token);
        scene.desk.check_domain_file(BY, moved).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_there_instead_is_told_without_a_word_of_it() {
    for scene in scenes().await {
        let (missing, _) = scene.domain("missing.test").await;
        assert!(
            scene.fails(missing).await.starts_with("missing.test answered with the status 404")
        );
        for body in ["SECRET PAGE", "", &"SECRET".repeat(100_000)] {
            let name = format!("wrong{}.test", body.len());
            let (wrong, _) = scene.domain(&name).await;
            scene.web.page(&format!("{name}{PATH}"), body);
            assert!(scene.fails(wrong).await.starts_with("The file is there, but"));
        }
        let (other, _) = scene.domain("other.test").await;
        let (_, token) = scene.domain("another.test").await;
        scene.web.page(&format!("other.test{PATH}"), &token);
        assert!(scene.fails(other).await.starts_with("The file is there, but"));

        let (circle, _) = scene.domain("circle.test").await;
        scene.web.answer(&format!("circle.test{PATH}"), 302, PATH);
        assert!(scene.fails(circle).await.starts_with("The redirects go in a circle."));
        let (long, token) = scene.domain("long.test").await;
        scene.web.answer(&format!("long.test{PATH}"), 302, "/0");
        for number in 0..11 {
            scene.web.answer(&format!("long.test/{number}"), 302, &format!("/{}", number + 1));
        }
        scene.web.page("long.test/11", &token);
        assert!(scene.fails(long).await.starts_with("There are more than 10 redirects."));
        let (address, _) = scene.domain("address.test").await;
        scene.web.answer(&format!("address.test{PATH}"), 302, "http://169.254.169.254/SECRET");
        assert!(scene.fails(address).await.starts_with("A redirect leads to a host that is not"));
    }
}

#[tokio::test]
async fn private_addresses_are_not_connected_to() {
    for scene in scenes().await {
        scene.dns.address("inside.test", [169, 254, 169, 254]);
        for (name, address) in [
            ("private.test", [10, 0, 0, 1]),
            ("metadata.test", [169, 254, 169, 254]),
            ("zero.test", [0, 0, 0, 0]),
        ] {
            scene.dns.address(name, address);
            let (id, _) = scene.domain(name).await;
            assert!(scene.fails(id).await.starts_with(&format!("{name} has no public address")));
        }
        assert!(scene.asked().is_empty());
        let (led, _) = scene.domain("led.test").await;
        let port = scene.web.port;
        scene.web.answer(&format!("led.test{PATH}"), 302, &format!("http://inside.test:{port}/"));
        assert!(scene.fails(led).await.starts_with("inside.test has no public address"));
    }
}

#[tokio::test]
async fn acme_orders_rest_on_a_file_for_its_own_name_only() {
    for scene in scenes().await {
        let (id, token) = scene.domain("file.test").await;
        scene.web.page(&format!("file.test{PATH}"), &token);
        scene.desk.check_domain_file(BY, id).await.unwrap();
        let client = scene.house.client("ov", "ssl_plus").await;
        let wild = scene.house.client("wild", "ssl_wildcard").await;

        let order = client.order(&["file.test"]).await.expect(201).json();
        assert_eq!(order["status"], "ready");
        let authorization = client.fetch(order["authorizations"][0].as_str().unwrap()).await.json();
        let until: Timestamp =
            scene.desk.domain(&Actor::Operator, id).await.unwrap().domain.validated_until.unwrap();
        let until = until.min(scene.desk.clock().now().plus_seconds(30 * 86_400));
        let day = &until.rfc3339()[..10];
        assert!(authorization["expires"].as_str().unwrap().starts_with(day), "{authorization}");
        let done = client.finalize(&order, &csr(&["file.test"], None)).await.expect(200).json();
        assert_eq!(done["status"], "valid", "{done}");

        for (client, name) in [(&client, "www.file.test"), (&wild, "*.file.test")] {
            let order = client.order(&[name]).await.expect(403);
            assert_eq!(order.problem(), "rejectedIdentifier");
            assert!(order.text.contains("by an HTTP file covers this name only"), "{}", order.text);
            let wanted = json!({"identifier": {"type": "dns", "value": name}});
            let early = client.post(&client.url("new-authz"), Some(wanted)).await.expect(403);
            assert_eq!(early.problem(), "rejectedIdentifier");
        }

        // What was ready when the DNS vouched for it is not issued on the file's word.
        scene.desk.validate_domain(BY, id, DomainProof::DnsTxt).await.unwrap();
        let below = client.order(&["www.file.test"]).await.expect(201).json();
        assert_eq!(below["status"], "ready");
        scene.desk.invalidate_domain(BY, id).await.unwrap();
        scene.desk.check_domain_file(BY, id).await.unwrap();
        let refused = client.finalize(&below, &csr(&["www.file.test"], None)).await;
        assert!(refused.text.contains("by an HTTP file covers this name only"), "{}", refused.text);
        assert_ne!(client.fetch(&location(&below)).await.json()["status"], "valid");
    }
}

/// An order's URL, from its `finalize`.
fn location(order: &serde_json::Value) -> String {
    order["finalize"].as_str().unwrap().trim_end_matches("/finalize").to_owned()
}

/// Baseline Requirements 3.2.2.6: nobody controls all that is below a public suffix, whatever challenges
/// show.
#[tokio::test]
async fn wildcards_of_public_suffixes_are_refused() {
    for house in houses().await {
        for (name, product) in [("one", "wildcard_dv_geotrust"), ("two", "ssl_wildcard")] {
            let client = house.client(name, product).await;
            let refused = client.order(&["*.co.uk"]).await.expect(403);
            assert_eq!(refused.problem(), "rejectedIdentifier", "on {}", house.kind);
            let words = refused.json()["detail"].as_str().unwrap().to_owned();
            assert!(words.contains("anybody may register"), "{words}");
        }
        let dv = house.client("three", "wildcard_dv_geotrust").await;
        dv.order(&["*.example.co.uk"]).await.expect(201);
        let (operator, to) = (Actor::Operator, house.organization);
        house.desk.add_domain(&operator, "co.uk", to, true).await.unwrap();
        let private = house.client("four", "private_ssl_wildcard").await;
        private.issue("new-order", &["*.co.uk"]).await;
    }
}
