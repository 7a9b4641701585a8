//! Every route meets every flaw: the right problem, a 4xx, a fresh nonce, and nothing changed.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use serde_json::{Value, json};

use crate::client::{Answer, Client, Key, http, jws};
use crate::house::{House, house_with, houses};
use crate::routes::{Route, good, routes};

/// What clients can see of the state.
async fn state(client: &Client, seen: &[String]) -> Vec<Value> {
    let mut state = Vec::new();
    for url in seen {
        state.push(client.fetch(url).await.expect(200).json());
    }
    state
}

/// A flawed request and what it must be answered with: statuses and problems.
struct Flaw {
    name: &'static str,
    content_type: &'static str,
    body: String,
    status: u16,
    problem: &'static str,
}

const JOSE: &str = "application/jose+json";

/// Flaws of the body around a header that is good.
async fn outer_flaws(client: &Client, route: &Route) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    for (name, content_type, status) in [
        ("no type", "", 415),
        ("JSON type", "application/json", 415),
        ("JOSE type", "application/jose", 415),
    ] {
        let (header, payload) = good(client, route).await;
        let body = jws(&client.key, &header, &payload).to_string();
        flaws.push(Flaw { name, content_type, body, status, problem: "malformed" });
    }
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    let (header, payload) = good(client, route).await;
    let twice = jws(&client.key, &header, &payload).to_string();
    let twice = twice.replacen('{', "{\"payload\":\"\",", 1);
    for (name, body, status) in [
        ("a member twice", twice, 400),
        ("nothing", String::new(), 400),
        ("no JSON", "{".to_owned(), 400),
        ("an array", "[]".to_owned(), 400),
        ("a list of the members' values", listed(client, route).await, 400),
        ("deep", deep, 400),
        ("compact", "a.b.c".to_owned(), 400),
        ("too large", format!("{{\"protected\":\"{}\"", "a".repeat(60_000)), 413),
    ] {
        flaws.push(Flaw { name, content_type: JOSE, body, status, problem: "malformed" });
    }
    for (name, member, value) in [
        ("several signatures", "signatures", json!([{"signature": "AAAA"}])),
        ("several signatures, none of them", "signatures", Value::Null),
        ("an unprotected header", "header", json!({"kid": "x"})),
        ("an unprotected header without anything", "header", Value::Null),
        ("a detached payload", "payload", Value::Null),
        ("a padded signature", "signature", json!("AAAAAA==")),
        ("a padded payload", "payload", json!("e30=")),
        ("a standard base64 payload", "payload", json!("+/+/")),
        ("a changed payload", "payload", json!(B64.encode("{\"a\":1}"))),
        ("no signature", "signature", json!("")),
        ("another signature", "signature", json!(B64.encode([7; 64]))),
        ("no header", "protected", json!("")),
        ("a header that is no object", "protected", json!(B64.encode("[]"))),
    ] {
        let (header, payload) = good(client, route).await;
        let mut body = jws(&client.key, &header, &payload);
        body[member] = value;
        flaws.push(Flaw {
            name,
            content_type: JOSE,
            body: body.to_string(),
            status: 400,
            problem: "malformed",
        });
    }
    flaws
}

/// A good request whose members are given by their place instead of their name.
async fn listed(client: &Client, route: &Route) -> String {
    let (header, payload) = good(client, route).await;
    let body = jws(&client.key, &header, &payload);
    json!([body["protected"], body["payload"], body["signature"]]).to_string()
}

/// Flaws of the protected header, signed all the same.
async fn header_flaws(client: &Client, route: &Route, other: &str) -> Vec<Flaw> {
    let foreign = Key::generate("ES256");
    let (p384, weak) =
        (Key::generate("ES384").jwk(), json!({"kty": "RSA", "n": "AQAB", "e": "AQAB"}));
    let kid = client.account.clone().unwrap();
    let without = |name: &str, header: &Value| {
        let mut header = header.clone();
        header.as_object_mut().unwrap().remove(name);
        header
    };
    let with = |name: &str, value: Value, header: &Value| {
        let mut header = header.clone();
        header[name] = value;
        header
    };
    let instead = |key: Value, header: &Value| {
        let mut header = without("kid", header);
        header["jwk"] = key;
        header
    };
    let mut flaws = Vec::new();
    let (base, payload) = good(client, route).await;
    let mut add = |name, header: Value, status, problem| {
        let body = jws(&client.key, &header, &payload).to_string();
        flaws.push(Flaw { name, content_type: JOSE, body, status, problem });
    };
    add("alg none", with("alg", json!("none"), &base), 400, "badSignatureAlgorithm");
    add("alg HS256", with("alg", json!("HS256"), &base), 400, "badSignatureAlgorithm");
    add("alg PS256", with("alg", json!("PS256"), &base), 400, "badSignatureAlgorithm");
    add("no alg", without("alg", &base), 400, "malformed");
    add("crit", with("crit", json!(["exp"]), &base), 400, "malformed");
    add("b64 false", with("b64", json!(false), &base), 400, "malformed");
    add("crit null", with("crit", Value::Null, &base), 400, "malformed");
    add("b64 null", with("b64", Value::Null, &base), 400, "malformed");
    let members = ["alg", "nonce", "url", "jwk", "kid", "crit", "b64"];
    let listed = members.iter().map(|member| base[*member].clone()).collect();
    add("a list of the members' values", listed, 400, "malformed");
    if let Some(jwk) = base.get("jwk") {
        let listed = json!([jwk["kty"], jwk["crv"], null, null, jwk["x"], jwk["y"], null, null]);
        add("a key as a list", with("jwk", listed, &base), 400, "badPublicKey");
    }
    add("no url", without("url", &base), 400, "malformed");
    add("an array as nonce", with("nonce", json!(["x"]), &base), 400, "malformed");
    add(
        "kid and jwk",
        with("kid", json!(kid), &with("jwk", client.key.jwk(), &base)),
        400,
        "malformed",
    );
    add(
        "kid beside a jwk that is null",
        with("kid", json!(kid), &with("jwk", Value::Null, &base)),
        400,
        "malformed",
    );
    add(
        "jwk beside a kid that is null",
        with("kid", Value::Null, &with("jwk", client.key.jwk(), &base)),
        400,
        "malformed",
    );
    add("a nonce that is null", with("nonce", Value::Null, &base), 400, "malformed");
    add("neither kid nor jwk", without("jwk", &without("kid", &base)), 400, "malformed");
    add(
        "a private key",
        instead(with("d", json!("AAAA"), &client.key.jwk()), &base),
        400,
        "badPublicKey",
    );
    add(
        "a private key that is null",
        instead(with("d", Value::Null, &client.key.jwk()), &base),
        400,
        "badPublicKey",
    );
    add("a MAC key", instead(json!({"kty": "oct", "k": "AAAA"}), &base), 400, "badPublicKey");
    add("a weak key", with("alg", json!("RS256"), &instead(weak, &base)), 400, "badPublicKey");
    add("a key of another algorithm", instead(p384, &base), 400, "badSignatureAlgorithm");
    add("another's key", instead(foreign.jwk(), &base), 400, "malformed");
    add(
        "another account's kid",
        with("kid", json!(other), &without("jwk", &base)),
        400,
        "malformed",
    );
    for (name, kid) in [
        ("an account that is not there", format!("{kid}999")),
        ("the account's number", "1".to_owned()),
        ("an account elsewhere", kid.replace("127.0.0.1", "localhost")),
        ("an account with a tail", format!("{kid}/")),
        ("an account with a NUL", format!("{kid}\0")),
    ] {
        add(name, with("kid", json!(kid), &without("jwk", &base)), 400, "accountDoesNotExist");
    }
    flaws
}

/// Flaws that the order of checks puts behind the signature: signed by the right key.
async fn late_flaws(client: &Client, route: &Route) -> Vec<Flaw> {
    let own = Key::generate("ES256");
    let key = if route.by_key { &own } else { &client.key };
    let mut flaws = Vec::new();
    let used = client.nonce().await;
    let spent =
        json!({"alg": "ES256", "nonce": used, "url": client.account, "kid": client.account});
    client
        .send(client.account.as_ref().unwrap(), jws(&client.key, &spent, "").to_string())
        .await
        .expect(200);
    for (name, member, value, status, problem) in [
        ("another url", "url", json!("https://other.test/"), 401, "unauthorized"),
        ("a url with a query", "url", json!(format!("{}?a=b", route.url)), 401, "unauthorized"),
        ("the path alone", "url", json!(route.url.replace(&client.base, "")), 401, "unauthorized"),
        ("no nonce", "nonce", Value::Null, 400, "badNonce"),
        ("a used nonce", "nonce", json!(used), 400, "badNonce"),
        ("a made-up nonce", "nonce", json!("AAAAAAAA"), 400, "badNonce"),
        ("an empty nonce", "nonce", json!(""), 400, "badNonce"),
        ("a nonce that is no base64url", "nonce", json!("a b+"), 400, "malformed"),
        ("a nonce with a NUL", "nonce", json!("AAAA\0"), 400, "malformed"),
        ("a url with a NUL", "url", json!(format!("{}\0", route.url)), 401, "unauthorized"),
    ] {
        let (mut header, payload) = good(client, route).await;
        if route.by_key {
            header["jwk"] = own.jwk();
        }
        header[member] = value;
        if header["nonce"].is_null() {
            header.as_object_mut().unwrap().remove("nonce");
        }
        let body = jws(key, &header, &payload).to_string();
        flaws.push(Flaw { name, content_type: JOSE, body, status, problem });
    }
    for (name, payload) in payloads(route) {
        let (mut header, _) = good(client, route).await;
        if route.by_key {
            header["jwk"] = own.jwk();
        }
        let body = jws(key, &header, &payload).to_string();
        flaws.push(Flaw { name, content_type: JOSE, body, status: 400, problem: "malformed" });
    }
    let (mut header, payload) = good(client, route).await;
    if route.by_key {
        header["jwk"] = own.jwk();
    }
    let body = jws_of_text(key, &twice(&header), &payload);
    let name = "a header with a member twice";
    flaws.push(Flaw { name, content_type: JOSE, body, status: 400, problem: "malformed" });
    flaws
}

/// Payloads that a route does not take.
fn payloads(route: &Route) -> Vec<(&'static str, String)> {
    let mut payloads: Vec<_> = ["x", "[]", "{", "{\"a\":", "\"text\"", "7", "{\"a\":\"\0\"}"]
        .map(|payload| ("a payload of another form", payload.to_owned()))
        .to_vec();
    match &route.payload {
        None => payloads.push(("a payload where there is none", "{}".to_owned())),
        Some(payload) if payload != &json!({}) => {
            payloads.push(("a payload with a member twice", twice(payload)));
        }
        Some(_) => {}
    }
    if !route.readable {
        payloads.push(("no payload where there is one", String::new()));
    }
    payloads
}

/// An object with its first member twice.
fn twice(object: &Value) -> String {
    let (name, value) = object.as_object().unwrap().iter().next().unwrap();
    object.to_string().replacen('{', &format!("{{{}:{value},", json!(name)), 1)
}

fn jws_of_text(key: &Key, header: &str, payload: &str) -> String {
    let (protected, payload) = (B64.encode(header), B64.encode(payload));
    let signature = B64.encode(key.sign(format!("{protected}.{payload}").as_bytes()));
    json!({"protected": protected, "payload": payload, "signature": signature}).to_string()
}

async fn check(house: &House, route: &Route, flaw: Flaw, nonces: &mut HashSet<String>) {
    let mut request = http().post(&route.url).body(flaw.body);
    if !flaw.content_type.is_empty() {
        request = request.header("content-type", flaw.content_type);
    }
    let answer = Answer::of(request.send().await.unwrap()).await;
    let at = format!("{} at {} on {}: {answer:?}", flaw.name, route.name, house.kind);
    assert_eq!(answer.status, flaw.status, "{at}");
    assert_eq!(answer.problem(), flaw.problem, "{at}");
    assert!(nonces.insert(answer.header("replay-nonce")), "a fresh nonce: {at}");
    assert!(!answer.json()["detail"].as_str().unwrap().is_empty(), "{at}");
    assert_eq!(answer.json()["status"], flaw.status, "{at}");
    if flaw.problem == "badSignatureAlgorithm" {
        assert_eq!(answer.json()["algorithms"].as_array().unwrap().len(), 5, "{at}");
    }
    if flaw.problem == "badNonce" {
        assert!(answer.text.contains("JWS has an invalid anti-replay nonce"), "{at}");
    }
    if !route.name.starts_with("directory") {
        assert_eq!(answer.links("index"), [house.acme("directory")], "{at}");
    }
}

#[tokio::test]
async fn every_route_answers_every_flaw_and_changes_nothing() {
    for house in houses().await {
        let client = house.client("one", "ssl_dv_geotrust").await;
        let (routes, seen) = routes(&client).await;
        let other = house.client("two", "ssl_dv_geotrust").await.account.unwrap();
        let (before, rows) = (state(&client, &seen).await, house.rows().await);
        let orders = client.fetch(&format!("{}/orders", seen[0])).await.json();
        let mut nonces = HashSet::new();
        for route in &routes {
            for flaw in outer_flaws(&client, route).await {
                check(&house, route, flaw, &mut nonces).await;
            }
            for flaw in header_flaws(&client, route, &other).await {
                check(&house, route, flaw, &mut nonces).await;
            }
            for flaw in late_flaws(&client, route).await {
                check(&house, route, flaw, &mut nonces).await;
            }
        }
        assert!(nonces.iter().all(|nonce| nonce.len() >= 22));
        assert_eq!(house.rows().await, rows, "on {}", house.kind);
        assert_eq!(state(&client, &seen).await, before, "on {}", house.kind);
        assert_eq!(client.fetch(&format!("{}/orders", seen[0])).await.json(), orders);
    }
}

/// Bytes of a path or query that are no text are answered in the same form as all else.
#[tokio::test]
async fn a_path_that_is_no_text_is_answered_with_a_problem() {
    let house = house_with(|_| {}).await;
    let client = house.client("one", "ssl_dv_geotrust").await;
    for path in ["directory/%ff", "renewal-info/%ff", "directory?action=%ff"] {
        let answer = Answer::of(http().get(house.acme(path)).send().await.unwrap()).await;
        assert!((400..500).contains(&answer.status), "{path}: {answer:?}");
        assert_eq!(answer.problem(), "malformed", "{path}");
    }
    for path in
        ["order/%ff", "authz/%ff", "certificate/%ff/1", "account/%ff/orders", "new-order/%ff"]
    {
        let answer = client.fetch(&client.url(path)).await.expect(404);
        assert_eq!(answer.problem(), "malformed", "{path}");
        assert!(!answer.header("replay-nonce").is_empty(), "{path}");
    }
}

/// Who sends a body byte by byte is answered before the last one.
#[tokio::test]
async fn a_body_that_does_not_end_is_not_waited_for() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let house = house_with(|config| config.body_time = std::time::Duration::from_millis(300)).await;
    let address = house.base.trim_start_matches("http://").to_owned();
    let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
    let head = "POST /mpki/api/v1/acme/v2/new-order HTTP/1.1\r\nhost: x\r\n\
                content-type: application/jose+json\r\ncontent-length: 40000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let (mut reader, mut writer) = stream.into_split();
    let drip = tokio::spawn(async move {
        while writer.write_all(b" ").await.is_ok() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    });
    let mut answer = vec![0; 2_000];
    let time = std::time::Duration::from_secs(10);
    let read = tokio::time::timeout(time, reader.read(&mut answer)).await.expect("an answer");
    let answer = String::from_utf8_lossy(&answer[..read.unwrap()]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("replay-nonce: "), "{answer}");
    drip.abort();
}

/// Payloads are objects, and so is what they hold: nothing is taken for a member by its place.
#[tokio::test]
async fn a_list_of_values_is_no_object() {
    for house in houses().await {
        let client = house.client("one", "ssl_dv_geotrust").await;
        let account = client.account.clone().unwrap();
        for (url, payload) in [
            (
                client.url("new-order"),
                json!([[{"type": "dns", "value": "a.test"}], null, null, null, null]),
            ),
            (client.url("new-order"), json!({"identifiers": [["dns", "a.test"]]})),
            (client.url("new-authz"), json!([{"type": "dns", "value": "a.test"}])),
            (client.url("new-authz"), json!({"identifier": ["dns", "a.test"]})),
            (account, json!([["mailto:x@example.com"], null])),
        ] {
            let refused = client.post(&url, Some(payload.clone())).await.expect(400);
            assert_eq!(refused.problem(), "malformed", "{payload} on {}", house.kind);
        }
    }
}
