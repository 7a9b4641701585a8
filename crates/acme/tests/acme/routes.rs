//! All routes: what each takes, and what none takes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Answer, Client, Key, csr, http, jws};
use crate::house::houses;

/// A route with a payload that it takes; none for POST-as-GET.
pub struct Route {
    pub name: &'static str,
    /// As the router has it.
    pub path: &'static str,
    pub url: String,
    pub payload: Option<Value>,
    /// Signed by a key instead of an account.
    pub by_key: bool,
    /// Also to be read, by an empty payload.
    pub readable: bool,
}

/// The resources that are only read, without a signature: they take no POST.
pub const PUBLIC: [&str; 2] = ["/terms", "/renewal-info/{certificate}"];

/// Objects of a pending DV order, and every route that takes a POST.
pub async fn routes(client: &Client) -> (Vec<Route>, Vec<String>) {
    let made = client.order(&["flaws.test"]).await.expect(201);
    let order = made.json();
    let authorization = order["authorizations"][0].as_str().unwrap().to_owned();
    let shown = client.fetch(&authorization).await.json();
    let challenge = shown["challenges"][0]["url"].as_str().unwrap().to_owned();
    let account = client.account.clone().unwrap();
    let location = made.header("location");
    let certificate = location.replace("/order/", "/certificate/");
    let csr = json!({"csr": B64.encode(csr(&["flaws.test"], None))});
    let order_of = || Some(json!({"identifiers": [{"type": "dns", "value": "other.test"}]}));
    let route = |name, path, url: &str, payload: Option<Value>| Route {
        name,
        path,
        url: url.to_owned(),
        readable: payload.is_none(),
        payload,
        by_key: false,
    };
    let named = |path: &str| client.url(path);
    let address = json!({"identifiers": [{"type": "ip", "value": "8.8.8.8"}]});
    let identifier = json!({"identifier": {"type": "dns", "value": "x.test"}});
    let alias = "/new-order/{*asked}";
    let mut routes = vec![
        route("directory", "/directory", &named("directory"), None),
        route("directory with an action", "/directory", &named("directory?action=enroll"), None),
        route("directory alias", "/directory/{*asked}", &named("directory/renew/5"), None),
        route("new-nonce", "/new-nonce", &named("new-nonce"), None),
        Route {
            by_key: true,
            ..route(
                "new-account",
                "/new-account",
                &named("new-account"),
                Some(json!({"termsOfServiceAgreed": true})),
            )
        },
        Route {
            readable: true,
            ..route(
                "account",
                "/account/{id}",
                &account,
                Some(json!({"contact": ["mailto:x@a.test"]})),
            )
        },
        route("orders", "/account/{id}/orders", &format!("{account}/orders"), None),
        route(
            "orders from a page on",
            "/account/{id}/orders",
            &format!("{account}/orders?cursor=9"),
            None,
        ),
        route("key-change", "/key-change", &named("key-change"), Some(json!({}))),
        route("new-order", "/new-order", &named("new-order"), order_of()),
        route("new-order of an address", "/new-order", &named("new-order"), Some(address)),
        route("new-order/enroll", alias, &named("new-order/enroll"), order_of()),
        route("new-order/renew", alias, &named("new-order/renew/5"), order_of()),
        route("new-order/reissue", alias, &named("new-order/reissue/5"), order_of()),
        route("new-order/duplicate", alias, &named("new-order/duplicate/5"), order_of()),
        route("new-authz", "/new-authz", &named("new-authz"), Some(identifier)),
        route("order", "/order/{id}", &location, None),
        route("finalize", "/order/{id}/finalize", order["finalize"].as_str().unwrap(), Some(csr)),
        Route {
            readable: true,
            ..route("authz", "/authz/{id}", &authorization, Some(json!({"status": "deactivated"})))
        },
        Route {
            readable: true,
            ..route("challenge", "/challenge/{id}", &challenge, Some(json!({})))
        },
        route("certificate", "/certificate/{id}", &certificate, None),
        route(
            "certificate with another chain",
            "/certificate/{id}/{chain}",
            &format!("{certificate}/1"),
            None,
        ),
    ];
    let revocation = Some(json!({"certificate": "AAAA"}));
    routes.push(route("revoke-cert", "/revoke-cert", &named("revoke-cert"), revocation));
    (routes, vec![account, location, authorization, challenge])
}

/// Header and payload of a good request.
pub async fn good(client: &Client, route: &Route) -> (Value, String) {
    let mut header = client.header(&route.url).await;
    if route.by_key {
        header.as_object_mut().unwrap().remove("kid");
        header["jwk"] = Key::generate("ES256").jwk();
    }
    (header, route.payload.clone().map(|payload| payload.to_string()).unwrap_or_default())
}

/// A route that the table does not know meets no flaw: none may be missing.
#[tokio::test]
async fn the_table_holds_every_route() {
    let house = houses().await.remove(0);
    let client = house.client("one", "ssl_dv_geotrust").await;
    let (routes, _) = routes(&client).await;
    for path in certdeck_acme::paths() {
        let known = routes.iter().any(|route| route.path == path) || PUBLIC.contains(&path);
        assert!(known, "{path} is not in the table");
    }
    for route in &routes {
        assert!(certdeck_acme::paths().any(|path| path == route.path), "{}", route.name);
    }
}

/// RFC 8555 section 6.3: resources are read by POST; no path takes any other method than its own.
#[tokio::test]
async fn every_route_takes_its_own_methods_only() {
    for house in houses().await {
        let client = house.client("one", "ssl_dv_geotrust").await;
        let (routes, _) = routes(&client).await;
        let before = house.rows().await;
        let own = |path: &str| match path {
            "/new-nonce" => vec!["HEAD", "GET", "POST"],
            _ if path.starts_with("/directory") => vec!["HEAD", "GET", "POST"],
            _ if PUBLIC.contains(&path) => vec!["HEAD", "GET"],
            _ => vec!["POST"],
        };
        let public =
            PUBLIC.map(|path| (path, house.acme(&path.replace("{certificate}", "a.b")[1..])));
        let urls = routes.iter().map(|route| (route.path, route.url.clone())).chain(public);
        for (path, url) in urls {
            for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"] {
                if own(path).contains(&method) {
                    continue;
                }
                let request = http().request(Method::from_bytes(method.as_bytes()).unwrap(), &url);
                let answer = Answer::of(request.send().await.unwrap()).await;
                let at = format!("{method} {url} on {}: {answer:?}", house.kind);
                assert_eq!(answer.status, 405, "{at}");
                assert_eq!(answer.header("content-type"), "application/problem+json", "{at}");
                assert_eq!(!answer.header("replay-nonce").is_empty(), method == "POST", "{at}");
            }
        }
        let nowhere = http().post(house.acme("nothing")).send().await.unwrap();
        let nowhere = Answer::of(nowhere).await.expect(404);
        assert_eq!(nowhere.problem(), "malformed");
        assert!(!nowhere.header("replay-nonce").is_empty());
        assert_eq!(house.rows().await, before, "on {}", house.kind);
    }
}

/// jwk belongs to newAccount and revokeCert, kid to all others.
#[tokio::test]
async fn each_route_takes_its_own_kind_of_signer() {
    for house in houses().await {
        let client = house.client("one", "ssl_dv_geotrust").await;
        let (routes, _) = routes(&client).await;
        for route in routes.iter().filter(|route| route.name != "revoke-cert") {
            let (mut header, payload) = good(&client, route).await;
            let fields = header.as_object_mut().unwrap();
            if route.by_key {
                fields.remove("jwk");
                fields.insert("kid".to_owned(), json!(client.account));
            } else {
                fields.remove("kid");
                fields.insert("jwk".to_owned(), client.key.jwk());
            }
            let answer =
                client.send(&route.url, jws(&client.key, &header, &payload).to_string()).await;
            assert_eq!(answer.expect(400).problem(), "malformed", "{}", route.name);
        }
    }
}

/// An account that has ended gets nothing from any route.
#[tokio::test]
async fn an_account_that_has_ended_is_refused_at_every_route() {
    for house in houses().await {
        let deactivated = house.client("one", "ssl_dv_geotrust").await;
        let revoked = house.client("two", "ssl_dv_geotrust").await;
        let (of_one, of_two) = (routes(&deactivated).await.0, routes(&revoked).await.0);
        let account = deactivated.account.clone().unwrap();
        deactivated.post(&account, Some(json!({"status": "deactivated"}))).await.expect(200);
        let url = domain::AcmeUrlId(2);
        house.desk.revoke_acme_url(&lifecycle::Actor::Operator, url).await.unwrap();
        let before = house.rows().await;
        for (client, routes) in [(&deactivated, of_one), (&revoked, of_two)] {
            for route in routes {
                let payloads = [route.payload.clone(), None];
                let payloads = &payloads[..if route.readable { 2 } else { 1 }];
                for payload in payloads {
                    let answer = if route.by_key {
                        let nonce = client.nonce().await;
                        let header = json!({"alg": "ES256", "nonce": nonce, "url": route.url, "jwk": client.key.jwk()});
                        let payload = payload.clone().unwrap().to_string();
                        let body = jws(&client.key, &header, &payload).to_string();
                        client.send(&route.url, body).await
                    } else {
                        client.post(&route.url, payload.clone()).await
                    };
                    let at = format!("{} on {}: {answer:?}", route.name, house.kind);
                    assert_eq!(answer.status, 401, "{at}");
                    assert_eq!(answer.problem(), "unauthorized", "{at}");
                    assert!(!answer.header("replay-nonce").is_empty(), "{at}");
                }
            }
        }
        assert_eq!(house.rows().await, before, "on {}", house.kind);
    }
}
