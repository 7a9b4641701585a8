//! Judges public keys: what they are, and whether they are known to be weak (Baseline
//! Requirements 6.1.1.3, 6.1.5 and 6.1.6).
//!
//! Looked for are ROCA keys, primes near to each other, small factors and unsafe exponents, which the
//! key itself shows. Not looked for are Debian's weak keys (CVE-2008-0166, named in 6.1.1.3 as well):
//! only lists of all of them tell these, some 25 MB, which no package registry has.

use std::fmt;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P521_SHA512_ASN1, ED25519,
    ParsedPublicKey, VerificationAlgorithm,
};
use domain::model::KeyType;
use num_bigint::BigUint;
use serde::{Deserialize, Serialize};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::{PublicKey, RSAPublicKey};
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::der::sha256;

/// Rounds of Fermat's factorization that a modulus must stand (Baseline Requirements 6.1.1.3).
const FERMAT_ROUNDS: usize = 100;
/// Primes below 752 must not divide a modulus (Baseline Requirements 6.1.6).
const SMALL_FACTORS_BELOW: u32 = 752;
/// The primes whose product divides the structure of every ROCA key (CVE-2017-15361).
const ROCA_PRIMES_UP_TO: u32 = 167;

/// A named curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Curve {
    /// NIST P-256.
    P256,
    /// NIST P-384.
    P384,
    /// NIST P-521.
    P521,
}

/// What a public key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum KeyFacts {
    /// RSA.
    Rsa {
        /// Bits of the modulus.
        bits: u32,
    },
    /// ECDSA.
    Ec {
        /// Its curve.
        curve: Curve,
    },
    /// Ed25519.
    Ed25519,
}

impl KeyFacts {
    /// Whether it is RSA.
    pub const fn is_rsa(self) -> bool {
        matches!(self, Self::Rsa { .. })
    }

    /// Whether it is on an Edwards curve.
    pub const fn is_edwards(self) -> bool {
        matches!(self, Self::Ed25519)
    }

    /// The key type of orders and profiles, where there is one for it.
    pub const fn key_type(self) -> Option<KeyType> {
        match self {
            Self::Rsa { bits: 2048 } => Some(KeyType::Rsa2048),
            Self::Rsa { bits: 3072 } => Some(KeyType::Rsa3072),
            Self::Rsa { bits: 4096 } => Some(KeyType::Rsa4096),
            Self::Ec { curve: Curve::P256 } => Some(KeyType::EcP256),
            Self::Ec { curve: Curve::P384 } => Some(KeyType::EcP384),
            _ => None,
        }
    }
}

impl fmt::Display for KeyFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa { bits } => write!(f, "RSA {bits}"),
            Self::Ec { curve: Curve::P256 } => f.write_str("ECC P-256"),
            Self::Ec { curve: Curve::P384 } => f.write_str("ECC P-384"),
            Self::Ec { curve: Curve::P521 } => f.write_str("ECC P-521"),
            Self::Ed25519 => f.write_str("Ed25519"),
        }
    }
}

/// Why a public key is refused. The text says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// Not a `SubjectPublicKeyInfo`, or not in its one proper encoding.
    #[error("The public key can't be read. Make a new key and a new CSR.")]
    Unreadable,
    /// DSA, GOST, RSA-PSS, X25519 and the like.
    #[error("The key's algorithm is not supported. Use ECDSA (P-256, P-384 or P-521) or RSA.")]
    UnsupportedAlgorithm,
    /// Other curves, or curve parameters instead of a name.
    #[error("The key's curve is not supported. Use P-256, P-384 or P-521.")]
    UnsupportedCurve,
    /// Below 2048 bits.
    #[error("The RSA key has {0} bits, which is too weak. Make a key of at least 2048 bits.")]
    TooShort(u32),
    /// Above 8192 bits, or not a multiple of 8.
    #[error("RSA keys of {0} bits are not supported. Make a key of 2048, 3072 or 4096 bits.")]
    BadSize(u32),
    /// Even, or below 65537, or of more than 256 bits.
    #[error(
        "The RSA key's public exponent is not safe. Make a new key with the usual exponent, 65537."
    )]
    BadExponent,
    /// Divisible by a small prime.
    #[error(
        "The RSA key is not the product of two large primes: it was made wrongly. Make a new key."
    )]
    SmallFactor,
    /// Its two primes lie so near to each other that it can be factored.
    #[error(
        "The RSA key can be broken, because its two primes are too near to each other. Make a new key with other software."
    )]
    ClosePrimes,
    /// Made by a library with the ROCA fault.
    #[error(
        "The RSA key was made by hardware or software with the ROCA fault (CVE-2017-15361) and can be broken. Make a new key elsewhere."
    )]
    Roca,
    /// Not a point of its curve.
    #[error("The public key is not a point on its curve. Make a new key.")]
    NotOnCurve,
    /// One of the few points of Ed25519 under which anybody can sign.
    #[error(
        "The Ed25519 key is none: anybody can sign for it without a private key. Make a new key."
    )]
    SmallOrder,
}

/// Reads and judges a `SubjectPublicKeyInfo` in DER.
pub fn check(spki_der: &[u8]) -> Result<KeyFacts, KeyFault> {
    let (rest, spki) =
        SubjectPublicKeyInfo::from_der(spki_der).map_err(|_| KeyFault::Unreadable)?;
    if !rest.is_empty() {
        return Err(KeyFault::Unreadable);
    }
    let algorithm = spki.algorithm.algorithm.to_id_string();
    let parameters = spki.algorithm.parameters.as_ref();
    match algorithm.as_str() {
        "1.2.840.113549.1.1.1" => {
            let null = parameters.is_some_and(|any| any.tag().0 == 5 && any.data.is_empty());
            match spki.parsed() {
                Ok(PublicKey::RSA(key)) if null => check_rsa(&key),
                _ => Err(KeyFault::Unreadable),
            }
        }
        "1.2.840.10045.2.1" => {
            let curve = parameters.and_then(|any| any.as_oid().ok()).map(|oid| oid.to_id_string());
            let (curve, point, algorithm): (_, _, &'static dyn VerificationAlgorithm) =
                match curve.as_deref() {
                    Some("1.2.840.10045.3.1.7") => (Curve::P256, 65, &ECDSA_P256_SHA256_ASN1),
                    Some("1.3.132.0.34") => (Curve::P384, 97, &ECDSA_P384_SHA384_ASN1),
                    Some("1.3.132.0.35") => (Curve::P521, 133, &ECDSA_P521_SHA512_ASN1),
                    _ => return Err(KeyFault::UnsupportedCurve),
                };
            // Compressed points are for others to meet (RFC 5480 section 2.2 makes them optional).
            check_bytes(&spki, point, algorithm)?;
            Ok(KeyFacts::Ec { curve })
        }
        "1.3.101.112" if parameters.is_none() => {
            check_bytes(&spki, 32, &ED25519)?;
            if has_small_order(&spki.subject_public_key.data) {
                return Err(KeyFault::SmallOrder);
            }
            Ok(KeyFacts::Ed25519)
        }
        _ => Err(KeyFault::UnsupportedAlgorithm),
    }
}

fn check_bytes(
    spki: &SubjectPublicKeyInfo<'_>,
    length: usize,
    algorithm: &'static dyn VerificationAlgorithm,
) -> Result<(), KeyFault> {
    let bytes = &*spki.subject_public_key.data;
    if bytes.len() != length || spki.subject_public_key.unused_bits != 0 {
        return Err(KeyFault::Unreadable);
    }
    ParsedPublicKey::new(algorithm, bytes).map(|_| ()).map_err(|_| KeyFault::NotOnCurve)
}

/// The y-coordinates, little-endian, of Ed25519's points of order 1, 2, 4 and 8, and those beyond the
/// field's prime that stand for the same (RFC 8032 section 5.1.3 has decoders refuse them).
const SMALL_ORDER: [[u8; 32]; 7] = [
    ends(0x00, 0x00, 0x00),
    ends(0x01, 0x00, 0x00),
    ends(0xec, 0xff, 0x7f),
    ends(0xed, 0xff, 0x7f),
    ends(0xee, 0xff, 0x7f),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
];

const fn ends(first: u8, between: u8, last: u8) -> [u8; 32] {
    let mut bytes = [between; 32];
    bytes[0] = first;
    bytes[31] = last;
    bytes
}

/// Whether an Ed25519 key is a point of small order: signatures that verify under it are made
/// without a private key, one of them for all messages in the worst case.
pub fn has_small_order(key: &[u8]) -> bool {
    let mut y = key.to_vec();
    if let Some(last) = y.last_mut() {
        // The sign of x.
        *last &= 0x7f;
    }
    SMALL_ORDER.iter().any(|small| *small == y.as_slice())
}

fn check_rsa(key: &RSAPublicKey<'_>) -> Result<KeyFacts, KeyFault> {
    let positive = |bytes: &[u8]| bytes.first().is_some_and(|first| *first < 0x80);
    if !positive(key.modulus) || !positive(key.exponent) {
        return Err(KeyFault::Unreadable);
    }
    // The size comes before any arithmetic: a huge modulus must not cost time.
    let bytes = key.modulus.iter().skip_while(|byte| **byte == 0).count();
    if bytes > 8192 / 8 {
        return Err(KeyFault::BadSize(u32::try_from(bytes * 8).unwrap_or(u32::MAX)));
    }
    let modulus = BigUint::from_bytes_be(key.modulus);
    let bits = u32::try_from(modulus.bits()).unwrap_or(u32::MAX);
    if bits < 2048 {
        return Err(KeyFault::TooShort(bits));
    }
    if bits % 8 != 0 {
        return Err(KeyFault::BadSize(bits));
    }
    let exponent = key.exponent.strip_prefix(&[0]).unwrap_or(key.exponent);
    let safe = exponent.len() <= 32 && BigUint::from_bytes_be(exponent) >= BigUint::from(65_537u32);
    if !safe || exponent.last().is_none_or(|last| last % 2 == 0) {
        return Err(KeyFault::BadExponent);
    }
    if primes_below(SMALL_FACTORS_BELOW).any(|prime| remainder(&modulus, prime) == 0) {
        return Err(KeyFault::SmallFactor);
    }
    if is_roca(&modulus) {
        return Err(KeyFault::Roca);
    }
    if has_close_primes(&modulus) {
        return Err(KeyFault::ClosePrimes);
    }
    Ok(KeyFacts::Rsa { bits })
}

fn primes_below(limit: u32) -> impl Iterator<Item = u32> {
    (2..limit).filter(|n| (2..*n).take_while(|d| d * d <= *n).all(|d| n % d != 0))
}

fn remainder(modulus: &BigUint, small: u32) -> u32 {
    (modulus % small).iter_u32_digits().next().unwrap_or(0)
}

/// ROCA primes are `k·M + (65537^a mod M)` with M a product of the first primes: the modulus is
/// then a power of 65537 modulo each of them, which other keys are with a chance of about 2^-27.
fn is_roca(modulus: &BigUint) -> bool {
    primes_below(ROCA_PRIMES_UP_TO + 1).filter(|prime| *prime > 2).all(|prime| {
        let wanted = remainder(modulus, prime);
        let mut power = 1;
        loop {
            if power == wanted {
                return true;
            }
            power = power * (65_537 % prime) % prime;
            if power == 1 {
                return false;
            }
        }
    })
}

/// Fermat: N = a² − b² with a just above √N.
fn has_close_primes(modulus: &BigUint) -> bool {
    let mut a = modulus.sqrt();
    if &a * &a < *modulus {
        a += 1u32;
    }
    let mut square = &a * &a - modulus;
    for _ in 0..FERMAT_ROUNDS {
        if is_square(&square) {
            return true;
        }
        square += (&a << 1u32) + 1u32;
        a += 1u32;
    }
    false
}

fn is_square(number: &BigUint) -> bool {
    // Few numbers are squares modulo these; the root is only taken of what is left.
    let may_be = |small: u32| {
        let wanted = remainder(number, small);
        (0..=small / 2).any(|root| root * root % small == wanted)
    };
    if ![64, 63, 65, 11, 17, 19, 23, 31].into_iter().all(may_be) {
        return false;
    }
    let root = number.sqrt();
    &root * &root == *number
}

/// The key identifier: the leftmost 160 bits of SHA-256 over the key's bits (RFC 7093 section 2,
/// method 1). None where the `SubjectPublicKeyInfo` can't be read.
pub(crate) fn key_identifier(spki_der: &[u8]) -> Option<Vec<u8>> {
    let (_, spki) = SubjectPublicKeyInfo::from_der(spki_der).ok()?;
    let mut digest = sha256(&spki.subject_public_key.data);
    digest.truncate(20);
    Some(digest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::SigningKey;

    /// A number of `bits` bits without small factors, for tests that need no real primes.
    fn rough(bits: u64, seed: u8) -> BigUint {
        let mut bytes = Vec::new();
        while (bytes.len() as u64) < bits / 8 {
            let next = sha256(&[bytes.as_slice(), &[seed]].concat());
            bytes.extend(next);
        }
        bytes.truncate(usize::try_from(bits / 8).unwrap());
        bytes[0] |= 0xc0;
        next_rough(BigUint::from_bytes_be(&bytes))
    }

    fn next_rough(mut number: BigUint) -> BigUint {
        loop {
            number += 1u32;
            if primes_below(SMALL_FACTORS_BELOW).all(|prime| remainder(&number, prime) != 0) {
                return number;
            }
        }
    }

    fn rsa_spki(modulus: &BigUint, exponent: u64) -> Vec<u8> {
        let key = yasna::construct_der(|writer| {
            writer.write_sequence(|writer| {
                writer.next().write_bigint_bytes(&modulus.to_bytes_be(), true);
                writer.next().write_u64(exponent);
            });
        });
        yasna::construct_der(|writer| {
            writer.write_sequence(|writer| {
                writer.next().write_sequence(|writer| {
                    writer.next().write_oid(&crate::der::oid(&[1, 2, 840, 113_549, 1, 1, 1]));
                    writer.next().write_null();
                });
                crate::der::bit_string(writer.next(), &key);
            });
        })
    }

    #[test]
    fn good_keys_pass() {
        for (kind, facts) in [
            (KeyType::EcP256, KeyFacts::Ec { curve: Curve::P256 }),
            (KeyType::EcP384, KeyFacts::Ec { curve: Curve::P384 }),
            (KeyType::Rsa2048, KeyFacts::Rsa { bits: 2048 }),
            (KeyType::Rsa3072, KeyFacts::Rsa { bits: 3072 }),
        ] {
            assert_eq!(check(SigningKey::generate(kind).unwrap().spki_der()), Ok(facts));
            assert_eq!(facts.key_type(), Some(kind));
        }
        let modulus = rough(1024, 1) * rough(1024, 2);
        assert_eq!(check(&rsa_spki(&modulus, 65_537)), Ok(KeyFacts::Rsa { bits: 2048 }));
    }

    #[test]
    fn ed25519_keys_without_a_private_key_are_refused() {
        let spki = |point: &[u8; 32]| {
            [hex::decode("302a300506032b6570032100").unwrap().as_slice(), point].concat()
        };
        for mut point in SMALL_ORDER {
            assert!(has_small_order(&point));
            // Some of these the library refuses to decode.
            assert!(check(&spki(&point)).is_err(), "{}", hex::encode(point));
            point[31] |= 0x80;
            assert!(check(&spki(&point)).is_err(), "{}", hex::encode(point));
        }
        assert_eq!(check(&spki(&SMALL_ORDER[1])), Err(KeyFault::SmallOrder));
        // The base point (RFC 8032 section 5.1).
        let mut base = [0x66; 32];
        base[0] = 0x58;
        assert_eq!(check(&spki(&base)), Ok(KeyFacts::Ed25519));
    }

    #[test]
    fn sizes_outside_of_2048_to_8192_are_refused() {
        for (bits, fault) in [(512, KeyFault::TooShort(1024)), (1000, KeyFault::TooShort(2000))] {
            assert_eq!(check(&rsa_spki(&(rough(bits, 1) * rough(bits, 2)), 65_537)), Err(fault));
        }
        let huge = BigUint::from(1u32) << 100_000u32;
        assert!(matches!(check(&rsa_spki(&huge, 65_537)), Err(KeyFault::BadSize(_))));
        let odd = (BigUint::from(1u32) << 2050u32) + 1u32;
        assert_eq!(check(&rsa_spki(&odd, 65_537)), Err(KeyFault::BadSize(2051)));
    }

    #[test]
    fn exponents_are_odd_and_large_enough() {
        let modulus = rough(1024, 1) * rough(1024, 2);
        for exponent in [0, 1, 3, 65_535, 65_538] {
            assert_eq!(
                check(&rsa_spki(&modulus, exponent)),
                Err(KeyFault::BadExponent),
                "{exponent}"
            );
        }
        assert!(check(&rsa_spki(&modulus, 65_539)).is_ok());
    }

    #[test]
    fn small_factors_are_found() {
        let modulus = rough(2040, 3) * 251u32;
        let modulus = if modulus.bits() == 2048 { modulus } else { rough(2040, 4) * 251u32 };
        assert_eq!(check(&rsa_spki(&modulus, 65_537)), Err(KeyFault::SmallFactor));
    }

    #[test]
    fn close_primes_are_found() {
        let p = rough(1024, 5);
        let q = next_rough(p.clone());
        assert_eq!(check(&rsa_spki(&(&p * &q), 65_537)), Err(KeyFault::ClosePrimes));
        assert_eq!(check(&rsa_spki(&(&p * &p), 65_537)), Err(KeyFault::ClosePrimes));
    }

    #[test]
    fn the_roca_fingerprint_is_found() {
        let product: BigUint = primes_below(ROCA_PRIMES_UP_TO + 1).map(BigUint::from).product();
        let power = BigUint::from(65_537u32).modpow(&BigUint::from(12_345u32), &product);
        let mut factor = (BigUint::from(3u32) << 2046u32) / &product;
        let modulus = loop {
            let modulus = &product * &factor + &power;
            if primes_below(SMALL_FACTORS_BELOW).all(|prime| remainder(&modulus, prime) != 0) {
                break modulus;
            }
            factor += 1u32;
        };
        assert_eq!(modulus.bits(), 2048);
        assert_eq!(check(&rsa_spki(&modulus, 65_537)), Err(KeyFault::Roca));
    }

    #[test]
    fn broken_points_and_encodings_are_refused() {
        let good = SigningKey::generate(KeyType::EcP256).unwrap().spki_der().to_vec();
        let mut moved = good.clone();
        *moved.last_mut().unwrap() ^= 1;
        assert_eq!(check(&moved), Err(KeyFault::NotOnCurve));
        assert_eq!(check(&[good.as_slice(), b"x"].concat()), Err(KeyFault::Unreadable));
        assert_eq!(check(&good[..good.len() - 1]), Err(KeyFault::Unreadable));
        assert_eq!(check(b""), Err(KeyFault::Unreadable));
    }

    #[test]
    fn every_fault_says_what_to_do() {
        for fault in [
            KeyFault::Unreadable,
            KeyFault::TooShort(1024),
            KeyFault::Roca,
            KeyFault::UnsupportedCurve,
        ] {
            let words = fault.to_string();
            assert!(words.contains("Make") || words.contains("Use"), "{words}");
        }
    }
}
