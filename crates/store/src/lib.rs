//! Everything that Certdeck keeps, in SQLite or PostgreSQL.
//!
//! One [`Store`], one SQL text for both databases (see [`Tx`]). Methods of the areas are
//! `impl Tx` and never decide anything: they read and write what the caller has decided. Write
//! transactions are opened by [`Store::write`] alone.

mod error;
mod open;
#[doc(hidden)]
pub mod testing;
mod tx;
pub mod value;
mod write;

pub use error::StoreError;
pub use open::{Store, StoreOptions};
pub(crate) use tx::on;
pub use tx::{PgSession, Tx};
pub use write::WORK_LIMIT;
