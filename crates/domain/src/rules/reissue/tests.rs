//! Tests of the rules for reissues.

use super::*;
use crate::model::{CertificateKind, CertificateStatus, RevocationReason};
use crate::rules::fixture::{
    NOW, certificate, name, names, order, plan_ending, standard, with_status,
};

const ISSUER_ENDS: Timestamp = Timestamp(i64::MAX);

fn change(held: &str, confirmed: bool) -> ReissueRequest {
    let common_name = name(held.split(' ').next().unwrap());
    ReissueRequest::Change { common_name, names: names(held), confirmed }
}

fn plan(file: &OrderFile, request: &ReissueRequest) -> Result<ReissuePlan, Refusal> {
    plan_reissue(file, request, ISSUER_ENDS, NOW)
}

fn two() -> OrderFile {
    let mut file = order(7, "ssl_multi_domain", "www.example.com example.com", 100);
    file.certificates.push(certificate(8, CertificateKind::Duplicate, NOW, NOW));
    let mut revoked = certificate(9, CertificateKind::Duplicate, NOW, NOW);
    revoked.status = CertificateStatus::Revoked { reason: RevocationReason::Superseded, at: NOW };
    file.certificates.push(revoked);
    file
}

#[test]
fn added_names_revoke_nothing() {
    let added =
        plan(&two(), &change("www.example.com example.com mail.example.com", false)).unwrap();
    assert_eq!((added.order, added.revocation, added.names.len()), (OrderNumber(7), None, 3));
    assert_eq!(plan(&two(), &ReissueRequest::Same).unwrap().revocation, None);
}

#[test]
fn removed_names_revoke_in_72_hours_once_confirmed() {
    for held in ["www.example.com", "www.example.com example.org"] {
        let refusal = plan(&two(), &change(held, false)).unwrap_err();
        assert_eq!(refusal.code, "confirm_revocation");
        assert!(refusal.message.starts_with(
            "Reissue request will revoke previously issued certificate for order 7 within 72 hours."
        ));
        let revocation = plan(&two(), &change(held, true)).unwrap().revocation.unwrap();
        assert_eq!(revocation.due, NOW.plus(Days(3)));
        assert_eq!(revocation.certificates, [CertificateId(7), CertificateId(8)]);
    }
}

#[test]
fn a_second_reissue_postpones_no_announced_revocation() {
    let mut file = two();
    let first = NOW.plus(Days(1));
    file.certificates.first_mut().unwrap().status =
        CertificateStatus::RevocationPending { due: first };
    let revocation = plan(&file, &change("www.example.com", true)).unwrap().revocation.unwrap();
    assert_eq!(revocation.certificates, [CertificateId(8)]);
}

#[test]
fn the_product_must_hold_changed_names() {
    let code = |file: &OrderFile, held: &str| plan(file, &change(held, true)).unwrap_err().code;
    assert_eq!(code(&two(), "www.example.com example.com *.example.com"), "wildcard_names");
    let ev = order(7, "ssl_ev_basic", "www.example.com", 100);
    assert_eq!(code(&ev, "www.example.com 8.8.8.8"), "ip_addresses");
    let many: Vec<String> = (0..=250).map(|at| format!("n{at}.example.com")).collect();
    assert_eq!(code(&two(), &many.join(" ")), "too_many_names");
}

#[test]
fn names_below_a_wildcard_take_nothing_away() {
    let file = order(7, "ssl_wildcard", "*.example.com", 100);
    let covered =
        |text: &str| ReissueRequest::Covered { common_name: name(text), names: names(text) };
    let made = plan(&file, &covered("a.example.com")).unwrap();
    assert_eq!(
        (made.names.canonical().as_str(), made.changes_order, made.revocation),
        ("a.example.com", false, None)
    );
    assert_eq!(plan(&file, &covered("a.other.test")).unwrap_err().code, "names_differ");
}

#[test]
fn lives_as_long_as_the_order_may() {
    let end = |file: &OrderFile| plan(file, &ReissueRequest::Same).unwrap().validity.not_after;
    let single = standard(1, 100);
    assert_eq!(end(&single), single.primary().unwrap().not_after);
    let day = |days: i64| NOW.plus(Days(days)).plus_seconds(-1);
    assert_eq!(end(&plan_ending(standard(1, 10), 300)), day(200));
    assert_eq!(end(&plan_ending(standard(1, 10), 150)), NOW.plus(Days(150)));
    let mut asked = plan_ending(standard(1, 10), 300);
    asked.order.validity_days = Some(Days(90));
    assert_eq!(end(&asked), day(90));
}

#[test]
fn refuses_orders_that_can_not_be_reissued() {
    let code = |file: &OrderFile| plan(file, &ReissueRequest::Same).unwrap_err().code;
    assert_eq!(code(&with_status(two(), OrderStatus::ReissuePending)), "reissue_pending");
    assert_eq!(code(&with_status(two(), OrderStatus::Pending)), "order_not_issued");
    assert_eq!(code(&with_status(two(), OrderStatus::Revoked)), "order_gone");
    assert_eq!(code(&standard(1, -1)), "order_expired");
}
