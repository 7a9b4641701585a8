//! What an ACME request does: enroll, renew, reissue or duplicate, and for which order.
//!
//! Precedence: the action that the directory URL names, then the `replaces` field of RFC 9773,
//! then auto-detection.

use crate::model::{AcmeUrl, OrderFile, Windows};
use crate::rules::detect::{Wanted, detect};
use crate::rules::directory::DirectoryAction;
use crate::rules::duplicate::{DuplicateNames, check_product, check_source, plan_names};
use crate::rules::explanation::{Action, CandidateVerdict, Decided, Decision};
use crate::rules::lineage::{chain, newest_issued};
use crate::rules::name_match::match_names;
use crate::rules::profile::check_acme_names;
use crate::rules::window::{Window, renewal_window};
use crate::{DnsName, NameSet, OrderNumber, Product, Refusal, Timestamp};

/// An ACME order as the rules see it, with the orders that it may be about.
#[derive(Debug, Clone, Copy)]
pub struct AcmeRequest<'a> {
    /// The ACME Directory URL of the account's credential.
    pub url: &'a AcmeUrl,
    /// The identifiers.
    pub names: &'a NameSet,
    /// The common name, once the CSR is known and where it has one.
    pub common_name: Option<&'a DnsName>,
    /// What the directory URL asks for.
    pub explicit: Option<DirectoryAction>,
    /// The order that the URL names or, without an explicit action, the order of the certificate
    /// that `replaces` names; none where there is no such order.
    pub named: Option<&'a OrderFile>,
    /// The orders that renewed `named`, and those that renewed them, in any sequence.
    pub successors: &'a [OrderFile],
    /// Orders to detect among, found by [`detection_keys`](crate::rules::detection_keys).
    pub candidates: &'a [OrderFile],
    /// Both renewal windows.
    pub windows: Windows,
    /// Now.
    pub now: Timestamp,
}

/// Rule A1: a request that is about no existing order enrolls.
/// Rule A3: without an action in the URL the order is found, and the default action is done.
/// Rule A5: so it is when detection finds nothing.
/// Rule A6: `enroll` in the URL makes a new order, whatever exists.
pub fn decide_acme(request: &AcmeRequest<'_>) -> Result<Decided, Refusal> {
    check_acme_names(request.url, request.names)?;
    check_common_name(request)?;
    match request.explicit {
        Some(DirectoryAction::Enroll) => {
            let why = "The directory URL asks for a new order.";
            Ok(Decided::new(Decision::Enroll { like: None }, None, Vec::new(), why))
        }
        Some(DirectoryAction::Renew(order)) => explicit(request, Action::Renew, order),
        Some(DirectoryAction::Reissue(order)) => explicit(request, Action::Reissue, order),
        Some(DirectoryAction::Duplicate(order)) => explicit(request, Action::Duplicate, order),
        None => Ok(found(request)),
    }
}

fn check_common_name(request: &AcmeRequest<'_>) -> Result<(), Refusal> {
    match request.common_name {
        Some(name) if !request.names.contains(name) => Err(Refusal::new(
            "A4",
            "common_name_not_requested",
            format!(
                "The CSR's common name {name} is not one of the order's identifiers. Make the CSR \
                 with one of them, or without a common name."
            ),
        )),
        _ => Ok(()),
    }
}

/// The common name to issue: the CSR's, else that of the order it is about if the client asked
/// for that name, else the first identifier in the client's sequence. None without identifiers.
pub fn issued_common_name(
    csr: Option<&DnsName>,
    order: Option<&DnsName>,
    identifiers: &[DnsName],
) -> Option<DnsName> {
    csr.or_else(|| order.filter(|name| identifiers.contains(name)))
        .or_else(|| identifiers.first())
        .cloned()
}

/// By `replaces`, else by detection.
fn found(request: &AcmeRequest<'_>) -> Decided {
    let mut verdicts = Vec::new();
    if let Some(named) = request.named {
        if let Some(latest) = replaced(request, named, &mut verdicts) {
            return default_action(request, latest, verdicts);
        }
    }
    let wanted = Wanted {
        organization: request.url.organization,
        product: &request.url.product,
        names: request.names,
        common_name: request.common_name,
    };
    let detection = detect(&wanted, request.candidates, request.now);
    verdicts.extend(detection.candidates);
    let file = request.candidates.iter().find(|file| Some(file.number()) == detection.order);
    match file {
        Some(file) => default_action(request, file, verdicts),
        None => {
            let why = "No existing order matches: a new order is made.";
            Decided::new(Decision::Enroll { like: None }, None, verdicts, why)
        }
    }
}

/// The newest order of the chain of the certificate that is replaced, where it fits the request.
/// A `replaces` that does not fit is a hint less, no reason to refuse.
fn replaced<'a>(
    request: &AcmeRequest<'a>,
    named: &'a OrderFile,
    verdicts: &mut Vec<CandidateVerdict>,
) -> Option<&'a OrderFile> {
    if named.order.organization != request.url.organization {
        return None;
    }
    let Some(latest) = newest_issued(named, request.successors) else {
        let why = "The replaced certificate's order is not standing.";
        verdicts.push(CandidateVerdict::dropped(named.number(), "A3", why));
        return None;
    };
    match check_fit(request, latest) {
        Ok(()) => {
            let why = "The client says that its certificate is replaced (RFC 9773).";
            verdicts.push(CandidateVerdict::kept(latest.number(), "A3", why));
            Some(latest)
        }
        Err(refusal) => {
            verdicts.push(CandidateVerdict::dropped(latest.number(), "A3", refusal.message));
            None
        }
    }
}

/// Product, names and, where it is known, the common name fit.
fn check_fit(request: &AcmeRequest<'_>, file: &OrderFile) -> Result<(), Refusal> {
    let order = &file.order;
    if order.organization != request.url.organization {
        return Err(unknown_order(order.number));
    }
    if order.product != request.url.product {
        return Err(Refusal::new(
            "A4",
            "product_differs",
            format!(
                "Order {} is of the product {}, but this ACME Directory URL is for {}. Use the \
                 ACME Directory URL of that product, or leave the order out of the URL.",
                order.number, order.product, request.url.product
            ),
        ));
    }
    match_names(order, request.names, request.common_name).map_err(|mismatch| {
        Refusal::new(
            "A4",
            "names_differ",
            format!(
                "The requested names don't match order {}: {mismatch}. Request the order's names, \
                 or leave the order out of the directory URL to get a new one.",
                order.number
            ),
        )
    })
}

/// A foreign order and a missing one look the same.
fn unknown_order(order: OrderNumber) -> Refusal {
    Refusal::new(
        "A2",
        "order_unknown",
        format!(
            "There is no order {order} in this organization. Check the order number in the \
             directory URL, or leave action and orderId out to let the server find the order."
        ),
    )
}

/// Rule A2: an action in the URL is carried out whatever the default would be, where its own
/// rules allow it. The order stands for its chain of renewals: the action is done on the newest
/// issued one, and `renew` of a chain that was renewed already makes a duplicate outside the
/// window.
fn explicit(request: &AcmeRequest<'_>, action: Action, order: OrderNumber) -> Result<Decided, Refusal> {
    let named = request
        .named
        .filter(|file| file.number() == order && file.order.organization == request.url.organization)
        .ok_or_else(|| unknown_order(order))?;
    let latest = newest_issued(named, request.successors).ok_or_else(|| not_standing(named))?;
    check_fit(request, latest)?;
    let window = renewal_window(latest, request.windows);
    let verdicts = chain_verdicts(request, named, latest);
    let (decision, why) = match action {
        Action::Renew => explicit_renew(request, named, latest)?,
        Action::Reissue => {
            check_permission(request.url.may_reissue, action)?;
            crate::rules::reissue::check_reissuable(latest, request.now)?;
            (Decision::Reissue { order: latest.number() }, "The directory URL asks for a reissue.".to_owned())
        }
        Action::Duplicate => {
            check_permission(request.url.may_duplicate, action)?;
            check_duplicable(request, latest)?;
            (Decision::Duplicate { order: latest.number() }, "The directory URL asks for a duplicate.".to_owned())
        }
        Action::Enroll => (Decision::Enroll { like: None }, "The directory URL asks for a new order.".to_owned()),
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
    let already = format!("Order {} was already renewed; order {order} is the newest", named.number());
    if is_due(request, latest) {
        return Ok((renew, format!("{already} and in its renewal window.")));
    }
    Ok(match check_automatic_duplicate(request, latest) {
        Ok(()) => (
            Decision::Duplicate { order },
            format!("{already} and not due yet: it is duplicated instead of renewed again."),
        ),
        Err(refusal) => (renew, format!("{already}, and it can't be duplicated: {}", refusal.message)),
    })
}

fn check_permission(allowed: bool, action: Action) -> Result<(), Refusal> {
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
                CandidateVerdict::kept(number, "A2", "The newest issued order of the chain that the directory URL names.")
            } else if file.is_standing() {
                CandidateVerdict::dropped(number, "A2", "It was renewed by a newer order of its chain.")
            } else {
                CandidateVerdict::dropped(number, "A2", format!("It is {}.", file.order.status))
            }
        })
        .collect()
}

fn is_due(request: &AcmeRequest<'_>, file: &OrderFile) -> bool {
    renewal_window(file, request.windows).is_some_and(|window| window.is_open(request.now))
}

/// Product, order and names allow a duplicate.
fn check_duplicable(request: &AcmeRequest<'_>, file: &OrderFile) -> Result<(), Refusal> {
    let (product, _) = check_source(file, request.now)?;
    let common_name = request.common_name.or_else(|| {
        Some(&file.order.common_name).filter(|name| request.names.contains(name)).or_else(|| request.names.iter().next())
    });
    let Some(common_name) = common_name else { return Ok(()) };
    let names = DuplicateNames::Exactly {
        common_name: common_name.clone(),
        names: request.names.clone(),
    };
    plan_names(file, product, &names).map(|_| ())
}

/// A duplicate that nobody asked for by name also needs the URL's own permissions.
fn check_automatic_duplicate(request: &AcmeRequest<'_>, file: &OrderFile) -> Result<(), Refusal> {
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

/// Rule A7: an order that is no multi-year plan is renewed in its certificate's window, else
/// duplicated if duplicates are allowed, else a new order is made with its options.
/// Rule A8: a multi-year plan is renewed in the order's window, else reissued.
///
/// Where the ACME Directory URL does not permit the renewal or reissue, a new order is made.
fn default_action(
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
        let why = format!("Order {order} is a multi-year plan not due for renewal{}: it gets its next certificate.", opened(window));
        permitted(request.url.may_reissue, Decision::Reissue { order }, why)
    } else {
        match check_automatic_duplicate(request, file) {
            Ok(()) => (
                Decision::Duplicate { order },
                format!("Order {order} is not due for renewal{}, and duplicates are allowed.", opened(window)),
            ),
            Err(refusal) => (
                Decision::Enroll { like: Some(order) },
                format!("Order {order} is not due for renewal{} and can't be duplicated: {} A new order with its options is made.", opened(window), refusal.message),
            ),
        }
    };
    Decided::new(decision, window, verdicts, why)
}

fn permitted(allowed: bool, decision: Decision, why: String) -> (Decision, String) {
    match (allowed, decision.order()) {
        (false, Some(order)) => {
            let action = decision.action();
            let why = format!("{why} This ACME Directory URL may not {action}, so a new order with its options is made.");
            (Decision::Enroll { like: Some(order) }, why)
        }
        _ => (decision, why),
    }
}

fn opened(window: Option<Window>) -> String {
    window.map(|window| format!(" (from {})", window.opens_at)).unwrap_or_default()
}
