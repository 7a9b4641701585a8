//! `/healthz` (the process is alive) and `/readyz` (it can do its work).

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use lifecycle::Lifecycle;

/// Both routes.
pub fn router(desk: Lifecycle) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .with_state(desk)
}

/// Database reachable, schema current, authority usable; the first that is not is named.
async fn ready(State(desk): State<Lifecycle>) -> Response {
    let store = desk.store();
    let missing = if store.ping().await.is_err() {
        Some("the database cannot be reached")
    } else if !store.schema_is_current().await.unwrap_or(false) {
        Some("the database's schema is not this program's: run `certdeck migrate`")
    } else if desk.issuer().is_err() {
        Some("the certificate authority cannot be used")
    } else {
        None
    };
    match missing {
        None => "ready\n".into_response(),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
    }
}
