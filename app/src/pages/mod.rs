//! The pages, one room per area: `mod.rs`, `list.rs`, `detail.rs`, and `api.rs` with the view types
//! and server functions. `docs/PAGES.md` says how a page is written.

pub mod acme_urls;
pub mod activity;
pub mod agents;
pub mod api_keys;
pub mod audit;
#[cfg(feature = "ssr")]
pub mod csv;
pub mod dashboard;
pub mod domains;
pub mod endpoints;
mod later;
#[cfg(feature = "ssr")]
pub(crate) mod names;
pub mod not_found;
pub mod notifications;
pub mod orders;
pub mod organizations;
pub mod paged;
pub(crate) mod permitted;
pub mod preferences;
pub mod products;
pub mod profiles;
pub mod request;
pub mod requests;
pub mod search;
pub mod session;
pub mod users;
pub mod wizard;
