//! What can go wrong at the desk.

use std::borrow::Cow;

use domain::Refusal;

/// A fault in one field of what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldFault {
    /// The field's name, as forms and the API spell it.
    pub field: Cow<'static, str>,
    /// What is wrong and what to enter instead.
    pub message: String,
}

impl FieldFault {
    /// A fault in `field`.
    pub fn new(field: &'static str, message: impl Into<String>) -> Self {
        Self { field: Cow::Borrowed(field), message: message.into() }
    }
}

impl From<domain::rules::FieldFault> for FieldFault {
    fn from(fault: domain::rules::FieldFault) -> Self {
        Self { field: Cow::Owned(fault.field), message: fault.message }
    }
}

/// Why a use case did nothing.
#[derive(Debug, thiserror::Error)]
pub enum LifecycleError {
    /// A rule said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// What was asked can't be read; every faulty field is named.
    #[error("{}", join(.0))]
    Invalid(Vec<FieldFault>),
    /// Nobody is signed in, or the session is over.
    #[error("Sign in to go on.")]
    SignedOut,
    /// The person's role does not allow it.
    #[error("{what} needs the role {needs}. Ask an administrator.")]
    Forbidden {
        /// The act.
        what: &'static str,
        /// The least role that may.
        needs: &'static str,
    },
    /// There is no such thing, or it is not this person's to see.
    #[error("There is no such {what}. Check its name or number; it may have been removed.")]
    NotFound {
        /// The kind of thing.
        what: &'static str,
    },
    /// Somebody else changed it meanwhile.
    #[error("{message}")]
    Conflict {
        /// What changed, and what to do.
        message: String,
    },
    /// Too often.
    #[error("Too many attempts. Try again in {retry_after_seconds} seconds.")]
    Throttled {
        /// When to try again.
        retry_after_seconds: u64,
    },
    /// CAA records that nobody asked for yet: the desk asks the DNS and does the work again.
    #[error("The CAA records of {} could not be looked at. Try again.", .0.join(", "))]
    CaaUnknown(Vec<String>),
    /// The database failed.
    #[error("The database could not complete this. Nothing was changed.")]
    Store(#[source] store::StoreError),
    /// The authority failed.
    #[error("The certificate authority could not complete this.")]
    Authority(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A task of our own ended early, or stored data does not read.
    #[error("Internal error: {0}.")]
    Internal(String),
}

/// What use cases answer.
pub type Result<T> = std::result::Result<T, LifecycleError>;

impl From<store::StoreError> for LifecycleError {
    fn from(error: store::StoreError) -> Self {
        match error {
            // Whatever was sent with it, at whichever door.
            store::StoreError::Nul => Self::field(
                "text",
                "A text holds a NUL character, which can't be kept. Send it without.",
            ),
            error => Self::Store(error),
        }
    }
}

impl LifecycleError {
    /// One faulty field.
    pub fn field(field: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldFault::new(field, message)])
    }
}

fn join(faults: &[FieldFault]) -> String {
    let messages: Vec<&str> = faults.iter().map(|fault| fault.message.as_str()).collect();
    messages.join(" ")
}
