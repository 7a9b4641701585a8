//! A one-time activation token is exchanged for an agent's long-lived bearer token.

use domain::AgentId;
use serde::{Deserialize, Serialize};

use crate::bounds::{Bounded, MAX_TEXT, OutOfBounds, text};
use crate::token::Token;

/// `POST` [`crate::paths::ENROLL`], without an `Authorization` header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrollRequest {
    /// The one-time token that the portal showed to an administrator.
    pub activation_token: Token,
    /// A random text, at least 128 bits, that the agent stored before its first try. An answer
    /// may get lost: the same activation token with the same attempt is answered again, with a
    /// new bearer token in the old one's place, until the agent has made its first authorized
    /// call. Any other attempt with a used activation token is refused.
    pub attempt: Token,
    /// The agent's name on screens from now on; the host's own name where nobody chose one.
    pub name: String,
    /// The host's own name.
    pub hostname: String,
    /// The agent's version.
    pub version: String,
    /// Operating system and processor, as `linux x86_64`.
    pub platform: String,
}

/// What the portal answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrollAnswer {
    /// The agent's id.
    pub agent_id: AgentId,
    /// Its long-lived bearer token, shown this once.
    pub token: Token,
}

impl Bounded for EnrollRequest {
    fn check(&self) -> Result<(), OutOfBounds> {
        text("activation_token", self.activation_token.expose(), MAX_TEXT)?;
        text("attempt", self.attempt.expose(), MAX_TEXT)?;
        text("name", &self.name, MAX_TEXT)?;
        text("hostname", &self.hostname, MAX_TEXT)?;
        text("version", &self.version, MAX_TEXT)?;
        text("platform", &self.platform, MAX_TEXT)
    }
}
