//! What waits for a reviewer: how long, and what becomes of it.

use domain::model::Approval;
use domain::{Days, RequestId};
use lifecycle::audit::AuditFilter;
use lifecycle::lists::PageOf;
use lifecycle::orders::RequestRecord;
use lifecycle::{Actor, LifecycleError};
use serde_json::Value;

use crate::client::{Client, csr};
use crate::house::{House, houses};

/// Houses where requests wait for a reviewer, and nobody sweeps.
async fn waiting_houses() -> Vec<House> {
    let mut houses = houses().await;
    for house in &mut houses {
        house.stop();
        house.ended().await;
        let operator = Actor::Operator;
        house.desk.settings_set(&operator, "approval_step", "one_step").await.unwrap();
    }
    houses
}

/// An order that waits: its URL, and its request.
async fn held(house: &House, client: &Client, name: &str) -> (String, RequestId) {
    let made = client.order(&[name]).await.expect(201);
    let order = client.finalize(&made.json(), &csr(&[name], None)).await.expect(200).json();
    assert_eq!(order["status"], "processing", "{order}");
    (made.header("location"), house.newest_request().await)
}

async fn order(client: &Client, url: &str) -> Value {
    client.fetch(url).await.expect(200).json()
}

async fn request(house: &House, id: RequestId) -> RequestRecord {
    house.desk.request(&Actor::Operator, id).await.unwrap()
}

async fn sweep(house: &House) {
    house.server.desk().sweep().await.unwrap();
}

/// What the audit log tells of a request, the newest act first: who, what, in which words.
async fn told(house: &House, id: RequestId) -> Vec<(String, String, String)> {
    let page = PageOf { descending: true, ..PageOf::first((), 100) };
    let log = house.desk.audit_page(&Actor::Operator, AuditFilter::default(), &page).await.unwrap();
    let of_it = |row: &lifecycle::audit::AuditRow| {
        row.resource_kind == "request" && row.resource_id == id.to_string()
    };
    let rows = log.rows.into_iter().filter(of_it);
    rows.map(|row| (row.actor_kind, row.action, row.description)).collect()
}

/// Who finds out first that nobody decided: the sweep, the client that asks for its order, or the
/// client that makes it again.
#[derive(Debug, Clone, Copy, PartialEq)]
enum First {
    Sweep,
    Poll,
    NewOrder,
}

#[tokio::test]
async fn an_order_that_nobody_decides_ends_after_thirty_days() {
    for house in waiting_houses().await {
        let client = house.client("one", "ssl_plus").await;
        let reviewer = house.reviewer().await;
        for (first, name) in [
            (First::Sweep, "a.example.com"),
            (First::Poll, "b.example.com"),
            (First::NewOrder, "c.example.com"),
        ] {
            let case = format!("{first:?} on {}", house.kind);
            let (url, id) = held(&house, &client, name).await;
            house.clock.advance(Days(29));
            sweep(&house).await;
            assert_eq!(order(&client, &url).await["status"], "processing", "{case}");
            let joined = client.order(&[name]).await.expect(201);
            assert_eq!(joined.header("location"), url, "{case}");
            house.clock.advance(Days(2));
            match first {
                First::Sweep => sweep(&house).await,
                First::Poll => drop(order(&client, &url).await),
                First::NewOrder => {}
            }
            let again = client.order(&[name]).await.expect(201);
            assert_ne!(again.header("location"), url, "{case}");
            ended(&house, &client, &url, id, &case).await;
            let late = house.desk.approve(&reviewer, id, "").await.unwrap_err();
            assert!(matches!(late, LifecycleError::Conflict { .. }), "{case}: {late:?}");
            // What is asked for anew waits anew.
            let waits = client.finalize(&again.json(), &csr(&[name], None)).await.expect(200);
            assert_eq!(waits.json()["status"], "processing", "{case}");
            let anew = house.newest_request().await;
            assert_ne!(anew, id, "{case}");
            house.desk.approve(&reviewer, anew, "").await.unwrap();
            let issued = order(&client, &again.header("location")).await;
            assert_eq!(issued["status"], "valid", "{case}");
            // Nothing is ended twice.
            sweep(&house).await;
            assert_eq!(told(&house, id).await.len(), 2, "{case}");
        }
    }
}

/// The order, its request, what the request was for and the log say that nobody decided.
async fn ended(house: &House, client: &Client, url: &str, id: RequestId, case: &str) {
    let shown = order(client, url).await;
    assert_eq!(shown["status"], "invalid", "{case}");
    let words = shown["error"]["detail"].as_str().unwrap();
    assert!(words.contains("Nobody decided within 30 days"), "{case}: {words}");
    assert!(words.contains("Order again"), "{case}: {words}");
    let record = request(house, id).await;
    assert!(matches!(record.request.approval, Approval::Canceled { .. }), "{case}");
    assert_eq!(record.reviewer_name.as_deref(), Some("Certdeck"), "{case}");
    assert_eq!(record.note.as_deref(), Some(words), "{case}");
    let number = record.request.order;
    let sold = house.desk.order(&Actor::Operator, number).await.unwrap().record.order;
    assert_eq!(sold.status, domain::model::OrderStatus::Canceled, "{case}");
    let (kind, action, told) = told(house, id).await.swap_remove(0);
    assert_eq!((kind.as_str(), action.as_str()), ("worker", "request.canceled"), "{case}");
    assert!(told.contains("nobody decided within 30 days"), "{case}: {told}");
}

/// A reviewer who decides before anybody found the time over was in time.
#[tokio::test]
async fn whoever_decides_first_counts() {
    for house in waiting_houses().await {
        let client = house.client("one", "ssl_plus").await;
        let reviewer = house.reviewer().await;
        let (approved, one) = held(&house, &client, "a.example.com").await;
        let (rejected, two) = held(&house, &client, "b.example.com").await;
        house.clock.advance(Days(31));
        house.desk.approve(&reviewer, one, "").await.unwrap();
        house.desk.reject(&reviewer, two, "Not this one.").await.unwrap();
        sweep(&house).await;
        assert_eq!(order(&client, &approved).await["status"], "valid", "on {}", house.kind);
        let error = order(&client, &rejected).await["error"]["detail"].to_string();
        assert!(error.contains("Not this one."), "on {}: {error}", house.kind);
        for id in [one, two] {
            let record = request(&house, id).await;
            assert_eq!(record.reviewer_name.as_deref(), Some("Manager"), "on {}", house.kind);
        }
    }
}

/// An approval and a rejection beside the sweep: one of the two decides, wholly.
#[tokio::test]
async fn a_reviewer_decides_beside_the_sweep() {
    for house in waiting_houses().await {
        let client = house.client("one", "ssl_plus").await;
        let reviewer = house.reviewer().await;
        let mut waiting = Vec::new();
        for number in 0..8 {
            waiting.push(held(&house, &client, &format!("w{number}.example.com")).await);
        }
        house.clock.advance(Days(31));
        let deciding = async {
            let mut decided = Vec::new();
            // From the far end: the sweep begins with the oldest.
            for (number, (_, id)) in waiting.iter().enumerate().rev() {
                let outcome = if number % 2 == 0 {
                    house.desk.approve(&reviewer, *id, "").await.map(drop)
                } else {
                    house.desk.reject(&reviewer, *id, "no").await
                };
                decided.push((number, outcome));
            }
            decided
        };
        let (decided, ()) = tokio::join!(deciding, sweep(&house));
        sweep(&house).await;
        for (number, outcome) in decided {
            let case = format!("{number} on {}", house.kind);
            let (url, id) = &waiting[number];
            let wanted = match outcome {
                Ok(()) if number % 2 == 0 => ("approved", "valid"),
                Ok(()) => ("rejected", "invalid"),
                Err(LifecycleError::Conflict { .. }) => ("canceled", "invalid"),
                Err(error) => panic!("{case}: {error:?}"),
            };
            let record = request(&house, *id).await;
            assert_eq!(record.request.approval.as_str(), wanted.0, "{case}");
            assert_eq!(order(&client, url).await["status"], wanted.1, "{case}");
            let acts = told(&house, *id).await.into_iter().map(|(_, action, _)| action);
            let ends = ["request.approved", "request.rejected", "request.canceled"];
            let ends = acts.filter(|action| ends.contains(&action.as_str())).count();
            assert_eq!(ends, 1, "{case}");
        }
    }
}

/// What people ask for waits for as long as reviewers take.
#[tokio::test]
async fn requests_by_people_wait_on() {
    use domain::model::{RevocationReason, RevocationTarget};
    for house in waiting_houses().await {
        let client = house.client("one", "ssl_plus").await;
        let reviewer = house.reviewer().await;
        let (_, id) = held(&house, &client, "a.example.com").await;
        house.desk.approve(&reviewer, id, "").await.unwrap();
        let number = request(&house, id).await.request.order;
        let form = lifecycle::revoke::RevokeForm {
            target: RevocationTarget::Order,
            reason: RevocationReason::Superseded,
            note: String::new(),
            submit_token: String::new(),
        };
        let asked = house.desk.request_revoke(&reviewer, number, &form).await.unwrap();
        let lifecycle::revoke::Revocation::Held { request: revoking } = asked else {
            panic!("held")
        };
        house.clock.advance(Days(100));
        sweep(&house).await;
        let record = request(&house, revoking).await;
        assert_eq!(record.request.approval, Approval::Pending, "on {}", house.kind);
    }
}

/// How an order that waited comes to its end.
#[derive(Debug, Clone, Copy)]
enum End {
    Rejected,
    Withdrawn,
    Undecided,
}

/// They are kept for 30 days after their end, whenever that was; their requests for good.
#[tokio::test]
async fn orders_whose_request_was_refused_are_forgotten() {
    for end in [End::Rejected, End::Withdrawn, End::Undecided] {
        for house in waiting_houses().await {
            let case = format!("{end:?} on {}", house.kind);
            let client = house.client("one", "ssl_plus").await;
            let reviewer = house.reviewer().await;
            let before = house.rows().await;
            let (url, id) = held(&house, &client, "a.example.com").await;
            let authorizations = order(&client, &url).await["authorizations"].clone();
            let authorization = authorizations[0].as_str().unwrap();
            // Long after the seven days that the client had.
            house.clock.advance(Days(20));
            match end {
                End::Rejected => house.desk.reject(&reviewer, id, "no").await.unwrap(),
                End::Withdrawn => house.desk.cancel(&reviewer, id).await.unwrap(),
                End::Undecided => house.clock.advance(Days(11)),
            }
            sweep(&house).await;
            house.clock.advance(Days(29));
            sweep(&house).await;
            assert_eq!(order(&client, &url).await["status"], "invalid", "{case}");
            client.fetch(authorization).await.expect(200);
            let log = told(&house, id).await;
            house.clock.advance(Days(2));
            sweep(&house).await;
            client.fetch(&url).await.expect(404);
            client.fetch(authorization).await.expect(404);
            assert_eq!(house.rows().await, before, "{case}");
            let number = request(&house, id).await.request.order;
            house.desk.order(&Actor::Operator, number).await.unwrap();
            assert_eq!(told(&house, id).await, log, "{case}");
            let again = client.order(&["a.example.com"]).await.expect(201);
            assert_ne!(again.header("location"), url, "{case}: no number is given twice");
        }
    }
}
