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

/// Baseline Requirements 4.9.1.1: whoever names a key as compromised has all its certificates revoked, of
/// other orders too, and each order's page and the audit log say why.
#[tokio::test]
async fn the_other_certificates_of_a_compromised_key_are_revoked() {
    for shop in shops().await {
        let wish = ask(
            What::New(Box::new(shop.new_order("ssl_plus", "www.example.com", None))),
            "www.example.com",
        );
        let mut same = Vec::new();
        for _ in 0..3 {
            same.push(issued(shop.ask(&Actor::Operator, wish.clone()).await.unwrap()));
        }
        let other = shop.sell("ssl_plus", "www.example.com").await;
        let revoke = async |sold: &Issued, reason| {
            let target = RevocationTarget::Certificate { id: sold.certificate };
            let form = RevokeForm { reason, ..form(target) };
            shop.request_revoke(&Actor::Operator, sold.order, &form).await.unwrap();
        };
        let run = async || {
            shop.clock().advance(domain::Days(1));
            shop.run_compromised_keys().await.unwrap()
        };
        revoke(&same[0], RevocationReason::Superseded).await;
        assert_eq!(run().await, 0);
        // One is being issued meanwhile, and its process dies: it is finished under its serial.
        let (issuer, now) = (shop.issuer_arc().unwrap(), shop.clock().now());
        let placed = shop.store().write(move |tx| {
            Box::pin(
                async move { crate::place::place(tx, &issuer, now, &Actor::Operator, &wish).await },
            )
        });
        assert!(matches!(placed.await.unwrap(), crate::place::Placed::Reserved(_)));
        revoke(&same[1], RevocationReason::KeyCompromise).await;
        assert_eq!(shop.run_compromised_keys().await.unwrap(), 0, "a minute later");
        assert_eq!(run().await, 1);
        assert_eq!(run().await, 0, "once");
        assert_eq!(shop.recover().await.unwrap().finished, 1);
        assert_eq!(run().await, 1);

        let status = async |sold: &Issued| shop.file(sold.order).await.certificates[0].status;
        let CertificateStatus::Revoked { reason, .. } = status(&same[2]).await else {
            panic!("revoked")
        };
        assert_eq!(reason, RevocationReason::KeyCompromise);
        assert_eq!(status(&other).await, CertificateStatus::Issued);
        let CertificateStatus::Revoked { reason, .. } = status(&same[0]).await else {
            panic!("revoked")
        };
        assert_eq!(reason, RevocationReason::Superseded, "as it was");
        let entries = crate::testing::newest(&shop).await;
        let said = entries.iter().filter(|row| row.description.contains("key was compromised"));
        assert_eq!(said.count(), 2);
        let list = shop.crl(shop.issuer().unwrap().authority().issuer_id()).await.unwrap();
        let serial = same[2].serial.to_bytes().unwrap();
        assert!(list.windows(serial.len()).any(|window| window == serial));
    }
}
