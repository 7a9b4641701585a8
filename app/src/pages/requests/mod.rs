//! "Certificates > Requests": what waits for approval, and what became of the rest.

pub mod api;
mod detail;
#[cfg(feature = "ssr")]
pub mod files;
mod list;

pub use detail::RequestPage;
pub use list::RequestsPage;
pub(crate) use list::{kind_label, state_badge};
