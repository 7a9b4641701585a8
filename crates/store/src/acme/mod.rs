//! What the ACME server keeps (RFC 8555 section 7.1): ACME Directory URLs with their binding keys,
//! accounts, orders, authorizations with challenges, and nonces that were used.

mod accounts;
mod authorizations;
mod forget;
mod nonces;
mod order_moves;
mod orders;
mod primary;
mod reusable;
mod url_list;
mod urls;
mod validations;

pub use accounts::NewAcmeAccount;
pub use authorizations::{NewAuthorization, NewChallenge};
pub use order_moves::{AcmeOrderOutcome, Claim};
pub use orders::NewAcmeOrderRow;
pub use reusable::{OpenOrderKey, UsableAuthorization, WantedAuthorization};
pub use url_list::{AcmeUrlFilter, AcmeUrlLine, AcmeUrlSort};
pub use urls::{AcmeUrlRecord, BindingKey, BindingKeyRecord, NewAcmeUrlRow};
pub use validations::ValidationJob;

/// The count of rows is told up to this many; beyond, "more".
pub const COUNT_LIMIT: i64 = 1_000;
