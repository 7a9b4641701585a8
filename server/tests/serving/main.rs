//! The binary as it is run: what it prints, what it answers over HTTP, and how it ends.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a fault in the set-up is the test's failure"
)]

mod authority;
mod demonstration;
mod ending;
mod figures;
mod first_start;
mod portal;
mod worker;
