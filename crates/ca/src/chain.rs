//! CA certificates, and the checks that they make a chain (RFC 5280 section 6.1, as far as an
//! issuer must know about itself).

use aws_lc_rs::signature::UnparsedPublicKey;
use domain::Timestamp;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use crate::CaError;
use crate::der::{pem, sha256};
use crate::key_check::{self, KeyFacts};
use crate::self_signature::verification;

/// Longest chain that is read.
const MAX_CERTIFICATES: usize = 10;

/// A CA certificate with what issuing needs of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaCertificate {
    der: Vec<u8>,
    name: String,
    common_name: Option<String>,
    subject_der: Vec<u8>,
    issuer_der: Vec<u8>,
    spki: Vec<u8>,
    key_bits: Vec<u8>,
    key: KeyFacts,
    key_id: Vec<u8>,
    not_before: Timestamp,
    not_after: Timestamp,
    fingerprint: String,
}

impl CaCertificate {
    /// The certificate of this fingerprint among those of a PEM text.
    pub(crate) fn find(text: &str, fingerprint: &str) -> Result<Self, CaError> {
        let block = blocks(text)?
            .into_iter()
            .find(|block| hex::encode(sha256(block.contents())) == fingerprint)
            .ok_or_else(|| CaError::Chain("the issuing certificate is missing".to_owned()))?;
        Self::read(block.contents())
    }

    fn read(der: &[u8]) -> Result<Self, CaError> {
        let unreadable = || CaError::Chain("one of the certificates can't be read".to_owned());
        let (rest, x509) = X509Certificate::from_der(der).map_err(|_| unreadable())?;
        if !rest.is_empty() {
            return Err(unreadable());
        }
        let name = x509.subject().to_string();
        let refused = |words: &str| CaError::Chain(format!("{name} {words}"));
        let is_ca = x509.basic_constraints().ok().flatten().is_some_and(|basic| basic.value.ca);
        if !is_ca {
            return Err(refused("is not a CA certificate (CA:TRUE is missing)"));
        }
        let usage = x509.key_usage().map_err(|_| unreadable())?;
        if usage.is_some_and(|usage| !usage.value.key_cert_sign() || !usage.value.crl_sign()) {
            return Err(refused("may not sign certificates and CRLs (keyCertSign, cRLSign)"));
        }
        let spki = x509.public_key().raw.to_vec();
        let key =
            key_check::check(&spki).map_err(|fault| refused(&format!("has a bad key: {fault}")))?;
        Ok(Self {
            key_id: subject_key_id(&x509)
                .or_else(|| key_check::key_identifier(&spki))
                .ok_or_else(unreadable)?,
            key_bits: x509.public_key().subject_public_key.data.to_vec(),
            subject_der: x509.subject().as_raw().to_vec(),
            issuer_der: x509.issuer().as_raw().to_vec(),
            common_name: x509
                .subject()
                .iter_common_name()
                .find_map(|one| one.as_str().ok())
                .map(ToOwned::to_owned),
            not_before: Timestamp(x509.validity().not_before.timestamp()),
            not_after: Timestamp(x509.validity().not_after.timestamp()),
            fingerprint: hex::encode(sha256(der)),
            der: der.to_vec(),
            spki,
            key,
            name,
        })
    }

    /// The certificate in DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The certificate in PEM.
    pub fn pem(&self) -> String {
        pem("CERTIFICATE", &self.der)
    }

    /// Its subject, as people read it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The common name of its subject; the whole subject where that has none.
    pub fn common_name(&self) -> &str {
        self.common_name.as_deref().unwrap_or(&self.name)
    }

    /// SHA-256 of the DER, lower-case hex.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// First second of validity.
    pub fn not_before(&self) -> Timestamp {
        self.not_before
    }

    /// Last second of validity.
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// Its subject key identifier: the authority key identifier of what it signs. RFC 9773 names
    /// certificates by it.
    pub fn key_id(&self) -> &[u8] {
        &self.key_id
    }

    /// Whether subject and issuer are the same: a root.
    pub fn is_self_issued(&self) -> bool {
        self.subject_der == self.issuer_der
    }

    pub(crate) fn subject_der(&self) -> &[u8] {
        &self.subject_der
    }

    /// The bits of the public key, which OCSP hashes (RFC 6960 section 4.1.1).
    pub(crate) fn key_bits(&self) -> &[u8] {
        &self.key_bits
    }
}

/// The certificates of a PEM text.
fn blocks(text: &str) -> Result<Vec<pem::Pem>, CaError> {
    let blocks = pem::parse_many(text)
        .map_err(|_| CaError::Chain("the file is not readable as PEM".to_owned()))?;
    Ok(blocks.into_iter().filter(|block| block.tag() == "CERTIFICATE").collect())
}

fn subject_key_id(x509: &X509Certificate<'_>) -> Option<Vec<u8>> {
    use x509_parser::extensions::ParsedExtension;
    x509.iter_extensions().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0.to_vec()),
        _ => None,
    })
}

/// CA certificates where each is signed by the next one.
#[derive(Debug)]
pub(crate) struct Chain {
    issuing: CaCertificate,
    above: Vec<CaCertificate>,
}

impl Chain {
    /// Reads certificates in any order, and puts the one with the issuing key first.
    pub(crate) fn read(text: &str, issuing_spki: &[u8]) -> Result<Self, CaError> {
        let blocks = blocks(text)?;
        if blocks.len() > MAX_CERTIFICATES {
            return Err(CaError::Chain(format!("there are more than {MAX_CERTIFICATES} of them")));
        }
        let mut rest = blocks
            .iter()
            .map(|block| CaCertificate::read(block.contents()))
            .collect::<Result<Vec<_>, _>>()?;
        let at = rest
            .iter()
            .position(|one| one.spki == issuing_spki)
            .ok_or_else(|| CaError::Chain("none of them belongs to the private key".to_owned()))?;
        let issuing = rest.swap_remove(at);
        let mut chain = Self { issuing, above: Vec::new() };
        while !chain.root().is_self_issued() {
            let lower = chain.root();
            let Some(at) = rest.iter().position(|one| one.subject_der == lower.issuer_der) else {
                return Err(CaError::Chain(format!(
                    "the certificate above {} is missing",
                    lower.name
                )));
            };
            let upper = rest.swap_remove(at);
            check_signature(lower, &upper)?;
            chain.above.push(upper);
        }
        check_signature(chain.root(), chain.root())?;
        match rest.first() {
            Some(stray) => {
                Err(CaError::Chain(format!("{} does not belong to the chain", stray.name)))
            }
            None => Ok(chain),
        }
    }

    pub(crate) fn issuing(&self) -> &CaCertificate {
        &self.issuing
    }

    /// The last certificate.
    pub(crate) fn root(&self) -> &CaCertificate {
        self.above.last().unwrap_or(&self.issuing)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &CaCertificate> {
        std::iter::once(&self.issuing).chain(&self.above)
    }
}

fn check_signature(lower: &CaCertificate, upper: &CaCertificate) -> Result<(), CaError> {
    let refused = || CaError::Chain(format!("{} is not signed by {}", lower.name, upper.name));
    let (_, x509) = X509Certificate::from_der(&lower.der).map_err(|_| refused())?;
    let id = x509.signature_algorithm.algorithm.to_id_string();
    let algorithm = verification(&id, upper.key).ok_or_else(refused)?;
    UnparsedPublicKey::new(algorithm, &upper.key_bits)
        .verify(x509.tbs_certificate.as_ref(), &x509.signature_value.data)
        .map_err(|_| refused())
}
