//! The directory (RFC 8555 section 7.1.1), at its own URL and at the aliases that name an action in
//! the path. The only resource besides renewalInfo that may be read without a signature.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use domain::rules::DirectoryAction;

use super::Answer;
use crate::AcmeServer;
use crate::directory::{asked, directory};
use crate::reply::Reply;
use crate::request::{Fetch, InPath};

type Pairs = Query<Vec<(String, String)>>;

fn answer(server: &AcmeServer, asked: Option<DirectoryAction>) -> Reply {
    Reply::json(StatusCode::OK, &directory(server, asked))
}

pub async fn get(State(server): State<AcmeServer>, Query(query): Pairs) -> Answer {
    Ok(answer(&server, asked("", &query)?))
}

pub async fn get_alias(
    State(server): State<AcmeServer>,
    InPath(path): InPath<String>,
    Query(query): Pairs,
) -> Answer {
    Ok(answer(&server, asked(&path, &query)?))
}

pub async fn post(State(server): State<AcmeServer>, Query(query): Pairs, _: Fetch) -> Answer {
    Ok(answer(&server, asked("", &query)?))
}

pub async fn post_alias(
    State(server): State<AcmeServer>,
    InPath(path): InPath<String>,
    Query(query): Pairs,
    _: Fetch,
) -> Answer {
    Ok(answer(&server, asked(&path, &query)?))
}
