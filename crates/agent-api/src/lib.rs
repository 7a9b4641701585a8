//! What agents and the portal say to each other, version 1.
//!
//! Agents only make outgoing HTTPS requests: `POST` with a JSON body to a path of [`paths`], and
//! from [`enroll`] on with `Authorization: Bearer <token>`. Fields that a side does not know are
//! ignored and new ones are optional, so that agent and portal may be of different age.
//!
//! Every call may be repeated: an agent that was killed in the middle of a step says the same
//! again after its restart, and gets the same answer. An answer other than 2xx carries an
//! [`ErrorBody`]; `429` and `503` may carry `Retry-After` in seconds.

mod bounds;
pub mod endpoints;
pub mod enroll;
pub mod events;
pub mod paths;
pub mod poll;
mod token;

pub use bounds::{Bounded, MAX_BODY_BYTES, OutOfBounds, clip};
pub use endpoints::{EndpointsAnswer, EndpointsReport, FoundEndpoint, InstallAbility, Software};
pub use enroll::{EnrollAnswer, EnrollRequest};
pub use events::{CsrReport, EventAnswer, FailedReport, InstalledReport, Stage, VerifiedReport};
pub use poll::{PollAnswer, PollRequest, Step, Task, TaskEndpoint, no_end};
pub use token::Token;

use serde::{Deserialize, Serialize};

/// Body of every answer that is not 2xx.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// What kind of "no" this is.
    pub code: ErrorCode,
    /// What happened, why, and what to do next, for the agent's log.
    pub message: String,
}

/// What kind of "no" an answer is; decides what the agent does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// 401: the activation token is unknown, used up or too old, or the agent was removed. The
    /// agent stops.
    Unauthorized,
    /// 404 or 410: the event is over, was canceled, or was never this agent's. The agent drops
    /// what it prepared for it.
    EventOver,
    /// 409: the event is not at this step. The agent drops nothing and polls again.
    WrongStep,
    /// 400, 413 or 422: the call is malformed or out of bounds. Repeating it does not help.
    Invalid,
    /// 429: too many calls; again after `Retry-After`.
    TooMany,
    /// Anything else, also codes of newer portals; again later.
    #[serde(other)]
    Unavailable,
}
