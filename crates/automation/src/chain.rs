//! Reading the chain that an endpoint serves, whoever issued it.

use std::net::IpAddr;

use aws_lc_rs::digest::{SHA256, digest};
use domain::model::Serial;
use domain::{DnsName, Name, NameSet, Timestamp};
use lifecycle::automation::{ReadChain, Served};

use x509_parser::extensions::GeneralName;
use x509_parser::pem::Pem;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// The most certificates that are looked at.
const MAX_CERTIFICATES: usize = 10;

/// Why a served chain can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// No certificate in it.
    #[error("the server sent no certificate")]
    Empty,
    /// Not PEM, or not X.509.
    #[error("the server sent a certificate that can't be read")]
    Malformed,
}

/// Reads the leaf of a PEM chain. Names that orders don't hold are left out: such certificates
/// occur on other CAs' endpoints.
pub fn read_chain(pem: &str) -> Result<ReadChain, ChainError> {
    let first = Pem::iter_from_buffer(pem.as_bytes())
        .take(MAX_CERTIFICATES)
        .next()
        .ok_or(ChainError::Empty)?
        .map_err(|_| ChainError::Malformed)?;
    let (_, leaf) =
        X509Certificate::from_der(&first.contents).map_err(|_| ChainError::Malformed)?;
    let common_name = leaf
        .subject()
        .iter_common_name()
        .next()
        .and_then(|attribute| attribute.as_str().ok())
        .and_then(|text| Name::parse(text).ok());
    let mut names = names(&leaf);
    if let Some(name) = &common_name {
        names.insert(name.clone());
    }
    Ok(ReadChain {
        fingerprint: hex::encode(digest(&SHA256, &first.contents)),
        served: Served {
            chain_pem: pem.to_owned(),
            serial: Serial::from_bytes(&leaf.tbs_certificate.serial.to_bytes_be()),
            issuer: issuer_name(&leaf),
            common_name,
            names,
            not_before: Timestamp(leaf.validity().not_before.timestamp()),
            not_after: Timestamp(leaf.validity().not_after.timestamp()),
        },
    })
}

fn names(leaf: &X509Certificate<'_>) -> NameSet {
    let Ok(Some(extension)) = leaf.subject_alternative_name() else { return NameSet::default() };
    extension
        .value
        .general_names
        .iter()
        .filter_map(|name| match name {
            GeneralName::DNSName(text) => DnsName::parse(text).ok().map(Name::Dns),
            GeneralName::IPAddress(bytes) => address(bytes).map(Name::from),
            _ => None,
        })
        .collect()
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

/// The issuer as people read it: its common name, else its organization.
fn issuer_name(leaf: &X509Certificate<'_>) -> String {
    let issuer = leaf.issuer();
    let text = issuer
        .iter_common_name()
        .chain(issuer.iter_organization())
        .find_map(|attribute| attribute.as_str().ok());
    text.unwrap_or("unknown").chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_leaf() {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(vec![
            "www.example.com".to_owned(),
            "a.example.com".to_owned(),
            "192.0.2.7".to_owned(),
        ])
        .unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, "www.example.com");
        params.serial_number = Some(rcgen::SerialNumber::from(vec![0x0a, 0xbc]));
        let pem = params.self_signed(&key).unwrap().pem();
        let read = read_chain(&pem).unwrap();
        assert_eq!(read.served.serial.0, "0abc");
        assert_eq!(read.served.common_name.unwrap().as_str(), "www.example.com");
        assert_eq!(read.served.names.canonical(), "a.example.com,www.example.com,192.0.2.7");
        assert_eq!(read.fingerprint.len(), 64);
    }

    #[test]
    fn says_what_is_wrong() {
        assert_eq!(read_chain("").unwrap_err(), ChainError::Empty);
        let junk = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert_eq!(read_chain(junk).unwrap_err(), ChainError::Malformed);
    }
}
