use domain::Days;
use domain::model::{CertificateKind, Role};

use super::*;
use crate::testing::issuing::{Shop, ask, csr_pem, exact, held, issued, names, refused, shops};

async fn due(shop: &Shop, order: OrderNumber, text: &str) -> (Actor, Due) {
    let Actor::Person(person) = shop.somebody(Role::Manager).await else { panic!("a person") };
    (Actor::Worker { on_behalf_of: Some(person.user.id) }, due_of(order, text))
}

fn due_of(order: OrderNumber, text: &str) -> Due {
    let ask = ask(What::Renew { order, names: None }, text);
    Due { order, names: exact(text), until: None, profile: None, ask }
}

async fn duplicates_on(shop: &Shop) {
    shop.set("approval_step", "skip").await;
    shop.set("duplicates_in_automation", "on").await;
}

#[tokio::test]
async fn d12_a_renewal_is_a_new_order_linked_to_the_old_one() {
    for shop in shops().await {
        shop.set("approval_step", "skip").await;
        let manager = shop.somebody(Role::Manager).await;
        let old = shop.sell("ssl_plus", "www.example.com").await;
        shop.clock().advance(Days(180));
        let form = RenewForm { csr: csr_pem("www.example.com"), ..RenewForm::default() };
        let new = issued(shop.request_renew(&manager, old.order, &form).await.unwrap());
        assert_ne!(new.order, old.order);
        assert_eq!(new.kind, CertificateKind::Original);
        assert_eq!(shop.file(new.order).await.order.renews, Some(old.order));
        assert_eq!(shop.file(old.order).await.order.renewed_by, Some(new.order));
        // Rule D13: by hand it is not renewed twice.
        let again = shop.request_renew(&manager, old.order, &form).await;
        assert_eq!(refused(again), "already_renewed");
    }
}

/// A Limited User learns nothing of another person's order, not even by asking for its renewal.
#[tokio::test]
async fn an_order_that_is_not_ones_own_is_not_there() {
    for shop in shops().await {
        let limited = shop.somebody(Role::Limited).await;
        let old = shop.sell("ssl_plus", "www.example.com").await;
        let form = RenewForm { csr: csr_pem("mail.example.com"), ..RenewForm::default() };
        for order in [old.order, OrderNumber(1)] {
            let answer = shop.request_renew(&limited, order, &form).await;
            assert!(matches!(answer, Err(LifecycleError::NotFound { .. })), "{answer:?}");
        }
    }
}

#[tokio::test]
async fn d13_the_second_endpoint_gets_a_duplicate_of_the_renewed_order() {
    for shop in shops().await {
        duplicates_on(&shop).await;
        let old = shop.sell("ssl_plus", "www.example.com example.com").await;
        shop.clock().advance(Days(190));
        let (worker, first) = due(&shop, old.order, "www.example.com example.com").await;
        let (outcome, _) = shop.renew_due(&worker, &first).await.unwrap();
        let new = issued(outcome);
        let (outcome, decided) = shop
            .renew_due(&worker, &due_of(old.order, "www.example.com example.com"))
            .await
            .unwrap();
        let duplicate = issued(outcome);
        assert_eq!(decided.unwrap().decision, Decision::Duplicate { order: new.order });
        assert_eq!((duplicate.order, duplicate.kind), (new.order, CertificateKind::Duplicate));
        assert_eq!(duplicate.not_after, new.not_after);
    }
}

#[tokio::test]
async fn d14_without_duplicates_the_regular_renewal_goes_on() {
    for shop in shops().await {
        shop.set("approval_step", "skip").await;
        let old = shop.sell("ssl_plus", "www.example.com").await;
        shop.clock().advance(Days(190));
        let (worker, first) = due(&shop, old.order, "www.example.com").await;
        let new = issued(shop.renew_due(&worker, &first).await.unwrap().0);
        // Duplicates are off in Automation, so the newest order is renewed in its turn.
        let (outcome, decided) =
            shop.renew_due(&worker, &due_of(old.order, "www.example.com")).await.unwrap();
        assert_eq!(decided.unwrap().decision, Decision::Renew { order: new.order });
        assert_eq!(shop.file(issued(outcome).order).await.order.renews, Some(new.order));
    }
}

#[tokio::test]
async fn d15_d18_many_due_at_once_make_one_order_and_duplicates_of_it() {
    for shop in shops().await {
        duplicates_on(&shop).await;
        let old = shop.sell("ssl_plus", "www.example.com").await;
        shop.clock().advance(Days(190));
        let (worker, one) = due(&shop, old.order, "www.example.com").await;
        let two = due_of(old.order, "www.example.com");
        let three = due_of(old.order, "www.example.com");
        // Two desks on one database, as two nodes are.
        let other = shop.with_clock(shop.clock().clone());
        let (one, two, three) = tokio::join!(
            shop.renew_due(&worker, &one),
            other.renew_due(&worker, &two),
            other.renew_due(&worker, &three),
        );
        let all = [one, two, three].map(|outcome| issued(outcome.unwrap().0));
        let kinds = |kind| all.iter().filter(|one| one.kind == kind).count();
        assert_eq!(kinds(CertificateKind::Original), 1);
        assert_eq!(kinds(CertificateKind::Duplicate), 2);
        let new = shop.file(old.order).await.order.renewed_by.unwrap();
        assert!(all.iter().all(|one| one.order == new));
        assert_eq!(shop.serials().await.len(), 4);
    }
}

#[tokio::test]
async fn d18_a_held_renewal_makes_the_others_wait_and_a_rejected_one_frees_the_turn() {
    for shop in shops().await {
        let old = shop.sell("ssl_plus", "www.example.com").await;
        shop.clock().advance(Days(190));
        let (worker, first) = due(&shop, old.order, "www.example.com").await;
        let request = held(shop.renew_due(&worker, &first).await.unwrap().0);
        let second = due_of(old.order, "www.example.com");
        let pending = shop.file(old.order).await.order.renewed_by.unwrap();
        let (outcome, _) = shop.renew_due(&worker, &second).await.unwrap();
        assert!(matches!(outcome, Outcome::Wait { order } if order == pending));

        let reviewer = shop.another(Role::Administrator).await;
        shop.reject(&reviewer, request, "not this year").await.unwrap();
        assert_eq!(shop.file(pending).await.order.status, OrderStatus::Rejected);
        assert_eq!(shop.file(old.order).await.order.renewed_by, None);
        duplicates_on(&shop).await;
        let new = issued(shop.renew_due(&worker, &second).await.unwrap().0);
        assert_eq!(shop.file(old.order).await.order.renewed_by, Some(new.order));
    }
}

#[tokio::test]
async fn an_expired_requester_turns_it_into_a_refusal() {
    for shop in shops().await {
        duplicates_on(&shop).await;
        let old = shop.sell("ssl_plus", "www.example.com").await;
        let due = due_of(old.order, "www.example.com");
        let outcome = shop.renew_due(&Actor::Worker { on_behalf_of: None }, &due).await;
        assert_eq!(refused(outcome), "requester_gone");
    }
}

/// A renewal that was cut off before anybody knew what came of it: its own order is not one to
/// duplicate, and who may renew no more has done so already.
#[tokio::test]
async fn what_is_asked_for_again_is_not_decided_again() {
    for shop in shops().await {
        duplicates_on(&shop).await;
        let old = shop.sell("ssl_plus", "www.example.com").await;
        shop.clock().advance(Days(190));
        let (worker, mut due) = due(&shop, old.order, "www.example.com").await;
        due.ask.idempotency_key = Some("event/1/1".to_owned());
        let (outcome, decided) = shop.renew_due(&worker, &due).await.unwrap();
        let first = issued(outcome);
        assert_eq!(decided.unwrap().decision, Decision::Renew { order: old.order });
        for actor in [worker, Actor::Worker { on_behalf_of: None }] {
            let (again, decided) = shop.renew_due(&actor, &due).await.unwrap();
            assert_eq!(issued(again).serial, first.serial);
            assert!(decided.is_none());
        }
    }
}

#[tokio::test]
async fn a_wildcard_renewal_keeps_the_orders_names_and_issues_what_was_asked() {
    for shop in shops().await {
        duplicates_on(&shop).await;
        let old = shop.sell("ssl_wildcard", "*.example.com example.com").await;
        shop.clock().advance(Days(190));
        let (worker, due) = due(&shop, old.order, "shop.example.com").await;
        let new = issued(shop.renew_due(&worker, &due).await.unwrap().0);
        let file = shop.file(new.order).await;
        assert_eq!(file.order.names, names("*.example.com example.com"));
        assert_eq!(file.certificates[0].names, names("shop.example.com"));
    }
}

#[tokio::test]
async fn a_multi_year_plan_gets_its_next_certificate() {
    for shop in shops().await {
        duplicates_on(&shop).await;
        let plan = shop.sell_with("ssl_plus", "www.example.com", Some(2)).await;
        shop.clock().advance(Days(190));
        let (worker, due) = due(&shop, plan.order, "www.example.com").await;
        let next = issued(shop.renew_due(&worker, &due).await.unwrap().0);
        assert_eq!((next.order, next.kind), (plan.order, CertificateKind::Reissue));
    }
}

/// A successor that was revoked leaves the renewal open, on the page as in the API.
#[tokio::test]
async fn an_order_whose_successor_was_revoked_is_renewed_again() {
    for shop in shops().await {
        let operator = Actor::Operator;
        let old = shop.sell("ssl_plus", "www.example.com").await;
        shop.clock().advance(Days(180));
        let form = || RenewForm { csr: csr_pem("www.example.com"), ..RenewForm::default() };
        let first = issued(shop.request_renew(&operator, old.order, &form()).await.unwrap()).order;
        let offered = async || shop.order(&operator, old.order).await.unwrap().actions.renew;
        assert_eq!(offered().await.unwrap_err().code, "already_renewed");
        let revoke = crate::revoke::RevokeForm {
            target: domain::model::RevocationTarget::Order,
            reason: domain::model::RevocationReason::Superseded,
            note: String::new(),
            submit_token: String::new(),
        };
        shop.request_revoke(&operator, first, &revoke).await.unwrap();
        assert_eq!(offered().await, Ok(()));
        let second = issued(shop.request_renew(&operator, old.order, &form()).await.unwrap()).order;
        assert_eq!(shop.file(old.order).await.order.renewed_by, Some(second));
    }
}
