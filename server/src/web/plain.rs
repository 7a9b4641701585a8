//! Pages for when no page can be rendered: refused before the app, or the app failed.

use std::any::Any;

use axum::response::{Html, IntoResponse as _, Response};
use http::StatusCode;

/// A short page in words, without styles and scripts.
pub(super) fn page(status: StatusCode, title: &str, text: &str) -> Response {
    let body = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\">\
         <title>{title} · Certdeck</title></head><body><main><h1>{title}</h1><p>{text}</p>\
         <p><a href=\"/\">To the dashboard</a></p></main></body></html>"
    );
    (status, Html(body)).into_response()
}

/// The page after a panic; what it was is in the log.
#[expect(clippy::needless_pass_by_value, reason = "the layer hands the payload over")]
pub(super) fn panicked(payload: Box<dyn Any + Send + 'static>) -> Response {
    let words = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied());
    tracing::error!(panic = words.unwrap_or("of an unknown kind"), "a request ended in a panic");
    page(
        StatusCode::INTERNAL_SERVER_ERROR,
        "Something went wrong",
        "This page failed on our side. Go back and try again; if it stays, tell the operator of this portal the time and the address.",
    )
}
