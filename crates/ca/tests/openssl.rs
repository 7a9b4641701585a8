//! OpenSSL as the judge of what is issued: chains, contents, CRLs, OCSP, downloads.
#![expect(clippy::unwrap_used, reason = "a test stops where something fails")]

mod fixture;

use certdeck_ca::ocsp::{CertStatus, OcspRequest, OcspTimes, respond};
use certdeck_ca::{Authority, CrlPlan, RevokedEntry, Subject, bundle, csr};
use domain::model::{KeyType, RevocationReason, SignatureHash};
use domain::{Days, Timestamp, Validation};
use fixture::*;

const VALIDATIONS: [Validation; 4] =
    [Validation::Dv, Validation::Ov, Validation::Ev, Validation::Private];

fn verify(folder: &std::path::Path, at: Timestamp) -> std::process::Output {
    let line = format!(
        "verify -x509_strict -attime {} -purpose sslserver -CAfile root.pem -untrusted issuing.pem leaf.pem",
        at.0
    );
    openssl(folder, &line)
}

#[test]
fn every_validation_key_and_issuer_verifies_strictly() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for issuer in [KeyType::EcP256, KeyType::EcP384, KeyType::Rsa3072, KeyType::Rsa4096] {
        let authority = authority(issuer);
        for kind in KEY_KINDS {
            let csr =
                request(path, kind, "/CN=www.example.com", "DNS:www.example.com,DNS:example.com");
            for validation in VALIDATIONS {
                issue_into(path, &csr, validation, &authority);
                let output = verify(path, now());
                let words = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{issuer} {kind} {validation}: {words}");
            }
        }
    }
}

#[test]
fn the_last_second_is_the_one_that_was_planned() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let csr = request(path, KEY_KINDS[3], "/CN=www.example.com", "");
    let issued = issue_into(path, &csr, Validation::Dv, &authority(KeyType::EcP256));
    assert_eq!(issued.not_after, now().plus(Days(200)).plus_seconds(-1));
    let text = openssl_ok(path, "x509 -in leaf.pem -noout -enddate -dateopt iso_8601");
    assert_eq!(text.trim(), "notAfter=2027-06-10 08:29:59Z");
    // OpenSSL counts the last second as expired already, other than RFC 5280 section 4.1.2.5.
    assert!(verify(path, issued.not_after.plus_seconds(-1)).status.success());
    assert!(!verify(path, issued.not_after.plus_seconds(1)).status.success());
    assert!(!verify(path, issued.not_before.plus_seconds(-1)).status.success());
}

#[test]
fn certificates_hold_what_their_validation_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let authority = authority(KeyType::EcP256);
    let csr =
        request(path, "rsa:2048", "/CN=www.example.com", "DNS:*.example.com,IP:93.184.215.14");
    let text = |validation| {
        let mut plan = plan(&csr::read(&csr).unwrap(), validation);
        if validation == Validation::Ev {
            plan.names = [domain::Name::parse("www.example.com").unwrap()].into_iter().collect();
        }
        let issued = issue(plan, &authority);
        std::fs::write(path.join("leaf.pem"), &issued.pem).unwrap();
        openssl_ok(path, "x509 -in leaf.pem -noout -text -nameopt RFC2253,utf8,-esc_msb")
    };
    let dv = text(Validation::Dv);
    for part in [
        "Subject: CN=www.example.com\n",
        "DNS:*.example.com, DNS:www.example.com, IP Address:93.184.215.14",
        "X509v3 Key Usage: critical\n                Digital Signature, Key Encipherment\n",
        "X509v3 Extended Key Usage: \n                TLS Web Server Authentication\n",
        "X509v3 Basic Constraints: critical\n                CA:FALSE\n",
        "URI:http://portal.example.com/ca/issuer.crl",
        "OCSP - URI:http://portal.example.com/ca/ocsp",
        "CA Issuers - URI:http://portal.example.com/ca/issuer.der",
        "Policy: 2.23.140.1.2.1\n",
        "X509v3 Authority Key Identifier",
        "X509v3 Subject Key Identifier",
        "Signature Algorithm: ecdsa-with-SHA256",
    ] {
        assert!(dv.contains(part), "{part}\n{dv}");
    }
    let ov = text(Validation::Ov);
    assert!(ov.contains("Subject: CN=www.example.com,O=Müller & Söhne GmbH,L=Köln,C=DE\n"), "{ov}");
    assert!(ov.contains("Policy: 2.23.140.1.2.2\n"), "{ov}");
    let ev = text(Validation::Ev);
    for part in
        ["serialNumber=HRB 12345", "businessCategory=Private Organization", "jurisdictionC=DE"]
    {
        assert!(ev.contains(part), "{part}\n{ev}");
    }
    assert!(ev.contains("Policy: 2.23.140.1.1\n"), "{ev}");
    let private = text(Validation::Private);
    assert!(private.contains("Policy: 1.3.6.1.4.1.32473.1.1\n"), "{private}");
    assert!(private.contains("O=Müller & Söhne GmbH"), "{private}");
}

#[test]
fn key_encipherment_is_for_rsa_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let csr = request(path, KEY_KINDS[3], "/CN=www.example.com", "");
    issue_into(path, &csr, Validation::Dv, &authority(KeyType::EcP256));
    let text = openssl_ok(path, "x509 -in leaf.pem -noout -ext keyUsage");
    assert!(text.contains("Digital Signature\n") && !text.contains("Encipherment"), "{text}");
}

#[test]
fn rsa_issuers_sign_with_the_wanted_hash() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let authority = authority(KeyType::Rsa2048);
    let csr = csr::read(&request(path, KEY_KINDS[3], "/CN=www.example.com", "")).unwrap();
    for (hash, name) in
        [(SignatureHash::Sha256, "sha256With"), (SignatureHash::Sha384, "sha384With")]
    {
        let mut plan = plan(&csr, Validation::Dv);
        plan.signature_hash = hash;
        std::fs::write(path.join("leaf.pem"), issue(plan, &authority).pem).unwrap();
        let text = openssl_ok(path, "x509 -in leaf.pem -noout -text");
        assert!(text.contains(name), "{text}");
    }
}

#[test]
fn certificates_without_a_subject_and_for_addresses_verify() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let authority = authority(KeyType::EcP256);
    let csr = request(path, KEY_KINDS[3], "/CN=10.0.0.7", "IP:10.0.0.7");
    let facts = csr::read(&csr).unwrap();
    assert_eq!(facts.common_name, domain::Name::parse("10.0.0.7").ok());
    let mut plan = plan(&facts, Validation::Private);
    plan.subject = Subject { common_name: None, organization: None };
    std::fs::write(path.join("leaf.pem"), issue(plan, &authority).pem).unwrap();
    write_authority(path, &authority);
    assert!(verify(path, now()).status.success());
    let text = openssl_ok(path, "x509 -in leaf.pem -noout -text");
    assert!(text.contains("X509v3 Subject Alternative Name: critical"), "{text}");
}

#[test]
fn crls_verify_and_revoke() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for kind in [KeyType::EcP256, KeyType::Rsa2048] {
        let authority = authority(kind);
        let csr = request(path, KEY_KINDS[3], "/CN=www.example.com", "");
        let issued = issue_into(path, &csr, Validation::Dv, &authority);
        let mut crl = CrlPlan {
            number: 1,
            this_update: now(),
            next_update: now().plus(Days(7)),
            entries: Vec::new(),
        };
        let check = |crl: &CrlPlan| {
            let signed = crl.sign(&authority).unwrap();
            std::fs::write(path.join("crl.pem"), &signed.pem).unwrap();
            std::fs::write(path.join("crl.der"), &signed.der).unwrap();
            openssl_ok(path, "crl -in crl.pem -verify -CAfile issuing.pem -noout");
            let line = format!(
                "verify -x509_strict -crl_check -attime {} -CAfile root.pem -untrusted issuing.pem -CRLfile crl.pem leaf.pem",
                now().0
            );
            openssl(path, &line)
        };
        assert!(check(&crl).status.success());

        crl.number = 0x1_0000_0001;
        for reason in RevocationReason::ALL {
            crl.entries.push(RevokedEntry {
                serial: certdeck_ca::new_serial().unwrap(),
                revoked_at: now(),
                reason: *reason,
            });
        }
        assert!(check(&crl).status.success());
        crl.entries.push(RevokedEntry {
            serial: issued.serial,
            revoked_at: now(),
            reason: RevocationReason::KeyCompromise,
        });
        let refused = check(&crl);
        assert!(!refused.status.success());
        assert!(String::from_utf8_lossy(&refused.stderr).contains("certificate revoked"));
        let text = openssl_ok(path, "crl -in crl.der -inform DER -noout -text");
        for part in
            ["4294967297", "Key Compromise", "Superseded", "Privilege Withdrawn", "Authority Key"]
        {
            assert!(text.contains(part), "{part}\n{text}");
        }
        assert!(!text.contains("Unspecified"), "{text}");
    }
}

fn answer(
    path: &std::path::Path,
    authority: &Authority,
    status: CertStatus,
    options: &str,
) -> String {
    openssl_ok(
        path,
        &format!("ocsp -issuer issuing.pem {options} -cert leaf.pem -reqout request.der"),
    );
    let bytes = std::fs::read(path.join("request.der")).unwrap();
    let request = OcspRequest::parse(&bytes).unwrap();
    let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &bytes);
    let escaped = encoded.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    assert_eq!(OcspRequest::parse_get(&escaped).unwrap(), request);
    assert_eq!(OcspRequest::parse_get(&format!("/{encoded}")).unwrap(), request);

    let times =
        OcspTimes { produced_at: now(), this_update: now(), next_update: now().plus(Days(3650)) };
    let response = respond(&request, |_| status, times, authority).unwrap();
    std::fs::write(path.join("response.der"), response).unwrap();
    openssl_ok(
        path,
        &format!(
            "ocsp -issuer issuing.pem {options} -cert leaf.pem -no_nonce -reqin request.der -respin response.der -CAfile root.pem -verify_other issuing.pem -attime {} -resp_text",
            now().0
        ),
    )
}

#[test]
fn ocsp_answers_verify() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for kind in [KeyType::EcP256, KeyType::EcP384, KeyType::Rsa2048] {
        let authority = authority(kind);
        let csr = request(path, KEY_KINDS[3], "/CN=www.example.com", "");
        issue_into(path, &csr, Validation::Dv, &authority);
        let good = answer(path, &authority, CertStatus::Good, "");
        assert!(good.contains("Response verify OK") && good.contains("leaf.pem: good"), "{good}");
        assert!(good.contains("OCSP Nonce"), "{good}");
        assert!(!good.contains("WARNING"), "{good}");

        let at = now().minus(Days(1));
        let revoked = CertStatus::Revoked { at, reason: RevocationReason::Superseded };
        let text = answer(path, &authority, revoked, "-no_nonce");
        assert!(text.contains("leaf.pem: revoked") && text.contains("superseded"), "{text}");
        assert!(!text.contains("OCSP Nonce"), "{text}");
        let bare = CertStatus::Revoked { at, reason: RevocationReason::Unspecified };
        assert!(answer(path, &authority, bare, "").contains("leaf.pem: revoked"));
        let text = answer(path, &authority, CertStatus::Unknown, "-sha256");
        assert!(text.contains("leaf.pem: unknown"), "{text}");
    }
}

#[test]
fn ocsp_knows_nothing_of_other_issuers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let (ours, theirs) = (authority(KeyType::EcP256), authority(KeyType::EcP256));
    let csr = request(path, KEY_KINDS[3], "/CN=www.example.com", "");
    issue_into(path, &csr, Validation::Dv, &theirs);
    openssl_ok(path, "ocsp -issuer issuing.pem -cert leaf.pem -reqout request.der");
    let request = OcspRequest::parse(&std::fs::read(path.join("request.der")).unwrap()).unwrap();
    let times = OcspTimes { produced_at: now(), this_update: now(), next_update: now() };
    let response =
        respond(&request, |_| panic!("asked about a foreign certificate"), times, &ours).unwrap();
    std::fs::write(path.join("response.der"), response).unwrap();
    let text = openssl_ok(path, "ocsp -respin response.der -noverify -resp_text");
    assert!(text.contains("Cert Status: unknown"), "{text}");
}

#[test]
fn downloads_hold_the_whole_chain() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let authority = authority(KeyType::EcP256);
    let csr = request(path, KEY_KINDS[3], "/CN=www.example.com", "");
    let issued = issue_into(path, &csr, Validation::Dv, &authority);
    std::fs::write(path.join("all.p7b"), bundle::pkcs7_pem(&issued.pem, &authority).unwrap())
        .unwrap();
    let text = openssl_ok(path, "pkcs7 -in all.p7b -print_certs");
    assert_eq!(text.matches("BEGIN CERTIFICATE").count(), 3, "{text}");
    for (depth, count) in
        [(bundle::Depth::Leaf, 1), (bundle::Depth::Chain, 2), (bundle::Depth::ChainAndRoot, 3)]
    {
        let text = bundle::pem(&issued.pem, &authority, depth);
        assert_eq!(text.matches("BEGIN CERTIFICATE").count(), count);
    }
    assert_eq!(bundle::pem(&issued.pem, &authority, bundle::Depth::Chain), issued.chain_pem);
}
