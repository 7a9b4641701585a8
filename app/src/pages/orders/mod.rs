//! "Certificates > Orders": the list, an order, its certificate actions.

mod actions;
pub mod api;
mod badges;
mod detail;
mod download;
#[cfg(feature = "ssr")]
pub mod files;
pub mod forms;
mod history;
mod list;

pub(crate) use actions::csr_field;
pub use actions::{DuplicatePage, ReissuePage, RenewPage, RevokePage};
pub(crate) use badges::certificate_badge;
#[cfg(feature = "ssr")]
pub(crate) use badges::{certificate_word, product_name};
pub(crate) use badges::{no_further_names, plan_label};
pub use detail::OrderPage;
pub use download::DownloadPage;
pub use list::OrdersPage;
