use std::process::Command;
use std::sync::Arc;

use store::Store;

use super::*;
use crate::place::{Placed, place};
use crate::testing::issuing::{START, Shop, ask, shops};
use crate::{AuthorityOptions, Clock, Issuer, MasterKey, NewOrder, StoreOptions, What};

/// How the parent tells its child where to work.
const DATABASE: &str = "CERTDECK_TEST_DATABASE";
const ORGANIZATION: &str = "CERTDECK_TEST_ORGANIZATION";

async fn open(shop: &Shop) -> usize {
    let mut tx = shop.store().reader().await.unwrap();
    tx.open_issuances(Timestamp(i64::MAX), 100).await.unwrap().len()
}

#[tokio::test]
async fn what_was_planned_is_finished_under_its_own_serial() {
    for shop in shops().await {
        let issuer = shop.issuer_arc().unwrap();
        let what = What::New(Box::new(shop.new_order("ssl_plus", "www.example.com", None)));
        let asked = ask(what, "www.example.com");
        let again = asked.clone();
        let now = shop.clock().now();
        let placed = shop
            .store()
            .write(move |tx| {
                Box::pin(async move { place(tx, &issuer, now, &Actor::Operator, &asked).await })
            })
            .await
            .unwrap();
        let Placed::Reserved(reserved) = placed else { panic!("reserved") };
        let serial = reserved.plan.certificate.serial.clone();
        drop(reserved);
        assert!(shop.serials().await.is_empty());

        // Other nodes' fresh reservations are left alone; two minutes later they are not.
        shop.clock().advance(domain::Days(1));
        assert_eq!(shop.recover().await.unwrap(), Recovered { finished: 1, voided: 0 });
        assert_eq!(shop.serials().await, *std::slice::from_ref(&serial.0));
        assert_eq!(shop.recover().await.unwrap(), Recovered::default());
        assert_eq!(open(&shop).await, 0);
        drop(again);
    }
}

#[tokio::test]
async fn two_that_recover_at_once_store_one_certificate() {
    for shop in shops().await {
        let issuer = shop.issuer_arc().unwrap();
        let what = What::New(Box::new(shop.new_order("ssl_plus", "www.example.com", None)));
        let (asked, now) = (ask(what, "www.example.com"), shop.clock().now());
        shop.store()
            .write(move |tx| {
                Box::pin(async move {
                    place(tx, &issuer, now, &Actor::Operator, &asked).await.map(|_| ())
                })
            })
            .await
            .unwrap();
        shop.clock().advance(domain::Days(1));
        let (one, two) = tokio::join!(shop.recover(), shop.recover());
        one.unwrap();
        two.unwrap();
        assert_eq!(shop.serials().await.len(), 1);
    }
}

/// Not a test: what the child processes of the next one do.
#[tokio::test]
#[ignore = "run by killed_at_any_point_nothing_is_lost_or_doubled in a process of its own"]
async fn child() {
    let Ok(database) = std::env::var(DATABASE) else { return };
    let store = Store::open(&database, StoreOptions::default()).await.unwrap();
    let master = Arc::new(MasterKey::from_bytes(&[7; 32]).unwrap());
    let options = AuthorityOptions::new("Test", "DE", START);
    let issuer = Issuer::open(&store, master, "http://portal.test", options).await.unwrap();
    let desk = Lifecycle::new(store, Clock::starting_at(START)).with_issuer(issuer);
    let organization = std::env::var(ORGANIZATION).unwrap().parse().unwrap();
    let names = crate::testing::issuing::exact("www.example.com");
    let new = NewOrder::of(organization, "ssl_plus".into(), names);
    let mut asked = ask(What::New(Box::new(new)), "www.example.com");
    asked.idempotency_key = Some("event/1/1".to_owned());
    desk.ask(&Actor::Operator, asked).await.unwrap();
}

fn run_child(shop: &Shop, url: &str, fault: &str) -> bool {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "recover::tests::child", "--ignored", "--nocapture"])
        .env(DATABASE, url)
        .env(ORGANIZATION, shop.organization.to_string())
        .env("CERTDECK_FAULT", fault)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status()
        .unwrap()
        .success()
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_point_nothing_is_lost_or_doubled() {
    for fault in ["issue.after_plan", "issue.after_sign", "issue.after_store"] {
        for shop in shops().await {
            let url = shop.url().to_owned();
            assert!(!run_child(&shop, &url, fault), "{fault}: the child was not killed");
            shop.clock().advance(domain::Days(1));
            shop.recover().await.unwrap();
            let serials = shop.serials().await;
            assert_eq!(serials.len(), 1, "{fault}: lost or doubled");
            assert_eq!(open(&shop).await, 0, "{fault}: left open");
            // Whoever asks again with the same key gets the same certificate.
            assert!(run_child(&shop, &url, "nowhere"), "{fault}: the second try failed");
            assert_eq!(shop.serials().await, serials, "{fault}: the second try made another");
        }
    }
}
