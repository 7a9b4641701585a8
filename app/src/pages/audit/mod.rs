//! "Account > Audit log": who did what, on what, from where; old and new values; its hash chain.

pub mod api;
#[cfg(feature = "ssr")]
pub mod files;
mod list;

pub use list::AuditPage;
