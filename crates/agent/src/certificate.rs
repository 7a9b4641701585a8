//! The few facts of certificates that an installation looks at.

use domain::Timestamp;
use domain::model::Serial;
use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, X509Certificate};

/// The first certificate of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leaf {
    pub serial: Serial,
    /// The subject's common name; empty where it has none.
    pub common_name: String,
    pub not_after: Timestamp,
    /// The subject public key's bits (RFC 5280 section 4.1.2.7).
    pub public_key: Vec<u8>,
}

/// The text is not a certificate, or not only certificates.
#[derive(Debug, thiserror::Error)]
#[error("the portal sent something that is not a PEM certificate")]
pub(crate) struct NotACertificate;

impl Leaf {
    pub(crate) fn from_der(der: &[u8]) -> Result<Self, NotACertificate> {
        let (_, certificate) = X509Certificate::from_der(der).map_err(|_| NotACertificate)?;
        let name = certificate.subject().iter_common_name().next();
        Ok(Self {
            serial: Serial::from_bytes(certificate.raw_serial()),
            common_name: name.and_then(|name| name.as_str().ok()).unwrap_or_default().to_owned(),
            not_after: Timestamp(certificate.validity().not_after.timestamp()),
            public_key: certificate.public_key().subject_public_key.data.to_vec(),
        })
    }

    /// Reads the one certificate of a PEM text.
    pub(crate) fn from_pem(text: &str) -> Result<Self, NotACertificate> {
        match read_chain(text)?.as_slice() {
            [only] => Self::from_der(only),
            _ => Err(NotACertificate),
        }
    }
}

/// The certificates of a PEM text that holds nothing else, in DER. An empty text holds none.
pub(crate) fn read_chain(text: &str) -> Result<Vec<Vec<u8>>, NotACertificate> {
    let parts = pem::parse_many(text).map_err(|_| NotACertificate)?;
    parts
        .into_iter()
        .map(|part| {
            let der = part.contents().to_vec();
            let readable = part.tag() == "CERTIFICATE" && Leaf::from_der(&der).is_ok();
            readable.then_some(der).ok_or(NotACertificate)
        })
        .collect()
}

/// Certificates as PEM, in their order.
pub(crate) fn write_chain(chain: &[CertificateDer<'_>]) -> String {
    let parts: Vec<pem::Pem> =
        chain.iter().map(|der| pem::Pem::new("CERTIFICATE", der.to_vec())).collect();
    let unix = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    pem::encode_many_config(&parts, unix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_leaf_and_refuses_what_is_not_one() {
        let made = rcgen::generate_simple_self_signed(["www.example.test".to_owned()]).unwrap();
        let text = made.cert.pem();
        let leaf = Leaf::from_pem(&text).unwrap();
        assert_eq!(Leaf::from_der(made.cert.der()).unwrap(), leaf);
        let served = write_chain(&[made.cert.der().clone(), made.cert.der().clone()]);
        assert_eq!(read_chain(&served).unwrap().len(), 2);
        assert!(Leaf::from_pem(&served).is_err());
        assert!(Leaf::from_pem(&made.signing_key.serialize_pem()).is_err());
        assert!(Leaf::from_pem("").is_err());
    }
}
