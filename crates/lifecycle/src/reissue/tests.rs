use domain::model::{CertificateKind, Role};
use domain::rules::DuplicateNames;

use super::*;
use crate::Exact;
use crate::issue::Reserved;
use crate::place::{Placed, place};
use crate::testing::issuing::{Shop, ask, csr_pem, exact, issued, names, refused, shops};

#[tokio::test]
async fn removed_names_schedule_the_revocation_in_72_hours_once_confirmed() {
    for shop in shops().await {
        shop.set("approval_step", "skip").await;
        let manager = shop.somebody(Role::Manager).await;
        let original = shop.sell("ssl_plus", "www.example.com mail.example.com").await;
        let what = What::Duplicate { order: original.order, names: DuplicateNames::Same };
        issued(shop.ask(&manager, ask(what, "www.example.com")).await.unwrap());
        let form = ReissueForm {
            csr: csr_pem("www.example.com"),
            names: "www.example.com".to_owned(),
            ..ReissueForm::default()
        };
        let outcome = shop.request_reissue(&manager, original.order, &form).await;
        assert_eq!(refused(outcome), "confirm_revocation");

        let form = ReissueForm { confirmed: true, ..form };
        let reissue = issued(shop.request_reissue(&manager, original.order, &form).await.unwrap());
        assert_eq!((reissue.order, reissue.kind), (original.order, CertificateKind::Reissue));
        assert_eq!(reissue.not_after, original.not_after);
        let file = shop.file(original.order).await;
        let due = |at: usize| match file.certificates[at].status {
            CertificateStatus::RevocationPending { due } => due,
            other => panic!("{other:?}"),
        };
        assert_eq!(due(0), due(1), "the duplicate goes as well");
        assert!((due(0).seconds_since(reissue.not_before) - 72 * 3600).abs() <= 1);
        assert_eq!(file.certificates[2].status, CertificateStatus::Issued);
        assert_eq!(file.order.names, names("www.example.com"));

        assert_eq!(shop.run_due_revocations(due(0).plus_seconds(-1)).await.unwrap(), 0);
        assert_eq!(shop.run_due_revocations(due(0)).await.unwrap(), 2);
        assert_eq!(shop.run_due_revocations(due(0)).await.unwrap(), 0);
        let file = shop.file(original.order).await;
        assert!(file.certificates[0].is_revoked() && file.certificates[1].is_revoked());
    }
}

#[tokio::test]
async fn added_names_alone_revoke_nothing() {
    for shop in shops().await {
        shop.set("approval_step", "skip").await;
        let manager = shop.somebody(Role::Manager).await;
        let original = shop.sell("ssl_plus", "www.example.com").await;
        let form = ReissueForm {
            csr: csr_pem("www.example.com"),
            names: "www.example.com mail.example.com".to_owned(),
            ..ReissueForm::default()
        };
        issued(shop.request_reissue(&manager, original.order, &form).await.unwrap());
        let file = shop.file(original.order).await;
        assert_eq!(file.certificates[0].status, CertificateStatus::Issued);
    }
}

/// What is being signed at this moment.
async fn reserve(shop: &Shop, wanted: Ask) -> Reserved {
    let (issuer, now) = (shop.issuer_arc().unwrap(), shop.clock().now());
    let placed = shop.store().write(move |tx| {
        Box::pin(async move { place(tx, &issuer, now, &Actor::Operator, &wanted).await })
    });
    let Placed::Reserved(reserved) = placed.await.unwrap() else { panic!("reserved") };
    *reserved
}

/// A certificate that is being signed would be missed by the revocation that is announced.
#[tokio::test]
async fn names_are_not_taken_away_while_a_certificate_is_being_issued() {
    for shop in shops().await {
        let original = shop.sell("ssl_plus", "www.example.com mail.example.com").await;
        let what = What::Duplicate { order: original.order, names: DuplicateNames::Same };
        let reserved = reserve(&shop, ask(what, "www.example.com")).await;
        let form = ReissueForm {
            csr: csr_pem("www.example.com"),
            names: "www.example.com".to_owned(),
            confirmed: true,
            ..ReissueForm::default()
        };
        let early = shop.request_reissue(&Actor::Operator, original.order, &form).await;
        assert!(matches!(early, Err(LifecycleError::Conflict { .. })), "{early:?}");
        shop.finish(&Actor::Operator, reserved).await.unwrap();
        issued(shop.request_reissue(&Actor::Operator, original.order, &form).await.unwrap());
        let file = shop.file(original.order).await;
        let announced = |at: usize| {
            matches!(file.certificates[at].status, CertificateStatus::RevocationPending { .. })
        };
        assert!(announced(0) && announced(1));
    }
}

/// What a reissue that is being signed leaves of the order's names is not known yet: nothing else is made
/// of them meanwhile, or a duplicate would keep the name that was taken away, and be in no list.
#[tokio::test]
async fn nothing_is_made_of_an_orders_names_while_they_change() {
    for shop in shops().await {
        for to in ["www.example.com", "www.example.com mail.example.com new.example.com"] {
            let original = shop.sell("ssl_multi_domain", "www.example.com mail.example.com").await;
            let order = original.order;
            let change = |to: &str| {
                let Exact { common_name, names } = exact(to);
                let names = ReissueRequest::Change { common_name, names, confirmed: true };
                ask(What::Reissue { order, names }, to)
            };
            let duplicate = || ask(What::Duplicate { order, names: DuplicateNames::Same }, to);
            let reserved = reserve(&shop, change(to)).await;
            for early in [
                duplicate(),
                change("www.example.com mail.example.com other.example.com"),
                ask(What::Renew { order, names: None }, to),
            ] {
                let asked = shop.ask(&Actor::Operator, early).await;
                assert!(matches!(asked, Err(LifecycleError::Conflict { .. })), "{asked:?}");
            }
            shop.finish(&Actor::Operator, reserved).await.unwrap();
            issued(shop.ask(&Actor::Operator, duplicate()).await.unwrap());
            // One that leaves the names as they are keeps nobody waiting.
            let same = ask(What::Reissue { order, names: ReissueRequest::Same }, to);
            let reserved = reserve(&shop, same).await;
            issued(shop.ask(&Actor::Operator, duplicate()).await.unwrap());
            shop.finish(&Actor::Operator, reserved).await.unwrap();
            let file = shop.file(order).await;
            assert_eq!(file.certificates.len(), 5);
            assert_eq!(file.order.names, names(to));
            // What holds a name that was taken away is announced to be revoked.
            for one in &file.certificates {
                let more = one.names.missing_from(&file.order.names).next().is_some();
                assert_eq!(more, one.status != CertificateStatus::Issued, "{}", one.serial);
            }
        }
    }
}
