//! newNonce (RFC 8555 section 7.2): HEAD answers 200, GET 204.

use axum::extract::State;
use axum::http::{HeaderName, StatusCode};

use crate::AcmeServer;
use crate::reply::Reply;
use crate::request::Fetch;

fn with_nonce(server: &AcmeServer, status: StatusCode) -> Reply {
    Reply::empty(status).header(HeaderName::from_static("replay-nonce"), &server.nonce())
}

pub async fn head(State(server): State<AcmeServer>) -> Reply {
    with_nonce(&server, StatusCode::OK)
}

pub async fn get(State(server): State<AcmeServer>) -> Reply {
    with_nonce(&server, StatusCode::NO_CONTENT)
}

/// The answer's nonce is that of every POST.
pub async fn post(_: Fetch) -> Reply {
    Reply::empty(StatusCode::NO_CONTENT)
}
