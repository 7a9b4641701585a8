//! "Automation > Activity": automation events, each with a page that follows it.

pub mod api;
mod detail;
mod explained;
#[cfg(feature = "ssr")]
pub mod files;
mod list;
mod progress;

pub use detail::EventPage;
pub use explained::Explained;
pub use list::ActivityPage;
pub(crate) use list::{event_columns, event_rows};
pub(crate) use progress::progress;
