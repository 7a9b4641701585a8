//! Requests as tools and strangers send them.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops where something fails"
)]

mod fixture;

use certdeck_ca::{CsrFault, KeyFacts, KeyFault, csr};
use domain::{DnsName, Name, NameError, NameSet};
use fixture::*;
use proptest::prelude::*;

const P256: &str = KEY_KINDS[3];

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn fault(kind: &str, subject: &str, san: &str) -> CsrFault {
    csr::read(&request(folder().path(), kind, subject, san)).unwrap_err()
}

#[test]
fn names_are_the_sans_with_the_common_name_counted_in() {
    let san = "DNS:example.com,DNS:*.Example.com,IP:192.0.2.1,IP:2001:db8::1";
    let bytes = request(folder().path(), P256, "/C=US/O=Example/CN=WWW.example.com", san);
    let facts = csr::read(&bytes).unwrap();
    assert_eq!(facts.common_name, Some(Name::parse("www.example.com").unwrap()));
    let names = "www.example.com example.com *.example.com 192.0.2.1 2001:db8::1";
    assert_eq!(facts.names, NameSet::parse_list(names).unwrap());
    assert_eq!(facts.organization.as_deref(), Some("Example"));
    assert_eq!(facts.country.as_deref(), Some("US"));
}

#[test]
fn an_address_may_be_the_common_name_of_its_san() {
    let folder = folder();
    for (common_name, san, address) in [
        ("192.0.2.1", "IP:192.0.2.1", "192.0.2.1"),
        ("2001:DB8:0::1", "IP:2001:db8::1", "2001:db8::1"),
    ] {
        let bytes = request(folder.path(), P256, &format!("/CN={common_name}"), san);
        let facts = csr::read(&bytes).unwrap();
        assert_eq!(facts.common_name.unwrap().as_str(), address);
        assert_eq!(facts.names.canonical(), address);
    }
}

#[test]
fn every_key_and_signature_that_tools_make_is_read() {
    let folder = folder();
    for kind in KEY_KINDS.into_iter().chain(["ed25519"]) {
        for hash in ["-sha256", "-sha384", "-sha512"] {
            let bytes =
                request(folder.path(), &format!("{kind} {hash}"), "/CN=www.example.com", "");
            let facts = csr::read(&bytes).unwrap_or_else(|error| panic!("{kind} {hash}: {error}"));
            assert_eq!(facts.key.is_rsa(), kind.starts_with("rsa"));
            assert_eq!(csr::read(&facts.der).unwrap(), facts, "DER and PEM differ");
            assert_eq!(csr::read(facts.pem().as_bytes()).unwrap(), facts);
        }
    }
    let bytes = request(folder.path(), "ed25519", "/CN=www.example.com", "");
    assert_eq!(csr::read(&bytes).unwrap().key, KeyFacts::Ed25519);
}

#[test]
fn the_same_key_has_the_same_fingerprint() {
    let folder = folder();
    let first = csr::read(&request(folder.path(), P256, "/CN=a.example.com", "")).unwrap();
    openssl_ok(folder.path(), "req -new -key key.pem -out again.pem -subj /CN=b.example.com");
    let again = csr::read(&std::fs::read(folder.path().join("again.pem")).unwrap()).unwrap();
    assert_eq!(first.key_fingerprint, again.key_fingerprint);
    assert_ne!(first.fingerprint, again.fingerprint);
}

#[test]
fn extensions_that_the_profile_decides_on_are_read_over() {
    let folder = folder();
    let extras = "-addext tlsfeature=status_request -addext 1.3.6.1.4.1.311.20.2=ASN1:BMPSTRING:WebServer \
        -addext keyUsage=digitalSignature -addext basicConstraints=CA:TRUE -addext 1.2.3.4=DER:ffff \
        -addext subjectKeyIdentifier=DER:0102";
    let bytes = request(
        folder.path(),
        &format!("{P256} {extras}"),
        "/CN=www.example.com",
        "DNS:www.example.com",
    );
    assert_eq!(csr::read(&bytes).unwrap().names.len(), 1);
}

#[test]
fn paste_accidents_are_told_apart() {
    let folder = folder();
    let bytes = request(folder.path(), P256, "/CN=www.example.com", "");
    let text = String::from_utf8(bytes).unwrap();
    for tolerated in [
        format!("\n\n  {text}  \n"),
        text.replace('\n', "\r\n"),
        format!("\u{feff}{text}"),
        text.replace("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"),
    ] {
        assert!(csr::read(tolerated.as_bytes()).is_ok(), "{tolerated:?}");
    }
    let key = std::fs::read_to_string(folder.path().join("key.pem")).unwrap();
    let cases = [
        (String::new(), "Empty"),
        ("   \n".to_owned(), "Empty"),
        (key, "PrivateKey"),
        (text.replace("REQUEST", "BANANA"), "OtherPem"),
        (text.replace("-----END", ""), "BrokenPem"),
        (text[..text.len() / 2].to_owned(), "BrokenPem"),
        ("www.example.com".to_owned(), "BrokenPem"),
        (text.replacen('M', "N", 1), "Malformed"),
        ("x".repeat(1_000_000), "TooLong"),
        ("0".to_owned(), "Malformed"),
    ];
    for (input, kind) in cases {
        let fault = csr::read(input.as_bytes()).unwrap_err();
        assert!(format!("{fault:?}").starts_with(kind), "{kind}: {fault:?}");
    }
}

#[test]
fn weak_and_unsupported_keys_are_refused() {
    let cases = [
        ("rsa:1024", KeyFault::TooShort(1024)),
        ("ec -pkeyopt ec_paramgen_curve:secp256k1", KeyFault::UnsupportedCurve),
        ("ec -pkeyopt ec_paramgen_curve:P-224", KeyFault::UnsupportedCurve),
        (
            "ec -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit",
            KeyFault::UnsupportedCurve,
        ),
        ("ed448", KeyFault::UnsupportedAlgorithm),
        ("rsa -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:3", KeyFault::BadExponent),
        ("rsa-pss -pkeyopt rsa_keygen_bits:2048", KeyFault::UnsupportedAlgorithm),
    ];
    for (kind, expected) in cases {
        assert_eq!(fault(kind, "/CN=www.example.com", ""), CsrFault::Key(expected), "{kind}");
    }
}

#[test]
fn signatures_must_be_good_and_of_this_century() {
    let folder = folder();
    let sha1 = request(folder.path(), "rsa:2048 -sha1", "/CN=www.example.com", "");
    assert_eq!(csr::read(&sha1).unwrap_err(), CsrFault::SignatureAlgorithm("SHA-1".to_owned()));

    let der = csr::read(&request(folder.path(), P256, "/CN=www.example.com", "")).unwrap().der;
    let at = der.windows(3).position(|bytes| bytes == b"www").unwrap();
    let mut changed = der.clone();
    changed[at] = b'v';
    assert_eq!(csr::read(&changed).unwrap_err(), CsrFault::BadSignature);
    let mut trailing = der;
    trailing.push(0);
    assert_eq!(csr::read(&trailing).unwrap_err(), CsrFault::Malformed);
}

#[test]
fn bad_names_are_named() {
    let ok = "/CN=www.example.com";
    let name = |text: &str| CsrFault::BadName(DnsName::parse(text).unwrap_err());
    assert_eq!(fault(P256, "/CN=my_host.example.com", ""), name("my_host.example.com"));
    assert_eq!(fault(P256, ok, "DNS:a.*.example.com"), name("a.*.example.com"));
    assert_eq!(fault(P256, ok, "DNS:localhost"), name("localhost"));
    let long = format!("{}.example.com", "a".repeat(64));
    assert_eq!(
        fault(P256, ok, &format!("DNS:{long}")),
        CsrFault::BadName(NameError::TooLong(long))
    );
    assert_eq!(fault(P256, ok, "DNS:xn--zzzzzzz-.example"), name("xn--zzzzzzz-.example"));
    assert_eq!(fault(P256, ok, "DNS:192.0.2.1"), CsrFault::IpAsDns("192.0.2.1".to_owned()));
    assert_eq!(fault(P256, "/CN=192.0.2.1", ""), CsrFault::IpAsDns("192.0.2.1".to_owned()));
    let other = fault(P256, "/CN=192.0.2.1", "IP:192.0.2.2");
    assert_eq!(other, CsrFault::IpAsDns("192.0.2.1".to_owned()));
    assert_eq!(fault(P256, ok, "email:a@example.com"), CsrFault::OtherSanType("e-mail address"));
    assert_eq!(fault(P256, ok, "URI:https://example.com"), CsrFault::OtherSanType("URI"));
    assert_eq!(fault(P256, "/CN=a.example.com/CN=b.example.com", ""), CsrFault::SeveralCommonNames);
    assert_eq!(fault(P256, "/O=Example", ""), CsrFault::NoNames);
    let many: Vec<String> = (0..1001).map(|n| format!("DNS:n{n}.example.com")).collect();
    assert_eq!(fault(P256, ok, &many.join(",")), CsrFault::TooManyNames);
}

#[test]
fn a_name_that_hides_a_null_is_refused() {
    let folder = folder();
    let san =
        "subjectAltName=DER:30188216 7777772e6578616d706c652e636f6d002e65762e696c".replace(' ', "");
    let bytes = request(folder.path(), &format!("{P256} -addext {san}"), "/CN=www.example.com", "");
    assert!(matches!(csr::read(&bytes).unwrap_err(), CsrFault::BadName(NameError::Characters(_))));
}

/// Flips, cuts, doubles and inserts bytes at random places.
fn damage() -> impl Strategy<Value = Vec<(prop::sample::Index, u8, u8)>> {
    prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..4), 1..8)
}

fn damaged(bytes: &[u8], damage: &[(prop::sample::Index, u8, u8)]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for (place, byte, what) in damage {
        let at = place.index(bytes.len().max(1));
        match what {
            0 if !bytes.is_empty() => bytes[at] = *byte,
            1 => bytes.insert(at.min(bytes.len()), *byte),
            2 if !bytes.is_empty() => drop(bytes.remove(at)),
            _ => bytes.truncate(at),
        }
    }
    bytes
}

fn samples() -> &'static Vec<Vec<u8>> {
    static SAMPLES: std::sync::OnceLock<Vec<Vec<u8>>> = std::sync::OnceLock::new();
    SAMPLES.get_or_init(|| {
        let folder = folder();
        let san = "DNS:example.com,IP:192.0.2.1";
        ["rsa:2048", P256, "ed25519"]
            .iter()
            .map(|kind| request(folder.path(), kind, "/C=US/O=Example/CN=www.example.com", san))
            .flat_map(|pem| [csr::read(&pem).unwrap().der, pem])
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    /// A damaged request is refused, or is still the same request (white space in its PEM).
    #[test]
    fn damage_never_panics_and_never_changes_what_is_read(which in 0usize..6, damage in damage()) {
        let sample = &samples()[which];
        if let Ok(facts) = csr::read(&damaged(sample, &damage)) {
            prop_assert_eq!(facts.names, csr::read(sample).unwrap().names);
        }
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = csr::read(&bytes);
        let _ = certdeck_ca::key_check::check(&bytes);
        let _ = certdeck_ca::ocsp::OcspRequest::parse(&bytes);
        let _ = certdeck_ca::ocsp::OcspRequest::parse_get(&String::from_utf8_lossy(&bytes));
    }
}
