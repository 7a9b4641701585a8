//! Certificates of an order.

use serde::{Deserialize, Serialize};

use crate::coded::coded;
use crate::{CertificateId, Name, NameSet, OrderNumber, Timestamp};

coded! {
    /// What a certificate is to its order.
    CertificateKind {
        /// The first one.
        Original = "original",
        /// A later one that takes the primary's place.
        Reissue = "reissue",
        /// A copy for another server (rule D1).
        Duplicate = "duplicate",
    }
}

coded! {
    /// RFC 5280 section 5.3.1: the reasons that may be asked for.
    RevocationReason {
        /// 0
        Unspecified = "unspecified",
        /// 1
        KeyCompromise = "key_compromise",
        /// 3
        AffiliationChanged = "affiliation_changed",
        /// 4
        Superseded = "superseded",
        /// 5
        CessationOfOperation = "cessation_of_operation",
        /// 9
        PrivilegeWithdrawn = "privilege_withdrawn",
    }
}

impl RevocationReason {
    /// The `CRLReason` number (RFC 5280 section 5.3.1).
    pub const fn code(self) -> u8 {
        match self {
            Self::Unspecified => 0,
            Self::KeyCompromise => 1,
            Self::AffiliationChanged => 3,
            Self::Superseded => 4,
            Self::CessationOfOperation => 5,
            Self::PrivilegeWithdrawn => 9,
        }
    }

    /// The reason with this `CRLReason` number, where it may be asked for.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.code() == code)
    }
}

/// A serial number: 128 bits or fewer, written in lower-case hex.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Serial(pub String);

impl Serial {
    /// From the big-endian bytes of the certificate's INTEGER; leading zero bytes are dropped.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
        Self(hex::encode(bytes.get(start..).unwrap_or_default()))
    }

    /// The big-endian bytes; none where the text is not hex.
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        hex::decode(&self.0).ok()
    }

    /// Reads a serial as people paste it: any case, with colons or spaces.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(|c| !matches!(c, ':' | ' ')).collect();
        let bytes = hex::decode(&digits).ok()?;
        (!bytes.is_empty() && bytes.len() <= 20).then(|| Self::from_bytes(&bytes))
    }
}

impl std::fmt::Display for Serial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What has become of a certificate. "Expired" is not a state: it follows from the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum CertificateStatus {
    /// Good until it expires.
    Issued,
    /// Will be revoked at a time that was announced (a reissue that took names away: 72 hours).
    RevocationPending {
        /// When.
        due: Timestamp,
    },
    /// Revoked.
    Revoked {
        /// Why.
        reason: RevocationReason,
        /// When.
        at: Timestamp,
    },
}

impl CertificateStatus {
    /// The code that the database and the API use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::RevocationPending { .. } => "revocation_pending",
            Self::Revoked { .. } => "revoked",
        }
    }
}

/// One certificate of an order, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Its id.
    pub id: CertificateId,
    /// The order that it belongs to.
    pub order: OrderNumber,
    /// What it is to the order.
    pub kind: CertificateKind,
    /// Its serial number.
    pub serial: Serial,
    /// Its common name.
    pub common_name: Name,
    /// Its names, the common name counted in.
    pub names: NameSet,
    /// Start of validity.
    pub not_before: Timestamp,
    /// End of validity: the last second in which it is valid (RFC 5280 section 4.1.2.5).
    pub not_after: Timestamp,
    /// What has become of it.
    pub status: CertificateStatus,
}

impl Certificate {
    /// Whether its time is over.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now > self.not_after
    }

    /// Whether it was revoked.
    pub const fn is_revoked(&self) -> bool {
        matches!(self.status, CertificateStatus::Revoked { .. })
    }

    /// Neither revoked nor expired.
    pub fn is_usable(&self, now: Timestamp) -> bool {
        !self.is_revoked() && !self.is_expired(now)
    }
}
