//! Tests of the ACME actions: explicit, replaced, detected.

use super::*;
use crate::rules::fixture::{
    NOW, acme_request, acme_url, name, names, order, plan_ending, renewed, standard, with_status,
};
use crate::rules::window::WindowKind;
use crate::{Days, OrderNumber, OrganizationId};

fn enroll(like: Option<i64>) -> Decision {
    Decision::Enroll { like: like.map(OrderNumber) }
}

fn renew(order: i64) -> Decision {
    Decision::Renew { order: OrderNumber(order) }
}

fn reissue(order: i64) -> Decision {
    Decision::Reissue { order: OrderNumber(order) }
}

fn duplicate(order: i64) -> Decision {
    Decision::Duplicate { order: OrderNumber(order) }
}

/// The default decision for an order of `product` that alone is known.
fn default_for(file: OrderFile, edit: impl FnOnce(&mut AcmeUrl)) -> Decision {
    let mut url = acme_url(file.order.product.as_str());
    edit(&mut url);
    let wanted = file.order.names.clone();
    decide_acme(&acme_request(&url, &wanted, &[file])).unwrap().decision
}

/// What an explicit action does; the named order is `line`'s first.
fn asked(
    action: fn(OrderNumber) -> DirectoryAction,
    line: &[OrderFile],
) -> Result<Decision, &'static str> {
    let named = line.first().unwrap();
    let url = acme_url(named.order.product.as_str());
    asked_by(&url, action(named.number()), line, &named.order.names).map(|decided| decided.decision)
}

fn asked_by(
    url: &AcmeUrl,
    action: DirectoryAction,
    line: &[OrderFile],
    wanted: &NameSet,
) -> Result<Decided, &'static str> {
    let request = AcmeRequest {
        explicit: Some(action),
        named: line.first(),
        successors: line,
        ..acme_request(url, wanted, line)
    };
    decide_acme(&request).map_err(|refusal| refusal.code)
}

#[test]
fn a1_a5_no_match_enrolls() {
    let (url, wanted) = (acme_url("ssl_plus"), names("www.example.com"));
    let other = [order(1, "ssl_plus", "mail.example.com", 100)];
    for candidates in [&[][..], &other[..]] {
        let decided = decide_acme(&acme_request(&url, &wanted, candidates)).unwrap();
        assert_eq!(decided.decision, enroll(None));
        assert_eq!((decided.explanation.order, decided.explanation.window), (None, None));
        assert_eq!(decided.explanation.candidates.len(), candidates.len());
    }
}

#[test]
fn a2_explicit_action_is_done_whatever_the_default() {
    use DirectoryAction::{Duplicate, Reissue, Renew};
    for file in [standard(5, 100), standard(5, 10), plan_ending(standard(5, 100), 300)] {
        let line = [file];
        assert_eq!(asked(Renew, &line), Ok(renew(5)));
        assert_eq!(asked(Reissue, &line), Ok(reissue(5)));
        assert_eq!(asked(Duplicate, &line), Ok(duplicate(5)));
    }
    assert_eq!(asked(Renew, &[standard(5, -10)]), Ok(renew(5)));
    assert_eq!(asked(Reissue, &[standard(5, -10)]), Err("order_expired"));
    assert_eq!(asked(Duplicate, &[standard(5, -10)]), Err("certificate_expired"));
    let dv = order(5, "ssl_dv_geotrust", "www.example.com", 100);
    assert_eq!(asked(Duplicate, &[dv]), Err("product_has_no_duplicates"));
}

#[test]
fn a2_sticky_urls_act_on_the_newest_order_of_the_chain() {
    use DirectoryAction::{Duplicate, Reissue, Renew};
    let line =
        |left: i64| [renewed(standard(1, 5), 2), renewed(standard(2, 50), 3), standard(3, left)];
    assert_eq!(asked(Renew, &line(190)), Ok(duplicate(3)));
    assert_eq!(asked(Renew, &line(32)), Ok(renew(3)));
    assert_eq!(asked(Reissue, &line(190)), Ok(reissue(3)));
    assert_eq!(asked(Duplicate, &line(190)), Ok(duplicate(3)));
    let dv = |number, left| order(number, "ssl_dv_geotrust", "www.example.com", left);
    assert_eq!(asked(Renew, &[renewed(dv(1, 5), 2), dv(2, 190)]), Ok(renew(2)));
    let off = AcmeUrl { duplicate_automatically: false, ..acme_url("ssl_plus") };
    let wanted = names("www.example.com");
    let decided = asked_by(&off, Renew(OrderNumber(1)), &line(190), &wanted).unwrap();
    assert_eq!(decided.decision, renew(3));
    let told: Vec<(i64, bool)> =
        decided.explanation.candidates.iter().map(|v| (v.order.0, v.kept)).collect();
    assert_eq!(told, [(1, false), (2, false), (3, true)]);
}

#[test]
fn a2_refuses_what_does_not_fit_or_is_not_there() {
    use DirectoryAction::{Duplicate, Reissue, Renew};
    let url = acme_url("ssl_plus");
    let (www, mail) = (names("www.example.com"), names("mail.example.com"));
    let line = [standard(5, 100)];
    let code = |url: &AcmeUrl, action, line: &[OrderFile], wanted| {
        asked_by(url, action, line, wanted).map(|_| ()).unwrap_err()
    };
    assert_eq!(code(&url, Renew(OrderNumber(5)), &line, &mail), "names_differ");
    assert_eq!(code(&acme_url("ssl_basic"), Renew(OrderNumber(5)), &line, &www), "product_differs");
    let foreign = AcmeUrl { organization: OrganizationId(2), ..url.clone() };
    assert_eq!(code(&foreign, Renew(OrderNumber(5)), &line, &www), "order_unknown");
    assert_eq!(code(&url, Renew(OrderNumber(6)), &[], &www), "order_unknown");
    let gone = [with_status(standard(5, 100), OrderStatus::Revoked)];
    assert_eq!(code(&url, Renew(OrderNumber(5)), &gone, &www), "order_not_issued");
    let closed = AcmeUrl { may_renew: false, may_reissue: false, may_duplicate: false, ..url };
    for action in [Renew, Reissue, Duplicate] {
        assert_eq!(code(&closed, action(OrderNumber(5)), &line, &www), "action_not_permitted");
    }
}

#[test]
fn a3_replaces_names_the_order_before_detection_does() {
    let (url, wanted) = (acme_url("ssl_plus"), names("www.example.com"));
    let candidates = [standard(1, 100), standard(2, 190)];
    let mut request = acme_request(&url, &wanted, &candidates);
    assert_eq!(decide_acme(&request).unwrap().decision, duplicate(2));
    request.named = candidates.first();
    assert_eq!(decide_acme(&request).unwrap().decision, duplicate(1));
    // An explicit action goes before both.
    request.explicit = Some(DirectoryAction::Renew(OrderNumber(1)));
    assert_eq!(decide_acme(&request).unwrap().decision, renew(1));
    // One that does not fit is a hint less.
    let other = order(3, "ssl_plus", "mail.example.com", 100);
    request = AcmeRequest { named: Some(&other), explicit: None, ..request };
    assert_eq!(decide_acme(&request).unwrap().decision, duplicate(2));
    // Nor is one whose order waits for its reissue.
    for unsettled in [standard(1, 100), plan_ending(standard(1, 100), 300)] {
        let unsettled = with_status(unsettled, OrderStatus::ReissuePending);
        let named = Some(&unsettled);
        let request = AcmeRequest { named, ..acme_request(&url, &wanted, &candidates) };
        let decided = decide_acme(&request).unwrap();
        assert_eq!(decided.decision, duplicate(2));
        let told = decided.explanation.candidates;
        assert!(told.iter().any(|one| one.order.0 == 1 && one.why.contains("reissue")), "{told:?}");
    }
}

#[test]
fn a6_enroll_makes_a_new_order_whatever_exists() {
    let (url, wanted, line) = (acme_url("ssl_plus"), names("www.example.com"), [standard(1, 10)]);
    let decided = asked_by(&url, DirectoryAction::Enroll, &line, &wanted).unwrap();
    assert_eq!((decided.decision, decided.explanation.order), (enroll(None), None));
}

#[test]
fn a7_renews_in_the_window_else_duplicates_else_enrolls() {
    let dv = |left| order(5, "ssl_dv_geotrust", "www.example.com", left);
    assert_eq!(default_for(standard(5, 32), |_| ()), renew(5), "the boundary is in the window");
    assert_eq!(default_for(standard(5, 33), |_| ()), duplicate(5));
    assert_eq!(default_for(standard(5, -3), |_| ()), renew(5), "expired without a successor");
    assert_eq!(default_for(dv(32), |_| ()), renew(5));
    assert_eq!(default_for(dv(33), |_| ()), enroll(Some(5)));
    assert_eq!(
        default_for(standard(5, 100), |url| url.duplicate_automatically = false),
        enroll(Some(5))
    );
    assert_eq!(default_for(standard(5, 100), |url| url.may_duplicate = false), enroll(Some(5)));
    assert_eq!(default_for(standard(5, 10), |url| url.may_renew = false), enroll(Some(5)));
}

/// A maximum or an issuer that became shorter since the original was issued.
#[test]
fn a7_enrolls_where_a_duplicate_would_live_too_long() {
    use DirectoryAction::{Duplicate, Renew};
    let (url, wanted) = (acme_url("ssl_plus"), names("www.example.com"));
    let long = [standard(5, 201)];
    let decided = decide_acme(&acme_request(&url, &wanted, &long)).unwrap();
    assert_eq!(decided.decision, enroll(Some(5)));
    let why = &decided.explanation.why;
    assert!(why.contains("longer left than the 200 days") && why.contains("new order"), "{why}");
    let fits = [standard(5, 100)];
    let ends = fits.first().and_then(OrderFile::valid_till).unwrap().plus_seconds(-1);
    let request = AcmeRequest { issuer_not_after: ends, ..acme_request(&url, &wanted, &fits) };
    let decided = decide_acme(&request).unwrap();
    assert_eq!(decided.decision, enroll(Some(5)));
    assert!(decided.explanation.why.contains("the issuing CA"), "{:?}", decided.explanation);
    // An explicit duplicate is refused before anything is authorized for it.
    assert_eq!(asked(Duplicate, &long), Err("exceeds_maximum"));
    // A URL that stands for a renewed chain renews its newest order then.
    assert_eq!(asked(Renew, &[renewed(standard(1, 5), 2), standard(2, 201)]), Ok(renew(2)));
}

#[test]
fn a7_wildcard_order_gives_what_lies_below_it() {
    let (url, wanted) = (acme_url("ssl_wildcard"), names("a.example.com b.example.com"));
    let candidates = [order(5, "ssl_wildcard", "*.example.com", 100)];
    assert_eq!(
        decide_acme(&acme_request(&url, &wanted, &candidates)).unwrap().decision,
        duplicate(5)
    );
}

/// What a request comes to that detects `found`, which other doors renewed by `successors`.
fn followed(found: OrderFile, successors: &[OrderFile]) -> Decided {
    let (url, wanted) = (acme_url(found.order.product.as_str()), found.order.names.clone());
    let candidates = [found];
    decide_acme(&AcmeRequest { successors, ..acme_request(&url, &wanted, &candidates) }).unwrap()
}

#[test]
fn a4_a_detected_order_that_was_renewed_stands_for_its_chain() {
    let portal = |mut file: OrderFile| {
        file.order.origin = crate::model::Origin::Portal;
        file
    };
    let due = || renewed(standard(1, 20), 2);
    let decided = followed(due(), &[portal(standard(2, 190))]);
    assert_eq!(decided.decision, duplicate(2));
    let told: Vec<(i64, bool, &str)> = decided
        .explanation
        .candidates
        .iter()
        .map(|verdict| (verdict.order.0, verdict.kept, verdict.rule.as_str()))
        .collect();
    assert_eq!(told, [(1, false, "D13"), (2, true, "D13")]);
    // Its successor is due itself, or was renewed in its turn.
    assert_eq!(followed(due(), &[portal(standard(2, 10))]).decision, renew(2));
    let longer = [portal(standard(3, 190)), renewed(portal(standard(2, 10)), 3)];
    assert_eq!(followed(due(), &longer).decision, duplicate(3));
    // With a reissue pending it is not settled what it holds: neither duplicated nor renewed.
    for end in [standard(2, 190), plan_ending(standard(2, 190), 300), standard(2, 10)] {
        let pending = with_status(portal(end), OrderStatus::ReissuePending);
        let decided = followed(due(), &[pending]);
        assert_eq!(decided.decision, enroll(Some(1)));
        assert!(decided.explanation.candidates.iter().any(|one| one.why.contains("pending")));
    }
    // What can't be duplicated is not renewed twice, and a new order has its options.
    let dv = |number, left| order(number, "ssl_dv_geotrust", "www.example.com", left);
    assert_eq!(followed(renewed(dv(1, 20), 2), &[portal(dv(2, 190))]).decision, enroll(Some(2)));
    // One that came to nothing leaves the renewal open.
    for status in [OrderStatus::Revoked, OrderStatus::Pending] {
        assert_eq!(followed(due(), &[with_status(standard(2, 190), status)]).decision, renew(1));
    }
}

#[test]
fn a4_a_chain_that_went_to_other_names_is_left() {
    let other = [order(2, "ssl_plus", "mail.example.com", 190)];
    let decided = followed(renewed(standard(1, 20), 2), &other);
    assert_eq!(decided.decision, enroll(Some(1)));
    assert!(decided.explanation.why.contains("already renewed by order 2"));
    let refused = decided.explanation.candidates.last().unwrap();
    assert_eq!((refused.order, refused.kept), (OrderNumber(2), false));
    assert_eq!(followed(renewed(standard(1, 100), 2), &other).decision, duplicate(1));
}

#[test]
fn a8_plan_is_renewed_in_the_order_window_else_reissued() {
    let plan = |ends| plan_ending(standard(5, 10), ends);
    assert_eq!(default_for(plan(90), |_| ()), renew(5), "the boundary is in the window");
    assert_eq!(default_for(plan(91), |_| ()), reissue(5));
    assert_eq!(default_for(plan_ending(standard(5, 190), 300), |_| ()), reissue(5));
    assert_eq!(default_for(plan(300), |url| url.may_reissue = false), enroll(Some(5)));
    let url = acme_url("ssl_plus");
    let wanted = names("www.example.com");
    let decided = decide_acme(&acme_request(&url, &wanted, &[plan(91)])).unwrap();
    let window = decided.explanation.window.unwrap();
    assert_eq!((window.kind, window.opens_at), (WindowKind::Order, NOW.plus(Days(1))));
}

#[test]
fn common_name_is_the_csrs_the_orders_or_the_first() {
    let identifiers = [name("b.test"), name("a.test")];
    let chosen = |csr: Option<&str>, order: Option<&str>| {
        issued_common_name(csr.map(name).as_ref(), order.map(name).as_ref(), &identifiers).unwrap()
    };
    assert_eq!(chosen(Some("a.test"), Some("b.test")), name("a.test"));
    assert_eq!(chosen(None, Some("a.test")), name("a.test"));
    assert_eq!(chosen(None, Some("c.test")), name("b.test"));
    assert_eq!(chosen(None, None), name("b.test"));
    let (url, wanted, csr) = (acme_url("ssl_plus"), names("a.test"), name("c.test"));
    let request = AcmeRequest { common_name: Some(&csr), ..acme_request(&url, &wanted, &[]) };
    assert_eq!(decide_acme(&request).unwrap_err().code, "common_name_not_requested");
}

#[test]
fn explanation_is_written_as_the_interface_says() {
    let (url, wanted) = (acme_url("ssl_plus"), names("www.example.com"));
    let decided = decide_acme(&acme_request(&url, &wanted, &[standard(5, 100)])).unwrap();
    let json = serde_json::to_value(&decided.explanation).unwrap();
    assert_eq!(
        json,
        serde_json::json!({
            "action": "duplicate",
            "order": 5,
            "candidates": [{
                "order": 5, "kept": true, "rule": "A4",
                "why": "Issued via ACME; product and names match.",
            }],
            "window": { "kind": "certificate", "opens_at": "2027-01-29T08:00:00Z" },
            "why": "Order 5 is not due for renewal (from 2027-01-29T08:00:00Z), and duplicates are allowed.",
        })
    );
    let read: crate::rules::explanation::Explanation = serde_json::from_value(json).unwrap();
    assert_eq!(read, decided.explanation);
}
