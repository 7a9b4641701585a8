//! A challenge: read, answered (RFC 8555 sections 7.5.1 and 8).

use axum::extract::State;
use axum::http::StatusCode;
use domain::model::acme::{Challenge, ChallengeStatus};
use serde_json::{Map, Value, json};

use super::authorization::SOON;
use super::{Answer, id};
use crate::AcmeServer;
use crate::problem::fault_json;
use crate::reply::{Reply, with_optional};
use crate::request::{ByAccount, InPath};

/// The challenge object.
pub fn show(server: &AcmeServer, challenge: &Challenge) -> Value {
    let json = json!({
        "type": challenge.kind,
        "url": server.urls().challenge(challenge.id),
        "status": challenge.status,
        "token": challenge.token,
    });
    with_optional(
        json,
        [
            ("validated", challenge.validated_at.map(|at| json!(at.rfc3339()))),
            ("error", challenge.error.as_ref().map(fault_json)),
        ],
    )
}

/// A POST-as-GET reads; any JSON object answers the challenge, `{}` as a rule. Answering again
/// changes nothing.
pub async fn post(
    State(server): State<AcmeServer>,
    InPath(path): InPath<String>,
    request: ByAccount,
) -> Answer {
    let ByAccount { account, signed } = request;
    let number = id(&path, "challenge")?;
    let (challenge, authorization) = if signed.is_fetch() {
        server.desk().challenge(&account, number).await?
    } else {
        let _: Map<String, Value> = signed.read()?;
        let answered = server.desk().answer_challenge(&account, number).await?;
        server.wake_validation();
        answered
    };
    let waits = challenge.status == ChallengeStatus::Processing;
    Ok(Reply::json(StatusCode::OK, &show(&server, &challenge))
        .location(&server.urls().challenge(challenge.id))
        .link("up", &server.urls().authorization(authorization.id))
        .retry_after(waits.then_some(SOON)))
}
