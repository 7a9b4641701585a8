//! Everything that Certdeck keeps, in SQLite or PostgreSQL.
//!
//! One [`Store`], one SQL text for both databases (see [`Tx`]). Methods of the areas are
//! `impl Tx` and never decide anything: they read and write what the caller has decided. Write
//! transactions are opened by [`Store::write`] alone.

pub mod acme;
pub mod agents;
pub mod api_tokens;
pub mod audit;
pub mod authorities;
pub mod backup;
pub mod bulk;
pub mod candidates;
pub mod certificates;
mod checkpoint;
pub mod dashboard;
pub mod endpoints;
mod error;
pub mod events;
pub mod issuances;
mod kept;
pub mod keyset;
mod one_reader;
mod one_text;
mod open;
pub mod orders;
pub mod organizations;
#[cfg(test)]
mod page_costs;
pub mod profiles;
pub mod rate;
pub mod requests;
#[cfg(test)]
mod samples;
pub mod search;
pub mod seed;
mod session;
pub mod sessions;
pub mod settings;
#[doc(hidden)]
pub mod testing;
mod tx;
pub mod users;
pub mod value;
mod write;

pub use error::StoreError;
pub use open::{Store, StoreOptions};
pub use session::SqliteSession;
pub(crate) use tx::on;
pub use tx::{PgSession, Tx};
pub use write::WORK_LIMIT;
