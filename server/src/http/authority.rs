//! What the authority publishes, for everybody: root, issuers, CRL (RFC 5280), OCSP (RFC 6960).

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{StatusCode, header};
use lifecycle::authority::OcspAnswer;
use lifecycle::{Lifecycle, LifecycleError};

/// The largest OCSP request, in bytes.
const MAX_OCSP: usize = 16 * 1024;

/// The routes under `/ca`.
pub fn router(desk: Lifecycle) -> Router {
    Router::new()
        .route("/ca/root.pem", get(root))
        .route("/ca/{issuer}/issuer.der", get(issuer))
        .route("/ca/{issuer}/crl", get(crl))
        .route("/ca/{issuer}/ocsp", axum::routing::post(ocsp_post))
        .route("/ca/{issuer}/ocsp/{*request}", get(ocsp_get))
        .layer(DefaultBodyLimit::max(MAX_OCSP))
        .with_state(desk)
}

async fn root(State(desk): State<Lifecycle>) -> Response {
    answer("application/x-pem-file", desk.root_pem().map(String::into_bytes))
}

async fn issuer(State(desk): State<Lifecycle>, Path(id): Path<String>) -> Response {
    answer("application/pkix-cert", desk.issuer_der(&id).await)
}

async fn crl(State(desk): State<Lifecycle>, Path(id): Path<String>) -> Response {
    answer("application/pkix-crl", desk.crl(&id).await)
}

async fn ocsp_post(State(desk): State<Lifecycle>, Path(id): Path<String>, body: Bytes) -> Response {
    ocsp(desk.ocsp_der(&id, &body).await)
}

async fn ocsp_get(
    State(desk): State<Lifecycle>,
    Path((id, request)): Path<(String, String)>,
) -> Response {
    ocsp(desk.ocsp_base64(&id, &request).await)
}

/// Both are status 200 (RFC 6960 appendix A.2); an error is not to be kept.
fn ocsp(answer: OcspAnswer) -> Response {
    const KIND: &str = "application/ocsp-response";
    match answer {
        Ok(body) => published(KIND, body),
        Err(body) => ([(header::CONTENT_TYPE, KIND), (header::CACHE_CONTROL, "no-store")], body)
            .into_response(),
    }
}

fn published(kind: &'static str, body: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "public, max-age=3600")], body)
        .into_response()
}

fn answer(kind: &'static str, body: lifecycle::Result<Vec<u8>>) -> Response {
    match body {
        Ok(body) => published(kind, body),
        Err(LifecycleError::NotFound { .. }) => {
            (StatusCode::NOT_FOUND, "There is no such issuer.\n").into_response()
        }
        Err(error) => {
            tracing::error!(?error, "the authority can't publish");
            (StatusCode::SERVICE_UNAVAILABLE, "Try again later.\n").into_response()
        }
    }
}
