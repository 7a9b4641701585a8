//! Endpoints that their agent no longer reports.

use domain::Days;
use domain::model::{EndpointStatus, EventStatus, Role};
use store::endpoints::EndpointFilter;

use super::{Yard, renewing, yards};
use crate::{Actor, LifecycleError};

impl Yard {
    /// The ports of the list, and how many endpoints the agent has.
    async fn listed(&self) -> (Vec<u16>, i64) {
        let agent = self.shop.agent(&Actor::Operator, self.agent).await.unwrap();
        (self.shown(EndpointFilter::default()).await, agent.endpoints)
    }
}

#[tokio::test]
async fn an_endpoint_that_is_no_longer_reported_is_gone_until_it_is_reported_again() {
    for yard in yards().await {
        let manager = yard.somebody(Role::Manager).await;
        let sold = yard.sell("ssl_plus", "www.example.com").await;
        let record = yard.certificates(sold.order).await.remove(0);
        let endpoint = yard.endpoint(1, Some(&record)).await;
        let stays = yard.endpoint(2, Some(&record)).await;
        let set = async |on: bool| {
            let (profile, on) = (Some(yard.profile), on.then(|| renewing(30)));
            yard.set_auto_renew(&manager, vec![endpoint], profile, on, false).await
        };
        set(true).await.unwrap();
        assert_eq!(yard.listed().await, (vec![1, 2], 2));

        yard.take_away(1).await;
        assert_eq!(yard.listed().await, (vec![2], 1));
        let installed = yard.order(&Actor::Operator, sold.order).await.unwrap().installed;
        assert_eq!(installed.iter().map(|place| place.endpoint).collect::<Vec<_>>(), [stays]);
        let shown = yard.endpoint_detail(&Actor::Operator, endpoint).await.unwrap();
        let gone = shown.gone.unwrap();
        assert_eq!(gone.since, yard.clock().now());
        assert!(gone.cause.contains("no longer finds"), "{}", gone.cause);
        assert_eq!(shown.endpoint.next_auto_renew_at, None);
        assert!(matches!(set(true).await, Err(LifecycleError::Conflict { .. })));
        yard.clock().advance(Days(180));
        assert_eq!(yard.run_due_auto_renewals().await.unwrap(), 0);
        let told = yard.told("endpoint.gone").await;
        assert_eq!(told.len(), 1);
        assert!(told[0].old.as_ref().unwrap().contains("days_before"), "{:?}", told[0].old);
        yard.report().await;
        assert_eq!(yard.told("endpoint.gone").await.len(), 1, "told once");

        yard.endpoint(1, Some(&record)).await;
        assert_eq!(yard.listed().await, (vec![1, 2], 2));
        assert_eq!(yard.told("endpoint.returned").await.len(), 1);
        let shown = yard.endpoint_detail(&Actor::Operator, endpoint).await.unwrap();
        assert_eq!(shown.gone, None);
        assert_eq!(yard.run_due_auto_renewals().await.unwrap(), 1, "auto-renew goes on");
    }
}

/// What was planned or held there ends, with words; what is issued for nobody is not.
#[tokio::test]
async fn what_was_planned_on_an_endpoint_ends_with_it() {
    for yard in yards().await {
        let manager = yard.somebody(Role::Manager).await;
        let standard = yard.somebody(Role::Standard).await;
        let (one, two) = (yard.endpoint(1, None).await, yard.endpoint(2, None).await);
        let held = yard.schedule(&standard, yard.fresh(one, "one.example.com")).await.unwrap();
        yard.send_csr().await;
        let request = yard.request_of(held).await;
        let planned = yard.schedule(&manager, yard.fresh(two, "two.example.com")).await.unwrap();
        for port in [1, 2] {
            yard.take_away(port).await;
        }
        for event in [held, planned] {
            let shown = yard.event(&Actor::Operator, event).await.unwrap();
            assert_eq!(shown.event.status, EventStatus::Canceled);
            assert!(shown.event.cause.unwrap().contains("no longer finds"));
            assert_eq!(shown.endpoint.ip, "127.0.0.1", "it is found by its event's page");
        }
        assert!(yard.approve(&manager, request, "").await.is_err());
        assert!(yard.next_task(yard.agent).await.unwrap().is_none());
        let anew = || super::ScheduleForm {
            idempotency_key: "late".to_owned(),
            ..yard.fresh(two, "two.example.com")
        };
        let late = yard.schedule(&manager, anew()).await;
        assert!(matches!(late, Err(LifecycleError::Conflict { .. })), "{late:?}");

        yard.endpoint(2, None).await;
        let back = yard.shop.endpoint(&Actor::Operator, two).await.unwrap();
        assert_eq!((back.status, back.cause), (EndpointStatus::Configured, None));
        yard.schedule(&manager, anew()).await.unwrap();
    }
}

/// A person reads on why it came to nothing, and can't run it again where nobody would.
#[tokio::test]
async fn what_failed_on_an_endpoint_that_is_gone_is_not_retried() {
    for yard in yards().await {
        let manager = yard.somebody(Role::Manager).await;
        let endpoint = yard.endpoint(1, None).await;
        let event = yard.schedule(&manager, yard.fresh(endpoint, "one.example.com")).await.unwrap();
        yard.set("approval_step", "one_step").await;
        yard.send_csr().await;
        let reviewer = yard.somebody(Role::Administrator).await;
        yard.reject(&reviewer, yard.request_of(event).await, "Not this one.").await.unwrap();
        yard.run_decided_events().await.unwrap();
        yard.take_away(1).await;
        assert_eq!(yard.status(event).await, EventStatus::ApprovalDenied);
        let again = yard.retry_event(&manager, event).await;
        assert!(matches!(again, Err(LifecycleError::Conflict { .. })), "{again:?}");
        yard.endpoint(1, None).await;
        let back = yard.shop.endpoint(&Actor::Operator, endpoint).await.unwrap();
        assert_eq!(back.status, EndpointStatus::ApprovalDenied);
        assert!(back.cause.unwrap().contains("Not this one."));
        yard.retry_event(&manager, event).await.unwrap();
    }
}

/// An agent that reports other addresses each time fills no table: the longest gone are forgotten, but
/// where somebody did something.
#[tokio::test]
async fn of_very_many_endpoints_those_that_are_gone_and_unused_are_forgotten() {
    for yard in yards().await {
        let manager = yard.somebody(Role::Manager).await;
        let sold = yard.sell("ssl_plus", "www.example.com").await;
        let record = yard.certificates(sold.order).await.remove(0);
        let (used, unused) = (yard.endpoint(1, None).await, yard.endpoint(2, None).await);
        let renews = yard.endpoint(3, Some(&record)).await;
        yard.schedule(&manager, yard.fresh(used, "one.example.com")).await.unwrap();
        let (profile, on) = (Some(yard.profile), Some(renewing(30)));
        yard.set_auto_renew(&manager, vec![renews], profile, on, false).await.unwrap();
        for port in [1, 2, 3] {
            yard.take_away(port).await;
        }
        // Gone later than those.
        yard.tamper(
            "WITH RECURSIVE counted (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < 2100) \
             INSERT INTO endpoints (agent_id, ip, port, status, gone_at, created_at) \
             SELECT (SELECT min(id) FROM agents), '192.0.2.1', n, 'configured', 2000000000 + n, 1 \
             FROM counted",
        )
        .await;
        let there = yard.endpoint(4, None).await;
        let known = yard.store().reader().await.unwrap().endpoints_of_agent(yard.agent).await;
        let known: Vec<_> = known.unwrap().into_iter().map(|(id, _)| id).collect();
        assert_eq!(known.len(), 2_000);
        assert!(!known.contains(&unused));
        for kept in [used, renews, there] {
            assert!(known.contains(&kept), "{kept}");
        }
    }
}
