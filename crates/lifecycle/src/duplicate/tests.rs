use domain::Days;
use domain::model::{CertificateKind, CertificateStatus, KeyType, Role};
use domain::rules::DuplicateNames;

use super::*;
use crate::testing::issuing::{ask, csr_of, csr_pem, held, issued, names, refused, shops};

fn form(csr_names: &str) -> DuplicateForm {
    DuplicateForm { csr: csr_pem(csr_names), ..DuplicateForm::default() }
}

#[tokio::test]
async fn d1_d2_d8_d11_a_duplicate_is_the_same_certificate_for_another_key() {
    for shop in shops().await {
        shop.set("approval_step", "skip").await;
        let manager = shop.somebody(Role::Manager).await;
        let original = shop.sell("ssl_plus", "www.example.com example.com").await;
        shop.clock().advance(Days(20));
        let outcome =
            shop.request_duplicate(&manager, original.order, &form("www.example.com")).await;
        let duplicate = issued(outcome.unwrap());

        assert_eq!(duplicate.order, original.order, "D11");
        assert_eq!(duplicate.kind, CertificateKind::Duplicate);
        assert_eq!(duplicate.not_after, original.not_after, "D8: to the second");
        assert_ne!(duplicate.serial, original.serial, "D1");
        let file = shop.file(original.order).await;
        let [first, second] = file.certificates.as_slice() else { panic!("two certificates") };
        assert_eq!((&first.names, &first.common_name), (&second.names, &second.common_name), "D1");
        assert_eq!(first.status, CertificateStatus::Issued, "D2");
        let record = shop.order(&manager, original.order).await.unwrap();
        assert_ne!(record.certificates[0].spki_sha256, record.certificates[1].spki_sha256);
        assert_eq!((record.record.certificates, record.record.duplicates), (2, 1));
    }
}

#[tokio::test]
async fn d4_by_hand_it_waits_while_the_approval_step_is_on() {
    for shop in shops().await {
        let manager = shop.somebody(Role::Manager).await;
        let original = shop.sell("ssl_plus", "www.example.com").await;
        let outcome =
            shop.request_duplicate(&manager, original.order, &form("www.example.com")).await;
        let request = held(outcome.unwrap());
        let record = shop.request(&manager, request).await.unwrap();
        assert_eq!(record.request.order, original.order);
        assert_eq!(record.held_because.as_deref(), Some("approval_step"));
        assert_eq!(shop.file(original.order).await.certificates.len(), 1, "nothing is issued yet");
    }
}

/// No type is sold for such keys, and none is told: the reviewer reads what the CSR holds.
#[tokio::test]
async fn a_held_request_tells_the_key_of_its_csr() {
    for shop in shops().await {
        let manager = shop.somebody(Role::Manager).await;
        let original = shop.sell("private_ssl_plus", "www.example.com").await;
        for (algorithm, key, kind) in [
            (&rcgen::PKCS_ECDSA_P521_SHA512, "ECC P-521", None),
            (&rcgen::PKCS_ED25519, "Ed25519", None),
            (&rcgen::PKCS_ECDSA_P384_SHA384, "ECC P-384", Some(KeyType::EcP384)),
        ] {
            let pair = rcgen::KeyPair::generate_for(algorithm).unwrap();
            let form =
                DuplicateForm { csr: csr_of("www.example.com", &pair), ..form("unused.example") };
            let outcome = shop.request_duplicate(&manager, original.order, &form).await;
            let record = shop.request(&manager, held(outcome.unwrap())).await.unwrap();
            assert_eq!(record.wish.key_type, kind, "{key}");
            let csr = record.wish.csr_pem.unwrap();
            assert_eq!(crate::ask::key_of_csr(&csr).as_deref(), Some(key));
        }
        assert_eq!(crate::ask::key_of_csr("no CSR"), None);
    }
}

#[tokio::test]
async fn d6_extra_names_are_for_wildcard_products_only() {
    for shop in shops().await {
        shop.set("approval_step", "skip").await;
        let manager = shop.somebody(Role::Manager).await;
        let plain = shop.sell("ssl_plus", "www.example.com").await;
        let extra =
            DuplicateForm { extra_names: "mail.example.com".to_owned(), ..form("www.example.com") };
        let outcome = shop.request_duplicate(&manager, plain.order, &extra).await;
        assert_eq!(refused(outcome), "extra_names");
        // A name that only the CSR holds is an extra name as well.
        let outcome = shop
            .request_duplicate(&manager, plain.order, &form("www.example.com mail.example.com"))
            .await;
        assert_eq!(refused(outcome), "extra_names");

        let wild = shop.sell("ssl_wildcard", "*.example.com example.com").await;
        let outcome = shop.request_duplicate(&manager, wild.order, &extra_of(&extra)).await;
        let duplicate = issued(outcome.unwrap());
        let file = shop.file(wild.order).await;
        let newest = file.certificates.last().unwrap();
        assert_eq!(newest.serial, duplicate.serial);
        assert!(newest.names.contains(&"mail.example.com".parse().unwrap()));
        assert_eq!(
            file.order.names,
            names("*.example.com example.com"),
            "the order keeps its names"
        );
    }
}

fn extra_of(form: &DuplicateForm) -> DuplicateForm {
    DuplicateForm { csr: csr_pem("*.example.com"), ..form.clone() }
}

#[tokio::test]
async fn d8_an_expired_original_and_d19_dv_give_none() {
    for shop in shops().await {
        shop.set("approval_step", "skip").await;
        let manager = shop.somebody(Role::Manager).await;
        let dv = shop.sell("ssl_dv_geotrust", "www.example.org").await;
        let outcome = shop.request_duplicate(&manager, dv.order, &form("www.example.org")).await;
        assert_eq!(refused(outcome), "product_has_no_duplicates");
        let original = shop.sell("ssl_plus", "www.example.com").await;
        shop.clock().advance(Days(250));
        let outcome =
            shop.request_duplicate(&manager, original.order, &form("www.example.com")).await;
        assert_eq!(refused(outcome), "certificate_expired");
    }
}

#[tokio::test]
async fn d19_validation_must_be_current_when_it_is_issued() {
    for shop in shops().await {
        shop.set("approval_step", "skip").await;
        let manager = shop.somebody(Role::Manager).await;
        let original = shop.sell("ssl_plus", "www.example.com").await;
        shop.tamper("UPDATE domains SET validated_until = 1 WHERE name = 'example.com'").await;
        let outcome =
            shop.request_duplicate(&manager, original.order, &form("www.example.com")).await;
        assert_eq!(refused(outcome), "domain_not_validated");
        assert_eq!(shop.file(original.order).await.certificates.len(), 1);
    }
}

#[tokio::test]
async fn a_double_submit_makes_one_certificate() {
    for shop in shops().await {
        shop.set("approval_step", "skip").await;
        let manager = shop.somebody(Role::Manager).await;
        let original = shop.sell("ssl_plus", "www.example.com").await;
        let form = DuplicateForm { submit_token: "once".to_owned(), ..form("www.example.com") };
        let (one, two) = tokio::join!(
            shop.request_duplicate(&manager, original.order, &form),
            shop.request_duplicate(&manager, original.order, &form),
        );
        assert_eq!(issued(one.unwrap()).serial, issued(two.unwrap()).serial);
        assert_eq!(shop.file(original.order).await.certificates.len(), 2);

        shop.set("approval_step", "one_step").await;
        let form = DuplicateForm { submit_token: "again".to_owned(), ..form };
        let (one, two) = tokio::join!(
            shop.request_duplicate(&manager, original.order, &form),
            shop.request_duplicate(&manager, original.order, &form),
        );
        assert_eq!(held(one.unwrap()), held(two.unwrap()));
    }
}

#[tokio::test]
async fn faults_name_their_fields_and_foreign_orders_do_not_show() {
    for shop in shops().await {
        let limited = shop.somebody(Role::Limited).await;
        let manager = shop.somebody(Role::Manager).await;
        let original = shop.sell("ssl_plus", "www.example.com").await;
        let outcome =
            shop.request_duplicate(&limited, original.order, &form("www.example.com")).await;
        assert!(matches!(outcome, Err(LifecycleError::NotFound { .. })));
        let bad = DuplicateForm {
            csr: "nonsense".to_owned(),
            extra_names: "a_b.example.com".to_owned(),
            note: "x".repeat(3000),
            ..DuplicateForm::default()
        };
        let Err(LifecycleError::Invalid(faults)) =
            shop.request_duplicate(&manager, original.order, &bad).await
        else {
            panic!("three faults")
        };
        let fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_ref()).collect();
        assert_eq!(fields, ["csr", "extra_names", "note"]);
    }
}

#[tokio::test]
async fn d16_a_standard_user_waits_although_the_step_is_skipped() {
    for shop in shops().await {
        shop.set("approval_step", "skip").await;
        let standard = shop.somebody(Role::Standard).await;
        let original = shop.sell("ssl_plus", "www.example.com").await;
        let what = What::Duplicate { order: original.order, names: DuplicateNames::Same };
        held(shop.ask(&standard, ask(what, "www.example.com")).await.unwrap());
    }
}

#[tokio::test]
async fn a_key_with_another_content_is_refused_and_with_another_act_is_another() {
    for shop in shops().await {
        shop.set("approval_step", "skip").await;
        let manager = shop.somebody(Role::Manager).await;
        let original = shop.sell("ssl_plus", "www.example.com").await;
        let form =
            DuplicateForm { submit_token: "2026-11-29/1".to_owned(), ..form("www.example.com") };
        let first = issued(shop.request_duplicate(&manager, original.order, &form).await.unwrap());
        let other = DuplicateForm { note: "another server".to_owned(), ..form.clone() };
        let reused = shop.request_duplicate(&manager, original.order, &other).await;
        assert_eq!(refused(reused), "idempotency_key_reused");
        let near = DuplicateForm { submit_token: "2026-11/291".to_owned(), ..other };
        let second = issued(shop.request_duplicate(&manager, original.order, &near).await.unwrap());
        assert_ne!(first.serial, second.serial);
        let reissue = crate::reissue::ReissueForm {
            csr: form.csr.clone(),
            submit_token: form.submit_token.clone(),
            ..Default::default()
        };
        let third = issued(shop.request_reissue(&manager, original.order, &reissue).await.unwrap());
        assert_ne!(first.serial, third.serial);
        let again = issued(shop.request_duplicate(&manager, original.order, &form).await.unwrap());
        assert_eq!(again.serial, first.serial);
        assert_eq!(shop.file(original.order).await.certificates.len(), 4);
    }
}
