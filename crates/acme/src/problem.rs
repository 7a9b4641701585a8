//! Every error that a client meets, as a problem document (RFC 7807, RFC 8555 section 6.7).
//!
//! Nothing else in this crate turns an error into an answer.

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::model::acme::Fault;
use lifecycle::LifecycleError;
use lifecycle::acme::AcmeError;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::eab::BindingError;
use crate::jws::{Algorithm, JwsError};
use crate::reply::with_optional;

/// Seconds until a request that came at a bad moment is worth another try.
const SOON: u64 = 5;

macro_rules! kinds {
    ($($(#[$meta:meta])* $name:ident = $code:literal, $status:ident;)+) => {
        /// The error types of RFC 8555 section 6.7, RFC 9773 section 7.4 and the profiles draft.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Kind { $($(#[$meta])* $name),+ }

        impl Kind {
            /// The last part of `urn:ietf:params:acme:error:…`.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code),+ }
            }

            /// The HTTP status that goes with it, where nothing else is said.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status),+ }
            }

            fn find(code: &str) -> Option<Self> {
                match code { $($code => Some(Self::$name),)+ _ => None }
            }
        }
    };
}

kinds! {
    /// No account has this key, and only an existing one was asked for.
    AccountDoesNotExist = "accountDoesNotExist", BAD_REQUEST;
    /// The certificate to be replaced was replaced already (RFC 9773).
    AlreadyReplaced = "alreadyReplaced", CONFLICT;
    /// The certificate was revoked before.
    AlreadyRevoked = "alreadyRevoked", BAD_REQUEST;
    /// The CSR is not acceptable.
    BadCsr = "badCSR", BAD_REQUEST;
    /// The nonce is not one of ours, was used, or is too old.
    BadNonce = "badNonce", BAD_REQUEST;
    /// The key is not acceptable.
    BadPublicKey = "badPublicKey", BAD_REQUEST;
    /// The revocation reason is not one that may be given.
    BadRevocationReason = "badRevocationReason", BAD_REQUEST;
    /// The signature algorithm is not one of ours.
    BadSignatureAlgorithm = "badSignatureAlgorithm", BAD_REQUEST;
    /// CAA records forbid it.
    Caa = "caa", FORBIDDEN;
    /// Several errors, in `subproblems`.
    Compound = "compound", BAD_REQUEST;
    /// The server could not be reached for validation.
    Connection = "connection", BAD_REQUEST;
    /// DNS gave no usable answer.
    Dns = "dns", BAD_REQUEST;
    /// An external account binding is needed.
    ExternalAccountRequired = "externalAccountRequired", FORBIDDEN;
    /// The answer to the challenge is not the expected one.
    IncorrectResponse = "incorrectResponse", FORBIDDEN;
    /// A contact can't be read.
    InvalidContact = "invalidContact", BAD_REQUEST;
    /// The profile is not one that the directory lists.
    InvalidProfile = "invalidProfile", BAD_REQUEST;
    /// The request can't be read.
    Malformed = "malformed", BAD_REQUEST;
    /// The order is not ready to be finalized.
    OrderNotReady = "orderNotReady", FORBIDDEN;
    /// Too many requests.
    RateLimited = "rateLimited", TOO_MANY_REQUESTS;
    /// The server will not issue for this identifier.
    RejectedIdentifier = "rejectedIdentifier", FORBIDDEN;
    /// Our fault.
    ServerInternal = "serverInternal", INTERNAL_SERVER_ERROR;
    /// TLS failed during validation.
    Tls = "tls", BAD_REQUEST;
    /// The client may not do this.
    Unauthorized = "unauthorized", UNAUTHORIZED;
    /// The scheme of a contact is not supported.
    UnsupportedContact = "unsupportedContact", BAD_REQUEST;
    /// Identifiers of this type are not issued.
    UnsupportedIdentifier = "unsupportedIdentifier", BAD_REQUEST;
}

/// A problem document with the headers that belong to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Its type.
    pub kind: Kind,
    /// The HTTP status; usually [`Kind::status`].
    pub status: StatusCode,
    /// What happened, why, and what to do next.
    pub detail: String,
    /// One problem for each identifier concerned.
    pub subproblems: Vec<Fault>,
    /// Where the thing in the way is: the account that has the key.
    pub location: Option<String>,
    /// Seconds to wait.
    pub retry_after: Option<u64>,
}

impl Problem {
    /// A problem with its type's usual status.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self {
            kind,
            status: kind.status(),
            detail,
            subproblems: Vec::new(),
            location: None,
            retry_after: None,
        }
    }

    /// A request that can't be read.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(Kind::Malformed, detail)
    }

    /// The same with another HTTP status.
    #[must_use]
    pub fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// A thing that is not there, or is another account's: both look the same.
    pub fn not_found(what: &str) -> Self {
        Self::malformed(format!("There is no such {what} for this account."))
            .with_status(StatusCode::NOT_FOUND)
    }

    /// The nonce is no good. acme.sh tries again only if the detail holds these words.
    pub fn bad_nonce() -> Self {
        Self::new(
            Kind::BadNonce,
            "JWS has an invalid anti-replay nonce: it is not one of this server's, was used before, or is too old. \
             Send the request again with the nonce of this answer.",
        )
    }

    fn body(&self) -> Value {
        let body = json!({
            "type": urn(self.kind.code()),
            "detail": self.detail,
            "status": self.status.as_u16(),
        });
        let algorithms =
            (self.kind == Kind::BadSignatureAlgorithm).then(|| json!(Algorithm::NAMES));
        with_optional(
            body,
            [("algorithms", algorithms), ("subproblems", subproblems(&self.subproblems))],
        )
    }
}

fn urn(code: &str) -> String {
    format!("urn:ietf:params:acme:error:{code}")
}

/// A stored error of an order or challenge as the JSON of its `error` member.
pub fn fault_json(fault: &Fault) -> Value {
    with_optional(
        json!({"type": urn(&fault.code), "detail": fault.detail}),
        [
            ("status", Kind::find(&fault.code).map(|kind| json!(kind.status().as_u16()))),
            ("identifier", fault.identifier.as_ref().map(|identifier| json!(identifier))),
            ("subproblems", subproblems(&fault.subproblems)),
        ],
    )
}

fn subproblems(faults: &[Fault]) -> Option<Value> {
    (!faults.is_empty()).then(|| faults.iter().map(fault_json).collect())
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body())).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        let optional: [(HeaderName, Option<String>); 2] = [
            (header::LOCATION, self.location),
            (header::RETRY_AFTER, self.retry_after.map(|seconds| seconds.to_string())),
        ];
        for (name, value) in optional {
            if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
                headers.insert(name, value);
            }
        }
        response
    }
}

impl From<JwsError> for Problem {
    fn from(error: JwsError) -> Self {
        let kind = match &error {
            JwsError::Malformed(_) | JwsError::Signature => Kind::Malformed,
            JwsError::Algorithm(_) => Kind::BadSignatureAlgorithm,
            JwsError::Key(_) => Kind::BadPublicKey,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<BindingError> for Problem {
    fn from(error: BindingError) -> Self {
        Self::malformed(error.to_string())
    }
}

impl From<AcmeError> for Problem {
    fn from(error: AcmeError) -> Self {
        match error {
            AcmeError::Fault(fault) => {
                let kind = Kind::find(&fault.code).unwrap_or(Kind::ServerInternal);
                Self { subproblems: fault.subproblems, ..Self::new(kind, fault.detail) }
            }
            AcmeError::NotYet(words) => {
                Self { retry_after: Some(SOON), ..Self::new(Kind::OrderNotReady, words) }
            }
            AcmeError::NotFound(what) => Self::not_found(what),
            AcmeError::Desk(error) => error.into(),
        }
    }
}

impl From<LifecycleError> for Problem {
    fn from(error: LifecycleError) -> Self {
        match error {
            LifecycleError::Refused(refusal) => {
                let kind = match refusal.code {
                    "caa_forbids" => Kind::Caa,
                    "caa_unanswered" => Kind::Dns,
                    "key_compromised" => return Self::new(Kind::BadCsr, refusal.message),
                    _ => Kind::Unauthorized,
                };
                Self::new(kind, refusal.message).with_status(StatusCode::FORBIDDEN)
            }
            LifecycleError::Invalid(_) => Self::malformed(error.to_string()),
            LifecycleError::SignedOut | LifecycleError::Forbidden { .. } => {
                Self::new(Kind::Unauthorized, error.to_string())
            }
            LifecycleError::NotFound { what } => Self::not_found(what),
            LifecycleError::Conflict { message } => {
                Self::malformed(message).with_status(StatusCode::CONFLICT)
            }
            LifecycleError::Throttled { retry_after_seconds } => Self {
                retry_after: Some(retry_after_seconds.min(600)),
                ..Self::new(
                    Kind::RateLimited,
                    format!("Too many requests. Try again in {retry_after_seconds} seconds."),
                )
            },
            internal => {
                tracing::error!(
                    error = &internal as &dyn std::error::Error,
                    "an ACME request failed"
                );
                Self {
                    retry_after: Some(SOON),
                    ..Self::new(
                        Kind::ServerInternal,
                        "The server could not complete this. Nothing was changed; try again.",
                    )
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_nonce_is_told_in_the_words_that_acme_sh_looks_for() {
        assert!(Problem::bad_nonce().detail.contains("JWS has an invalid anti-replay nonce"));
    }

    /// Clients try again after this one, and give up on a conflict.
    #[test]
    fn what_is_in_the_way_for_a_moment_is_worth_another_try() {
        let problem = Problem::from(AcmeError::NotYet("Wait.".to_owned()));
        assert_eq!((problem.kind, problem.status), (Kind::OrderNotReady, StatusCode::FORBIDDEN));
        assert!(problem.retry_after.is_some_and(|seconds| seconds <= 60));
    }

    #[test]
    fn an_unaccepted_algorithm_names_the_accepted_ones() {
        let problem = Problem::from(JwsError::Algorithm("HS256".to_owned()));
        assert_eq!(problem.body()["algorithms"][0], "RS256");
        assert_eq!(problem.body()["type"], "urn:ietf:params:acme:error:badSignatureAlgorithm");
    }
}
