//! "Request a certificate" by hand: a new order for a CSR.

pub mod api;
mod form;

pub use form::RequestCertificatePage;
