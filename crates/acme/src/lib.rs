//! The ACME server: RFC 8555 with RFC 8737 (tls-alpn-01), RFC 8738 (addresses), RFC 8659 and 8657
//! (CAA) and RFC 9773 (renewal information).
//!
//! This crate speaks the protocol; what is done, and whether, is decided behind
//! [`lifecycle::acme::AcmeDesk`]. A request becomes trusted in one place ([`request`]), an error
//! becomes an answer in one place ([`problem`]), and every URL is made in one place ([`urls`]).

pub mod config;
mod directory;
pub mod eab;
mod endpoints;
mod json;
pub mod jwk;
pub mod jws;
pub mod nonce;
pub mod problem;
mod reply;
mod request;
mod server;
pub mod urls;
pub mod validation;

pub use config::{AcmeConfig, Caa, Network};
#[doc(hidden)]
pub use endpoints::read_payload;
#[doc(hidden)]
pub use server::paths;
pub use server::{AcmeServer, router};
