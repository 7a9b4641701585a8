//! Errors as the Services API has them: `{"errors":[{"code":"…","message":"…"}]}`.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use lifecycle::LifecycleError;
use serde_json::{Value, json};

/// An error with its status.
#[derive(Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    /// Code and message of each fault.
    errors: Vec<(String, String)>,
    retry_after: Option<u64>,
}

/// What handlers answer.
pub(super) type ApiResult<T = Json<Value>> = Result<T, ApiError>;

impl ApiError {
    pub(super) fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        Self { status, errors: vec![(code.to_owned(), message.into())], retry_after: None }
    }

    /// What was sent can't be read.
    pub(super) fn bad(code: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub(super) fn no_such(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            format!("There is no such {what}, or it is not yours to see."),
        )
    }
}

impl From<LifecycleError> for ApiError {
    fn from(error: LifecycleError) -> Self {
        use LifecycleError as Fault;
        let message = error.to_string();
        match error {
            Fault::Refused(refusal) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, refusal.code, refusal.message)
            }
            Fault::Invalid(faults) => {
                let errors = faults
                    .into_iter()
                    .map(|fault| (format!("invalid_{}", fault.field), fault.message))
                    .collect();
                Self { status: StatusCode::BAD_REQUEST, errors, retry_after: None }
            }
            Fault::SignedOut => Self::new(StatusCode::UNAUTHORIZED, "invalid_api_key", message),
            Fault::Forbidden { .. } => Self::new(StatusCode::FORBIDDEN, "access_denied", message),
            Fault::NotFound { what } => Self::no_such(what),
            Fault::Conflict { .. } | Fault::CaaUnknown(_) => {
                Self::new(StatusCode::CONFLICT, "conflict", message)
            }
            Fault::Throttled { retry_after_seconds } => Self {
                retry_after: Some(retry_after_seconds),
                ..Self::new(StatusCode::TOO_MANY_REQUESTS, "request_limit_exceeded", message)
            },
            Fault::Store(_) | Fault::Authority(_) | Fault::Internal(_) => {
                tracing::error!(error = &error as &dyn std::error::Error, "an API request failed");
                let message = "It failed on our side, and nothing was changed. Try again later.";
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", message)
            }
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let errors: Vec<Value> = self
            .errors
            .into_iter()
            .map(|(code, message)| json!({"code": code, "message": message}))
            .collect();
        let mut response = (self.status, Json(json!({"errors": errors}))).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// Paths that are not there.
pub(super) async fn no_route() -> ApiError {
    ApiError::new(
        StatusCode::NOT_FOUND,
        "not_found",
        "There is nothing here. /api/openapi.json lists what there is.",
    )
}

/// Methods that a path does not have.
pub(super) async fn no_method() -> ApiError {
    ApiError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "This path has other methods; see /api/openapi.json.",
    )
}
