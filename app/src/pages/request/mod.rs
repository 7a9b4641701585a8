//! "Request a certificate" by hand: a new order for a CSR.

pub mod api;
#[cfg(feature = "ssr")]
pub mod files;
mod form;

pub use form::RequestCertificatePage;
