//! What an agent is told when a call fails.

use agent_api::{ErrorBody, ErrorCode};
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use lifecycle::LifecycleError;

/// An answer that is not 2xx.
#[derive(Debug)]
pub struct Fault {
    status: StatusCode,
    code: ErrorCode,
    message: String,
    retry_after: Option<u64>,
}

impl Fault {
    pub fn new(status: StatusCode, code: ErrorCode, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), retry_after: None }
    }

    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, ErrorCode::Invalid, message)
    }

    pub fn unauthorized() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            ErrorCode::Unauthorized,
            "This token is not, or no longer, good. Activate the agent again: Automation > Agents.",
        )
    }
}

impl From<LifecycleError> for Fault {
    fn from(error: LifecycleError) -> Self {
        let message = error.to_string();
        match error {
            LifecycleError::SignedOut | LifecycleError::Forbidden { .. } => Self::unauthorized(),
            LifecycleError::NotFound { .. } => {
                Self::new(StatusCode::NOT_FOUND, ErrorCode::EventOver, message)
            }
            LifecycleError::Conflict { .. } => {
                Self::new(StatusCode::CONFLICT, ErrorCode::WrongStep, message)
            }
            LifecycleError::Invalid(_) | LifecycleError::Refused(_) => Self::invalid(message),
            LifecycleError::Throttled { retry_after_seconds } => Self {
                retry_after: Some(retry_after_seconds),
                ..Self::new(StatusCode::TOO_MANY_REQUESTS, ErrorCode::TooMany, message)
            },
            other => {
                tracing::error!(error = ?other, "an agent's call failed");
                Self {
                    retry_after: Some(10),
                    ..Self::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Unavailable, message)
                }
            }
        }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let body = Json(ErrorBody { code: self.code, message: self.message });
        let mut response = (self.status, body).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
