//! Certificates that can't stay: names that must not get lost, orders that are gone, auto-renew that
//! would never end, and events that end while something is under way for them.

use domain::model::{
    EndpointAction, EndpointStatus, EventStatus, RevocationReason, RevocationTarget, Role,
};
use domain::rules::HeldBecause;
use domain::{Days, EventId, NameSet, OrderNumber, RequestId};

use super::{Install, Obtain, ScheduleForm, Yard, profile, renewing, served, yards};
use crate::revoke::RevokeForm;
use crate::testing::issuing::{names, refused};
use crate::{Actor, LifecycleError, Outcome};

/// A revocation by the operator, which nobody has to approve.
pub(super) async fn revoke(yard: &Yard, order: OrderNumber, target: RevocationTarget) {
    let form = RevokeForm {
        target,
        reason: RevocationReason::Superseded,
        note: String::new(),
        submit_token: String::new(),
    };
    yard.request_revoke(&Actor::Operator, order, &form).await.unwrap();
}

/// The answer to what was asked for, as it comes after all else.
async fn note(yard: &Yard, event: EventId, outcome: Outcome) {
    let record = yard.event(&Actor::Operator, event).await.unwrap().event;
    let (now, asked) = (yard.clock().now(), record.csr_at);
    yard.store()
        .write(move |tx| {
            Box::pin(async move {
                crate::automation::issue::note_outcome(tx, now, event, asked, Ok((outcome, None)))
                    .await
            })
        })
        .await
        .unwrap();
}

/// The same where that waits for a reviewer.
async fn note_held(yard: &Yard, event: EventId, request: RequestId) {
    let order = yard.event(&Actor::Operator, event).await.unwrap().event.order.unwrap();
    note(yard, event, Outcome::Held { request, order, because: HeldBecause::Role }).await;
}

fn same() -> Obtain {
    Obtain::New { common_name: None, names: NameSet::default() }
}

/// Rule D10: the names come from the certificate in place, also those that a wildcard order gives
/// without listing them.
#[tokio::test]
async fn a_duplicate_of_a_wildcard_order_holds_what_the_endpoint_serves() {
    for yard in yards().await {
        let admin = yard.somebody(Role::Administrator).await;
        let wild = yard.sell("ssl_wildcard", "*.example.com").await.order;
        let mut foreign = served(&yard.certificates(wild).await[0]);
        foreign.fingerprint = "00".repeat(32);
        foreign.served.names = names("example.com www.example.com");
        let endpoint = yard.endpoint_of(8443, Some(foreign)).await;
        let form = ScheduleForm {
            profile: profile(&yard, "ssl_wildcard", "Wildcard").await,
            ..yard.form(
                endpoint,
                EndpointAction::Switch,
                Obtain::Duplicate { order: wild, extra_names: names("shop.example.com") },
            )
        };
        let all = names("*.example.com example.com shop.example.com www.example.com");
        assert_eq!(yard.preview(&admin, &form).await.unwrap().names, all);
        yard.schedule(&admin, form).await.unwrap();
        yard.send_csr().await;
        assert_eq!(yard.install().await.certificate.names, all);
    }
}

/// A duplicate lives no longer than its original: it is not put off until then.
#[tokio::test]
async fn a_duplicate_is_not_scheduled_behind_its_originals_end() {
    for yard in yards().await {
        let admin = yard.somebody(Role::Administrator).await;
        let order = yard.sell("ssl_plus", "www.example.com").await.order;
        let endpoint = yard.endpoint(8443, None).await;
        let at = |date: &str| ScheduleForm {
            install: Install::At {
                date: date.to_owned(),
                time: "10:00".to_owned(),
                time_zone: "UTC".to_owned(),
            },
            ..yard.duplicate(endpoint, order)
        };
        let late = yard.schedule(&admin, at("2027-07-01")).await;
        assert_eq!(refused(late), "order_does_not_match");
        yard.schedule(&admin, at("2026-12-24")).await.unwrap();
    }
}

/// What is gone with its order is replaced by a new one: a person is offered that, and auto-replace
/// does it with the profile's terms.
#[tokio::test]
async fn an_order_that_was_revoked_is_followed_by_a_new_one() {
    for yard in yards().await {
        let manager = yard.somebody(Role::Manager).await;
        let sold = yard.sell("ssl_plus", "www.example.com").await;
        let record = yard.certificates(sold.order).await.remove(0);
        let one = yard.endpoint(1, Some(&record)).await;
        let other = yard.endpoint(2, Some(&record)).await;
        let (profile, on) = (Some(yard.profile), Some(renewing(30)));
        yard.set_auto_renew(&manager, vec![other], profile, on, true).await.unwrap();
        revoke(&yard, sold.order, RevocationTarget::Order).await;
        let reissue = yard.form(one, EndpointAction::Reissue, same());
        assert_eq!(refused(yard.schedule(&manager, reissue).await), "action_not_offered");
        let form = yard.fresh(one, "www.example.com");
        yard.schedule(&manager, form).await.unwrap();
        yard.send_csr().await;
        assert_ne!(yard.install().await.certificate.order, sold.order);

        yard.endpoint(2, Some(&record)).await;
        assert_eq!(yard.run_due_auto_renewals().await.unwrap(), 1);
        yard.send_csr().await;
        let fresh = yard.install().await.certificate;
        assert_ne!(fresh.order, sold.order);
        assert_eq!(fresh.names, names("www.example.com"));
        assert_eq!(yard.file(fresh.order).await.order.renews, None);
    }
}

/// The mark of a renewal stays when that is revoked: with both orders gone a new one is placed.
#[tokio::test]
async fn an_order_whose_renewal_was_revoked_too_is_followed_by_a_new_one() {
    for yard in yards().await {
        let manager = yard.somebody(Role::Manager).await;
        let first = yard.sell("ssl_plus", "www.example.com").await;
        let record = yard.certificates(first.order).await.remove(0);
        let endpoint = yard.endpoint(1, Some(&record)).await;
        let (profile, on) = (Some(yard.profile), Some(renewing(30)));
        yard.set_auto_renew(&manager, vec![endpoint], profile, on, true).await.unwrap();
        let what = crate::What::Renew { order: first.order, names: None };
        let ask = crate::testing::issuing::ask(what, "www.example.com");
        let second = yard.ask(&Actor::Operator, ask).await.unwrap().order();
        for order in [first.order, second] {
            revoke(&yard, order, RevocationTarget::Order).await;
        }
        yard.endpoint(1, Some(&record)).await;
        assert_eq!(yard.run_due_auto_renewals().await.unwrap(), 1);
        yard.send_csr().await;
        let fresh = yard.install().await.certificate.order;
        assert!(fresh != first.order && fresh != second);
        assert_eq!(yard.file(fresh).await.order.renews, None);
    }
}

/// An order that gives no certificate is told so before anything is scheduled.
#[tokio::test]
async fn a_reissue_that_can_not_be_had_is_not_scheduled() {
    for yard in yards().await {
        let admin = yard.somebody(Role::Administrator).await;
        let sold = yard.sell("ssl_plus", "www.example.com").await;
        let record = yard.certificates(sold.order).await.remove(0);
        let endpoint = yard.endpoint(1, Some(&record)).await;
        let id = record.certificate.id;
        revoke(&yard, sold.order, RevocationTarget::Certificate { id }).await;
        let form = yard.form(endpoint, EndpointAction::Reissue, same());
        yard.tamper("UPDATE orders SET status = 'reissue_pending'").await;
        assert_eq!(refused(yard.schedule(&admin, form.clone()).await), "reissue_pending");
        yard.tamper("UPDATE orders SET status = 'issued'").await;
        yard.schedule(&admin, form).await.unwrap();
    }
}

/// A certificate that was revoked while its agent was away is not installed.
#[tokio::test]
async fn a_certificate_that_was_revoked_meanwhile_is_not_installed() {
    for yard in yards().await {
        let admin = yard.somebody(Role::Administrator).await;
        let endpoint = yard.endpoint(1, None).await;
        let event = yard.schedule(&admin, yard.fresh(endpoint, "www.example.com")).await.unwrap();
        yard.send_csr().await;
        let got = yard.event(&admin, event).await.unwrap().event;
        let target = RevocationTarget::Certificate { id: got.certificate.unwrap() };
        revoke(&yard, got.order.unwrap(), target).await;
        assert!(yard.next_task(yard.agent).await.unwrap().is_none());
        assert_eq!(yard.status(event).await, EventStatus::ActionRequired);
        assert!(yard.cause(event).await.contains("revoked before it was installed"));
        yard.clock().advance(Days(1));
        yard.retry_event(&admin, event).await.unwrap();
        yard.send_csr().await;
        assert_eq!(Some(yard.install().await.certificate.order), got.order);
    }
}

/// What was revoked with its whole order gives no other certificate: "Retry" asks anew.
#[tokio::test]
async fn a_retry_after_the_order_was_revoked_asks_anew() {
    for yard in yards().await {
        let admin = yard.somebody(Role::Administrator).await;
        let endpoint = yard.endpoint(1, None).await;
        let event = yard.schedule(&admin, yard.fresh(endpoint, "www.example.com")).await.unwrap();
        yard.send_csr().await;
        let order = yard.event(&admin, event).await.unwrap().event.order.unwrap();
        revoke(&yard, order, RevocationTarget::Order).await;
        assert!(yard.next_task(yard.agent).await.unwrap().is_none());
        assert_eq!(yard.status(event).await, EventStatus::ActionRequired);
        yard.clock().advance(Days(1));
        yard.retry_event(&admin, event).await.unwrap();
        yard.send_csr().await;
        assert_ne!(yard.install().await.certificate.order, order);
        assert_eq!(yard.status(event).await, EventStatus::Succeeded);
    }
}

/// A certificate that is being signed while its event is canceled is valid: the event shows it.
#[tokio::test]
async fn a_canceled_event_shows_the_certificate_that_was_issued_for_it() {
    for yard in yards().await {
        let admin = yard.somebody(Role::Administrator).await;
        let endpoint = yard.endpoint(1, None).await;
        let event = yard.schedule(&admin, yard.fresh(endpoint, "www.example.com")).await.unwrap();
        yard.send_csr().await;
        let shown = async || yard.event(&admin, event).await.unwrap().event;
        let before = shown().await;
        let record = yard.certificates(before.order.unwrap()).await.remove(0);
        // As it is between the two transactions: issued, and not noted with the event.
        yard.tamper("UPDATE events SET certificate_id = NULL, order_number = NULL").await;
        yard.cancel_event(&admin, event).await.unwrap();
        let issued = yard.issued(record).await.unwrap();
        note(&yard, event, Outcome::Issued(issued)).await;
        let after = shown().await;
        assert_eq!(after.status, EventStatus::Canceled);
        assert_eq!((after.order, after.certificate), (before.order, before.certificate));
        assert!(after.finished_at.is_some() && after.issued_at.is_some());
        assert!(yard.next_task(yard.agent).await.unwrap().is_none(), "nobody installs it");
    }
}

/// Settings that would renew without end are refused at every door, and stop where certificates
/// live shorter by now.
#[tokio::test]
async fn auto_renew_settings_fit_the_certificates_lifetime() {
    for yard in yards().await {
        let manager = yard.somebody(Role::Manager).await;
        let sold = yard.sell("ssl_plus", "www.example.com").await;
        let record = yard.certificates(sold.order).await.remove(0);
        let endpoint = yard.endpoint(1, Some(&record)).await;
        let set = async |days| {
            let (profile, on) = (Some(yard.profile), Some(renewing(days)));
            yard.set_auto_renew(&manager, vec![endpoint], profile, on, false).await
        };
        for days in [0, 200] {
            let Err(LifecycleError::Invalid(faults)) = set(days).await else { panic!("{days}") };
            assert_eq!(faults[0].field, "days_before");
        }
        set(120).await.unwrap();
        // From 2027-03-15 on they live 100 days.
        yard.clock().advance(Days(150));
        yard.run_due_auto_renewals().await.unwrap();
        let detail = yard.shop.endpoint(&Actor::Operator, endpoint).await.unwrap();
        assert_eq!(detail.status, EndpointStatus::ActionRequired);
        assert!(detail.cause.unwrap().contains("lifetime of 100 days"));
    }
}

/// A duplicate with the same end is due at the same moment: auto-renew acts for it as well.
#[tokio::test]
async fn auto_renew_acts_once_for_each_certificate_in_place() {
    for yard in yards().await {
        let manager = yard.somebody(Role::Manager).await;
        let sold = yard.sell("ssl_plus", "www.example.com").await;
        let first = yard.certificates(sold.order).await.remove(0);
        let endpoint = yard.endpoint(1, Some(&first)).await;
        let (profile, on) = (Some(yard.profile), Some(renewing(30)));
        yard.set_auto_renew(&manager, vec![endpoint], profile, on, false).await.unwrap();
        yard.clock().advance(Days(180));
        assert_eq!(yard.run_due_auto_renewals().await.unwrap(), 1);
        let detail = async || yard.shop.endpoint_detail(&Actor::Operator, endpoint).await.unwrap();
        yard.cancel_event(&manager, detail().await.events[0].id).await.unwrap();

        // The same certificate again: it had its turn, and that is said.
        yard.clock().advance(Days(1));
        yard.endpoint(1, Some(&first)).await;
        yard.run_due_auto_renewals().await.unwrap();
        let stopped = detail().await;
        assert_eq!(stopped.events.len(), 1);
        assert_eq!(stopped.endpoint.status, EndpointStatus::ActionRequired);
        assert!(stopped.endpoint.cause.unwrap().contains("acted for the certificate in place"));

        // Another one with the same end has its own turn.
        let what = crate::What::Duplicate {
            order: sold.order,
            names: domain::rules::DuplicateNames::Same,
        };
        let ask = crate::testing::issuing::ask(what, "www.example.com");
        yard.ask(&Actor::Operator, ask).await.unwrap();
        let second = yard.certificates(sold.order).await.remove(1);
        assert_eq!(second.certificate.not_after, first.certificate.not_after);
        yard.tamper("UPDATE endpoints SET status = 'auto_renew_scheduled'").await;
        yard.endpoint(1, Some(&second)).await;
        assert_eq!(yard.run_due_auto_renewals().await.unwrap(), 1);
        assert_eq!(detail().await.events.len(), 2);
        yard.send_csr().await;
        assert_ne!(yard.install().await.certificate.order, sold.order);
    }
}

/// The box on the request page is not a way around the right to change auto-renew.
#[tokio::test]
async fn a_standard_users_request_leaves_a_managers_auto_renew_as_it_is() {
    for yard in yards().await {
        let manager = yard.somebody(Role::Manager).await;
        let standard = yard.somebody(Role::Standard).await;
        let sold = yard.sell("ssl_plus", "www.example.com").await;
        let record = yard.certificates(sold.order).await.remove(0);
        let endpoint = yard.endpoint(1, Some(&record)).await;
        let (profile, on) = (Some(yard.profile), Some(renewing(30)));
        yard.set_auto_renew(&manager, vec![endpoint], profile, on.clone(), true).await.unwrap();
        yard.clock().advance(Days(150));
        for renew in [None, Some(renewing(20))] {
            let form = ScheduleForm {
                auto_renew: renew,
                ..yard.form(endpoint, EndpointAction::Renew, same())
            };
            let form = ScheduleForm {
                idempotency_key: format!("{:?}", form.auto_renew.is_some()),
                ..form
            };
            assert!(yard.preview(&standard, &form).await.unwrap().keeps_auto_renew);
            let event = yard.schedule(&standard, form).await.unwrap();
            let kept = yard.shop.endpoint(&Actor::Operator, endpoint).await.unwrap();
            assert_eq!((kept.auto_renew, kept.auto_replace), (on.clone(), true));
            assert_eq!(kept.auto_renew_user, Some(manager.person().unwrap().user.id));
            yard.cancel_event(&standard, event).await.unwrap();
        }
    }
}

/// Profile edits leave a scheduled "Renew" as it was unless the box is ticked.
#[tokio::test]
async fn a_scheduled_renewal_goes_by_the_profile_as_it_was() {
    for yard in yards().await {
        let manager = yard.somebody(Role::Manager).await;
        let first = yard.sell("ssl_plus", "www.example.com").await;
        let record = yard.certificates(first.order).await.remove(0);
        let (one, other) =
            (yard.endpoint(1, Some(&record)).await, yard.endpoint(2, Some(&record)).await);
        yard.clock().advance(Days(180));
        for endpoint in [one, other] {
            let form = yard.form(endpoint, EndpointAction::Renew, same());
            yard.schedule(&manager, form).await.unwrap();
        }
        let view = yard.shop.profile(&manager, yard.profile).await.unwrap();
        let edited = domain::model::Profile { allow_duplicates: false, ..view.profile };
        let form = super::ProfileForm {
            profile: edited,
            version: Some(view.version),
            update_scheduled: false,
        };
        yard.save_profile(&manager, form).await.unwrap();
        yard.send_csr().await;
        let new = yard.install().await.certificate.order;
        yard.send_csr().await;
        let second = yard.install().await.certificate;
        assert_eq!((second.order, second.kind.as_str()), (new, "duplicate"));
    }
}

/// An event that is canceled while its request is placed leaves nothing for a reviewer to approve.
#[tokio::test]
async fn a_request_does_not_outlive_its_canceled_event() {
    for yard in yards().await {
        let standard = yard.somebody(Role::Standard).await;
        let manager = yard.somebody(Role::Manager).await;
        let endpoint = yard.endpoint(1, None).await;
        let event =
            yard.schedule(&standard, yard.fresh(endpoint, "www.example.com")).await.unwrap();
        yard.send_csr().await;
        let request = yard.request_of(event).await;
        // As it is between the two transactions: placed, and not noted with the event.
        yard.tamper("UPDATE events SET status = 'in_progress', request_id = NULL").await;
        yard.cancel_event(&standard, event).await.unwrap();
        assert!(yard.approve(&manager, request, "").await.is_err());

        let late = yard.endpoint(2, None).await;
        let event = yard.schedule(&standard, yard.fresh(late, "late.example.com")).await.unwrap();
        yard.send_csr().await;
        let request = yard.request_of(event).await;
        yard.tamper(
            "UPDATE events SET status = 'canceled', finished_at = 1 WHERE finished_at IS NULL",
        )
        .await;
        note_held(&yard, event, request).await;
        assert!(yard.approve(&manager, request, "").await.is_err());
    }
}

/// What is shown before the submit is what is issued: a plan's days left go to the plan.
#[tokio::test]
async fn the_review_tells_the_end_of_a_plans_renewal() {
    for yard in yards().await {
        let admin = yard.somebody(Role::Administrator).await;
        let plan = crate::NewOrder {
            validity_days: Some(Days(90)),
            ..yard.new_order("ssl_plus", "www.example.com", Some(1))
        };
        let ask = crate::testing::issuing::ask(crate::What::New(Box::new(plan)), "www.example.com");
        let sold = yard.ask(&Actor::Operator, ask).await.unwrap().order();
        let record = yard.certificates(sold).await.remove(0);
        yard.clock().advance(Days(310));
        let endpoint = yard.endpoint(1, Some(&record)).await;
        let form = yard.form(endpoint, EndpointAction::Renew, same());
        let told = yard.preview(&admin, &form).await.unwrap().valid_till.unwrap();
        yard.schedule(&admin, form).await.unwrap();
        yard.send_csr().await;
        let got = yard.install().await.certificate.not_after;
        assert!(got.seconds_since(told).abs() < 600, "{told} was told, {got} is issued");
    }
}
