//! Certificate signing requests, in DER and PEM.
//!
//! Nothing may panic. What is read as a CSR reads the same again from its own PEM.

#![no_main]

use acme::jwk::Jwk;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = Jwk::from_spki(bytes);
    let Ok(csr) = ca::csr::read(bytes) else { return };
    assert!(csr.names.len() <= ca::csr::MAX_NAMES + 1);
    assert_eq!(ca::csr::read(csr.pem().as_bytes()).as_ref(), Ok(&csr));
    let _ = Jwk::from_spki(&csr.public_key_der);
});
