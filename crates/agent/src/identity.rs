//! Who this agent is to the portal: enrolled once, then known by its bearer token.

use std::path::Path;
use std::time::Duration;

use agent_api::{EnrollAnswer, EnrollRequest, Token, paths};
use aws_lc_rs::error::Unspecified;
use domain::AgentId;
use serde::{Deserialize, Serialize};

use crate::client::{Portal, PortalError};
use crate::config::AgentConfig;
use crate::files;
use crate::run::AgentError;

const FILE: &str = "identity.json";

/// The identity's file in the state folder, mode 0600.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Identity {
    /// The portal that gave the token: it is sent to no other host.
    server: String,
    /// Digest of the activation token; another activation token enrolls anew.
    activation_digest: String,
    /// Sent with the activation token, so that a lost answer can be had again.
    attempt: Token,
    /// None until the portal has answered.
    enrolled: Option<Enrolled>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Enrolled {
    agent_id: AgentId,
    token: Token,
}

/// What the portal knows this agent by, and what its files on the host are known by.
pub(crate) struct Known {
    pub token: Token,
    /// The agent's id and eight digits: portals number their agents each for itself.
    pub mark: String,
}

impl Known {
    fn of(enrolled: Enrolled, attempt: &Token) -> Self {
        let digits: String = digest(attempt).chars().take(8).collect();
        Self { mark: format!("{}-{digits}", enrolled.agent_id), token: enrolled.token }
    }
}

/// The stored bearer token, or a new one for the configured activation token.
pub(crate) async fn known(config: &AgentConfig, portal: &Portal) -> Result<Known, AgentError> {
    let path = config.state_dir.join(FILE);
    let stored = read(&path)?.filter(|identity| host(&identity.server) == host(&config.server));
    let wanted = config.activation_token.as_ref().map(digest);
    let known = stored.filter(|identity| {
        wanted.as_ref().is_none_or(|wanted| *wanted == identity.activation_digest)
    });
    if let Some(Identity { enrolled: Some(enrolled), attempt, .. }) = known {
        return Ok(Known::of(enrolled, &attempt));
    }
    let activation_token = config.activation_token.clone().ok_or(AgentError::NoToken)?;
    let mut identity = match known {
        Some(begun) => begun,
        None => Identity {
            server: config.server.clone(),
            activation_digest: digest(&activation_token),
            attempt: random()?,
            enrolled: None,
        },
    };
    write(&path, &identity)?;
    let request = request(config, activation_token, identity.attempt.clone());
    let answer: EnrollAnswer = portal.call(paths::ENROLL, &request, Duration::ZERO).await?;
    tracing::info!(agent = %answer.agent_id, server = config.server, "enrolled");
    let enrolled = Enrolled { agent_id: answer.agent_id, token: answer.token };
    identity.enrolled = Some(enrolled.clone());
    write(&path, &identity)?;
    Ok(Known::of(enrolled, &identity.attempt))
}

/// Whether an agent with this state folder has enrolled, so that it needs no activation token.
pub fn has_enrolled(state_dir: &Path) -> bool {
    let identity = read(&state_dir.join(FILE)).ok().flatten();
    identity.is_some_and(|identity| identity.enrolled.is_some())
}

fn request(config: &AgentConfig, activation_token: Token, attempt: Token) -> EnrollRequest {
    let hostname = hostname();
    EnrollRequest {
        activation_token,
        attempt,
        name: config.name.clone().unwrap_or_else(|| hostname.clone()),
        hostname,
        version: crate::run::VERSION.to_owned(),
        platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
    }
}

fn read(path: &Path) -> Result<Option<Identity>, AgentError> {
    match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| state(path, std::io::Error::other(error))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(state(path, error)),
    }
}

fn write(path: &Path, identity: &Identity) -> Result<(), AgentError> {
    serde_json::to_vec_pretty(identity)
        .map_err(std::io::Error::other)
        .and_then(|bytes| files::write_private(path, &bytes))
        .map_err(|error| state(path, error))
}

fn state(path: &Path, source: std::io::Error) -> AgentError {
    AgentError::State { path: path.to_owned(), source }
}

fn digest(token: &Token) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.expose().as_bytes());
    hex::encode(digest)
}

#[expect(clippy::disallowed_methods, reason = "the one place where randomness comes from")]
pub(crate) fn random_bytes(bytes: &mut [u8]) -> Result<(), Unspecified> {
    aws_lc_rs::rand::fill(bytes)
}

fn random() -> Result<Token, PortalError> {
    let mut bytes = [0_u8; 32];
    random_bytes(&mut bytes)
        .map_err(|_| PortalError::Setup("the system gives no random numbers".into()))?;
    Ok(Token::new(hex::encode(bytes)))
}

/// The host of a portal's address. Its port and path may change without making it another one.
fn host(server: &str) -> Option<String> {
    reqwest::Url::parse(server).ok()?.host_str().map(str::to_owned)
}

fn hostname() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name: String = name.trim().chars().take(200).collect();
    if name.is_empty() { "unnamed host".to_owned() } else { name }
}
