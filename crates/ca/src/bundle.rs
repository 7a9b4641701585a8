//! The formats in which people download certificates.

use yasna::{DERWriterSeq, Tag};

use crate::CaError;
use crate::authority::Authority;
use crate::der::oid;

/// Which certificates a download holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// The certificate alone.
    Leaf,
    /// With the intermediates: what servers want.
    Chain,
    /// With the root as well.
    ChainAndRoot,
}

/// PEM, the certificate first. `certificate_pem` is one certificate as it was issued.
pub fn pem(certificate_pem: &str, authority: &Authority, depth: Depth) -> String {
    let certificate = certificate_pem.trim_end();
    match depth {
        Depth::Leaf => format!("{certificate}\n"),
        Depth::Chain => format!("{certificate}\n{}", authority.intermediates_pem()),
        Depth::ChainAndRoot => {
            let above: String = authority.certificates().map(crate::CaCertificate::pem).collect();
            format!("{certificate}\n{above}")
        }
    }
}

/// PKCS#7 with certificates only (RFC 5652 section 5, `application/x-pkcs7-certificates`), in DER.
/// `certificate_pem` is one certificate as it was issued.
pub fn pkcs7(certificate_pem: &str, authority: &Authority) -> Result<Vec<u8>, CaError> {
    let leaf = ::pem::parse(certificate_pem)
        .map_err(|_| CaError::Chain("the certificate is not readable as PEM".to_owned()))?;
    let mut certificates = vec![leaf.contents()];
    certificates.extend(authority.certificates().map(crate::CaCertificate::der));
    Ok(yasna::construct_der(|writer| {
        writer.write_sequence(|writer| {
            writer.next().write_oid(&oid(&[1, 2, 840, 113_549, 1, 7, 2]));
            writer.next().write_tagged(Tag::context(0), |writer| {
                writer.write_sequence(|writer| write_signed_data(writer, &certificates));
            });
        });
    }))
}

/// [`pkcs7`] in PEM, as `.p7b` files are.
pub fn pkcs7_pem(certificate_pem: &str, authority: &Authority) -> Result<String, CaError> {
    Ok(crate::der::pem("PKCS7", &pkcs7(certificate_pem, authority)?))
}

/// `SignedData` without content and signers: "degenerate", to carry certificates.
fn write_signed_data(writer: &mut DERWriterSeq<'_>, certificates: &[&[u8]]) {
    writer.next().write_u8(1);
    writer.next().write_set(|_| {});
    writer
        .next()
        .write_sequence(|writer| writer.next().write_oid(&oid(&[1, 2, 840, 113_549, 1, 7, 1])));
    writer.next().write_tagged_implicit(Tag::context(0), |writer| {
        writer.write_set_of(|writer| {
            for certificate in certificates {
                writer.next().write_der(certificate);
            }
        });
    });
    writer.next().write_set(|_| {});
}
