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

mod asks;
mod automation;
mod events;
mod finalize;
mod host;
#[expect(dead_code, clippy::expect_used, reason = "shared with the agent's tests")]
#[path = "../../../crates/agent/tests/common/nginx.rs"]
mod nginx;
mod portal;
mod program;

/// A point that no test ends the portal at shows nothing.
#[test]
fn the_portal_ends_at_every_point() {
    let tests = [
        include_str!("asks.rs"),
        include_str!("events.rs"),
        include_str!("finalize.rs"),
        include_str!("portal.rs"),
    ];
    for point in lifecycle::fault::POINTS {
        let quoted = format!("{point:?}");
        assert!(tests.iter().any(|text| text.contains(&quoted)), "{point}");
    }
}
