//! What can go wrong at the ACME door.

use crate::LifecycleError;
use domain::model::acme::Fault;

/// Why an ACME request did nothing.
#[derive(Debug, thiserror::Error)]
pub enum AcmeError {
    /// A problem that RFC 8555 names.
    #[error("{}", .0.detail)]
    Fault(Fault),
    /// Something else is in the way for a moment; the order stays as it was.
    #[error("{0}")]
    NotYet(String),
    /// There is no such thing, or it is another account's.
    #[error("There is no such {0}.")]
    NotFound(&'static str),
    /// The desk said no.
    #[error(transparent)]
    Desk(LifecycleError),
}

/// What ACME use cases answer.
pub type AcmeResult<T> = Result<T, AcmeError>;

impl AcmeError {
    /// A problem that RFC 8555 names.
    pub fn fault(code: &str, detail: impl Into<String>) -> Self {
        Self::Fault(Fault::new(code, detail))
    }
}

impl From<Fault> for AcmeError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<store::StoreError> for AcmeError {
    fn from(error: store::StoreError) -> Self {
        Self::Desk(error.into())
    }
}

impl From<LifecycleError> for AcmeError {
    fn from(error: LifecycleError) -> Self {
        Self::Desk(error)
    }
}
