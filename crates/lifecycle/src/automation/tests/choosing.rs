//! Who chooses the names that auto-renew issues for: people, and never an agent.

use domain::Days;
use domain::model::{EndpointStatus, EventStatus, RevocationTarget, Role};
use domain::rules::ReissueRequest;
use store::certificates::CertificateRecord;

use super::replacing::revoke;
use super::{ReadChain, ScheduleForm, Step, Yard, renewing, served, yards};
use crate::automation::{EndpointDetail, EndpointRecord};
use crate::testing::issuing::{ask, exact, names};
use crate::{Actor, What};

/// A leaf of the agent's own making with these names; all else is as in `record`.
fn self_signed(record: &CertificateRecord, text: &str) -> ReadChain {
    let mut chain = served(record);
    chain.fingerprint = "00".repeat(32);
    chain.served.common_name = Some(exact(text).common_name);
    chain.served.names = names(text);
    chain
}

impl Yard {
    /// Endpoint 1 after one more report.
    async fn kept(&self) -> EndpointRecord {
        self.detail().await.endpoint
    }

    /// The same with its events.
    async fn detail(&self) -> EndpointDetail {
        let id = self.report().await[&1];
        self.endpoint_detail(&Actor::Operator, id).await.unwrap()
    }

    /// A person saves auto-renew of endpoint 1.
    async fn save_auto_renew(&self, manager: &Actor) {
        let (endpoint, profile) = (self.kept().await.id, Some(self.profile));
        let on = Some(renewing(30));
        self.set_auto_renew(manager, vec![endpoint], profile, on, false).await.unwrap();
    }
}

/// Neither a leaf that an agent made itself nor the public certificate of another order makes it get a
/// certificate for its names.
#[tokio::test]
async fn what_an_agent_says_is_served_chooses_no_names() {
    for yard in yards().await {
        let manager = yard.somebody(Role::Manager).await;
        let (record, _) = yard.renewed(&manager, false).await;
        let other = yard.sell("ssl_plus", "shop.example.com").await.order;
        let other = yard.certificates(other).await.remove(0);
        yard.clock().advance(Days(180));
        for (name, chain) in [
            ("pay.example.com", self_signed(&record, "pay.example.com")),
            ("shop.example.com", served(&other)),
        ] {
            yard.endpoint(1, Some(&record)).await;
            yard.save_auto_renew(&manager).await;
            yard.endpoint_of(1, Some(chain)).await;
            assert_eq!(yard.run_due_auto_renewals().await.unwrap(), 1);
            let stopped = yard.detail().await;
            assert!(stopped.events.is_empty(), "{name}");
            assert_eq!(stopped.endpoint.status, EndpointStatus::ActionRequired);
            let (cause, solution) = (stopped.endpoint.cause, stopped.endpoint.solution);
            let told = format!("switched on for (new: {name}; missing: www.example.com)");
            assert!(cause.as_ref().unwrap().contains(&told), "{cause:?}");
            assert!(solution.as_ref().unwrap().contains("save auto-renew"), "{solution:?}");
            assert_eq!(yard.run_due_auto_renewals().await.unwrap(), 0, "told once");
        }
        assert_eq!(yard.told("endpoint.auto_renew_stopped").await.len(), 2);

        // A person says that it is right.
        yard.endpoint_of(1, Some(self_signed(&record, "pay.example.com"))).await;
        yard.save_auto_renew(&manager).await;
        assert_eq!(yard.run_due_auto_renewals().await.unwrap(), 1);
        yard.send_csr().await;
        assert_eq!(yard.install().await.certificate.names, names("pay.example.com"));
    }
}

/// Who served the certificate of another order, as it says, and lost it, gets none of that order.
#[tokio::test]
async fn what_an_agent_says_is_lost_chooses_no_names() {
    for yard in yards().await {
        let manager = yard.somebody(Role::Manager).await;
        yard.renewed(&manager, true).await;
        let other = yard.sell("ssl_plus", "shop.example.com").await.order;
        let other = yard.certificates(other).await.remove(0);
        for chain in [Some(&other), None] {
            yard.endpoint(1, chain).await;
        }
        assert_eq!(yard.run_due_auto_renewals().await.unwrap(), 1);
        let stopped = yard.detail().await;
        assert!(stopped.events.is_empty());
        assert_eq!(stopped.endpoint.status, EndpointStatus::ActionRequired);
        let cause = stopped.endpoint.cause.unwrap();
        assert!(cause.contains("was not switched on for: shop.example.com"), "{cause}");
    }
}

/// Switched on where nothing is in place, it waits for a person's request: what is served then without
/// one nobody has chosen.
#[tokio::test]
async fn what_comes_where_nothing_was_is_not_renewed_unasked() {
    for yard in yards().await {
        let manager = yard.somebody(Role::Manager).await;
        let sold = yard.sell("ssl_plus", "www.example.com").await.order;
        let record = yard.certificates(sold).await.remove(0);
        yard.endpoint(1, None).await;
        yard.save_auto_renew(&manager).await;
        assert_eq!(yard.kept().await.auto_renew_names, None);
        yard.clock().advance(Days(180));
        yard.endpoint(1, Some(&record)).await;
        assert_eq!(yard.run_due_auto_renewals().await.unwrap(), 1);
        let stopped = yard.detail().await;
        assert!(stopped.events.is_empty());
        assert_eq!(stopped.endpoint.status, EndpointStatus::ActionRequired);
        assert!(stopped.endpoint.cause.unwrap().contains("nothing was in place"));
    }
}

/// The names that a person requests are those that auto-renew goes on with once they are installed, also
/// where the request left auto-renew as it is.
#[tokio::test]
async fn what_a_person_requested_is_renewed_from_then_on() {
    for yard in yards().await {
        let manager = yard.somebody(Role::Manager).await;
        let endpoint = yard.endpoint(1, None).await;
        let first = yard.fresh(endpoint, "one.example.com");
        let first = ScheduleForm { auto_renew: Some(renewing(30)), ..first };
        yard.schedule(&manager, first).await.unwrap();
        let chosen = async || yard.kept().await.auto_renew_names.unwrap();
        assert_eq!(chosen().await, names("one.example.com"));
        yard.send_csr().await;
        let order = yard.install().await.certificate.order;
        assert_eq!(chosen().await, names("one.example.com"));

        revoke(&yard, order, RevocationTarget::Order).await;
        let second = yard.fresh(endpoint, "Two.example.com");
        let second = ScheduleForm { idempotency_key: "second".to_owned(), ..second };
        yard.schedule_bulk(&manager, vec![second]).await.unwrap();
        assert_eq!(chosen().await, names("one.example.com"), "not before it is installed");
        yard.send_csr().await;
        yard.install().await;
        assert_eq!(chosen().await, names("two.example.com"));

        yard.clock().advance(Days(180));
        assert_eq!(yard.run_due_auto_renewals().await.unwrap(), 1);
        yard.send_csr().await;
        assert_eq!(yard.install().await.certificate.names, names("two.example.com"));
    }
}

/// Names are the same in any case, whoever issued the certificate in place.
#[tokio::test]
async fn names_in_another_case_are_the_same_names() {
    for yard in yards().await {
        let manager = yard.somebody(Role::Manager).await;
        let (record, _) = yard.renewed(&manager, false).await;
        yard.clock().advance(Days(180));
        yard.endpoint_of(1, Some(self_signed(&record, "WWW.Example.COM"))).await;
        assert_eq!(yard.run_due_auto_renewals().await.unwrap(), 1);
        yard.send_csr().await;
        assert_eq!(yard.install().await.certificate.names, names("www.example.com"));
    }
}

/// A report behind the event's making changes nothing of what is issued.
#[tokio::test]
async fn an_events_names_stay_whatever_is_reported_meanwhile() {
    for yard in yards().await {
        let manager = yard.somebody(Role::Manager).await;
        let (record, _) = yard.renewed(&manager, false).await;
        yard.clock().advance(Days(180));
        assert_eq!(yard.run_due_auto_renewals().await.unwrap(), 1);
        let lie = || async {
            yard.endpoint_of(1, Some(self_signed(&record, "pay.example.com"))).await;
        };
        lie().await;
        let task = yard.next_task(yard.agent).await.unwrap().unwrap();
        let Step::MakeCsr { names: asked, .. } = &task.step else { panic!("{:?}", task.step) };
        assert_eq!(asked, &names("www.example.com"));
        lie().await;
        yard.answer_csr(&task).await;
        assert_eq!(yard.install().await.certificate.names, names("www.example.com"));
        assert_eq!(yard.kept().await.auto_renew_names, Some(names("www.example.com")));
    }
}

/// An order that got names meanwhile gives them to nobody unasked: this is found when it is issued.
#[tokio::test]
async fn names_that_the_order_got_since_are_not_issued_unasked() {
    for yard in yards().await {
        let manager = yard.somebody(Role::Manager).await;
        let (record, _) = yard.renewed(&manager, false).await;
        let more = "www.example.com shop.example.com";
        let added = exact(more);
        let (common_name, names) = (added.common_name, added.names);
        let change = ReissueRequest::Change { common_name, names, confirmed: false };
        let what = What::Reissue { order: record.certificate.order, names: change };
        yard.ask(&Actor::Operator, ask(what, more)).await.unwrap();
        let before = yard.serials().await.len();

        yard.clock().advance(Days(180));
        assert_eq!(yard.run_due_auto_renewals().await.unwrap(), 1);
        let event = yard.send_csr().await;
        assert_eq!(yard.status(event).await, EventStatus::ActionRequired);
        let cause = yard.cause(event).await;
        assert!(cause.contains("was not switched on for: shop.example.com"), "{cause}");
        assert_eq!(yard.serials().await.len(), before, "nothing was issued");
        assert_eq!(yard.kept().await.status, EndpointStatus::ActionRequired);
    }
}
