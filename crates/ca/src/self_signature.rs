//! Checks that a request is signed with the key that it holds (RFC 2986 section 4.2).

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA384_ASN1, ECDSA_P256_SHA512_ASN1, ECDSA_P384_SHA256_ASN1,
    ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA512_ASN1, ECDSA_P521_SHA256_ASN1, ECDSA_P521_SHA384_ASN1,
    ECDSA_P521_SHA512_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, UnparsedPublicKey, VerificationAlgorithm,
};
use x509_parser::certification_request::X509CertificationRequest;

use crate::csr::CsrFault;
use crate::key_check::{Curve, KeyFacts};

pub(crate) fn verify(
    request: &X509CertificationRequest<'_>,
    key: KeyFacts,
) -> Result<(), CsrFault> {
    let id = request.signature_algorithm.algorithm.to_id_string();
    let algorithm = verification(&id, key).ok_or_else(|| unfit(&id))?;
    let info = &request.certification_request_info;
    UnparsedPublicKey::new(algorithm, &*info.subject_pki.subject_public_key.data)
        .verify(info.raw, &request.signature_value.data)
        .map_err(|_| CsrFault::BadSignature)
}

/// An algorithm that is unknown here, or one of another kind of key.
fn unfit(id: &str) -> CsrFault {
    const KNOWN: &[&str] = &[
        "1.2.840.113549.1.1.11",
        "1.2.840.113549.1.1.12",
        "1.2.840.113549.1.1.13",
        "1.2.840.10045.4.3.2",
        "1.2.840.10045.4.3.3",
        "1.2.840.10045.4.3.4",
        "1.3.101.112",
    ];
    if KNOWN.contains(&id) {
        return CsrFault::BadSignature;
    }
    CsrFault::SignatureAlgorithm(match id {
        "1.2.840.113549.1.1.5" | "1.2.840.10045.4.1" => "SHA-1".to_owned(),
        "1.2.840.113549.1.1.4" => "MD5".to_owned(),
        "1.2.840.113549.1.1.10" => "RSA-PSS".to_owned(),
        other => other.chars().take(60).collect(),
    })
}

/// How signatures of this algorithm are checked with this kind of key; SHA-2 only.
pub(crate) fn verification(id: &str, key: KeyFacts) -> Option<&'static dyn VerificationAlgorithm> {
    Some(match (id, key) {
        ("1.2.840.113549.1.1.11", KeyFacts::Rsa { .. }) => &RSA_PKCS1_2048_8192_SHA256,
        ("1.2.840.113549.1.1.12", KeyFacts::Rsa { .. }) => &RSA_PKCS1_2048_8192_SHA384,
        ("1.2.840.113549.1.1.13", KeyFacts::Rsa { .. }) => &RSA_PKCS1_2048_8192_SHA512,
        ("1.2.840.10045.4.3.2", KeyFacts::Ec { curve }) => match curve {
            Curve::P256 => &ECDSA_P256_SHA256_ASN1,
            Curve::P384 => &ECDSA_P384_SHA256_ASN1,
            Curve::P521 => &ECDSA_P521_SHA256_ASN1,
        },
        ("1.2.840.10045.4.3.3", KeyFacts::Ec { curve }) => match curve {
            Curve::P256 => &ECDSA_P256_SHA384_ASN1,
            Curve::P384 => &ECDSA_P384_SHA384_ASN1,
            Curve::P521 => &ECDSA_P521_SHA384_ASN1,
        },
        ("1.2.840.10045.4.3.4", KeyFacts::Ec { curve }) => match curve {
            Curve::P256 => &ECDSA_P256_SHA512_ASN1,
            Curve::P384 => &ECDSA_P384_SHA512_ASN1,
            Curve::P521 => &ECDSA_P521_SHA512_ASN1,
        },
        ("1.3.101.112", KeyFacts::Ed25519) => &ED25519,
        _ => return None,
    })
}
