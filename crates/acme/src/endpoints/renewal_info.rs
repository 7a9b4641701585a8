//! renewalInfo (RFC 9773 section 4): read without a signature.

use axum::extract::State;
use axum::http::{StatusCode, header};
use serde_json::json;

use super::Answer;
use crate::AcmeServer;
use crate::reply::Reply;
use crate::request::InPath;

/// Seconds until clients should ask again: six hours, as RFC 9773 section 4.3 has it.
const AGAIN: u64 = 6 * 3_600;

pub async fn get(State(server): State<AcmeServer>, InPath(certificate): InPath<String>) -> Answer {
    let window = server.desk().renewal_window(&certificate).await?;
    let body = json!({
        "suggestedWindow": { "start": window.start.rfc3339(), "end": window.end.rfc3339() },
    });
    Ok(Reply::json(StatusCode::OK, &body)
        .header(header::CACHE_CONTROL, "no-cache")
        .retry_after(Some(AGAIN)))
}
