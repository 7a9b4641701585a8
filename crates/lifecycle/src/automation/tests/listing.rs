//! What the lists of profiles and agents show.

use domain::model::{EndpointStatus, RevocationReason, RevocationTarget, Role};
use domain::rules::OfferedAction;
use store::endpoints::{EndpointFilter, EndpointSort};

use super::*;
use crate::LifecycleError;
use crate::automation::{AgentFilter, AgentSort, ProfileFilter, ProfileSort};
use crate::lists::PageOf;
use crate::revoke::RevokeForm;

#[tokio::test]
async fn profiles_are_told_apart_by_what_they_need() {
    for yard in yards().await {
        for name in ["a", "b", "c", "d"] {
            profile(&yard, "ssl_plus", name).await;
        }
        let list = async |active: Option<bool>, page: &PageOf<ProfileSort>| {
            let filter = ProfileFilter { text: None, active };
            yard.profile_list(&Actor::Operator, &filter, page).await.unwrap()
        };
        let names = |rows: &[super::super::ProfileView]| -> String {
            rows.iter().map(|view| view.profile.name.as_str()).collect()
        };
        let mut page = PageOf::first(ProfileSort::Name, 2);
        page.descending = true;
        let first = list(Some(true), &page).await;
        assert_eq!((names(&first.rows).as_str(), first.after), ("dc", true));
        assert!(list(Some(false), &page).await.rows.is_empty());

        // Its organization's validation is over: the list is searched to its end.
        yard.validate_organization(&Actor::Operator, yard.organization, false).await.unwrap();
        assert!(list(Some(true), &page).await.rows.is_empty());
        let shown = first.rows.last().unwrap();
        page.beyond = Some((shown.key(ProfileSort::Name), shown.profile.id.0));
        assert_eq!(names(&list(Some(false), &page).await.rows), "ba");
        page.backwards = true;
        let before = list(Some(false), &page).await;
        assert_eq!((names(&before.rows).as_str(), before.before), ("d", false));

        let limited = yard.somebody(Role::Limited).await;
        let refused = yard.profile_list(&limited, &ProfileFilter::default(), &page).await;
        assert!(matches!(refused, Err(LifecycleError::Forbidden { .. })));
    }
}

#[tokio::test]
async fn an_agent_is_meant_by_number_or_name() {
    for yard in yards().await {
        yard.add_agent(&Actor::Operator, "host-10").await.unwrap();
        let meant = async |text: &str| {
            let found = yard.agent_meant(&Actor::Operator, text).await.unwrap();
            found.map(|agent| agent.name)
        };
        assert_eq!(meant(&yard.agent.to_string()).await.as_deref(), Some("host-1"));
        assert_eq!(meant("HOST-1").await.as_deref(), Some("host-1"), "whole");
        assert_eq!(meant("-10").await.as_deref(), Some("host-10"), "the only one");
        assert_eq!(meant("host").await, None, "which one?");
        assert_eq!(meant("4711").await, None);
        let limited = yard.somebody(Role::Limited).await;
        assert!(yard.agent_meant(&limited, "host-1").await.is_err());
        let page = PageOf::first(AgentSort::Name, 1);
        assert!(yard.agents(&limited, &AgentFilter::default(), &page).await.is_err());
    }
}

impl Yard {
    /// Its agent calls.
    async fn hear_of_agent(&self) {
        let (agent, now) = (self.agent, self.clock().now());
        let heard = self
            .store()
            .write(move |tx| {
                Box::pin(
                    async move { Ok::<_, LifecycleError>(tx.touch_agent(agent, None, now).await?) },
                )
            })
            .await;
        heard.unwrap();
    }

    /// What the list shows with this filter, by port, and how many the same filter counts.
    pub(super) async fn shown(&self, filter: EndpointFilter) -> Vec<u16> {
        let sort = EndpointSort::Address;
        let page =
            self.endpoints(&Actor::Operator, filter.clone(), sort, false, None, 50).await.unwrap();
        let ports: Vec<u16> = page.rows.iter().map(|row| row.port).collect();
        let mut tx = self.store().reader().await.unwrap();
        let moment = crate::automation::moment(self.clock().now());
        let counted = tx.count_endpoints(&EndpointFilter { moment, ..filter }).await.unwrap();
        assert_eq!(counted, ports.len() as u64);
        ports
    }
}

#[tokio::test]
async fn endpoints_are_found_by_their_names_and_not_by_how_these_are_stored() {
    for yard in yards().await {
        let first = yard.sell("ssl_plus", "www.example.com").await.order;
        let second = yard.sell("ssl_plus", "xn--bcher-kva.example.com").await.order;
        for (port, order) in [(1, first), (2, second)] {
            let served = yard.certificates(order).await.remove(0);
            yard.endpoint(port, Some(&served)).await;
        }
        yard.endpoint(3, None).await;
        let found = async |text: &str| {
            yard.shown(EndpointFilter { text: Some(text.to_owned()), ..EndpointFilter::default() })
                .await
        };
        assert_eq!(found("EXAMPLE.com").await, [1, 2]);
        assert_eq!(found(" www.ex ").await, [1]);
        assert_eq!(found("Bücher.example.com").await, [2], "as people read it");
        assert_eq!(found(&second.to_string()).await, [2]);
        assert_eq!(found("127.0.0.1:3").await, [3]);
        for text in ["\"", "[", "]", ",", "[\"www", "com\"", "\\", "_", "%", "www example"] {
            assert_eq!(found(text).await, [0_u16; 0], "{text}");
        }
    }
}

/// A silent agent is behind "Agent error"; what waits for it is known all the same.
#[tokio::test]
async fn a_silent_agents_plans_are_told_behind_its_error() {
    for yard in yards().await {
        let sold = yard.sell("ssl_plus", "www.example.com").await.order;
        let record = yard.certificates(sold).await.remove(0);
        let (renews, planned) =
            (yard.endpoint(1, Some(&record)).await, yard.endpoint(2, None).await);
        let (profile, on) = (Some(yard.profile), Some(renewing(30)));
        let admin = yard.somebody(Role::Administrator).await;
        for endpoint in [renews, planned] {
            yard.set_auto_renew(&admin, vec![endpoint], profile, on.clone(), false).await.unwrap();
        }
        yard.schedule(&admin, yard.fresh(planned, "new.example.com")).await.unwrap();
        yard.clock().advance(Days(1));
        for (id, behind) in
            [(renews, EndpointStatus::AutoRenewScheduled), (planned, EndpointStatus::Scheduled)]
        {
            let shown = yard.shop.endpoint(&admin, id).await.unwrap();
            assert_eq!(shown.status, EndpointStatus::AgentError);
            let offered = yard.offers(&admin, &[shown]).await.unwrap();
            assert_eq!(offered[0].behind, behind);
        }
    }
}

#[tokio::test]
async fn what_needs_action_is_counted_as_the_list_shows_it() {
    for yard in yards().await {
        let good = yard.sell("ssl_plus", "www.example.com").await.order;
        let bad = yard.sell("ssl_plus", "api.example.com").await.order;
        let good = yard.certificates(good).await.remove(0);
        let served = yard.certificates(bad).await.remove(0);
        yard.endpoint(1, Some(&good)).await;
        yard.endpoint(2, Some(&served)).await;
        let planned = yard.endpoint(3, None).await;
        let wanted = || EndpointFilter { needs_action: true, ..EndpointFilter::default() };
        let with = |status| EndpointFilter { status: Some(status), ..EndpointFilter::default() };
        let dashboard = async || yard.dashboard(&Actor::Operator).await.unwrap().needing_action;
        assert_eq!((yard.shown(wanted()).await, dashboard().await), (vec![], 0));

        let form = RevokeForm {
            target: RevocationTarget::Certificate { id: served.certificate.id },
            reason: RevocationReason::Superseded,
            note: String::new(),
            submit_token: String::new(),
        };
        yard.request_revoke(&Actor::Operator, bad, &form).await.unwrap();
        assert_eq!((yard.shown(wanted()).await, dashboard().await), (vec![2], 1), "revoked");

        yard.hear_of_agent().await;
        yard.schedule(&Actor::Operator, yard.fresh(planned, "new.example.com")).await.unwrap();
        assert_eq!(yard.shown(with(EndpointStatus::Scheduled)).await, [3]);
        assert_eq!(yard.shown(wanted()).await, [2]);
        yard.clock().advance(Days(1));
        assert_eq!(yard.shown(with(EndpointStatus::Scheduled)).await, [0_u16; 0]);
        assert_eq!(yard.shown(with(EndpointStatus::AgentError)).await, [3], "its agent is silent");
        assert_eq!((yard.shown(wanted()).await, dashboard().await), (vec![2, 3], 2));

        yard.clock().advance(Days(400));
        assert_eq!((yard.shown(wanted()).await, dashboard().await), (vec![1, 2, 3], 3), "expired");
    }
}

/// "Cancel" and "Retry" are offered to who may press them.
#[tokio::test]
async fn another_persons_event_is_not_offered_to_a_standard_user() {
    for yard in yards().await {
        yard.set("approval_step", "one_step").await;
        let endpoint = yard.endpoint(1, None).await;
        let standard = yard.somebody(Role::Standard).await;
        let other = yard.another(Role::Standard).await;
        let manager = yard.somebody(Role::Manager).await;
        let event =
            yard.schedule(&standard, yard.fresh(endpoint, "new.example.com")).await.unwrap();
        let offered = async |actor: &Actor| {
            let record = yard.shop.endpoint(&Actor::Operator, endpoint).await.unwrap();
            yard.offers(actor, &[record]).await.unwrap().remove(0).offer.next
        };
        let cancel = Some(OfferedAction::Cancel);
        assert_eq!(offered(&standard).await, cancel);
        assert_eq!(offered(&manager).await, cancel);
        assert_eq!(offered(&other).await, None);
        assert!(yard.cancel_event(&other, event).await.is_err());

        yard.send_csr().await;
        yard.reject(&manager, yard.request_of(event).await, "Not there.").await.unwrap();
        yard.run_decided_events().await.unwrap();
        let others = async |actor: &Actor| {
            let record = yard.shop.endpoint(&Actor::Operator, endpoint).await.unwrap();
            assert_eq!(record.status, EndpointStatus::ApprovalDenied);
            let offer = yard.offers(actor, &[record]).await.unwrap().remove(0).offer;
            offer.others.contains(&OfferedAction::Retry)
        };
        assert!(others(&standard).await && others(&manager).await);
        assert!(!others(&other).await);
        assert!(yard.retry_event(&other, event).await.is_err());
    }
}
