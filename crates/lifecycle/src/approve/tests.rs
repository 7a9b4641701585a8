use domain::Days;
use domain::model::Role;
use domain::rules::{DuplicateNames, ReissueRequest};

use super::*;
use crate::testing::issuing::{Shop, ask, exact, held, issued, names, refused, shops};

async fn held_duplicate(shop: &Shop, by: &Actor) -> (Issued, RequestId) {
    let original = shop.sell("ssl_plus", "www.example.com").await;
    let what = What::Duplicate { order: original.order, names: DuplicateNames::Same };
    let request = held(shop.ask(by, ask(what, "www.example.com")).await.unwrap());
    (original, request)
}

#[tokio::test]
async fn d5_an_approved_duplicate_is_issued_once() {
    for shop in shops().await {
        let standard = shop.somebody(Role::Standard).await;
        let manager = shop.somebody(Role::Manager).await;
        let (original, request) = held_duplicate(&shop, &standard).await;
        let (one, two) = tokio::join!(
            shop.approve(&manager, request, "fine"),
            shop.approve(&manager, request, "fine"),
        );
        assert_eq!(usize::from(one.is_ok()) + usize::from(two.is_ok()), 1);
        assert!(matches!(one.and(two), Err(LifecycleError::Conflict { .. })));
        let file = shop.file(original.order).await;
        assert_eq!(file.certificates.len(), 2);
        let record = shop.request(&manager, request).await.unwrap();
        assert_eq!(record.issued_certificate, Some(file.certificates[1].id));
        assert_eq!(record.note.as_deref(), Some("fine"));
    }
}

#[tokio::test]
async fn d5_d16_who_may_review() {
    for shop in shops().await {
        let manager = shop.somebody(Role::Manager).await;
        let standard = shop.somebody(Role::Standard).await;
        let (_, own) = held_duplicate(&shop, &manager).await;
        assert_eq!(refused(shop.approve(&manager, own, "").await), "own_request");
        assert_eq!(refused(shop.approve(&standard, own, "").await), "not_an_approver");
        let administrator = shop.somebody(Role::Administrator).await;
        shop.approve(&administrator, own, "").await.unwrap();

        shop.set("auto_approve_approvers", "on").await;
        let what = What::New(Box::new(shop.new_order("ssl_plus", "a.example.com", None)));
        issued(shop.ask(&manager, ask(what, "a.example.com")).await.unwrap());
        let what = What::New(Box::new(shop.new_order("ssl_plus", "b.example.com", None)));
        held(shop.ask(&standard, ask(what, "b.example.com")).await.unwrap());
    }
}

#[tokio::test]
async fn a_new_order_waits_and_is_issued_when_approved() {
    for shop in shops().await {
        let standard = shop.somebody(Role::Standard).await;
        let manager = shop.somebody(Role::Manager).await;
        let what = What::New(Box::new(shop.new_order("ssl_plus", "www.example.com", None)));
        let outcome = shop.ask(&standard, ask(what, "www.example.com")).await.unwrap();
        let number = outcome.order();
        assert_eq!(shop.file(number).await.order.status, OrderStatus::Pending);
        shop.clock().advance(Days(2));
        let approved = shop.approve(&manager, held(outcome), "").await.unwrap();
        let Approved::Issued(certificate) = approved else { panic!("issued") };
        assert_eq!(certificate.order, number);
        let file = shop.file(number).await;
        assert_eq!(file.order.status, OrderStatus::Issued);
        assert!(file.order.requester.is_some());
        let detail = shop.order(&manager, number).await.unwrap();
        assert_eq!(detail.certificates[0].requester, file.order.requester);
    }
}

#[tokio::test]
async fn rejecting_needs_a_reason_and_ends_the_order() {
    for shop in shops().await {
        let standard = shop.somebody(Role::Standard).await;
        let manager = shop.somebody(Role::Manager).await;
        let what = What::New(Box::new(shop.new_order("ssl_plus", "www.example.com", None)));
        let outcome = shop.ask(&standard, ask(what, "www.example.com")).await.unwrap();
        let (number, request) = (outcome.order(), held(outcome));
        assert!(matches!(
            shop.reject(&manager, request, " ").await,
            Err(LifecycleError::Invalid(_))
        ));
        shop.reject(&manager, request, "Use the wildcard instead.").await.unwrap();
        assert_eq!(shop.file(number).await.order.status, OrderStatus::Rejected);
        let record = shop.request(&standard, request).await.unwrap();
        assert!(
            matches!(record.request.approval, Approval::Rejected { reason, .. } if reason.contains("wildcard"))
        );
        assert!(matches!(
            shop.approve(&manager, request, "").await,
            Err(LifecycleError::Conflict { .. })
        ));
    }
}

#[tokio::test]
async fn a_request_is_canceled_by_its_requester_only() {
    for shop in shops().await {
        let standard = shop.somebody(Role::Standard).await;
        let stranger = shop.another(Role::Standard).await;
        let (_, request) = held_duplicate(&shop, &standard).await;
        assert!(matches!(
            shop.cancel(&stranger, request).await,
            Err(LifecycleError::NotFound { .. })
        ));
        shop.cancel(&standard, request).await.unwrap();
        assert!(matches!(
            shop.cancel(&standard, request).await,
            Err(LifecycleError::Conflict { .. })
        ));
    }
}

#[tokio::test]
async fn an_approval_asks_the_rules_again_and_leaves_the_request_waiting() {
    for shop in shops().await {
        let standard = shop.somebody(Role::Standard).await;
        let manager = shop.somebody(Role::Manager).await;
        let (_, request) = held_duplicate(&shop, &standard).await;
        shop.clock().advance(Days(250));
        assert_eq!(refused(shop.approve(&manager, request, "").await), "certificate_expired");
        let record = shop.request(&manager, request).await.unwrap();
        assert_eq!(record.request.approval, Approval::Pending);
    }
}

#[tokio::test]
async fn a_held_reissue_settles_the_order_again_either_way() {
    for shop in shops().await {
        let standard = shop.somebody(Role::Standard).await;
        let manager = shop.somebody(Role::Manager).await;
        let original = shop.sell("ssl_plus", "www.example.com").await;
        let reissue = |to: &str| What::Reissue {
            order: original.order,
            names: ReissueRequest::Change {
                common_name: exact(to).common_name,
                names: names(to),
                confirmed: true,
            },
        };
        let text = "www.example.com mail.example.com";
        let request = held(shop.ask(&standard, ask(reissue(text), text)).await.unwrap());
        assert_eq!(shop.file(original.order).await.order.status, OrderStatus::ReissuePending);
        shop.cancel(&standard, request).await.unwrap();
        assert_eq!(shop.file(original.order).await.order.status, OrderStatus::Issued);

        let request = held(shop.ask(&standard, ask(reissue(text), text)).await.unwrap());
        shop.approve(&manager, request, "").await.unwrap();
        let file = shop.file(original.order).await;
        assert_eq!(file.order.status, OrderStatus::Issued);
        assert_eq!(file.order.names, names(text), "the order took the new names");
        assert_eq!(file.primary().unwrap().kind, domain::model::CertificateKind::Reissue);
    }
}

/// Rule D19: control that was shown by challenges is too old on the thirty-first day.
#[tokio::test]
async fn a_held_requests_challenges_are_good_for_thirty_days() {
    for shop in shops().await {
        let manager = shop.somebody(Role::Manager).await;
        let client = Actor::Acme { account: domain::AcmeAccountId(1), url: None, address: None };
        let mut requests = Vec::new();
        for text in ["one.elsewhere.test", "two.elsewhere.test"] {
            let what = What::New(Box::new(shop.new_order("ssl_plus", text, None)));
            let asked = Ask { challenged: names(text), ..ask(what, text) };
            requests.push(held(shop.ask(&client, asked).await.unwrap()));
        }
        shop.clock().advance(Days(29));
        shop.approve(&manager, requests[0], "").await.unwrap();
        shop.clock().advance(Days(2));
        assert_eq!(refused(shop.approve(&manager, requests[1], "").await), "challenge_too_old");
    }
}

/// What an ACME client asked for is canceled when its time is over and nobody has decided; what others
/// asked for waits on.
#[tokio::test]
async fn only_what_acme_clients_ask_for_ends_undecided() {
    for shop in shops().await {
        let standard = shop.somebody(Role::Standard).await;
        let client = Actor::Acme { account: domain::AcmeAccountId(1), url: None, address: None };
        let mut requests = Vec::new();
        for (by, text) in [(&client, "a.example.com"), (&standard, "b.example.com")] {
            let what = What::New(Box::new(shop.new_order("ssl_plus", text, None)));
            requests.push(held(shop.ask(by, ask(what, text)).await.unwrap()));
        }
        let asked = shop.request(&Actor::Operator, requests[0]).await.unwrap();
        let until = waits_until(&asked).unwrap();
        assert_eq!(until, asked.request.created_at.plus(Days(30)));
        for (at, ends) in [(until, [false, false]), (until.plus_seconds(1), [true, false])] {
            for (id, ends) in requests.iter().copied().zip(ends) {
                let ending = shop
                    .store()
                    .write(move |tx| Box::pin(async move { end_undecided(tx, at, id).await }));
                assert_eq!(ending.await.unwrap().is_some(), ends, "{id} at {at}");
                let record = shop.request(&Actor::Operator, id).await.unwrap();
                let state = if ends { "canceled" } else { "pending" };
                assert_eq!(record.request.approval.as_str(), state, "{id} at {at}");
            }
        }
        let waiting = shop.request(&Actor::Operator, requests[1]).await.unwrap();
        assert_eq!(waits_until(&waiting), None);
        let over = shop.request(&Actor::Operator, requests[0]).await.unwrap();
        assert_eq!(waits_until(&over), None, "it was decided");
    }
}

#[tokio::test]
async fn a_last_second_is_kept_however_long_the_request_waits() {
    for shop in shops().await {
        let standard = shop.somebody(Role::Standard).await;
        let manager = shop.somebody(Role::Manager).await;
        let end = shop.clock().now().plus(Days(20)).plus_seconds(4_000);
        let mut requests = Vec::new();
        for name in ["a.example.com", "b.example.com"] {
            let mut new = shop.new_order("ssl_plus", name, None);
            new.ends_by = Some(end);
            let what = What::New(Box::new(new));
            requests.push(held(shop.ask(&standard, ask(what, name)).await.unwrap()));
        }
        shop.clock().advance(Days(3));
        shop.approve(&manager, requests[0], "").await.unwrap();
        let order = shop.request(&manager, requests[0]).await.unwrap().request.order;
        assert_eq!(shop.file(order).await.certificates[0].not_after, end);
        shop.clock().advance(Days(17));
        assert_eq!(refused(shop.approve(&manager, requests[1], "").await), "last_day_over");
    }
}
