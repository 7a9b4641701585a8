//! pkilint as the judge of profiles. Runs where `CERTDECK_PKILINT` names the folder of its
//! commands (`pip install pkilint` into a virtual environment, then its `bin`).
#![expect(clippy::unwrap_used, reason = "a test stops where something fails")]

mod fixture;

use std::path::{Path, PathBuf};
use std::process::Command;

use certdeck_ca::ocsp::{CertStatus, OcspRequest, OcspTimes, respond};
use certdeck_ca::{CrlPlan, RevokedEntry};
use domain::Validation;
use domain::model::{KeyType, RevocationReason};
use fixture::*;

fn bin() -> Option<PathBuf> {
    let folder = std::env::var_os("CERTDECK_PKILINT").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("skipped: CERTDECK_PKILINT does not name the folder with pkilint's commands");
    }
    folder
}

/// Runs one of pkilint's commands, which must find no error.
///
/// Its warnings are about what the Baseline Requirements advise against and customers want: a
/// common name in DV certificates, key encipherment for RSA, the subject key identifier, and a
/// validity to the last allowed day.
fn lint(bin: &Path, command: &str, arguments: &[&str], file: &Path) {
    let output = Command::new(bin.join(command))
        .args(["lint", "-s", "ERROR"])
        .args(arguments)
        .arg(file)
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command} {arguments:?}\n{words}");
}

#[test]
fn public_leaves_pass_the_baseline_requirements() {
    let Some(bin) = bin() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for issuer in [KeyType::EcP256, KeyType::Rsa3072] {
        let authority = authority(issuer);
        for (kind, validation, expected) in [
            (KEY_KINDS[0], Validation::Dv, "DV-FINAL-CERTIFICATE"),
            (KEY_KINDS[3], Validation::Dv, "DV-FINAL-CERTIFICATE"),
            (KEY_KINDS[2], Validation::Ov, "OV-FINAL-CERTIFICATE"),
            (KEY_KINDS[4], Validation::Ov, "OV-FINAL-CERTIFICATE"),
            (KEY_KINDS[1], Validation::Ev, "EV-FINAL-CERTIFICATE"),
            (KEY_KINDS[5], Validation::Ev, "EV-FINAL-CERTIFICATE"),
        ] {
            let csr =
                request(path, kind, "/CN=www.example.com", "DNS:www.example.com,DNS:example.com");
            issue_into(path, &csr, validation, &authority);
            lint(&bin, "lint_cabf_serverauth_cert", &["-t", expected], &path.join("leaf.pem"));
        }
    }
}

#[test]
fn private_leaves_and_our_cas_pass_rfc_5280() {
    let Some(bin) = bin() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for issuer in [KeyType::EcP256, KeyType::Rsa3072] {
        let authority = authority(issuer);
        for kind in [KEY_KINDS[0], KEY_KINDS[3], "ed25519"] {
            let csr = request(path, kind, "/CN=www.example.com", "DNS:www.example.com,IP:10.0.0.7");
            issue_into(path, &csr, Validation::Private, &authority);
            lint(&bin, "lint_pkix_cert", &[], &path.join("leaf.pem"));
        }
        lint(&bin, "lint_pkix_cert", &[], &path.join("root.pem"));
        lint(&bin, "lint_pkix_cert", &[], &path.join("issuing.pem"));
    }
}

#[test]
fn crls_and_ocsp_answers_pass() {
    let Some(bin) = bin() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let authority = authority(KeyType::EcP256);
    let csr = request(path, KEY_KINDS[3], "/CN=www.example.com", "");
    let issued = issue_into(path, &csr, Validation::Dv, &authority);
    let entry = RevokedEntry {
        serial: issued.serial,
        revoked_at: now(),
        reason: RevocationReason::KeyCompromise,
    };
    let crl = CrlPlan {
        number: 7,
        this_update: now(),
        next_update: now().plus(domain::Days(7)),
        entries: vec![entry],
    };
    std::fs::write(path.join("crl.pem"), crl.sign(&authority).unwrap().pem).unwrap();
    lint(&bin, "lint_crl", &["-p", "PKIX", "-t", "CRL"], &path.join("crl.pem"));

    openssl_ok(path, "ocsp -issuer issuing.pem -cert leaf.pem -reqout request.der");
    let request = OcspRequest::parse(&std::fs::read(path.join("request.der")).unwrap()).unwrap();
    let times = OcspTimes {
        produced_at: now(),
        this_update: now(),
        next_update: now().plus(domain::Days(3)),
    };
    let response = respond(&request, |_| CertStatus::Good, times, &authority).unwrap();
    std::fs::write(path.join("response.der"), response).unwrap();
    lint(&bin, "lint_ocsp_response", &[], &path.join("response.der"));
}
