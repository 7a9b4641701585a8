//! The embedded certificate authority, as a library without a database, a network or a clock.
//!
//! - [`csr`] reads requests and [`key_check`] judges their keys;
//! - [`issue`] goes from a [`Plan`] through its lints ([`lint`]) to an [`IssuedCertificate`];
//!   [`profile`] says what each kind of certificate holds;
//! - [`authority`] is the root, the issuing intermediate and its key; [`keys`] and [`master_key`]
//!   make keys and keep them encrypted;
//! - [`crl`] and [`ocsp`] publish revocations, [`bundle`] the formats that people download.
//!
//! Every function is synchronous and short (one signature at most; RSA key generation is the one
//! that takes seconds). Every moment is an argument.

pub mod authority;
pub mod bundle;
mod certificate;
pub mod chain;
pub mod crl;
pub mod csr;
mod der;
mod error;
pub mod issue;
pub mod key_check;
pub mod keys;
pub mod lint;
pub mod master_key;
pub mod ocsp;
pub mod profile;
mod self_signature;

pub use authority::{Authority, AuthorityOptions, StoredAuthority};
pub use chain::CaCertificate;
pub use crl::{CrlPlan, RevokedEntry, SignedCrl};
pub use csr::{CsrFacts, CsrFault};
pub use error::CaError;
pub use issue::{IssuedCertificate, LintedPlan, Plan, new_serial};
pub use key_check::{Curve, KeyFacts, KeyFault};
pub use keys::SigningKey;
pub use lint::{LintFault, LintFaults};
pub use master_key::{MasterKey, MasterKeyError};
pub use profile::{BusinessCategory, Registration, Subject, SubjectOrganization, Urls};
