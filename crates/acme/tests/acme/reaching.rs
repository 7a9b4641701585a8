//! Which servers validation asks, by which addresses and over how many redirects.

use hickory_resolver::proto::rr::RecordType;

use crate::client::digest_of;
use crate::validation::{place, scenes, scenes_with};
use crate::world::{Web, serve_https};

/// Ten redirects are followed, the eleventh is not.
#[tokio::test]
async fn ten_redirects_are_followed() {
    for scene in scenes("ssl_dv_geotrust").await {
        for (name, hops) in [("ten.test", 10), ("eleven.test", 11)] {
            let pending = scene.pending(name, "http-01").await;
            scene.web.answer(&place(name, &pending), 302, "/1");
            for hop in 1..hops {
                scene.web.answer(&format!("{name}/{hop}"), 302, &format!("/{}", hop + 1));
            }
            scene.web.page(&format!("{name}/{hops}"), &pending.key_authorization);
            if hops == 10 {
                scene.succeeds(&pending).await;
            } else {
                assert_eq!(scene.fails(&pending).await, "connection");
                let last = format!("{name}/{hops}");
                assert!(!scene.web.asked.lock().unwrap().contains(&last), "the eleventh");
            }
        }
    }
}

/// Most sites send http to https. Whose certificate that shows is not looked at (RFC 8555 section 8.3).
#[tokio::test]
async fn a_redirect_may_lead_to_https() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    for scene in scenes_with("ssl_dv_geotrust", |config| config.tlsalpn01_port = port).await {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let pending = scene.pending("secure.test", "http-01").await;
        let target = format!("https://secure.test:{port}/there");
        scene.web.answer(&place("secure.test", &pending), 301, &target);
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["other.test".to_owned()]).unwrap();
        let shown = params.self_signed(&key).unwrap();
        let server = serve_https(listener, &shown, &key, &pending.key_authorization);
        scene.succeeds(&pending).await;
        server.abort();
        let _ = server.await;
    }
}

/// A host is asked at its IPv6 address first, and at its IPv4 address where nobody answers there.
#[tokio::test]
async fn http01_goes_to_ipv6_first_and_falls_back() {
    let six = |config: &mut certdeck_acme::AcmeConfig| {
        config.validation_allow.push("::1/128".parse().unwrap());
    };
    for scene in scenes_with("ssl_dv_geotrust", six).await {
        scene.dns.address_of_six("both.test", std::net::Ipv6Addr::LOCALHOST);
        let only_four = scene.pending("both.test", "http-01").await;
        scene.web.page(&place("both.test", &only_four), &only_four.key_authorization);
        scene.succeeds(&only_four).await;
        assert_eq!(scene.web.asked.lock().unwrap().len(), 1);
        let web_of_six = Web::start_at("::1", scene.web.port).await;
        scene.house.clock.advance(domain::Days(1));
        let both = scene.pending("both.test", "http-01").await;
        web_of_six.page(&place("both.test", &both), &both.key_authorization);
        scene.succeeds(&both).await;
        assert_eq!(web_of_six.asked.lock().unwrap().len(), 1);
        assert_eq!(scene.web.asked.lock().unwrap().len(), 1, "on {}", scene.house.kind);
    }
}

/// What was judged is what is connected to: a DNS that answers differently a moment later leads nowhere
/// else.
#[tokio::test]
async fn a_host_is_resolved_once() {
    for scene in scenes("ssl_dv_geotrust").await {
        let elsewhere = Web::start_at("127.0.0.9", scene.web.port).await;
        scene.dns.address("rebound.test", [127, 0, 0, 9]);
        scene.dns.address_at_first("rebound.test", [127, 0, 0, 1]);
        let pending = scene.pending("rebound.test", "http-01").await;
        scene.web.page(&place("rebound.test", &pending), &pending.key_authorization);
        scene.succeeds(&pending).await;
        assert_eq!(scene.dns.times_asked("rebound.test", RecordType::A), 1);
        assert!(elsewhere.asked.lock().unwrap().is_empty(), "on {}", scene.house.kind);
    }
}

/// RFC 8659 section 3: the records of an alias are those of its target; where that has none, the tree of
/// the name itself is climbed.
#[tokio::test]
async fn caa_follows_an_alias_and_climbs_from_the_name() {
    for scene in scenes("ssl_dv_geotrust").await {
        for (name, target) in [
            ("www.alias.test", "forbids.test"),
            ("www.plain.test", "says-nothing.test"),
            ("www.parent.test", "x.says-nothing.test"),
        ] {
            scene.dns.cname(name, target);
        }
        scene.dns.caa("forbids.test", "issue", "other.example");
        scene.dns.caa("parent.test", "issue", "other.example");
        for (name, problem) in [
            ("www.alias.test", Some("caa")),
            ("www.plain.test", None),
            ("www.parent.test", Some("caa")),
        ] {
            let pending = scene.pending(name, "http-01").await;
            scene.web.page(&place(name, &pending), &pending.key_authorization);
            match problem {
                None => scene.succeeds(&pending).await,
                Some(problem) => assert_eq!(scene.fails(&pending).await, problem, "{name}"),
            }
        }
        scene.dns.critical_caa("critical.test", "future");
        let pending = scene.pending("critical.test", "http-01").await;
        scene.web.page(&place("critical.test", &pending), &pending.key_authorization);
        assert_eq!(scene.fails(&pending).await, "caa", "on {}", scene.house.kind);
    }
}

/// `issuewild` is for wildcards, and for them alone, also where a challenge is what is looked at.
#[tokio::test]
async fn issuewild_counts_with_a_challenge_for_a_wildcard() {
    for scene in scenes("wildcard_dv_geotrust").await {
        for (name, issue, issuewild, permitted) in [
            ("*.a.test", "ca.example", "other.example", false),
            ("*.b.test", "other.example", "ca.example", true),
            ("*.c.test", "ca.example", ";", false),
        ] {
            let base = name.trim_start_matches("*.");
            scene.dns.caa_set(base, &[("issue", issue), ("issuewild", issuewild)]);
            let pending = scene.pending(name, "dns-01").await;
            let challenge = format!("_acme-challenge.{base}");
            scene.dns.txt(&challenge, &[&digest_of(&pending.key_authorization)]);
            if permitted {
                scene.succeeds(&pending).await;
            } else {
                assert_eq!(scene.fails(&pending).await, "caa", "{name}");
            }
        }
    }
}
