//! What an ACME request does: enroll, renew, reissue or duplicate, and for which order.
//!
//! Precedence: the action that the directory URL names, then the `replaces` field of RFC 9773,
//! then auto-detection.

mod default_action;
mod explicit;
#[cfg(test)]
mod tests;

use self::default_action::{default_action, is_due};
use self::explicit::{explicit, unknown_order};
use crate::model::{AcmeUrl, OrderFile, OrderStatus, Windows};
use crate::rules::detect::{Wanted, detect};
use crate::rules::directory::DirectoryAction;
use crate::rules::explanation::{Action, CandidateVerdict, Decided, Decision};
use crate::rules::lineage::newest_issued;
use crate::rules::name_match::match_names;
use crate::rules::profile::check_acme_names;
use crate::rules::window::renewal_window;
use crate::{Name, NameSet, Refusal, Timestamp};

/// An ACME order as the rules see it, with the orders that it may be about.
#[derive(Debug, Clone, Copy)]
pub struct AcmeRequest<'a> {
    /// The ACME Directory URL of the account's credential.
    pub url: &'a AcmeUrl,
    /// The identifiers.
    pub names: &'a NameSet,
    /// The common name, once the CSR is known and where it has one.
    pub common_name: Option<&'a Name>,
    /// What the directory URL asks for.
    pub explicit: Option<DirectoryAction>,
    /// The order that the URL names or, without an explicit action, the order of the certificate
    /// that `replaces` names; none where there is no such order.
    pub named: Option<&'a OrderFile>,
    /// The orders that renewed `named` or the order that is detected, and those that renewed them,
    /// in any sequence.
    pub successors: &'a [OrderFile],
    /// Orders to detect among, found by [`detection_keys`](crate::rules::detection_keys).
    pub candidates: &'a [OrderFile],
    /// Both renewal windows.
    pub windows: Windows,
    /// Last second of the issuer's certificate; far off where it is not known.
    pub issuer_not_after: Timestamp,
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
    csr: Option<&Name>,
    order: Option<&Name>,
    identifiers: &[Name],
) -> Option<Name> {
    csr.or_else(|| order.filter(|name| identifiers.contains(name)))
        .or_else(|| identifiers.first())
        .cloned()
}

/// By `replaces`, else by detection.
fn found(request: &AcmeRequest<'_>) -> Decided {
    let mut verdicts = Vec::new();
    if let Some(named) = request.named
        && let Some(latest) = replaced(request, named, &mut verdicts)
    {
        return default_action(request, latest, verdicts);
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
    if let Some(file) = file {
        return detected(request, file, verdicts);
    }
    let why = "No existing order matches: a new order is made.";
    Decided::new(Decision::Enroll { like: None }, None, verdicts, why)
}

/// An order that was detected stands for its chain of renewals, as one that a URL names does: who
/// renewed it outside ACME has made the order to go on with. Where that does not fit the request, a
/// detected order that is due can't be renewed a second time, so a new one is made like it.
fn detected(
    request: &AcmeRequest<'_>,
    file: &OrderFile,
    mut verdicts: Vec<CandidateVerdict>,
) -> Decided {
    let latest = newest_issued(file, request.successors).unwrap_or(file);
    let (found, newest) = (file.number(), latest.number());
    if found == newest {
        return default_action(request, file, verdicts);
    }
    match check_chain_end(request, latest) {
        Ok(()) => {
            verdicts.retain(|verdict| verdict.order != found && verdict.order != newest);
            let why = format!("It matches, but it was renewed: order {newest} goes on for it.");
            verdicts.push(CandidateVerdict::dropped(found, "D13", why));
            let why = format!("The newest issued order of the renewals of order {found}.");
            verdicts.push(CandidateVerdict::kept(newest, "D13", why));
            default_action(request, latest, verdicts)
        }
        Err(why) => {
            verdicts.retain(|verdict| verdict.order != newest);
            verdicts.push(CandidateVerdict::dropped(newest, "D13", why));
            if !is_due(request, file) {
                return default_action(request, file, verdicts);
            }
            let window = renewal_window(file, request.windows);
            let why = format!(
                "Order {found} is in its renewal window, but it was already renewed by order \
                 {newest}, which does not fit. A new order with its options is made."
            );
            Decided::new(Decision::Enroll { like: Some(found) }, window, verdicts, why)
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
    match check_chain_end(request, latest) {
        Ok(()) => {
            let why = "The client says that its certificate is replaced (RFC 9773).";
            verdicts.push(CandidateVerdict::kept(latest.number(), "A3", why));
            Some(latest)
        }
        Err(why) => {
            verdicts.push(CandidateVerdict::dropped(latest.number(), "A3", why));
            None
        }
    }
}

/// Whether the default action can be done on the newest order of a chain: it fits, and it is settled
/// what it holds.
fn check_chain_end(request: &AcmeRequest<'_>, latest: &OrderFile) -> Result<(), String> {
    if latest.order.status == OrderStatus::ReissuePending {
        return Err("A reissue of it is pending, so it is not settled what it holds.".to_owned());
    }
    check_fit(request, latest).map_err(|refusal| refusal.message)
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
