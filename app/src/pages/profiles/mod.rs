//! "Automation > Manage profiles": all that a request needs but the names.

pub mod api;
mod edit;
#[cfg(feature = "ssr")]
pub mod files;
mod list;
#[cfg(feature = "ssr")]
pub(crate) mod read_form;
#[cfg(feature = "ssr")]
mod reading;

pub use edit::{ProfileNewPage, ProfilePage};
pub use list::ProfilesPage;
