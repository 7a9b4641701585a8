//! What goes wrong on the host or in this process.

use domain::model::{CertificateKind, EndpointAction, EventStatus, Role};
use domain::{Days, NameSet};

use super::super::{FailedStage, Failure};
use super::{Obtain, yards};
use crate::testing::issuing::csr_pem;

fn failure(stage: FailedStage, may_retry: bool) -> Failure {
    Failure {
        stage,
        cause: "The disk is full.".to_owned(),
        solution: "Make room.".to_owned(),
        rolled_back: true,
        may_retry,
    }
}

#[tokio::test]
async fn tries_are_put_off_longer_each_time_and_end_with_words() {
    for yard in yards().await {
        let admin = yard.somebody(Role::Administrator).await;
        let endpoint = yard.endpoint(8443, None).await;
        let event = yard.schedule(&admin, yard.fresh(endpoint, "new.example.com")).await.unwrap();
        yard.send_csr().await;
        let mut tries = 0;
        while yard.status(event).await == EventStatus::InProgress {
            assert!(yard.next_task(yard.agent).await.unwrap().is_some());
            yard.event_failed(yard.agent, event, failure(FailedStage::Install, true))
                .await
                .unwrap();
            assert!(yard.next_task(yard.agent).await.unwrap().is_none(), "a pause first");
            yard.clock().advance(Days(1));
            tries += 1;
            assert!(tries < 20);
        }
        assert_eq!(yard.status(event).await, EventStatus::InstallFailed);
        assert_eq!(yard.cause(event).await, "The disk is full.");
        // "Retry": the order that was made gives another certificate, no second order is made.
        yard.retry_event(&admin, event).await.unwrap();
        yard.send_csr().await;
        let installed = yard.install().await.certificate;
        let file = yard.file(installed.order).await;
        assert_eq!(file.certificates.len(), 2);
        assert!(file.certificates.iter().all(|one| one.status.as_str() == "issued"));
        assert_eq!(yard.serials().await.len(), 2);
    }
}

/// A renewal that became a duplicate of another endpoint's renewed order (rule D13) becomes one again:
/// that order is not reissued.
#[tokio::test]
async fn a_retry_after_a_duplicate_of_another_order_duplicates_it_again() {
    for yard in yards().await {
        let admin = yard.somebody(Role::Administrator).await;
        let first = yard.sell("ssl_plus", "www.example.com").await;
        let records = yard.certificates(first.order).await;
        let one = yard.endpoint(1001, Some(&records[0])).await;
        let other = yard.endpoint(1002, Some(&records[0])).await;
        yard.clock().advance(Days(180));
        let renew = async |endpoint| {
            let same = Obtain::New { common_name: None, names: NameSet::default() };
            let form = yard.form(endpoint, EndpointAction::Renew, same);
            let event = yard.schedule(&admin, form).await.unwrap();
            yard.send_csr().await;
            event
        };
        renew(one).await;
        let renewed = yard.install().await.certificate.order;
        let event = renew(other).await;
        yard.event_failed(yard.agent, event, failure(FailedStage::Install, false)).await.unwrap();
        assert_eq!(yard.status(event).await, EventStatus::InstallFailed);
        yard.clock().advance(Days(1));
        yard.retry_event(&admin, event).await.unwrap();
        yard.send_csr().await;
        let installed = yard.install().await.certificate;
        assert_eq!((installed.order, installed.kind), (renewed, CertificateKind::Duplicate));
        let kinds: Vec<&str> =
            yard.file(renewed).await.certificates.iter().map(|one| one.kind.as_str()).collect();
        assert_eq!(kinds, ["original", "duplicate", "duplicate"]);
    }
}

/// The CSR is on record and the process dies before the certificate is: the scheduler goes on,
/// and the agent that repeats its report gets no second certificate.
#[tokio::test]
async fn a_repeated_csr_gets_one_certificate() {
    for yard in yards().await {
        let admin = yard.somebody(Role::Administrator).await;
        let endpoint = yard.endpoint(8443, None).await;
        let event = yard.schedule(&admin, yard.fresh(endpoint, "new.example.com")).await.unwrap();
        let csr = csr_pem("new.example.com");
        yard.next_task(yard.agent).await.unwrap();
        for _ in 0..3 {
            yard.event_csr(yard.agent, event, csr.clone()).await.unwrap();
        }
        yard.run_due_events().await.unwrap();
        assert_eq!(yard.serials().await.len(), 1);
        yard.install().await;
        assert_eq!(yard.status(event).await, EventStatus::Succeeded);
    }
}

#[tokio::test]
async fn canceled_events_are_over() {
    for yard in yards().await {
        let admin = yard.somebody(Role::Administrator).await;
        let endpoint = yard.endpoint(8443, None).await;
        let event = yard.schedule(&admin, yard.fresh(endpoint, "new.example.com")).await.unwrap();
        yard.cancel_event(&admin, event).await.unwrap();
        assert!(yard.next_task(yard.agent).await.unwrap().is_none());
        assert!(yard.event_csr(yard.agent, event, csr_pem("new.example.com")).await.is_err());
        assert!(yard.cancel_event(&admin, event).await.is_err());
    }
}

/// What a removed agent had to do ends with it: nothing waits for ever, and nothing that was held is
/// issued for nobody.
#[tokio::test]
async fn a_removed_agent_leaves_nothing_open() {
    for yard in yards().await {
        let manager = yard.somebody(Role::Manager).await;
        let standard = yard.somebody(Role::Standard).await;
        let (one, two) = (yard.endpoint(1, None).await, yard.endpoint(2, None).await);
        let held = yard.schedule(&standard, yard.fresh(one, "one.example.com")).await.unwrap();
        yard.send_csr().await;
        let request = yard.request_of(held).await;
        let planned = yard.schedule(&manager, yard.fresh(two, "two.example.com")).await.unwrap();
        yard.remove_agent(&manager, yard.agent).await.unwrap();
        for event in [held, planned] {
            assert_eq!(yard.status(event).await, EventStatus::Canceled);
            assert_eq!(yard.cause(event).await, "The agent was removed.");
        }
        assert!(yard.approve(&manager, request, "").await.is_err());
        assert_eq!(yard.serials().await.len(), 0);
        // A page that was open all the time.
        let mut form = yard.fresh(two, "three.example.com");
        form.idempotency_key = "late".to_owned();
        let late = yard.schedule(&manager, form).await;
        assert!(matches!(late, Err(crate::LifecycleError::Conflict { .. })), "{late:?}");
    }
}

/// Auto-renew begins nothing on an endpoint whose agent is gone.
#[tokio::test]
async fn auto_renew_ends_with_the_agent() {
    for yard in yards().await {
        let manager = yard.somebody(Role::Manager).await;
        let sold = yard.sell("ssl_plus", "www.example.com").await;
        let record = yard.certificates(sold.order).await.remove(0);
        let endpoint = yard.endpoint(1, Some(&record)).await;
        let (profile, on) = (Some(yard.profile), Some(super::renewing(30)));
        yard.set_auto_renew(&manager, vec![endpoint], profile, on, false).await.unwrap();
        yard.remove_agent(&manager, yard.agent).await.unwrap();
        yard.clock().advance(Days(180));
        assert_eq!(yard.run_due_auto_renewals().await.unwrap(), 0);
    }
}
