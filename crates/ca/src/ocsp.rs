//! OCSP (RFC 6960, nonces as RFC 9654): reads requests and signs responses with the issuing key.

mod request;
mod response;

pub use request::{CertId, MAX_REQUEST, OcspFault, OcspRequest};
pub use response::{CertStatus, OcspTimes, fault_response, respond};
