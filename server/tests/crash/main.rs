//! Real processes, ended in the middle of their work as by a power cut, on both databases: what
//! was begun is finished after the restart, and every certificate is on record once.

#![cfg(debug_assertions)]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a fault in the set-up is the test's failure"
)]

extern crate agent as certdeck_agent;

mod automation;
mod finalize;
mod host;
#[expect(dead_code, clippy::expect_used, reason = "shared with the agent's tests")]
#[path = "../../../crates/agent/tests/common/nginx.rs"]
mod nginx;
mod portal;
