//! All endpoints of this host: those of the configuration and those found in nginx's.

use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::path::PathBuf;

use crate::config::{AgentConfig, ConfigError};
use crate::nginx;
use crate::site::Site;

/// The endpoints can't be told.
#[derive(Debug, thiserror::Error)]
pub enum DiscoveryError {
    /// The agent's own configuration is faulty.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// nginx does not say where its configuration is.
    #[error(
        "`{} -V` did not name a configuration file: set `binary` or `config_file` under [nginx]",
        .binary.display()
    )]
    NoConfigFile {
        /// The program.
        binary: PathBuf,
    },
    /// A file of nginx's configuration can't be read.
    #[error("cannot read {} of nginx's configuration: let the agent's user read it", .path.display())]
    Read {
        /// The file or pattern.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file of nginx's configuration is not in nginx's syntax.
    #[error("{}:{line} can't be understood, {fault}: check it with `nginx -t`", .path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// What is wrong.
        fault: &'static str,
    },
    /// Too much is included, or a file is too large.
    #[error("nginx's configuration is too large at {}: does a file include itself?", .path.display())]
    TooMany {
        /// Where reading stopped.
        path: PathBuf,
    },
}

/// The host's endpoints, each address and server name once: an `[[endpoint]]` goes before what
/// nginx's configuration says of the same one.
pub(crate) async fn sites(config: &AgentConfig) -> Result<Vec<Site>, DiscoveryError> {
    let mut found: Vec<Site> = Vec::new();
    for endpoint in &config.endpoints {
        add(&mut found, endpoint.site()?);
    }
    if let Some(nginx) = config.nginx.as_ref().filter(|nginx| nginx.discover) {
        for site in nginx::sites(nginx, local_ip(&config.server)).await? {
            add(&mut found, site);
        }
    }
    Ok(found)
}

fn add(sites: &mut Vec<Site>, site: Site) {
    let same =
        |known: &Site| known.address == site.address && known.server_name == site.server_name;
    if !sites.iter().any(same) {
        sites.push(site);
    }
}

/// This host's address on the way to the portal. Connecting a UDP socket sends nothing: it only
/// asks the system for its route.
fn local_ip(server: &str) -> IpAddr {
    let route = || {
        let url = reqwest::Url::parse(server).ok()?;
        let remote = *url.socket_addrs(|| None).ok()?.first()?;
        let any: IpAddr = if remote.is_ipv4() {
            Ipv4Addr::UNSPECIFIED.into()
        } else {
            std::net::Ipv6Addr::UNSPECIFIED.into()
        };
        let socket = UdpSocket::bind((any, 0)).ok()?;
        socket.connect(remote).ok()?;
        socket.local_addr().ok().map(|address| address.ip())
    };
    route().unwrap_or(Ipv4Addr::LOCALHOST.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_to_a_loopback_portal_is_loopback() {
        assert_eq!(local_ip("http://127.0.0.1:9"), Ipv4Addr::LOCALHOST);
        assert_eq!(local_ip("not a url"), Ipv4Addr::LOCALHOST);
    }
}
