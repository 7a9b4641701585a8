//! What ACME clients send: a JWS, then its header, its key and its binding.
//!
//! Nothing may panic. What the seeds' key signed is in the seeds: no other payload may verify.

#![no_main]

use std::sync::LazyLock;

use acme::eab::Binding;
use acme::jwk::Jwk;
use acme::jws::{Jws, Signer};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use libfuzzer_sys::fuzz_target;

/// All that was ever signed with the key of this seed, whose private half is gone.
static SIGNED: LazyLock<(Jws, Jwk)> = LazyLock::new(|| {
    let seed = include_bytes!("../seeds/jws/new-account-es256.json");
    let jws = Jws::parse(seed).expect("the seed is good");
    let Signer::Key(key) = jws.signer.clone() else { panic!("the seed holds its key") };
    jws.verify(&key).expect("the seed's signature is good");
    (jws, key)
});

fuzz_target!(|bytes: &[u8]| {
    request(bytes);
    // Behind base64 hardly a changed byte gets as far as the header.
    let text = BASE64.encode(bytes);
    request(format!(r#"{{"protected":"{text}","payload":"","signature":""}}"#).as_bytes());
});

fn request(bytes: &[u8]) {
    let Ok(jws) = Jws::parse(bytes) else { return };
    let (seed, seed_key) = &*SIGNED;
    if jws.verify(seed_key).is_ok() {
        assert_eq!((&jws.payload, &jws.url), (&seed.payload, &seed.url), "a forged signature");
    }
    let Signer::Key(key) = &jws.signer else { return };
    let _ = jws.verify(key);
    assert_eq!(key.thumbprint().len(), 43);
    assert_eq!(Jwk::parse(&key.canonical()).as_ref(), Ok(key));
    let payload = String::from_utf8_lossy(&jws.payload);
    for json in [&payload, &*String::from_utf8_lossy(bytes)] {
        if let Ok(binding) = Binding::parse(json, key, &jws.url) {
            assert!(!binding.verifies(b"a secret that no seed was bound with"));
        }
    }
}
