//! Another authority has taken the place of the one that issued what is in place.

use domain::model::{EndpointAction, EndpointStatus, EventStatus, Role};
use domain::{Days, NameSet};

use super::{Obtain, Step, Yard, yards};
use crate::testing::issuing::{START, csr_pem, refused};
use crate::{Actor, AuthorityOptions, Lifecycle};

/// The desk under an authority that ends so many days behind the start.
async fn under_another(yard: &Yard, days: i64) -> Lifecycle {
    let mut options = AuthorityOptions::new("Other", "FR", START);
    (options.root_lifetime, options.issuing_lifetime) = (Days(days + 10), Days(days));
    yard.bring_in(&options).await;
    yard.reopened().await
}

#[tokio::test]
async fn a_certificate_is_installed_with_the_chain_of_who_issued_it() {
    for yard in yards().await {
        let admin = yard.somebody(Role::Administrator).await;
        let endpoint = yard.endpoint(1, None).await;
        yard.schedule(&admin, yard.fresh(endpoint, "www.example.com")).await.unwrap();
        yard.send_csr().await;
        let chain = yard.issuer().unwrap().authority().intermediates_pem().to_owned();
        let desk = under_another(&yard, 900).await;
        assert_ne!(desk.issuer().unwrap().authority().intermediates_pem(), chain);
        let task = desk.next_task(yard.agent).await.unwrap().unwrap();
        let Step::Install { chain_pem, .. } = task.step else { panic!("{:?}", task.step) };
        assert_eq!(chain_pem, chain);
    }
}

/// Rules D8 and D17: a chosen duplicate that would outlive the authority is refused in the wizard, and,
/// where it is scheduled already, before its agent makes a key.
#[tokio::test]
async fn a_chosen_duplicate_does_not_outlive_a_new_authority() {
    for yard in yards().await {
        let admin = yard.somebody(Role::Administrator).await;
        let order = yard.sell("ssl_plus", "www.example.com").await.order;
        let (one, other) = (yard.endpoint(1, None).await, yard.endpoint(2, None).await);
        let event = yard.schedule(&admin, yard.duplicate(one, order)).await.unwrap();
        let desk = under_another(&yard, 150).await;
        let form = yard.duplicate(other, order);
        assert_eq!(refused(desk.preview(&admin, &form).await.map(drop)), "outlives_issuer");
        assert_eq!(refused(desk.schedule(&admin, form).await), "outlives_issuer");
        assert!(desk.next_task(yard.agent).await.unwrap().is_none());
        assert_eq!(yard.status(event).await, EventStatus::ActionRequired);
        assert!(yard.cause(event).await.contains("ends after the issuing CA"));
    }
}

/// Rule D14: a duplicate that would outlive the authority is none that may be issued, so the renewal
/// goes on.
#[tokio::test]
async fn what_can_not_be_duplicated_any_more_is_renewed() {
    for yard in yards().await {
        let admin = yard.somebody(Role::Administrator).await;
        let first = yard.sell("ssl_plus", "www.example.com").await;
        let record = yard.certificates(first.order).await.remove(0);
        let (one, other) =
            (yard.endpoint(1, Some(&record)).await, yard.endpoint(2, Some(&record)).await);
        yard.clock().advance(Days(120));
        let same = || Obtain::New { common_name: None, names: NameSet::default() };
        let form = |endpoint| yard.form(endpoint, EndpointAction::Renew, same());
        yard.schedule(&admin, form(one)).await.unwrap();
        yard.send_csr().await;
        let second = yard.install().await.certificate;
        let desk = under_another(&yard, 210).await;
        assert!(second.not_after > desk.issuer().unwrap().not_after());
        let told = desk.preview(&admin, &form(other)).await.unwrap();
        assert_eq!(told.decided.unwrap().decision.order(), Some(second.order));
        assert_eq!(told.valid_till, Some(desk.issuer().unwrap().not_after()));
        let event = desk.schedule(&admin, form(other)).await.unwrap();
        let task = desk.next_task(yard.agent).await.unwrap().unwrap();
        desk.event_csr(yard.agent, task.event, csr_pem("www.example.com")).await.unwrap();
        assert_eq!(
            yard.status(event).await,
            EventStatus::InProgress,
            "{}",
            yard.cause(event).await
        );
        let third = yard.file(second.order).await.order.renewed_by.expect("it was renewed");
        assert_eq!(yard.certificates(third).await.len(), 1);
    }
}

/// Certificates that end with the authority are due again as soon as they are issued: a person is told
/// so instead of being sent new ones every minute.
#[tokio::test]
async fn auto_renew_in_vain_stops() {
    for yard in yards().await {
        let manager = yard.somebody(Role::Manager).await;
        let (_, endpoint) = yard.renewed(&manager, false).await;
        yard.clock().advance(Days(175));
        let desk = under_another(&yard, 203).await;
        assert_eq!(desk.run_due_auto_renewals().await.unwrap(), 1);
        let task = desk.next_task(yard.agent).await.unwrap().unwrap();
        desk.event_csr(yard.agent, task.event, csr_pem("www.example.com")).await.unwrap();
        let renewed = yard.install().await;
        assert_eq!(renewed.certificate.not_after, desk.issuer().unwrap().not_after());
        desk.run_due_auto_renewals().await.unwrap();
        let detail = desk.endpoint_detail(&Actor::Operator, endpoint).await.unwrap();
        assert_eq!(detail.events.len(), 1);
        assert_eq!(detail.endpoint.status, EndpointStatus::ActionRequired);
        assert!(detail.endpoint.cause.unwrap().contains("as soon as it was issued"));
    }
}
