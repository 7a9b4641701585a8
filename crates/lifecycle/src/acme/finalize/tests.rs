use domain::model::Role;
use domain::model::acme::{Identifier, NewAcmeOrder};
use domain::rules::ReissueRequest;
use domain::{Days, RequestId};

use super::*;
use crate::acme::{AcmePolicy, NewAcmeUrl, Registered, Registration};
use crate::place::place;
use crate::testing::issuing::{Shop, ask, csr_pem, exact, names, shops};
use crate::{Exact, What};

const NAMES: &str = "www.example.com mail.example.com";

/// An account of a URL.
async fn account(desk: &AcmeDesk, kid: &str, thumbprint: &str) -> AcmeAccount {
    let registration = Registration {
        jwk: "{}".to_owned(),
        thumbprint: thumbprint.to_owned(),
        contacts: Vec::new(),
        terms_agreed: true,
        kid: kid.to_owned(),
        address: None,
    };
    match desk.register(registration).await.unwrap() {
        Registered::New(account) => account,
        Registered::Existing(account) => panic!("{account:?}"),
    }
}

/// An order that was finalized.
async fn finalized(desk: &AcmeDesk, account: &AcmeAccount) -> AcmeOrder {
    let wanted = NewAcmeOrder {
        identifiers: names(NAMES).iter().map(Identifier::of).collect(),
        profile: "default".to_owned(),
        replaces: None,
        asked: None,
    };
    let order = desk.new_order(account, wanted, None).await.unwrap();
    let facts = crate::ask::read_csr(csr_pem(NAMES).as_bytes()).unwrap();
    let csr = FinalizeCsr { facts, thumbprint: None };
    desk.finalize(account, order.id, csr, None).await.unwrap()
}

/// A reissue that changes an order's names and is being signed at this moment.
async fn being_signed(shop: &Shop, order: domain::OrderNumber) -> Reserved {
    let to = "www.example.com mail.example.com new.example.com";
    let Exact { common_name, names } = exact(to);
    let names = ReissueRequest::Change { common_name, names, confirmed: true };
    let wanted = ask(What::Reissue { order, names }, to);
    let (issuer, now) = (shop.issuer_arc().unwrap(), shop.clock().now());
    let placed = shop.store().write(move |tx| {
        Box::pin(async move { place(tx, &issuer, now, &Actor::Operator, &wanted).await })
    });
    let Placed::Reserved(reserved) = placed.await.unwrap() else { panic!("reserved") };
    *reserved
}

async fn approve(shop: &Shop, request: Option<RequestId>) {
    let reviewer = shop.somebody(Role::Manager).await;
    shop.approve(&reviewer, request.unwrap(), "").await.unwrap();
}

/// Clients take a conflict for the end: an order that can't be placed at this moment is processing.
#[tokio::test]
async fn a_poll_meets_no_conflict() {
    for shop in shops().await {
        let desk = AcmeDesk::new(shop.reopened().await, AcmePolicy::default());
        shop.set("approval_step", "skip").await;
        let url = NewAcmeUrl::permissive("one", "ssl_multi_domain".into(), shop.organization);
        let (_, credential) = shop.create_acme_url(&Actor::Operator, url).await.unwrap();
        let first = account(&desk, &credential.kid, "one").await;
        let second = account(&desk, &credential.kid, "two").await;
        assert_eq!(finalized(&desk, &first).await.status, AcmeOrderStatus::Valid);
        shop.clock().advance(Days(190));
        shop.set("approval_step", "one_step").await;
        let held = finalized(&desk, &first).await;
        let waits = finalized(&desk, &second).await;
        assert_eq!((waits.status, waits.request), (AcmeOrderStatus::Processing, None));
        assert_eq!(waits.order_number, held.order_number);
        approve(&shop, held.request).await;
        shop.set("approval_step", "skip").await;
        let reserved = being_signed(&shop, held.order_number.unwrap()).await;
        let polled = desk.settle(waits.id).await.unwrap();
        assert_eq!(polled.status, AcmeOrderStatus::Processing);
        shop.finish(&Actor::Operator, reserved).await.unwrap();
        assert_eq!(desk.settle(waits.id).await.unwrap().status, AcmeOrderStatus::Valid);
    }
}
