//! (ssr) What is answered with files or streams instead of pages: CSV exports, certificates, live
//! events. Handlers take [`crate::desk::Desk`] as an argument and stand in `pages/<area>/files.rs`.

use axum::Router;

/// All such routes.
pub fn routes() -> Router {
    Router::new()
}
