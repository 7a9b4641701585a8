//! Every event says why it does what it does.

use domain::model::{EndpointAction, Role};
use domain::rules::{Action, Explanation};
use domain::{Days, EventId, NameSet};

use super::{Obtain, Yard, served, yards};
use crate::Actor;

async fn why(yard: &Yard, event: EventId) -> Option<Explanation> {
    yard.event(&Actor::Operator, event).await.unwrap().explanation
}

fn same() -> Obtain {
    Obtain::New { common_name: None, names: NameSet::default() }
}

/// What was chosen is told from the start, with the order that was chosen and the rule that let it be;
/// a renewal is decided when it runs.
#[tokio::test]
async fn what_a_person_chose_is_told_with_the_event() {
    for yard in yards().await {
        let admin = yard.somebody(Role::Administrator).await;
        let sold = yard.sell("ssl_plus", "www.example.com").await;
        let record = yard.certificates(sold.order).await.remove(0);
        let mut foreign = served(&record);
        foreign.fingerprint = "00".repeat(32);
        let (one, two) = (yard.endpoint(1, None).await, yard.endpoint(2, None).await);
        let other = yard.endpoint_of(3, Some(foreign)).await;
        let due = yard.endpoint(4, Some(&record)).await;

        let fresh = yard.schedule(&admin, yard.fresh(one, "new.example.com")).await.unwrap();
        let told = why(&yard, fresh).await.unwrap();
        assert_eq!((told.action, told.order), (Action::Enroll, None));

        let switch = Obtain::Duplicate { order: sold.order, extra_names: NameSet::default() };
        for (form, rule) in [
            (yard.duplicate(two, sold.order), "D9"),
            (yard.form(other, EndpointAction::Switch, switch), "D10"),
        ] {
            let event = yard.schedule(&admin, form).await.unwrap();
            let told = why(&yard, event).await.unwrap();
            assert_eq!((told.action, told.order), (Action::Duplicate, Some(sold.order)));
            let [chosen] = &told.candidates[..] else { panic!("{told:?}") };
            assert_eq!((chosen.order, chosen.kept, chosen.rule.as_str()), (sold.order, true, rule));
        }
        for _ in 0..3 {
            yard.send_csr().await;
            yard.install().await;
        }
        let told = yard.order(&Actor::Operator, sold.order).await.unwrap().explanations;
        let actions: Vec<Action> = told.iter().map(|one| one.explanation.action).collect();
        assert_eq!(actions, [Action::Duplicate; 2], "on the order's page too");

        yard.clock().advance(Days(180));
        let form = yard.form(due, EndpointAction::Renew, same());
        let renewal = yard.schedule(&admin, form).await.unwrap();
        assert_eq!(why(&yard, renewal).await, None, "not decided yet");
        yard.send_csr().await;
        assert!(why(&yard, renewal).await.is_some());
    }
}

/// What auto-replace does, and a "Retry" behind a certificate that was installed nowhere.
#[tokio::test]
async fn what_nobody_chose_is_told_as_well() {
    for yard in yards().await {
        let manager = yard.somebody(Role::Manager).await;
        let (record, _) = yard.renewed(&manager, true).await;
        yard.endpoint(1, None).await;
        assert_eq!(yard.run_due_auto_renewals().await.unwrap(), 1);
        let event = yard.send_csr().await;
        let told = why(&yard, event).await.unwrap();
        assert_eq!((told.action, told.order), (Action::Reissue, Some(record.certificate.order)));
        assert!(told.why.contains("is missing"), "{}", told.why);

        yard.tamper("UPDATE events SET status = 'failed', finished_at = 1, certificate_id = NULL")
            .await;
        yard.clock().advance(Days(1));
        yard.retry_event(&manager, event).await.unwrap();
        yard.send_csr().await;
        assert!(why(&yard, event).await.unwrap().why.contains("Tried again"));
    }
}
