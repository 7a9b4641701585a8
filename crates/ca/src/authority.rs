//! The authority: a root, an issuing intermediate below it, and the intermediate's key.
//!
//! Made here at the first start, or brought in by the operator as a PEM key and chain. Profiles:
//! RFC 5280 section 4.2 and Baseline Requirements 7.1.2.1 (root) and 7.1.2.6 (TLS subordinate CA).

use domain::model::KeyType;
use domain::{Days, Timestamp};
use serde::{Deserialize, Serialize};

use crate::CaError;
use crate::certificate::{CaPlan, ca_name};
use crate::chain::{CaCertificate, Chain};
use crate::der::{self, pem};
use crate::keys::SigningKey;
use crate::master_key::MasterKey;

/// What the keys are sealed for.
const ISSUING_KEY: &str = "ca-issuing-key";
const ROOT_KEY: &str = "ca-root-key";

/// What a new authority should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorityOptions {
    /// Organization in both subjects, at most 40 characters.
    pub organization: String,
    /// Its country, ISO 3166-1 alpha-2.
    pub country: String,
    /// Kind of both keys.
    pub key: KeyType,
    /// First second of both certificates.
    pub not_before: Timestamp,
    /// The root's lifetime.
    pub root_lifetime: Days,
    /// The intermediate's lifetime; it ends with the root at the latest.
    pub issuing_lifetime: Days,
}

impl AuthorityOptions {
    /// ECDSA P-256; the root for 20 years, the intermediate for 10.
    pub fn new(organization: &str, country: &str, not_before: Timestamp) -> Self {
        Self {
            organization: organization.to_owned(),
            country: country.to_owned(),
            key: KeyType::EcP256,
            not_before,
            root_lifetime: Days(20 * 365),
            issuing_lifetime: Days(10 * 365),
        }
    }
}

/// All that must be kept of an authority; the keys are sealed under the master key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredAuthority {
    /// SHA-256 of the issuing certificate, lower-case hex: the database belongs to this issuer.
    pub issuer_id: String,
    /// The certificates in PEM, the issuing one first and the root last.
    pub chain_pem: String,
    /// The issuing key, sealed.
    #[serde(with = "der::base64_text")]
    pub issuing_key: Vec<u8>,
    /// The root's key, sealed; none where the operator brought the authority in.
    pub root_key: Option<SealedKey>,
}

/// A sealed key, base64 in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SealedKey(#[serde(with = "der::base64_text")] pub Vec<u8>);

/// An authority that can sign.
#[derive(Debug)]
pub struct Authority {
    chain: Chain,
    key: SigningKey,
    issuer_id: String,
    intermediates_pem: String,
}

impl Authority {
    /// Makes a root and an intermediate.
    pub fn generate(
        options: &AuthorityOptions,
        master: &MasterKey,
    ) -> Result<StoredAuthority, CaError> {
        let root_key = SigningKey::generate(options.key)?;
        let issuing_key = SigningKey::generate(options.key)?;
        let last = |days: Days| options.not_before.plus(days).plus_seconds(-1);
        let root_end = last(options.root_lifetime);
        let root_name = ca_name(options, "Root CA")?;
        let issuing_name = ca_name(options, "TLS Issuing CA")?;

        let root = CaPlan {
            subject: &root_name,
            key: &root_key,
            issuer: None,
            not_before: options.not_before,
            not_after: root_end,
        };
        let issuing = CaPlan {
            subject: &issuing_name,
            key: &issuing_key,
            issuer: Some((&root_name, &root_key)),
            not_before: options.not_before,
            not_after: root_end.min(last(options.issuing_lifetime)),
        };
        let (root, issuing) = (root.sign()?, issuing.sign()?);
        Ok(StoredAuthority {
            issuer_id: hex::encode(der::sha256(&issuing)),
            chain_pem: pem("CERTIFICATE", &issuing) + &pem("CERTIFICATE", &root),
            issuing_key: master.seal(ISSUING_KEY, &issuing_key.to_pkcs8()?)?,
            root_key: Some(SealedKey(master.seal(ROOT_KEY, &root_key.to_pkcs8()?)?)),
        })
    }

    /// Takes an authority that the operator brings: the issuing key in PEM, and the chain in PEM
    /// from the issuing certificate up to the root, in any order.
    ///
    /// The key must be the issuing certificate's, every certificate must be a CA that may sign
    /// certificates and CRLs and be signed by the next one, and all must be valid at `now`.
    pub fn bring_in(
        key_pem: &str,
        chain_pem: &str,
        now: Timestamp,
        master: &MasterKey,
    ) -> Result<StoredAuthority, CaError> {
        let key = SigningKey::from_pem(key_pem)?;
        let chain = Chain::read(chain_pem, key.spki_der())?;
        let stale = |one: &&CaCertificate| now < one.not_before() || now > one.not_after();
        if let Some(one) = chain.iter().find(stale) {
            return Err(CaError::Chain(format!("{} is not valid now", one.name())));
        }
        Ok(StoredAuthority {
            issuer_id: chain.issuing().fingerprint().to_owned(),
            chain_pem: chain.iter().map(CaCertificate::pem).collect(),
            issuing_key: master.seal(ISSUING_KEY, &key.to_pkcs8()?)?,
            root_key: None,
        })
    }

    /// Opens a stored authority, and checks once more that its parts belong together.
    pub fn load(stored: &StoredAuthority, master: &MasterKey) -> Result<Self, CaError> {
        let key = SigningKey::from_der(&master.open(ISSUING_KEY, &stored.issuing_key)?)?;
        let chain = Chain::read(&stored.chain_pem, key.spki_der())?;
        if chain.issuing().fingerprint() != stored.issuer_id {
            let words = "the issuing certificate is another one than this database belongs to";
            return Err(CaError::Chain(words.to_owned()));
        }
        let intermediates = chain.iter().filter(|one| !one.is_self_issued());
        let intermediates_pem = intermediates.map(CaCertificate::pem).collect();
        Ok(Self { chain, key, issuer_id: stored.issuer_id.clone(), intermediates_pem })
    }

    /// The last second of a kept authority's issuing certificate, which takes no key to read.
    pub fn end_of(stored: &StoredAuthority) -> Result<Timestamp, CaError> {
        let issuing = CaCertificate::find(&stored.chain_pem, &stored.issuer_id)?;
        Ok(issuing.not_after())
    }

    /// SHA-256 of the issuing certificate, lower-case hex.
    pub fn issuer_id(&self) -> &str {
        &self.issuer_id
    }

    /// The issuing certificate.
    pub fn issuing(&self) -> &CaCertificate {
        self.chain.issuing()
    }

    /// The root.
    pub fn root(&self) -> &CaCertificate {
        self.chain.root()
    }

    /// The root in PEM.
    pub fn root_pem(&self) -> String {
        self.root().pem()
    }

    /// The certificates, the issuing one first and the root last.
    pub fn certificates(&self) -> impl Iterator<Item = &CaCertificate> {
        self.chain.iter()
    }

    /// The intermediates in PEM, the issuing one first, without the root.
    pub fn intermediates_pem(&self) -> &str {
        &self.intermediates_pem
    }

    /// Whether a signature takes microseconds (ECDSA) and not milliseconds (RSA), which are better
    /// spent on a thread for blocking work.
    pub const fn signs_quickly(&self) -> bool {
        self.key.is_quick()
    }

    pub(crate) fn key(&self) -> &SigningKey {
        &self.key
    }
}
