//! (ssr) What is answered with files or streams instead of pages: CSV exports, certificates, live
//! events. Handlers take [`crate::desk::Desk`] as an argument and stand in `pages/<area>/files.rs`.

use axum::Router;
use axum::routing::{get, post};

use crate::pages::{
    acme_urls, activity, agents, api_keys, audit, domains, endpoints, orders, organizations,
    profiles, request, requests, users, wizard,
};
use crate::paths;

/// All such routes.
pub fn routes() -> Router {
    Router::new()
        .route(&paths::csv(paths::ENDPOINTS), get(endpoints::files::endpoints))
        .route(&paths::csv(paths::ACTIVITY), get(activity::files::activity))
        .route(&paths::csv(paths::ACME_URLS), get(acme_urls::files::acme_urls))
        .route(&paths::csv(paths::AGENTS), get(agents::files::agents))
        .route(&paths::csv(paths::PROFILES), get(profiles::files::profiles))
        .route("/automation/activity/{id}/stream", get(activity::files::stream))
        .route("/automation/endpoints/{id}/request/names", get(wizard::files::names))
        .route(&paths::csv(paths::USERS), get(users::files::users))
        .route(&paths::csv(paths::API_KEYS), get(api_keys::files::api_keys))
        .route(&paths::csv(paths::AUDIT_LOG), get(audit::files::audit_log))
        .route(&paths::csv(paths::ORGANIZATIONS), get(organizations::files::organizations))
        .route(&paths::csv(paths::DOMAINS), get(domains::files::domains))
        .route(&paths::csv(paths::ORDERS), get(orders::files::orders))
        .route(&paths::csv(paths::REQUESTS), get(requests::files::requests))
        .route(paths::READ_CSR.as_str(), post(request::files::csr))
        .route("/certificates/files/{id}/{format}", get(orders::files::certificate))
}
