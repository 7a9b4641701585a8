//! Automation's doors: the HTTP calls of agents, and the scheduler that does what is due.
//!
//! No rule is written here. What an agent says is checked for its size, read, and handed to
//! [`lifecycle::automation`], which decides.

mod agents;
mod chain;
mod fault;
pub mod scheduler;

pub use agents::router;
pub use chain::{ChainError, read_chain};
