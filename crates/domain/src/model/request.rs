//! Requests and their approval.

use serde::{Deserialize, Serialize};

use crate::coded::coded;
use crate::model::RevocationReason;
use crate::{CertificateId, OrderNumber, RequestId, Timestamp, UserId};

coded! {
    /// What was asked for.
    RequestKind {
        /// A new order.
        New = "new",
        /// A duplicate of an order's certificate.
        Duplicate = "duplicate",
        /// A certificate in the primary's place, same order.
        Reissue = "reissue",
        /// A new order that renews another.
        Renew = "renew",
        /// Revocation of a certificate or of a whole order.
        Revoke = "revoke",
    }
}

/// The approval state of a request, with its facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Approval {
    /// Waits for a reviewer.
    Pending,
    /// Approved; by nobody where no approval was needed.
    Approved {
        /// The reviewer.
        by: Option<UserId>,
        /// When.
        at: Timestamp,
    },
    /// Refused.
    Rejected {
        /// The reviewer.
        by: UserId,
        /// When.
        at: Timestamp,
        /// Why, in the reviewer's words.
        reason: String,
    },
    /// Withdrawn by the requester or a reviewer, or ended because nobody decided in time.
    Canceled {
        /// When.
        at: Timestamp,
    },
}

impl Approval {
    /// The code that the database and URLs use.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved { .. } => "approved",
            Self::Rejected { .. } => "rejected",
            Self::Canceled { .. } => "canceled",
        }
    }
}

/// What a revocation takes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "target", rename_all = "snake_case")]
pub enum RevocationTarget {
    /// One certificate.
    Certificate {
        /// Which.
        id: CertificateId,
    },
    /// The order with all its certificates.
    Order,
}

/// A request as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Its id.
    pub id: RequestId,
    /// What was asked for.
    pub kind: RequestKind,
    /// The order it is about: the one it made (`new`, `renew`) or acts on.
    pub order: OrderNumber,
    /// Who asked; none for ACME clients and the worker.
    pub requester: Option<UserId>,
    /// Where its approval stands.
    pub approval: Approval,
    /// When it was asked.
    pub created_at: Timestamp,
    /// What a `revoke` takes back, and why.
    pub revocation: Option<(RevocationTarget, RevocationReason)>,
}
