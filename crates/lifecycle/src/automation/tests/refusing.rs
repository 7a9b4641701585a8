//! What is not done: rules D3, D6, D7, D10, D16 and D17, and approvals.

use domain::model::{
    EndpointAction, EndpointStatus, EventStatus, Profile, RevocationReason, RevocationTarget, Role,
};
use domain::{NameSet, OrderNumber};

use super::{Install, Obtain, ProfileForm, ScheduleForm, Yard, profile, yards};
use crate::Actor;
use crate::revoke::RevokeForm;
use crate::testing::issuing::{names, refused};

/// Rules D3 and D16: by the account's switches and by the requester's role.
#[tokio::test]
async fn duplicates_are_refused_where_they_are_not_offered() {
    for yard in yards().await {
        let order = yard.sell("ssl_plus", "www.example.com").await.order;
        let endpoint = yard.endpoint(8443, None).await;
        let admin = yard.somebody(Role::Administrator).await;
        let standard = yard.somebody(Role::Standard).await;
        let form = || yard.duplicate(endpoint, order);
        assert_eq!(refused(yard.schedule(&standard, form()).await), "role_needs_approval");
        yard.set("approval_step", "one_step").await;
        assert_eq!(refused(yard.schedule(&admin, form()).await), "approval_step_on");
        yard.set("approval_step", "skip").await;
        yard.set("duplicates_in_automation", "off").await;
        assert_eq!(refused(yard.schedule(&admin, form()).await), "duplicates_off");
        yard.set("duplicates_in_automation", "on").await;
        yard.schedule(&admin, form()).await.unwrap();
    }
}

/// Rule D6: extra names on wildcard products only, and there below the wildcard's domain.
#[tokio::test]
async fn extra_names_need_a_wildcard_product() {
    for yard in yards().await {
        let admin = yard.somebody(Role::Administrator).await;
        let plain = yard.sell("ssl_plus", "www.example.com").await.order;
        let wild = yard.sell("ssl_wildcard", "*.example.org").await.order;
        let wildcard = profile(&yard, "ssl_wildcard", "Wildcard").await;
        let endpoint = yard.endpoint(8443, None).await;
        let with = |order, profile, extra: &str| ScheduleForm {
            profile,
            obtain: Obtain::Duplicate { order, extra_names: names(extra) },
            ..yard.duplicate(endpoint, order)
        };
        assert_eq!(
            refused(yard.schedule(&admin, with(plain, yard.profile, "b.example.com")).await),
            "extra_names"
        );
        assert_eq!(
            refused(yard.schedule(&admin, with(wild, wildcard, "b.example.com")).await),
            "outside_wildcard"
        );
        assert_eq!(
            refused(yard.schedule(&admin, with(wild, yard.profile, "")).await),
            "order_does_not_match"
        );
        yard.schedule(&admin, with(wild, wildcard, "a.b.example.org")).await.unwrap();
        yard.send_csr().await;
        assert!(
            yard.install()
                .await
                .certificate
                .names
                .contains(&domain::Name::parse("a.b.example.org").unwrap())
        );
    }
}

/// The wizard takes the addresses that a profile takes, and no others.
#[tokio::test]
async fn what_is_no_email_address_is_refused() {
    for yard in yards().await {
        let endpoint = yard.endpoint(8443, None).await;
        let with = |email: &str| ScheduleForm {
            emails: vec![email.to_owned()],
            ..yard.fresh(endpoint, "new.example.com")
        };
        for email in ["a@b", "<x>@y", "ops@example.com;dev@example.com", "ops"] {
            let asked = yard.schedule(&Actor::Operator, with(email)).await;
            let Err(crate::LifecycleError::Invalid(faults)) = asked else {
                panic!("{email} was taken: {asked:?}");
            };
            assert_eq!(faults[0].field, "emails", "{email}");
        }
        yard.schedule(&Actor::Operator, with("ops@example.com")).await.unwrap();
    }
}

/// Rule D7: one duplicate in a bulk request refuses the whole.
#[tokio::test]
async fn bulk_requests_with_a_duplicate_do_nothing() {
    for yard in yards().await {
        let order = yard.sell("ssl_plus", "www.example.com").await.order;
        let (one, two) = (yard.endpoint(1, None).await, yard.endpoint(2, None).await);
        let mixed = vec![yard.fresh(one, "new.example.com"), yard.duplicate(two, order)];
        assert_eq!(refused(yard.schedule_bulk(&Actor::Operator, mixed).await), "bulk_duplicate");
        assert!(yard.next_task(yard.agent).await.unwrap().is_none());
        let plain = vec![yard.fresh(one, "new.example.com"), yard.fresh(two, "newer.example.com")];
        assert_eq!(yard.schedule_bulk(&Actor::Operator, plain).await.unwrap().events.len(), 2);
    }
}

/// What comes between a schedule and its run.
#[derive(Debug, Clone, Copy)]
enum Meanwhile {
    ApprovalStepOn,
    FeatureOff,
    ProfileWithout,
    Revoked,
    Canceled,
    ReissuePending,
    Demoted,
    Disabled,
}

impl Meanwhile {
    const ALL: [Self; 8] = [
        Self::ApprovalStepOn,
        Self::FeatureOff,
        Self::ProfileWithout,
        Self::Revoked,
        Self::Canceled,
        Self::ReissuePending,
        Self::Demoted,
        Self::Disabled,
    ];

    /// Words of the cause, and the rule that they end with.
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::ApprovalStepOn => ("must be approved", "D3"),
            Self::FeatureOff => ("not enabled in Automation for this account", "D3"),
            Self::ProfileWithout => ("does not allow duplicates", "D3"),
            Self::Revoked => ("is revoked", "D17"),
            Self::Canceled => ("is canceled", "D17"),
            Self::ReissuePending => ("reissue", "D17"),
            Self::Demoted | Self::Disabled => ("Standard and Limited Users", "D16"),
        }
    }

    async fn happens(self, yard: &Yard, requester: &Actor, order: OrderNumber) {
        let id = requester.person().unwrap().user.id;
        match self {
            Self::ApprovalStepOn => yard.set("approval_step", "one_step").await,
            Self::FeatureOff => yard.set("duplicates_in_automation", "off").await,
            Self::ProfileWithout => {
                let view = yard.shop.profile(&Actor::Operator, yard.profile).await.unwrap();
                let profile = Profile { allow_duplicates: false, ..view.profile };
                let version = Some(view.version);
                let form = ProfileForm { profile, version, update_scheduled: true };
                yard.save_profile(&Actor::Operator, form).await.unwrap();
            }
            Self::Revoked => {
                let form = RevokeForm {
                    target: RevocationTarget::Order,
                    reason: RevocationReason::Superseded,
                    note: String::new(),
                    submit_token: String::new(),
                };
                yard.request_revoke(&Actor::Operator, order, &form).await.unwrap();
            }
            Self::Canceled => yard.tamper("UPDATE orders SET status = 'canceled'").await,
            Self::ReissuePending => {
                yard.tamper("UPDATE orders SET status = 'reissue_pending'").await;
            }
            Self::Demoted => {
                yard.set_user_role(&Actor::Operator, id, Role::Standard).await.unwrap();
            }
            Self::Disabled => yard.set_user_disabled(&Actor::Operator, id, true).await.unwrap(),
        }
    }
}

/// Rule D17: what was allowed when it was scheduled may be refused when it runs. Looked at before the
/// agent is bothered, and again with the CSR.
#[tokio::test]
async fn a_scheduled_duplicate_is_checked_again_when_it_runs() {
    // A profile's edits change what is scheduled, not what has begun.
    let kept = |(what, begun): &_| !matches!((what, begun), (Meanwhile::ProfileWithout, true));
    let cases = Meanwhile::ALL.into_iter().flat_map(|what| [(what, false), (what, true)]);
    for (what, begun) in cases.filter(kept) {
        for yard in yards().await {
            let order = yard.sell("ssl_plus", "www.example.com").await.order;
            let admin = yard.somebody(Role::Administrator).await;
            yard.another(Role::Administrator).await;
            let endpoint = yard.endpoint(8444, None).await;
            let event = yard.schedule(&admin, yard.duplicate(endpoint, order)).await.unwrap();
            let task = if begun { yard.next_task(yard.agent).await.unwrap() } else { None };
            what.happens(&yard, &admin, order).await;
            match task {
                Some(task) => yard.answer_csr(&task).await,
                None => assert!(yard.next_task(yard.agent).await.unwrap().is_none(), "{what:?}"),
            }
            assert_eq!(yard.status(event).await, EventStatus::ActionRequired, "{what:?}");
            let cause = yard.cause(event).await;
            let (words, rule) = what.words();
            assert!(cause.contains(words), "{what:?}: {cause}");
            assert!(cause.ends_with(&format!("(rule {rule})")), "{what:?}: {cause}");
            assert_eq!(yard.certificates(order).await.len(), 1, "{what:?}");
            let shown = yard.shop.endpoint(&Actor::Operator, endpoint).await.unwrap();
            assert_eq!(shown.status, EndpointStatus::ActionRequired);
            assert_eq!(shown.cause, Some(cause));
        }
    }
}

/// Rule D17: once its reason is mended, "Retry" goes on.
#[tokio::test]
async fn a_refused_duplicate_goes_on_when_its_reason_is_mended() {
    for yard in yards().await {
        let order = yard.sell("ssl_plus", "www.example.com").await.order;
        let admin = yard.somebody(Role::Administrator).await;
        let endpoint = yard.endpoint(8444, None).await;
        let event = yard.schedule(&admin, yard.duplicate(endpoint, order)).await.unwrap();
        yard.set("approval_step", "one_step").await;
        while yard.next_task(yard.agent).await.unwrap().is_some() {}
        yard.set("approval_step", "skip").await;
        yard.retry_event(&admin, event).await.unwrap();
        yard.send_csr().await;
        yard.install().await;
        assert_eq!(yard.certificates(order).await.len(), 2);
    }
}

#[tokio::test]
async fn a_time_in_the_past_or_in_a_gap_is_refused() {
    for yard in yards().await {
        let endpoint = yard.endpoint(8443, None).await;
        let at = |date: &str, time: &str| ScheduleForm {
            install: Install::At {
                date: date.to_owned(),
                time: time.to_owned(),
                time_zone: "Europe/Berlin".to_owned(),
            },
            ..yard.fresh(endpoint, "new.example.com")
        };
        assert!(yard.schedule(&Actor::Operator, at("2020-01-01", "10:00")).await.is_err());
        assert!(
            yard.schedule(&Actor::Operator, at("2027-03-28", "02:30")).await.is_err(),
            "clocks skip it"
        );
        yard.schedule(&Actor::Operator, at("2027-03-28", "03:30")).await.unwrap();
        assert!(yard.next_task(yard.agent).await.unwrap().is_none(), "not yet");
    }
}

#[tokio::test]
async fn a_standard_users_request_waits_for_a_reviewer() {
    for yard in yards().await {
        let standard = yard.somebody(Role::Standard).await;
        let manager = yard.somebody(Role::Manager).await;
        let (one, two) = (yard.endpoint(1, None).await, yard.endpoint(2, None).await);
        let first = yard.schedule(&standard, yard.fresh(one, "one.example.com")).await.unwrap();
        yard.send_csr().await;
        let second = yard.schedule(&standard, yard.fresh(two, "two.example.com")).await.unwrap();
        yard.send_csr().await;
        for event in [first, second] {
            assert_eq!(yard.status(event).await, EventStatus::ApprovalPending);
        }
        yard.approve(&manager, yard.request_of(first).await, "").await.unwrap();
        yard.reject(&manager, yard.request_of(second).await, "Not needed.").await.unwrap();
        yard.run_decided_events().await.unwrap();
        assert_eq!(yard.status(second).await, EventStatus::ApprovalDenied);
        assert!(yard.cause(second).await.contains("Not needed."));
        yard.install().await;
        assert_eq!(yard.status(first).await, EventStatus::Succeeded);
    }
}

/// What was rejected came to nothing with its order: "Retry" asks for another one.
#[tokio::test]
async fn a_denied_event_asks_anew_when_it_is_retried() {
    for yard in yards().await {
        let standard = yard.somebody(Role::Standard).await;
        let manager = yard.somebody(Role::Manager).await;
        let endpoint = yard.endpoint(1, None).await;
        let event =
            yard.schedule(&standard, yard.fresh(endpoint, "one.example.com")).await.unwrap();
        yard.send_csr().await;
        let first = yard.request_of(event).await;
        yard.reject(&manager, first, "Not yet.").await.unwrap();
        yard.run_decided_events().await.unwrap();
        yard.clock().advance(domain::Days(1));
        yard.retry_event(&standard, event).await.unwrap();
        yard.send_csr().await;
        assert_eq!(yard.status(event).await, EventStatus::ApprovalPending);
        let second = yard.request_of(event).await;
        assert_ne!(second, first);
        yard.approve(&manager, second, "").await.unwrap();
        yard.run_decided_events().await.unwrap();
        yard.install().await;
        assert_eq!(yard.status(event).await, EventStatus::Succeeded);
    }
}

/// Its request goes with a canceled event: nobody can have it issued any more, and the renewal
/// that it had claimed is free again.
#[tokio::test]
async fn a_canceled_event_withdraws_its_request() {
    for yard in yards().await {
        let standard = yard.somebody(Role::Standard).await;
        let manager = yard.somebody(Role::Manager).await;
        let old = yard.sell("ssl_plus", "www.example.com").await;
        let record = yard.certificates(old.order).await.remove(0);
        let endpoint = yard.endpoint(1, Some(&record)).await;
        yard.clock().advance(domain::Days(180));
        let same = Obtain::New { common_name: None, names: NameSet::default() };
        let form = yard.form(endpoint, EndpointAction::Renew, same);
        let event = yard.schedule(&standard, form).await.unwrap();
        yard.send_csr().await;
        assert!(yard.file(old.order).await.order.renewed_by.is_some());
        let request = yard.request_of(event).await;
        yard.cancel_event(&standard, event).await.unwrap();
        assert_eq!(yard.file(old.order).await.order.renewed_by, None);
        assert!(yard.approve(&manager, request, "").await.is_err());
        yard.run_decided_events().await.unwrap();
        assert_eq!(yard.status(event).await, EventStatus::Canceled);
        assert_eq!(yard.serials().await.len(), 1);
    }
}

/// Rule D10: for "Switch" the names are those of the certificate in place.
#[tokio::test]
async fn a_switch_matches_the_names_in_place() {
    for yard in yards().await {
        let mail = yard.sell("ssl_plus", "mail.example.com").await.order;
        let other = yard.sell("ssl_plus", "other.example.com").await.order;
        let record = yard.certificates(mail).await.remove(0);
        let mut foreign = super::served(&record);
        foreign.fingerprint = "00".repeat(32);
        let endpoint = yard.endpoint_of(8443, Some(foreign)).await;
        let with = |order| {
            yard.form(
                endpoint,
                EndpointAction::Switch,
                Obtain::Duplicate { order, extra_names: NameSet::default() },
            )
        };
        assert_eq!(
            refused(yard.schedule(&Actor::Operator, with(other)).await),
            "order_does_not_match"
        );
        let admin = yard.somebody(Role::Administrator).await;
        yard.schedule(&admin, with(mail)).await.unwrap();
        yard.send_csr().await;
        assert_eq!(yard.install().await.certificate.order, mail);
    }
}

/// Rule D19 speaks when it is scheduled, not on the night when it runs.
#[tokio::test]
async fn what_no_domain_vouches_for_is_not_scheduled() {
    for yard in yards().await {
        let endpoint = yard.endpoint(8443, None).await;
        let elsewhere = yard.fresh(endpoint, "www.elsewhere.test");
        assert_eq!(
            refused(yard.schedule(&Actor::Operator, elsewhere).await),
            "domain_not_validated"
        );
        let address = yard.fresh(endpoint, "www.example.com 8.8.8.8");
        assert_eq!(
            refused(yard.schedule(&Actor::Operator, address).await),
            "address_not_validated"
        );
    }
}

/// Control of an IP address is shown by a challenge, which automation does not do.
#[tokio::test]
async fn a_switch_does_not_take_addresses_over() {
    for yard in yards().await {
        let mail = yard.sell("ssl_plus", "mail.example.com").await.order;
        let mut foreign = super::served(&yard.certificates(mail).await.remove(0));
        foreign.fingerprint = "00".repeat(32);
        foreign.served.names = names("mail.example.com 8.8.8.8");
        let endpoint = yard.endpoint_of(8443, Some(foreign)).await;
        let same = Obtain::New { common_name: None, names: NameSet::default() };
        let form = yard.form(endpoint, EndpointAction::Switch, same);
        assert_eq!(refused(yard.schedule(&Actor::Operator, form).await), "address_not_validated");
        assert!(yard.next_task(yard.agent).await.unwrap().is_none());
    }
}
