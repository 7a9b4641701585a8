//! Who calls, and what they send.

use std::net::SocketAddr;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, OptionalFromRequest, Request};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use lifecycle::{Actor, Lifecycle, Person};
use serde::de::DeserializeOwned;

use super::Api;
use super::error::ApiError;

/// The header with the API key.
const KEY_HEADER: &str = "x-dc-devkey";

/// A program with a good API key, at the desk.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) desk: Lifecycle,
    pub(super) person: Person,
}

impl Caller {
    pub(super) fn actor(&self) -> Actor {
        Actor::Person(self.person.clone())
    }
}

impl FromRequestParts<Api> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, ApiError> {
        let refused =
            |message: &str| ApiError::new(StatusCode::UNAUTHORIZED, "invalid_api_key", message);
        let key = parts.headers.get(KEY_HEADER).and_then(|value| value.to_str().ok());
        let key = key.ok_or_else(|| {
            refused("Send an API key in the header X-DC-DEVKEY. Account > API keys makes one.")
        })?;
        let connection = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let address = connection.map(|ConnectInfo(address)| address.ip().to_canonical());
        let person = api.desk.authenticate_api_key(key.trim(), address).await?;
        let person = person.ok_or_else(|| {
            refused("This API key is unknown or revoked, or its owner is disabled.")
        })?;
        Ok(Self { desk: api.desk.clone(), person })
    }
}

/// A JSON body.
#[derive(Debug)]
pub(super) struct Sent<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Sent<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        match <Json<T> as FromRequest<S>>::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(rejection) => {
                let status = rejection.status();
                let code = match &rejection {
                    JsonRejection::MissingJsonContentType(_) => "invalid_content_type",
                    _ if status == StatusCode::PAYLOAD_TOO_LARGE => "body_too_large",
                    _ => "invalid_json",
                };
                Err(ApiError::new(status, code, rejection.body_text()))
            }
        }
    }
}

/// A body that may be missing.
impl<T: DeserializeOwned, S: Send + Sync> OptionalFromRequest<S> for Sent<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, ApiError> {
        if !request.headers().contains_key(CONTENT_TYPE) {
            return Ok(None);
        }
        <Self as FromRequest<S>>::from_request(request, state).await.map(Some)
    }
}

/// The header `Idempotency-Key`: the same key again gives the same outcome.
#[derive(Debug)]
pub(super) struct OnceOnly(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for OnceOnly {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        // Any bytes: none is cut off, so that no two keys become one.
        let key = parts.headers.get("idempotency-key").map(http::HeaderValue::as_bytes);
        Ok(Self(key.unwrap_or_default().iter().copied().map(char::from).collect()))
    }
}
