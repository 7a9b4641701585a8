//! Which requests wait for a reviewer, and who may be that.

use serde::{Deserialize, Serialize};

use crate::coded::coded;
use crate::model::{ApprovalStep, Preferences, RequestKind, Role};
use crate::{Refusal, UserId};

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Requester {
    /// A person, or automation in the name of the person who set it up.
    Person {
        /// Their role at this moment.
        role: Role,
    },
    /// An ACME client.
    AcmeClient,
}

impl Requester {
    /// A person of this role.
    pub const fn person(role: Role) -> Self {
        Self::Person { role }
    }

    const fn is_approver(self) -> bool {
        matches!(self, Self::Person { role } if role.is_approver())
    }
}

coded! {
    /// Why a request is held.
    HeldBecause {
        /// The approval step is on.
        ApprovalStep = "approval_step",
        /// The requester's role needs approval whatever the step.
        Role = "role",
        /// Revocations always need a second step.
        Revocation = "revocation",
    }
}

impl HeldBecause {
    /// The reason, for people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::ApprovalStep => "Certificate requests must be approved (Settings > Preferences > Approval Steps).",
            Self::Role => "Requests by Standard and Limited Users must be approved, also where the approval step is skipped.",
            Self::Revocation => "Revocations are always approved in a second step.",
        }
    }
}

/// Whether a request waits for a reviewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "need", rename_all = "snake_case")]
pub enum ApprovalNeed {
    /// It is carried out at once.
    NotNeeded,
    /// It waits.
    Needed {
        /// Why.
        because: HeldBecause,
    },
}

impl ApprovalNeed {
    /// Whether it waits.
    pub const fn is_needed(self) -> bool {
        matches!(self, Self::Needed { .. })
    }
}

/// Rule D5: with one approval step every request waits, except that of an approver where the
/// checkbox says so; with the step skipped it is carried out at once.
/// Rule D16: skipping does not free requests by Standard and Limited Users, nor revocations.
///
/// A revocation by an ACME client is carried out at once: RFC 8555 section 7.6 has no answer for
/// a held one, and the client has proved that the certificate is its own.
pub fn approval_needed(
    preferences: &Preferences,
    requester: Requester,
    kind: RequestKind,
) -> ApprovalNeed {
    let held = |because| ApprovalNeed::Needed { because };
    match (kind, requester, preferences.approval_step) {
        (RequestKind::Revoke, Requester::AcmeClient, _) => ApprovalNeed::NotNeeded,
        (RequestKind::Revoke, Requester::Person { .. }, _) => held(HeldBecause::Revocation),
        (_, Requester::Person { role }, ApprovalStep::Skip) if !role.is_approver() => held(HeldBecause::Role),
        (_, _, ApprovalStep::Skip) => ApprovalNeed::NotNeeded,
        (_, requester, ApprovalStep::OneStep)
            if requester.is_approver() && preferences.auto_approve_approvers =>
        {
            ApprovalNeed::NotNeeded
        }
        (_, _, ApprovalStep::OneStep) => held(HeldBecause::ApprovalStep),
    }
}

/// Whether `reviewer` may approve or reject a request of `requester` (none for ACME clients):
/// Administrators and Managers may, but their own only where "Automatically approve certificate
/// requests when the requester is also an approver" is on.
pub fn check_may_review(
    preferences: &Preferences,
    reviewer: UserId,
    role: Role,
    requester: Option<UserId>,
) -> Result<(), Refusal> {
    if !role.is_approver() {
        return Err(Refusal::new(
            "D5",
            "not_an_approver",
            format!(
                "{}s can't approve or reject requests. Ask an Administrator or a Manager.",
                role.label()
            ),
        ));
    }
    if requester == Some(reviewer) && !preferences.auto_approve_approvers {
        return Err(Refusal::new(
            "D5",
            "own_request",
            "You made this request, so someone else has to review it. Ask another Administrator \
             or Manager, or turn on \"Automatically approve certificate requests when the \
             requester is also an approver\" in Settings > Preferences.",
        ));
    }
    Ok(())
}
