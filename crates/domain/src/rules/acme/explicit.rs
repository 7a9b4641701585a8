//! The action that the directory URL names.

use super::default_action::{
    check_automatic_duplicate, check_duplicable, check_permission, is_due,
};
use super::{AcmeRequest, check_fit};
use crate::model::OrderFile;
use crate::rules::explanation::{Action, CandidateVerdict, Decided, Decision};
use crate::rules::lineage::{chain, newest_issued};
use crate::rules::reissue::check_reissuable;
use crate::rules::window::renewal_window;
use crate::{OrderNumber, Refusal};

/// Rule A2: an action in the URL is carried out whatever the default would be, where its own
/// rules allow it. The order stands for its chain of renewals: the action is done on the newest
/// issued one, and `renew` of a chain that was renewed already makes a duplicate outside the
/// window.
pub(super) fn explicit(
    request: &AcmeRequest<'_>,
    action: Action,
    order: OrderNumber,
) -> Result<Decided, Refusal> {
    let named = request
        .named
        .filter(|file| {
            file.number() == order && file.order.organization == request.url.organization
        })
        .ok_or_else(|| unknown_order(order))?;
    let latest = newest_issued(named, request.successors).ok_or_else(|| not_standing(named))?;
    check_fit(request, latest)?;
    let window = renewal_window(latest, request.windows);
    let verdicts = chain_verdicts(request, named, latest);
    let (decision, why) = match action {
        Action::Renew => explicit_renew(request, named, latest)?,
        Action::Reissue => {
            check_permission(request.url.may_reissue, action)?;
            check_reissuable(latest, request.now)?;
            (
                Decision::Reissue { order: latest.number() },
                "The directory URL asks for a reissue.".to_owned(),
            )
        }
        Action::Duplicate => {
            check_permission(request.url.may_duplicate, action)?;
            check_duplicable(request, latest)?;
            (
                Decision::Duplicate { order: latest.number() },
                "The directory URL asks for a duplicate.".to_owned(),
            )
        }
        Action::Enroll => {
            (Decision::Enroll { like: None }, "The directory URL asks for a new order.".to_owned())
        }
    };
    Ok(Decided::new(decision, window, verdicts, why))
}

fn explicit_renew(
    request: &AcmeRequest<'_>,
    named: &OrderFile,
    latest: &OrderFile,
) -> Result<(Decision, String), Refusal> {
    check_permission(request.url.may_renew, Action::Renew)?;
    let order = latest.number();
    let renew = Decision::Renew { order };
    if order == named.number() {
        return Ok((renew, "The directory URL asks for a renewal.".to_owned()));
    }
    let already =
        format!("Order {} was already renewed; order {order} is the newest", named.number());
    if is_due(request, latest) {
        return Ok((renew, format!("{already} and in its renewal window.")));
    }
    Ok(match check_automatic_duplicate(request, latest) {
        Ok(()) => (
            Decision::Duplicate { order },
            format!("{already} and not due yet: it is duplicated instead of renewed again."),
        ),
        Err(refusal) => {
            (renew, format!("{already}, and it can't be duplicated: {}", refusal.message))
        }
    })
}

fn chain_verdicts(
    request: &AcmeRequest<'_>,
    named: &OrderFile,
    latest: &OrderFile,
) -> Vec<CandidateVerdict> {
    chain(named, request.successors)
        .into_iter()
        .map(|file| {
            let number = file.number();
            if number == latest.number() {
                CandidateVerdict::kept(
                    number,
                    "A2",
                    "The newest issued order of the chain that the directory URL names.",
                )
            } else if file.is_standing() {
                CandidateVerdict::dropped(
                    number,
                    "A2",
                    "It was renewed by a newer order of its chain.",
                )
            } else {
                CandidateVerdict::dropped(number, "A2", format!("It is {}.", file.order.status))
            }
        })
        .collect()
}

fn not_standing(named: &OrderFile) -> Refusal {
    Refusal::new(
        "A2",
        "order_not_issued",
        format!(
            "Order {} is {}, and no issued order renewed it. Leave it out of the directory URL, or \
             use ?action=enroll for a new order.",
            named.number(),
            named.order.status
        ),
    )
}

/// A foreign order and a missing one look the same.
pub(super) fn unknown_order(order: OrderNumber) -> Refusal {
    Refusal::new(
        "A2",
        "order_unknown",
        format!(
            "There is no order {order} in this organization. Check the order number in the \
             directory URL, or leave action and orderId out to let the server find the order."
        ),
    )
}
