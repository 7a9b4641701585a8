//! Questions to the DNS, always to the configured resolver, never from a cache of ours or the
//! host's own table.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use domain::rules::CaaRecord;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{RData, RecordType};

use super::Failure;

const TIMEOUT: Duration = Duration::from_secs(5);
/// Addresses of one host that are looked at.
const MOST_ADDRESSES: usize = 200;

/// The DNS as validation sees it. Cheap to clone.
#[derive(Clone)]
pub struct Dns {
    resolver: TokioResolver,
}

impl std::fmt::Debug for Dns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dns").finish_non_exhaustive()
    }
}

impl Dns {
    /// Asks `resolver`, or the system's where there is none.
    pub fn new(resolver: Option<SocketAddr>) -> Result<Self, NetError> {
        let mut builder = match resolver {
            Some(address) => {
                let at_port = |mut connection: ConnectionConfig| {
                    connection.port = address.port();
                    connection
                };
                let connections =
                    vec![at_port(ConnectionConfig::udp()), at_port(ConnectionConfig::tcp())];
                let server = NameServerConfig::new(address.ip(), true, connections);
                let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
                TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
            }
            None => TokioResolver::builder_tokio()?,
        };
        let options = builder.options_mut();
        options.cache_size = 0;
        options.timeout = TIMEOUT;
        options.attempts = 1;
        options.use_hosts_file = ResolveHosts::Never;
        Ok(Self { resolver: builder.build()? })
    }

    /// The values of the TXT records at `name`, CNAMEs followed; none where there are none.
    pub async fn txt(&self, name: &str) -> Result<Vec<String>, Failure> {
        let values = self.records(name, RecordType::TXT).await?;
        let text = |data: RData| match data {
            RData::TXT(txt) => {
                let bytes: Vec<u8> =
                    txt.txt_data.iter().flat_map(|part| part.iter().copied()).collect();
                String::from_utf8(bytes).ok()
            }
            _ => None,
        };
        Ok(values.into_iter().filter_map(text).collect())
    }

    /// The CAA records at `name`, CNAMEs followed; none where there are none.
    pub async fn caa(&self, name: &str) -> Result<Vec<CaaRecord>, Failure> {
        let values = self.records(name, RecordType::CAA).await?;
        let caa = |data: RData| match data {
            RData::CAA(caa) => {
                Some(CaaRecord { critical: caa.issuer_critical, tag: caa.tag, value: caa.value })
            }
            _ => None,
        };
        Ok(values.into_iter().filter_map(caa).collect())
    }

    /// The addresses of `host`.
    pub async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, Failure> {
        let (v6, v4) =
            tokio::join!(self.records(host, RecordType::AAAA), self.records(host, RecordType::A));
        let mut found = Vec::new();
        let mut failure = None;
        for answer in [v6, v4] {
            match answer {
                Ok(values) => {
                    let addresses = values.into_iter().filter_map(|data| data.ip_addr());
                    found.extend(addresses.take(MOST_ADDRESSES));
                }
                Err(error) => failure = Some(error),
            }
        }
        match (found.is_empty(), failure) {
            (false, _) => Ok(found),
            (true, Some(failure)) => Err(failure),
            (true, None) => {
                Err(Failure::again("dns", format!("{host} has no address in the DNS.")))
            }
        }
    }

    /// All records of an answer, of which one that is not looked at could forbid; a DNS message
    /// holds 64 KiB.
    async fn records(&self, name: &str, kind: RecordType) -> Result<Vec<RData>, Failure> {
        let absolute = format!("{}.", name.trim_end_matches('.'));
        match self.resolver.lookup(absolute.as_str(), kind).await {
            Ok(lookup) => Ok(lookup.answers().iter().map(|record| record.data.clone()).collect()),
            Err(error) if error.is_no_records_found() && !is_server_failure(&error) => {
                Ok(Vec::new())
            }
            Err(error) => {
                tracing::debug!(name, %kind, %error, "DNS question failed");
                Err(Failure::again(
                    "dns",
                    format!("The DNS did not answer the question for {kind} records of {name}."),
                ))
            }
        }
    }
}

/// An empty answer with an error code, SERVFAIL above all, is not "there is none".
fn is_server_failure(error: &NetError) -> bool {
    use hickory_resolver::net::DnsError;
    use hickory_resolver::proto::op::ResponseCode;
    match error {
        NetError::Dns(DnsError::NoRecordsFound(found)) => {
            !matches!(found.response_code, ResponseCode::NoError | ResponseCode::NXDomain)
        }
        _ => false,
    }
}
