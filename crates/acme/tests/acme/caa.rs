//! CAA of names that were validated before, looked at whenever a public certificate is issued.

use certdeck_acme::Caa;
use domain::model::acme::AcmeOrderStatus;
use lifecycle::duplicate::DuplicateForm;
use lifecycle::{Actor, LifecycleError, Outcome};
use serde_json::Value;
use store::acme::{AcmeOrderOutcome, Claim};
use store::testing::databases;

use crate::client::{Answer, Client, csr};
use crate::detection::newest;
use crate::house::{House, house_with};
use crate::orders::get;
use crate::world::Dns;

/// A house on each database that looks at CAA always.
async fn guarded_houses() -> Vec<(House, Dns)> {
    let mut houses = Vec::new();
    for database in databases().await {
        let dns = Dns::start().await;
        let house = House::on(database, |config| {
            config.caa = Caa::Always;
            config.dns_resolver = Some(dns.address);
            config.caa_identity = Some("ca.example".to_owned());
        })
        .await;
        houses.push((house, dns));
    }
    houses
}

async fn finalize(client: &Client, order: &Value, name: &str) -> Answer {
    client.finalize(order, &csr(&[name], None)).await
}

#[tokio::test]
async fn an_order_waits_until_its_owner_permits_it() {
    for (house, dns) in guarded_houses().await {
        let client = house.client("one", "ssl_plus").await;
        let made = client.order(&["www.example.com"]).await.expect(201);
        assert_eq!(made.json()["status"], "ready");
        dns.caa("example.com", "issue", "other.example");
        let refused = finalize(&client, &made.json(), "www.example.com").await.expect(403);
        assert_eq!(refused.problem(), "caa", "on {}", house.kind);
        let detail = refused.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("example.com") && detail.contains("ca.example"), "{detail}");
        let order = client.fetch(&made.header("location")).await.expect(200).json();
        assert_eq!(order["status"], "ready");

        // What forbade is looked at anew, what permitted is kept for an hour.
        dns.caa("example.com", "issue", "ca.example");
        let done = finalize(&client, &order, "www.example.com").await.expect(200).json();
        assert_eq!(done["status"], "valid");
        dns.caa("example.com", "issue", "other.example");
        client.issue("new-order", &["www.example.com"]).await;
        house.clock.advance(domain::Days(1));
        let later = client.order(&["www.example.com"]).await.expect(201).json();
        let refused = finalize(&client, &later, "www.example.com").await.expect(403);
        assert_eq!(refused.problem(), "caa");

        // A private authority asks nobody.
        let private = house.client("two", "private_ssl_plus").await;
        private.issue("new-order", &["www.example.com"]).await;
    }
}

#[tokio::test]
async fn accounts_methods_wildcards_and_silence_count() {
    for (house, dns) in guarded_houses().await {
        let domain = "servfail.test";
        house.desk.add_domain(&Actor::Operator, domain, house.organization, true).await.unwrap();
        let client = house.client("one", "ssl_wildcard").await;
        let account = client.account.clone().unwrap();
        for (host, tag, value, permitted) in [
            ("a.example.com", "issue", format!("ca.example; accounturi={account}"), true),
            ("b.example.com", "issue", format!("ca.example; accounturi={account}0"), false),
            ("c.example.com", "issue", "ca.example; validationmethods=ca-portal".to_owned(), true),
            ("d.example.com", "issue", "ca.example; validationmethods=http-01".to_owned(), false),
            ("*.e.example.com", "issuewild", ";".to_owned(), false),
            ("e.example.com", "issuewild", ";".to_owned(), true),
        ] {
            dns.caa(host.trim_start_matches("*."), tag, &value);
            let order = client.order_at("new-order/enroll", &[host], serde_json::json!({})).await;
            let answer = finalize(&client, &order.expect(201).json(), host).await;
            if permitted {
                assert_eq!(answer.expect(200).json()["status"], "valid", "{host}");
            } else {
                assert_eq!(answer.expect(403).problem(), "caa", "{host}");
            }
        }
        let order = client.order(&["www.servfail.test"]).await.expect(201).json();
        let silent = finalize(&client, &order, "www.servfail.test").await;
        assert_eq!(silent.problem(), "dns", "no answer is not \"none\"");
    }
}

/// What was accepted is not lost to a DNS that is silent for a while.
#[tokio::test]
async fn a_processing_order_outlives_silence() {
    for (house, _dns) in guarded_houses().await {
        let domain = "servfail.test";
        house.desk.add_domain(&Actor::Operator, domain, house.organization, true).await.unwrap();
        let client = house.client("one", "ssl_plus").await;
        let made = client.order(&["www.servfail.test"]).await.expect(201);
        let url = made.header("location");
        let id = domain::AcmeOrderId(url.rsplit('/').next().unwrap().parse().unwrap());
        let (der, now) = (csr(&["www.servfail.test"], None), house.clock.now());
        let claim = house.desk.store().write(move |tx| {
            Box::pin(async move {
                let order = tx.acme_order(id).await?.unwrap();
                let (account, names) = (order.account, &order.names());
                let claim =
                    Claim { order: id, account, csr: &der, names, thumbprint: None, at: now };
                let claimed = tx.claim_acme_order(claim).await?;
                tx.note_acme_outcome(id, Some(claim), &AcmeOrderOutcome::default()).await?;
                Ok::<_, store::StoreError>(claimed)
            })
        });
        assert!(claim.await.unwrap().is_some());
        let polled = client.fetch(&url).await.expect(200).json();
        assert_eq!(polled["status"], "processing", "on {}: {polled}", house.kind);
        house.clock.advance(domain::Days(1));
        house.server.desk().sweep().await.unwrap();
        assert_eq!(client.fetch(&url).await.expect(200).json()["status"], "processing");
    }
}

/// The portal's doors and approvals go the same way.
#[tokio::test]
async fn no_door_leads_around_it() {
    for (house, dns) in guarded_houses().await {
        let client = house.client("one", "ssl_plus").await;
        client.issue("new-order", &["www.example.com"]).await;
        let (number, _, _) = newest(&house).await;
        let operator = Actor::Operator;
        let pem = || csr_pem("www.example.com");
        let duplicate = || async {
            let form = DuplicateForm { csr: pem(), ..DuplicateForm::default() };
            house.desk.request_duplicate(&operator, number, &form).await
        };
        house.desk.settings_set(&operator, "approval_step", "one_step").await.unwrap();
        let made = client.order(&["www.example.com"]).await.expect(201);
        finalize(&client, &made.json(), "www.example.com").await.expect(200);
        let request = house.newest_request().await;
        let reviewer = house.reviewer().await;

        house.clock.advance(domain::Days(1));
        dns.caa("www.example.com", "issue", ";");
        let forbidden = |error: &LifecycleError| matches!(error, LifecycleError::Refused(refusal) if refusal.code == "caa_forbids");
        let refused = duplicate().await.unwrap_err();
        assert!(forbidden(&refused), "on {}: {refused}", house.kind);
        let refused = house.desk.approve(&reviewer, request, "fine").await.unwrap_err();
        assert!(forbidden(&refused), "{refused}");

        dns.caa("www.example.com", "issue", "ca.example");
        assert!(matches!(duplicate().await.unwrap(), Outcome::Issued(_)));
        house.desk.approve(&reviewer, request, "fine").await.unwrap();
        let urls = house.desk.acme_urls(&operator, None, 1).await.unwrap();
        let orders = house.desk.acme_orders(&operator, urls[0].url.id, None, 1).await.unwrap();
        let settled = house.server.desk().settle(orders[0].id).await.unwrap();
        assert_eq!(settled.status, AcmeOrderStatus::Valid);
    }
}

fn csr_pem(name: &str) -> String {
    let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.serialize_request(&rcgen::KeyPair::generate().unwrap()).unwrap().pem().unwrap()
}

/// RFC 8555 section 7.1.1: the directory says which name CAA records have to permit, where there is one.
#[tokio::test]
async fn the_directory_names_the_identity() {
    for identity in [Some("ca.example".to_owned()), None] {
        let house = house_with(|config| config.caa_identity = identity.clone()).await;
        let directory = get(&house.acme("directory")).await.expect(200).json();
        let named = identity.map(|identity| serde_json::json!([identity]));
        assert_eq!(directory["meta"].get("caaIdentities"), named.as_ref());
    }
}
