//! The JSON that agents and portals of other ages read and write: a change here breaks them.

#![expect(clippy::unwrap_used, reason = "a fault in the fixture is the test's failure")]

use certdeck_agent_api::{
    ErrorBody, ErrorCode, EventAnswer, FailedReport, FoundEndpoint, InstallAbility, PollAnswer,
    Software, Stage, Step, Task,
};
use serde_json::{Value, from_value, json, to_value};

fn task(step: &Value) -> Step {
    let answer: PollAnswer = from_value(json!({
        "task": {
            "event_id": 7,
            "lease_until": 1_800_000_000,
            "endpoint": { "id": 3, "ip": "192.0.2.1", "port": 443, "server_name": "www.example.com" },
            "step": step,
            "added_later": { "ignored": true },
        }
    }))
    .unwrap();
    answer.task.unwrap().step
}

#[test]
fn steps_read_what_version_1_writes() {
    let csr = json!({
        "kind": "make_csr", "common_name": "www.example.com",
        "names": ["example.com", "www.example.com"], "key_type": "ec_p256"
    });
    assert_eq!(to_value(task(&csr)).unwrap(), csr);
    let install = json!({
        "kind": "install", "leaf_pem": "L", "chain_pem": "C", "expected_serial": "0a1b"
    });
    assert_eq!(to_value(task(&install)).unwrap(), install);
    assert_eq!(task(&json!({ "kind": "probe" })), Step::Probe);
}

#[test]
fn what_newer_sides_add_is_understood_as_unknown() {
    assert_eq!(task(&json!({ "kind": "dance", "tempo": 3 })), Step::Unknown);
    let error: ErrorBody =
        from_value(json!({ "code": "moon_phase", "message": "m", "more": 1 })).unwrap();
    assert_eq!(error.code, ErrorCode::Unavailable);
    let failed: FailedReport = from_value(json!({
        "stage": "teleport", "cause": "c", "solution": "s", "rolled_back": true, "may_retry": false
    }))
    .unwrap();
    assert_eq!(failed.stage, Stage::Other);
}

/// A task has no lease: agents of the first version expect one, later portals may leave it out.
#[test]
fn what_is_left_of_leases_goes_both_ways() {
    let text = json!({
        "event_id": 7,
        "endpoint": { "id": 3, "ip": "192.0.2.1", "port": 443 },
        "step": { "kind": "probe" },
    });
    let task: Task = from_value(text).unwrap();
    assert_eq!(to_value(task).unwrap()["lease_until"], json!(i64::MAX));
    let answer: EventAnswer = from_value(json!({ "lease_until": 1_800_000_000 })).unwrap();
    assert_eq!(to_value(answer).unwrap(), json!({}));
}

#[test]
fn no_work_is_a_null_task() {
    assert_eq!(to_value(PollAnswer { task: None }).unwrap(), json!({ "task": null }));
}

#[test]
fn an_endpoint_leaves_out_what_is_unknown() {
    let endpoint = FoundEndpoint {
        ip: "2001:db8::1".parse().unwrap(),
        port: 8443,
        server_name: None,
        names: vec![],
        software: Some(Software { name: "nginx".into(), version: None }),
        alias: "web".into(),
        chain_pem: None,
        probe_error: Some("refused".into()),
        install: InstallAbility::Manual { reason: "two certificates".into() },
    };
    let written = to_value(&endpoint).unwrap();
    assert_eq!(
        written,
        json!({
            "ip": "2001:db8::1", "port": 8443, "names": [], "software": { "name": "nginx" },
            "alias": "web", "probe_error": "refused",
            "install": { "kind": "manual", "reason": "two certificates" }
        })
    );
    assert_eq!(from_value::<FoundEndpoint>(written).unwrap(), endpoint);
}
