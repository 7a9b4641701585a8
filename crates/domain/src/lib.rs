//! Types and rules of the certificate portal.
//!
//! Pure: no I/O, no clock, no randomness, no database. Every rule of the product lives in
//! [`rules`] and answers with data, a plan or a [`refusal::Refusal`]; the screens, the API, the
//! ACME server and the automation worker all use the same functions.

mod coded;
pub mod country;
mod email;
pub mod ids;
mod line;
pub mod model;
pub mod names;
pub mod product;
pub mod refusal;
pub mod rules;
pub mod time;

pub use email::is_email;
pub use ids::*;
pub use line::{is_line, is_unseen};
pub use names::{DnsName, IpName, Name, NameError, NameSet};
pub use product::{Product, ProductId, Validation};
pub use refusal::Refusal;
pub use time::{Days, Timestamp};
