//! Answers that are no errors.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

/// An object with the members that are there besides the ones it always has.
pub fn with_optional<const N: usize>(
    mut json: Value,
    members: [(&str, Option<Value>); N],
) -> Value {
    if let Some(object) = json.as_object_mut() {
        let there = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        object.extend(there);
    }
    json
}

/// An answer with its headers. `Replay-Nonce` and `Link rel="index"` are added on the way out.
#[derive(Debug)]
pub struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Body,
}

impl Reply {
    /// No body.
    pub fn empty(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: Body::empty() }
    }

    /// A JSON object.
    pub fn json(status: StatusCode, value: &Value) -> Self {
        Self { status, headers: HeaderMap::new(), body: Body::from(value.to_string()) }
            .header(header::CONTENT_TYPE, "application/json")
    }

    /// Text of the given type.
    pub fn text(content_type: &str, text: String) -> Self {
        Self { status: StatusCode::OK, headers: HeaderMap::new(), body: Body::from(text) }
            .header(header::CONTENT_TYPE, content_type)
    }

    /// Adds a header; a value that no header can hold is left out.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.append(name, value);
        }
        self
    }

    /// The resource that was made, or that the answer shows.
    #[must_use]
    pub fn location(self, url: &str) -> Self {
        self.header(header::LOCATION, url)
    }

    /// A link to another resource (RFC 8288).
    #[must_use]
    pub fn link(self, relation: &str, url: &str) -> Self {
        self.header(header::LINK, &format!("<{url}>;rel=\"{relation}\""))
    }

    /// When to ask again, in seconds; nothing where there is no need to.
    #[must_use]
    pub fn retry_after(self, seconds: Option<u64>) -> Self {
        match seconds {
            Some(seconds) => self.header(header::RETRY_AFTER, &seconds.to_string()),
            None => self,
        }
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        (self.status, self.headers, self.body).into_response()
    }
}
