//! Directory, nonces, newOrder to certificate, revocation, renewal information.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use domain::model::KeyType;
use lifecycle::acme::NewAcmeUrl;
use lifecycle::reissue::ReissueForm;
use serde_json::{Value, json};

use crate::client::{
    Answer, Client, Key, binding, certificates_in, csr, csr_with_key, http, leaf, serial,
};
use crate::detection::newest;
use crate::house::{House, houses};

pub async fn get(url: &str) -> Answer {
    Answer::of(http().get(url).send().await.unwrap()).await
}

#[tokio::test]
async fn the_directory_carries_the_action_in_the_path_of_new_order_only() {
    for house in houses().await {
        let plain = get(&house.acme("directory")).await.expect(200).json();
        assert_eq!(plain["newOrder"], house.acme("new-order"));
        assert_eq!(plain["meta"]["externalAccountRequired"], true);
        assert!(
            plain["meta"]["termsOfService"].is_string() && plain["meta"]["website"].is_string()
        );
        assert!(plain["meta"]["profiles"]["default"].is_string());
        get(plain["meta"]["termsOfService"].as_str().unwrap()).await.expect(200);
        for form in [
            "directory?action=renew&orderId=555123456",
            "directory/renew/555123456",
            "directory/renew/555123456?x=y",
        ] {
            let asked = get(&house.acme(form)).await.expect(200).json();
            assert_eq!(asked["newOrder"], house.acme("new-order/renew/555123456"), "{form}");
            for same in [
                "newNonce",
                "newAccount",
                "newAuthz",
                "keyChange",
                "revokeCert",
                "renewalInfo",
                "meta",
            ] {
                assert_eq!(asked[same], plain[same], "{form}");
            }
        }
        let enroll = get(&house.acme("directory/enroll")).await.expect(200).json();
        assert_eq!(enroll["newOrder"], house.acme("new-order/enroll"));
        for bad in [
            "directory?action=renew",
            "directory?action=x&orderId=1",
            "directory?action=renew&orderId=1x",
            "directory?orderId=1",
            "directory?action=renew&action=renew&orderId=1",
            "directory/renew",
            "directory/x/1",
        ] {
            let answer = get(&house.acme(bad)).await.expect(400);
            assert_eq!(answer.problem(), "malformed", "{bad}");
        }
        let client = house.client("one", "ssl_plus").await;
        let posted = client.fetch(&house.acme("directory")).await.expect(200);
        assert_eq!(posted.json(), plain);
        assert!(posted.links("index").is_empty());
    }
}

#[tokio::test]
async fn new_nonce_answers_204_to_get_and_resources_answer_405() {
    for house in houses().await {
        let answer = get(&house.acme("new-nonce")).await.expect(204);
        assert!(!answer.header("replay-nonce").is_empty());
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.links("index"), [house.acme("directory")]);
        for path in [
            "order/1",
            "account/1",
            "authz/1",
            "challenge/1",
            "certificate/1",
            "new-order",
            "revoke-cert",
        ] {
            let answer = get(&house.acme(path)).await.expect(405);
            assert_eq!(answer.problem(), "malformed", "{path}");
        }
        assert_eq!(get(&house.acme("nothing")).await.expect(404).problem(), "malformed");
        let client = house.client("one", "ssl_plus").await;
        let posted = client.fetch(&house.acme("new-nonce")).await.expect(204);
        assert!(!posted.header("replay-nonce").is_empty());
    }
}

#[tokio::test]
async fn a_validated_domain_gives_a_certificate_without_a_challenge_to_be_met() {
    for house in houses().await {
        let client = house.client("one", "ssl_plus").await;
        let made = client.order(&["www.example.com", "EXAMPLE.com"]).await.expect(201);
        let order = made.json();
        let location = made.header("location");
        assert_eq!(order["status"], "ready");
        assert_eq!(order["identifiers"][0]["value"], "www.example.com", "in the client's order");
        assert_eq!(order["identifiers"][1]["value"], "example.com", "lower-case");
        // The identical order again is the open one.
        let again = client.order(&["example.com", "www.example.com"]).await.expect(201);
        assert_eq!(again.header("location"), location);
        for url in order["authorizations"].as_array().unwrap() {
            let answer = client.fetch(url.as_str().unwrap()).await.expect(200);
            let authorization = answer.json();
            assert_eq!(authorization["status"], "valid");
            assert_eq!(authorization["challenges"][0]["status"], "valid");
            assert!(authorization["challenges"][0]["validated"].is_string());
            assert!(authorization["challenges"][0]["token"].as_str().unwrap().len() >= 22);
            assert_eq!(answer.text.matches("\"value\"").count(), 1, "acme.sh reads by pattern");
        }
        let der = csr(&["www.example.com", "example.com"], None);
        let finalized = client.finalize(&order, &der).await.expect(200);
        assert_eq!(finalized.header("location"), location);
        let valid = finalized.json();
        assert_eq!(valid["status"], "valid");
        let repeated = client.finalize(&order, &der).await.expect(200);
        assert_eq!(repeated.json(), valid, "a repeated finalize is a poll");
        let certificate = client.fetch(valid["certificate"].as_str().unwrap()).await.expect(200);
        assert_eq!(certificate.header("content-type"), "application/pem-certificate-chain");
        assert_eq!(certificates_in(&certificate.text), 2);
        let alternate = certificate.links("alternate").pop().unwrap();
        let longer = client.fetch(&alternate).await.expect(200).text;
        assert_eq!(certificates_in(&longer), 3);
        assert_eq!(leaf(&longer), leaf(&certificate.text));
        // After it was issued the same names make a new order.
        let next = client.order(&["www.example.com", "example.com"]).await.expect(201);
        assert_ne!(next.header("location"), location);
        let listed = client
            .fetch(&format!("{}/orders", client.account.clone().unwrap()))
            .await
            .expect(200)
            .json();
        assert_eq!(listed["orders"], json!([next.header("location"), location]));
    }
}

#[tokio::test]
async fn the_list_of_orders_has_pages() {
    for house in houses().await {
        let client = house.client("one", "ssl_plus").await;
        for number in 0..52 {
            client.order(&[format!("w{number}.example.com").as_str()]).await.expect(201);
        }
        let first =
            client.fetch(&format!("{}/orders", client.account.clone().unwrap())).await.expect(200);
        assert_eq!(first.json()["orders"].as_array().unwrap().len(), 50);
        let rest = client.fetch(&first.links("next")[0]).await.expect(200);
        assert_eq!(rest.json()["orders"].as_array().unwrap().len(), 2);
        assert!(rest.links("next").is_empty());
    }
}

#[tokio::test]
async fn identifiers_are_refused_one_by_one() {
    for house in houses().await {
        let client = house.client("one", "ssl_plus").await;
        let order = |identifiers: Value| {
            let client = &client;
            async move {
                client
                    .post(&client.url("new-order"), Some(json!({"identifiers": identifiers})))
                    .await
            }
        };
        let dns = |name: &str| json!({"type": "dns", "value": name});
        for (identifiers, status, problem) in [
            (json!([]), 400, "malformed"),
            (json!([dns("10.0.0.1")]), 403, "rejectedIdentifier"),
            (json!([dns("a_b.example.com")]), 403, "rejectedIdentifier"),
            (json!([dns("xn--zzzzzzz-.example.com")]), 403, "rejectedIdentifier"),
            (json!([dns("bücher.example.com")]), 403, "rejectedIdentifier"),
            (json!([dns("www.*.example.com")]), 403, "rejectedIdentifier"),
            (json!([dns("www.example.com.")]), 403, "rejectedIdentifier"),
            (json!([dns(" www.example.com")]), 403, "rejectedIdentifier"),
            (json!([dns("evil-example.com")]), 403, "rejectedIdentifier"),
            (json!([dns("localhost")]), 403, "rejectedIdentifier"),
            (json!([dns("*.example.com")]), 403, "rejectedIdentifier"),
            (json!([dns(&format!("{}.example.com", "a".repeat(64)))]), 403, "rejectedIdentifier"),
            (json!([dns(&"a.".repeat(2000))]), 403, "rejectedIdentifier"),
            (json!([{"type": "ip", "value": "192.0.2.1"}]), 403, "rejectedIdentifier"),
            (json!([{"type": "ip", "value": "no"}]), 400, "malformed"),
            (json!([{"type": "ip"}]), 400, "malformed"),
            (json!([{"type": "email", "value": "a@example.com"}]), 400, "unsupportedIdentifier"),
            (
                json!((0..101).map(|n| dns(&format!("w{n}.example.com"))).collect::<Vec<_>>()),
                400,
                "malformed",
            ),
            (json!("www.example.com"), 400, "malformed"),
        ] {
            let answer = order(identifiers.clone()).await.expect(status);
            assert_eq!(answer.problem(), problem, "{identifiers}");
        }
        // Nothing of these stands for an open order's names alone.
        order(json!([dns("www.example.com")])).await.expect(201);
        for beside in [dns("a_b.example.com"), json!({"type": "ip", "value": "no"})] {
            let answer = order(json!([dns("www.example.com"), beside])).await;
            assert!(matches!(answer.status, 400 | 403), "{answer:?}");
        }
        let several =
            order(json!([dns("www.example.com"), dns("a.other.test"), dns("b.other.test")]))
                .await
                .expect(403);
        let subproblems = several.json()["subproblems"].clone();
        assert_eq!(subproblems.as_array().unwrap().len(), 2);
        assert_eq!(subproblems[0]["identifier"]["value"], "a.other.test");
        let mixed = order(json!([{"type": "email", "value": "x"}, dns(&"a".repeat(300))])).await;
        let mixed = mixed.expect(400);
        assert_eq!(mixed.problem(), "compound");
        let told = mixed.json()["subproblems"].clone();
        assert_eq!(told[0]["identifier"], json!({"type": "email", "value": "x"}), "{told}");
        assert_eq!(told[1]["identifier"]["value"].as_str().unwrap().len(), 300);
        for (member, value, problem) in [
            ("profile", "unknown", "invalidProfile"),
            ("notBefore", "yesterday", "malformed"),
            ("notAfter", "2099-01-01T00:00:00Z", "malformed"),
            ("replaces", "AAAA", "malformed"),
            ("replaces", "AAAA.AAAA", "malformed"),
        ] {
            let answer =
                client.order_at("new-order", &["www.example.com"], json!({member: value})).await;
            assert_eq!(answer.expect(400).problem(), problem, "{member}");
        }
        let profiled =
            client.order_at("new-order", &["www.example.com"], json!({"profile": "default"})).await;
        assert_eq!(profiled.expect(201).json()["profile"], "default");
    }
}

/// A refusal's words are for who reads them in the log of an ACME client.
#[tokio::test]
async fn refusals_say_what_to_change_in_the_client() {
    let house = houses().await.remove(0);
    let client = house.client("web", "ssl_plus").await;
    let detail = async |identifier: Value| {
        let payload = json!({"identifiers": [identifier]});
        let refused = client.post(&client.url("new-order"), Some(payload)).await.expect(403);
        refused.json()["detail"].as_str().unwrap().to_owned()
    };
    let address = detail(json!({"type": "dns", "value": "192.0.2.7"})).await;
    assert!(address.contains("the type ip"), "{address}");
    // Clients keep their account for another credential as well.
    let wildcard = detail(json!({"type": "dns", "value": "*.example.com"})).await;
    assert!(wildcard.contains("ACME Directory URL \"web\""), "{wildcard}");
}

/// However often a name is said, none behind it is lost.
#[tokio::test]
async fn a_name_behind_a_thousand_others_counts() {
    let house = houses().await.remove(0);
    let client = house.client("dv", "ssl_dv_geotrust").await;
    let mut names = vec!["a.b"; 1_000];
    names.push("late.test");
    let order = client.order(&names).await.expect(201).json();
    assert_eq!(order["identifiers"].as_array().unwrap().len(), 2, "{order}");
}

#[tokio::test]
async fn wildcards_keep_their_star_in_the_order_and_lose_it_in_the_authorization() {
    for house in houses().await {
        let client = house.client("one", "ssl_wildcard").await;
        let order = client.order(&["*.example.com", "example.com"]).await.expect(201).json();
        assert_eq!(order["identifiers"][0]["value"], "*.example.com");
        let urls = order["authorizations"].as_array().unwrap();
        assert_eq!(urls.len(), 2);
        let wild = client.fetch(urls[0].as_str().unwrap()).await.json();
        assert_eq!(
            (&wild["identifier"]["value"], &wild["wildcard"]),
            (&json!("example.com"), &json!(true))
        );
        assert_eq!(wild["challenges"][0]["type"], "dns-01");
        let bare = client.fetch(urls[1].as_str().unwrap()).await.json();
        assert!(bare.get("wildcard").is_none());
        let done = client
            .finalize(&order, &csr(&["*.example.com", "example.com"], None))
            .await
            .expect(200)
            .json();
        assert_eq!(done["status"], "valid");
    }
}

#[tokio::test]
async fn a_bad_csr_is_told_and_leaves_the_order_ready() {
    for house in houses().await {
        let credential = house
            .url_with(NewAcmeUrl {
                key_types: vec![KeyType::EcP256],
                ..NewAcmeUrl::permissive("one", "ssl_plus".into(), house.organization)
            })
            .await;
        let mut client = Client::new(&house);
        client.register(&credential).await;
        let made = client.order(&["www.example.com"]).await.expect(201);
        let order = made.json();
        let good = csr(&["www.example.com"], None);
        let mut tampered = good.clone();
        let last = tampered.len() - 1;
        tampered[last] ^= 1;
        let p384 = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
        for (name, der) in [
            ("another name", csr(&["a.example.com"], None)),
            ("a name more", csr(&["www.example.com", "a.example.com"], None)),
            ("smuggled in the CN", csr(&["www.example.com"], Some("evil.test"))),
            ("an address", csr(&["www.example.com", "192.0.2.1"], None)),
            ("a mailbox", csr(&["www.example.com", "a@example.com"], None)),
            ("no names", csr(&[], None)),
            ("a broken signature", tampered),
            ("a key type that is not allowed", csr_with_key(&["www.example.com"], None, &p384)),
            ("no DER", b"junk".to_vec()),
            ("PEM", armoured(&good)),
            ("nothing", Vec::new()),
        ] {
            let answer = client.finalize(&order, &der).await.expect(400);
            assert_eq!(answer.problem(), "badCSR", "{name}");
            let now = client.fetch(&made.header("location")).await.json();
            assert_eq!(now["status"], "ready", "{name}");
        }
        let pem = json!({"csr": "-----BEGIN CERTIFICATE REQUEST-----"});
        let answer = client.post(order["finalize"].as_str().unwrap(), Some(pem)).await;
        assert_eq!(answer.expect(400).problem(), "badCSR");
        // The key of the account is no key for a certificate.
        let own = client.key.for_certificate();
        let answer = client.finalize(&order, &csr_with_key(&["www.example.com"], None, &own)).await;
        assert_eq!(answer.expect(400).problem(), "badCSR");
        client
            .finalize(&order, &csr(&["www.example.com"], Some("www.example.com")))
            .await
            .expect(200);
    }
}

fn armoured(der: &[u8]) -> Vec<u8> {
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let (begin, end) = ("-----BEGIN CERTIFICATE REQUEST-----", "-----END CERTIFICATE REQUEST-----");
    format!("{begin}\n{text}\n{end}\n").into_bytes()
}

/// Must-staple, Microsoft's certificate template and CA:TRUE in a CSR are read over.
#[tokio::test]
async fn other_extensions_of_a_csr_do_no_harm_and_have_no_effect() {
    use x509_parser::prelude::FromDer as _;
    for house in houses().await {
        let client = house.client("one", "ssl_plus").await;
        let order = client.order(&["www.example.com"]).await.expect(201).json();
        let mut params = rcgen::CertificateParams::new(vec!["www.example.com".to_owned()]).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let extension = |oid: &[u64], content: &[u8]| {
            rcgen::CustomExtension::from_oid_content(oid, content.to_vec())
        };
        params.custom_extensions = vec![
            extension(&[1, 3, 6, 1, 5, 5, 7, 1, 24], &[0x30, 3, 2, 1, 5]),
            extension(&[1, 3, 6, 1, 4, 1, 311, 20, 2], &[0x1e, 4, 0, 0x57, 0, 0x65]),
        ];
        let key = rcgen::KeyPair::generate().unwrap();
        let der = params.serialize_request(&key).unwrap().der().to_vec();
        let done = client.finalize(&order, &der).await.expect(200).json();
        assert_eq!(done["status"], "valid", "{done}");
        let chain = client.fetch(done["certificate"].as_str().unwrap()).await.text;
        let leaf = leaf(&chain);
        let (_, certificate) = x509_parser::certificate::X509Certificate::from_der(&leaf).unwrap();
        assert!(!certificate.is_ca());
    }
}

#[tokio::test]
async fn others_do_not_see_that_a_thing_exists() {
    for house in houses().await {
        let client = house.client("one", "ssl_plus").await;
        let other = house.client("two", "ssl_plus").await;
        let made = client.order(&["www.example.com"]).await.expect(201);
        let order = made.json();
        let authorization = order["authorizations"][0].as_str().unwrap().to_owned();
        let challenge = client.fetch(&authorization).await.json()["challenges"][0]["url"]
            .as_str()
            .unwrap()
            .to_owned();
        let done =
            client.finalize(&order, &csr(&["www.example.com"], None)).await.expect(200).json();
        let certificate = done["certificate"].as_str().unwrap().to_owned();
        for url in [&made.header("location"), &authorization, &challenge, &certificate] {
            let foreign = other.fetch(url).await.expect(404);
            let (start, _) = url.rsplit_once('/').unwrap();
            let missing = other.fetch(&format!("{start}/99999")).await.expect(404);
            assert_eq!(foreign.json(), missing.json());
        }
        let foreign = other.finalize(&order, &csr(&["www.example.com"], None)).await;
        assert_eq!(foreign.expect(404).problem(), "malformed");
        let deactivate = other.post(&authorization, Some(json!({"status": "deactivated"}))).await;
        deactivate.expect(404);
        let orders = format!("{}/orders", client.account.clone().unwrap());
        other.fetch(&orders).await.expect(404);
    }
}

#[tokio::test]
async fn a_deactivated_authorization_takes_its_orders_with_it() {
    for house in houses().await {
        let client = house.client("one", "ssl_plus").await;
        let made = client.order(&["www.example.com"]).await.expect(201);
        let order = made.json();
        let url = order["authorizations"][0].as_str().unwrap();
        let gone =
            client.post(url, Some(json!({"status": "deactivated"}))).await.expect(200).json();
        assert_eq!(gone["status"], "deactivated");
        let answer = client.finalize(&order, &csr(&["www.example.com"], None)).await;
        assert_eq!(answer.expect(403).problem(), "orderNotReady");
        let next = client.order(&["www.example.com"]).await.expect(201);
        assert_ne!(next.header("location"), made.header("location"));
        assert_eq!(next.json()["status"], "ready");
    }
}

#[tokio::test]
async fn an_order_that_is_not_finalized_in_time_ends() {
    for house in houses().await {
        let client = house.client("one", "ssl_plus").await;
        let made = client.order(&["www.example.com"]).await.expect(201);
        house.clock.advance(domain::Days(8));
        let late = client.fetch(&made.header("location")).await.expect(200).json();
        assert_eq!(late["status"], "invalid");
        let answer = client.finalize(&made.json(), &csr(&["www.example.com"], None)).await;
        assert_eq!(answer.expect(403).problem(), "orderNotReady");
        house.server.desk().sweep().await.unwrap();
        let swept = client.fetch(&made.header("location")).await.expect(200).json();
        assert_eq!(swept["status"], "invalid");
        assert!(swept["error"]["detail"].is_string());
    }
}

/// draft-aaron-acme-profiles section 4: the server chooses a profile where the client names none, and
/// shows it. Naming it asks for the same.
#[tokio::test]
async fn an_order_without_a_profile_has_the_default_one() {
    for house in houses().await {
        let client = house.client("one", "ssl_plus").await;
        let names = ["www.example.com"];
        let default = json!({"profile": "default"});
        for (first, second) in [(json!({}), default.clone()), (default, json!({}))] {
            let made = client.order_at("new-order", &names, first).await.expect(201);
            assert_eq!(made.json()["profile"], "default", "on {}", house.kind);
            let same = client.order_at("new-order", &names, second).await.expect(201);
            assert_eq!(same.header("location"), made.header("location"), "on {}", house.kind);
            let done = client.finalize(&made.json(), &csr(&names, None)).await.expect(200).json();
            assert_eq!((&done["status"], &done["profile"]), (&json!("valid"), &json!("default")));
        }
    }
}

pub fn revocation(der: &[u8], reason: Option<i64>) -> Value {
    let mut payload = json!({"certificate": B64.encode(der)});
    if let Some(reason) = reason {
        payload["reason"] = json!(reason);
    }
    payload
}

#[tokio::test]
async fn a_certificate_is_revoked_by_its_account_by_authorization_and_by_its_key() {
    for house in houses().await {
        let client = house.client("one", "ssl_plus").await;
        let url = client.url("revoke-cert");
        let (_, chain) = client.issue("new-order/enroll", &["www.example.com"]).await;
        let der = leaf(&chain);
        let stranger = house.client("two", "ssl_plus").await;
        assert_eq!(
            stranger.post(&url, Some(revocation(&der, None))).await.expect(401).problem(),
            "unauthorized"
        );
        for reason in [2, 6, 7, 8, 10, 99, -1] {
            let answer = client.post(&url, Some(revocation(&der, Some(reason)))).await.expect(400);
            assert_eq!(answer.problem(), "badRevocationReason");
        }
        let mut changed = der.clone();
        let last = changed.len() - 1;
        changed[last] ^= 1;
        client.post(&url, Some(revocation(&changed, None))).await.expect(404);
        assert_eq!(
            client.post(&url, Some(revocation(b"junk", None))).await.expect(400).problem(),
            "malformed"
        );
        let done = client.post(&url, Some(revocation(&der, Some(1)))).await.expect(200);
        assert!(done.text.is_empty());
        let again = client.post(&url, Some(revocation(&der, None))).await.expect(400);
        assert_eq!(again.problem(), "alreadyRevoked");
        // By an account that holds the authorizations.
        let (_, chain) = client.issue("new-order/enroll", &["www.example.com"]).await;
        stranger.order(&["www.example.com"]).await.expect(201);
        stranger.post(&url, Some(revocation(&leaf(&chain), None))).await.expect(200);
        by_key(&house, &client).await;
    }
}

async fn by_key(house: &House, client: &Client) {
    let url = client.url("revoke-cert");
    let enroll = async || {
        let names = ["www.example.com"];
        client.order_at("new-order/enroll", &names, json!({})).await.expect(201).json()
    };
    let order = enroll().await;
    let pair = Key::generate("ES256");
    let own = pair.for_certificate();
    let owned = csr_with_key(&["www.example.com"], None, &own);
    let done = client.finalize(&order, &owned).await.expect(200).json();
    let der = leaf(&client.fetch(done["certificate"].as_str().unwrap()).await.text);
    let wrong = Client::new(house);
    assert_eq!(
        wrong.post(&url, Some(revocation(&der, None))).await.expect(403).problem(),
        "unauthorized"
    );
    let holder = Client::with_key(house, pair);
    holder.post(&url, Some(revocation(&der, Some(1)))).await.expect(200);
    // A compromised key gets no certificate again; the order waits for another one.
    let order = enroll().await;
    assert_eq!(client.finalize(&order, &owned).await.expect(400).problem(), "badCSR");
    let other = csr(&["www.example.com"], None);
    assert_eq!(client.finalize(&order, &other).await.expect(200).json()["status"], "valid");
}

/// RFC 8555 section 7.6: a certificate's own key revokes it, of whatever kind it is.
#[tokio::test]
async fn each_kind_of_key_revokes_its_certificate() {
    for house in houses().await {
        let client = house.client("one", "private_ssl_plus").await;
        let (url, names) = (client.url("revoke-cert"), ["www.example.com"]);
        for algorithm in ["RS256", "ES256", "ES384", "ES512", "EdDSA"] {
            let key = Key::generate(algorithm);
            let csr = csr_with_key(&names, None, &key.for_certificate());
            let order = client.order_at("new-order/enroll", &names, json!({})).await.expect(201);
            let done = client.finalize(&order.json(), &csr).await.expect(200).json();
            assert_eq!(done["status"], "valid", "{algorithm} on {}: {done}", house.kind);
            let der = leaf(&client.fetch(done["certificate"].as_str().unwrap()).await.text);
            let other = Client::with_key(&house, Key::generate(algorithm));
            let refused = other.post(&url, Some(revocation(&der, None))).await.expect(403);
            assert_eq!(refused.problem(), "unauthorized", "{algorithm} on {}", house.kind);
            let holder = Client::with_key(&house, key);
            holder.post(&url, Some(revocation(&der, Some(4)))).await.expect(200);
            let again = client.post(&url, Some(revocation(&der, None))).await.expect(400);
            assert_eq!(again.problem(), "alreadyRevoked", "{algorithm} on {}", house.kind);
        }
    }
}

/// Extended validation is the organization's, as all validation but that of domains is: no challenge.
#[tokio::test]
async fn an_ev_product_is_issued_without_a_challenge() {
    for house in houses().await {
        let new = lifecycle::organizations::NewOrganization {
            name: "Example EV".to_owned(),
            country: "DE".to_owned(),
            locality: "Berlin".to_owned(),
            registration_number: "HRB 1234".to_owned(),
            validated: true,
        };
        let operator = lifecycle::Actor::Operator;
        let organization = house.desk.add_new_organization(&operator, &new).await.unwrap();
        house.desk.add_domain(&operator, "ev.test", organization, true).await.unwrap();
        let new = NewAcmeUrl::permissive("ev", "ssl_ev_basic".into(), organization);
        let mut client = Client::new(&house);
        client.register(&house.url_with(new).await).await;
        let (_, chain) = client.issue("new-order", &["www.ev.test"]).await;
        let der = leaf(&chain);
        for held in ["Example EV", "HRB 1234", "Private Organization"] {
            assert!(
                der.windows(held.len()).any(|window| window == held.as_bytes()),
                "{held} on {}",
                house.kind
            );
        }
        // A second server's, too.
        client.issue("new-order", &["www.ev.test"]).await;
        let (_, action, explanation) = newest(&house).await;
        assert_eq!(action, domain::rules::Action::Duplicate, "{explanation}");
        client.order(&["www.elsewhere.test"]).await.expect(403);
    }
}

/// Who holds the key of a certificate that was revoked for another reason can still say that others
/// hold it too: it gets no certificate again.
#[tokio::test]
async fn a_compromise_is_kept_also_of_a_certificate_that_was_revoked_before() {
    for house in houses().await {
        let client = house.client("one", "ssl_plus").await;
        let url = client.url("revoke-cert");
        let pair = Key::generate("ES256");
        let own = pair.for_certificate();
        let owned = csr_with_key(&["www.example.com"], None, &own);
        let enroll = async || {
            let names = ["www.example.com"];
            client.order_at("new-order/enroll", &names, json!({})).await.expect(201).json()
        };
        let done = client.finalize(&enroll().await, &owned).await.expect(200).json();
        let der = leaf(&client.fetch(done["certificate"].as_str().unwrap()).await.text);
        client.finalize(&enroll().await, &owned).await.expect(200);
        client.post(&url, Some(revocation(&der, Some(4)))).await.expect(200);
        let again = client.post(&url, Some(revocation(&der, Some(1)))).await.expect(400);
        assert_eq!(again.problem(), "alreadyRevoked", "an account shows nothing");
        let holder = Client::with_key(&house, pair);
        let other = holder.post(&url, Some(revocation(&der, Some(5)))).await.expect(400);
        assert_eq!(other.problem(), "alreadyRevoked");
        holder.post(&url, Some(revocation(&der, Some(1)))).await.expect(200);
        let twice = holder.post(&url, Some(revocation(&der, Some(1)))).await.expect(400);
        assert_eq!(twice.problem(), "alreadyRevoked");
        let refused = client.finalize(&enroll().await, &owned).await.expect(400);
        assert_eq!(refused.problem(), "badCSR", "on {}", house.kind);
        // Its other certificate is revoked with it.
        house.clock.advance(domain::Days(1));
        assert_eq!(house.desk.run_compromised_keys().await.unwrap(), 1, "on {}", house.kind);
    }
}

/// base64url(AKI).base64url(serial) (RFC 9773 section 4.1).
pub fn certificate_id(chain: &str) -> String {
    use x509_parser::prelude::{FromDer as _, ParsedExtension};
    let der = leaf(chain);
    let (_, certificate) = x509_parser::certificate::X509Certificate::from_der(&der).unwrap();
    let aki = certificate.extensions().iter().find_map(|one| match one.parsed_extension() {
        ParsedExtension::AuthorityKeyIdentifier(aki) => {
            aki.key_identifier.as_ref().map(|id| id.0.to_vec())
        }
        _ => None,
    });
    format!("{}.{}", B64.encode(aki.unwrap()), B64.encode(certificate.raw_serial()))
}

#[tokio::test]
async fn renewal_information_is_public_and_moves_to_the_past_with_revocation() {
    for house in houses().await {
        let client = house.client("one", "ssl_plus").await;
        let (_, chain) = client.issue("new-order", &["www.example.com"]).await;
        let url = house.acme(&format!("renewal-info/{}", certificate_id(&chain)));
        let answer = get(&url).await.expect(200);
        assert!(answer.header("retry-after").parse::<u64>().unwrap() > 0);
        let window = answer.json()["suggestedWindow"].clone();
        let (start, end) = (window["start"].as_str().unwrap(), window["end"].as_str().unwrap());
        let now = house.clock.now().rfc3339();
        assert!(start < end && now.as_str() < start, "{window} at {now}");
        for (bad, status) in [("x", 400), ("AAAA.AAAA", 404), ("a.b.c", 400), ("%00", 400)] {
            assert_eq!(
                get(&house.acme(&format!("renewal-info/{bad}"))).await.expect(status).problem(),
                "malformed"
            );
        }
        client
            .post(&client.url("revoke-cert"), Some(revocation(&leaf(&chain), None)))
            .await
            .expect(200);
        let window = get(&url).await.expect(200).json()["suggestedWindow"].clone();
        assert!(window["end"].as_str().unwrap() < now.as_str());
    }
}

/// A reissue that takes names away announces the end of the certificates before it: their servers
/// are to fetch new ones before that.
#[tokio::test]
async fn renewal_information_moves_to_the_past_with_an_announced_revocation() {
    for house in houses().await {
        let client = house.client("one", "ssl_multi_domain").await;
        let (_, chain) = client.issue("new-order", &["www.example.com", "a.example.com"]).await;
        let (order, _, _) = newest(&house).await;
        let url = house.acme(&format!("renewal-info/{}", certificate_id(&chain)));
        let now = house.clock.now().rfc3339();
        let end = async || {
            let answer = get(&url).await.expect(200).json();
            answer["suggestedWindow"]["end"].as_str().unwrap().to_owned()
        };
        assert!(end().await > now);
        let request = String::from_utf8(armoured(&csr(&["www.example.com"], None))).unwrap();
        let form = ReissueForm {
            csr: request,
            common_name: "www.example.com".to_owned(),
            names: "www.example.com".to_owned(),
            confirmed: true,
            ..ReissueForm::default()
        };
        house.desk.request_reissue(&house.reviewer().await, order, &form).await.unwrap();
        assert!(end().await < now, "on {}", house.kind);
    }
}

#[tokio::test]
async fn a_certificate_is_replaced_once() {
    for house in houses().await {
        let client = house.client("one", "ssl_plus").await;
        let (_, chain) = client.issue("new-order", &["www.example.com"]).await;
        let id = certificate_id(&chain);
        let with = json!({"replaces": id});
        let stranger = house.client("two", "ssl_plus").await;
        let foreign = stranger.order_at("new-order", &["www.example.com"], with.clone()).await;
        assert_eq!(foreign.expect(400).problem(), "malformed");
        let unshared = client.order_at("new-order", &["other.example.com"], with.clone()).await;
        assert_eq!(unshared.expect(400).problem(), "malformed");
        let order =
            client.order_at("new-order", &["www.example.com"], with.clone()).await.expect(201);
        assert_eq!(order.json()["replaces"], id);
        let open =
            client.order_at("new-order", &["www.example.com"], with.clone()).await.expect(201);
        assert_eq!(open.header("location"), order.header("location"));
        client.finalize(&order.json(), &csr(&["www.example.com"], None)).await.expect(200);
        let twice = client.order_at("new-order", &["www.example.com"], with).await.expect(409);
        assert_eq!(twice.problem(), "alreadyReplaced");
        // The serial without or with one more leading zero names no certificate.
        let (aki, number) = id.split_once('.').unwrap();
        let number = B64.decode(number).unwrap();
        let (cut, padded) = (number.strip_prefix(&[0]), [&[0], number.as_slice()].concat());
        for other in [cut, Some(padded.as_slice())].into_iter().flatten() {
            let with = json!({"replaces": format!("{aki}.{}", B64.encode(other))});
            let refused = client.order_at("new-order", &["www.example.com"], with).await;
            assert_eq!(refused.expect(400).problem(), "malformed");
        }
        assert!(!serial(&chain).is_empty());
    }
}

#[tokio::test]
async fn limits_are_told_with_the_time_to_wait() {
    let house = crate::house::house_with(|config| {
        config.policy.limits.orders_per_account = lifecycle::acme::Quota::per(2, 3_600);
    })
    .await;
    let client = house.client("one", "ssl_plus").await;
    client.order(&["a.example.com"]).await.expect(201);
    client.order(&["b.example.com"]).await.expect(201);
    let limited = client.order(&["c.example.com"]).await.expect(429);
    assert_eq!(limited.problem(), "rateLimited");
    let wait: u64 = limited.header("retry-after").parse().unwrap();
    assert!((1..=600).contains(&wait), "acme.sh gives up on more than 600");
    house.clock.advance(domain::Days(1));
    client.order(&["c.example.com"]).await.expect(201);
}

/// What all accounts of a credential do together is bounded too, beyond what each may do.
#[tokio::test]
async fn a_credential_has_limits_of_its_own() {
    use lifecycle::acme::Quota;
    let house = crate::house::house_with(|config| {
        config.policy.limits.accounts_per_credential = Quota::per(2, 3_600);
        config.policy.limits.orders_per_credential = Quota::per(2, 3_600);
    })
    .await;
    let credential = house.url("one", "ssl_plus").await;
    let (mut first, mut second) = (Client::new(&house), Client::new(&house));
    first.register(&credential).await;
    second.register(&credential).await;
    let third = Client::new(&house);
    let url = third.url("new-account");
    let payload = json!({
        "termsOfServiceAgreed": true,
        "externalAccountBinding": binding(&credential, &third.key.jwk(), &url),
    });
    let limited = third.post(&url, Some(payload)).await.expect(429);
    assert_eq!(limited.problem(), "rateLimited");
    first.order(&["a.example.com"]).await.expect(201);
    second.order(&["b.example.com"]).await.expect(201);
    let limited = first.order(&["c.example.com"]).await.expect(429);
    assert_eq!(limited.problem(), "rateLimited");
    assert!(limited.header("retry-after").parse::<u64>().unwrap() > 0);
    let other = house.client("two", "ssl_plus").await;
    other.order(&["c.example.com"]).await.expect(201);
}
