//! Which requests wait for a reviewer, and who may be that.

use serde::{Deserialize, Serialize};

use crate::coded::coded;
use crate::model::{ApprovalStep, Preferences, RequestKind, Role};
use crate::rules::validation::TOKEN_LIFETIME;
use crate::{Days, Refusal, Timestamp, UserId};

/// How long a request of an ACME client waits for a reviewer: for as long as its challenges show
/// control. After that hardly any of them could be approved, and no client asks for its order.
pub const ACME_REQUEST_WAITS: Days = TOKEN_LIFETIME;

/// Until when a request that an ACME client made at `asked_at` waits for a reviewer.
pub fn acme_request_waits_until(asked_at: Timestamp) -> Timestamp {
    asked_at.plus(ACME_REQUEST_WAITS)
}

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
            Self::ApprovalStep => {
                "Certificate requests must be approved (Settings > Preferences > Approval Steps)."
            }
            Self::Role => {
                "Requests by Standard and Limited Users must be approved, also where the approval step is skipped."
            }
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
    if kind == RequestKind::Revoke {
        return match requester {
            Requester::Person { .. } => held(HeldBecause::Revocation),
            Requester::AcmeClient => ApprovalNeed::NotNeeded,
        };
    }
    match (preferences.approval_step, requester) {
        (ApprovalStep::Skip, Requester::Person { role }) if !role.is_approver() => {
            held(HeldBecause::Role)
        }
        (ApprovalStep::Skip, _) => ApprovalNeed::NotNeeded,
        (ApprovalStep::OneStep, Requester::Person { role })
            if role.is_approver() && preferences.auto_approve_approvers =>
        {
            ApprovalNeed::NotNeeded
        }
        (ApprovalStep::OneStep, _) => held(HeldBecause::ApprovalStep),
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

#[cfg(test)]
mod tests {
    use super::*;
    use HeldBecause::{ApprovalStep as Step, Revocation, Role as Their};

    fn preferences(approval_step: ApprovalStep, auto_approve_approvers: bool) -> Preferences {
        Preferences { approval_step, auto_approve_approvers, ..Preferences::default() }
    }

    fn held(
        settings: &Preferences,
        requester: Requester,
        kind: RequestKind,
    ) -> Option<HeldBecause> {
        match approval_needed(settings, requester, kind) {
            ApprovalNeed::NotNeeded => None,
            ApprovalNeed::Needed { because } => Some(because),
        }
    }

    #[test]
    fn an_acme_request_waits_for_as_long_as_its_challenges_show_control() {
        use crate::rules::check_challenged;
        let (asked, names) = (Timestamp(1_000), "a.test".parse().into_iter().collect());
        let until = acme_request_waits_until(asked);
        assert_eq!(until, Timestamp(1_000 + 30 * 86_400));
        assert_eq!(check_challenged(&names, asked, until), Ok(()));
        assert!(check_challenged(&names, asked, until.plus_seconds(1)).is_err());
    }

    #[test]
    fn d5_d16_who_waits_for_a_reviewer() {
        let administrator = Requester::person(Role::Administrator);
        let manager = Requester::person(Role::Manager);
        let standard = Requester::person(Role::Standard);
        let limited = Requester::person(Role::Limited);
        for (step, auto, requester, waits) in [
            (ApprovalStep::OneStep, false, administrator, Some(Step)),
            (ApprovalStep::OneStep, true, administrator, None),
            (ApprovalStep::OneStep, true, manager, None),
            (ApprovalStep::OneStep, true, standard, Some(Step)),
            (ApprovalStep::OneStep, true, Requester::AcmeClient, Some(Step)),
            (ApprovalStep::Skip, false, administrator, None),
            (ApprovalStep::Skip, false, manager, None),
            (ApprovalStep::Skip, false, standard, Some(Their)),
            (ApprovalStep::Skip, true, limited, Some(Their)),
            (ApprovalStep::Skip, false, Requester::AcmeClient, None),
        ] {
            let settings = preferences(step, auto);
            for kind in
                [RequestKind::New, RequestKind::Duplicate, RequestKind::Reissue, RequestKind::Renew]
            {
                assert_eq!(
                    held(&settings, requester, kind),
                    waits,
                    "{step} {auto} {requester:?} {kind}"
                );
            }
            let revocation =
                if requester == Requester::AcmeClient { None } else { Some(Revocation) };
            assert_eq!(held(&settings, requester, RequestKind::Revoke), revocation);
        }
    }

    #[test]
    fn d5_nobody_reviews_their_own_request_unless_the_checkbox_says_so() {
        let review = |auto, role, requester: Option<i64>| {
            let settings = preferences(ApprovalStep::OneStep, auto);
            check_may_review(&settings, UserId(1), role, requester.map(UserId))
                .map_err(|no| no.code)
        };
        assert_eq!(review(false, Role::Manager, Some(2)), Ok(()));
        assert_eq!(review(false, Role::Manager, None), Ok(()));
        assert_eq!(review(false, Role::Administrator, Some(1)), Err("own_request"));
        assert_eq!(review(true, Role::Administrator, Some(1)), Ok(()));
        assert_eq!(review(true, Role::Standard, Some(2)), Err("not_an_approver"));
    }
}
