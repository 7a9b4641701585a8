//! Tests of what automation does.

use super::*;
use crate::model::{
    CertificateStatus, EndpointStatus, OrderStatus, RevocationReason, ServedIssuer,
};
use crate::rules::fixture::{
    NOW, name, names, open_preferences, order, plan_ending, profile, renewed, standard, with_status,
};
use crate::{Days, OrderNumber};

struct Scene {
    due: OrderFile,
    successors: Vec<OrderFile>,
    others: Vec<OrderFile>,
    preferences: Preferences,
    /// Of the certificate in place; none for the order's first.
    until: Option<Timestamp>,
    issuer_not_after: Timestamp,
}

fn scene(due: OrderFile, successors: Vec<OrderFile>) -> Scene {
    Scene {
        due,
        successors,
        others: Vec::new(),
        preferences: open_preferences(),
        until: None,
        issuer_not_after: Timestamp(i64::MAX),
    }
}

impl Scene {
    fn decide(&self) -> Decided {
        let (common_name, held) = (&self.due.order.common_name, &self.due.order.names);
        self.decide_for(common_name, held)
    }

    fn decide_for(&self, common_name: &Name, names: &NameSet) -> Decided {
        decide_automation(&AutomationRequest {
            due: &self.due,
            common_name,
            names,
            until: self.until.or_else(|| self.due.certificates.first().map(|one| one.not_after)),
            successors: &self.successors,
            others: &self.others,
            profile: None,
            preferences: &self.preferences,
            requester: Role::Manager,
            issuer_not_after: self.issuer_not_after,
            now: NOW,
        })
        .unwrap()
    }
}

fn duplicate(order: i64) -> Decision {
    Decision::Duplicate { order: OrderNumber(order) }
}

fn renew(order: i64) -> Decision {
    Decision::Renew { order: OrderNumber(order) }
}

#[test]
fn d3_offered_only_with_feature_skipped_step_and_free_role() {
    let mut settings = open_preferences();
    let web = profile("ssl_plus");
    let code = |settings: &Preferences, role, profile: &Profile| {
        offer_in_automation(settings, role, Some(profile)).map_err(|no| no.code)
    };
    assert_eq!(code(&settings, Role::Administrator, &web), Ok(()));
    assert_eq!(code(&settings, Role::Manager, &web), Ok(()));
    assert_eq!(code(&settings, Role::Standard, &web), Err("role_needs_approval"));
    assert_eq!(code(&settings, Role::Limited, &web), Err("role_needs_approval"));
    assert_eq!(
        code(&settings, Role::Manager, &profile("ssl_dv_geotrust")),
        Err("product_has_no_duplicates")
    );
    let closed = Profile { allow_duplicates: false, ..web.clone() };
    assert_eq!(code(&settings, Role::Manager, &closed), Err("profile_has_no_duplicates"));
    settings.duplicates_in_automation = false;
    assert_eq!(code(&settings, Role::Administrator, &web), Err("duplicates_off"));
    settings.approval_step = ApprovalStep::OneStep;
    settings.auto_approve_approvers = true;
    assert_eq!(code(&settings, Role::Administrator, &web), Err("approval_step_on"));
}

#[test]
fn d3_d4_default_settings_offer_none_and_name_the_manual_workflow() {
    let refusal =
        offer_in_automation(&Preferences::default(), Role::Administrator, None).unwrap_err();
    assert!(refusal.message.contains("Skip approval step"), "{refusal}");
    assert!(refusal.message.contains("Certificate actions > Request duplicate"), "{refusal}");
}

#[test]
fn d7_bulk_with_one_duplicate_is_refused_whole() {
    assert_eq!(check_bulk(&[false, false]), Ok(()));
    assert_eq!(check_bulk(&[false, true, false]).unwrap_err().code, "bulk_duplicate");
    assert_eq!(check_bulk(&[true]).unwrap_err().rule, "D7");
    assert_eq!(check_bulk(&[false; MAX_BULK]), Ok(()));
    assert_eq!(check_bulk(&[false; MAX_BULK + 1]).unwrap_err().code, "bulk_too_large");
}

#[test]
fn d13_duplicates_the_end_of_the_chain() {
    let chain = scene(
        renewed(standard(12345, 10), 67890),
        vec![standard(99999, 190), renewed(standard(67890, 150), 99999)],
    );
    let decided = chain.decide();
    assert_eq!(decided.decision, duplicate(99999));
    let verdict = decided.explanation.candidates.first().unwrap();
    assert_eq!(
        (verdict.order, verdict.kept, verdict.rule.as_str()),
        (OrderNumber(99999), true, "D13")
    );
    assert_eq!(decided.explanation.window.unwrap().opens_at, NOW.plus(Days(190 - 32)));
}

#[test]
fn d13_otherwise_the_newest_order_outside_its_window() {
    let mut other = scene(standard(12345, 10), vec![]);
    other.others = vec![
        standard(2, 150),
        standard(3, 199),
        standard(4, 20),
        with_status(standard(5, 199), OrderStatus::Revoked),
    ];
    assert_eq!(other.decide().decision, duplicate(3));
    // The chain's end goes first, older though it is.
    other.due.order.renewed_by = Some(OrderNumber(6));
    other.successors = vec![standard(6, 100)];
    assert_eq!(other.decide().decision, duplicate(6));
}

/// Where certificates live shorter by now, the renewal ends before what it takes the place of: the
/// others that are due have a duplicate of it all the same, or each would renew the one before.
#[test]
fn d13_duplicates_the_end_of_the_chain_whenever_it_ends() {
    let line = scene(renewed(standard(1, 88), 2), vec![standard(2, 47)]);
    assert_eq!(line.decide().decision, duplicate(2));
    let mut beside = scene(standard(1, 88), vec![]);
    beside.others = vec![standard(2, 47)];
    let decided = beside.decide();
    assert_eq!(decided.decision, renew(1));
    assert!(decided.explanation.candidates.first().unwrap().why.contains("ends no later"));
}

/// What would outlive the issuer would be refused when it is asked for: the renewal goes on.
#[test]
fn d14_no_duplicate_outlives_the_issuer() {
    let mut line = scene(renewed(standard(1, 10), 2), vec![standard(2, 190)]);
    line.issuer_not_after = NOW.plus(Days(190));
    assert_eq!(line.decide().decision, duplicate(2));
    line.issuer_not_after = NOW.plus(Days(190)).plus_seconds(-1);
    let decided = line.decide();
    assert_eq!(decided.decision, renew(2));
    assert_eq!(decided.explanation.candidates.first().unwrap().rule, "D8");
    // The plan's next certificate would end with the issuer, no later than the one in place.
    let mut plan = scene(plan_ending(standard(1, 60), 300), vec![]);
    plan.issuer_not_after = NOW.plus(Days(60));
    assert_eq!(plan.decide().decision, renew(1));
}

#[test]
fn d13_keeps_the_extra_names_of_a_wildcard_duplicate() {
    let line = scene(
        renewed(order(1, "ssl_wildcard", "*.example.com", 10), 2),
        vec![order(2, "ssl_wildcard", "*.example.com", 190)],
    );
    let held = names("*.example.com a.b.example.com");
    assert_eq!(line.decide_for(&name("*.example.com"), &held).decision, duplicate(2));
    let foreign = names("*.example.com www.other.test");
    assert_eq!(line.decide_for(&name("*.example.com"), &foreign).decision, renew(2));
}

#[test]
fn d14_without_a_renewed_order_the_renewal_goes_on() {
    assert_eq!(scene(standard(12345, 10), vec![]).decide().decision, renew(12345));
    let changed = order(2, "ssl_plus", "mail.example.com", 190);
    let decided = scene(renewed(standard(1, 10), 2), vec![changed]).decide();
    assert_eq!(decided.decision, renew(2));
    assert!(!decided.explanation.candidates.first().unwrap().kept);
    // The latest is due itself.
    assert_eq!(
        scene(renewed(standard(1, 1), 2), vec![standard(2, 20)]).decide().decision,
        renew(2)
    );
}

#[test]
fn d14_where_it_may_not_be_duplicated_the_renewal_goes_on() {
    let mut held = scene(renewed(standard(1, 10), 2), vec![standard(2, 190)]);
    held.preferences.approval_step = ApprovalStep::OneStep;
    let decided = held.decide();
    assert_eq!(decided.decision, renew(2));
    assert_eq!(decided.explanation.candidates.first().unwrap().rule, "D3");
    let dv = |number, days| order(number, "ssl_dv_geotrust", "www.example.com", days);
    assert_eq!(scene(renewed(dv(1, 10), 2), vec![dv(2, 190)]).decide().decision, renew(2));
}

#[test]
fn d15_auto_renew_of_a_plan_takes_the_next_certificate_once() {
    let plan = plan_ending(standard(1, 10), 300);
    assert_eq!(
        scene(plan.clone(), vec![]).decide().decision,
        Decision::Reissue { order: OrderNumber(1) }
    );
    // Another endpoint was first: the new primary is duplicated.
    let mut done = plan;
    let mut next = standard(1, 190).certificates.remove(0);
    next.kind = crate::model::CertificateKind::Reissue;
    done.certificates.push(next);
    assert_eq!(scene(done, vec![]).decide().decision, duplicate(1));
    assert_eq!(scene(plan_ending(standard(1, 10), 80), vec![]).decide().decision, renew(1));
}

/// What ends no later than the certificate in place would be due as soon as it is installed.
#[test]
fn d15_nothing_takes_the_place_of_what_ends_no_earlier() {
    // 120 days left on certificate and plan, which is outside both windows.
    let ending = scene(plan_ending(standard(1, 120), 120), vec![]).decide();
    assert_eq!(ending.decision, renew(1));
    assert!(ending.explanation.why.contains("last certificate is in place"));
    let next = scene(plan_ending(standard(1, 120), 300), vec![]).decide();
    assert_eq!(next.decision, Decision::Reissue { order: OrderNumber(1) });
    let mut alike = scene(standard(1, 60), vec![]);
    alike.others = vec![standard(2, 60)];
    assert_eq!(alike.decide().decision, renew(1));
    alike.others = vec![standard(2, 61)];
    assert_eq!(alike.decide().decision, duplicate(2));
    // Nothing is in place any more: whatever lives is better.
    alike.others = vec![standard(2, 50)];
    alike.due.certificates.clear();
    alike.due.order.renewed_by = None;
    assert_eq!(
        alike.decide_for(&name("www.example.com"), &names("www.example.com")).decision,
        duplicate(2)
    );
}

#[test]
fn who_may_not_change_auto_renew_leaves_it_to_its_owner() {
    let may = may_switch_auto_renew;
    assert!(may(Role::Manager, true, false) && may(Role::Standard, true, true));
    assert!(may(Role::Standard, false, false) && !may(Role::Standard, true, false));
}

#[test]
fn d17_scheduled_duplicate_is_checked_again() {
    let check = |preferences: &Preferences, role, source: &OrderFile| {
        let names = DuplicateNames::Same;
        let issuer_ends = NOW.plus(Days(150));
        recheck_scheduled_duplicate(preferences, role, None, source, &names, issuer_ends, NOW)
            .map(|plan| plan.order.0)
            .map_err(|no| no.code)
    };
    let (open, file) = (open_preferences(), standard(5, 100));
    assert_eq!(check(&open, Role::Manager, &file), Ok(5));
    assert_eq!(check(&open, Role::Manager, &standard(5, 151)), Err("outlives_issuer"));
    let step = Preferences { approval_step: ApprovalStep::OneStep, ..open };
    assert_eq!(check(&step, Role::Manager, &file), Err("approval_step_on"));
    let off = Preferences { duplicates_in_automation: false, ..open };
    assert_eq!(check(&off, Role::Manager, &file), Err("duplicates_off"));
    assert_eq!(check(&open, Role::Standard, &file), Err("role_needs_approval"));
    for (status, no) in [
        (OrderStatus::Revoked, "order_gone"),
        (OrderStatus::Canceled, "order_gone"),
        (OrderStatus::ReissuePending, "reissue_pending"),
    ] {
        assert_eq!(check(&open, Role::Manager, &with_status(file.clone(), status)), Err(no));
    }
}

#[test]
fn auto_renew_stops_with_the_person_who_set_it() {
    let user = |role, disabled| User {
        id: crate::UserId(1),
        email: "ops@example.com".to_owned(),
        name: "Ops".to_owned(),
        role,
        disabled,
        time_zone: "UTC".to_owned(),
    };
    let code = |owner: Option<&User>| check_auto_renew_owner(owner).map(drop).map_err(|no| no.code);
    assert_eq!(code(Some(&user(Role::Standard, false))), Ok(()));
    assert_eq!(code(Some(&user(Role::Standard, true))), Err("owner_disabled"));
    assert_eq!(code(Some(&user(Role::Limited, false))), Err("owner_limited"));
    assert_eq!(code(None), Err("owner_gone"));
}

/// What an agent says is served chooses no names.
#[test]
fn auto_renew_stays_with_the_names_that_a_person_chose() {
    let chosen = names("www.example.com example.com");
    let served = |text: &str| check_served_names(&chosen, &names(text)).map_err(|no| no.message);
    assert_eq!(served("EXAMPLE.com Www.Example.Com"), Ok(()));
    for (text, told) in [
        ("www.example.com example.com pay.example.com", "(new: pay.example.com)"),
        ("www.example.com", "(missing: example.com)"),
        ("pay.example.com", "(new: pay.example.com; missing: example.com, www.example.com)"),
    ] {
        let message = served(text).unwrap_err();
        assert!(message.contains(told), "{message}");
    }
    let nothing = check_served_names(&NameSet::default(), &chosen).unwrap_err();
    assert!(nothing.message.contains("nothing was in place"), "{nothing}");

    let issued = |text: &str| check_issued_names(&chosen, &names(text)).map_err(|no| no.code);
    assert_eq!(issued("Example.com"), Ok(()), "the order gave names up");
    assert_eq!(issued("example.com pay.example.com"), Err("names_beyond"));
    let nothing = check_issued_names(&NameSet::default(), &chosen);
    assert_eq!(nothing.unwrap_err().code, "names_beyond");
}

#[test]
fn a_lost_certificate_is_replaced_by_its_orders_next_one_before_the_order_is_due() {
    use EndpointAction::{Reissue, Renew, Request, Switch};

    let is = |mut file: OrderFile, status| {
        file.certificates.first_mut().unwrap().status = status;
        file
    };
    let at = |days| standard(1, days);
    let revoked = CertificateStatus::Revoked { reason: RevocationReason::Superseded, at: NOW };
    let announced = CertificateStatus::RevocationPending { due: NOW.plus(Days(3)) };
    for (issuer, file, action) in [
        (ServedIssuer::Other, None, Switch),
        (ServedIssuer::None, None, Switch),
        (ServedIssuer::Ours, Some(at(100)), Renew),
        (ServedIssuer::Ours, Some(at(10)), Renew),
        (ServedIssuer::None, Some(at(100)), Reissue),
        (ServedIssuer::Ours, Some(is(at(100), revoked)), Reissue),
        (ServedIssuer::Ours, Some(is(at(100), announced)), Reissue),
        // The order is due, was renewed, or gives no more certificates.
        (ServedIssuer::None, Some(at(10)), Renew),
        (ServedIssuer::None, Some(renewed(at(100), 2)), Renew),
        (ServedIssuer::None, Some(with_status(renewed(at(100), 2), OrderStatus::Revoked)), Renew),
        (ServedIssuer::None, Some(with_status(at(100), OrderStatus::Revoked)), Request),
        (ServedIssuer::Ours, Some(with_status(at(-10), OrderStatus::Revoked)), Request),
    ] {
        let facts = EndpointFacts {
            issuer,
            certificate: file.as_ref().and_then(|file| file.certificates.first()),
            order: file.as_ref(),
            status: EndpointStatus::AutoRenewScheduled,
            now: NOW,
        };
        let windows = open_preferences().windows;
        assert_eq!(auto_renew_action(&facts, windows), action, "{issuer} {file:?}");
    }
}
