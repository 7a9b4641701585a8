//! "Automation > ACME Directory URLs": the credentials that ACME clients are bound with, what came
//! through them and why, and "Try a request".

pub mod api;
mod commands;
mod credential;
mod detail;
#[cfg(feature = "ssr")]
pub mod files;
mod list;
mod new;
mod orders;
#[cfg(feature = "ssr")]
mod read_form;
pub mod trying;

pub use detail::AcmeUrlPage;
pub use list::AcmeUrlsPage;
pub use new::AcmeUrlNewPage;
pub use trying::TryPage;
