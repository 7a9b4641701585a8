//! Orders that wait for somebody else's renewal, which is held for a reviewer (rule D18).

use domain::rules::{ACME_REQUEST_WAITS, Action};
use domain::{AcmeOrderId, Days, OrderNumber, RequestId};
use lifecycle::Actor;
use serde_json::Value;

use crate::client::{Answer, Client, csr};
use crate::detection::newest;
use crate::house::{House, houses};

const NAMES: [&str; 1] = ["www.example.com"];
const BY: &Actor = &Actor::Operator;

/// A renewal that is held, and another client's order that waits for it.
pub struct Waiting {
    pub second: Client,
    pub made: Answer,
    pub renewed: OrderNumber,
    pub request: RequestId,
}

pub fn number(made: &Answer) -> AcmeOrderId {
    AcmeOrderId(made.header("location").rsplit('/').next().unwrap().parse().unwrap())
}

impl Waiting {
    pub async fn on(house: &House) -> Self {
        let first = house.client("one", "ssl_plus").await;
        first.issue("new-order", &NAMES).await;
        let credential = house.desk.rotate_acme_url(BY, domain::AcmeUrlId(1), Days(0)).await;
        let mut second = Client::new(house);
        second.register(&credential.unwrap()).await;
        house.desk.settings_set(BY, "approval_step", "one_step").await.unwrap();
        house.clock.advance(Days(190));
        let order = first.order(&NAMES).await.expect(201).json();
        let held = first.finalize(&order, &csr(&NAMES, None)).await.expect(200);
        assert_eq!(held.json()["status"], "processing");
        let (renewed, action, explanation) = newest(house).await;
        assert_eq!(action, Action::Renew, "{explanation}");
        let request = house.newest_request().await;
        let made = second.order(&NAMES).await.expect(201);
        let waiting = Self { second, made, renewed, request };
        let claimed = waiting.second.finalize(&waiting.made.json(), &csr(&NAMES, None)).await;
        waits(&claimed.expect(200), house.kind);
        waiting
    }

    async fn poll(&self) -> Answer {
        self.second.fetch(&self.made.header("location")).await.expect(200)
    }

    /// Approves what the order waits for now, and answers what it is then.
    async fn approved(&self, house: &House, reviewer: &Actor) -> Value {
        let own = house.newest_request().await;
        assert_ne!(own, self.request, "a request of its own");
        house.desk.approve(reviewer, own, "").await.unwrap();
        self.poll().await.json()
    }
}

/// It is asked for as seldom as an order that is held itself.
fn waits(answer: &Answer, kind: &str) {
    assert_eq!(answer.json()["status"], "processing", "on {kind}");
    assert_eq!(answer.header("retry-after"), "60", "on {kind}");
}

#[tokio::test]
async fn an_order_that_waits_for_a_renewal_becomes_a_duplicate_of_it() {
    for house in houses().await {
        let reviewer = house.reviewer().await;
        let waiting = Waiting::on(&house).await;
        waits(&waiting.poll().await, house.kind);
        let again = waiting.second.order(&NAMES).await.expect(201);
        assert_eq!(again.header("location"), waiting.made.header("location"));
        waits(&again, house.kind);
        house.desk.approve(&reviewer, waiting.request, "").await.unwrap();
        // The step is still on, so that the duplicate is held in its turn.
        waits(&waiting.poll().await, house.kind);
        let (order, action, explanation) = newest(&house).await;
        assert_eq!((order, action), (waiting.renewed, Action::Duplicate), "{explanation}");
        let done = waiting.approved(&house, &reviewer).await;
        assert_eq!(done["status"], "valid", "on {}: {done}", house.kind);
        waiting.second.fetch(done["certificate"].as_str().unwrap()).await.expect(200);
    }
}

/// What was rejected frees the turn: the next renewal is the order's own.
#[tokio::test]
async fn an_order_that_waited_for_a_rejected_renewal_renews_itself() {
    for house in houses().await {
        let reviewer = house.reviewer().await;
        let waiting = Waiting::on(&house).await;
        house.desk.reject(&reviewer, waiting.request, "not this year").await.unwrap();
        waits(&waiting.poll().await, house.kind);
        let (order, action, explanation) = newest(&house).await;
        assert_eq!(action, Action::Renew, "on {}: {explanation}", house.kind);
        assert_ne!(order, waiting.renewed);
        assert_eq!(waiting.approved(&house, &reviewer).await["status"], "valid");
    }
}

/// They are nobody's work until it is decided, and take nobody's place in a sweep.
#[tokio::test]
async fn orders_that_wait_for_a_renewal_hold_up_no_sweep() {
    for house in houses().await {
        let reviewer = house.reviewer().await;
        let waiting = Waiting::on(&house).await;
        let waits = number(&waiting.made);
        house.clock.advance(Days(1));
        let now = house.clock.now();
        let stale = async || {
            let mut tx = house.desk.store().reader().await.unwrap();
            let asked = now.minus(ACME_REQUEST_WAITS);
            let stale = tx.stale_acme_orders(now, now, asked, 9).await.unwrap();
            stale.into_iter().map(|(id, _)| id).collect::<Vec<_>>()
        };
        assert_eq!(stale().await, [], "on {}", house.kind);
        house.desk.reject(&reviewer, waiting.request, "no").await.unwrap();
        assert!(stale().await.contains(&waits), "on {}", house.kind);
    }
}

/// A person's request waits for as long as it takes; an order does not wait longer for it than for a
/// request of its own.
#[tokio::test]
async fn an_order_waits_for_somebody_elses_renewal_for_thirty_days() {
    for house in houses().await {
        let waiting = Waiting::on(&house).await;
        let by_a_person = "UPDATE requests SET payload = REPLACE(payload, '\"acme_account\"', '\"-\"') \
                           WHERE status = 'pending'";
        house.database.execute(by_a_person).await.unwrap();
        house.clock.advance(ACME_REQUEST_WAITS);
        house.server.desk().sweep().await.unwrap();
        waits(&waiting.poll().await, house.kind);
        house.clock.advance(Days(1));
        house.server.desk().sweep().await.unwrap();
        let ended = waiting.poll().await.json();
        assert_eq!(ended["status"], "invalid", "on {}: {ended}", house.kind);
        assert!(ended["error"]["detail"].as_str().unwrap().contains("30 days"), "{ended}");
        let again = waiting.second.order(&NAMES).await.expect(201);
        assert_ne!(again.header("location"), waiting.made.header("location"));
    }
}
