//! The portal's screens over HTTP: pages, forms, files, and what keeps them safe.
//!
//! A request passes, from the outside in: request id and log line, catch-panic, security headers,
//! compression, time limit, the origin check of unsafe methods, the session.

mod forms;
mod guard;
mod headers;
mod identify;
mod plain;

use std::sync::Arc;
use std::time::Duration;

use app::context::{self, Site};
use app::shell::{Document, DocumentProps};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get};
use http::{HeaderValue, Method, StatusCode};
use leptos::prelude::LeptosOptions;
use lifecycle::Lifecycle;
use tower::ServiceBuilder;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

use crate::assets;

/// The largest form that is carried out, in bytes.
const FORM_LIMIT: usize = 256 * 1024;
/// The largest form that is read, in bytes, to be answered at the field that is too long.
const READ_LIMIT: usize = 2 * 1024 * 1024;
/// The longest that a page may take.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// How people reach the portal.
#[derive(Debug, Clone, Default)]
pub(crate) struct WebOptions {
    /// This listener speaks TLS.
    pub(crate) tls: bool,
    /// The public URL, as configured: a proxy may end TLS before us.
    pub(crate) base_url: Option<String>,
}

/// What the handlers share. Each request clones it for each layer that it passes.
#[derive(Debug, Clone)]
struct Web {
    lifecycle: Lifecycle,
    options: Arc<WebOptions>,
    site: Arc<Site>,
}

/// The portal's screens. Serve it with connect info, so that sessions and the audit log know where
/// a request comes from.
pub(crate) fn router(lifecycle: Lifecycle, options: WebOptions) -> Router {
    context::start();
    let web = Web { lifecycle, options: Arc::new(options), site: Arc::new(assets::site()) };
    let request_id = http::HeaderName::from_static("x-request-id");
    let around = ServiceBuilder::new()
        .layer(SetRequestIdLayer::new(request_id.clone(), MakeRequestUuid))
        .layer(TraceLayer::new_for_http())
        .layer(PropagateRequestIdLayer::new(request_id))
        .layer(middleware::from_fn_with_state(web.clone(), headers::set))
        .layer(CatchPanicLayer::custom(plain::panicked))
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, TIME_LIMIT))
        .layer(middleware::from_fn(guard::own_origin))
        .layer(middleware::from_fn_with_state(web.clone(), identify::person));
    let screens = Router::new()
        .route("/api/{*function}", any(forms::server_function))
        .fallback(page)
        .with_state(web)
        .merge(app::files::routes())
        .layer(around);
    Router::new().route("/pkg/{file}", get(assets::serve)).merge(screens)
}

/// Every page; the route table decides which, and says 404 where none is.
async fn page(State(web): State<Web>, request: Request) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        web.render(request).await
    } else {
        plain::page(
            StatusCode::METHOD_NOT_ALLOWED,
            "Not possible",
            "Pages are read here, nothing can be sent to them.",
        )
    }
}

impl Web {
    async fn render(&self, request: Request<Body>) -> Response {
        let (lifecycle, site) = (self.lifecycle.clone(), self.site.clone());
        let context = move || {
            context::provide(&lifecycle);
            headers::allow_own_scripts();
        };
        let document = move || {
            let script =
                site.script.clone().map(|name| LeptosOptions::builder().output_name(name).build());
            Document(DocumentProps { script, style: site.style.clone() })
        };
        let mut response = leptos_axum::render_app_async_with_context(context, document)(request)
            .await
            .into_response();
        response
            .headers_mut()
            .insert(http::header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

#[cfg(test)]
mod tests;
