//! Orders and their lineage.

use serde::{Deserialize, Serialize};

use crate::coded::coded;
use crate::model::{Certificate, CertificateKind};
use crate::{
    AcmeUrlId, Days, Name, NameSet, OrderNumber, OrganizationId, ProductId, Timestamp, UserId,
};

coded! {
    /// Where an order stands. Expiry follows from the clock: an expired order is still `issued`.
    OrderStatus {
        /// Asked for, not issued yet.
        Pending = "pending",
        /// Has its certificate.
        Issued = "issued",
        /// Has its certificate, and a reissue was asked for that is not issued yet.
        ReissuePending = "reissue_pending",
        /// The request was refused by a reviewer.
        Rejected = "rejected",
        /// Withdrawn before it was issued.
        Canceled = "canceled",
        /// Revoked with all its certificates.
        Revoked = "revoked",
    }
}

coded! {
    /// The door that an order came through.
    Origin {
        /// A person, on the screens or through the JSON API.
        Portal = "portal",
        /// The automation worker.
        Automation = "automation",
        /// An ACME client.
        Acme = "acme",
    }
}

coded! {
    /// Subject key algorithm and size.
    KeyType {
        /// RSA, 2048 bits.
        Rsa2048 = "rsa2048",
        /// RSA, 3072 bits.
        Rsa3072 = "rsa3072",
        /// RSA, 4096 bits.
        Rsa4096 = "rsa4096",
        /// ECDSA on P-256.
        EcP256 = "ec_p256",
        /// ECDSA on P-384.
        EcP384 = "ec_p384",
    }
}

impl KeyType {
    /// Its size in bits.
    pub const fn bits(self) -> u16 {
        match self {
            Self::Rsa2048 => 2048,
            Self::Rsa3072 => 3072,
            Self::Rsa4096 => 4096,
            Self::EcP256 => 256,
            Self::EcP384 => 384,
        }
    }

    /// The label on screens.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Rsa2048 => "RSA 2048",
            Self::Rsa3072 => "RSA 3072",
            Self::Rsa4096 => "RSA 4096",
            Self::EcP256 => "ECC P-256",
            Self::EcP384 => "ECC P-384",
        }
    }
}

coded! {
    /// Signature hash of the certificate.
    SignatureHash {
        /// SHA-256.
        Sha256 = "sha256",
        /// SHA-384.
        Sha384 = "sha384",
    }
}

/// How long an order is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Coverage {
    /// One certificate's lifetime.
    Single,
    /// A multi-year plan: reissued again and again until its end.
    MultiYear {
        /// 1 to 3.
        years: u8,
        /// The plan's last second.
        ends: Timestamp,
    },
}

impl Coverage {
    /// Whether the order is a multi-year plan.
    pub const fn is_multi_year(self) -> bool {
        matches!(self, Self::MultiYear { .. })
    }

    /// The plan's end, where it is a multi-year plan.
    pub const fn ends(self) -> Option<Timestamp> {
        match self {
            Self::Single => None,
            Self::MultiYear { ends, .. } => Some(ends),
        }
    }
}

/// One order, without its certificates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Its number.
    pub number: OrderNumber,
    /// Whose it is.
    pub organization: OrganizationId,
    /// What was bought.
    pub product: ProductId,
    /// The common name.
    pub common_name: Name,
    /// The names, the common name counted in.
    pub names: NameSet,
    /// Where it stands.
    pub status: OrderStatus,
    /// The door that it came through.
    pub origin: Origin,
    /// How long it is good for.
    pub coverage: Coverage,
    /// When it was asked for.
    pub ordered_at: Timestamp,
    /// When its first certificate was issued.
    pub issued_at: Option<Timestamp>,
    /// The order that it renews.
    pub renews: Option<OrderNumber>,
    /// The order that renewed it.
    pub renewed_by: Option<OrderNumber>,
    /// Whether it renews itself.
    pub auto_renew: bool,
    /// Validity that was asked for, where it was not the product's longest.
    pub validity_days: Option<Days>,
    /// Subject key that was asked for; P-384 where the CSR's key is of none of the types that are
    /// sold by name.
    pub key_type: KeyType,
    /// Signature hash that was asked for.
    pub signature_hash: SignatureHash,
    /// The ACME Directory URL that it came through.
    pub acme_url: Option<AcmeUrlId>,
    /// Who asked for it; none for ACME clients and imported history.
    pub requester: Option<UserId>,
}

/// An order with its certificates, oldest first: what most rules look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderFile {
    /// The order.
    pub order: Order,
    /// Its certificates, oldest first.
    pub certificates: Vec<Certificate>,
}

impl OrderFile {
    /// The primary certificate: the newest reissue, else the original.
    pub fn primary(&self) -> Option<&Certificate> {
        let newest = |kind| self.certificates.iter().rev().find(move |c| c.kind == kind);
        newest(CertificateKind::Reissue).or_else(|| newest(CertificateKind::Original))
    }

    /// Until when the order is good: the plan's end, or else the primary certificate's.
    pub fn valid_till(&self) -> Option<Timestamp> {
        self.order.coverage.ends().or_else(|| self.primary().map(|c| c.not_after))
    }
}
