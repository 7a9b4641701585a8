//! A typed "no": which rule said it, why, and what the person can do.

use serde::Serialize;

/// A rule's refusal. The same one is what a greyed-out control, an API error and an ACME problem
/// document show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// The rule's number: `D6`, `A4`, or a word for the unnumbered ones (`validity`, `revoke`).
    pub rule: &'static str,
    /// A stable code in snake case: `names_differ`, `approval_step_on`.
    pub code: &'static str,
    /// What happened, why, and what to do next, for people.
    pub message: String,
}

impl Refusal {
    /// A refusal in words.
    pub fn new(rule: &'static str, code: &'static str, message: impl Into<String>) -> Self {
        Self { rule, code, message: message.into() }
    }
}
