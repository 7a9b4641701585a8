//! keyChange (RFC 8555 section 7.3.5): the old key signs the outer request, the new one the inner.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use super::Answer;
use super::account::show;
use crate::AcmeServer;
use crate::json;
use crate::jwk::Jwk;
use crate::jws::{Jws, JwsError, Signer};
use crate::problem::Problem;
use crate::reply::Reply;
use crate::request::ByAccount;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeyChange {
    account: String,
    old_key: Value,
}

pub async fn post(State(server): State<AcmeServer>, request: ByAccount) -> Answer {
    let ByAccount { account, signed } = request;
    let inner = Jws::parse(&signed.payload)?;
    let Signer::Key(new_key) = &inner.signer else {
        return Err(Problem::malformed("The inner JWS must hold the new key as jwk, not kid."));
    };
    inner.verify(new_key)?;
    new_key.check_account_key().map_err(JwsError::from)?;
    if inner.url != signed.url {
        return Err(Problem::malformed("The inner JWS must have the same url as the outer one."));
    }
    if inner.nonce.is_some() {
        return Err(Problem::malformed("The inner JWS must not have a nonce."));
    }
    let change: KeyChange = json::read(&inner.payload).map_err(|_| {
        Problem::malformed("The inner payload must be an object with account and oldKey.")
    })?;
    if change.account != server.urls().account(account.id) {
        return Err(Problem::malformed(
            "The inner payload's account is not the one that signed the request.",
        ));
    }
    if Jwk::from_value(change.old_key).map(|key| key.thumbprint()) != Ok(account.thumbprint.clone())
    {
        return Err(Problem::malformed("The inner payload's oldKey is not the account's key."));
    }
    let changed = server
        .desk()
        .change_key(&account, new_key.canonical(), new_key.thumbprint(), signed.address)
        .await?;
    match changed {
        Ok(()) => {
            let location = server.urls().account(account.id);
            Ok(Reply::json(StatusCode::OK, &show(&server, &account)).location(&location))
        }
        Err(holder) => Err(Problem {
            location: Some(server.urls().account(holder)),
            ..Problem::malformed("The new key is an account's key already. Make another one.")
                .with_status(StatusCode::CONFLICT)
        }),
    }
}
