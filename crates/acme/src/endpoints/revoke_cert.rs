//! revokeCert (RFC 8555 section 7.6): signed by an account, or by the certificate's own key.

use axum::extract::State;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::model::{RevocationReason, Serial};
use lifecycle::acme::Revoker;
use serde::Deserialize;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::Answer;
use crate::AcmeServer;
use crate::jwk::Jwk;
use crate::problem::{Kind, Problem};
use crate::reply::Reply;
use crate::request::{self, Author, Signed};

#[derive(Deserialize)]
struct Revocation {
    certificate: String,
    reason: Option<i64>,
}

pub async fn post(State(server): State<AcmeServer>, signed: Signed) -> Answer {
    let (der, reason) = read(&signed.payload)?;
    let certificate = read_certificate(&der)?;
    let revoker = match signed.author {
        Author::Account(account) => Revoker::Account(account),
        Author::Key => {
            let own =
                Jwk::from_spki(certificate.public_key().raw).is_ok_and(|key| key == signed.key);
            if !own {
                let words = "The request is signed with a key that is not the certificate's. Sign with that key, or with the account.";
                return Err(
                    Problem::new(Kind::Unauthorized, words).with_status(StatusCode::FORBIDDEN)
                );
            }
            Revoker::CertificateKey
        }
    };
    let serial = Serial::from_bytes(certificate.raw_serial());
    let fingerprint = hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &der));
    server.desk().revoke(revoker, serial, fingerprint, reason, signed.address).await?;
    Ok(Reply::empty(StatusCode::OK))
}

/// The DER and the reason of a payload.
pub fn read(payload: &[u8]) -> Result<(Vec<u8>, RevocationReason), Problem> {
    let wanted: Revocation = request::read(payload)?;
    let der = URL_SAFE_NO_PAD.decode(&wanted.certificate).map_err(|_| {
        Problem::malformed("certificate must be the certificate's DER in unpadded base64url.")
    })?;
    Ok((der, read_reason(wanted.reason)?))
}

/// The certificate that this is, and nothing behind it.
pub fn read_certificate(der: &[u8]) -> Result<X509Certificate<'_>, Problem> {
    // Readers of X.509 have panicked on hostile input before.
    match std::panic::catch_unwind(|| X509Certificate::from_der(der)) {
        Ok(Ok((&[], certificate))) => Ok(certificate),
        _ => Err(Problem::malformed("certificate can't be read as an X.509 certificate in DER.")),
    }
}

fn read_reason(code: Option<i64>) -> Result<RevocationReason, Problem> {
    let Some(code) = code else { return Ok(RevocationReason::Unspecified) };
    u8::try_from(code).ok().and_then(RevocationReason::from_code).ok_or_else(|| {
        Problem::new(
            Kind::BadRevocationReason,
            "The reason must be 0 (unspecified), 1 (key compromise), 3 (affiliation changed), 4 (superseded), \
             5 (cessation of operation) or 9 (privilege withdrawn).",
        )
    })
}
