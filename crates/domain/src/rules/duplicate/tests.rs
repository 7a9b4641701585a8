//! Tests of the rules for duplicates.

use super::*;
use crate::model::{CertificateKind, CertificateStatus, RevocationReason, Role};
use crate::rules::approval::HeldBecause;
use crate::rules::fixture::{NOW, certificate, name, names, order, standard, with_status};
use crate::rules::lineage::newest_issued;
use crate::{Days, rules::fixture::plan_ending};

fn extra(text: &str) -> DuplicateNames {
    DuplicateNames::Extra { names: names(text) }
}

fn exactly(text: &str) -> DuplicateNames {
    let common_name = name(text.split(' ').next().unwrap());
    DuplicateNames::Exactly { common_name, names: names(text) }
}

fn code(file: &OrderFile, wanted: &DuplicateNames) -> Result<String, &'static str> {
    plan_duplicate(file, wanted, NOW).map(|plan| plan.names.canonical()).map_err(|no| no.code)
}

#[test]
fn d1_copies_subject_product_names_and_hash() {
    let mut file = order(5, "ssl_multi_domain", "www.example.com example.com", 100);
    file.order.signature_hash = SignatureHash::Sha384;
    let plan = plan_duplicate(&file, &DuplicateNames::Same, NOW).unwrap();
    assert_eq!(plan.product, file.order.product);
    assert_eq!(plan.organization, file.order.organization);
    assert_eq!(plan.common_name, file.order.common_name);
    assert_eq!(plan.names, file.order.names);
    assert_eq!(plan.signature_hash, SignatureHash::Sha384);
}

#[test]
fn d1_names_that_are_listed_are_the_orders() {
    let file = order(5, "ssl_multi_domain", "www.example.com example.com", 100);
    let listed = |common_name: &str, text: &str| {
        let common_name = (!common_name.is_empty()).then(|| name(common_name));
        check_names_listed(&file.order, common_name.as_ref(), &names(text)).map_err(|no| no.code)
    };
    assert_eq!(listed("", ""), Ok(()));
    assert_eq!(listed("www.example.com", ""), Ok(()));
    assert_eq!(listed("www.example.com", "example.com"), Ok(()), "the common name counts in");
    assert_eq!(listed("", "example.com www.example.com"), Ok(()));
    assert_eq!(listed("", "www.example.com"), Err("names_missing"));
    assert_eq!(listed("example.com", "example.com www.example.com"), Err("other_common_name"));
    assert_eq!(listed("api.example.com", ""), Err("other_common_name"));
    assert_eq!(listed("", "api.example.com"), Ok(()), "an addition: rule D6");
    let words = check_names_listed(&file.order, None, &names("www.example.com")).unwrap_err();
    assert!(words.message.contains("also example.com"), "{}", words.message);
}

#[test]
fn d10_a_duplicate_holds_what_the_endpoint_serves() {
    let order = order(5, "ssl_wildcard", "*.example.com", 100).order;
    let served = names("example.com www.example.com");
    let added = |in_place, typed: &str| names_to_add(&order, in_place, &names(typed));
    assert_eq!(
        added(Some(&served), "a.b.example.com"),
        names("a.b.example.com example.com www.example.com")
    );
    assert_eq!(added(None, "*.example.com b.example.com"), names("b.example.com"));
    assert_eq!(DuplicateNames::adding(added(None, "*.example.com")), DuplicateNames::Same);
}

#[test]
fn d2_plan_has_no_place_for_a_revocation() {
    // The pattern names every field: one that could revoke would have to be added here.
    let DuplicatePlan {
        order: _,
        source: _,
        product: _,
        organization: _,
        common_name: _,
        names: _,
        signature_hash: _,
        validity: _,
    } = plan_duplicate(&standard(5, 100), &DuplicateNames::Same, NOW).unwrap();
}

#[test]
fn d4_manual_duplicate_is_always_possible_and_approved_while_the_step_is_on() {
    let need = |preferences: &Preferences, role| {
        let requester = Requester::person(role);
        plan_manual_duplicate(&standard(5, 100), &DuplicateNames::Same, preferences, requester, NOW)
            .unwrap()
            .approval
    };
    let default = Preferences::default();
    let because = HeldBecause::ApprovalStep;
    assert_eq!(need(&default, Role::Standard), ApprovalNeed::Needed { because });
    let skipped = Preferences { approval_step: crate::model::ApprovalStep::Skip, ..default };
    assert_eq!(need(&skipped, Role::Manager), ApprovalNeed::NotNeeded);
}

#[test]
fn d6_other_products_hold_exactly_the_orders_names() {
    let file = order(5, "ssl_multi_domain", "www.example.com example.com", 100);
    let same = Ok("example.com,www.example.com".to_owned());
    assert_eq!(code(&file, &DuplicateNames::Same), same);
    assert_eq!(code(&file, &extra("example.com")), same, "not an extra name");
    assert_eq!(code(&file, &extra("mail.example.com")), Err("extra_names"));
    assert_eq!(code(&file, &exactly("www.example.com example.com")), same);
    assert_eq!(code(&file, &exactly("www.example.com")), Err("names_differ"));
    assert_eq!(
        code(&file, &exactly("example.com www.example.com")),
        Err("names_differ"),
        "another CN"
    );
}

#[test]
fn d6_wildcard_products_add_names_below_the_base_domain() {
    for product in ["ssl_wildcard", "private_ssl_wildcard"] {
        let file = order(5, product, "*.example.com", 100);
        assert_eq!(
            code(&file, &extra("a.b.example.com")),
            Ok("*.example.com,a.b.example.com".to_owned())
        );
        assert_eq!(code(&file, &extra("example.com")), Ok("*.example.com,example.com".to_owned()));
        assert_eq!(code(&file, &extra("a.example.org")), Err("outside_wildcard"));
        assert_eq!(code(&file, &extra("notexample.com")), Err("outside_wildcard"));
        // An ACME client gets the identifiers that it asked for and no more.
        assert_eq!(code(&file, &exactly("a.example.com")), Ok("a.example.com".to_owned()));
        let many = |count| {
            let each: Vec<String> = (0..count).map(|at| format!("n{at}.example.com")).collect();
            each.join(" ")
        };
        assert!(code(&file, &extra(&many(249))).is_ok(), "with the order's own name 250");
        assert_eq!(code(&file, &extra(&many(250))), Err("too_many_names"));
    }
    let message =
        plan_duplicate(&order(5, "ssl_wildcard", "*.example.com", 9), &extra("a.test.org"), NOW)
            .unwrap_err()
            .message;
    assert_eq!(
        message,
        "a.test.org can't be added to a duplicate of order 5: only names under example.com can. \
         Take them out, or request a new certificate for them."
    );
}

#[test]
fn d8_ends_with_the_primary_certificate_to_the_second() {
    let mut file = plan_ending(standard(5, 100), 300);
    let original = file.primary().unwrap().not_after;
    let plan = plan_duplicate(&file, &DuplicateNames::Same, NOW).unwrap();
    assert_eq!((plan.validity.not_before, plan.validity.not_after), (NOW, original));
    // The newest reissue is the primary; a duplicate never is.
    let reissued = NOW.plus(Days(150)).plus_seconds(7);
    file.certificates.push(certificate(6, CertificateKind::Reissue, NOW, reissued));
    file.certificates.push(certificate(7, CertificateKind::Duplicate, NOW, original));
    let plan = plan_duplicate(&file, &DuplicateNames::Same, NOW).unwrap();
    assert_eq!((plan.source, plan.validity.not_after), (CertificateId(6), reissued));
}

#[test]
fn d8_refuses_what_has_no_validity_left_to_give() {
    assert_eq!(code(&standard(5, -1), &DuplicateNames::Same), Err("certificate_expired"));
    assert_eq!(code(&standard(5, 0), &DuplicateNames::Same), Err("certificate_expired"));
    let mut revoked = standard(5, 100);
    revoked.certificates.first_mut().unwrap().status =
        CertificateStatus::Revoked { reason: RevocationReason::Superseded, at: NOW };
    assert_eq!(code(&revoked, &DuplicateNames::Same), Err("certificate_revoked"));
    // Issued under a longer maximum: neither D8 nor the ballot can give way.
    assert_eq!(code(&standard(5, 201), &DuplicateNames::Same), Err("exceeds_maximum"));
    let mut empty = standard(5, 100);
    empty.certificates.clear();
    assert_eq!(code(&empty, &DuplicateNames::Same), Err("order_not_issued"));
}

#[test]
fn d8_refuses_what_would_outlive_the_issuer() {
    let till = standard(5, 100).primary().unwrap().not_after;
    let within = |issuer_not_after| {
        let plan = plan_duplicate(&standard(5, 100), &DuplicateNames::Same, NOW).unwrap();
        plan.within(issuer_not_after).map(|plan| plan.validity.not_after).map_err(|no| no.code)
    };
    assert_eq!(within(till), Ok(till), "both may end in the same second");
    assert_eq!(within(till.plus_seconds(-1)), Err("outlives_issuer"));
}

#[test]
fn d11_order_is_the_originals() {
    let plan = plan_duplicate(&standard(12345, 100), &DuplicateNames::Same, NOW).unwrap();
    assert_eq!(plan.order, OrderNumber(12345));
}

#[test]
fn d17_refuses_orders_that_changed() {
    for (status, no) in [
        (OrderStatus::Pending, "order_not_issued"),
        (OrderStatus::ReissuePending, "reissue_pending"),
        (OrderStatus::Rejected, "order_gone"),
        (OrderStatus::Canceled, "order_gone"),
        (OrderStatus::Revoked, "order_gone"),
    ] {
        assert_eq!(code(&with_status(standard(5, 100), status), &DuplicateNames::Same), Err(no));
    }
}

#[test]
fn d19_dv_has_none_and_others_have_no_limit() {
    for product in crate::product::CATALOGUE {
        let held = if product.wildcard { "*.example.com" } else { "www.example.com" };
        let mut file = order(5, product.id, held, 100);
        let till = file.primary().unwrap().not_after;
        file.certificates
            .extend((0..50).map(|id| certificate(id, CertificateKind::Duplicate, NOW, till)));
        let dv = product.validation == crate::Validation::Dv;
        assert_eq!(
            plan_duplicate(&file, &DuplicateNames::Same, NOW).is_err(),
            dv,
            "{}",
            product.id
        );
    }
    let unknown = order(5, "discontinued", "www.example.com", 100);
    assert_eq!(code(&unknown, &DuplicateNames::Same), Err("unknown_product"));
    assert!(newest_issued(&unknown, &[]).is_some());
}
