//! A domain's token in a file on its web server, fetched from servers on loopback; and how far the
//! validation reaches then.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use domain::model::DomainProof;
use domain::{DomainId, OrganizationId, Timestamp};
use lifecycle::acme::NewAcmeUrl;
use lifecycle::{Actor, Lifecycle, LifecycleError};
use serde_json::json;
use store::testing::databases;

use crate::client::{Answer, Client, csr, leaf};
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

/// A domain that two organizations have, as after a sale: the one that had it before has orders and
/// authorizations for a name below it, and the one that has it now a certificate.
struct Sale {
    seller: Client,
    buyer: Client,
    organization: OrganizationId,
    domain: DomainId,
    order: Answer,
    early: Answer,
    chain: String,
}

impl Sale {
    async fn of(house: &House) -> Self {
        let desk = &house.desk;
        let organization = house.organization;
        let domain = desk.add_domain(BY, "sold.test", organization, true).await.unwrap();
        let other = desk.add_organization(BY, "Buyer", "FR", true).await.unwrap();
        desk.add_domain(BY, "sold.test", other, true).await.unwrap();
        let seller = house.client("seller", "ssl_plus").await;
        let credential = NewAcmeUrl::permissive("buyer", "ssl_plus".into(), other);
        let credential = house.url_with(credential).await;
        let mut buyer = Client::new(house);
        buyer.register(&credential).await;
        let (_, chain) = buyer.issue("new-order", &["www.sold.test"]).await;
        let order = seller.order(&["www.sold.test"]).await.expect(201);
        let wanted = json!({"identifier": {"type": "dns", "value": "sold.test"}});
        let early = seller.post(&seller.url("new-authz"), Some(wanted)).await.expect(201);
        assert_eq!(
            (&order.json()["status"], &early.json()["status"]),
            (&json!("ready"), &json!("valid"))
        );
        Self { seller, buyer, organization, domain, order, early, chain }
    }

    fn authorization(&self) -> String {
        self.order.json()["authorizations"][0].as_str().unwrap().to_owned()
    }

    /// Nothing is left at any door of what was vouched for.
    async fn is_over(&self, kind: &str) {
        for url in [self.authorization(), self.early.header("location")] {
            let shown = self.seller.fetch(&url).await.expect(200).json();
            assert_eq!(shown["status"], "revoked", "on {kind}: {shown}");
            let given_up = json!({"status": "deactivated"});
            let given_up = self.seller.post(&url, Some(given_up)).await.expect(200).json();
            assert_eq!(given_up["status"], "revoked", "it has ended already");
        }
        let shown = self.seller.fetch(&self.order.header("location")).await.expect(200).json();
        assert_eq!(shown["status"], "invalid", "on {kind}: {shown}");
        assert!(shown["error"]["detail"].as_str().unwrap().contains("new order"), "{shown}");
        let again = self.seller.order(&["www.sold.test"]).await.expect(403);
        assert_eq!(again.problem(), "rejectedIdentifier", "on {kind}");
        let csr = csr(&["www.sold.test"], None);
        self.seller.finalize(&self.order.json(), &csr).await.expect(403);
        let revocation = json!({"certificate": B64.encode(leaf(&self.chain)), "reason": 4});
        let refused = self.seller.post(&self.seller.url("revoke-cert"), Some(revocation)).await;
        assert_eq!(refused.expect(401).problem(), "unauthorized", "on {kind}");
    }
}

/// Who had a domain revokes nobody's certificates with what it vouched for once, and gets none.
#[tokio::test]
async fn authorizations_end_with_the_validation_that_vouched_for_them() {
    for house in houses().await {
        let sale = Sale::of(&house).await;
        house.clock.advance(domain::Days(1));
        house.desk.invalidate_domain(BY, sale.domain).await.unwrap();
        sale.is_over(house.kind).await;
        house.desk.validate_domain(BY, sale.domain, DomainProof::Administrator).await.unwrap();
        sale.seller.issue("new-order", &["www.sold.test"]).await;
        house.desk.validate_organization(BY, sale.organization, false).await.unwrap();
        let of_order = sale.seller.fetch(&sale.authorization()).await.expect(200).json();
        assert_eq!(of_order["status"], "revoked", "on {}", house.kind);
        // The buyer's still are.
        let order = sale.buyer.order(&["www.sold.test"]).await.expect(201).json();
        let shown = sale.buyer.fetch(order["authorizations"][0].as_str().unwrap()).await.json();
        assert_eq!(shown["status"], "valid");
        let revocation = json!({"certificate": B64.encode(leaf(&sale.chain))});
        sale.buyer.post(&sale.buyer.url("revoke-cert"), Some(revocation)).await.expect(200);
    }
}

/// A validation that was made anew for a shorter time, of the domain or of the organization, takes the
/// rest from what it vouches for.
#[tokio::test]
async fn authorizations_end_early_with_a_shortened_validation() {
    for house in houses().await {
        let sale = Sale::of(&house).await;
        house.clock.advance(domain::Days(1));
        let expires = async || -> String {
            let shown = sale.seller.fetch(&sale.authorization()).await.expect(200).json();
            assert_eq!(shown["status"], "valid", "on {}", house.kind);
            shown["expires"].as_str().unwrap()[..10].to_owned()
        };
        let whole = expires().await;
        for (setting, days) in [("organization_validation_days", 2), ("domain_validation_days", 1)]
        {
            house.desk.settings_set(BY, setting, &days.to_string()).await.unwrap();
            match setting {
                "domain_validation_days" => {
                    let proof = DomainProof::Administrator;
                    house.desk.validate_domain(BY, sale.domain, proof).await.unwrap();
                }
                _ => house.desk.validate_organization(BY, sale.organization, true).await.unwrap(),
            }
            let end = house.clock.now().plus(domain::Days(days)).rfc3339()[..10].to_owned();
            assert_eq!(expires().await, end, "{setting} on {}", house.kind);
            assert_ne!(end, whole);
        }
        house.clock.advance(domain::Days(2));
        sale.is_over(house.kind).await;
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
