//! IP addresses as identifiers (RFC 8738), from newOrder to revokeCert.

use std::io::Write as _;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use domain::Days;
use domain::rules::Action;
use lifecycle::Actor;
use serde_json::{Value, json};
use store::testing::databases;

use crate::client::{Answer, Client, csr, identifiers, leaf};
use crate::detection::newest;
use crate::house::{House, house_with, houses};
use crate::validation::challenge_certificate;
use crate::world::{Web, serve_tls_as};

/// The order's authorization of an identifier.
async fn authorization(client: &Client, order: &Value, identifier: &str) -> Value {
    for url in order["authorizations"].as_array().unwrap() {
        let shown = client.fetch(url.as_str().unwrap()).await.expect(200).json();
        if shown["identifier"]["value"] == identifier {
            return shown;
        }
    }
    panic!("no authorization of {identifier}");
}

/// The token and URL of an authorization's challenge, and its key authorization.
fn challenge(client: &Client, authorization: &Value, kind: &str) -> (String, String, String) {
    let challenges = authorization["challenges"].as_array().unwrap();
    let one = challenges.iter().find(|one| one["type"] == kind).unwrap();
    let token = one["token"].as_str().unwrap().to_owned();
    let key_authorization = format!("{token}.{}", client.key.thumbprint());
    (token, one["url"].as_str().unwrap().to_owned(), key_authorization)
}

/// Answers a challenge, and waits until the order is no longer pending.
async fn answer(client: &Client, url: &str, location: &str) -> Value {
    client.post(url, Some(json!({}))).await.expect(200);
    for _ in 0..400 {
        let order = client.fetch(location).await.expect(200).json();
        if order["status"] != "pending" {
            return order;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("the challenge was not decided");
}

/// Control of one address by http-01, as `host` in the URL and Host header.
async fn show_control(client: &Client, web: &Web, made: &Answer, address: &str, host: &str) {
    let authorization = authorization(client, &made.json(), address).await;
    let (token, url, key_authorization) = challenge(client, &authorization, "http-01");
    web.page(&format!("{host}/.well-known/acme-challenge/{token}"), &key_authorization);
    let order = answer(client, &url, &made.header("location")).await;
    assert_eq!(order["status"], "ready", "{order}");
}

/// What OpenSSL reads in the first certificate of a chain.
fn openssl(chain: &str) -> String {
    let mut child = Command::new("openssl")
        .args(["x509", "-noout", "-subject", "-ext", "subjectAltName"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(chain.as_bytes()).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

#[tokio::test]
async fn an_address_has_one_text_and_no_challenge_by_dns() {
    for house in houses().await {
        let client = house.client("one", "ssl_plus").await;
        let post = |kind: &str, value: &str| {
            let (client, kind) = (&client, kind.to_owned());
            let identifiers = json!({"identifiers": [{"type": kind, "value": value}]});
            async move { client.post(&client.url("new-order"), Some(identifiers)).await }
        };
        for (value, status, problem) in [
            ("2606:4700:0:0:0:0:0:1111", 403, "rejectedIdentifier"),
            ("2606:4700::ABCD", 403, "rejectedIdentifier"),
            ("2606:4700::0a", 403, "rejectedIdentifier"),
            ("::ffff:8.8.8.8", 403, "rejectedIdentifier"),
            ("[2606:4700::1111]", 400, "malformed"),
            ("2606:4700::1111%eth0", 400, "malformed"),
            ("2606:4700::/32", 400, "malformed"),
            ("8.8.8.8:443", 400, "malformed"),
            ("8.8.8.0/24", 400, "malformed"),
            ("8.8.8.08", 400, "malformed"),
            ("8.8.2056", 400, "malformed"),
            (" 8.8.8.8", 400, "malformed"),
            ("8.8.8.8.in-addr.arpa", 400, "malformed"),
            ("www.example.com", 400, "malformed"),
            ("", 400, "malformed"),
            // Nobody's on the internet, so no public certificate holds them.
            ("127.0.0.1", 403, "rejectedIdentifier"),
            ("10.0.0.1", 403, "rejectedIdentifier"),
            ("fd00::1", 403, "rejectedIdentifier"),
        ] {
            let refused = post("ip", value).await.expect(status);
            assert_eq!(refused.problem(), problem, "{value}");
            let told = refused.json()["subproblems"][0]["identifier"]["value"].clone();
            assert_eq!(told, value);
        }
        for value in ["8.8.8.8", "2606:4700::1111"] {
            let as_name = post("dns", value).await.expect(403);
            assert_eq!(as_name.problem(), "rejectedIdentifier");
            let order = post("ip", value).await.expect(201).json();
            assert_eq!(
                (&order["status"], &order["identifiers"]),
                (&json!("pending"), &identifiers(&[value]))
            );
            let authorization = authorization(&client, &order, value).await;
            assert_eq!(authorization["identifier"], json!({"type": "ip", "value": value}));
            assert!(authorization.get("wildcard").is_none());
            let kinds: Vec<&str> = authorization["challenges"]
                .as_array()
                .unwrap()
                .iter()
                .map(|challenge| challenge["type"].as_str().unwrap())
                .collect();
            assert_eq!(kinds, ["http-01", "tls-alpn-01"]);
        }
        for product in ["ssl_ev_basic", "ssl_wildcard", "private_ssl_wildcard"] {
            let client = house.client(product, product).await;
            let refused = client.order(&["www.example.com", "8.8.8.8"]).await;
            assert_eq!(refused.expect(403).problem(), "rejectedIdentifier", "{product}");
        }
    }
}

/// On each database, with a web server on 127.0.0.1.
async fn lit_houses() -> Vec<(House, Web)> {
    let mut houses = Vec::new();
    for database in databases().await {
        let web = Web::start().await;
        let house = House::on(database, |config| config.http01_port = web.port).await;
        houses.push((house, web));
    }
    houses
}

#[tokio::test]
async fn an_address_is_enrolled_duplicated_renewed_and_revoked() {
    for (house, web) in lit_houses().await {
        let client = house.client("one", "private_ssl_plus").await;
        let names = ["www.example.com", "127.0.0.1"];
        let made = client.order(&names).await.expect(201);
        // The domain was validated before; no domain reaches an address.
        let domain = authorization(&client, &made.json(), "www.example.com").await;
        assert_eq!(domain["status"], "valid");
        show_control(&client, &web, &made, "127.0.0.1", "127.0.0.1").await;
        let der = |text: &str| csr(&text.split(' ').collect::<Vec<_>>(), None);
        for wrong in [
            "www.example.com",
            "127.0.0.1",
            "www.example.com 127.0.0.2",
            "www.example.com 127.0.0.1 ::1",
        ] {
            let refused = client.finalize(&made.json(), &der(wrong)).await.expect(400);
            assert_eq!(refused.problem(), "badCSR", "{wrong}");
        }
        let done = client.finalize(&made.json(), &csr(&names, Some("127.0.0.1"))).await;
        let done = done.expect(200).json();
        assert_eq!(done["status"], "valid", "{done}");
        let chain = client.fetch(done["certificate"].as_str().unwrap()).await.expect(200).text;
        let text = openssl(&chain);
        assert!(text.contains("DNS:www.example.com, IP Address:127.0.0.1\n"), "{text}");
        assert!(text.contains("CN = 127.0.0.1\n"), "{text}");
        let (number, action, _) = newest(&house).await;
        assert_eq!(action, Action::Enroll);

        // The authorization holds for an hour; the order is found by its names.
        let again = client.order(&["127.0.0.1", "www.example.com"]).await;
        let again = again.expect(201).json();
        assert_eq!(again["status"], "ready");
        client.finalize(&again, &csr(&names, None)).await.expect(200);
        let (same, action, explanation) = newest(&house).await;
        assert_eq!((same, action), (number, Action::Duplicate), "{explanation}");

        house.clock.advance(Days(2));
        let path = format!("new-order/renew/{number}");
        let renewing = client.order_at(&path, &names, json!({})).await.expect(201);
        show_control(&client, &web, &renewing, "127.0.0.1", "127.0.0.1").await;
        let renewed = client.finalize(&renewing.json(), &csr(&names, None)).await.expect(200);
        assert_eq!(renewed.json()["status"], "valid");
        let (successor, action, _) = newest(&house).await;
        assert!(successor != number && action == Action::Renew);
        let other = ["www.example.com", "127.0.0.2"];
        let differs =
            client.order_at(&format!("new-order/duplicate/{successor}"), &other, json!({})).await;
        assert_eq!(differs.status, 403, "{differs:?}");

        // Another account may revoke once it holds authorizations of all names.
        let second = house.client("two", "private_ssl_plus").await;
        let payload = json!({"certificate": B64.encode(leaf(&chain))});
        let url = second.url("revoke-cert");
        let revoke = || second.post(&url, Some(payload.clone()));
        let wanted = second.order(&names).await.expect(201);
        assert_eq!(revoke().await.expect(401).problem(), "unauthorized");
        show_control(&second, &web, &wanted, "127.0.0.1", "127.0.0.1").await;
        let issuer = house.desk.issuer().unwrap().authority().issuer_id().to_owned();
        let before = house.desk.crl(&issuer).await.unwrap();
        revoke().await.expect(200);
        assert_ne!(house.desk.crl(&issuer).await.unwrap(), before, "the list is made anew at once");
    }
}

#[tokio::test]
async fn a_held_certificate_for_an_address_is_issued_once_it_is_approved() {
    for (house, web) in lit_houses().await {
        house.desk.settings_set(&Actor::Operator, "approval_step", "one_step").await.unwrap();
        let reviewer = house.reviewer().await;
        let client = house.client("one", "private_ssl_plus").await;
        let made = client.order(&["127.0.0.1"]).await.expect(201);
        show_control(&client, &web, &made, "127.0.0.1", "127.0.0.1").await;
        let held = client.finalize(&made.json(), &csr(&["127.0.0.1"], None)).await.expect(200);
        assert_eq!(held.json()["status"], "processing");
        house.desk.approve(&reviewer, house.newest_request().await, "fine").await.unwrap();
        let done = client.fetch(&made.header("location")).await.expect(200).json();
        assert_eq!(done["status"], "valid", "on {}: {done}", house.kind);
    }
}

#[tokio::test]
async fn an_ipv6_address_stands_in_brackets_in_the_request() {
    let web = Web::start_on("::1").await;
    let house = house_with(|config| {
        config.http01_port = web.port;
        config.validation_allow = vec!["::1/128".parse().unwrap()];
    })
    .await;
    let client = house.client("one", "private_ssl_plus").await;
    let made = client.order(&["::1"]).await.expect(201);
    show_control(&client, &web, &made, "::1", "[::1]").await;
    let done = client.finalize(&made.json(), &csr(&["::1"], Some("::1"))).await.expect(200).json();
    let chain = client.fetch(done["certificate"].as_str().unwrap()).await.expect(200).text;
    let text = openssl(&chain);
    assert!(text.contains("IP Address:0:0:0:0:0:0:0:1\n"), "{text}");
    assert!(text.contains("CN = ::1\n"), "{text}");
}

#[tokio::test]
async fn private_addresses_are_not_reached_into() {
    let web = Web::start().await;
    let house = house_with(|config| {
        config.http01_port = web.port;
        config.validation_allow = vec!["10.0.0.0/8".parse().unwrap()];
        config.policy.validation_attempts = 1;
    })
    .await;
    let client = house.client("one", "private_ssl_plus").await;
    for (address, kind) in
        [("127.0.0.1", "http-01"), ("127.0.0.2", "tls-alpn-01"), ("::1", "http-01")]
    {
        let made = client.order(&[address]).await.expect(201);
        let authorization = authorization(&client, &made.json(), address).await;
        let (_, url, _) = challenge(&client, &authorization, kind);
        let order = answer(&client, &url, &made.header("location")).await;
        assert_eq!(order["status"], "invalid", "{address}");
        assert_eq!(
            order["error"]["subproblems"][0]["type"],
            "urn:ietf:params:acme:error:connection"
        );
    }
    assert!(web.asked.lock().unwrap().is_empty());
}

/// RFC 8738 section 6: the address is asked for backwards and stands in an iPAddress SAN.
#[tokio::test]
async fn tls_alpn01_asks_for_the_address_backwards() {
    for (asked, san, valid) in [
        ("1.0.0.127.in-addr.arpa", "127.0.0.1", true),
        ("1.0.0.127.in-addr.arpa", "127.0.0.2", false),
        ("1.0.0.127.in-addr.arpa", "1.0.0.127.in-addr.arpa", false),
        ("127.0.0.1.test", "127.0.0.1", false),
    ] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let house = house_with(|config| {
            config.tlsalpn01_port = port;
            config.policy.validation_attempts = 1;
        })
        .await;
        let client = house.client("one", "private_ssl_plus").await;
        let made = client.order(&["127.0.0.1"]).await.expect(201);
        let authorization = authorization(&client, &made.json(), "127.0.0.1").await;
        let (_, url, key_authorization) = challenge(&client, &authorization, "tls-alpn-01");
        let (certificate, key) = challenge_certificate(&[san], &key_authorization, true);
        serve_tls_as(Some(asked), listener, &certificate, &key, b"acme-tls/1");
        let order = answer(&client, &url, &made.header("location")).await;
        let wanted = if valid { "ready" } else { "invalid" };
        assert_eq!(order["status"], wanted, "{asked} {san}: {order}");
    }
}
