//! An endpoint as the agent works on it: where it listens and how a certificate gets there.

use std::net::SocketAddr;
use std::path::PathBuf;

use agent_api::Software;
use serde::{Deserialize, Serialize};

use crate::command::CommandLine;
use crate::config::{ConfigError, EndpointConfig};

/// A TLS endpoint of this host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// Name on screens, unique on the host.
    pub alias: String,
    /// Where handshakes show what is served.
    pub address: SocketAddr,
    /// Name to ask for in the handshake.
    pub server_name: Option<String>,
    /// All names that the server's configuration gives it.
    pub names: Vec<String>,
    /// Server software, where known.
    pub software: Option<Software>,
    /// How to install; the reason in words where the agent can't.
    pub recipe: Result<Recipe, String>,
}

/// How a certificate is installed on a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipe {
    /// What is written.
    pub files: Files,
    /// Checks the server's configuration.
    pub test: Option<CommandLine>,
    /// Makes the server read its files.
    pub reload: Option<CommandLine>,
}

/// The files that a server reads its key and certificates from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Files {
    /// Certificate and chain in one file, the key in another.
    Fullchain {
        /// Certificate and chain.
        fullchain: PathBuf,
        /// Key.
        key: PathBuf,
    },
    /// Three files.
    Separate {
        /// Certificate.
        certificate: PathBuf,
        /// Chain.
        chain: PathBuf,
        /// Key.
        key: PathBuf,
    },
    /// Key, certificate and chain in one file.
    Combined {
        /// The file.
        combined: PathBuf,
    },
}

/// The key and certificates to write, in PEM.
#[derive(Clone, Copy)]
pub(crate) struct Material<'a> {
    /// Private key.
    pub key: &'a str,
    /// Certificate.
    pub leaf: &'a str,
    /// Issuing certificates.
    pub chain: &'a str,
}

/// One file to write.
pub(crate) struct Target {
    /// Where.
    pub path: PathBuf,
    /// What.
    pub content: String,
    /// Whether it holds the private key.
    pub secret: bool,
}

impl Files {
    /// The file that holds the private key; pending keys are kept beside it.
    pub(crate) fn key_file(&self) -> &PathBuf {
        match self {
            Self::Fullchain { key, .. } | Self::Separate { key, .. } => key,
            Self::Combined { combined } => combined,
        }
    }

    /// The files' paths, in the order in which they are written.
    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        match self {
            Self::Fullchain { fullchain, key } => vec![key.clone(), fullchain.clone()],
            Self::Separate { certificate, chain, key } => {
                vec![key.clone(), chain.clone(), certificate.clone()]
            }
            Self::Combined { combined } => vec![combined.clone()],
        }
    }

    /// What is written where, in the order of [`Self::paths`].
    pub(crate) fn targets(&self, material: Material<'_>) -> Vec<Target> {
        let Material { key: secret, leaf, chain: issuers } = material;
        let open = |path: &PathBuf, parts: &[&str]| Target {
            path: path.clone(),
            content: join(parts),
            secret: false,
        };
        let closed = |path: &PathBuf, parts: &[&str]| Target {
            path: path.clone(),
            content: join(parts),
            secret: true,
        };
        match self {
            Self::Fullchain { fullchain, key } => {
                vec![closed(key, &[secret]), open(fullchain, &[leaf, issuers])]
            }
            Self::Separate { certificate, chain, key } => {
                vec![closed(key, &[secret]), open(chain, &[issuers]), open(certificate, &[leaf])]
            }
            Self::Combined { combined } => vec![closed(combined, &[secret, leaf, issuers])],
        }
    }
}

/// PEM texts one after the other, each ending with one line break.
fn join(parts: &[&str]) -> String {
    parts
        .iter()
        .map(|part| part.trim())
        .filter(|part| !part.is_empty())
        .flat_map(|part| [part, "\n"])
        .collect()
}

impl EndpointConfig {
    /// The files that the entry names.
    pub(crate) fn files(&self) -> Result<Files, ConfigError> {
        let path = |file: &Option<PathBuf>| file.clone();
        let fields = (
            path(&self.certificate_file),
            path(&self.chain_file),
            path(&self.fullchain_file),
            path(&self.key_file),
            path(&self.combined_file),
        );
        match fields {
            (None, None, Some(fullchain), Some(key), None) => {
                Ok(Files::Fullchain { fullchain, key })
            }
            (Some(certificate), Some(chain), None, Some(key), None) => {
                Ok(Files::Separate { certificate, chain, key })
            }
            (None, None, None, None, Some(combined)) => Ok(Files::Combined { combined }),
            _ => Err(ConfigError::Endpoint {
                name: self.name.clone(),
                fault: "give fullchain_file and key_file, or certificate_file, chain_file and \
                        key_file, or combined_file alone",
            }),
        }
    }

    /// The entry as a site.
    pub(crate) fn site(&self) -> Result<Site, ConfigError> {
        Ok(Site {
            alias: self.name.clone(),
            address: self.address,
            server_name: self.server_name.clone(),
            names: self.server_name.iter().cloned().collect(),
            software: self.software.as_deref().map(software),
            recipe: Ok(Recipe {
                files: self.files()?,
                test: self.test_command.clone(),
                reload: self.reload_command.clone(),
            }),
        })
    }
}

/// `name version` or `name/version`, the version optional.
pub(crate) fn software(text: &str) -> Software {
    match text.trim().split_once([' ', '/']) {
        Some((name, version)) => {
            Software { name: name.to_owned(), version: Some(version.trim().to_owned()) }
        }
        None => Software { name: text.trim().to_owned(), version: None },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MATERIAL: Material<'_> = Material { key: "K\n", leaf: "L", chain: "C1\nC2\n\n" };

    #[test]
    fn a_combined_file_holds_all_and_is_secret() {
        let files = Files::Combined { combined: "/x".into() };
        let [target] = <[Target; 1]>::try_from(files.targets(MATERIAL)).ok().unwrap();
        assert_eq!(target.content, "K\nL\nC1\nC2\n");
        assert!(target.secret);
    }

    #[test]
    fn only_the_key_is_secret_and_the_order_is_that_of_paths() {
        let files =
            Files::Separate { certificate: "/c".into(), chain: "/i".into(), key: "/k".into() };
        let targets = files.targets(MATERIAL);
        let paths: Vec<_> = targets.iter().map(|target| target.path.clone()).collect();
        assert_eq!(paths, files.paths());
        for target in targets {
            assert_eq!(target.secret, target.path.ends_with("k"));
        }
    }
}
