//! Events that wait for a reviewer, and those that wait for another's renewal.

use domain::model::{CertificateKind, EndpointAction, EventStatus, Role};
use domain::{Days, NameSet};

use super::{Obtain, yards};
use crate::automation::issue::pause;

/// While another's renewal is held, who waits for it looks at it less and less often, and goes on as
/// soon as it is decided.
#[tokio::test]
async fn who_waits_for_a_held_renewal_is_woken_by_the_decision() {
    for yard in yards().await {
        let reviewer = yard.somebody(Role::Administrator).await;
        let standard = yard.somebody(Role::Standard).await;
        let manager = yard.somebody(Role::Manager).await;
        let sold = yard.sell("ssl_plus", "www.example.com").await;
        let record = yard.certificates(sold.order).await.remove(0);
        let one = yard.endpoint(1, Some(&record)).await;
        let other = yard.endpoint(2, Some(&record)).await;
        yard.clock().advance(Days(180));
        let renew = async |endpoint, by| {
            let same = Obtain::New { common_name: None, names: NameSet::default() };
            let form = yard.form(endpoint, EndpointAction::Renew, same);
            let event = yard.schedule(by, form).await.unwrap();
            yard.send_csr().await;
            event
        };
        let held = renew(one, &standard).await;
        let waits = renew(other, &manager).await;
        let look = async || {
            let event = yard.event(&reviewer, waits).await.unwrap().event;
            assert_eq!(event.status, EventStatus::InProgress);
            event.next_attempt_at.map(|at| at.seconds_since(yard.clock().now()))
        };
        assert!((0..=3).contains(&look().await.unwrap()), "soon, at first");
        for _day in 0..3 {
            yard.clock().advance(Days(1));
            assert_eq!(yard.run_due_events().await.unwrap(), 1);
            assert!((290..=300).contains(&look().await.unwrap()), "minutes, in the end");
            assert_eq!(yard.run_due_events().await.unwrap(), 0, "the pause comes first");
        }
        yard.approve(&reviewer, yard.request_of(held).await, "").await.unwrap();
        assert_eq!(yard.run_due_events().await.unwrap(), 1, "the decision ends the pause");
        let issued = yard.event(&reviewer, waits).await.unwrap().event.certificate.unwrap();
        let mut tx = yard.store().reader().await.unwrap();
        let issued = tx.certificate(issued).await.unwrap().unwrap().certificate;
        assert_eq!(issued.kind, CertificateKind::Duplicate);
    }
}

/// An approved renewal that is being issued wakes nobody: however long it was held before, it is looked
/// at again at once.
#[test]
fn a_renewal_that_is_being_issued_is_looked_at_soon() {
    const DAY: i64 = 86_400;
    assert_eq!([pause(0, true), pause(60, true), pause(DAY, true)], [2, 30, 300]);
    assert_eq!([pause(0, false), pause(60, false), pause(DAY, false)], [2, 2, 2]);
}

/// One event whose row can't be read keeps none of the others from hearing of its decision.
#[tokio::test]
async fn a_decision_that_can_not_be_taken_in_holds_up_no_other() {
    for yard in yards().await {
        let manager = yard.somebody(Role::Manager).await;
        let standard = yard.somebody(Role::Standard).await;
        let mut events = Vec::new();
        for (port, name) in [(1, "one.example.com"), (2, "two.example.com")] {
            let endpoint = yard.endpoint(port, None).await;
            let event = yard.schedule(&standard, yard.fresh(endpoint, name)).await.unwrap();
            yard.send_csr().await;
            yard.reject(&manager, yard.request_of(event).await, "Not now.").await.unwrap();
            events.push(event);
        }
        yard.tamper("UPDATE events SET profile = 'x' WHERE id = (SELECT min(id) FROM events)")
            .await;
        assert_eq!(yard.run_decided_events().await.unwrap(), 2);
        assert_eq!(yard.status(events[1]).await, EventStatus::ApprovalDenied);
    }
}
