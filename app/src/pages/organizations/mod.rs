//! "Certificates > Organizations": who certificates are issued to.

pub mod api;
mod detail;
#[cfg(feature = "ssr")]
pub mod files;
mod list;

pub(crate) use detail::withdrawal;
pub use detail::{OrganizationNewPage, OrganizationPage};
pub use list::OrganizationsPage;
pub(crate) use list::{validation_badge, validation_choices, validation_end};
