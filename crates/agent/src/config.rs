//! What an agent is told: its portal, its state, its endpoints. `docs/AGENT.md` describes the
//! file for administrators.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use agent_api::Token;
use serde::Deserialize;

use crate::command::CommandLine;

/// Where the agent keeps its identity and journal unless told otherwise.
pub const DEFAULT_STATE_DIR: &str = "/var/lib/certdeck-agent";

/// Everything that [`crate::run`] needs to know.
#[derive(Debug, Clone)]
pub struct AgentConfig {
    /// The portal's base URL: `https://…`, or `http://` to a loopback address.
    pub server: String,
    /// The one-time activation token; needed until the agent has enrolled.
    pub activation_token: Option<Token>,
    /// Roots to trust instead of the system's, a PEM file.
    pub ca_file: Option<PathBuf>,
    /// The agent's name on screens, told when it enrolls; where none is given, it keeps the one that it
    /// was added with.
    pub name: Option<String>,
    /// Folder for the identity and the journal; made with mode 0700.
    pub state_dir: PathBuf,
    /// Endpoints that are described one by one.
    pub endpoints: Vec<EndpointConfig>,
    /// The nginx whose endpoints are found by reading its configuration.
    pub nginx: Option<NginxConfig>,
    /// How long things may take.
    pub timing: Timing,
}

impl AgentConfig {
    /// An agent of the portal `server` without endpoints, that still has to enroll.
    pub fn new(server: impl Into<String>, activation_token: Token, state_dir: PathBuf) -> Self {
        Self {
            server: server.into(),
            activation_token: Some(activation_token),
            ca_file: None,
            name: None,
            state_dir,
            endpoints: Vec::new(),
            nginx: None,
            timing: Timing::default(),
        }
    }
}

/// How long things may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Between two reports of all endpoints. Each finished event is followed by a report too.
    pub report_every: Duration,
    /// From a report in which an endpoint showed no certificate to the next one. It doubles while one
    /// is missed, up to `report_every`.
    pub missed_again: Duration,
    /// How long the portal may hold a poll open, in seconds.
    pub poll_wait_seconds: u16,
    /// For one handshake, connection included.
    pub handshake: Duration,
    /// For one test or reload command.
    pub command: Duration,
    /// From the reload until the new certificate must be served.
    pub verify: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            report_every: Duration::from_hours(6),
            missed_again: Duration::from_mins(5),
            poll_wait_seconds: agent_api::poll::MAX_WAIT_SECONDS,
            handshake: Duration::from_secs(5),
            command: Duration::from_mins(1),
            verify: Duration::from_secs(30),
        }
    }
}

/// The configuration file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigFile {
    /// See [`AgentConfig::server`].
    pub server: Option<String>,
    /// File that holds the activation token.
    pub token_file: Option<PathBuf>,
    /// See [`AgentConfig::ca_file`].
    pub ca_file: Option<PathBuf>,
    /// See [`AgentConfig::name`].
    pub name: Option<String>,
    /// See [`AgentConfig::state_dir`].
    pub state_dir: Option<PathBuf>,
    /// `[[endpoint]]` tables.
    #[serde(default, rename = "endpoint")]
    pub endpoints: Vec<EndpointConfig>,
    /// The `[nginx]` table.
    pub nginx: Option<NginxConfig>,
}

/// One `[[endpoint]]`: its files, the command that makes the server read them, where it listens.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointConfig {
    /// Name on screens, unique.
    pub name: String,
    /// `IP:port` at which handshakes show what is served.
    pub address: SocketAddr,
    /// Name to ask for in the handshake (SNI).
    pub server_name: Option<String>,
    /// File of the certificate alone; needs `chain_file`.
    pub certificate_file: Option<PathBuf>,
    /// File of the issuing certificates.
    pub chain_file: Option<PathBuf>,
    /// File of the certificate followed by the issuing certificates.
    pub fullchain_file: Option<PathBuf>,
    /// File of the private key.
    pub key_file: Option<PathBuf>,
    /// File of key, certificate and chain together, as `HAProxy` wants it; instead of the others.
    pub combined_file: Option<PathBuf>,
    /// Command that checks the server's configuration; exit status 0 is good.
    pub test_command: Option<CommandLine>,
    /// Command that makes the server read its files; none for a server that notices by itself.
    pub reload_command: Option<CommandLine>,
    /// Server software for the screens, as `haproxy 2.6.12`.
    pub software: Option<String>,
}

impl EndpointConfig {
    /// An endpoint whose server reads certificate and chain from one file, the key from another,
    /// and notices new files by itself.
    pub fn new(
        name: impl Into<String>,
        address: SocketAddr,
        fullchain: PathBuf,
        key: PathBuf,
    ) -> Self {
        Self {
            name: name.into(),
            address,
            server_name: None,
            certificate_file: None,
            chain_file: None,
            fullchain_file: Some(fullchain),
            key_file: Some(key),
            combined_file: None,
            test_command: None,
            reload_command: None,
            software: None,
        }
    }
}

/// The `[nginx]` table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NginxConfig {
    /// The program.
    #[serde(default = "nginx_binary")]
    pub binary: PathBuf,
    /// Its main configuration file; else the one that `nginx -V` names.
    pub config_file: Option<PathBuf>,
    /// Its prefix (`-p`), where it is started with one.
    pub prefix: Option<PathBuf>,
    /// Whether to look for endpoints in its configuration.
    #[serde(default = "yes")]
    pub discover: bool,
    /// Instead of `nginx -t`.
    pub test_command: Option<CommandLine>,
    /// Instead of `nginx -s reload`.
    pub reload_command: Option<CommandLine>,
}

fn nginx_binary() -> PathBuf {
    PathBuf::from("nginx")
}

const fn yes() -> bool {
    true
}

/// The configuration can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file can't be read.
    #[error("cannot read {}: check that the path is right and that the agent may read it", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is not TOML, or has a field that the agent does not know.
    #[error("{} is not a valid configuration", .path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// An endpoint's fields do not fit together.
    #[error("endpoint {name:?}: {fault}")]
    Endpoint {
        /// The endpoint's name.
        name: String,
        /// What is wrong and what to write instead.
        fault: &'static str,
    },
}

impl ConfigFile {
    /// Reads and checks a file.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        let file: Self = toml::from_str(&text).map_err(|source| ConfigError::Syntax {
            path: path.to_owned(),
            source: Box::new(source),
        })?;
        check_names(&file.endpoints)?;
        Ok(file)
    }
}

fn check_names(endpoints: &[EndpointConfig]) -> Result<(), ConfigError> {
    let mut seen = std::collections::HashSet::new();
    for endpoint in endpoints {
        let fault = |fault| ConfigError::Endpoint { name: endpoint.name.clone(), fault };
        if endpoint.name.is_empty() || endpoint.name.len() > 100 {
            return Err(fault("a name has 1 to 100 characters"));
        }
        if !seen.insert(endpoint.name.as_str()) {
            return Err(fault("the name is used twice; give each endpoint a name of its own"));
        }
        endpoint.files()?;
    }
    Ok(())
}

/// Reads the activation token's file: one line of text.
pub fn read_token(path: &Path) -> Result<Token, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
    Ok(Token::new(text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::Files;

    fn read(text: &str) -> Result<ConfigFile, ConfigError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("agent.toml");
        std::fs::write(&path, text).unwrap();
        ConfigFile::read(&path)
    }

    #[test]
    fn reads_endpoints_and_nginx() {
        let file = read(
            r#"
            server = "https://portal.example.com"
            [[endpoint]]
            name = "intranet"
            address = "192.0.2.7:8443"
            fullchain_file = "/etc/tls/full.pem"
            key_file = "/etc/tls/key.pem"
            reload_command = ["systemctl", "reload", "intranet"]
            [[endpoint]]
            name = "balancer"
            address = "[2001:db8::7]:443"
            combined_file = "/etc/haproxy/site.pem"
            reload_command = "systemctl reload haproxy"
            [nginx]
            config_file = "/etc/nginx/nginx.conf"
            "#,
        )
        .unwrap();
        let [intranet, balancer] = file.endpoints.as_slice() else { panic!("two endpoints") };
        assert!(matches!(intranet.files().unwrap(), Files::Fullchain { .. }));
        assert_eq!(balancer.reload_command.as_ref().unwrap().argv().len(), 3);
        assert!(file.nginx.unwrap().discover);
    }

    #[test]
    fn says_what_is_wrong_with_an_endpoint() {
        let both = read(
            "[[endpoint]]\nname='a'\naddress='127.0.0.1:1'\ncombined_file='/a'\nkey_file='/b'",
        );
        assert!(both.unwrap_err().to_string().contains("combined_file"));
        let unknown = read("[[endpoint]]\nname='a'\naddress='127.0.0.1:1'\nkeyfile='/b'");
        assert!(matches!(unknown, Err(ConfigError::Syntax { .. })));
        let endpoint = "[[endpoint]]\nname='a'\naddress='127.0.0.1:1'\ncombined_file='/a'\n";
        let twice = read(&format!("{endpoint}{endpoint}"));
        assert!(twice.unwrap_err().to_string().contains("twice"));
    }
}
