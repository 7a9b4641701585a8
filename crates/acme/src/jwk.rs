//! Public keys as JSON Web Keys (RFC 7517): parsed strictly, kept in the canonical form of
//! RFC 7638, so that one key has one text and one thumbprint.

use aws_lc_rs::digest;
use aws_lc_rs::signature::{
    self, ParsedPublicKey, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lifecycle::acme::has_small_order;
use serde::Deserialize;

use crate::json;
use crate::jws::Algorithm;

/// RSA moduli that are accepted, in bits: those that certificates may have, so that each can be
/// revoked with its own key (CA/Browser Forum Baseline Requirements 6.1.5 sets the lower end; the
/// upper one bounds the work of a verification).
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// The longest RSA modulus of an account's key, in bits.
const ACCOUNT_RSA_BITS: usize = 4096;

/// Longer exponents are never verified, those of CSRs neither.
const EXPONENT_BITS: u32 = 33;

/// The curves of RFC 7518 section 6.2.1.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Curve {
    /// NIST P-256.
    P256,
    /// NIST P-384.
    P384,
    /// NIST P-521.
    P521,
}

impl Curve {
    const fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        }
    }

    /// Length of one coordinate in bytes.
    const fn size(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    fn verification(self) -> &'static dyn VerificationAlgorithm {
        match self {
            Self::P256 => &signature::ECDSA_P256_SHA256_FIXED,
            Self::P384 => &signature::ECDSA_P384_SHA384_FIXED,
            Self::P521 => &signature::ECDSA_P521_SHA512_FIXED,
        }
    }
}

/// A public key that may sign requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Jwk {
    /// RSA: modulus and exponent, big-endian, without leading zero bytes.
    Rsa {
        /// Modulus.
        n: Vec<u8>,
        /// Public exponent.
        e: Vec<u8>,
    },
    /// A point on one of the NIST curves, uncompressed with its leading 4.
    Ec {
        /// The curve.
        curve: Curve,
        /// `04 || x || y`.
        point: Vec<u8>,
    },
    /// Ed25519 (RFC 8037).
    Ed25519 {
        /// The 32 bytes of the key.
        x: Vec<u8>,
    },
}

/// Why a key is refused (`badPublicKey`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not a JWK, or one of its members is missing or not base64url.
    #[error("The JWK can't be read: {0}.")]
    Unreadable(&'static str),
    /// A type or curve that no accepted algorithm uses.
    #[error(
        "Keys of this type are not accepted: use RSA, EC on P-256, P-384 or P-521, or OKP with Ed25519."
    )]
    Unsupported,
    /// RSA of a size or exponent that is not accepted, or otherwise weak.
    #[error("The RSA key is not accepted: {0}.")]
    Weak(&'static str),
    /// The coordinates are no point of the curve.
    #[error("The key is not a valid point of its curve.")]
    NotOnCurve,
    /// An Ed25519 point of small order.
    #[error("Anybody can sign for this key without a private one. Make a new key.")]
    SmallOrder,
    /// The JWK holds the private key.
    #[error("The JWK holds a private key. Make a new key, and send the public part only.")]
    Private,
}

#[derive(Deserialize)]
struct Members {
    kty: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
    #[serde(default, deserialize_with = "json::is_there")]
    d: bool,
    #[serde(default, deserialize_with = "json::is_there")]
    k: bool,
}

const UNREADABLE: KeyError = KeyError::Unreadable("it is not a JSON object of texts");

impl Jwk {
    /// Reads a JWK. Members other than those of the key itself are ignored (RFC 7517 section 4).
    pub fn parse(json: &str) -> Result<Self, KeyError> {
        json::read(json.as_bytes())
            .map_err(|_| UNREADABLE)
            .and_then(|members| Self::from_members(&members))
    }

    /// As [`Jwk::parse`], from JSON that was read already.
    pub fn from_value(json: serde_json::Value) -> Result<Self, KeyError> {
        json::read_value(json)
            .map_err(|_| UNREADABLE)
            .and_then(|members| Self::from_members(&members))
    }

    fn from_members(members: &Members) -> Result<Self, KeyError> {
        if members.d || members.k {
            return Err(KeyError::Private);
        }
        match (members.kty.as_deref(), members.crv.as_deref()) {
            (Some("RSA"), _) => Self::rsa(
                bytes(members.n.as_deref(), "n is missing or not base64url")?,
                bytes(members.e.as_deref(), "e is missing or not base64url")?,
            ),
            (Some("EC"), Some(name)) => {
                let curve = [Curve::P256, Curve::P384, Curve::P521]
                    .into_iter()
                    .find(|curve| curve.name() == name)
                    .ok_or(KeyError::Unsupported)?;
                let x = bytes(members.x.as_deref(), "x is missing or not base64url")?;
                let y = bytes(members.y.as_deref(), "y is missing or not base64url")?;
                if x.len() != curve.size() || y.len() != curve.size() {
                    return Err(KeyError::Unreadable(
                        "a coordinate does not have its curve's length",
                    ));
                }
                Self::ec(curve, [&[4], x.as_slice(), y.as_slice()].concat())
            }
            (Some("OKP"), Some("Ed25519")) => {
                Self::ed25519(bytes(members.x.as_deref(), "x is missing or not base64url")?)
            }
            (None, _) => Err(KeyError::Unreadable("kty is missing")),
            _ => Err(KeyError::Unsupported),
        }
    }

    /// The key of a `SubjectPublicKeyInfo` (RFC 5280 section 4.1.2.7) in DER, where it is of a
    /// kind that may sign requests.
    pub fn from_spki(der: &[u8]) -> Result<Self, KeyError> {
        use x509_parser::prelude::{FromDer as _, SubjectPublicKeyInfo};
        use x509_parser::public_key::PublicKey;
        let unreadable = KeyError::Unreadable("the SubjectPublicKeyInfo is broken");
        let (_, info) = SubjectPublicKeyInfo::from_der(der).map_err(|_| unreadable.clone())?;
        if info.algorithm.algorithm.to_id_string() == "1.3.101.112" {
            return Self::ed25519(info.subject_public_key.data.to_vec());
        }
        match info.parsed().map_err(|_| unreadable)? {
            PublicKey::RSA(key) => Self::rsa(unpadded(key.modulus), unpadded(key.exponent)),
            PublicKey::EC(point) => {
                let curve = [Curve::P256, Curve::P384, Curve::P521]
                    .into_iter()
                    .find(|curve| point.data().len() == 1 + 2 * curve.size())
                    .ok_or(KeyError::Unsupported)?;
                Self::ec(curve, point.data().to_vec())
            }
            _ => Err(KeyError::Unsupported),
        }
    }

    fn rsa(n: Vec<u8>, e: Vec<u8>) -> Result<Self, KeyError> {
        if matches!(n.first(), Some(0) | None) {
            return Err(KeyError::Unreadable("n has leading zero bytes or is empty"));
        }
        if !RSA_BITS.contains(&bits_of(&n)) {
            return Err(KeyError::Weak("it must have 2048 to 8192 bits"));
        }
        if e.is_empty() || e.first() == Some(&0) || e.len() > 5 {
            return Err(KeyError::Weak("its exponent is not supported; 65537 is usual"));
        }
        let exponent = e.iter().fold(0u64, |sum, byte| (sum << 8) | u64::from(*byte));
        if exponent >> EXPONENT_BITS > 0 {
            return Err(KeyError::Weak("its exponent is not supported; 65537 is usual"));
        }
        if exponent < 3 || exponent % 2 == 0 {
            return Err(KeyError::Weak("its exponent must be odd and at least 3; 65537 is usual"));
        }
        if SMALL_PRIMES.iter().any(|prime| remainder(&n, *prime) == 0) {
            return Err(KeyError::Weak("its modulus has a small factor"));
        }
        Ok(Self::Rsa { n, e })
    }

    /// Whether an account may have this key. The keys of certificates, which sign their own
    /// revocation, may be longer.
    pub fn check_account_key(&self) -> Result<(), KeyError> {
        match self {
            Self::Rsa { n, .. } if bits_of(n) > ACCOUNT_RSA_BITS => {
                Err(KeyError::Weak("an account's must have 2048 to 4096 bits"))
            }
            _ => Ok(()),
        }
    }

    fn ec(curve: Curve, point: Vec<u8>) -> Result<Self, KeyError> {
        let parsed = match curve {
            Curve::P256 => ParsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, &point),
            Curve::P384 => ParsedPublicKey::new(&signature::ECDSA_P384_SHA384_FIXED, &point),
            Curve::P521 => ParsedPublicKey::new(&signature::ECDSA_P521_SHA512_FIXED, &point),
        };
        parsed.map_err(|_| KeyError::NotOnCurve)?;
        Ok(Self::Ec { curve, point })
    }

    fn ed25519(x: Vec<u8>) -> Result<Self, KeyError> {
        ParsedPublicKey::new(&signature::ED25519, &x).map_err(|_| KeyError::NotOnCurve)?;
        if has_small_order(&x) {
            return Err(KeyError::SmallOrder);
        }
        Ok(Self::Ed25519 { x })
    }

    /// The canonical JSON of RFC 7638 section 3.2: required members only, in order, no space.
    pub fn canonical(&self) -> String {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Rsa { n, e } => format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, text(e), text(n)),
            Self::Ec { curve, point } => {
                let (x, y) = point.get(1..).unwrap_or_default().split_at(curve.size());
                format!(
                    r#"{{"crv":"{}","kty":"EC","x":"{}","y":"{}"}}"#,
                    curve.name(),
                    text(x),
                    text(y)
                )
            }
            Self::Ed25519 { x } => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, text(x)),
        }
    }

    /// The SHA-256 thumbprint of RFC 7638 in base64url: 43 characters.
    pub fn thumbprint(&self) -> String {
        let digest = digest::digest(&digest::SHA256, self.canonical().as_bytes());
        URL_SAFE_NO_PAD.encode(digest.as_ref())
    }

    /// Whether `algorithm` is the one that this key signs with (RFC 7518 section 3.1).
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        match self {
            Self::Rsa { .. } => algorithm == Algorithm::Rs256,
            Self::Ec { curve: Curve::P256, .. } => algorithm == Algorithm::Es256,
            Self::Ec { curve: Curve::P384, .. } => algorithm == Algorithm::Es384,
            Self::Ec { curve: Curve::P521, .. } => algorithm == Algorithm::Es512,
            Self::Ed25519 { .. } => algorithm == Algorithm::EdDsa,
        }
    }

    /// Whether `signature` over `message` was made with this key.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Rsa { n, e } => RsaPublicKeyComponents { n, e }
                .verify(&signature::RSA_PKCS1_2048_8192_SHA256, message, signature)
                .is_ok(),
            Self::Ec { curve, point } => UnparsedPublicKey::new(curve.verification(), point)
                .verify(message, signature)
                .is_ok(),
            Self::Ed25519 { x } => {
                UnparsedPublicKey::new(&signature::ED25519, x).verify(message, signature).is_ok()
            }
        }
    }
}

fn bytes(text: Option<&str>, fault: &'static str) -> Result<Vec<u8>, KeyError> {
    text.and_then(|text| URL_SAFE_NO_PAD.decode(text).ok()).ok_or(KeyError::Unreadable(fault))
}

/// The length of a number without leading zero bytes.
fn bits_of(number: &[u8]) -> usize {
    number.first().map_or(0, |first| number.len() * 8 - first.leading_zeros() as usize)
}

fn unpadded(integer: &[u8]) -> Vec<u8> {
    integer.iter().copied().skip_while(|byte| *byte == 0).collect()
}

/// Factors that broken key generators leave in a modulus.
const SMALL_PRIMES: [u64; 24] =
    [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89];

fn remainder(integer: &[u8], divisor: u64) -> u64 {
    integer.iter().fold(0, |rest, byte| ((rest << 8) | u64::from(*byte)) % divisor)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key of RFC 7638 section 3.1 with its thumbprint.
    const RFC7638: &str = r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#;

    #[test]
    fn thumbprint_is_that_of_rfc_7638_whatever_else_the_jwk_holds() {
        let key = Jwk::parse(RFC7638).unwrap();
        assert_eq!(key.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
        assert_eq!(Jwk::parse(&key.canonical()).unwrap(), key);
    }

    #[test]
    fn refuses_weak_broken_and_private_keys() {
        let x = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
        let y = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
        let ec = |x: &str, y: &str| format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}"}}"#);
        assert!(Jwk::parse(&ec(x, y)).is_ok());
        assert_eq!(Jwk::parse(&ec(x, x)), Err(KeyError::NotOnCurve));
        for (json, wanted) in [
            (r#"{"kty":"oct","k":"AAAA"}"#.to_owned(), KeyError::Private),
            (
                format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}","d":"AA"}}"#),
                KeyError::Private,
            ),
            (r#"{"kty":"OKP","crv":"Ed448","x":"AAAA"}"#.to_owned(), KeyError::Unsupported),
            (ec(&x[..42], y), KeyError::Unreadable("x is missing or not base64url")),
            (
                ec(&x[..40], y),
                KeyError::Unreadable("a coordinate does not have its curve's length"),
            ),
            (
                r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#.to_owned(),
                KeyError::Weak("it must have 2048 to 8192 bits"),
            ),
            ("[]".to_owned(), KeyError::Unreadable("kty is missing")),
        ] {
            let got = Jwk::parse(&json).unwrap_err();
            assert!(got == wanted || matches!(got, KeyError::Unreadable(_)), "{json}: {got:?}");
        }
        let even =
            format!(r#"{{"kty":"RSA","n":"{}","e":"AQAB"}}"#, URL_SAFE_NO_PAD.encode([0x80; 256]));
        assert_eq!(Jwk::parse(&even), Err(KeyError::Weak("its modulus has a small factor")));
        let rsa = |bits: usize, e: &str| {
            let mut n = vec![0xff; bits / 8];
            // No multiple of a small prime.
            *n.last_mut().unwrap() = (1..=255u8)
                .step_by(2)
                .find(|last| {
                    let tried = [&n[..n.len() - 1], &[*last]].concat();
                    SMALL_PRIMES.iter().all(|prime| remainder(&tried, *prime) != 0)
                })
                .unwrap();
            Jwk::parse(&format!(r#"{{"kty":"RSA","n":"{}","e":"{e}"}}"#, URL_SAFE_NO_PAD.encode(n)))
        };
        let certificates = rsa(8192, "AQAAAAE").unwrap();
        assert!(matches!(certificates.check_account_key(), Err(KeyError::Weak(_))));
        assert_eq!(rsa(4096, "AQAB").unwrap().check_account_key(), Ok(()));
        for (bits, e) in [(8200, "AQAB"), (2048, "AgAAAAE"), (2048, "AQAAAAAB"), (1024, "AQAB")] {
            assert!(matches!(rsa(bits, e), Err(KeyError::Weak(_))), "{bits} {e}");
        }
        let e1 = RFC7638.replace("AQAB", "AQ");
        assert!(matches!(Jwk::parse(&e1), Err(KeyError::Weak(_))));
    }
}
