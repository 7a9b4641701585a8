//! Decisions in a readable form: what was done, to which order, why, and why not to the others.
//!
//! Stored with every ACME order and every automation event, shown in the portal, and printed by
//! `certdeck acme explain --json`.

use serde::{Deserialize, Serialize};

use crate::OrderNumber;
use crate::coded::coded;
use crate::rules::window::Window;

coded! {
    /// What is done for a request.
    Action {
        /// A new order.
        Enroll = "enroll",
        /// A new order that renews another.
        Renew = "renew",
        /// The next certificate of the same order.
        Reissue = "reissue",
        /// A duplicate of an order's certificate.
        Duplicate = "duplicate",
    }
}

/// What is to be done, with the order that it is done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Decision {
    /// Place a new order.
    Enroll {
        /// With this order's options; none for the options of the ACME Directory URL.
        like: Option<OrderNumber>,
    },
    /// Renew this order.
    Renew {
        /// Which.
        order: OrderNumber,
    },
    /// Issue this order's next certificate.
    Reissue {
        /// Which.
        order: OrderNumber,
    },
    /// Duplicate this order's certificate.
    Duplicate {
        /// Which.
        order: OrderNumber,
    },
}

impl Decision {
    /// The action without its order.
    pub const fn action(self) -> Action {
        match self {
            Self::Enroll { .. } => Action::Enroll,
            Self::Renew { .. } => Action::Renew,
            Self::Reissue { .. } => Action::Reissue,
            Self::Duplicate { .. } => Action::Duplicate,
        }
    }

    /// The order that is acted on; none for an enrollment.
    pub const fn order(self) -> Option<OrderNumber> {
        match self {
            Self::Enroll { .. } => None,
            Self::Renew { order } | Self::Reissue { order } | Self::Duplicate { order } => {
                Some(order)
            }
        }
    }
}

/// One order that was looked at, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CandidateVerdict {
    /// Which order.
    pub order: OrderNumber,
    /// Whether it is the one that was chosen.
    pub kept: bool,
    /// The number of the rule that kept or dropped it.
    pub rule: String,
    /// Why, for people.
    pub why: String,
}

impl CandidateVerdict {
    /// The order that was chosen.
    pub fn kept(order: OrderNumber, rule: &str, why: impl Into<String>) -> Self {
        Self { order, kept: true, rule: rule.to_owned(), why: why.into() }
    }

    /// An order that was not chosen.
    pub fn dropped(order: OrderNumber, rule: &str, why: impl Into<String>) -> Self {
        Self { order, kept: false, rule: rule.to_owned(), why: why.into() }
    }
}

/// A decision's reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// What is done.
    pub action: Action,
    /// To which order; none for an enrollment.
    pub order: Option<OrderNumber>,
    /// The orders that were looked at.
    pub candidates: Vec<CandidateVerdict>,
    /// The renewal window that was looked at; none where no order matched.
    pub window: Option<Window>,
    /// The reason in one or two sentences.
    pub why: String,
}

impl Explanation {
    /// What a person chose, where there is nothing to decide: with the orders that they chose from, as far
    /// as those were looked at.
    pub fn chosen(
        decision: Decision,
        candidates: Vec<CandidateVerdict>,
        why: impl Into<String>,
    ) -> Self {
        Decided::new(decision, None, candidates, why).explanation
    }
}

/// A decision with its reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// What to do.
    pub decision: Decision,
    /// Why.
    pub explanation: Explanation,
}

impl Decided {
    /// Joins a decision with its reasons.
    pub fn new(
        decision: Decision,
        window: Option<Window>,
        candidates: Vec<CandidateVerdict>,
        why: impl Into<String>,
    ) -> Self {
        let explanation = Explanation {
            action: decision.action(),
            order: decision.order(),
            candidates,
            window,
            why: why.into(),
        };
        Self { decision, explanation }
    }
}
