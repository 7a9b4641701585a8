//! http-01, dns-01, tls-alpn-01 and CAA against servers on loopback; and what validation must
//! never do.

use certdeck_acme::AcmeConfig;
use serde_json::{Value, json};
use store::testing::databases;

use crate::client::{Client, csr, digest_of, jws};
use crate::house::House;
use crate::world::{Dns, Web, serve_tls};

pub struct Scene {
    pub house: House,
    pub client: Client,
    pub dns: Dns,
    pub web: Web,
}

/// A scene on each database.
pub async fn scenes(product: &str) -> Vec<Scene> {
    scenes_with(product, |_| {}).await
}

/// The same with another configuration.
pub async fn scenes_with(product: &str, configure: impl Fn(&mut AcmeConfig)) -> Vec<Scene> {
    let mut scenes = Vec::new();
    for database in databases().await {
        let (dns, web) = (Dns::start().await, Web::start().await);
        let house = House::on(database, |config| {
            config.dns_resolver = Some(dns.address);
            config.http01_port = web.port;
            config.caa_identity = Some("ca.example".to_owned());
            config.policy.validation_attempts = 2;
            configure(config);
        })
        .await;
        let client = house.client("dv", product).await;
        scenes.push(Scene { house, client, dns, web });
    }
    scenes
}

/// However late this test comes to it, another attempt is made.
fn patient(config: &mut AcmeConfig) {
    config.policy.validation_attempts = i64::MAX;
}

/// A challenge counts against the limit of failures until it succeeds, whatever node validates it.
#[tokio::test]
async fn a_validation_that_succeeds_is_no_failure() {
    let one = |config: &mut AcmeConfig| {
        config.policy.limits.failures_per_account = lifecycle::acme::Quota::per(1, 3_600);
    };
    for scene in scenes_with("ssl_dv_geotrust", one).await {
        let (house, client) = (&scene.house, &scene.client);
        // The worker is the first node's.
        let node = house.nodes().await.pop().unwrap();
        let answer = async |pending: &Pending| {
            let url = pending.challenge["url"].as_str().unwrap();
            let body = jws(&client.key, &client.header(url).await, "{}").to_string();
            client.send(&url.replace(&house.base, &node), body).await
        };
        for name in ["a.test", "b.test"] {
            let pending = scene.pending(name, "http-01").await;
            let token = pending.challenge["token"].as_str().unwrap();
            let place = format!("{name}/.well-known/acme-challenge/{token}");
            scene.web.page(&place, &pending.key_authorization);
            answer(&pending).await.expect(200);
            assert_eq!(scene.decided(&pending).await["status"], "valid");
        }
        let failing = scene.pending("c.test", "http-01").await;
        answer(&failing).await.expect(200);
        let next = scene.pending("d.test", "http-01").await;
        let limited = answer(&next).await.expect(429);
        assert_eq!(limited.problem(), "rateLimited", "on {}", house.kind);
        let url = next.challenge["url"].as_str().unwrap();
        let shown = client.fetch(url).await.expect(200).json();
        assert_eq!(shown["status"], "pending", "it can be answered later");
    }
}

/// What decides an authorization ends its other challenges, whether they were answered or not; and
/// what the answer took from the limit is given back where the authorization succeeded.
#[tokio::test]
async fn challenges_end_with_the_one_that_decides() {
    let two = |config: &mut AcmeConfig| {
        config.policy.limits.failures_per_account = lifecycle::acme::Quota::per(2, 3_600_000);
        patient(config);
    };
    for scene in scenes_with("ssl_dv_geotrust", two).await {
        let (client, kind) = (&scene.client, scene.house.kind);
        let pending = scene.pending("www.both.test", "dns-01").await;
        let shown = client.fetch(&pending.authorization).await.json();
        let url_of = |of: &str| {
            let all = shown["challenges"].as_array().unwrap();
            let one = all.iter().find(|one| one["type"] == of).unwrap();
            one["url"].as_str().unwrap().to_owned()
        };
        let (http, tls) = (url_of("http-01"), url_of("tls-alpn-01"));
        client.post(&http, Some(json!({}))).await.expect(200);
        while client.fetch(&http).await.json()["error"].is_null() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        let text = digest_of(&pending.key_authorization);
        scene.dns.txt("_acme-challenge.www.both.test", &[&text]);
        scene.answer(&pending).await;
        let decided = scene.decided(&pending).await;
        assert_eq!(decided["status"], "valid", "on {kind}: {decided}");
        assert_eq!(decided["challenges"].as_array().unwrap().len(), 1);
        for other in [&http, &tls] {
            let ended = client.fetch(other).await.expect(200);
            assert_eq!(ended.header("retry-after"), "", "on {kind}");
            let ended = ended.json();
            assert_eq!(ended["status"], "invalid", "on {kind}: {ended}");
            let words = ended["error"]["detail"].as_str().unwrap();
            assert!(words.contains("valid"), "{words}");
            let late = client.post(other, Some(json!({}))).await.expect(200).json();
            assert_eq!(late, ended, "an answer changes nothing");
        }
        // Its job is dropped when it is due; then two more may fail.
        for name in ["x.test", "y.test"] {
            let next = scene.pending(name, "http-01").await;
            scene.until_answered(next.challenge["url"].as_str().unwrap()).await;
        }
        let next = scene.pending("z.test", "http-01").await;
        let url = next.challenge["url"].as_str().unwrap();
        assert_eq!(client.post(url, Some(json!({}))).await.expect(429).problem(), "rateLimited");
    }
}

pub struct Pending {
    pub order: Value,
    pub location: String,
    pub authorization: String,
    pub challenge: Value,
    pub key_authorization: String,
}

impl Scene {
    /// A pending order for one name with its challenge of a kind.
    pub async fn pending(&self, name: &str, kind: &str) -> Pending {
        let made = self.client.order(&[name]).await.expect(201);
        let order = made.json();
        assert_eq!(order["status"], "pending", "DV validates each time");
        let authorization = order["authorizations"][0].as_str().unwrap().to_owned();
        let shown = self.client.fetch(&authorization).await.json();
        assert_eq!(shown["status"], "pending");
        let challenges = shown["challenges"].as_array().unwrap();
        let challenge = challenges.iter().find(|one| one["type"] == kind).unwrap().clone();
        let key_authorization =
            format!("{}.{}", challenge["token"].as_str().unwrap(), self.client.key.thumbprint());
        Pending {
            order,
            location: made.header("location"),
            authorization,
            challenge,
            key_authorization,
        }
    }

    async fn answer(&self, pending: &Pending) -> Value {
        let url = pending.challenge["url"].as_str().unwrap();
        let answer = self.client.post(url, Some(json!({}))).await.expect(200);
        assert_eq!(answer.links("up").first(), Some(&pending.authorization));
        assert!(
            !answer.header("retry-after").is_empty() || answer.json()["status"] != "processing"
        );
        answer.json()
    }

    /// Waits until the authorization is decided; answers it.
    async fn decided(&self, pending: &Pending) -> Value {
        for _ in 0..400 {
            let authorization = self.client.fetch(&pending.authorization).await.json();
            if authorization["status"] != "pending" {
                return authorization;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        panic!("the authorization was not decided");
    }

    /// Answers a challenge as soon as the limit lets it.
    async fn until_answered(&self, url: &str) {
        for _ in 0..400 {
            let answer = self.client.post(url, Some(json!({}))).await;
            if answer.status == 200 {
                return;
            }
            answer.expect(429);
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        panic!("nothing was given back");
    }

    pub async fn succeeds(&self, pending: &Pending) {
        self.answer(pending).await;
        let authorization = self.decided(pending).await;
        assert_eq!(authorization["status"], "valid", "{authorization}");
        assert_eq!(authorization["challenges"].as_array().unwrap().len(), 1);
        assert_eq!(self.client.fetch(&pending.location).await.json()["status"], "ready");
    }

    /// Answers the problem's type.
    pub async fn fails(&self, pending: &Pending) -> String {
        self.answer(pending).await;
        let authorization = self.decided(pending).await;
        assert_eq!(authorization["status"], "invalid", "{authorization}");
        let error = authorization["challenges"][0]["error"].clone();
        assert!(!authorization.to_string().contains("SECRET"), "{authorization}");
        let order = self.client.fetch(&pending.location).await.json();
        assert_eq!(order["status"], "invalid");
        assert_eq!(order["error"]["subproblems"][0]["identifier"], authorization["identifier"]);
        let refused =
            self.client.finalize(&pending.order, &csr(&["x.test"], None)).await.expect(403);
        assert_eq!(refused.problem(), "orderNotReady");
        error["type"].as_str().unwrap().rsplit(':').next().unwrap().to_owned()
    }
}

pub fn place(name: &str, pending: &Pending) -> String {
    format!("{name}/.well-known/acme-challenge/{}", pending.challenge["token"].as_str().unwrap())
}

#[tokio::test]
async fn http01_finds_the_key_authorization_and_the_certificate_follows() {
    for scene in scenes("ssl_dv_geotrust").await {
        let pending = scene.pending("a.test", "http-01").await;
        scene
            .web
            .page(&place("a.test", &pending), &format!("{}\r\n \n", pending.key_authorization));
        // POST-as-GET does not trigger anything.
        scene.client.fetch(pending.challenge["url"].as_str().unwrap()).await.expect(200);
        assert!(scene.web.asked.lock().unwrap().is_empty());
        scene.succeeds(&pending).await;
        let answered = scene.answer(&pending).await;
        assert_eq!(answered["status"], "valid", "answering again changes nothing");
        let done =
            scene.client.finalize(&pending.order, &csr(&["a.test"], None)).await.expect(200).json();
        assert_eq!(done["status"], "valid", "{done}");
        // A short reuse, then a challenge again.
        let soon = scene.client.order(&["a.test"]).await.expect(201).json();
        assert_eq!(soon["status"], "ready");
        scene.house.clock.advance(domain::Days(8));
        let later = scene.client.order(&["a.test"]).await.expect(201).json();
        assert_eq!(later["status"], "pending");
    }
}

#[tokio::test]
async fn http01_follows_redirects_as_far_as_they_may_lead() {
    for scene in scenes("ssl_dv_geotrust").await {
        let port = scene.web.port;
        let pending = scene.pending("hop.test", "http-01").await;
        let start = place("hop.test", &pending);
        scene.web.answer(&start, 301, &format!("http://other.test:{port}/elsewhere"));
        scene.web.answer("other.test/elsewhere", 308, "/at-last");
        scene.web.page("other.test/at-last", &pending.key_authorization);
        scene.succeeds(&pending).await;
        for (name, status, target) in [
            ("port.test", 302, "http://other.test:22/".to_owned()),
            ("scheme.test", 302, "ftp://other.test/".to_owned()),
            ("file.test", 302, "file:///etc/passwd".to_owned()),
            ("see-other.test", 303, format!("http://other.test:{port}/at-last")),
            ("literal.test", 302, format!("http://127.0.0.1:{port}/")),
            ("password.test", 302, format!("http://a:b@other.test:{port}/")),
            ("nowhere.test", 302, "http://".to_owned()),
            ("circle.test", 302, String::new()),
        ] {
            let pending = scene.pending(name, "http-01").await;
            let target = if target.is_empty() {
                format!("http://{}", place(name, &pending).replace(name, &format!("{name}:{port}")))
            } else {
                target
            };
            scene.web.answer(&place(name, &pending), status, &target);
            let problem = scene.fails(&pending).await;
            assert_eq!(
                problem,
                if status == 303 { "incorrectResponse" } else { "connection" },
                "{name}"
            );
        }
        let pending = scene.pending("long.test", "http-01").await;
        scene.web.answer(&place("long.test", &pending), 302, "/0");
        for number in 0..12 {
            scene.web.answer(&format!("long.test/{number}"), 302, &format!("/{}", number + 1));
        }
        assert_eq!(scene.fails(&pending).await, "connection");
    }
}

#[tokio::test]
async fn http01_tells_nothing_of_what_it_met() {
    for scene in scenes("ssl_dv_geotrust").await {
        let missing = scene.pending("missing.test", "http-01").await;
        assert_eq!(scene.fails(&missing).await, "incorrectResponse");
        let wrong = scene.pending("wrong.test", "http-01").await;
        scene.web.page(&place("wrong.test", &wrong), "SECRET INTERNAL PAGE");
        assert_eq!(scene.fails(&wrong).await, "incorrectResponse");
        let huge = scene.pending("huge.test", "http-01").await;
        scene.web.page(&place("huge.test", &huge), &"SECRET".repeat(100_000));
        assert_eq!(scene.fails(&huge).await, "incorrectResponse");
    }
}

/// A server that never ends its answer is left as soon as enough is read.
#[tokio::test]
async fn http01_reads_no_more_than_it_needs() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (page, served) = tokio::sync::watch::channel(String::new());
    let (told, mut sent) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4_096]).await;
            let head = format!("HTTP/1.1 200 OK\r\n\r\n{}", *served.borrow());
            let mut most = 0;
            let _ = stream.write_all(head.as_bytes()).await;
            while stream.write_all(&[b' '; 8_192]).await.is_ok() {
                most += 8_192;
            }
            let _ = told.send(most);
        }
    });
    let there = |config: &mut AcmeConfig| config.http01_port = port;
    for scene in scenes_with("ssl_dv_geotrust", there).await {
        let pending = scene.pending("endless.test", "http-01").await;
        page.send_replace(pending.key_authorization.clone());
        scene.succeeds(&pending).await;
        // What the system's buffers hold was sent as well.
        let sent = sent.recv().await.unwrap();
        assert!(sent < 32 << 20, "{sent} bytes on {}", scene.house.kind);
    }
}

/// What must be found is what the answer to the challenge said, whatever becomes of the account's key.
#[tokio::test]
async fn a_key_change_leaves_what_an_answer_has_fixed() {
    for mut scene in scenes_with("ssl_dv_geotrust", patient).await {
        let (old, new) = (
            scene.pending("old.test", "http-01").await,
            scene.pending("new.test", "http-01").await,
        );
        for pending in [&old, &new] {
            scene.answer(pending).await;
        }
        let url = scene.client.url("key-change");
        let key = crate::client::Key::generate("ES256");
        let header = json!({"alg": "ES256", "jwk": key.jwk(), "url": url});
        let payload = json!({"account": scene.client.account, "oldKey": scene.client.key.jwk()});
        let change = crate::accounts::inner(&key, &header, &payload);
        scene.client.post(&url, Some(change)).await.expect(200);
        scene.client.key = key;
        let by_new = new.challenge["token"].as_str().unwrap();
        let by_new = format!("{by_new}.{}", scene.client.key.thumbprint());
        assert_ne!(by_new, new.key_authorization);
        scene.web.page(&place("new.test", &new), &by_new);
        scene.web.page(&place("old.test", &old), &old.key_authorization);
        assert_eq!(scene.decided(&old).await["status"], "valid", "on {}", scene.house.kind);
        let url = new.challenge["url"].as_str().unwrap();
        let met = async || scene.client.fetch(url).await.json()["error"]["detail"].to_string();
        while !met().await.contains("not the expected") {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        assert_eq!(scene.client.fetch(&new.authorization).await.json()["status"], "pending");
        scene.web.page(&place("new.test", &new), &new.key_authorization);
        assert_eq!(scene.decided(&new).await["status"], "valid", "on {}", scene.house.kind);
    }
}

#[tokio::test]
async fn validation_does_not_reach_into_this_network() {
    for scene in scenes("ssl_dv_geotrust").await {
        for (name, address) in [
            ("private.test", [10, 0, 0, 1]),
            ("metadata.test", [169, 254, 169, 254]),
            ("zero.test", [0, 0, 0, 0]),
        ] {
            scene.dns.address(name, address);
            let pending = scene.pending(name, "http-01").await;
            assert_eq!(scene.fails(&pending).await, "connection", "{name}");
        }
        assert!(scene.web.asked.lock().unwrap().is_empty());
    }
}

#[tokio::test]
async fn dns01_reads_all_values_and_follows_cnames() {
    for scene in scenes("wildcard_dv_geotrust").await {
        let pending = scene.pending("*.wild.test", "dns-01").await;
        scene.dns.txt(
            "_acme-challenge.wild.test",
            &["old", &digest_of(&pending.key_authorization), "other"],
        );
        scene.succeeds(&pending).await;
        let done = scene
            .client
            .finalize(&pending.order, &csr(&["*.wild.test"], None))
            .await
            .expect(200)
            .json();
        assert_eq!(done["status"], "valid", "{done}");
        let aliased = scene.pending("*.alias.test", "dns-01").await;
        scene.dns.cname("_acme-challenge.alias.test", "target.elsewhere.test");
        scene.dns.txt("target.elsewhere.test", &[&digest_of(&aliased.key_authorization)]);
        scene.succeeds(&aliased).await;
        let absent = scene.pending("*.absent.test", "dns-01").await;
        assert_eq!(scene.fails(&absent).await, "dns");
        let wrong = scene.pending("*.other.test", "dns-01").await;
        scene.dns.txt("_acme-challenge.other.test", &["wrong"]);
        assert_eq!(scene.fails(&wrong).await, "incorrectResponse");
    }
}

#[tokio::test]
async fn a_second_attempt_may_find_what_the_first_did_not() {
    for scene in scenes_with("ssl_dv_geotrust", patient).await {
        let pending = scene.pending("slow.test", "http-01").await;
        scene.answer(&pending).await;
        // The first attempt has met a 404 by the time it is noted.
        while scene.client.fetch(pending.challenge["url"].as_str().unwrap()).await.json()["error"]
            .is_null()
        {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        scene.web.page(&place("slow.test", &pending), &pending.key_authorization);
        assert_eq!(scene.decided(&pending).await["status"], "valid");
    }
}

#[tokio::test]
async fn caa_forbids_and_permits() {
    for scene in scenes("ssl_dv_geotrust").await {
        let account = scene.client.account.clone().unwrap();
        for (name, tag, value, permitted) in [
            ("one.test", "issue", "other.example".to_owned(), false),
            ("two.test", "issue", "ca.example".to_owned(), true),
            (
                "three.test",
                "issue",
                format!("ca.example; accounturi={account}; validationmethods=http-01"),
                true,
            ),
            ("four.test", "issue", "ca.example; validationmethods=dns-01".to_owned(), false),
            ("five.test", "issue", format!("ca.example; accounturi={account}0"), false),
        ] {
            scene.dns.caa(name, tag, &value);
            // The record of the parent counts for what is below it.
            let host = format!("www.{name}");
            let pending = scene.pending(&host, "http-01").await;
            scene.web.page(&place(&host, &pending), &pending.key_authorization);
            if permitted {
                scene.succeeds(&pending).await;
            } else {
                assert_eq!(scene.fails(&pending).await, "caa", "{name}");
            }
        }
        let failing = scene.pending("www.servfail.test", "http-01").await;
        scene.web.page(&place("www.servfail.test", &failing), &failing.key_authorization);
        assert_eq!(scene.fails(&failing).await, "dns", "no answer is not \"none\"");
    }
}

/// Servers that never answer hold up nobody else's validation.
#[tokio::test]
async fn slow_servers_hold_up_no_other() {
    for scene in scenes("ssl_dv_geotrust").await {
        // It takes connections and says nothing.
        let silent = tokio::net::TcpListener::bind(("127.0.0.2", scene.web.port)).await.unwrap();
        for number in 0..40 {
            let name = format!("silent{number}.test");
            scene.dns.address(&name, [127, 0, 0, 2]);
            let pending = scene.pending(&name, "http-01").await;
            assert_eq!(scene.answer(&pending).await["status"], "processing");
        }
        let quick = scene.pending("quick.test", "http-01").await;
        scene.web.page(&place("quick.test", &quick), &quick.key_authorization);
        let begun = std::time::Instant::now();
        scene.succeeds(&quick).await;
        let waited = begun.elapsed();
        assert!(waited.as_secs() < 5, "{waited:?} on {}", scene.house.kind);
        drop(silent);
    }
}

/// An order whose client came back too late is not handed out again: nobody could finish it.
#[tokio::test]
async fn an_order_ends_with_its_authorizations() {
    let a_day_and_a_bit = |config: &mut AcmeConfig| config.policy.reuse_seconds = 86_400 + 100;
    for scene in scenes_with("ssl_dv_geotrust", a_day_and_a_bit).await {
        let first = scene.pending("late.test", "http-01").await;
        scene.web.page(&place("late.test", &first), &first.key_authorization);
        scene.succeeds(&first).await;
        let again = scene.client.order(&["late.test"]).await.expect(201);
        assert_eq!(again.header("location"), first.location, "still open");
        // Two names, of which one is validated long before the other.
        let two = scene.client.order(&["late.test", "later.test"]).await.expect(201);
        assert_eq!(two.json()["status"], "pending");

        scene.house.clock.advance(domain::Days(1));
        let late = scene.client.order(&["late.test"]).await.expect(201);
        assert_ne!(late.header("location"), first.location, "too little is left of it");
        assert_eq!(late.json()["status"], "pending", "a challenge again");
        let both = scene.client.order(&["late.test", "later.test"]).await.expect(201);
        assert_ne!(both.header("location"), two.header("location"));

        scene.house.clock.advance(domain::Days(1));
        let csr = csr(&["late.test"], None);
        let refused = scene.client.finalize(&first.order, &csr).await.expect(403);
        assert_eq!(refused.problem(), "orderNotReady");
        scene.house.server.desk().sweep().await.unwrap();
        for location in [&first.location, &two.header("location")] {
            let ended = scene.client.fetch(location).await.expect(200).json();
            assert_eq!(ended["status"], "invalid", "on {}: {ended}", scene.house.kind);
            assert!(ended["error"]["detail"].as_str().unwrap().contains("new order"));
        }
        let open = scene.client.fetch(&late.header("location")).await.expect(200).json();
        assert_eq!(open["status"], "pending", "others go on");
    }
}

/// What came to nothing is shown for a while, and then is no more; what was issued stays.
#[tokio::test]
async fn orders_that_came_to_nothing_are_forgotten() {
    for scene in scenes("ssl_dv_geotrust").await {
        let client = &scene.client;
        let done = scene.pending("done.test", "http-01").await;
        scene.web.page(&place("done.test", &done), &done.key_authorization);
        scene.succeeds(&done).await;
        client.finalize(&done.order, &csr(&["done.test"], None)).await.expect(200);
        let dead = scene.pending("dead.test", "http-01").await;
        let early = json!({"identifier": {"type": "dns", "value": "early.test"}});
        let early = client.post(&client.url("new-authz"), Some(early)).await.expect(201);
        let sweep = async |days| {
            scene.house.clock.advance(domain::Days(days));
            scene.house.server.desk().sweep().await.unwrap();
        };
        sweep(8).await;
        assert_eq!(client.fetch(&dead.location).await.expect(200).json()["status"], "invalid");
        client.fetch(&dead.authorization).await.expect(200);
        client.fetch(&early.header("location")).await.expect(404);
        sweep(30).await;
        client.fetch(&dead.location).await.expect(404);
        client.fetch(&dead.authorization).await.expect(404);
        client.fetch(dead.challenge["url"].as_str().unwrap()).await.expect(404);
        let order = client.fetch(&done.location).await.expect(200).json();
        client.fetch(order["certificate"].as_str().unwrap()).await.expect(200);
        client.fetch(&done.authorization).await.expect(200);
    }
}

/// An answer that is too long for a datagram is asked for over TCP, and counts to its end.
#[tokio::test]
async fn caa_counts_however_many_records_there_are() {
    for scene in scenes("ssl_dv_geotrust").await {
        let mut records = vec![("iodef", "mailto:security@example.com"); 300];
        records.push(("issue", "other.example"));
        for (name, permitted) in [("many.test", false), ("more.test", true)] {
            if permitted {
                records.push(("issue", "ca.example"));
            }
            scene.dns.caa_set(name, &records);
            let pending = scene.pending(name, "http-01").await;
            scene.web.page(&place(name, &pending), &pending.key_authorization);
            if permitted {
                scene.succeeds(&pending).await;
            } else {
                assert_eq!(scene.fails(&pending).await, "caa", "{name}");
            }
        }
    }
}

pub fn challenge_certificate(
    names: &[&str],
    key_authorization: &str,
    critical: bool,
) -> (rcgen::Certificate, rcgen::KeyPair) {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = rcgen::CertificateParams::new(names).unwrap();
    let digest =
        aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, key_authorization.as_bytes());
    let mut extension = rcgen::CustomExtension::new_acme_identifier(digest.as_ref());
    extension.set_criticality(critical);
    params.custom_extensions = vec![extension];
    let key = rcgen::KeyPair::generate().unwrap();
    (params.self_signed(&key).unwrap(), key)
}

#[tokio::test]
async fn tls_alpn01_looks_at_the_certificate_and_the_protocol() {
    let dns = Dns::start().await;
    for (name, sans, right_key, critical, alpn, problem) in [
        ("good.test", vec!["good.test"], true, true, "acme-tls/1", None),
        ("digest.test", vec!["digest.test"], false, true, "acme-tls/1", Some("incorrectResponse")),
        (
            "two.test",
            vec!["two.test", "b.test"],
            true,
            true,
            "acme-tls/1",
            Some("incorrectResponse"),
        ),
        ("other.test", vec!["b.test"], true, true, "acme-tls/1", Some("incorrectResponse")),
        ("soft.test", vec!["soft.test"], true, false, "acme-tls/1", Some("incorrectResponse")),
        ("web.test", vec!["web.test"], true, true, "http/1.1", Some("tls")),
    ] {
        for database in databases().await {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = listener.local_addr().unwrap().port();
            let house = House::on(database, |config| {
                config.dns_resolver = Some(dns.address);
                config.tlsalpn01_port = port;
                config.policy.validation_attempts = 1;
            })
            .await;
            let client = house.client("dv", "ssl_dv_geotrust").await;
            let scene = Scene { house, client, dns: dns.clone(), web: Web::start().await };
            let pending = scene.pending(name, "tls-alpn-01").await;
            let held =
                if right_key { pending.key_authorization.clone() } else { "another".to_owned() };
            let (certificate, key) = challenge_certificate(&sans, &held, critical);
            serve_tls(listener, &certificate, &key, alpn.as_bytes());
            match problem {
                None => scene.succeeds(&pending).await,
                Some(problem) => assert_eq!(scene.fails(&pending).await, problem, "{name}"),
            }
        }
    }
}

#[tokio::test]
async fn authorizations_in_advance_and_several_names_at_once() {
    for scene in scenes("ssl_dv_geotrust").await {
        let url = scene.client.url("new-authz");
        let wanted = json!({"identifier": {"type": "dns", "value": "early.test"}});
        let made = scene.client.post(&url, Some(wanted)).await.expect(201);
        let order = scene.client.order(&["early.test", "b.test"]).await.expect(201).json();
        let authorizations = order["authorizations"].as_array().unwrap();
        assert!(authorizations.contains(&json!(made.header("location"))));
        let wildcard = json!({"identifier": {"type": "dns", "value": "*.early.test"}});
        let refused = scene.client.post(&url, Some(wildcard)).await.expect(403);
        assert_eq!(refused.problem(), "rejectedIdentifier");
        // Both at once: the order becomes ready exactly when the second one is valid.
        let mut answers = Vec::new();
        for authorization in authorizations {
            let shown = scene.client.fetch(authorization.as_str().unwrap()).await.json();
            let challenge = shown["challenges"]
                .as_array()
                .unwrap()
                .iter()
                .find(|one| one["type"] == "http-01")
                .unwrap()
                .clone();
            let token = challenge["token"].as_str().unwrap();
            let name = shown["identifier"]["value"].as_str().unwrap();
            let key_authorization = format!("{token}.{}", scene.client.key.thumbprint());
            scene
                .web
                .page(&format!("{name}/.well-known/acme-challenge/{token}"), &key_authorization);
            answers.push(challenge["url"].as_str().unwrap().to_owned());
        }
        let (first, second) = tokio::join!(
            scene.client.post(&answers[0], Some(json!({}))),
            scene.client.post(&answers[1], Some(json!({})))
        );
        first.expect(200);
        second.expect(200);
        let location = order["finalize"].as_str().unwrap().trim_end_matches("/finalize").to_owned();
        scene.client.until(&location, "ready").await;
    }
}

/// A process that ends has no other wait for its leases, and what it broke off was no attempt.
#[tokio::test]
async fn a_process_that_ends_gives_its_validations_back() {
    // Connections are taken by the system, and nobody reads from them.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let mut scenes = scenes_with("ssl_dv_geotrust", |config| config.http01_port = port).await;
    for scene in &scenes {
        scene.dns.address("slow.test", [127, 0, 0, 1]);
        let pending = scene.pending("slow.test", "http-01").await;
        assert_eq!(scene.answer(&pending).await["status"], "processing");
    }
    let mut connections = Vec::new();
    for _ in &scenes {
        connections.push(silent.accept().await.unwrap());
    }
    for scene in &scenes {
        assert!(scene.house.server.desk().due_validations("other", 9).await.unwrap().is_empty());
        scene.house.stop();
    }
    for scene in &mut scenes {
        scene.house.ended().await;
        let due = scene.house.server.desk().due_validations("other", 9).await.unwrap();
        assert_eq!(due.len(), 1, "{}", scene.house.kind);
        assert_eq!(due[0].challenge.attempts, 0, "{}", scene.house.kind);
    }
}
