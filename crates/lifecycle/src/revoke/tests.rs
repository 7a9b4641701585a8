use domain::AcmeAccountId;
use domain::model::Role;
use domain::rules::{DuplicateNames, ReissueRequest};

use super::*;
use crate::approve::Approved;
use crate::testing::issuing::{Shop, ask, held, issued, refused, shops};
use crate::{Issued, What};

fn form(target: RevocationTarget) -> RevokeForm {
    RevokeForm {
        target,
        reason: RevocationReason::KeyCompromise,
        note: String::new(),
        submit_token: String::new(),
    }
}

async fn with_duplicate(shop: &Shop) -> (Issued, Issued) {
    let original = shop.sell("ssl_plus", "www.example.com").await;
    let what = What::Duplicate { order: original.order, names: DuplicateNames::Same };
    let duplicate = issued(shop.ask(&Actor::Operator, ask(what, "www.example.com")).await.unwrap());
    (original, duplicate)
}

#[tokio::test]
async fn d16_a_revocation_waits_for_a_second_step_whatever_the_settings() {
    for shop in shops().await {
        shop.set("approval_step", "skip").await;
        let administrator = shop.somebody(Role::Administrator).await;
        let manager = shop.somebody(Role::Manager).await;
        let (original, duplicate) = with_duplicate(&shop).await;
        let one = RevocationTarget::Certificate { id: duplicate.certificate };
        let held = shop.request_revoke(&administrator, original.order, &form(one)).await.unwrap();
        let Revocation::Held { request } = held else { panic!("held") };
        let again = shop.request_revoke(&manager, original.order, &form(one)).await;
        assert_eq!(refused(again), "already_requested");
        assert!(!shop.file(original.order).await.certificates[1].is_revoked());

        let approved = shop.approve(&manager, request, "").await.unwrap();
        assert!(matches!(approved, Approved::Revoked { certificates: 1 }));
        let file = shop.file(original.order).await;
        assert!(file.certificates[1].is_revoked());
        assert!(!file.certificates[0].is_revoked(), "only the one that was asked for");
        assert_eq!(file.order.status, OrderStatus::Issued);
    }
}

#[tokio::test]
async fn an_order_is_revoked_with_all_its_certificates_and_the_crl_says_so() {
    for shop in shops().await {
        let administrator = shop.somebody(Role::Administrator).await;
        let manager = shop.somebody(Role::Manager).await;
        let (original, _) = with_duplicate(&shop).await;
        let issuer = shop.issuer().unwrap().authority().issuer_id().to_owned();
        let before = shop.crl(&issuer).await.unwrap();
        let whole = form(RevocationTarget::Order);
        let held = shop.request_revoke(&manager, original.order, &whole).await.unwrap();
        let Revocation::Held { request } = held else { panic!("held") };
        shop.approve(&administrator, request, "").await.unwrap();
        let file = shop.file(original.order).await;
        assert_eq!(file.order.status, OrderStatus::Revoked);
        assert!(file.certificates.iter().all(domain::model::Certificate::is_revoked));
        let after = shop.crl(&issuer).await.unwrap();
        let serial = original.serial.to_bytes().unwrap();
        let holds = |crl: &[u8]| crl.windows(serial.len()).any(|window| window == serial);
        assert!(!holds(&before) && holds(&after));
        let again = shop.request_revoke(&manager, original.order, &whole).await;
        assert_eq!(refused(again), "already_revoked");
    }
}

#[tokio::test]
async fn a_pending_reissue_blocks_the_revocation_of_the_order() {
    for shop in shops().await {
        let manager = shop.somebody(Role::Manager).await;
        let original = shop.sell("ssl_plus", "www.example.com").await;
        let what = What::Reissue { order: original.order, names: ReissueRequest::Same };
        held(shop.ask(&manager, ask(what, "www.example.com")).await.unwrap());
        let whole = form(RevocationTarget::Order);
        let outcome = shop.request_revoke(&manager, original.order, &whole).await;
        assert_eq!(refused(outcome), "reissue_pending");
    }
}

#[tokio::test]
async fn an_acme_client_is_answered_at_once() {
    for shop in shops().await {
        let original = shop.sell("ssl_plus", "www.example.com").await;
        let client = Actor::Acme { account: AcmeAccountId(1), url: None, address: None };
        let one = form(RevocationTarget::Certificate { id: original.certificate });
        let outcome = shop.request_revoke(&client, original.order, &one).await.unwrap();
        assert_eq!(outcome, Revocation::Done { certificates: 1 });
    }
}

#[tokio::test]
async fn a_compromised_key_gets_no_certificate_again() {
    for shop in shops().await {
        let standard = shop.somebody(Role::Standard).await;
        let client = Actor::Acme { account: AcmeAccountId(1), url: None, address: None };
        for (reason, compromised) in
            [(RevocationReason::Superseded, false), (RevocationReason::KeyCompromise, true)]
        {
            let mut wish = ask(
                What::New(Box::new(shop.new_order("ssl_plus", "www.example.com", None))),
                "www.example.com",
            );
            let first = issued(shop.ask(&Actor::Operator, wish.clone()).await.unwrap());
            let target = RevocationTarget::Certificate { id: first.certificate };
            let revocation = RevokeForm { reason, ..form(target) };
            shop.request_revoke(&client, first.order, &revocation).await.unwrap();

            let again = shop.ask(&Actor::Operator, wish.clone()).await;
            wish.idempotency_key = Some(format!("for {reason}"));
            let keyed = shop.ask(&Actor::Operator, wish.clone()).await;
            // What can't be issued is not held for a reviewer either.
            let by_standard = shop.ask(&standard, wish).await;
            if compromised {
                assert_eq!(refused(again), "key_compromised");
                assert_eq!(refused(keyed), "key_compromised");
                assert_eq!(refused(by_standard), "key_compromised");
            } else {
                issued(again.unwrap());
                issued(keyed.unwrap());
            }
        }
    }
}
