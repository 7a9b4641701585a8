//! Issuing in three steps, each used up by the next: a [`Plan`] is linted, a [`LintedPlan`] is
//! signed, an [`IssuedCertificate`] is handed out.
//!
//! The plan is what the database keeps before anything is signed. Linting fixes the bytes to be
//! signed, so that exactly what was checked is what gets the signature.

use domain::model::{Serial, SignatureHash};
use domain::{Days, NameSet, Timestamp, Validation};
use serde::{Deserialize, Serialize};

use crate::CaError;
use crate::authority::Authority;
use crate::certificate;
use crate::der::{self, pem, sha256};
use crate::keys::{SignatureAlgorithm, random};
use crate::lint::{self, LintFaults};
use crate::profile::{Subject, Urls};

/// What is going to be signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The reserved serial number, of [`new_serial`].
    pub serial: Serial,
    /// The product's validation: decides subject and policy.
    pub validation: Validation,
    /// Whom it is for.
    pub subject: Subject,
    /// The subject alternative names, with the common name among them.
    pub names: NameSet,
    /// The subject's public key: `SubjectPublicKeyInfo` in DER, base64 in JSON.
    #[serde(with = "der::base64_text")]
    pub spki_der: Vec<u8>,
    /// First second of validity.
    pub not_before: Timestamp,
    /// Last second of validity: a certificate of one day ends 86,399 seconds after it begins.
    pub not_after: Timestamp,
    /// The longest that the product's certificates may live at `not_before`.
    pub max_lifetime: Days,
    /// The wanted hash. ECDSA issuers sign with the hash of their curve whatever is wanted.
    pub signature_hash: SignatureHash,
    /// What the certificate says about CRL, OCSP and issuer.
    pub urls: Urls,
}

/// A plan that passed the lints of [`mod@crate::lint`] for one issuer.
#[derive(Debug)]
pub struct LintedPlan {
    plan: Plan,
    to_be_signed: Vec<u8>,
    algorithm: SignatureAlgorithm,
    issuer_id: String,
}

/// A certificate with all that is kept and handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedCertificate {
    /// The certificate in DER.
    pub der: Vec<u8>,
    /// The certificate in PEM.
    pub pem: String,
    /// The certificate and the intermediates above it in PEM, without the root.
    pub chain_pem: String,
    /// Its serial number.
    pub serial: Serial,
    /// SHA-256 of the DER, lower-case hex.
    pub fingerprint_sha256: String,
    /// First second of validity.
    pub not_before: Timestamp,
    /// Last second of validity.
    pub not_after: Timestamp,
}

impl Plan {
    /// Checks the plan against its own limits, the product's profile and the issuer.
    pub fn lint(self, authority: &Authority) -> Result<LintedPlan, LintFaults> {
        let key = lint::check(&self, authority)?;
        let algorithm = authority.key().algorithm(self.signature_hash);
        let to_be_signed =
            certificate::leaf_to_be_signed(&self, key, authority.issuing(), algorithm)
                .map_err(|_| LintFaults(vec![lint::LintFault::Time]))?;
        Ok(LintedPlan {
            plan: self,
            to_be_signed,
            algorithm,
            issuer_id: authority.issuer_id().to_owned(),
        })
    }
}

impl LintedPlan {
    /// Signs exactly what was linted.
    pub fn sign(self, authority: &Authority) -> Result<IssuedCertificate, CaError> {
        if self.issuer_id != authority.issuer_id() {
            return Err(CaError::IssuerChanged);
        }
        let der = der::signed(&self.to_be_signed, authority.key(), self.algorithm)?;
        let pem = pem("CERTIFICATE", &der);
        Ok(IssuedCertificate {
            chain_pem: format!("{pem}{}", authority.intermediates_pem()),
            fingerprint_sha256: hex::encode(sha256(&der)),
            pem,
            der,
            serial: self.plan.serial,
            not_before: self.plan.not_before,
            not_after: self.plan.not_after,
        })
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }
}

/// A fresh serial number: 16 random bytes, positive (top bit clear) and of full length.
pub fn new_serial() -> Result<Serial, CaError> {
    let mut bytes = [0u8; 16];
    loop {
        random(&mut bytes).map_err(|_| CaError::Crypto("make a serial number"))?;
        let [first, ..] = &mut bytes;
        *first &= 0x7f;
        if *first != 0 {
            return Ok(Serial::from_bytes(&bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serials_are_positive_long_and_different() {
        let serials: std::collections::BTreeSet<Serial> =
            (0..2000).map(|_| new_serial().unwrap()).collect();
        assert_eq!(serials.len(), 2000);
        for serial in serials {
            let bytes = serial.to_bytes().unwrap();
            assert_eq!(bytes.len(), 16);
            assert!((0x01..=0x7f).contains(&bytes[0]), "{serial}");
        }
    }
}
