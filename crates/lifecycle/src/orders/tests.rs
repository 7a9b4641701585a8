use domain::model::{CertificateStatus, OrderStatus, RevocationReason, RevocationTarget, Role};
use domain::rules::DuplicateNames;
use serde_json::{Value, json};

use super::import::Import;
use super::view::OrderView;
use super::*;
use crate::reissue::ReissueForm;
use crate::revoke::RevokeForm;
use crate::testing::issuing::{ask, csr_pem, issued, shops};
use crate::{LifecycleError, What};

#[tokio::test]
async fn any_serial_or_fingerprint_finds_the_order() {
    for shop in shops().await {
        let manager = shop.somebody(Role::Manager).await;
        let original = shop.sell("ssl_plus", "www.example.com").await;
        let what = What::Duplicate { order: original.order, names: DuplicateNames::Same };
        let duplicate =
            issued(shop.ask(&Actor::Operator, ask(what, "www.example.com")).await.unwrap());
        let detail = shop.order(&manager, original.order).await.unwrap();
        let fingerprint = detail.certificates[1].fingerprint_sha256.clone().unwrap();
        let colons: Vec<String> = duplicate
            .serial
            .0
            .as_bytes()
            .chunks(2)
            .map(|pair| String::from_utf8_lossy(pair).to_uppercase())
            .collect();
        for text in [
            original.order.to_string(),
            duplicate.serial.0.clone(),
            colons.join(":"),
            format!("serial={}", duplicate.serial.0.to_uppercase()),
            format!("sha256 Fingerprint={fingerprint}"),
            fingerprint,
        ] {
            let found = shop.find_order(&manager, &text).await.unwrap();
            assert_eq!(found, Some(original.order), "{text}");
        }
        assert_eq!(shop.find_order(&manager, "1234567").await.unwrap(), None);
    }
}

#[tokio::test]
async fn limited_users_see_their_own_orders_only() {
    for shop in shops().await {
        shop.set("approval_step", "skip").await;
        let limited = shop.somebody(Role::Limited).await;
        let manager = shop.somebody(Role::Manager).await;
        let foreign = shop.sell("ssl_plus", "www.example.com").await;
        let what = What::New(Box::new(shop.new_order("ssl_plus", "own.example.com", None)));
        let own = shop.ask(&limited, ask(what, "own.example.com")).await.unwrap().order();
        let list = |actor: Actor| {
            let shop = &shop;
            async move {
                let page = PageOf { descending: true, ..PageOf::first(OrderSort::Number, 10) };
                let slice = shop.orders(&actor, OrderFilter::default(), &page).await;
                slice.unwrap().rows.iter().map(|row| row.order.number).collect::<Vec<_>>()
            }
        };
        assert_eq!(list(limited.clone()).await, [own]);
        assert_eq!(list(manager).await, [own, foreign.order]);
        assert!(shop.order(&limited, foreign.order).await.is_err());
        assert!(shop.download(&limited, foreign.certificate, DownloadFormat::Leaf).await.is_err());
        assert_eq!(shop.find_order(&limited, &foreign.serial.0).await.unwrap(), None);
    }
}

/// It is not even told that the order is there.
#[tokio::test]
async fn limited_users_change_nothing_of_anothers_order() {
    for shop in shops().await {
        shop.set("approval_step", "skip").await;
        let limited = shop.somebody(Role::Limited).await;
        let foreign = shop.sell("ssl_plus", "www.example.com").await;
        let reissue = ReissueForm {
            csr: csr_pem("www.example.com"),
            names: "www.example.com".to_owned(),
            confirmed: true,
            ..ReissueForm::default()
        };
        let asked = shop.request_reissue(&limited, foreign.order, &reissue).await;
        assert!(matches!(asked, Err(LifecycleError::NotFound { .. })), "{asked:?}");
        for target in
            [RevocationTarget::Order, RevocationTarget::Certificate { id: foreign.certificate }]
        {
            let form = RevokeForm {
                target,
                reason: RevocationReason::Superseded,
                note: String::new(),
                submit_token: String::new(),
            };
            let asked = shop.request_revoke(&limited, foreign.order, &form).await;
            assert!(matches!(asked, Err(LifecycleError::NotFound { .. })), "{asked:?}");
        }
        let file = shop.file(foreign.order).await;
        assert_eq!(file.certificates.len(), 1);
        assert_eq!(file.certificates[0].status, CertificateStatus::Issued);
        assert!(shop.order(&Actor::Operator, foreign.order).await.unwrap().requests.is_empty());
    }
}

/// A page of a search is not short because most of what was met first is not shown.
#[tokio::test]
async fn a_search_goes_on_until_its_page_is_full() {
    for shop in shops().await {
        shop.set("approval_step", "skip").await;
        let manager = shop.somebody(Role::Manager).await;
        let what = What::New(Box::new(shop.new_order("ssl_plus", "own.example.com", None)));
        let own = shop.ask(&manager, ask(what, "own.example.com")).await.unwrap().order();
        // About three names each: more than a search looks at at once.
        shop.seed_orders(&Actor::Operator, 3_500, 7, |_| {}).await.unwrap();
        let requester = manager.person().map(|person| person.user.id);
        let filter = SearchFilter { requester, ..SearchFilter::default() };
        let query = NameQuery::typed("xample").unwrap();
        let at_once =
            shop.store().reader().await.unwrap().search_orders(&query, &filter, None, 9).await;
        assert!(at_once.unwrap().orders.is_empty(), "the test has too few orders");
        let page = shop.search_orders(&manager, &query, filter, None, 9).await.unwrap();
        let found: Vec<OrderNumber> = page.orders.iter().map(|(order, _)| order.number).collect();
        assert_eq!((found, page.next), (vec![own], None));
    }
}

#[tokio::test]
async fn downloads_hold_leaf_chain_and_pkcs7() {
    for shop in shops().await {
        let manager = shop.somebody(Role::Manager).await;
        let one = shop.sell("ssl_wildcard", "*.example.com").await;
        for (format, count) in [
            (DownloadFormat::Leaf, 1),
            (DownloadFormat::Chain, 2),
            (DownloadFormat::ChainAndRoot, 3),
        ] {
            let file = shop.download(&manager, one.certificate, format).await.unwrap();
            let text = String::from_utf8(file.bytes).unwrap();
            assert_eq!(text.matches("BEGIN CERTIFICATE").count(), count);
            assert!(file.file_name.starts_with("star.example.com"), "{}", file.file_name);
        }
        let file = shop.download(&manager, one.certificate, DownloadFormat::Pkcs7).await.unwrap();
        assert!(String::from_utf8(file.bytes).unwrap().starts_with("-----BEGIN PKCS7-----"));
    }
}

#[tokio::test]
async fn the_json_has_the_published_fields() {
    for shop in shops().await {
        let one = shop.sell("ssl_plus", "www.example.com example.com").await;
        let view = shop.order_view(&Actor::Operator, one.order).await.unwrap();
        let json = serde_json::to_value(&view).unwrap();
        let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        let mut fields = vec![
            "number",
            "product",
            "organization",
            "common_name",
            "sans",
            "status",
            "origin",
            "ordered_at",
            "coverage_years",
            "coverage_ends_at",
            "renews",
            "renewed_by",
            "certificates",
        ];
        fields.sort_unstable();
        let mut found = keys(&json);
        found.sort_unstable();
        assert_eq!(found, fields);
        let ordered_at = shop.file(one.order).await.order.ordered_at;
        assert_eq!(json["ordered_at"], json!(ordered_at.rfc3339()));
        assert_eq!(json["coverage_years"], Value::Null);
        assert_eq!(json["certificates"][0]["serial"], json!(one.serial.0));
        assert_eq!(json["certificates"][0]["not_after"], json!(one.not_after.rfc3339()));
        assert_eq!(json["certificates"][0]["status"], json!("issued"));
    }
}

/// Nobody could decide the request that an imported order waits for: it would wait for ever, and
/// block its renewal.
#[tokio::test]
async fn what_waits_for_a_request_is_not_imported_as_waiting() {
    for shop in shops().await {
        let one = shop.sell("ssl_plus", "www.example.com").await;
        let mut view = shop.order_view(&Actor::Operator, one.order).await.unwrap();
        view.number = OrderNumber(12345);
        view.certificates[0].serial = Serial("0123456789abcdef".to_owned());
        view.certificates[0].pem = None;
        let import = async |view: &OrderView| {
            let line = serde_json::to_string(view).unwrap();
            shop.import_orders(&Actor::Operator, line.as_bytes(), |_| {}).await
        };
        let pending =
            OrderView { status: OrderStatus::Pending, certificates: Vec::new(), ..view.clone() };
        let Import::Faulty { faults, .. } = import(&pending).await.unwrap() else { panic!() };
        assert!(faults[0].message.contains("is not imported"), "{}", faults[0].message);
        view.status = OrderStatus::ReissuePending;
        assert_eq!(import(&view).await.unwrap(), Import::Loaded { orders: 1 });
        let loaded = shop.order_view(&Actor::Operator, OrderNumber(12345)).await.unwrap();
        assert_eq!(loaded.status, OrderStatus::Issued);
    }
}

/// What the audit log can't say does not happen.
#[tokio::test]
async fn an_import_and_its_audit_entry_are_one() {
    for shop in shops().await {
        let one = shop.sell("ssl_plus", "www.example.com").await;
        let mut view = shop.order_view(&Actor::Operator, one.order).await.unwrap();
        view.number = OrderNumber(12345);
        view.certificates[0].serial = Serial("0123456789abcdef".to_owned());
        view.certificates[0].pem = None;
        let line = serde_json::to_string(&view).unwrap();
        let import = async || shop.import_orders(&Actor::Operator, line.as_bytes(), |_| {}).await;
        let there = async || shop.order_view(&Actor::Operator, OrderNumber(12345)).await.is_ok();
        shop.tamper("ALTER TABLE audit_log RENAME TO elsewhere").await;
        assert!(import().await.is_err());
        assert!(!there().await);
        shop.tamper("ALTER TABLE elsewhere RENAME TO audit_log").await;
        import().await.unwrap();
        assert!(there().await);
        let entry = crate::testing::newest(&shop).await.remove(0);
        assert_eq!((entry.action.as_str(), entry.resource_id.as_str()), ("orders.imported", "1"));
    }
}

#[tokio::test]
async fn what_was_exported_is_imported_all_or_nothing() {
    for shop in shops().await {
        let one = shop.sell("ssl_plus", "www.example.com").await;
        let view = shop.order_view(&Actor::Operator, one.order).await.unwrap();
        let mut other = view.clone();
        other.number = OrderNumber(12345);
        other.certificates[0].serial = Serial("0123456789abcdef".to_owned());
        other.certificates[0].pem = None;
        let line = |view: &OrderView| serde_json::to_string(view).unwrap();
        let bad = format!("{}\n\n{}\nnonsense\n", line(&other), line(&view));
        let outcome = shop.import_orders(&Actor::Operator, bad.as_bytes(), |_| {}).await.unwrap();
        let Import::Faulty { faults, more: 0 } = outcome else { panic!("faulty") };
        let lines: Vec<usize> = faults.iter().map(|fault| fault.line).collect();
        assert_eq!(lines, [3, 4]);
        assert!(faults[0].message.contains("is here already"));
        assert!(shop.order_view(&Actor::Operator, OrderNumber(12345)).await.is_err());

        let good = line(&other);
        let outcome = shop.import_orders(&Actor::Operator, good.as_bytes(), |_| {}).await.unwrap();
        assert_eq!(outcome, Import::Loaded { orders: 1 });
        let loaded = shop.order_view(&Actor::Operator, OrderNumber(12345)).await.unwrap();
        assert_eq!(loaded, other);
        assert_eq!(loaded.status, OrderStatus::Issued);
        assert!(
            shop.import_orders(&shop.somebody(Role::Manager).await, good.as_bytes(), |_| {})
                .await
                .is_err()
        );
    }
}
