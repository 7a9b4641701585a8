//! The portal ends while a program asks for a certificate, a reviewer approves one, or somebody revokes.

use std::collections::BTreeSet;

use domain::RequestId;
use domain::model::CertificateStatus;
use serde_json::{Value, json};

use crate::portal::{ISSUE_POINTS, Portal, csr, eventually, on_each};
use crate::program::{Call, Program, certificate, wanted_new};

const PRODUCT: &str = "ssl_multi_domain";

/// All that a person asks for.
#[derive(Debug, Clone, Copy)]
enum Asked {
    New,
    Duplicate,
    Renewal,
    /// One that takes a name away, so that the revocation of the earlier certificates is announced.
    Reissue,
}

const ASKED: [Asked; 4] = [Asked::New, Asked::Duplicate, Asked::Renewal, Asked::Reissue];

/// A call for it, on an order of its own.
async fn call(portal: &Portal, buyer: &Program, asked: Asked, case: &str) -> Call {
    let name = format!("{}.example.com", case.replace([' ', '.', '_'], "-").to_lowercase());
    let also = format!("also.{name}");
    let names = [name.as_str(), also.as_str()];
    if matches!(asked, Asked::New) {
        return wanted_new(portal, PRODUCT, &names, case);
    }
    let order = buyer.buy(portal, &wanted_new(portal, PRODUCT, &names, "")).await.order;
    let csr = csr(&names[..1]).pem().unwrap();
    match asked {
        Asked::New | Asked::Duplicate => Call::post(
            format!("order/certificate/{order}/duplicate"),
            json!({ "certificate": { "csr": csr } }),
            case,
        ),
        Asked::Renewal => Call::post(
            format!("order/certificate/{PRODUCT}"),
            json!({ "renewal_of_order_id": order, "certificate": { "csr": csr } }),
            case,
        ),
        Asked::Reissue => Call::post(
            format!("order/certificate/{order}/reissue"),
            json!({
                "certificate": { "csr": csr, "common_name": name, "dns_names": [name] },
                "confirm_revocation": true,
            }),
            case,
        ),
    }
}

/// What was promised when the portal ended, and nothing else, is on record.
async fn kept(portal: &Portal, promised: &BTreeSet<String>, case: &str) {
    let recorded: BTreeSet<String> = portal.on_record(case).await.into_keys().collect();
    assert_eq!(&recorded, promised, "{case}: lost or doubled");
}

async fn announced(portal: &Portal) -> usize {
    let records = portal.on_record("announced").await;
    let pending = |status| matches!(status, CertificateStatus::RevocationPending { .. });
    records.into_values().filter(|one| pending(one.certificate.status)).count()
}

async fn asks(mut portal: Portal) {
    let program = Program::of(&portal, &portal.admin).await;
    portal.start("").await;
    let mut calls = Vec::new();
    for asked in ASKED {
        for point in ISSUE_POINTS {
            let case = format!("{asked:?} {point}");
            calls.push((call(&portal, &program, asked, &case).await, point, case));
        }
    }
    portal.kill().await;
    for (call, point, case) in calls {
        let case = format!("{}: {case}", portal.kind);
        let before = portal.promised().await;
        portal.start(point).await;
        program.cut_off(&mut portal, &call, point).await;
        let promised = portal.promised().await;
        assert_eq!(promised.len(), before.len() + 1, "{case}");
        portal.let_two_minutes_pass().await;
        if point == "issue.after_plan" {
            // What the next start does may be cut off as well.
            portal.end_at_start("issue.after_sign").await;
            portal.end_at_start("issue.after_store").await;
        }

        portal.start("").await;
        let answer = program.done(&portal, &call).await;
        kept(&portal, &promised, &case).await;
        let records = portal.on_record(&case).await;
        let new = records.values().find(|one| one.certificate.id == certificate(&answer));
        assert!(!before.contains(&new.unwrap().certificate.serial.0), "{case}: an earlier one");
        portal.kill().await;
    }
    assert_eq!(announced(&portal).await, ISSUE_POINTS.len(), "one earlier certificate each");
    let kind = portal.kind;
    portal
        .execute(
            "UPDATE certificates SET revocation_due_at = 1 WHERE status = 'revocation_pending'",
        )
        .await;
    portal.start("revoke.after_due").await;
    portal.aborted("revoke.after_due").await;
    portal.start("").await;
    assert_eq!(announced(&portal).await, 0, "{kind}");
    let audited = portal.audited("certificate.revoked").await;
    assert_eq!(audited, ISSUE_POINTS.len(), "{kind}: each is revoked once");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_for_when_the_portal_ended_is_issued_once() {
    on_each(Portal::all().await, asks).await;
}

/// The held request of an answer.
fn held(answer: &Value) -> RequestId {
    RequestId(answer["requests"][0]["id"].as_i64().unwrap())
}

/// Asks, with the portal ending as soon as the request is on record.
async fn hold(portal: &mut Portal, asker: &Program, call: &Call, case: &str) -> RequestId {
    let before = portal.audited("request.held").await;
    portal.start("issue.after_place").await;
    asker.cut_off(portal, call, "issue.after_place").await;
    portal.start("").await;
    let request = held(&asker.done(portal, call).await);
    assert_eq!(portal.audited("request.held").await, before + 1, "{case}: asked once");
    portal.kill().await;
    request
}

async fn approvals(mut portal: Portal) {
    let reviewer = Program::of(&portal, &portal.admin).await;
    let asker = Program::of(&portal, &portal.standard).await;
    portal.start("").await;
    let mut waiting = Vec::new();
    for asked in ASKED {
        for (turn, point) in
            ["issue.after_place", "issue.after_sign", "issue.after_store"].into_iter().enumerate()
        {
            let case = format!("{asked:?} {point}");
            let call = call(&portal, &reviewer, asked, &case).await;
            let request = match turn {
                0 => None,
                _ => Some(held(&asker.done(&portal, &call).await)),
            };
            waiting.push((call, request, point, case));
        }
    }
    portal.kill().await;
    for (call, request, point, case) in waiting {
        let case = format!("{}: approved {case}", portal.kind);
        let request = match request {
            Some(request) => request,
            None => hold(&mut portal, &asker, &call, &case).await,
        };
        let before = portal.promised().await;
        portal.start(point).await;
        reviewer.cut_off(&mut portal, &Call::approve(request), point).await;
        let promised = portal.promised().await;
        assert_eq!(promised.len(), before.len() + 1, "{case}");
        portal.let_two_minutes_pass().await;

        portal.start("").await;
        kept(&portal, &promised, &case).await;
        let (status, _) = reviewer.send(&portal, &Call::approve(request)).await.unwrap();
        assert_eq!(status, 409, "{case}: decided already");
        // Whoever asked finds it there, also by asking again.
        let records = portal.on_record(&case).await;
        let new = records.values().find(|one| !before.contains(&one.certificate.serial.0)).unwrap();
        let record = portal.desk.request(&portal.admin, request).await.unwrap();
        assert_eq!(record.issued_certificate, Some(new.certificate.id), "{case}");
        assert_eq!(held(&asker.done(&portal, &call).await), request, "{case}");
        kept(&portal, &promised, &case).await;
        portal.kill().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_approved_when_the_portal_ended_is_issued_once() {
    on_each(Portal::all().await, approvals).await;
}

/// Asks for a revocation and approves it, with the portal ending after either.
async fn revoke(portal: &mut Portal, program: &Program, reviewer: &Program, call: &Call) {
    const POINT: &str = "revoke.after_store";
    portal.start(POINT).await;
    program.cut_off(portal, call, POINT).await;
    portal.start("").await;
    let request = RequestId(program.done(portal, call).await["id"].as_i64().unwrap());
    portal.kill().await;
    portal.start(POINT).await;
    reviewer.cut_off(portal, &Call::approve(request), POINT).await;
    portal.start("").await;
    let (status, _) = reviewer.send(portal, &Call::approve(request)).await.unwrap();
    assert_eq!(status, 409, "{}: decided already", portal.kind);
    portal.kill().await;
}

async fn revocations(mut portal: Portal) {
    let asker = Program::of(&portal, &portal.standard).await;
    let reviewer = Program::of(&portal, &portal.admin).await;
    portal.start("").await;
    let whole = wanted_new(&portal, PRODUCT, &["whole.example.com"], "");
    let whole = reviewer.buy(&portal, &whole).await.order;
    // Three orders for one key.
    let for_key = wanted_new(&portal, PRODUCT, &["key.example.com"], "");
    let first = reviewer.buy(&portal, &for_key).await.certificate;
    reviewer.buy(&portal, &for_key).await;
    reviewer.buy(&portal, &for_key).await;
    portal.kill().await;

    let call = Call::put(format!("order/certificate/{whole}/revoke"), json!({}), "whole");
    revoke(&mut portal, &asker, &reviewer, &call).await;
    let body = json!({ "revocation_reason": "key_compromise" });
    let call = Call::put(format!("certificate/{first}/revoke"), body, "key");
    revoke(&mut portal, &asker, &reviewer, &call).await;
    for point in ["key_job.after_take", "key_job.after_revoke", ""] {
        // It begins two minutes later, and is another's again an hour after that one died.
        portal.execute("UPDATE jobs SET run_at = 0, lease_until = NULL").await;
        portal.start(point).await;
        if !point.is_empty() {
            portal.aborted(point).await;
        }
    }
    let kind = portal.kind;
    eventually("the job ends", async || (!portal.has_key_job().await).then_some(())).await;
    let records = portal.on_record(kind).await;
    assert!(records.values().all(|one| one.certificate.is_revoked()), "{kind}: {records:?}");
    assert_eq!(portal.audited("order.revoked").await, 1, "{kind}");
    assert_eq!(portal.audited("certificate.revoked").await, 3, "{kind}: each once");
    assert_eq!(portal.audited("request.held").await, 2, "{kind}: each asked for once");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_revoked_when_the_portal_ended_is_revoked_once() {
    on_each(Portal::all().await, revocations).await;
}
