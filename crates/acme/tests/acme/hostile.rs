//! Readers of what strangers send: good input with bytes changed, cut and repeated. Each must
//! answer; none may panic, and a changed signature must never verify.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use certdeck_acme::eab::Binding;
use certdeck_acme::jwk::Jwk;
use certdeck_acme::jws::{Jws, Signer};
use proptest::prelude::*;
use serde_json::json;

use crate::client::{Key, csr, jws};

/// Where and how bytes are changed.
#[derive(Debug, Clone)]
enum Change {
    Set(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Repeat(prop::sample::Index, prop::sample::Index),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let one = prop_oneof![
        4 => (any::<prop::sample::Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        1 => any::<prop::sample::Index>().prop_map(Change::Cut),
        1 => (any::<prop::sample::Index>(), any::<prop::sample::Index>()).prop_map(|(from, at)| Change::Repeat(from, at)),
    ];
    prop::collection::vec(one, 1..6)
}

fn changed(good: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for change in changes.iter().filter(|_| !good.is_empty()) {
        if bytes.is_empty() {
            break;
        }
        match change {
            Change::Set(at, byte) => {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            Change::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Change::Repeat(from, at) => {
                let part = bytes[from.index(bytes.len())..].to_vec();
                let at = at.index(bytes.len());
                bytes.splice(at..at, part.into_iter().take(64));
            }
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn changed_requests_are_answered_and_do_not_verify(changes in changes()) {
        let key = Key::generate("ES256");
        let header = json!({"alg": "ES256", "jwk": key.jwk(), "nonce": "AAAA", "url": "https://a.test/"});
        let good = jws(&key, &header, "{\"a\":1}").to_string();
        let bytes = changed(good.as_bytes(), &changes);
        if let Ok(read) = Jws::parse(&bytes) {
            let own = Jws::parse(good.as_bytes()).unwrap();
            let Signer::Key(signer) = &own.signer else { panic!("a jwk") };
            if read.verify(signer).is_ok() {
                prop_assert_eq!((read.payload, read.url, read.nonce), (own.payload, own.url, own.nonce));
            }
        }
    }

    #[test]
    fn changed_headers_are_answered(changes in changes()) {
        let key = Key::generate("ES256");
        let header = json!({"alg": "ES256", "jwk": key.jwk(), "nonce": "AAAA", "url": "https://a.test/"}).to_string();
        let protected = B64.encode(changed(header.as_bytes(), &changes));
        let body = json!({"protected": protected, "payload": "", "signature": "AAAA"}).to_string();
        let _ = Jws::parse(body.as_bytes());
        let jwk = changed(key.jwk().to_string().as_bytes(), &changes);
        if let Ok(key) = Jwk::parse(&String::from_utf8_lossy(&jwk)) {
            prop_assert_eq!(key.thumbprint().len(), 43);
        }
    }

    #[test]
    fn changed_bindings_are_answered(changes in changes()) {
        let key = Key::generate("ES256");
        let own = Jwk::parse(&key.jwk().to_string()).unwrap();
        let protected = B64.encode(json!({"alg": "HS256", "kid": "k", "url": "https://a.test/"}).to_string());
        let body = json!({"protected": protected, "payload": B64.encode(key.jwk().to_string()), "signature": "AAAA"});
        let bytes = changed(body.to_string().as_bytes(), &changes);
        if let Ok(binding) = Binding::parse(&String::from_utf8_lossy(&bytes), &own, "https://a.test/") {
            prop_assert!(!binding.verifies(b"secret"));
        }
    }

    #[test]
    fn changed_csrs_are_answered(changes in changes()) {
        let bytes = changed(&csr(&["www.example.com", "example.com"], Some("example.com")), &changes);
        if let Ok(read) = lifecycle::acme::read_csr(&bytes) {
            prop_assert!(!read.names.is_empty());
            let _ = Jwk::from_spki(&read.public_key_der);
        }
        let _ = Jwk::from_spki(&bytes);
    }
}
