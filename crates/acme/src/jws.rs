//! Signed requests: flattened JWS as RFC 8555 section 6.2 narrows them down.
//!
//! Refused: several signatures, an unprotected header, a detached or unencoded payload, padded
//! base64url, critical extensions, and every algorithm but five asymmetric ones.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;

use crate::json;
use crate::jwk::{Jwk, KeyError};

/// The signature algorithms that requests may use (RFC 7518 section 3.1, RFC 8037).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// ECDSA on P-521 with SHA-512.
    Es512,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    /// All of them by name: the `algorithms` member of a `badSignatureAlgorithm` problem.
    pub const NAMES: [&'static str; 5] = ["RS256", "ES256", "ES384", "ES512", "EdDSA"];

    fn find(name: &str) -> Option<Self> {
        Some(match name {
            "RS256" => Self::Rs256,
            "ES256" => Self::Es256,
            "ES384" => Self::Es384,
            "ES512" => Self::Es512,
            "EdDSA" => Self::EdDsa,
            _ => return None,
        })
    }
}

/// Why a signed request can't be read or trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JwsError {
    /// Not a flattened JWS of the allowed form.
    #[error("The JWS is not acceptable: {0}.")]
    Malformed(&'static str),
    /// An algorithm outside [`Algorithm`], or one that the key does not sign with.
    #[error("The signature algorithm {0:?} is not accepted for this key.")]
    Algorithm(String),
    /// The key in the header is not acceptable.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The signature is not that of the key.
    #[error("The signature of the JWS does not fit its key.")]
    Signature,
}

/// Who signed, as the protected header says it: exactly one of both (RFC 8555 section 6.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signer {
    /// The key itself.
    Key(Jwk),
    /// An account's URL.
    Account(String),
}

/// A JWS that was read but not yet verified.
#[derive(Debug, Clone)]
pub struct Jws {
    /// Its algorithm.
    pub algorithm: Algorithm,
    /// Who says that they signed.
    pub signer: Signer,
    /// The anti-replay nonce, as sent.
    pub nonce: Option<String>,
    /// The URL that the request was signed for.
    pub url: String,
    /// The decoded payload; empty for POST-as-GET.
    pub payload: Vec<u8>,
    signed: Vec<u8>,
    signature: Vec<u8>,
}

/// The three members of a flattened JWS, and the ones that RFC 8555 forbids.
#[derive(Deserialize)]
pub(crate) struct Flattened {
    pub(crate) protected: String,
    pub(crate) payload: String,
    pub(crate) signature: String,
    #[serde(default, deserialize_with = "json::is_there")]
    signatures: bool,
    #[serde(default, deserialize_with = "json::is_there")]
    header: bool,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default, deserialize_with = "json::given")]
    nonce: Option<String>,
    url: Option<String>,
    #[serde(default, deserialize_with = "json::given")]
    jwk: Option<Value>,
    #[serde(default, deserialize_with = "json::given")]
    kid: Option<String>,
    #[serde(default, deserialize_with = "json::is_there")]
    crit: bool,
    #[serde(default, deserialize_with = "json::is_there")]
    b64: bool,
}

impl Flattened {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, JwsError> {
        let flattened: Self = json::read(bytes).map_err(|_| {
            JwsError::Malformed(
                "the body must be one JSON object with protected, payload and signature",
            )
        })?;
        if flattened.signatures {
            return Err(JwsError::Malformed(
                "several signatures are not allowed (RFC 8555 section 6.2)",
            ));
        }
        if flattened.header {
            return Err(JwsError::Malformed(
                "an unprotected header is not allowed (RFC 8555 section 6.2)",
            ));
        }
        Ok(flattened)
    }

    /// What the signature covers (RFC 7515 section 5.1).
    pub(crate) fn signing_input(&self) -> Vec<u8> {
        format!("{}.{}", self.protected, self.payload).into_bytes()
    }
}

impl Jws {
    /// Reads a request's body.
    pub fn parse(bytes: &[u8]) -> Result<Self, JwsError> {
        let flattened = Flattened::parse(bytes)?;
        let protected = decode(&flattened.protected, "protected is not unpadded base64url")?;
        let header: Header = json::read(&protected).map_err(|_| {
            JwsError::Malformed("the protected header is not a JSON object with alg, nonce and url")
        })?;
        if header.crit || header.b64 {
            return Err(JwsError::Malformed(
                "critical extensions and unencoded payloads are not supported",
            ));
        }
        let algorithm = Algorithm::find(&header.alg)
            .ok_or_else(|| JwsError::Algorithm(header.alg.chars().take(32).collect()))?;
        let signer = match (header.jwk, header.kid) {
            (Some(jwk), None) => Signer::Key(Jwk::from_value(jwk)?),
            (None, Some(kid)) => Signer::Account(kid),
            _ => {
                return Err(JwsError::Malformed(
                    "the protected header must hold exactly one of jwk and kid",
                ));
            }
        };
        Ok(Self {
            algorithm,
            signer,
            nonce: header.nonce,
            url: header.url.ok_or(JwsError::Malformed("the protected header has no url"))?,
            payload: decode(&flattened.payload, "the payload is not unpadded base64url")?,
            signature: decode(&flattened.signature, "the signature is not unpadded base64url")?,
            signed: flattened.signing_input(),
        })
    }

    /// Checks the signature against `key`, whose type must fit the algorithm.
    pub fn verify(&self, key: &Jwk) -> Result<(), JwsError> {
        if !key.fits(self.algorithm) {
            return Err(JwsError::Algorithm(format!("{:?}", self.algorithm)));
        }
        if key.verifies(&self.signed, &self.signature) { Ok(()) } else { Err(JwsError::Signature) }
    }
}

pub(crate) fn decode(text: &str, fault: &'static str) -> Result<Vec<u8>, JwsError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| JwsError::Malformed(fault))
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
    use proptest::prelude::*;

    use super::*;

    fn key() -> (EcdsaKeyPair, String) {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let point = pair.public_key().as_ref().to_vec();
        (pair, Jwk::Ec { curve: crate::jwk::Curve::P256, point }.canonical())
    }

    fn signed(header: &str, payload: &str, pair: &EcdsaKeyPair) -> Value {
        let protected = URL_SAFE_NO_PAD.encode(header);
        let payload = URL_SAFE_NO_PAD.encode(payload);
        let input = format!("{protected}.{payload}");
        let signature = pair.sign(&SystemRandom::new(), input.as_bytes()).unwrap();
        serde_json::json!({"protected": protected, "payload": payload, "signature": URL_SAFE_NO_PAD.encode(signature)})
    }

    #[test]
    fn verifies_what_the_key_signed_and_nothing_else() {
        let (pair, jwk) = key();
        let header = format!(r#"{{"alg":"ES256","nonce":"abc","url":"https://a/b","jwk":{jwk}}}"#);
        let body = signed(&header, r#"{"a":1}"#, &pair);
        let jws = Jws::parse(body.to_string().as_bytes()).unwrap();
        let Signer::Key(own) = &jws.signer else { panic!("a jwk") };
        assert_eq!(jws.verify(own), Ok(()));
        assert_eq!(jws.payload, br#"{"a":1}"#);
        let (_, other) = key();
        assert_eq!(jws.verify(&Jwk::parse(&other).unwrap()), Err(JwsError::Signature));
        let mut changed = body;
        changed["payload"] = URL_SAFE_NO_PAD.encode(r#"{"a":2}"#).into();
        let changed = Jws::parse(changed.to_string().as_bytes()).unwrap();
        assert_eq!(changed.verify(own), Err(JwsError::Signature));
    }

    #[test]
    fn refuses_every_form_that_rfc_8555_forbids() {
        let (pair, jwk) = key();
        let good = format!(r#"{{"alg":"ES256","nonce":"abc","url":"https://a/b","jwk":{jwk}}}"#);
        for header in [
            good.replace("ES256", "none"),
            good.replace("ES256", "HS256"),
            good.replace(r#""url""#, r#""crit":["b64"],"url""#),
            good.replace(r#""url""#, r#""b64":false,"url""#),
            good.replace(r#""url""#, r#""kid":"https://a/1","url""#),
            good.replace(r#""jwk""#, r#""other""#),
            good.replace(r#""url":"https://a/b","#, ""),
            good.replace(r#""url""#, r#""alg":"ES256","url""#),
        ] {
            assert!(
                Jws::parse(signed(&header, "", &pair).to_string().as_bytes()).is_err(),
                "{header}"
            );
        }
        let body = signed(&good, "{}", &pair);
        assert!(Jws::parse(body.to_string().as_bytes()).is_ok());
        for (member, value) in [
            ("signatures", serde_json::json!([])),
            ("header", serde_json::json!({"kid": "x"})),
            ("payload", Value::Null),
            ("payload", "e30=".into()),
            ("signature", "AA==".into()),
            ("protected", "!".into()),
        ] {
            let mut flawed = body.clone();
            flawed[member] = value;
            assert!(Jws::parse(flawed.to_string().as_bytes()).is_err(), "{member}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = Jws::parse(&bytes);
            let protected = URL_SAFE_NO_PAD.encode(&bytes);
            let body = serde_json::json!({"protected": protected, "payload": "", "signature": ""});
            let _ = Jws::parse(body.to_string().as_bytes());
        }
    }
}
