//! Private keys and the CSRs for them (RFC 2986). Keys leave this module only as the PEM text
//! that is written to the pending key's file.

use domain::model::KeyType;
use domain::{Name, NameSet};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, KeyPair, PublicKeyData, RsaKeySize, SanType,
};

/// A new key as PKCS #8 PEM, with a CSR for it. `Debug` is left out on purpose.
pub(crate) struct NewKey {
    pub key_pem: String,
    pub csr_pem: String,
}

/// Makes a key and its CSR. RSA keys take up to seconds: call it where blocking is allowed.
pub(crate) fn make(
    common_name: &Name,
    names: &NameSet,
    key_type: KeyType,
) -> Result<NewKey, rcgen::Error> {
    let key = generate(key_type)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    // RFC 5280 appendix A: a common name has at most 64 characters. Longer ones stand in the
    // SANs only.
    if common_name.as_str().len() <= 64 {
        params.distinguished_name.push(DnType::CommonName, common_name.as_str());
    }
    params.subject_alt_names = names
        .iter()
        .map(|name| match name {
            Name::Dns(name) => name.as_str().try_into().map(SanType::DnsName),
            Name::Ip(address) => Ok(SanType::IpAddress(address.address())),
        })
        .collect::<Result<_, _>>()?;
    let csr_pem = params.serialize_request(&key)?.pem()?;
    Ok(NewKey { key_pem: key.serialize_pem(), csr_pem })
}

fn generate(key_type: KeyType) -> Result<KeyPair, rcgen::Error> {
    let rsa = |size| KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, size);
    match key_type {
        KeyType::Rsa2048 => rsa(RsaKeySize::_2048),
        KeyType::Rsa3072 => rsa(RsaKeySize::_3072),
        KeyType::Rsa4096 => rsa(RsaKeySize::_4096),
        KeyType::EcP256 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256),
        KeyType::EcP384 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384),
    }
}

/// The public key's bits of a private key in PKCS #8 PEM, as [`crate::certificate::Leaf`] has
/// them.
pub(crate) fn public_key(key_pem: &str) -> Result<Vec<u8>, rcgen::Error> {
    Ok(KeyPair::from_pem(key_pem)?.der_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use x509_parser::prelude::{FromDer, X509CertificationRequest};

    #[test]
    fn every_key_type_gives_a_csr_for_its_own_key() {
        let common_name = Name::parse("www.example.test").unwrap();
        let names = NameSet::parse_list("www.example.test *.example.test").unwrap();
        for &key_type in KeyType::ALL.iter().filter(|kind| **kind != KeyType::Rsa4096) {
            let made = make(&common_name, &names, key_type).unwrap();
            let der = pem::parse(&made.csr_pem).unwrap();
            let (_, csr) = X509CertificationRequest::from_der(der.contents()).unwrap();
            let info = &csr.certification_request_info;
            let bits = &info.subject_pki.subject_public_key.data;
            assert_eq!(public_key(&made.key_pem).unwrap(), bits.as_ref(), "{key_type}");
            assert_eq!(info.subject.to_string(), "CN=www.example.test");
        }
    }

    #[test]
    fn a_long_common_name_stays_in_the_sans() {
        let long = Name::parse(&format!("{}.{}.test", "a".repeat(60), "b".repeat(60))).unwrap();
        let names = NameSet::with_common_name(&long, []);
        let made = make(&long, &names, KeyType::EcP256).unwrap();
        let der = pem::parse(&made.csr_pem).unwrap();
        let (_, csr) = X509CertificationRequest::from_der(der.contents()).unwrap();
        assert_eq!(csr.certification_request_info.subject.to_string(), "");
    }
}
