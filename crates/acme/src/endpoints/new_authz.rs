//! newAuthz: an authorization in advance (RFC 8555 section 7.4.1).

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;

use super::Answer;
use super::authorization::show;
use super::new_order::{RawIdentifier, read_identifiers};
use crate::AcmeServer;
use crate::json::Object;
use crate::problem::{Kind, Problem};
use crate::reply::Reply;
use crate::request::ByAccount;

#[derive(Deserialize)]
struct NewAuthorization {
    identifier: Object<RawIdentifier>,
}

pub async fn post(State(server): State<AcmeServer>, request: ByAccount) -> Answer {
    let wanted: NewAuthorization = request.signed.read()?;
    let identifier = read_identifiers(vec![wanted.identifier])?.pop();
    let identifier = identifier.ok_or_else(|| Problem::malformed("identifier is missing."))?;
    if identifier.value.starts_with("*.") {
        let words =
            "Wildcards are authorized with their order, not in advance (RFC 8555 section 7.4.1).";
        return Err(Problem::new(Kind::RejectedIdentifier, words));
    }
    let authorization = server.desk().new_authorization(&request.account, identifier).await?;
    let url = server.urls().authorization(authorization.id);
    Ok(Reply::json(StatusCode::CREATED, &show(&server, &authorization)).location(&url))
}
