//! Requests that only read take one connection to the database for all that they read.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::Method;
use lifecycle::Lifecycle;

/// Others wait for things beside: for passwords to be hashed, or for the one that writes.
pub async fn with_one_reader(
    State(desk): State<Lifecycle>,
    request: Request,
    next: Next,
) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        desk.store().with_one_reader(next.run(request)).await
    } else {
        next.run(request).await
    }
}
