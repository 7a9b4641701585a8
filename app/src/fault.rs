//! All that a browser may learn of a failure.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use leptos::server_fn::codec::JsonEncoding;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use serde::{Deserialize, Serialize};

use crate::query::Query;

/// What is wrong with one field of a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldFault {
    /// The field's `name`.
    pub field: String,
    /// What is wrong and what to enter instead.
    pub message: String,
}

impl FieldFault {
    /// A fault of one field.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

/// A failure in words for the person in front of the screen. Causes stay in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum PortalError {
    /// A rule said no.
    #[error("{message}")]
    Refused {
        /// The rule's number.
        rule: String,
        /// Its stable code.
        code: String,
        /// What happened, why, what to do next.
        message: String,
    },
    /// Fields of the form need another look.
    #[error("Some of what you entered needs another look.")]
    Invalid(Vec<FieldFault>),
    /// Nobody is signed in.
    #[error("Your session is over. Sign in to go on.")]
    SignedOut,
    /// The role does not allow it.
    #[error("{0}")]
    Forbidden(String),
    /// There is no such thing, or it is not this person's to see.
    #[error("{0}")]
    NotFound(String),
    /// Somebody else changed it meanwhile.
    #[error("{0}")]
    Conflict(String),
    /// Too often.
    #[error("Too many attempts. Try again in {0} seconds.")]
    Throttled(u64),
    /// What was sent can't be read at all.
    #[error("{0}")]
    Unreadable(String),
    /// It failed on our side.
    #[error(
        "Something went wrong on our side, and nothing was changed. Try again; if it stays, give the operator of this portal the time and the address of this page."
    )]
    Failed,
}

impl PortalError {
    /// One faulty field.
    pub fn field(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldFault::new(field, message)])
    }

    /// There is no such thing.
    pub fn no_such(what: &str) -> Self {
        Self::NotFound(format!("There is no such {what}, or it is not yours to see."))
    }

    /// The HTTP status that goes with it.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Refused { .. } | Self::Invalid(_) => 422,
            Self::SignedOut => 401,
            Self::Forbidden(_) => 403,
            Self::NotFound(_) => 404,
            Self::Conflict(_) => 409,
            Self::Throttled(_) => 429,
            Self::Unreadable(_) => 400,
            Self::Failed => 500,
        }
    }

    /// A headline for a page that can show nothing but the failure.
    pub const fn title(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "Not possible",
            Self::Invalid(_) | Self::Unreadable(_) => "Please check what you entered",
            Self::SignedOut => "Sign in",
            Self::Forbidden(_) => "Not allowed",
            Self::NotFound(_) => "Page not found",
            Self::Conflict(_) => "This could not be done",
            Self::Throttled(_) => "Too many attempts",
            Self::Failed => "Something went wrong",
        }
    }

    /// What is wrong with which fields.
    pub fn faults(&self) -> &[FieldFault] {
        match self {
            Self::Invalid(faults) => faults,
            _ => &[],
        }
    }

    /// What is wrong with the field `name`.
    pub fn of_field(&self, name: &str) -> Option<&str> {
        let fault = self.faults().iter().find(|fault| fault.field == name);
        fault.map(|fault| fault.message.as_str())
    }
}

impl FromServerFnError for PortalError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) => Self::Unreadable(
                "The form could not be read. Reload the page and send it again.".to_owned(),
            ),
            _ => Self::Failed,
        }
    }
}

#[cfg(feature = "ssr")]
impl From<lifecycle::LifecycleError> for PortalError {
    fn from(error: lifecycle::LifecycleError) -> Self {
        use lifecycle::LifecycleError as Fault;
        match error {
            Fault::Refused(refusal) => Self::from(refusal),
            Fault::Invalid(faults) => Self::Invalid(
                faults
                    .into_iter()
                    .map(|fault| FieldFault {
                        field: fault.field.into_owned(),
                        message: fault.message,
                    })
                    .collect(),
            ),
            Fault::SignedOut => Self::SignedOut,
            Fault::Forbidden { .. } => Self::Forbidden(error.to_string()),
            Fault::NotFound { what } => Self::no_such(what),
            Fault::Conflict { message } => Self::Conflict(message),
            Fault::CaaUnknown(_) => Self::Conflict(error.to_string()),
            Fault::Throttled { retry_after_seconds } => Self::Throttled(retry_after_seconds),
            Fault::Store(_) | Fault::Authority(_) | Fault::Internal(_) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a page could not be served"
                );
                Self::Failed
            }
        }
    }
}

impl From<domain::Refusal> for PortalError {
    fn from(refusal: domain::Refusal) -> Self {
        Self::Refused {
            rule: refusal.rule.to_owned(),
            code: refusal.code.to_owned(),
            message: refusal.message,
        }
    }
}

/// A form that was sent and came back: its page is shown again with the failure and with all that
/// was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// The URL that the form was sent to.
    pub action: String,
    /// What was typed.
    pub fields: Query,
    /// Why it came back; none where its sender had to sign in first, and nothing was done with it.
    pub error: Option<PortalError>,
}

/// Whether the form that came back stands on the page that is shown: what somebody else did
/// meanwhile may have taken it away.
#[derive(Debug, Clone, Default)]
pub struct StandsOnPage(Arc<AtomicBool>);

impl StandsOnPage {
    /// It does.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it does.
    pub fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Submitted {
    /// The form as the sign-in form carries it, passwords left out.
    pub fn carry(&self) -> String {
        let fields = self.fields.without_all(|name| name.ends_with(SECRET));
        format!("{}?{}", self.action, fields.text())
    }

    /// Reads what [`Submitted::carry`] wrote.
    pub fn carried(text: &str) -> Option<Self> {
        let (action, fields) = text.split_once('?')?;
        Some(Self { action: action.to_owned(), fields: Query::parse(fields), error: None })
    }
}

/// How the names of fields end that no page shows again.
pub(crate) const SECRET: &str = "password";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_carried_without_its_passwords() {
        let fields = Query::parse("name=a%26b&note=&ids[]=1&ids[]=2&current_password=x&password=y");
        let sent = Submitted { action: "/api/x".to_owned(), fields, error: None };
        let carried = Submitted::carried(&sent.carry()).unwrap();
        assert_eq!(carried.action, "/api/x");
        assert_eq!(carried.fields, Query::parse("name=a%26b&note=&ids[]=1&ids[]=2"));
        assert_eq!(Submitted::carried("nothing"), None);
    }
}
