//! Responses: RFC 6960 section 4.2, signed by the issuing CA itself.

#![expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the methods themselves are not general enough over lifetimes"
)]

use aws_lc_rs::digest;
use domain::Timestamp;
use domain::model::{RevocationReason, SignatureHash};
use yasna::{DERWriter, DERWriterSeq, Tag};

use super::request::{CertId, HashKind, OcspFault, OcspRequest};
use crate::CaError;
use crate::authority::Authority;
use crate::chain::CaCertificate;
use crate::der::{CertTime, bit_string, extension, oid};

pub(crate) const NONCE: [u64; 10] = [1, 3, 6, 1, 5, 5, 7, 48, 1, 2];
const BASIC_RESPONSE: [u64; 10] = [1, 3, 6, 1, 5, 5, 7, 48, 1, 1];

/// What is known about a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertStatus {
    /// Issued here and not revoked.
    Good,
    /// Revoked.
    Revoked {
        /// When.
        at: Timestamp,
        /// Why.
        reason: RevocationReason,
    },
    /// Not issued here.
    Unknown,
}

/// The moments in a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OcspTimes {
    /// When the response is signed.
    pub produced_at: Timestamp,
    /// When the status was known to be correct.
    pub this_update: Timestamp,
    /// Until when clients may keep it.
    pub next_update: Timestamp,
}

/// A signed response. `status` says what is known about a certificate of this issuer; certificates
/// of other issuers are answered `unknown` without asking it.
pub fn respond(
    request: &OcspRequest,
    mut status: impl FnMut(&CertId) -> CertStatus,
    times: OcspTimes,
    authority: &Authority,
) -> Result<Vec<u8>, CaError> {
    let issuer = authority.issuing();
    let answers: Vec<(&CertId, CertStatus)> = request
        .certificates
        .iter()
        .map(|id| (id, if is_from(id, issuer) { status(id) } else { CertStatus::Unknown }))
        .collect();
    let algorithm = authority.key().algorithm(SignatureHash::Sha256);
    let data = response_data(&answers, request.nonce.as_deref(), times, issuer)?;
    let signature = authority.key().sign(algorithm, &data)?;
    let basic = yasna::construct_der(|writer| {
        writer.write_sequence(|writer| {
            writer.next().write_der(&data);
            algorithm.write(writer.next());
            bit_string(writer.next(), &signature);
        });
    });
    Ok(yasna::construct_der(|writer| {
        writer.write_sequence(|writer| {
            writer.next().write_enum(0);
            writer.next().write_tagged(Tag::context(0), |writer| {
                writer.write_sequence(|writer| {
                    writer.next().write_oid(&oid(&BASIC_RESPONSE));
                    writer.next().write_bytes(&basic);
                });
            });
        });
    }))
}

/// The unsigned response to a request that can't be answered.
pub fn fault_response(fault: OcspFault) -> Vec<u8> {
    let status = match fault {
        OcspFault::Malformed => 1,
        OcspFault::Internal => 2,
        OcspFault::TryLater => 3,
    };
    yasna::construct_der(|writer| writer.write_sequence(|writer| writer.next().write_enum(status)))
}

/// Whether the request means a certificate of this issuer (section 4.1.1).
fn is_from(id: &CertId, issuer: &CaCertificate) -> bool {
    let algorithm = match id.hash {
        Some(HashKind::Sha1) => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        Some(HashKind::Sha256) => &digest::SHA256,
        Some(HashKind::Sha384) => &digest::SHA384,
        Some(HashKind::Sha512) => &digest::SHA512,
        None => return false,
    };
    digest::digest(algorithm, issuer.subject_der()).as_ref() == id.issuer_name_hash
        && digest::digest(algorithm, issuer.key_bits()).as_ref() == id.issuer_key_hash
}

fn response_data(
    answers: &[(&CertId, CertStatus)],
    nonce: Option<&[u8]>,
    times: OcspTimes,
    issuer: &CaCertificate,
) -> Result<Vec<u8>, CaError> {
    let produced_at = CertTime::generalized(times.produced_at)?;
    let updates =
        [CertTime::generalized(times.this_update)?, CertTime::generalized(times.next_update)?];
    let mut revocations = Vec::with_capacity(answers.len());
    for (_, status) in answers {
        revocations.push(match status {
            CertStatus::Revoked { at, reason } => Some((CertTime::generalized(*at)?, *reason)),
            _ => None,
        });
    }
    let responder = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, issuer.key_bits());
    Ok(yasna::construct_der(|writer| {
        writer.write_sequence(|writer| {
            writer
                .next()
                .write_tagged(Tag::context(2), |writer| writer.write_bytes(responder.as_ref()));
            produced_at.write(writer.next());
            writer.next().write_sequence(|writer| {
                for ((id, status), revocation) in answers.iter().zip(&revocations) {
                    writer.next().write_sequence(|writer| {
                        writer.next().write_der(&id.der);
                        write_status(writer.next(), *status, revocation.as_ref());
                        write_updates(writer, &updates);
                    });
                }
            });
            if let Some(nonce) = nonce {
                writer.next().write_tagged(Tag::context(1), |writer| {
                    writer.write_sequence(|writer| {
                        extension(writer, &NONCE, false, |writer| writer.write_bytes(nonce));
                    });
                });
            }
        });
    }))
}

fn write_status(
    writer: DERWriter<'_>,
    status: CertStatus,
    revocation: Option<&(CertTime, RevocationReason)>,
) {
    let (Some((at, reason)), _) = (revocation, status) else {
        let tag = if status == CertStatus::Good { 0 } else { 2 };
        return writer.write_tagged_implicit(Tag::context(tag), |writer| writer.write_null());
    };
    writer.write_tagged_implicit(Tag::context(1), |writer| {
        writer.write_sequence(|writer| {
            at.write(writer.next());
            if *reason != RevocationReason::Unspecified {
                writer.next().write_tagged(Tag::context(0), |writer| {
                    writer.write_enum(i64::from(reason.code()));
                });
            }
        });
    });
}

fn write_updates(writer: &mut DERWriterSeq<'_>, [this_update, next_update]: &[CertTime; 2]) {
    this_update.write(writer.next());
    writer.next().write_tagged(Tag::context(0), |writer| next_update.write(writer));
}
