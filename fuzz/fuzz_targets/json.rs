//! JSON from outside: payloads of ACME requests, calls of agents, lines of an import.
//!
//! Nothing may panic. What is read and written again reads the same.

#![no_main]

use std::fmt::Debug;

use acme::jwk::Jwk;
use agent_api::{
    Bounded, CsrReport, EndpointsReport, EnrollRequest, FailedReport, InstalledReport, PollAnswer,
    PollRequest, VerifiedReport,
};
use libfuzzer_sys::fuzz_target;
use lifecycle::orders::view::OrderView;
use serde::Serialize;
use serde::de::DeserializeOwned;

fuzz_target!(|bytes: &[u8]| {
    let _ = acme::read_payload(bytes);
    if let Some(key) = std::str::from_utf8(bytes).ok().and_then(|json| Jwk::parse(json).ok()) {
        assert_eq!(Jwk::parse(&key.canonical()).as_ref(), Ok(&key));
    }
    call::<EnrollRequest>(bytes);
    call::<PollRequest>(bytes);
    call::<EndpointsReport>(bytes);
    call::<CsrReport>(bytes);
    call::<InstalledReport>(bytes);
    call::<VerifiedReport>(bytes);
    call::<FailedReport>(bytes);
    same::<PollAnswer>(bytes);
    same::<OrderView>(bytes);
});

fn call<T: Bounded + Serialize + DeserializeOwned + PartialEq + Debug>(bytes: &[u8]) {
    if let Some(call) = same::<T>(bytes) {
        let _ = call.check();
    }
}

fn same<T: Serialize + DeserializeOwned + PartialEq + Debug>(bytes: &[u8]) -> Option<T> {
    let read: T = serde_json::from_slice(bytes).ok()?;
    let written = serde_json::to_vec(&read).expect("what was read can be written");
    assert_eq!(serde_json::from_slice::<T>(&written).ok().as_ref(), Some(&read));
    Some(read)
}
