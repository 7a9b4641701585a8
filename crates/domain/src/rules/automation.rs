//! What automation does: where it offers duplicates, and what it does with a certificate that is
//! due.

#[cfg(test)]
mod tests;

use std::cmp::Reverse;

use crate::model::{
    ApprovalStep, Certificate, EndpointAction, OrderFile, Preferences, Profile, Role, User, Windows,
};
use crate::rules::duplicate::{DuplicateNames, DuplicatePlan, check_product, plan_duplicate};
use crate::rules::endpoint::{EndpointFacts, is_lost};
use crate::rules::explanation::{CandidateVerdict, Decided, Decision};
use crate::rules::lineage::{chain, newest_issued};
use crate::rules::name_match::list;
use crate::rules::reissue::{ReissueRequest, plan_reissue};
use crate::rules::renew::{Due, latest_renewed, plan_renew};
use crate::rules::window::renewal_window;
use crate::{Name, NameSet, Product, Refusal, Timestamp};

/// The way that is always open.
const MANUAL_WORKFLOW: &str = "A duplicate can always be requested by hand: Certificates > Orders \
     > the order > Certificate actions > Request duplicate.";

/// Rule D3: automation offers duplicates only where an administrator enabled them for the account
/// and the approval step is skipped, to people whose requests need no approval, and where the
/// profile, if one is chosen, has "Allow duplicates" and a product that gives them.
pub fn offer_in_automation(
    preferences: &Preferences,
    requester: Role,
    profile: Option<&Profile>,
) -> Result<(), Refusal> {
    let refuse =
        |rule, code, why: &str| Err(Refusal::new(rule, code, format!("{why} {MANUAL_WORKFLOW}")));
    if preferences.approval_step == ApprovalStep::OneStep {
        return refuse(
            "D3",
            "approval_step_on",
            "Duplicates are not available in Automation while certificate requests must be \
             approved. An administrator can choose \"Skip approval step\" in Settings > \
             Preferences > Advanced Settings.",
        );
    }
    if !preferences.duplicates_in_automation {
        return refuse(
            "D3",
            "duplicates_off",
            "Duplicates are not enabled in Automation for this account. An administrator can turn \
             on \"Enable duplicate certificates in Automation\" in Settings > Preferences > \
             Advanced Settings.",
        );
    }
    if !requester.is_approver() {
        return refuse(
            "D16",
            "role_needs_approval",
            "Duplicates are not available in Automation to Standard and Limited Users, whose \
             requests are always approved first.",
        );
    }
    let Some(profile) = profile else { return Ok(()) };
    if !profile.allow_duplicates {
        return refuse(
            "D3",
            "profile_has_no_duplicates",
            &format!(
                "The profile {:?} does not allow duplicates. Choose another profile, or turn on \
                 \"Allow duplicates\" in it.",
                profile.name
            ),
        );
    }
    Product::find(profile.product.as_str()).map_or(Ok(()), check_product)
}

/// Rule D7: automation issues no duplicates in bulk. `duplicates` says for each endpoint of the
/// bulk request whether a duplicate is asked for; one is enough to refuse the whole.
pub fn check_bulk(duplicates: &[bool]) -> Result<(), Refusal> {
    if duplicates.contains(&true) {
        return Err(Refusal::new(
            "D7",
            "bulk_duplicate",
            "Automation issues no duplicate certificates in bulk, so nothing of this bulk request \
             was done. Request each duplicate on its own endpoint, or choose new certificates \
             for the bulk request.",
        ));
    }
    if duplicates.len() > MAX_BULK {
        return Err(Refusal::new(
            "bulk",
            "bulk_too_large",
            format!(
                "A bulk request takes at most {MAX_BULK} endpoints, not {}. Select fewer.",
                duplicates.len()
            ),
        ));
    }
    Ok(())
}

/// The most endpoints that one bulk request takes.
pub const MAX_BULK: usize = 500;

/// Rule D17: a scheduled duplicate is checked again when it runs, against everything as it is by
/// then. On a refusal the event ends as "Action required" with its words, and nothing is issued.
pub fn recheck_scheduled_duplicate(
    preferences: &Preferences,
    requester: Role,
    profile: Option<&Profile>,
    source: &OrderFile,
    names: &DuplicateNames,
    issuer_not_after: Timestamp,
    now: Timestamp,
) -> Result<DuplicatePlan, Refusal> {
    offer_in_automation(preferences, requester, profile)?;
    plan_duplicate(source, names, now)?.within(issuer_not_after)
}

/// The person who set auto-renew (none where they are no longer there), where it may still act in
/// their name. On a refusal the endpoint becomes "Action required": auto-renew is not silently lost.
pub fn check_auto_renew_owner(owner: Option<&User>) -> Result<&User, Refusal> {
    let (code, who) = match owner {
        Some(owner) if owner.disabled => {
            ("owner_disabled", format!("{} has been disabled", owner.email))
        }
        Some(owner) if owner.role == Role::Limited => (
            "owner_limited",
            format!("{} may no longer request certificates in Automation", owner.email),
        ),
        Some(owner) => return Ok(owner),
        None => ("owner_gone", "The person who set up auto-renew is no longer a user".to_owned()),
    };
    let message = format!("{who}, so nothing can be requested in their name.");
    Err(Refusal::new("auto_renew", code, message))
}

/// Auto-renew goes on for the names that a person has chosen: those in place when it was switched on,
/// or requested and installed since. What is `served` an agent says, which is not trusted: it must not
/// choose what is issued. `chosen` is empty where nothing was in place. On a refusal the endpoint
/// becomes "Action required".
pub fn check_served_names(chosen: &NameSet, served: &NameSet) -> Result<(), Refusal> {
    if served == chosen {
        return Ok(());
    }
    let names = if chosen.is_empty() {
        format!("{}, and nothing was in place when auto-renew was switched on", list(served))
    } else {
        let new: NameSet = served.missing_from(chosen).cloned().collect();
        let missing: NameSet = chosen.missing_from(served).cloned().collect();
        let differing = [("new: ", new), ("missing: ", missing)];
        let differing = differing.iter().filter(|(_, names)| !names.is_empty());
        let told: Vec<String> =
            differing.map(|(lead, names)| format!("{lead}{}", list(names))).collect();
        format!("other names than those that auto-renew was switched on for ({})", told.join("; "))
    };
    let message = format!(
        "The endpoint serves a certificate for {names}. Nobody has chosen its names, so nothing is \
         issued by itself."
    );
    Err(Refusal::new("auto_renew", "other_names", message))
}

/// The same for the names that a certificate would get, whoever knows them: an order may have got others
/// since. There may be fewer of them, where the order gave some up.
pub fn check_issued_names(chosen: &NameSet, names: &NameSet) -> Result<(), Refusal> {
    let beyond: NameSet = names.missing_from(chosen).cloned().collect();
    if beyond.is_empty() {
        return Ok(());
    }
    let message = format!(
        "The certificate would get names that auto-renew was not switched on for: {}. Nobody has \
         chosen them for this endpoint, so nothing is issued by itself. If they are right, request \
         the certificate for the endpoint yourself.",
        list(&beyond)
    );
    Err(Refusal::new("auto_renew", "names_beyond", message))
}

/// Whether a request's "Auto-renew" box also switches what is `on` already. Who may not change
/// auto-renew of endpoints does not take it over, or switch it off, by requesting a certificate.
pub fn may_switch_auto_renew(requester: Role, on: bool, own: bool) -> bool {
    !on || own || requester.is_approver()
}

/// What auto-renew asks for on an endpoint that is due, or whose certificate [is lost](is_lost): the
/// renewal of its order, or "Switch to …" where it has none of ours. Where the certificate is lost
/// before its order is due, that is not renewed: it gives its next certificate, as by a person's
/// "Reissue". Where the order is gone and nobody renewed it, a new one is requested.
pub fn auto_renew_action(facts: &EndpointFacts<'_>, windows: Windows) -> EndpointAction {
    let Some(file) = facts.order else { return EndpointAction::Switch };
    if !goes_on(file) {
        return EndpointAction::Request;
    }
    let due = renewal_window(file, windows).is_none_or(|window| window.is_open(facts.now));
    if due || !is_lost(facts.issuer, facts.certificate) || file.order.renewed_by.is_some() {
        return EndpointAction::Renew;
    }
    match plan_reissue(file, &ReissueRequest::Same, Timestamp(i64::MAX), facts.now) {
        Ok(_) => EndpointAction::Reissue,
        Err(_) => EndpointAction::Renew,
    }
}

/// Whether the next certificate of an endpoint comes of its order, or of one that renewed that; else a
/// new order is placed by the profile.
pub fn goes_on(file: &OrderFile) -> bool {
    file.is_standing() || file.order.renewed_by.is_some()
}

/// An endpoint whose certificate is due.
#[derive(Debug, Clone, Copy)]
pub struct AutomationRequest<'a> {
    /// The order of the certificate in place.
    pub due: &'a OrderFile,
    /// The common name of the certificate in place.
    pub common_name: &'a Name,
    /// The names of the certificate in place, the common name counted in.
    pub names: &'a NameSet,
    /// The last second of the certificate in place; none where nothing is in place any more.
    pub until: Option<Timestamp>,
    /// The orders that renewed `due`, and those that renewed them, in any sequence.
    pub successors: &'a [OrderFile],
    /// Other orders with the same product, organization and names, in any sequence.
    pub others: &'a [OrderFile],
    /// The profile of the automation.
    pub profile: Option<&'a Profile>,
    /// The account's settings.
    pub preferences: &'a Preferences,
    /// The role, now, of the person who asked or who set auto-renew.
    pub requester: Role,
    /// The last second of the issuing certificate.
    pub issuer_not_after: Timestamp,
    /// Now.
    pub now: Timestamp,
}

/// Rule D14: where no renewed order gives a duplicate, the regular renewal goes on: of the newest
/// order of the chain, or, where that is a multi-year plan outside its window, its next
/// certificate.
/// Rule D15: "Renew" by a person and auto-renew by the scheduler both ask here.
pub fn decide_automation(request: &AutomationRequest<'_>) -> Result<Decided, Refusal> {
    let AutomationRequest { due, now, preferences, .. } = *request;
    let windows = preferences.windows;
    let mut verdicts = Vec::new();
    let offered = offer_in_automation(preferences, request.requester, request.profile);
    let sources = sources(request);
    if let (true, Err(refusal)) = (!sources.is_empty(), &offered) {
        verdicts.extend(sources.iter().map(|file| {
            CandidateVerdict::dropped(file.number(), refusal.rule, refusal.message.as_str())
        }));
    } else {
        let facts = Due {
            order: &due.order,
            common_name: request.common_name,
            names: request.names,
            until: request.until,
            end: newest_issued(due, request.successors).map(OrderFile::number),
            issuer_not_after: request.issuer_not_after,
            windows,
            now,
        };
        if let Some(plan) = latest_renewed(facts, &sources, &mut verdicts) {
            let window = sources
                .iter()
                .find(|file| file.number() == plan.order)
                .and_then(|file| renewal_window(file, windows));
            let why = format!(
                "Order {} can be duplicated, which avoids another renewal of order {}.",
                plan.order,
                due.number()
            );
            return Ok(Decided::new(
                Decision::Duplicate { order: plan.order },
                window,
                verdicts,
                why,
            ));
        }
    }
    regular(request, verdicts)
}

/// Where a duplicate could come from: the chain's end, then the newest of the others. The order
/// of the certificate in place counts only if its primary certificate is a later one by now: a copy of
/// one that is due would be due itself.
fn sources<'a>(request: &AutomationRequest<'a>) -> Vec<&'a OrderFile> {
    let line = chain(request.due, request.successors);
    let end = newest_issued(request.due, request.successors).filter(|end| {
        end.number() != request.due.number()
            || (end.order.coverage.is_multi_year() && ends_later(request, end.primary()))
    });
    let mut others: Vec<&OrderFile> = request
        .others
        .iter()
        .filter(|file| file.is_standing() && line.iter().all(|one| one.number() != file.number()))
        .collect();
    others
        .sort_by_key(|file| Reverse((file.order.issued_at, file.order.ordered_at, file.number())));
    others.dedup_by_key(|file| file.number());
    end.into_iter().chain(others).collect()
}

/// Whether a certificate outlives the one in place.
fn ends_later(request: &AutomationRequest<'_>, certificate: Option<&Certificate>) -> bool {
    certificate.is_some_and(|one| request.until.is_none_or(|until| one.not_after > until))
}

/// Whether the plan's next certificate would outlive the one in place: its last one ends with the
/// plan. What can't be issued at all is refused when it is asked for, in the words of its rule.
fn next_ends_later(request: &AutomationRequest<'_>, plan: &OrderFile) -> bool {
    let next = plan_reissue(plan, &ReissueRequest::Same, request.issuer_not_after, request.now);
    match (next, request.until) {
        (Ok(next), Some(until)) => next.validity.not_after > until,
        _ => true,
    }
}

fn regular(
    request: &AutomationRequest<'_>,
    verdicts: Vec<CandidateVerdict>,
) -> Result<Decided, Refusal> {
    let latest = newest_issued(request.due, request.successors).unwrap_or(request.due);
    let window = renewal_window(latest, request.preferences.windows);
    let open = window.is_none_or(|window| window.is_open(request.now));
    plan_renew(latest, request.now)?;
    let order = latest.number();
    if latest.order.coverage.is_multi_year() && !open {
        if next_ends_later(request, latest) {
            let why = format!(
                "Order {order} is a multi-year plan that is not due for renewal: it gets its next certificate."
            );
            return Ok(Decided::new(Decision::Reissue { order }, window, verdicts, why));
        }
        let why = format!(
            "Order {order} is a multi-year plan whose last certificate is in place: it is renewed."
        );
        return Ok(Decided::new(Decision::Renew { order }, window, verdicts, why));
    }
    let why = if verdicts.is_empty() {
        format!("No renewed order to duplicate: order {order} is renewed.")
    } else {
        format!("No renewed order can be duplicated: order {order} is renewed.")
    };
    Ok(Decided::new(Decision::Renew { order }, window, verdicts, why))
}
