//! What is due: rules D13 to D15 and D18.

use domain::model::{
    CertificateKind, CertificateStatus, EndpointAction, EndpointStatus, EventStatus, Profile,
    RevocationReason, RevocationTarget, Role,
};
use domain::{Days, NameSet};

use super::{Install, Obtain, ProfileForm, ScheduleForm, renewing, yards};
use crate::Actor;
use crate::revoke::RevokeForm;

/// Rules D13 and D18: original and duplicate due at the same moment make one renewal and one
/// duplicate of it, as 12345 and 67890 in the reference.
#[tokio::test]
async fn two_endpoints_due_under_one_order_make_one_renewal_and_one_duplicate() {
    for yard in yards().await {
        let admin = yard.somebody(Role::Administrator).await;
        let first = yard.sell("ssl_plus", "www.example.com").await;
        let empty = yard.endpoint(1000, None).await;
        yard.schedule(&admin, yard.duplicate(empty, first.order)).await.unwrap();
        yard.send_csr().await;
        yard.install().await;
        let records = yard.certificates(first.order).await;
        let original = yard.endpoint(1001, Some(&records[0])).await;
        let profile = Some(yard.profile);
        yard.set_auto_renew(&admin, vec![original, empty], profile, Some(renewing(30)), false)
            .await
            .unwrap();
        assert_eq!(yard.run_due_auto_renewals().await.unwrap(), 0, "not due yet");
        yard.clock().advance(Days(175));
        assert_eq!(yard.run_due_auto_renewals().await.unwrap(), 2);
        assert_eq!(yard.run_due_auto_renewals().await.unwrap(), 0, "once");

        let one = yard.next_task(yard.agent).await.unwrap().unwrap();
        yard.answer_csr(&one).await;
        // The agent installs before it asks for more; both CSRs are there either way.
        yard.install().await;
        yard.send_csr().await;
        yard.install().await;

        let renewed = yard.file(first.order).await;
        let successor = renewed.order.renewed_by.expect("the order was renewed");
        assert_eq!(renewed.certificates.len(), 2, "nothing new under the old order");
        let file = yard.file(successor).await;
        let kinds: Vec<&str> = file.certificates.iter().map(|one| one.kind.as_str()).collect();
        assert_eq!(kinds, ["original", "duplicate"]);
        assert_eq!(file.order.renews, Some(first.order));
        assert_eq!(file.order.renewed_by, None);
        for endpoint in [original, empty] {
            let detail = yard.shop.endpoint_detail(&Actor::Operator, endpoint).await.unwrap();
            assert_eq!(detail.endpoint.order, Some(successor));
            assert!(detail.endpoint.next_auto_renew_at.is_some_and(|at| at > yard.clock().now()));
        }
    }
}

/// Rules D13 and D18 where certificates live shorter by now: the renewal ends before what it takes the
/// place of, and the others duplicate it all the same.
#[tokio::test]
async fn endpoints_that_are_renewed_together_share_one_shorter_order() {
    for yard in yards().await {
        let admin = yard.somebody(Role::Administrator).await;
        // To 2029-03-14, twelve days before the day from which on they live 47 days instead of 100.
        yard.clock().advance(Days(843));
        let first = yard.sell("ssl_plus", "www.example.com").await;
        let record = yard.certificates(first.order).await.remove(0);
        yard.clock().advance(Days(12));
        let mut forms = Vec::new();
        for port in 1001..1004 {
            let endpoint = yard.endpoint(port, Some(&record)).await;
            let obtain = Obtain::New { common_name: None, names: NameSet::default() };
            forms.push(yard.form(endpoint, EndpointAction::Renew, obtain));
        }
        yard.schedule_bulk(&admin, forms).await.unwrap();
        for _ in 1001..1004 {
            yard.send_csr().await;
            assert!(yard.install().await.certificate.not_after < first.not_after);
        }
        let successor = yard.file(first.order).await.order.renewed_by.unwrap();
        let file = yard.file(successor).await;
        let kinds: Vec<&str> = file.certificates.iter().map(|one| one.kind.as_str()).collect();
        assert_eq!(kinds, ["original", "duplicate", "duplicate"]);
        assert_eq!(file.order.renewed_by, None);
    }
}

/// Rule D18 with both CSRs at the same moment.
#[tokio::test]
async fn a_race_of_two_renewals_has_one_winner() {
    for yard in yards().await {
        let admin = yard.somebody(Role::Administrator).await;
        let first = yard.sell("ssl_plus", "www.example.com").await;
        let records = yard.certificates(first.order).await;
        let endpoints = [
            yard.endpoint(1001, Some(&records[0])).await,
            yard.endpoint(1002, Some(&records[0])).await,
        ];
        yard.clock().advance(Days(180));
        let mut tasks = Vec::new();
        for endpoint in endpoints {
            let obtain = Obtain::New { common_name: None, names: NameSet::default() };
            yard.schedule(&admin, yard.form(endpoint, EndpointAction::Renew, obtain))
                .await
                .unwrap();
        }
        for event in yard
            .store()
            .reader()
            .await
            .unwrap()
            .events_for_agent(yard.agent, yard.clock().now(), 9)
            .await
            .unwrap()
        {
            tasks.push(event.id);
        }
        let csr = |id| yard.event_csr(yard.agent, id, super::csr_pem("www.example.com"));
        let (one, other) = tokio::join!(csr(tasks[0]), csr(tasks[1]));
        one.unwrap();
        other.unwrap();
        // Whoever had to wait is served by the scheduler.
        for id in &tasks {
            yard.issue_event(*id).await.unwrap();
        }
        let successor = yard.file(first.order).await.order.renewed_by.unwrap();
        let file = yard.file(successor).await;
        assert_eq!(file.certificates.len(), 2);
        assert!(yard.file(first.order).await.certificates.len() == 1);
        yard.install().await;
        yard.install().await;
        for id in tasks {
            assert_eq!(yard.status(id).await, EventStatus::Succeeded);
        }
    }
}

/// One box stands for many endpoints: not ticked, it switches nobody's auto-renew off.
#[tokio::test]
async fn a_bulk_request_leaves_auto_renew_as_it_is() {
    for yard in yards().await {
        let manager = yard.somebody(Role::Manager).await;
        let admin = yard.somebody(Role::Administrator).await;
        let sold = yard.sell("ssl_plus", "www.example.com").await;
        let records = yard.certificates(sold.order).await;
        let endpoint = yard.endpoint(1001, Some(&records[0])).await;
        let (profile, on) = (Some(yard.profile), Some(renewing(30)));
        yard.set_auto_renew(&manager, vec![endpoint], profile, on.clone(), true).await.unwrap();
        yard.clock().advance(Days(150));
        let obtain = Obtain::New { common_name: None, names: NameSet::default() };
        let form = yard.form(endpoint, EndpointAction::Renew, obtain);
        yard.schedule_bulk(&admin, vec![form.clone()]).await.unwrap();
        let kept = || async { yard.shop.endpoint(&Actor::Operator, endpoint).await.unwrap() };
        let (now, owner) = (kept().await, manager.person().unwrap().user.id);
        assert_eq!((now.auto_renew, now.auto_replace), (on.clone(), true));
        assert_eq!(now.auto_renew_user, Some(owner));
        yard.cancel_event(&admin, now.current_event.unwrap()).await.unwrap();
        // On an endpoint's own request page it is that endpoint's box.
        let own = ScheduleForm { idempotency_key: "own".to_owned(), ..form };
        yard.schedule(&admin, own).await.unwrap();
        assert_eq!(kept().await.auto_renew, None);
    }
}

/// Auto-renew whose owner may no longer request stops as "Action required" and is not lost.
#[tokio::test]
async fn auto_renew_stops_with_its_owner() {
    for yard in yards().await {
        let admin = yard.somebody(Role::Administrator).await;
        let manager = yard.somebody(Role::Manager).await;
        let sold = yard.sell("ssl_plus", "www.example.com").await;
        let records = yard.certificates(sold.order).await;
        let endpoint = yard.endpoint(1001, Some(&records[0])).await;
        yard.set_auto_renew(
            &manager,
            vec![endpoint],
            Some(yard.profile),
            Some(renewing(30)),
            false,
        )
        .await
        .unwrap();
        let id = manager.person().unwrap().user.id;
        yard.set_user_disabled(&admin, id, true).await.unwrap();
        yard.clock().advance(Days(180));
        yard.run_due_auto_renewals().await.unwrap();
        let detail = yard.shop.endpoint(&Actor::Operator, endpoint).await.unwrap();
        assert_eq!(detail.status, EndpointStatus::ActionRequired);
        assert!(detail.solution.unwrap().contains("auto-renew"));
        assert!(yard.next_task(yard.agent).await.unwrap().is_none());
        yard.endpoint(1001, Some(&records[0])).await;
        assert_eq!(yard.run_due_auto_renewals().await.unwrap(), 0, "said once, not each minute");
    }
}

/// "Auto-replace revoked or missing certificates": by the order's next certificate. The order, which
/// is not due, is not renewed.
#[tokio::test]
async fn auto_replace_reissues_what_is_missing_or_revoked() {
    for yard in yards().await {
        let manager = yard.somebody(Role::Manager).await;
        let sold = yard.sell("ssl_plus", "www.example.com").await;
        let first = yard.certificates(sold.order).await.remove(0);
        let endpoint = yard.endpoint(1001, Some(&first)).await;
        let (profile, on) = (Some(yard.profile), Some(renewing(30)));
        yard.set_auto_renew(&manager, vec![endpoint], profile, on, true).await.unwrap();
        assert_eq!(yard.run_due_auto_renewals().await.unwrap(), 0);

        yard.endpoint(1001, None).await;
        assert_eq!(yard.run_due_auto_renewals().await.unwrap(), 1);
        yard.send_csr().await;
        let second = yard.install().await;
        assert_eq!(
            (second.certificate.order, second.certificate.kind),
            (sold.order, CertificateKind::Reissue)
        );

        let form = RevokeForm {
            target: RevocationTarget::Certificate { id: second.certificate.id },
            reason: RevocationReason::Superseded,
            note: String::new(),
            submit_token: String::new(),
        };
        yard.request_revoke(&Actor::Operator, sold.order, &form).await.unwrap();
        yard.clock().advance(Days(1));
        yard.endpoint(1001, Some(&second)).await;
        assert_eq!(yard.run_due_auto_renewals().await.unwrap(), 1);
        yard.send_csr().await;
        let third = yard.install().await;
        assert_eq!(third.certificate.order, sold.order);
        assert_eq!(yard.file(sold.order).await.order.renewed_by, None);

        // Announced: the next one is in place before the 72 hours are over.
        yard.clock().advance(Days(1));
        let due = yard.clock().now().plus(Days(3));
        let status = CertificateStatus::RevocationPending { due };
        let id = third.certificate.id;
        let announced = yard
            .store()
            .write(move |tx| Box::pin(async move { tx.set_certificate_status(id, status).await }));
        assert!(announced.await.unwrap());
        yard.endpoint(1001, Some(&third)).await;
        assert_eq!(yard.run_due_auto_renewals().await.unwrap(), 1);
        yard.send_csr().await;
        assert_eq!(yard.install().await.certificate.order, sold.order);
    }
}

/// A refusal is asked for once: not again with each report, but when a person says so.
#[tokio::test]
async fn auto_renew_that_was_denied_waits_for_a_person() {
    for yard in yards().await {
        let manager = yard.somebody(Role::Manager).await;
        let reviewer = yard.somebody(Role::Administrator).await;
        let sold = yard.sell("ssl_plus", "www.example.com").await;
        let records = yard.certificates(sold.order).await;
        let endpoint = yard.endpoint(1001, Some(&records[0])).await;
        let (profile, on) = (Some(yard.profile), Some(renewing(30)));
        yard.set_auto_renew(&manager, vec![endpoint], profile, on.clone(), true).await.unwrap();
        yard.set("approval_step", "one_step").await;
        yard.clock().advance(Days(180));
        yard.run_due_auto_renewals().await.unwrap();
        let event = yard.send_csr().await;
        assert_eq!(yard.status(event).await, EventStatus::ApprovalPending);
        yard.reject(&reviewer, yard.request_of(event).await, "Not this one.").await.unwrap();
        yard.run_decided_events().await.unwrap();
        let shown =
            || async { yard.shop.endpoint_detail(&Actor::Operator, endpoint).await.unwrap() };
        // Due and served, then lost with "Auto-replace" on: neither begins anything.
        for serves in [Some(&records[0]), None, None] {
            yard.endpoint(1001, serves).await;
            assert_eq!(yard.run_due_auto_renewals().await.unwrap(), 0);
        }
        let detail = shown().await;
        assert_eq!(detail.events.len(), 1);
        assert_eq!(detail.endpoint.status, EndpointStatus::ApprovalDenied);
        assert!(detail.endpoint.auto_renew.is_some(), "nobody switched it off");

        yard.endpoint(1001, Some(&records[0])).await;
        yard.set_auto_renew(&manager, vec![endpoint], profile, on, true).await.unwrap();
        let kept = yard.store().reader().await.unwrap().endpoint(endpoint).await.unwrap().unwrap();
        assert_eq!((kept.status, kept.cause), (EndpointStatus::AutoRenewScheduled, None));
        assert_eq!(yard.run_due_auto_renewals().await.unwrap(), 1);
        assert_eq!(shown().await.events.len(), 2);
    }
}

/// "Profile edits" of the other rules: scheduled events stay as they were unless the box is ticked.
#[tokio::test]
async fn a_scheduled_event_follows_its_profile_where_that_is_asked_for() {
    for yard in yards().await {
        let admin = yard.somebody(Role::Administrator).await;
        let later = Install::At {
            date: "2027-01-05".to_owned(),
            time: "02:00".to_owned(),
            time_zone: "UTC".to_owned(),
        };
        let (waits, begun) = (yard.endpoint(1, None).await, yard.endpoint(2, None).await);
        let at_once = yard.fresh(begun, "begun.example.com");
        let begun = yard.schedule(&admin, at_once).await.unwrap();
        // Its agent is making the key already.
        assert_eq!(yard.next_task(yard.agent).await.unwrap().unwrap().event, begun);
        let form = ScheduleForm { install: later, ..yard.fresh(waits, "waits.example.com") };
        let waits = yard.schedule(&admin, form).await.unwrap();
        let days = async |event| {
            yard.event(&admin, event).await.unwrap().event.profile.validity_days.map(|days| days.0)
        };
        for (validity, update_scheduled, expected) in [(30, false, None), (20, true, Some(20))] {
            let stored = yard.shop.profile(&admin, yard.profile).await.unwrap();
            let profile = Profile { validity_days: Some(Days(validity)), ..stored.profile };
            let form = ProfileForm { profile, version: Some(stored.version), update_scheduled };
            yard.save_profile(&admin, form).await.unwrap();
            assert_eq!(days(waits).await, expected, "{validity} days");
            assert_eq!(days(begun).await, None, "what an agent has begun stays as it is");
            let told = yard.told("profile.saved").await.remove(0).new.unwrap();
            let followed = format!("\"scheduled_events\":[{waits}]");
            assert_eq!(told.contains(&followed), update_scheduled, "{told}");
        }
    }
}
