//! What can go wrong in the authority, by what a caller does about it.

use crate::master_key::MasterKeyError;

/// A failure of the authority. Faults in a request have types of their own:
/// [`crate::CsrFault`] and [`crate::LintFaults`].
#[derive(Debug, thiserror::Error)]
pub enum CaError {
    /// The cryptographic library failed: no randomness, or a signature could not be made.
    #[error("the cryptographic library failed to {0}")]
    Crypto(&'static str),
    /// The master key could not be used.
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    /// A private key can't be read or is of a kind that can't sign here.
    #[error("The private key can't be used: {0}")]
    Key(String),
    /// A CA certificate or chain doesn't fit.
    #[error("The CA certificates can't be used: {0}")]
    Chain(String),
    /// A new authority can't have this name.
    #[error("The authority can't be made: {0}.")]
    Name(&'static str),
    /// A moment lies outside of what certificates can hold (years 1950 to 9999).
    #[error("{0} is outside of the years that a certificate can hold (1950 to 9999)")]
    Time(domain::Timestamp),
    /// The plan was linted for another issuer than the one that is asked to sign it.
    #[error("the plan was checked for another issuer: check it again before signing")]
    IssuerChanged,
}
