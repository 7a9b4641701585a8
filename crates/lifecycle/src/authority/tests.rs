use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ca::MasterKeyError;
use ca::ocsp::{OcspFault, fault_response};
use domain::Days;
use domain::model::{KeyType, RevocationReason, RevocationTarget};
use store::testing::databases;

use super::*;
use crate::acme::{AcmeDesk, AcmePolicy};
use crate::place::{Placed, place};
use crate::recover::Recovered;
use crate::revoke::RevokeForm;
use crate::testing::issuing::{START, Shop, ask, refused, shops};
use crate::{Clock, What};

fn master(byte: u8) -> Arc<MasterKey> {
    Arc::new(MasterKey::from_bytes(&[byte; 32]).unwrap())
}

fn options() -> AuthorityOptions {
    AuthorityOptions::new("Test", "DE", START)
}

#[tokio::test]
async fn nodes_that_start_together_use_one_authority() {
    for database in databases().await {
        let open = || Issuer::open(&database.store, master(1), "http://portal.test/", options());
        let (one, two, three) = tokio::join!(open(), open(), open());
        let ids =
            [one, two, three].map(|issuer| issuer.unwrap().authority().issuer_id().to_owned());
        assert!(ids.iter().all(|id| *id == ids[0]), "{}", database.kind);
        let again = open().await.unwrap();
        assert_eq!(again.authority().issuer_id(), ids[0]);
        assert_eq!(again.urls().crl.unwrap(), format!("http://portal.test/ca/{}/crl", ids[0]));
    }
}

#[tokio::test]
async fn another_master_key_is_an_error_and_makes_no_second_authority() {
    for database in databases().await {
        let first = Issuer::open(&database.store, master(1), "http://portal.test", options()).await;
        first.unwrap();
        let error = Issuer::open(&database.store, master(2), "http://portal.test", options()).await;
        let Err(LifecycleError::Authority(cause)) = error else { panic!("an error") };
        let cause = cause.downcast::<CaError>().unwrap();
        assert!(matches!(*cause, CaError::MasterKey(MasterKeyError::Sealed { .. })));
        let rows = database.store.reader().await.unwrap().active_authorities().await.unwrap();
        assert_eq!(rows.len(), 2, "the root and the issuing certificate");
    }
}

/// Another authority takes the place of the shop's; its id.
async fn replace_authority(shop: &Shop) -> String {
    shop.bring_in(&AuthorityOptions::new("Other", "FR", START)).await
}

/// `certdeck acme explain` opens no key, and decides as the server does.
#[tokio::test]
async fn who_cannot_issue_knows_when_the_issuer_ends() {
    for shop in shops().await {
        let short = AuthorityOptions { issuing_lifetime: Days(40), ..options() };
        shop.bring_in(&short).await;
        let plain = Lifecycle::new(shop.store().clone(), shop.clock().clone());
        let mut tx = shop.store().reader().await.unwrap();
        let end = plain.issuer_end_in(&mut tx).await.unwrap();
        drop(tx);
        assert_eq!(end, shop.reopened().await.issuer_end());
        assert_eq!(START.plus(Days(40)).seconds_since(end).abs() / 86_400, 0);
    }
}

#[tokio::test]
async fn a_brought_in_authority_takes_over_and_the_former_one_still_answers() {
    for shop in shops().await {
        let former = shop.issuer().unwrap().authority().issuer_id().to_owned();
        let before = shop.sell("ssl_plus", "www.example.com").await;
        let id = replace_authority(&shop).await;
        let issuer =
            Issuer::open(shop.store(), master(7), "http://portal.test", options()).await.unwrap();
        assert_eq!(issuer.authority().issuer_id(), id);
        let clock = Clock::starting_at(START.plus(Days(1)));
        let desk = Lifecycle::new(shop.store().clone(), clock).with_issuer(issuer);
        assert!(!desk.crl(&former).await.unwrap().is_empty());
        assert!(!desk.issuer_der(&former).await.unwrap().is_empty());
        assert_eq!(shop.file(before.order).await.certificates.len(), 1);
        let ask = RevokeForm {
            target: RevocationTarget::Order,
            reason: RevocationReason::Superseded,
            note: String::new(),
            submit_token: String::new(),
        };
        desk.request_revoke(&Actor::Operator, before.order, &ask).await.unwrap();
        let (list, serial) = (desk.crl(&former).await.unwrap(), before.serial.to_bytes().unwrap());
        assert!(list.windows(serial.len()).any(|window| window == serial), "at once, not tomorrow");
        assert!(matches!(desk.crl("00").await, Err(LifecycleError::NotFound { .. })));
    }
}

/// A certificate goes with the chain of who issued it, also after another authority has taken over.
#[tokio::test]
async fn older_certificates_keep_their_chain() {
    for shop in shops().await {
        let before = shop.sell("ssl_plus", "www.example.com").await;
        replace_authority(&shop).await;
        let issuer =
            Issuer::open(shop.store(), master(7), "http://portal.test", options()).await.unwrap();
        let clock = Clock::starting_at(START.plus(Days(1)));
        let desk = Lifecycle::new(shop.store().clone(), clock).with_issuer(issuer);
        let file = desk
            .download(&Actor::Operator, before.certificate, crate::orders::DownloadFormat::Chain)
            .await
            .unwrap();
        assert_eq!(String::from_utf8(file.bytes).unwrap(), before.chain_pem);
        assert_eq!(desk.wait_for(&before.serial).await.unwrap().chain_pem, before.chain_pem);
        // Its identifier (RFC 9773 section 4.1) names the key of who issued it, and no other.
        let mut serial = before.serial.to_bytes().unwrap();
        if serial[0] >= 0x80 {
            serial.insert(0, 0);
        }
        let former = shop.issuer().unwrap().authority().issuing().key_id();
        let acme = AcmeDesk::new(desk.clone(), AcmePolicy::default());
        // Its key is not opened again for each question.
        shop.tamper("UPDATE authorities SET sealed_key = NULL WHERE NOT active").await;
        for (key_id, found) in [(former, true), (&[7; 20], false)] {
            let identifier =
                format!("{}.{}", URL_SAFE_NO_PAD.encode(key_id), URL_SAFE_NO_PAD.encode(&serial));
            assert_eq!(acme.renewal_window(&identifier).await.is_ok(), found, "{identifier}");
        }
    }
}

/// A duplicate ends with its original, also where the new authority ends before: then it is refused
/// in words.
#[tokio::test]
async fn no_duplicate_outlives_a_new_authority() {
    for shop in shops().await {
        let before = shop.sell("ssl_plus", "www.example.com").await;
        let mut short = AuthorityOptions::new("Other", "FR", START);
        (short.root_lifetime, short.issuing_lifetime) = (Days(90), Days(60));
        shop.bring_in(&short).await;
        let desk = shop.reopened().await;
        let order = before.order;
        let what = What::Duplicate { order, names: domain::rules::DuplicateNames::Same };
        let asked = desk.ask(&Actor::Operator, ask(what, "www.example.com")).await;
        assert_eq!(refused(asked), "outlives_issuer");
    }
}

/// Many revocations make one list, whoever asks for it, and none is missing from it: not even one
/// that comes while it is made.
#[tokio::test]
async fn a_list_is_made_once_for_what_was_revoked_and_misses_nothing() {
    for shop in shops().await {
        let issuer = shop.issuer().unwrap().authority().issuer_id().to_owned();
        let mut sold = Vec::new();
        for number in 0..12 {
            sold.push(shop.sell("ssl_plus", &format!("n{number}.example.com")).await);
        }
        let ask = RevokeForm {
            target: RevocationTarget::Order,
            reason: RevocationReason::Superseded,
            note: String::new(),
            submit_token: String::new(),
        };
        let revoke = |at: usize| shop.request_revoke(&Actor::Operator, sold[at].order, &ask);
        let number = async || {
            let latest = shop.store().reader().await.unwrap().latest_crl(&issuer).await.unwrap();
            latest.map_or(0, |crl| crl.number)
        };
        for at in 0..4 {
            revoke(at).await.unwrap();
        }
        let asked = futures::future::join_all((0..8).map(|_| shop.crl(&issuer))).await;
        let lists: Vec<Vec<u8>> = asked.into_iter().map(Result::unwrap).collect();
        assert!(lists.iter().all(|list| *list == lists[0]));
        assert_eq!(number().await, 1);

        for at in (4..12).step_by(2) {
            let (one, other, _) = tokio::join!(revoke(at), revoke(at + 1), shop.crl(&issuer));
            one.unwrap();
            other.unwrap();
            let list = shop.crl(&issuer).await.unwrap();
            for certificate in &sold[..at + 2] {
                let serial = certificate.serial.to_bytes().unwrap();
                assert!(list.windows(serial.len()).any(|window| window == serial), "{at}");
            }
        }
        assert!(number().await <= 9);
    }
}

#[tokio::test]
async fn what_was_reserved_under_a_former_authority_is_finished_by_it() {
    for shop in shops().await {
        let former = shop.issuer_arc().unwrap();
        let what = What::New(Box::new(shop.new_order("ssl_plus", "www.example.com", None)));
        let (asked, now, issuer) = (ask(what, "www.example.com"), START, Arc::clone(&former));
        let placed = shop
            .store()
            .write(move |tx| {
                Box::pin(async move { place(tx, &issuer, now, &Actor::Operator, &asked).await })
            })
            .await
            .unwrap();
        assert!(matches!(placed, Placed::Reserved(_)));
        replace_authority(&shop).await;
        let issuer =
            Issuer::open(shop.store(), master(7), "http://portal.test", options()).await.unwrap();
        assert_ne!(issuer.authority().issuer_id(), former.authority().issuer_id());
        let clock = Clock::starting_at(START.plus(Days(1)));
        let desk = Lifecycle::new(shop.store().clone(), clock).with_issuer(issuer);
        assert_eq!(desk.recover().await.unwrap(), Recovered { finished: 1, voided: 0 });
        let serials = shop.serials().await;
        let serial = domain::model::Serial(serials[0].clone());
        let record = shop.store().reader().await.unwrap().certificate_by_serial(&serial).await;
        let record = record.unwrap().unwrap();
        assert_eq!(record.issuer.as_deref(), Some(former.authority().issuer_id()));
        assert_eq!(serials.len(), 1);
    }
}

/// An OCSP request (RFC 6960 section 4.1.1) about a certificate of nobody.
fn ocsp_request() -> Vec<u8> {
    let der =
        |tag: u8, content: &[u8]| [&[tag, u8::try_from(content.len()).unwrap()], content].concat();
    let sha1 = der(0x30, &[0x06, 5, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0]);
    let hash = der(0x04, &[0; 20]);
    let id = der(0x30, &[sha1, hash.clone(), hash, vec![0x02, 1, 5]].concat());
    der(0x30, &der(0x30, &der(0x30, &der(0x30, &id))))
}

/// An authority that signs quickly, and one that does so on another thread.
#[tokio::test]
async fn more_ocsp_answers_than_can_be_made_at_once_are_put_off() {
    for shop in shops().await {
        let slow = AuthorityOptions { key: KeyType::Rsa2048, ..options() };
        let (quick, id) = (shop.reopened().await, shop.bring_in(&slow).await);
        let slow = shop.reopened().await;
        assert_eq!(slow.issuer().unwrap().authority().issuer_id(), id);
        for desk in [quick, slow] {
            let issuer = desk.issuer_arc().unwrap();
            let id = issuer.authority().issuer_id();
            let all = u32::try_from(status::ANSWERS_AT_ONCE).unwrap();
            let taken = Arc::clone(&issuer.answering).acquire_many_owned(all).await.unwrap();
            let put_off = desk.ocsp_der(id, &ocsp_request()).await.unwrap_err();
            assert_eq!(put_off, fault_response(OcspFault::TryLater));
            drop(taken);
            desk.ocsp_der(id, &ocsp_request()).await.unwrap();
            let free = issuer.answering.available_permits();
            assert_eq!(free, status::ANSWERS_AT_ONCE, "each gives its place back");
        }
    }
}
