//! The long poll by which an agent gets its work.

use std::net::IpAddr;

use domain::model::{KeyType, Serial};
use domain::{EndpointId, EventId, Name, NameSet, Timestamp};
use serde::{Deserialize, Serialize};

use crate::bounds::{Bounded, MAX_TEXT, OutOfBounds, text};

/// The longest time that the portal holds a poll open, in seconds.
pub const MAX_WAIT_SECONDS: u16 = 25;

/// `POST` [`crate::paths::POLL`]. Also the sign of life from which "last seen" is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollRequest {
    /// The agent's version now; it may have been updated since it enrolled.
    pub version: String,
    /// How long to wait for work, in seconds; the portal waits at most [`MAX_WAIT_SECONDS`].
    pub wait_seconds: u16,
}

/// What the portal answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollAnswer {
    /// The next piece of work; none where there was none in time. A task that the agent got
    /// before and has not reported on is handed out again: the agent may have been killed. Nobody
    /// else gets it, for an event is done by the agent of its endpoint.
    pub task: Option<Task>,
}

/// One step of an event on one endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// The event.
    pub event_id: EventId,
    /// The end of time. Agents of the first version expect a moment here; none looks at it.
    #[serde(default = "no_end")]
    pub lease_until: Timestamp,
    /// Where.
    pub endpoint: TaskEndpoint,
    /// What.
    pub step: Step,
}

/// What [`Task::lease_until`] is.
pub const fn no_end() -> Timestamp {
    Timestamp(i64::MAX)
}

/// An endpoint as the agent reported it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskEndpoint {
    /// The portal's id.
    pub id: EndpointId,
    /// Its address.
    pub ip: IpAddr,
    /// Its TCP port.
    pub port: u16,
    /// Its server name (SNI).
    #[serde(default)]
    pub server_name: Option<String>,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Step {
    /// Make a private key and send a CSR for it: ends with `csr` or `failed`.
    MakeCsr {
        /// The subject's common name.
        common_name: Name,
        /// The names, the common name counted in.
        names: NameSet,
        /// The key to make.
        key_type: KeyType,
    },
    /// Install a certificate for the key of this event's CSR: ends with `installed` and
    /// `verified`, or with `failed`.
    Install {
        /// The certificate, PEM.
        leaf_pem: String,
        /// The issuing certificates, PEM, in the order of the chain, without the root.
        chain_pem: String,
        /// The serial that the endpoint must serve afterwards.
        expected_serial: Serial,
    },
    /// Look at what the endpoint serves: ends with `verified` or `failed`.
    Probe,
    /// A step of a newer portal. The agent answers `failed` and asks to be updated.
    #[serde(other)]
    Unknown,
}

impl Bounded for PollRequest {
    fn check(&self) -> Result<(), OutOfBounds> {
        text("version", &self.version, MAX_TEXT)
    }
}
