//! The things that the portal keeps: orders, certificates, requests, endpoints, profiles, people.
//!
//! These are facts as the store reads them; what may be done with them is in [`crate::rules`].

mod account;
pub mod acme;
mod automation;
mod certificate;
mod order;
mod request;
mod settings;

pub use account::*;
pub use automation::*;
pub use certificate::*;
pub use order::*;
pub use request::*;
pub use settings::*;
