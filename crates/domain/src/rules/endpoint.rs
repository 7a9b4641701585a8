//! The *Action* column of *Automated IPs*: what is offered for an endpoint.

use serde::{Deserialize, Serialize};

use crate::model::{
    Certificate, CertificateStatus, EndpointAction, EndpointStatus, Order, OrderFile, ServedIssuer,
};
use crate::{Days, Name, NameSet, Refusal, Timestamp};

/// "Renew" is offered with less than this left.
pub const RENEW_OFFERED: Days = Days(90);

/// "Get your next certificate" is offered with less than this left on the certificate.
pub const NEXT_CERTIFICATE_OFFERED: Days = Days(30);

/// What is known of an endpoint.
#[derive(Debug, Clone, Copy)]
pub struct EndpointFacts<'a> {
    /// Whose certificate it serves.
    pub issuer: ServedIssuer,
    /// The certificate of ours that it serves or, where it serves none, the last one that was
    /// installed there.
    pub certificate: Option<&'a Certificate>,
    /// That certificate's order.
    pub order: Option<&'a OrderFile>,
    /// Its automation status.
    pub status: EndpointStatus,
    /// Now.
    pub now: Timestamp,
}

/// One entry of the Action button and its menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfferedAction {
    /// An action on the certificate.
    Act(EndpointAction),
    /// "Retry": the failed event again.
    Retry,
    /// "Cancel": the event that waits.
    Cancel,
    /// "Submit manual request".
    ManualRequest,
}

impl OfferedAction {
    /// The label on screens; the brand word of "Switch to …" is a setting.
    pub fn label(self, brand: &str) -> String {
        match self {
            Self::Act(action) => action.label(brand),
            Self::Retry => "Retry".to_owned(),
            Self::Cancel => "Cancel".to_owned(),
            Self::ManualRequest => "Submit manual request".to_owned(),
        }
    }
}

/// What is offered for an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The one next step; none where nothing is to do.
    pub next: Option<OfferedAction>,
    /// What else can be done, for the menu.
    pub others: Vec<OfferedAction>,
}

impl Offer {
    /// What is left of it for a person who may not touch the endpoint's event.
    #[must_use]
    pub fn without_its_event(self) -> Self {
        let acts = self.next.into_iter().chain(self.others);
        let mut left = acts.filter(|action| matches!(action, OfferedAction::Act(_)));
        let next = left.next();
        Self { next, others: left.chain(std::iter::once(OfferedAction::ManualRequest)).collect() }
    }
}

/// What can be done on an endpoint, the next step first: after a failed event "Retry"; for a
/// certificate of ours that was revoked, will be, or is missing "Reissue", where its order still
/// gives one, else "Renew" or "Request a certificate"; with less than 90 days
/// left (of a multi-year plan: of the order) "Renew"; of a multi-year plan with less than 30 days on
/// the certificate "Get your next certificate"; for another CA's "Switch to …"; for none "Request a
/// certificate"; always "Submit manual request".
pub fn offered_actions(facts: &EndpointFacts<'_>) -> Offer {
    let mut offered = Vec::new();
    if has_failed(facts.status) {
        offered.push(OfferedAction::Retry);
    }
    offered.extend(certificate_actions(facts).into_iter().map(OfferedAction::Act));
    // What was refused may be tried again once its reason is mended.
    if matches!(facts.status, EndpointStatus::ActionRequired | EndpointStatus::ApprovalDenied) {
        offered.push(OfferedAction::Retry);
    }
    let waiting =
        matches!(facts.status, EndpointStatus::Scheduled | EndpointStatus::ApprovalPending);
    if is_busy(facts.status) {
        offered.clear();
    }
    if waiting {
        offered.push(OfferedAction::Cancel);
    }
    let mut offered = offered.into_iter();
    let next = offered.next();
    Offer { next, others: offered.chain(std::iter::once(OfferedAction::ManualRequest)).collect() }
}

/// While an event is under way, a second one would fight it.
const fn is_busy(status: EndpointStatus) -> bool {
    matches!(
        status,
        EndpointStatus::Scheduled | EndpointStatus::InProgress | EndpointStatus::ApprovalPending
    )
}

const fn has_failed(status: EndpointStatus) -> bool {
    matches!(
        status,
        EndpointStatus::Failed
            | EndpointStatus::InstallFailed
            | EndpointStatus::ValidationFailed
            | EndpointStatus::AgentError
    )
}

fn certificate_actions(facts: &EndpointFacts<'_>) -> Vec<EndpointAction> {
    match (facts.issuer, facts.certificate) {
        (ServedIssuer::Other, _) => vec![EndpointAction::Switch],
        // Ours was there, and nothing is served now: it is missing.
        (ServedIssuer::None, Some(_)) => {
            let mut actions = vec![replacement(facts), EndpointAction::Request];
            actions.dedup();
            actions
        }
        (ServedIssuer::None, None) => vec![EndpointAction::Request],
        (ServedIssuer::Ours, None) => vec![replacement(facts)],
        (ServedIssuer::Ours, Some(certificate)) if certificate.is_revoked() => {
            vec![replacement(facts)]
        }
        (ServedIssuer::Ours, Some(_)) if is_gone(facts) => vec![EndpointAction::Request],
        (ServedIssuer::Ours, Some(certificate)) => {
            let mut actions = due_actions(certificate, facts);
            if is_lost(facts.issuer, facts.certificate) {
                let first = replacement(facts);
                actions.retain(|action| *action != first);
                actions.insert(0, first);
            }
            actions
        }
    }
}

/// Whether nothing can come of the order in place any more.
fn is_gone(facts: &EndpointFacts<'_>) -> bool {
    facts.order.is_some_and(|file| !file.is_standing())
}

/// What takes the place of a certificate that was revoked or is missing: the next one of its order,
/// the renewal of an order that has expired, a new order for one that is gone.
fn replacement(facts: &EndpointFacts<'_>) -> EndpointAction {
    if is_gone(facts) {
        EndpointAction::Request
    } else if facts.order.is_some_and(|file| file.is_expired(facts.now)) {
        EndpointAction::Renew
    } else {
        EndpointAction::Reissue
    }
}

/// Whether what was in place is missing, revoked, or announced to be (in 72 hours at most): what
/// "Auto-replace revoked or missing certificates" acts on. `certificate` is ours; where none ever was,
/// none is lost.
pub fn is_lost(issuer: ServedIssuer, certificate: Option<&Certificate>) -> bool {
    certificate
        .is_some_and(|one| issuer == ServedIssuer::None || one.status != CertificateStatus::Issued)
}

/// Whether what was in place may still be there although no handshake has shown it since then: a server
/// that restarts has lost nothing, however often it is looked at meanwhile.
pub const fn may_come_back(missed_since: Timestamp, now: Timestamp) -> bool {
    now.seconds_since(missed_since) < 3_600
}

/// Common name and names that `action` takes from what is in place: the next certificate of an order
/// has the order's, whatever is served. None where a person types them.
pub fn names_in_place(
    action: EndpointAction,
    served: Option<(&Name, &NameSet)>,
    order: Option<&Order>,
) -> Option<(Name, NameSet)> {
    let served = served.map(|(name, names)| (name.clone(), names.clone()));
    let order = order.map(|order| (order.common_name.clone(), order.names.clone()));
    match action {
        EndpointAction::Request => None,
        EndpointAction::Reissue | EndpointAction::NextCertificate => order.or(served),
        EndpointAction::Renew | EndpointAction::Switch => served.or(order),
    }
}

fn due_actions(certificate: &Certificate, facts: &EndpointFacts<'_>) -> Vec<EndpointAction> {
    let less_than = |days: Days, end: Timestamp| end.seconds_since(facts.now) < days.seconds();
    let plan_ends = facts.order.and_then(|file| file.order.coverage.ends());
    let mut actions = Vec::new();
    if less_than(RENEW_OFFERED, plan_ends.unwrap_or(certificate.not_after)) {
        actions.push(EndpointAction::Renew);
    }
    if plan_ends.is_some() && less_than(NEXT_CERTIFICATE_OFFERED, certificate.not_after) {
        actions.push(EndpointAction::NextCertificate);
    }
    actions
}

/// Whether an action that someone asks for is offered: pages may be old and forms forged.
pub fn check_offered(facts: &EndpointFacts<'_>, action: OfferedAction) -> Result<(), Refusal> {
    let offer = offered_actions(facts);
    if offer.next == Some(action) || offer.others.contains(&action) {
        return Ok(());
    }
    let (code, why) = if is_busy(facts.status) {
        ("endpoint_busy", format!("another event is under way (\"{}\")", facts.status.label()))
    } else {
        (
            "action_not_offered",
            "it does not fit the certificate that the endpoint serves now".to_owned(),
        )
    };
    Err(Refusal::new(
        "endpoint",
        code,
        format!(
            "\"{}\" is not available for this endpoint: {why}. Reload the page and choose one of \
             the actions that it offers.",
            action.label("our CA")
        ),
    ))
}

/// The endpoint's status when no event is open: by whether it will renew itself.
pub const fn status_after(auto_renew: bool) -> EndpointStatus {
    if auto_renew { EndpointStatus::AutoRenewScheduled } else { EndpointStatus::Configured }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{OrderStatus, RevocationReason};
    use crate::rules::fixture::{NOW, name, names, plan_ending, standard, with_status};
    use EndpointAction::{NextCertificate, Reissue, Renew, Request, Switch};

    #[test]
    fn what_is_not_shown_is_missing_after_an_hour() {
        for (seconds, may) in [(0, true), (3_599, true), (3_600, false), (86_400, false)] {
            assert_eq!(may_come_back(NOW, NOW.plus_seconds(seconds)), may, "after {seconds} s");
        }
    }

    fn facts(issuer: ServedIssuer, file: Option<&OrderFile>) -> EndpointFacts<'_> {
        EndpointFacts {
            issuer,
            certificate: file.and_then(OrderFile::primary),
            order: file,
            status: EndpointStatus::Configured,
            now: NOW,
        }
    }

    fn actions(facts: &EndpointFacts<'_>) -> Vec<EndpointAction> {
        let offer = offered_actions(facts);
        assert_eq!(offer.others.last(), Some(&OfferedAction::ManualRequest));
        offer
            .next
            .into_iter()
            .chain(offer.others)
            .filter_map(
                |one| if let OfferedAction::Act(action) = one { Some(action) } else { None },
            )
            .collect()
    }

    #[test]
    fn offers_what_the_certificate_needs() {
        let ours = |days| standard(1, days);
        let plan = |days, ends| plan_ending(standard(1, days), ends);
        let mut revoked = ours(100);
        revoked.certificates.first_mut().unwrap().status =
            CertificateStatus::Revoked { reason: RevocationReason::Superseded, at: NOW };
        let mut expired = ours(-1);
        expired.certificates.first_mut().unwrap().status =
            CertificateStatus::Revoked { reason: RevocationReason::Superseded, at: NOW };
        let mut announced = ours(100);
        announced.certificates.first_mut().unwrap().status =
            CertificateStatus::RevocationPending { due: NOW.plus(Days(3)) };
        let mut nearly = ours(90);
        nearly.certificates.first_mut().unwrap().not_after = NOW.plus(Days(90)).plus_seconds(-1);
        for (issuer, file, right) in [
            (ServedIssuer::None, None, vec![Request]),
            (ServedIssuer::None, Some(ours(100)), vec![Reissue, Request]),
            (ServedIssuer::Other, None, vec![Switch]),
            (ServedIssuer::Ours, Some(ours(90)), vec![]),
            (ServedIssuer::Ours, Some(nearly), vec![Renew]),
            (ServedIssuer::Ours, Some(ours(-1)), vec![Renew]),
            (
                ServedIssuer::Ours,
                Some(with_status(revoked.clone(), OrderStatus::Revoked)),
                vec![Request],
            ),
            (ServedIssuer::None, Some(with_status(ours(100), OrderStatus::Revoked)), vec![Request]),
            (ServedIssuer::Ours, Some(expired), vec![Renew]),
            (ServedIssuer::None, Some(ours(-1)), vec![Renew, Request]),
            (ServedIssuer::Ours, Some(revoked), vec![Reissue]),
            (ServedIssuer::Ours, Some(announced), vec![Reissue]),
            (ServedIssuer::Ours, Some(plan(30, 90)), vec![]),
            (ServedIssuer::Ours, Some(plan(29, 90)), vec![NextCertificate]),
            (ServedIssuer::Ours, Some(plan(50, 89)), vec![Renew]),
            (ServedIssuer::Ours, Some(plan(29, 89)), vec![Renew, NextCertificate]),
        ] {
            assert_eq!(actions(&facts(issuer, file.as_ref())), right, "{issuer} {file:?}");
        }
    }

    #[test]
    fn names_come_from_the_order_or_from_what_is_served() {
        let file = standard(1, 100);
        let of_order = (file.order.common_name.clone(), file.order.names.clone());
        let (name, held) = (name("old.example.com"), names("old.example.com new.example.com"));
        let of_served = (name.clone(), held.clone());
        let (order, served) = (Some(&file.order), Some((&name, &held)));
        for (action, served, order, right) in [
            (Request, served, order, None),
            (Reissue, served, order, Some(&of_order)),
            (NextCertificate, served, order, Some(&of_order)),
            (Reissue, served, None, Some(&of_served)),
            (Renew, served, order, Some(&of_served)),
            (Switch, served, None, Some(&of_served)),
            (Renew, None, order, Some(&of_order)),
            (Switch, None, None, None),
        ] {
            assert_eq!(names_in_place(action, served, order).as_ref(), right, "{action}");
        }
    }

    #[test]
    fn who_may_not_touch_the_event_is_left_the_certificates_actions() {
        let file = standard(1, 20);
        let with = |status| EndpointFacts { status, ..facts(ServedIssuer::Ours, Some(&file)) };
        let left = |status| offered_actions(&with(status)).without_its_event();
        let manual = vec![OfferedAction::ManualRequest];
        let renew = Some(OfferedAction::Act(Renew));
        for status in [EndpointStatus::Failed, EndpointStatus::ActionRequired] {
            assert_eq!(left(status), Offer { next: renew, others: manual.clone() });
        }
        assert_eq!(left(EndpointStatus::Scheduled), Offer { next: None, others: manual.clone() });
        let untouched = offered_actions(&with(EndpointStatus::Configured));
        assert_eq!(untouched.clone().without_its_event(), untouched);
    }

    #[test]
    fn status_adds_retry_and_cancel_and_blocks_a_second_event() {
        let file = standard(1, 20);
        let with = |status| EndpointFacts { status, ..facts(ServedIssuer::Ours, Some(&file)) };
        let next = |status| offered_actions(&with(status)).next;
        assert_eq!(next(EndpointStatus::InstallFailed), Some(OfferedAction::Retry));
        assert_eq!(next(EndpointStatus::ActionRequired), Some(OfferedAction::Act(Renew)));
        for refused in [EndpointStatus::ActionRequired, EndpointStatus::ApprovalDenied] {
            assert!(offered_actions(&with(refused)).others.contains(&OfferedAction::Retry));
        }
        assert_eq!(next(EndpointStatus::Scheduled), Some(OfferedAction::Cancel));
        assert_eq!(next(EndpointStatus::InProgress), None);
        assert_eq!(next(EndpointStatus::AutoRenewScheduled), Some(OfferedAction::Act(Renew)));
        let check = |status, action| check_offered(&with(status), action).map_err(|no| no.code);
        assert_eq!(check(EndpointStatus::Configured, OfferedAction::Act(Renew)), Ok(()));
        assert_eq!(
            check(EndpointStatus::Configured, OfferedAction::Act(Switch)),
            Err("action_not_offered")
        );
        assert_eq!(
            check(EndpointStatus::InProgress, OfferedAction::Act(Renew)),
            Err("endpoint_busy")
        );
    }
}
