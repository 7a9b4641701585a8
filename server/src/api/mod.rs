//! The JSON API in the shape of CertCentral's Services API, so that its existing clients work:
//! `/services/v2/…` with an API key in the header `X-DC-DEVKEY`.
//!
//! A door to the same desk as the screens: every answer comes from the lifecycle, no rule is
//! written here. `/api/openapi.json` describes it.

mod account;
mod acme_eab;
mod caller;
mod certificates;
mod dates;
mod error;
mod fields;
mod listing;
mod loose;
mod openapi;
mod order_list;
mod order_view;
mod orders;
mod organizations;
mod requests;
mod wanted;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post, put};
use lifecycle::Lifecycle;

/// The largest body that is read, in bytes.
const BODY_LIMIT: usize = 256 * 1024;

/// What the handlers share.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    desk: Lifecycle,
    /// The portal's public URL, without a slash at its end.
    base_url: Arc<str>,
}

/// Every route of the API.
pub(crate) fn router(desk: Lifecycle, base_url: &str) -> Router {
    let services = Router::new()
        .route("/user", get(account::users))
        .route("/user/me", get(account::me))
        .route("/container", get(account::containers))
        .route("/organization", get(organizations::organizations))
        .route("/organization/{id}", get(organizations::organization))
        .route("/domain", get(organizations::domains))
        .route("/domain/{id}", get(organizations::domain))
        .route("/product", get(account::products))
        .route("/product/{id}", get(account::one_product))
        .route("/order/certificate", get(order_list::orders))
        // GET takes an order's number here, POST a product's id.
        .route("/order/certificate/{what}", get(order_view::order).post(orders::new))
        .route(
            "/order/certificate/{what}/duplicate",
            get(order_view::duplicates).post(orders::duplicate),
        )
        .route("/order/certificate/{what}/reissue", get(order_view::reissues).post(orders::reissue))
        .route("/order/certificate/{what}/revoke", put(orders::revoke))
        .route("/certificate/{id}/revoke", put(certificates::revoke))
        .route("/certificate/{id}/chain", get(certificates::chain))
        .route("/certificate/download/order/{id}/format/{format}", get(certificates::of_order))
        .route("/certificate/{id}/download/format/{format}", get(certificates::download))
        .route("/request", get(requests::requests))
        .route("/request/{id}", get(requests::request))
        .route("/request/{id}/status", put(requests::set_status))
        .route("/key/acme-eab", post(acme_eab::create))
        .fallback(error::no_route)
        .method_not_allowed_fallback(error::no_method)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(Api { desk, base_url: base_url.trim_end_matches('/').into() });
    Router::new().nest("/services/v2", services).route("/api/openapi.json", get(openapi::document))
}

#[cfg(test)]
mod tests;
