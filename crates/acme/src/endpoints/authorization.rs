//! An authorization: read, deactivated (RFC 8555 sections 7.1.4, 7.5 and 7.5.2).

use axum::extract::State;
use axum::http::StatusCode;
use domain::model::acme::{Authorization, AuthorizationStatus, Challenge, ChallengeStatus};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, challenge, id};
use crate::AcmeServer;
use crate::problem::Problem;
use crate::reply::{Reply, with_optional};
use crate::request::{ByAccount, InPath};

/// Seconds until a poll is worth it, while a challenge is being validated.
pub const SOON: u64 = 2;

#[derive(Deserialize)]
struct Change {
    status: Option<String>,
}

/// The authorization object. The challenges are flat, and `value` occurs once: acme.sh reads it by
/// pattern. Once an authorization is decided it shows the challenge that decided it.
pub fn show(server: &AcmeServer, authorization: &Authorization) -> Value {
    let challenges: Vec<Value> = authorization
        .challenges
        .iter()
        .filter(|one| belongs(authorization.status, one))
        .map(|one| challenge::show(server, one))
        .collect();
    let json = json!({
        "identifier": authorization.identifier,
        "status": authorization.status,
        "expires": authorization.expires_at.rfc3339(),
        "challenges": challenges,
    });
    with_optional(json, [("wildcard", authorization.wildcard.then_some(Value::Bool(true)))])
}

/// RFC 8555 section 7.1.4: for pending ones the challenges that the client can fulfil, for valid
/// ones the one that was validated, for invalid ones the one that failed.
fn belongs(status: AuthorizationStatus, challenge: &Challenge) -> bool {
    match status {
        AuthorizationStatus::Valid => challenge.status == ChallengeStatus::Valid,
        AuthorizationStatus::Invalid => challenge.status == ChallengeStatus::Invalid,
        _ => true,
    }
}

pub async fn post(
    State(server): State<AcmeServer>,
    InPath(path): InPath<String>,
    request: ByAccount,
) -> Answer {
    let ByAccount { account, signed } = request;
    let number = id(&path, "authorization")?;
    if !signed.is_fetch() {
        let change: Change = signed.read()?;
        if let Some(status) = change.status {
            if status != AuthorizationStatus::Deactivated.as_str() {
                return Err(Problem::malformed(
                    "A client may set the status of an authorization to deactivated only.",
                ));
            }
            let authorization = server.desk().deactivate_authorization(&account, number).await?;
            return Ok(Reply::json(StatusCode::OK, &show(&server, &authorization)));
        }
    }
    let authorization = server.desk().authorization(&account, number).await?;
    let waits =
        authorization.challenges.iter().any(|one| one.status == ChallengeStatus::Processing)
            && authorization.status == AuthorizationStatus::Pending;
    Ok(Reply::json(StatusCode::OK, &show(&server, &authorization))
        .retry_after(waits.then_some(SOON)))
}
