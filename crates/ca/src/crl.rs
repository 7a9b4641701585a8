//! Certificate revocation lists (RFC 5280 section 5): one full list per issuer.

use domain::Timestamp;
use domain::model::{RevocationReason, Serial, SignatureHash};
use yasna::{DERWriter, Tag};

use crate::CaError;
use crate::authority::Authority;
use crate::der::{self, CertTime, authority_key_identifier, extension, pem};
use crate::keys::SignatureAlgorithm;

/// One revoked certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevokedEntry {
    /// Its serial number.
    pub serial: Serial,
    /// When it was revoked.
    pub revoked_at: Timestamp,
    /// Why.
    pub reason: RevocationReason,
}

/// What a list says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrlPlan {
    /// Greater than every list's before it (section 5.2.3).
    pub number: u64,
    /// When it is made.
    pub this_update: Timestamp,
    /// When the next one is there at the latest.
    pub next_update: Timestamp,
    /// The revoked certificates; expired ones may be left out.
    pub entries: Vec<RevokedEntry>,
}

/// A signed list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCrl {
    /// In DER: what the distribution point serves (`application/pkix-crl`).
    pub der: Vec<u8>,
    /// In PEM.
    pub pem: String,
}

impl CrlPlan {
    /// Signs the list with the issuing key.
    pub fn sign(&self, authority: &Authority) -> Result<SignedCrl, CaError> {
        let algorithm = authority.key().algorithm(SignatureHash::Sha256);
        let der = der::signed(&self.encode(authority, algorithm)?, authority.key(), algorithm)?;
        Ok(SignedCrl { pem: pem("X509 CRL", &der), der })
    }

    fn encode(
        &self,
        authority: &Authority,
        algorithm: SignatureAlgorithm,
    ) -> Result<Vec<u8>, CaError> {
        let issuer = authority.issuing();
        let this_update = CertTime::new(self.this_update)?;
        let next_update = CertTime::new(self.next_update)?;
        let entries = self.entries.iter().map(Entry::new).collect::<Result<Vec<_>, _>>()?;
        Ok(yasna::construct_der(|writer| {
            writer.write_sequence(|writer| {
                writer.next().write_u8(1);
                algorithm.write(writer.next());
                writer.next().write_der(issuer.subject_der());
                this_update.write(writer.next());
                next_update.write(writer.next());
                // An empty list must be absent (section 5.1.2.6).
                if !entries.is_empty() {
                    writer.next().write_sequence(|writer| {
                        for entry in &entries {
                            entry.write(writer.next());
                        }
                    });
                }
                writer.next().write_tagged(Tag::context(0), |writer| {
                    writer.write_sequence(|writer| {
                        authority_key_identifier(writer, issuer.key_id());
                        extension(writer, &[2, 5, 29, 20], false, |writer| {
                            writer.write_u64(self.number);
                        });
                    });
                });
            });
        }))
    }
}

/// An entry whose parts are known to be writable.
struct Entry {
    serial: Vec<u8>,
    revoked_at: CertTime,
    reason: RevocationReason,
}

impl Entry {
    fn new(entry: &RevokedEntry) -> Result<Self, CaError> {
        Ok(Self {
            serial: entry.serial.to_bytes().ok_or(CaError::Crypto("write a serial number"))?,
            revoked_at: CertTime::new(entry.revoked_at)?,
            reason: entry.reason,
        })
    }

    fn write(&self, writer: DERWriter<'_>) {
        writer.write_sequence(|writer| {
            writer.next().write_bigint_bytes(&self.serial, true);
            self.revoked_at.write(writer.next());
            // "Unspecified" is said by saying nothing (section 5.3.1).
            if self.reason != RevocationReason::Unspecified {
                writer.next().write_sequence(|writer| {
                    extension(writer, &[2, 5, 29, 21], false, |writer| {
                        writer.write_enum(i64::from(self.reason.code()));
                    });
                });
            }
        });
    }
}
