//! What the agent manages and what each endpoint serves now.

use std::sync::Arc;
use std::time::Duration;

use agent_api::{EndpointsReport, FoundEndpoint, InstallAbility, clip};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::config::AgentConfig;
use crate::discovery::{self, DiscoveryError};
use crate::probe::{ProbeError, Served, probe};
use crate::site::Site;

/// Handshakes made at the same time.
const AT_ONCE: usize = 16;

/// One endpoint, looked at.
#[derive(Debug)]
pub struct Sight {
    /// The endpoint.
    pub site: Site,
    /// What it serves.
    pub served: Result<Served, ProbeError>,
}

/// Finds the host's endpoints and makes a handshake with each. Nothing is changed and the portal
/// is not asked.
pub async fn check(config: &AgentConfig) -> Result<Vec<Sight>, DiscoveryError> {
    let sites = discovery::sites(config).await?;
    Ok(look(sites, config.timing.handshake).await)
}

/// The same endpoints, looked at anew; but not those where nothing came in time, for which one would wait
/// as long again.
pub(crate) async fn look_again(config: &AgentConfig, sights: Vec<Sight>) -> Vec<Sight> {
    let is_slow = |sight: &Sight| matches!(sight.served, Err(ProbeError::TooLong { .. }));
    let (mut slow, quick): (Vec<Sight>, Vec<Sight>) = sights.into_iter().partition(is_slow);
    let sites = quick.into_iter().map(|sight| sight.site).collect();
    slow.extend(look(sites, config.timing.handshake).await);
    slow
}

/// A handshake with each, some at the same time.
async fn look(sites: Vec<Site>, limit: Duration) -> Vec<Sight> {
    let gate = Arc::new(Semaphore::new(AT_ONCE));
    let mut looking = JoinSet::new();
    for (position, site) in sites.into_iter().enumerate() {
        let gate = gate.clone();
        looking.spawn(async move {
            // The gate is never closed.
            let _turn = gate.acquire_owned().await;
            let look = async || probe(site.address, site.server_name.as_deref(), limit).await;
            // What is missed is shown as that until the next report: a server that is just being reloaded,
            // or a busy host, gets a second look.
            let served = match look().await {
                Ok(served) => Ok(served),
                Err(_) => look().await,
            };
            (position, Sight { site, served })
        });
    }
    let mut sights = looking.join_all().await;
    sights.sort_by_key(|(position, _)| *position);
    sights.into_iter().map(|(_, sight)| sight).collect()
}

/// The sights as the portal gets them.
pub(crate) fn report(sights: &[Sight]) -> EndpointsReport {
    EndpointsReport { endpoints: sights.iter().map(found).collect() }
}

fn found(sight: &Sight) -> FoundEndpoint {
    let Sight { site, served } = sight;
    let (chain_pem, probe_error) = match served {
        Ok(served) => (Some(served.chain_pem.clone()), None),
        Err(error) => (None, Some(clip(&error.to_string()))),
    };
    FoundEndpoint {
        ip: site.address.ip(),
        port: site.address.port(),
        server_name: site.server_name.clone(),
        names: site.names.clone(),
        software: site.software.clone(),
        alias: site.alias.clone(),
        chain_pem,
        probe_error,
        install: match &site.recipe {
            Ok(_) => InstallAbility::Automatic,
            Err(reason) => InstallAbility::Manual { reason: clip(reason) },
        },
    }
}

impl std::fmt::Display for Sight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let site = &self.site;
        writeln!(f, "{}", site.alias)?;
        let name = site.server_name.as_deref().unwrap_or("no server name");
        writeln!(f, "  address   {} ({name})", site.address)?;
        match &self.served {
            Ok(served) => writeln!(
                f,
                "  serves    {}, serial {}, until {}",
                served.common_name, served.serial, served.not_after
            )?,
            Err(error) => writeln!(f, "  serves    nothing: {error}")?,
        }
        match &site.recipe {
            Ok(recipe) => {
                for path in recipe.files.paths() {
                    writeln!(f, "  writes    {}", path.display())?;
                }
                if let Some(test) = &recipe.test {
                    writeln!(f, "  tests by  {test}")?;
                }
                match &recipe.reload {
                    Some(reload) => writeln!(f, "  reloads   {reload}"),
                    None => writeln!(f, "  reloads   nothing: the server notices new files itself"),
                }
            }
            Err(reason) => writeln!(f, "  manual    {reason}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::net::TcpListener;

    use agent_api::Token;

    use super::*;
    use crate::config::EndpointConfig;

    #[tokio::test]
    async fn where_nothing_came_in_time_nobody_waits_twice() {
        let listeners = [(); 2].map(|()| TcpListener::bind(("127.0.0.1", 0)).unwrap());
        let endpoints = listeners.iter().map(|listener| {
            listener.set_nonblocking(true).unwrap();
            let address = listener.local_addr().unwrap();
            EndpointConfig::new("one", address, "/full.pem".into(), "/key.pem".into())
        });
        let token = Token::new("none");
        let mut config = AgentConfig::new("https://portal.test", token, "/nowhere".into());
        config.endpoints = endpoints.collect();
        let limit = config.timing.handshake;
        let mut sights = Vec::new();
        for site in discovery::sites(&config).await.unwrap() {
            let address = site.address;
            let refused = ProbeError::Connect { address, source: ErrorKind::Other.into() };
            let slow = sights.is_empty().then_some(ProbeError::TooLong { address, limit });
            sights.push(Sight { site, served: Err(slow.unwrap_or(refused)) });
        }
        config.timing.handshake = Duration::from_millis(1);
        let sights = look_again(&config, sights).await;
        assert_eq!(sights.len(), 2);
        let [slow, refused] = listeners.map(|listener| listener.accept().map_err(|e| e.kind()));
        assert_eq!(slow.unwrap_err(), ErrorKind::WouldBlock, "nobody came");
        refused.unwrap();
    }
}
