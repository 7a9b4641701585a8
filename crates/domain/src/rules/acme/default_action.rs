//! What is done with an order that was found, and what this ACME Directory URL permits.

use super::AcmeRequest;
use crate::model::OrderFile;
use crate::rules::duplicate::{DuplicateNames, check_product, plan_duplicate};
use crate::rules::explanation::{Action, CandidateVerdict, Decided, Decision};
use crate::rules::reissue::check_reissuable;
use crate::rules::window::{Window, renewal_window};
use crate::{Product, Refusal};

/// Rule A7: an order that is no multi-year plan is renewed in its certificate's window, else
/// duplicated if duplicates are allowed and one could be issued now, else a new order is made with
/// its options.
/// Rule A8: a multi-year plan is renewed in the order's window, else reissued.
///
/// Where the ACME Directory URL does not permit the renewal or reissue, or a reissue is pending, a
/// new order is made.
pub(super) fn default_action(
    request: &AcmeRequest<'_>,
    file: &OrderFile,
    verdicts: Vec<CandidateVerdict>,
) -> Decided {
    let order = file.number();
    let window = renewal_window(file, request.windows);
    let (decision, why) = if is_due(request, file) {
        let why = format!("Order {order} is in its renewal window{}.", opened(window));
        permitted(request.url.may_renew, Decision::Renew { order }, why)
    } else if file.order.coverage.is_multi_year() {
        next_certificate(request, file, window)
    } else {
        match check_automatic_duplicate(request, file) {
            Ok(()) => (
                Decision::Duplicate { order },
                format!(
                    "Order {order} is not due for renewal{}, and duplicates are allowed.",
                    opened(window)
                ),
            ),
            Err(refusal) => (
                Decision::Enroll { like: Some(order) },
                format!(
                    "Order {order} is not due for renewal{} and can't be duplicated: {} A new order with its options is made.",
                    opened(window),
                    refusal.message
                ),
            ),
        }
    };
    Decided::new(decision, window, verdicts, why)
}

fn next_certificate(
    request: &AcmeRequest<'_>,
    file: &OrderFile,
    window: Option<Window>,
) -> (Decision, String) {
    let order = file.number();
    let plan = format!("Order {order} is a multi-year plan not due for renewal{}", opened(window));
    match check_reissuable(file, request.now) {
        Ok(()) => {
            let why = format!("{plan}: it gets its next certificate.");
            permitted(request.url.may_reissue, Decision::Reissue { order }, why)
        }
        Err(refusal) => (
            Decision::Enroll { like: Some(order) },
            format!(
                "{plan} and gives no certificate now: {} A new order with its options is made.",
                refusal.message
            ),
        ),
    }
}

fn permitted(allowed: bool, decision: Decision, why: String) -> (Decision, String) {
    match (allowed, decision.order()) {
        (false, Some(order)) => {
            let action = decision.action();
            let why = format!(
                "{why} This ACME Directory URL may not {action}, so a new order with its options is made."
            );
            (Decision::Enroll { like: Some(order) }, why)
        }
        _ => (decision, why),
    }
}

fn opened(window: Option<Window>) -> String {
    window.map(|window| format!(" (from {})", window.opens_at)).unwrap_or_default()
}

pub(super) fn is_due(request: &AcmeRequest<'_>, file: &OrderFile) -> bool {
    renewal_window(file, request.windows).is_some_and(|window| window.is_open(request.now))
}

/// A duplicate that nobody asked for by name also needs the URL's own permissions.
pub(super) fn check_automatic_duplicate(
    request: &AcmeRequest<'_>,
    file: &OrderFile,
) -> Result<(), Refusal> {
    // The product's own "no" is the more telling one.
    Product::find(file.order.product.as_str()).map_or(Ok(()), check_product)?;
    check_permission(request.url.may_duplicate, Action::Duplicate)?;
    if !request.url.duplicate_automatically {
        return Err(Refusal::new(
            "A7",
            "automatic_duplicates_off",
            "\"Duplicate automatically when an order matches\" is off for this ACME Directory URL.",
        ));
    }
    check_duplicable(request, file)
}

/// What placing the duplicate would say: product, order, names and validity allow it.
pub(super) fn check_duplicable(request: &AcmeRequest<'_>, file: &OrderFile) -> Result<(), Refusal> {
    let common_name = request.common_name.or_else(|| {
        Some(&file.order.common_name)
            .filter(|name| request.names.contains(name))
            .or_else(|| request.names.iter().next())
    });
    let names = common_name.map_or(DuplicateNames::Same, |common_name| DuplicateNames::Exactly {
        common_name: common_name.clone(),
        names: request.names.clone(),
    });
    plan_duplicate(file, &names, request.now)?.within(request.issuer_not_after).map(|_| ())
}

pub(super) fn check_permission(allowed: bool, action: Action) -> Result<(), Refusal> {
    if allowed {
        return Ok(());
    }
    Err(Refusal::new(
        "A2",
        "action_not_permitted",
        format!(
            "This ACME Directory URL may not {action} certificates. An administrator can permit it \
             under Automation > ACME Directory URLs."
        ),
    ))
}
