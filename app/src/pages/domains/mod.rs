//! "Certificates > Domains": names that organizations have shown control of.

pub mod api;
mod detail;
#[cfg(feature = "ssr")]
pub mod files;
mod list;

pub use detail::{DomainNewPage, DomainPage};
pub use list::DomainsPage;
