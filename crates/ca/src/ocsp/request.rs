//! Requests: RFC 6960 section 4.1, over GET and POST as in appendix A.1.

#![expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the methods themselves are not general enough over lifetimes"
)]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::model::Serial;
use yasna::models::ObjectIdentifier;
use yasna::{ASN1Error, ASN1ErrorKind, ASN1Result, BERReader, BERReaderSeq, Tag};

use crate::der::oid;

/// Longest request in bytes.
pub const MAX_REQUEST: usize = 16 * 1024;
/// Most certificates asked about at once: clients ask about one, or about a chain.
const MAX_CERTIFICATES: usize = 16;
/// Longest nonce in bytes (RFC 9654 section 2.1).
const MAX_NONCE: usize = 128;

/// What a client asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OcspRequest {
    /// The certificates asked about, at least one.
    pub certificates: Vec<CertId>,
    /// The nonce to send back.
    pub nonce: Option<Vec<u8>>,
}

/// A certificate, named by hashes of its issuer and its serial number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertId {
    /// The serial number.
    pub serial: Serial,
    /// The whole `CertID` in DER: responses repeat it as it was.
    pub(crate) der: Vec<u8>,
    pub(crate) hash: Option<HashKind>,
    pub(crate) issuer_name_hash: Vec<u8>,
    pub(crate) issuer_key_hash: Vec<u8>,
}

/// The hashes that clients name issuers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HashKind {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

/// Why there is no signed answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OcspFault {
    /// Not an OCSP request, or one that is too long.
    #[error("this is not an OCSP request")]
    Malformed,
    /// The responder failed.
    #[error("the responder failed")]
    Internal,
    /// The responder is not ready yet.
    #[error("try again later")]
    TryLater,
}

impl OcspRequest {
    /// Reads the body of a POST (`application/ocsp-request`).
    pub fn parse(der: &[u8]) -> Result<Self, OcspFault> {
        if der.len() > MAX_REQUEST {
            return Err(OcspFault::Malformed);
        }
        let read = yasna::parse_der(der, |reader| reader.read_sequence(read_request));
        let request = read.map_err(|_| OcspFault::Malformed)?;
        let count = request.certificates.len();
        let nonce_fits =
            request.nonce.as_ref().is_none_or(|nonce| (1..=MAX_NONCE).contains(&nonce.len()));
        if count == 0 || count > MAX_CERTIFICATES || !nonce_fits {
            return Err(OcspFault::Malformed);
        }
        Ok(request)
    }

    /// Reads what follows the responder's address in a GET: base64 of the DER, percent-encoded or
    /// decoded already.
    pub fn parse_get(path: &str) -> Result<Self, OcspFault> {
        if path.len() > MAX_REQUEST * 4 {
            return Err(OcspFault::Malformed);
        }
        let text = percent_decoded(path.trim_start_matches('/')).ok_or(OcspFault::Malformed)?;
        let der = STANDARD.decode(text).map_err(|_| OcspFault::Malformed)?;
        Self::parse(&der)
    }
}

fn percent_decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        if *first == b'%' {
            let (digits, tail) = rest.split_at_checked(2)?;
            bytes.extend(hex::decode(digits).ok()?);
            rest = tail;
        } else {
            bytes.push(*first);
        }
    }
    Some(bytes)
}

/// `OCSPRequest ::= SEQUENCE { tbsRequest, optionalSignature [0] OPTIONAL }`; signatures are
/// accepted and not needed.
fn read_request(reader: &mut BERReaderSeq<'_, '_>) -> ASN1Result<OcspRequest> {
    let request = reader.next().read_sequence(|reader| {
        reader.read_optional(|reader| {
            reader.read_tagged(Tag::context(0), |reader| match reader.read_u8()? {
                0 => Ok(()),
                _ => Err(ASN1Error::new(ASN1ErrorKind::Invalid)),
            })
        })?;
        reader.read_optional(|reader| {
            reader.read_tagged(Tag::context(1), |reader| reader.read_der())
        })?;
        let mut certificates = Vec::new();
        reader.next().read_sequence_of(|reader| {
            certificates.push(reader.read_sequence(read_single)?);
            Ok(())
        })?;
        let nonce = reader
            .read_optional(|reader| reader.read_tagged(Tag::context(2), read_nonce))?
            .flatten();
        Ok(OcspRequest { certificates, nonce })
    })?;
    reader
        .read_optional(|reader| reader.read_tagged(Tag::context(0), |reader| reader.read_der()))?;
    Ok(request)
}

fn read_single(reader: &mut BERReaderSeq<'_, '_>) -> ASN1Result<CertId> {
    let der = reader.next().read_der()?;
    reader
        .read_optional(|reader| reader.read_tagged(Tag::context(0), |reader| reader.read_der()))?;
    yasna::parse_der(&der, |reader| {
        reader.read_sequence(|reader| {
            let hash = reader.next().read_sequence(|reader| {
                let id = reader.next().read_oid()?;
                reader.read_optional(|reader| reader.read_null())?;
                Ok(hash_kind(&id))
            })?;
            let issuer_name_hash = reader.next().read_bytes()?;
            let issuer_key_hash = reader.next().read_bytes()?;
            let (serial, _positive) = reader.next().read_bigint_bytes()?;
            let serial = Serial::from_bytes(&serial);
            Ok(CertId { serial, der: der.clone(), hash, issuer_name_hash, issuer_key_hash })
        })
    })
}

fn hash_kind(id: &ObjectIdentifier) -> Option<HashKind> {
    let known: [(&[u64], HashKind); 4] = [
        (&[1, 3, 14, 3, 2, 26], HashKind::Sha1),
        (&[2, 16, 840, 1, 101, 3, 4, 2, 1], HashKind::Sha256),
        (&[2, 16, 840, 1, 101, 3, 4, 2, 2], HashKind::Sha384),
        (&[2, 16, 840, 1, 101, 3, 4, 2, 3], HashKind::Sha512),
    ];
    known.into_iter().find(|(arcs, _)| oid(arcs) == *id).map(|(_, kind)| kind)
}

/// The nonce among the request's extensions; others are read over unless they are critical.
fn read_nonce(reader: BERReader<'_, '_>) -> ASN1Result<Option<Vec<u8>>> {
    let mut nonce = None;
    reader.read_sequence_of(|reader| {
        reader.read_sequence(|reader| {
            let id = reader.next().read_oid()?;
            let critical = reader.read_optional(|reader| reader.read_bool())?.unwrap_or(false);
            let value = reader.next().read_bytes()?;
            if id == oid(&super::response::NONCE) {
                nonce = Some(yasna::parse_der(&value, |reader| reader.read_bytes())?);
            } else if critical {
                return Err(ASN1Error::new(ASN1ErrorKind::Invalid));
            }
            Ok(())
        })
    })?;
    Ok(nonce)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(certificates: usize) -> Vec<u8> {
        let id = yasna::construct_der(|writer| {
            writer.write_sequence(|writer| {
                writer.next().write_sequence(|writer| {
                    writer.next().write_oid(&oid(&[1, 3, 14, 3, 2, 26]));
                });
                writer.next().write_bytes(&[0; 20]);
                writer.next().write_bytes(&[0; 20]);
                writer.next().write_u8(5);
            });
        });
        yasna::construct_der(|writer| {
            writer.write_sequence(|writer| {
                writer.next().write_sequence(|writer| {
                    writer.next().write_sequence(|writer| {
                        for _ in 0..certificates {
                            writer.next().write_sequence(|writer| writer.next().write_der(&id));
                        }
                    });
                });
            });
        })
    }

    #[test]
    fn asks_about_some_certificates_but_not_about_many() {
        for (count, read) in
            [(0, false), (1, true), (MAX_CERTIFICATES, true), (MAX_CERTIFICATES + 1, false)]
        {
            assert_eq!(OcspRequest::parse(&about(count)).is_ok(), read, "{count}");
        }
    }
}
