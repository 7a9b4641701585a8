//! What an agent found on its host.

use std::net::IpAddr;

use domain::EndpointId;
use serde::{Deserialize, Serialize};

use crate::bounds::{
    Bounded, MAX_ENDPOINTS, MAX_LONG_TEXT, MAX_NAMES, MAX_PEM, MAX_TEXT, OutOfBounds, count, text,
};

/// `POST` [`crate::paths::ENDPOINTS`]: everything that the agent manages now. An endpoint that an
/// earlier report had and this one has not is no longer there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointsReport {
    /// The endpoints; no two with the same IP, port and server name.
    pub endpoints: Vec<FoundEndpoint>,
}

/// One TLS endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundEndpoint {
    /// Where it listens. A server that listens on all addresses is reported with the host's
    /// address on the way to the portal.
    pub ip: IpAddr,
    /// TCP port.
    pub port: u16,
    /// The name sent in the handshake (SNI, RFC 6066 section 3); none where the endpoint has no
    /// name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
    /// All names that the server's configuration gives the endpoint, as written there: wildcards
    /// are possible.
    #[serde(default)]
    pub names: Vec<String>,
    /// The server software, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software: Option<Software>,
    /// The administrator's name for the endpoint; unique on the host.
    pub alias: String,
    /// The certificates of the handshake in PEM, leaf first, as served; none where the handshake
    /// failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain_pem: Option<String>,
    /// Why the handshake failed, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe_error: Option<String>,
    /// Whether the agent can install here.
    pub install: InstallAbility,
}

/// A server software.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Software {
    /// As `nginx`.
    pub name: String,
    /// As `1.22.1`; none where unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// Whether an agent can install a certificate on an endpoint by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum InstallAbility {
    /// It can.
    Automatic,
    /// It cannot.
    Manual {
        /// Why, and what would mend it, in words.
        reason: String,
    },
}

/// What the portal answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointsAnswer {
    /// The endpoints' ids, in the report's order.
    pub endpoints: Vec<EndpointId>,
}

impl Bounded for EndpointsReport {
    fn check(&self) -> Result<(), OutOfBounds> {
        count("endpoints", self.endpoints.len(), MAX_ENDPOINTS)?;
        self.endpoints.iter().try_for_each(Bounded::check)
    }
}

impl Bounded for FoundEndpoint {
    fn check(&self) -> Result<(), OutOfBounds> {
        text("server_name", self.server_name.as_deref().unwrap_or_default(), MAX_TEXT)?;
        count("names", self.names.len(), MAX_NAMES)?;
        self.names.iter().try_for_each(|name| text("names", name, MAX_TEXT))?;
        if let Some(software) = &self.software {
            text("software.name", &software.name, MAX_TEXT)?;
            text("software.version", software.version.as_deref().unwrap_or_default(), MAX_TEXT)?;
        }
        text("alias", &self.alias, MAX_TEXT)?;
        text("chain_pem", self.chain_pem.as_deref().unwrap_or_default(), MAX_PEM)?;
        text("probe_error", self.probe_error.as_deref().unwrap_or_default(), MAX_LONG_TEXT)?;
        match &self.install {
            InstallAbility::Automatic => Ok(()),
            InstallAbility::Manual { reason } => text("install.reason", reason, MAX_LONG_TEXT),
        }
    }
}
