//! What good requests are answered with: headers, the forms that clients read by pattern, and URLs.

use serde_json::{Value, json};

use crate::client::{Answer, Client, Key, csr, http, jws};
use crate::house::{House, house_with, houses};

/// acme.sh reads an authorization by pattern: `"value"` once, and challenges without objects in them.
#[tokio::test]
async fn authorizations_are_read_by_pattern_also_while_pending() {
    for house in houses().await {
        let client = house.client("one", "ssl_dv_geotrust").await;
        for (name, challenges) in [("a.test", 3), ("b.test", 3)] {
            let order = client.order(&[name]).await.expect(201).json();
            let url = order["authorizations"][0].as_str().unwrap();
            let shown = client.fetch(url).await.expect(200);
            assert_eq!(shown.text.matches("\"value\"").count(), 1, "{}", shown.text);
            let listed = shown.json()["challenges"].as_array().unwrap().clone();
            assert_eq!(listed.len(), challenges, "on {}", house.kind);
            for challenge in listed {
                let members = challenge.as_object().unwrap();
                assert!(members.values().all(Value::is_string), "flat: {challenge}");
                assert_eq!(challenge["status"], "pending");
            }
        }
    }
}

/// The headers of an answer, besides those that all have.
#[derive(Debug, PartialEq)]
struct Headers {
    status: u16,
    location: bool,
    retry_after: bool,
    /// Of `Link`s, but for `index`.
    links: Vec<&'static str>,
}

fn headers(answer: &Answer) -> Headers {
    let relations = ["up", "alternate", "next"];
    Headers {
        status: answer.status,
        location: !answer.header("location").is_empty(),
        retry_after: !answer.header("retry-after").is_empty(),
        links: relations.into_iter().filter(|one| !answer.links(one).is_empty()).collect(),
    }
}

/// RFC 8555: `Replay-Nonce` with each answer to a POST (6.5), `Link` to the directory with all but itself
/// (7.1), `Location` with what was made (7.3, 7.4, 7.4.1), `up` with challenges (7.1), `alternate` with
/// certificates (7.4.2), `Retry-After` with what is worth another look (7.4, 8.2).
#[tokio::test]
async fn answers_have_the_headers_of_their_kind() {
    for mut house in houses().await {
        house.stop();
        house.ended().await;
        let credential = house.url("one", "ssl_plus").await;
        let mut client = Client::new(&house);
        let registered = client.register(&credential).await;
        let account = client.account.clone().unwrap();
        let dv = house.client("two", "ssl_dv_geotrust").await;
        let names = ["www.example.com"];
        let made = client.order(&names).await;
        let order = made.json();
        let read = client.fetch(&made.header("location")).await;
        let valid = client.fetch(order["authorizations"][0].as_str().unwrap()).await;
        let done = client.finalize(&order, &csr(&names, None)).await;
        let certificate = done.json()["certificate"].as_str().unwrap().to_owned();
        let pending = dv.order(&["a.test"]).await;
        let authorization = pending.json()["authorizations"][0].as_str().unwrap().to_owned();
        let waiting = dv.fetch(&authorization).await;
        let challenge = waiting.json()["challenges"][0]["url"].as_str().unwrap().to_owned();
        let identifier = json!({"identifier": {"type": "dns", "value": "b.test"}});
        let (key, url) = (Key::generate("ES256"), client.url("key-change"));
        let inner = jws(
            &key,
            &json!({"alg": "ES256", "jwk": key.jwk(), "url": url}),
            &json!({"account": dv.account, "oldKey": dv.key.jwk()}).to_string(),
        );
        let operator = lifecycle::Actor::Operator;
        house.desk.settings_set(&operator, "approval_step", "one_step").await.unwrap();
        let held = client.order(&["held.example.com"]).await.json();
        let held = client.finalize(&held, &csr(&["held.example.com"], None)).await;
        let none: [&str; 0] = [];
        let table = [
            ("new-account", registered, 201, true, false, &none[..]),
            ("account", client.fetch(&account).await, 200, true, false, &none),
            ("orders", client.fetch(&format!("{account}/orders")).await, 200, false, false, &none),
            ("new-order", made, 201, true, false, &none),
            ("order", read, 200, true, false, &none),
            ("a valid authorization", valid, 200, false, false, &none),
            ("finalize", done, 200, true, false, &none),
            ("certificate", client.fetch(&certificate).await, 200, false, false, &["alternate"]),
            (
                "the other chain",
                client.fetch(&format!("{certificate}/1")).await,
                200,
                false,
                false,
                &["alternate"],
            ),
            ("a pending order", pending, 201, true, false, &none),
            ("a pending authorization", waiting, 200, false, false, &none),
            ("a challenge", dv.fetch(&challenge).await, 200, true, false, &["up"]),
            (
                "an answered challenge",
                dv.post(&challenge, Some(json!({}))).await,
                200,
                true,
                true,
                &["up"],
            ),
            ("its authorization", dv.fetch(&authorization).await, 200, false, true, &none),
            (
                "new-authz",
                dv.post(&dv.url("new-authz"), Some(identifier)).await,
                201,
                true,
                false,
                &none,
            ),
            ("key-change", dv.post(&url, Some(inner)).await, 200, true, false, &none),
            ("a held order", held, 200, true, true, &none),
            ("new-nonce", client.fetch(&client.url("new-nonce")).await, 204, false, false, &none),
        ];
        for (name, answer, status, location, retry_after, links) in table {
            let wanted = Headers { status, location, retry_after, links: links.to_vec() };
            let at = format!("{name} on {}: {answer:?}", house.kind);
            assert_eq!(headers(&answer), wanted, "{at}");
            assert!(answer.header("replay-nonce").len() >= 22, "{at}");
            assert_eq!(answer.links("index"), [house.acme("directory")], "{at}");
            assert_eq!(answer.header("cache-control"), "no-store", "{at}");
        }
    }
}

/// RFC 8555 section 6.1: clients in browsers may be of any origin.
#[tokio::test]
async fn pages_of_other_origins_may_read_all_answers() {
    let house = house_with(|_| {}).await;
    let client = house.client("one", "ssl_plus").await;
    let directory = http().get(house.acme("directory")).header("origin", "https://page.test");
    for answer in [
        Answer::of(directory.send().await.unwrap()).await.expect(200),
        client.order(&["www.example.com"]).await.expect(201),
        client.order(&["www.elsewhere.test"]).await.expect(403),
    ] {
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{answer:?}");
        let exposed = answer.header("access-control-expose-headers");
        assert_eq!(exposed, "Replay-Nonce, Link, Location, Retry-After");
    }
    let asked = http()
        .request(reqwest::Method::OPTIONS, house.acme("new-order"))
        .header("origin", "https://page.test")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type");
    let answer = Answer::of(asked.send().await.unwrap()).await.expect(204);
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert!(answer.header("access-control-allow-methods").contains("POST"));
    assert_eq!(answer.header("access-control-allow-headers"), "Content-Type");
}

/// All texts in JSON that look like URLs.
fn urls_in(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) if text.contains("://") => found.push(text.clone()),
        Value::Array(list) => list.iter().for_each(|one| urls_in(one, found)),
        Value::Object(members) => members.values().for_each(|one| urls_in(one, found)),
        _ => {}
    }
}

/// Behind a proxy: all URLs of an answer, in its body and its headers, are absolute and begin with the
/// configured base URL.
fn check_urls(answer: &Answer) -> usize {
    let mut urls = Vec::new();
    if let Ok(body) = serde_json::from_str(&answer.text) {
        urls_in(&body, &mut urls);
    }
    urls.extend(["up", "alternate", "next", "index"].iter().flat_map(|one| answer.links(one)));
    urls.extend(Some(answer.header("location")).filter(|url| !url.is_empty()));
    for url in &urls {
        assert!(url.starts_with("https://acme.example/"), "{url} in {answer:?}");
    }
    assert!(!format!("{answer:?}").contains("127.0.0.1"), "{answer:?}");
    urls.len()
}

#[tokio::test]
async fn all_urls_are_made_from_the_configured_base_url() {
    let house = house_with(|config| config.base_url = "https://acme.example/".to_owned()).await;
    let mut directory = http().get(house.acme("directory"));
    for (name, value) in [
        ("x-forwarded-host", "evil.test"),
        ("x-forwarded-proto", "ftp"),
        ("forwarded", "host=evil.test"),
    ] {
        directory = directory.header(name, value);
    }
    let directory = Answer::of(directory.send().await.unwrap()).await.expect(200);
    assert!(check_urls(&directory) >= 9, "{directory:?}");
    let client = behind(&house).await;
    let names = ["www.example.com"];
    let made = client.order(&names).await.expect(201);
    // Location, index, the authorization, and where it is finalized.
    assert_eq!(check_urls(&made), 4);
    let order = made.json();
    for number in 0..50 {
        client.order(&[&format!("w{number}.example.com")]).await.expect(201);
    }
    let account = client.account.clone().unwrap();
    let listed = client.fetch(&format!("{account}/orders")).await.expect(200);
    assert_eq!(check_urls(&listed), 50 + 2);
    check_urls(&client.fetch(&listed.links("next")[0]).await.expect(200));
    let authorization = client.fetch(order["authorizations"][0].as_str().unwrap()).await;
    assert_eq!(check_urls(&authorization.expect(200)), 2);
    assert!(check_urls(&client.fetch(&account).await.expect(200)) >= 3);
    let done = client.finalize(&order, &csr(&names, None)).await.expect(200);
    assert_eq!(check_urls(&done), 5);
    let certificate = done.json()["certificate"].as_str().unwrap().to_owned();
    let chain = client.fetch(&certificate).await.expect(200);
    assert_eq!(check_urls(&chain), 2);
    check_urls(&client.fetch(&chain.links("alternate")[0]).await.expect(200));
    let dv = behind_with(&house, "two", "ssl_dv_geotrust").await;
    let pending = dv.order(&["a.test"]).await.expect(201).json();
    let authorization = dv.fetch(pending["authorizations"][0].as_str().unwrap()).await.expect(200);
    assert_eq!(check_urls(&authorization), 4);
    let challenge = authorization.json()["challenges"][0]["url"].as_str().unwrap().to_owned();
    assert_eq!(check_urls(&dv.fetch(&challenge).await.expect(200)), 4);
    // The account that has the key.
    let inner = jws(
        &client.key,
        &json!({"alg": "ES256", "jwk": client.key.jwk(), "url": dv.url("key-change")}),
        &json!({"account": dv.account, "oldKey": dv.key.jwk()}).to_string(),
    );
    let conflict = dv.post(&dv.url("key-change"), Some(inner)).await.expect(409);
    assert_eq!(conflict.header("location"), account);
    check_urls(&conflict);
    // What was signed for the address behind the proxy was signed for another server.
    let inside = house.acme("new-account");
    let header = json!({"alg": "ES256", "jwk": client.key.jwk(), "nonce": client.nonce().await, "url": inside});
    let existing = "{\"onlyReturnExisting\":true}";
    let refused = client.send(&inside, jws(&client.key, &header, existing).to_string()).await;
    assert_eq!(refused.expect(401).problem(), "unauthorized");
}

async fn behind(house: &House) -> Client {
    behind_with(house, "one", "ssl_plus").await
}

async fn behind_with(house: &House, name: &str, product: &str) -> Client {
    let client = house.client(name, product).await;
    assert!(client.account.as_ref().unwrap().starts_with("https://acme.example/"));
    client
}
