//! Key pairs that sign, and the signature algorithms they use (RFC 3279, 4055, 5758).

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, KeyPair,
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RsaKeyPair,
};
use domain::model::{KeyType, SignatureHash};
use yasna::DERWriter;
use zeroize::Zeroizing;

use crate::CaError;
use crate::der::{oid, pem};

/// Fills `bytes` with random ones.
#[expect(clippy::disallowed_methods, reason = "the one place where random bytes come from")]
pub(crate) fn random(bytes: &mut [u8]) -> Result<(), Unspecified> {
    aws_lc_rs::rand::fill(bytes)
}

/// A private key that signs, with its public half.
pub struct SigningKey {
    pair: Pair,
    spki: Vec<u8>,
}

enum Pair {
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
    Rsa(Box<RsaKeyPair>),
}

/// A signature algorithm of certificates, CRLs and OCSP responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignatureAlgorithm {
    EcdsaSha256,
    EcdsaSha384,
    RsaSha256,
    RsaSha384,
}

impl SignatureAlgorithm {
    /// Writes the `AlgorithmIdentifier`: parameters absent for ECDSA, NULL for RSA.
    pub(crate) fn write(self, writer: DERWriter<'_>) {
        let (id, null): (&[u64], bool) = match self {
            Self::EcdsaSha256 => (&[1, 2, 840, 10045, 4, 3, 2], false),
            Self::EcdsaSha384 => (&[1, 2, 840, 10045, 4, 3, 3], false),
            Self::RsaSha256 => (&[1, 2, 840, 113_549, 1, 1, 11], true),
            Self::RsaSha384 => (&[1, 2, 840, 113_549, 1, 1, 12], true),
        };
        writer.write_sequence(|writer| {
            writer.next().write_oid(&oid(id));
            if null {
                writer.next().write_null();
            }
        });
    }
}

impl SigningKey {
    /// Makes a key. RSA takes from a tenth of a second to several seconds.
    pub fn generate(kind: KeyType) -> Result<Self, CaError> {
        let failed = |_| CaError::Crypto("make a key");
        let rsa = |size| RsaKeyPair::generate(size).map(|pair| Pair::Rsa(Box::new(pair)));
        let pair = match kind {
            KeyType::EcP256 => {
                EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).map(Pair::P256)
            }
            KeyType::EcP384 => {
                EcdsaKeyPair::generate(&ECDSA_P384_SHA384_ASN1_SIGNING).map(Pair::P384)
            }
            KeyType::Rsa2048 => rsa(KeySize::Rsa2048),
            KeyType::Rsa3072 => rsa(KeySize::Rsa3072),
            KeyType::Rsa4096 => rsa(KeySize::Rsa4096),
        };
        Self::of(pair.map_err(failed)?)
    }

    /// Reads a private key in PEM: PKCS#8, SEC 1 (`EC PRIVATE KEY`) or PKCS#1 (`RSA PRIVATE KEY`),
    /// not encrypted.
    pub fn from_pem(text: &str) -> Result<Self, CaError> {
        let blocks = pem::parse_many(text)
            .map_err(|_| CaError::Key("it is not readable as PEM".to_owned()))?;
        let block = blocks
            .into_iter()
            .find(|block| block.tag().ends_with("PRIVATE KEY"))
            .ok_or_else(|| CaError::Key("there is no PRIVATE KEY block in it".to_owned()))?;
        let encrypted = block.tag().starts_with("ENCRYPTED")
            || block.headers().iter().any(|(name, _)| name == "DEK-Info");
        if encrypted {
            let advice =
                "it is encrypted. Decrypt it first: openssl pkey -in KEY.pem -out PLAIN.pem";
            return Err(CaError::Key(advice.to_owned()));
        }
        Self::from_der(&Zeroizing::new(block.into_contents()))
    }

    /// Reads a private key in DER: PKCS#8, SEC 1 or PKCS#1.
    pub fn from_der(der: &[u8]) -> Result<Self, CaError> {
        let p256 = || EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_ASN1_SIGNING, der);
        let p384 = || EcdsaKeyPair::from_private_key_der(&ECDSA_P384_SHA384_ASN1_SIGNING, der);
        let rsa = || RsaKeyPair::from_pkcs8(der).or_else(|_| RsaKeyPair::from_der(der));
        let pair = p256()
            .map(Pair::P256)
            .or_else(|_| p384().map(Pair::P384))
            .or_else(|_| rsa().map(|pair| Pair::Rsa(Box::new(pair))))
            .map_err(|_| {
                CaError::Key(
                    "it must be ECDSA P-256 or P-384, or RSA of 2048 to 8192 bits".to_owned(),
                )
            })?;
        Self::of(pair)
    }

    fn of(pair: Pair) -> Result<Self, CaError> {
        let encoded = match &pair {
            Pair::P256(pair) | Pair::P384(pair) => {
                AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key())
            }
            Pair::Rsa(pair) => AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key()),
        };
        let spki = encoded.map_err(|_| CaError::Crypto("encode a public key"))?.as_ref().to_vec();
        Ok(Self { pair, spki })
    }

    /// The public key: `SubjectPublicKeyInfo` in DER.
    pub fn spki_der(&self) -> &[u8] {
        &self.spki
    }

    /// The private key: PKCS#8 in DER.
    pub fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, CaError> {
        let failed = |_| CaError::Crypto("encode a private key");
        let bytes = match &self.pair {
            Pair::P256(pair) | Pair::P384(pair) => {
                pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec()
            }
            Pair::Rsa(pair) => {
                AsDer::<Pkcs8V1Der<'_>>::as_der(&**pair).map_err(failed)?.as_ref().to_vec()
            }
        };
        Ok(Zeroizing::new(bytes))
    }

    /// The private key: PKCS#8 in PEM.
    pub fn to_pkcs8_pem(&self) -> Result<Zeroizing<String>, CaError> {
        Ok(Zeroizing::new(pem("PRIVATE KEY", &self.to_pkcs8()?)))
    }

    /// The algorithm for a hash. ECDSA keys have one hash each, the one of their curve's size
    /// (Baseline Requirements 7.1.3.2.2).
    pub(crate) const fn algorithm(&self, hash: SignatureHash) -> SignatureAlgorithm {
        match (&self.pair, hash) {
            (Pair::P256(_), _) => SignatureAlgorithm::EcdsaSha256,
            (Pair::P384(_), _) => SignatureAlgorithm::EcdsaSha384,
            (Pair::Rsa(_), SignatureHash::Sha256) => SignatureAlgorithm::RsaSha256,
            (Pair::Rsa(_), SignatureHash::Sha384) => SignatureAlgorithm::RsaSha384,
        }
    }

    /// Whether a signature takes microseconds, not milliseconds.
    pub(crate) const fn is_quick(&self) -> bool {
        matches!(self.pair, Pair::P256(_) | Pair::P384(_))
    }

    pub(crate) fn sign(
        &self,
        algorithm: SignatureAlgorithm,
        message: &[u8],
    ) -> Result<Vec<u8>, CaError> {
        let failed = |_| CaError::Crypto("sign");
        let random = SystemRandom::new();
        match &self.pair {
            Pair::P256(pair) | Pair::P384(pair) => {
                Ok(pair.sign(&random, message).map_err(failed)?.as_ref().to_vec())
            }
            Pair::Rsa(pair) => {
                let encoding = match algorithm {
                    SignatureAlgorithm::RsaSha384 => &RSA_PKCS1_SHA384,
                    _ => &RSA_PKCS1_SHA256,
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &random, message, &mut signature).map_err(failed)?;
                Ok(signature)
            }
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(secret)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_survives_its_encoding() {
        for kind in [KeyType::EcP256, KeyType::EcP384, KeyType::Rsa2048] {
            let key = SigningKey::generate(kind).unwrap();
            let again = SigningKey::from_pem(&key.to_pkcs8_pem().unwrap()).unwrap();
            assert_eq!(key.spki_der(), again.spki_der(), "{kind}");
            assert_eq!(format!("{key:?}"), "SigningKey(secret)");
        }
    }

    #[test]
    fn refuses_keys_that_it_cannot_use_in_words() {
        let encrypted = pem("ENCRYPTED PRIVATE KEY", b"x");
        let words = |text: &str| SigningKey::from_pem(text).unwrap_err().to_string();
        assert!(words(&encrypted).contains("openssl pkey"));
        assert!(words("hello").contains("PRIVATE KEY"));
        assert!(words(&pem("PRIVATE KEY", b"x")).contains("P-256"));
    }
}
