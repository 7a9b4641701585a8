//! (ssr) What is answered with files or streams instead of pages: CSV exports, certificates, live
//! events. Handlers take [`crate::desk::Desk`] as an argument and stand in `pages/<area>/files.rs`.

use axum::Router;
use axum::routing::{MethodRouter, get, post};

use crate::pages::{
    acme_urls, activity, agents, api_keys, audit, domains, endpoints, orders, organizations,
    profiles, request, requests, users, wizard,
};
use crate::paths;

/// All such routes.
pub fn routes() -> Router {
    each().into_iter().fold(Router::new(), |router, (path, handler)| router.route(&path, handler))
}

/// The routes, each with its path.
pub fn each() -> Vec<(String, MethodRouter)> {
    let at = |path: &str, handler| (path.to_owned(), handler);
    vec![
        (paths::csv(paths::ENDPOINTS), get(endpoints::files::endpoints)),
        (paths::csv(paths::ACTIVITY), get(activity::files::activity)),
        (paths::csv(paths::ACME_URLS), get(acme_urls::files::acme_urls)),
        (paths::csv(paths::AGENTS), get(agents::files::agents)),
        (paths::csv(paths::PROFILES), get(profiles::files::profiles)),
        at("/automation/activity/{id}/stream", get(activity::files::stream)),
        at("/automation/endpoints/{id}/request/names", get(wizard::files::names)),
        (paths::csv(paths::USERS), get(users::files::users)),
        (paths::csv(paths::API_KEYS), get(api_keys::files::api_keys)),
        (paths::csv(paths::AUDIT_LOG), get(audit::files::audit_log)),
        (paths::csv(paths::ORGANIZATIONS), get(organizations::files::organizations)),
        (paths::csv(paths::DOMAINS), get(domains::files::domains)),
        (paths::csv(paths::ORDERS), get(orders::files::orders)),
        (paths::csv(paths::REQUESTS), get(requests::files::requests)),
        at(paths::READ_CSR.as_str(), post(request::files::csr)),
        at("/certificates/files/{id}/{format}", get(orders::files::certificate)),
    ]
}
