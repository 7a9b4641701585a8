//! When auto-renew stops, when it does not, and whose words are to be read then.

use domain::Days;
use domain::model::{EndpointStatus, Profile, Role};

use super::{ProfileForm, renewing, yards};
use crate::Actor;

/// A renewal has its order's terms, so that a profile whose certificates would be too short for
/// auto-renew stops none of them.
#[tokio::test]
async fn the_profiles_terms_do_not_stop_the_renewal_of_an_order() {
    for yard in yards().await {
        let manager = yard.somebody(Role::Manager).await;
        let sold = yard.sell("ssl_plus", "www.example.com").await;
        let record = yard.certificates(sold.order).await.remove(0);
        let endpoint = yard.endpoint(1, Some(&record)).await;
        let set = async || {
            let (profile, on) = (Some(yard.profile), Some(renewing(30)));
            yard.set_auto_renew(&manager, vec![endpoint], profile, on, false).await
        };
        set().await.unwrap();
        let view = yard.shop.profile(&manager, yard.profile).await.unwrap();
        let profile = Profile { validity_days: Some(Days(20)), ..view.profile };
        let version = Some(view.version);
        let form = ProfileForm { profile, version, update_scheduled: false };
        yard.save_profile(&manager, form).await.unwrap();
        set().await.unwrap();
        yard.clock().advance(Days(180));
        assert_eq!(yard.run_due_auto_renewals().await.unwrap(), 1);
        yard.send_csr().await;
        assert_ne!(yard.install().await.certificate.order, sold.order);

        // A new order has the profile's.
        let elsewhere = yard.endpoint(2, None).await;
        let (profile, on) = (Some(yard.profile), Some(renewing(30)));
        let set = yard.set_auto_renew(&manager, vec![elsewhere], profile, on.clone(), false).await;
        assert!(set.is_err());
        let fresh = yard.fresh(elsewhere, "www.example.com");
        let fresh = super::ScheduleForm { auto_renew: on, ..fresh };
        assert!(yard.schedule(&manager, fresh).await.is_err());
    }
}

/// A report while the event is under way makes it due once more: what became of the event by then
/// stays to be read.
#[tokio::test]
async fn a_reviewers_words_stay() {
    for yard in yards().await {
        let manager = yard.somebody(Role::Manager).await;
        let reviewer = yard.somebody(Role::Administrator).await;
        let sold = yard.sell("ssl_plus", "www.example.com").await;
        let record = yard.certificates(sold.order).await.remove(0);
        let endpoint = yard.endpoint(1, Some(&record)).await;
        let (profile, on) = (Some(yard.profile), Some(renewing(30)));
        yard.set_auto_renew(&manager, vec![endpoint], profile, on, false).await.unwrap();
        yard.set("approval_step", "one_step").await;
        yard.clock().advance(Days(180));
        yard.run_due_auto_renewals().await.unwrap();
        let event = yard.send_csr().await;
        yard.endpoint(1, Some(&record)).await;
        yard.reject(&reviewer, yard.request_of(event).await, "Not this one.").await.unwrap();
        yard.run_decided_events().await.unwrap();
        assert_eq!(yard.run_due_auto_renewals().await.unwrap(), 1);
        let detail = yard.shop.endpoint_detail(&Actor::Operator, endpoint).await.unwrap();
        assert_eq!(detail.events.len(), 1);
        assert_eq!(detail.endpoint.status, EndpointStatus::ApprovalDenied);
        assert!(detail.endpoint.cause.unwrap().contains("Not this one."));
    }
}

/// Switched on late, it is due at once, behind the moment by the certificate; a report gives that
/// earlier moment, which is no second turn.
#[tokio::test]
async fn what_was_switched_on_late_has_one_turn() {
    for yard in yards().await {
        let manager = yard.somebody(Role::Manager).await;
        let sold = yard.sell("ssl_plus", "www.example.com").await;
        let record = yard.certificates(sold.order).await.remove(0);
        let endpoint = yard.endpoint(1, Some(&record)).await;
        yard.clock().advance(Days(180));
        let on = async || {
            let (profile, on) = (Some(yard.profile), Some(renewing(30)));
            yard.set_auto_renew(&manager, vec![endpoint], profile, on, false).await.unwrap();
        };
        let detail = async || yard.shop.endpoint_detail(&Actor::Operator, endpoint).await.unwrap();
        on().await;
        assert_eq!(yard.run_due_auto_renewals().await.unwrap(), 1);
        yard.cancel_event(&manager, detail().await.events[0].id).await.unwrap();
        yard.clock().advance(Days(1));
        yard.endpoint(1, Some(&record)).await;
        yard.run_due_auto_renewals().await.unwrap();
        let stopped = detail().await;
        assert_eq!(stopped.events.len(), 1);
        assert!(stopped.endpoint.cause.unwrap().contains("acted for the certificate in place"));
        // Who switches it on again wants another turn.
        on().await;
        yard.run_due_auto_renewals().await.unwrap();
        assert_eq!(detail().await.events.len(), 2);
    }
}
