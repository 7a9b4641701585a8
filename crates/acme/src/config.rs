//! What an operator may set about the ACME server's surroundings.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use lifecycle::acme::AcmePolicy;

/// Which names CAA is looked at for (RFC 8659).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Caa {
    /// Those that are validated by challenge.
    #[default]
    Challenges,
    /// Those, and before each issuance of a public product those that were validated before.
    Always,
}

/// The ACME server's surroundings.
#[derive(Debug, Clone)]
pub struct AcmeConfig {
    /// The public URL of the portal; all ACME URLs are made from it.
    pub base_url: String,
    /// The port of http-01 (80 but in tests).
    pub http01_port: u16,
    /// The port of tls-alpn-01 (443 but in tests).
    pub tlsalpn01_port: u16,
    /// The resolver for validation; none for the system's.
    pub dns_resolver: Option<SocketAddr>,
    /// Networks that validation may reach although they are private, loopback or link-local.
    pub validation_allow: Vec<Network>,
    /// The authority's own name in CAA records (RFC 8659). Without one, any `issue` record forbids.
    pub caa_identity: Option<String>,
    /// Which names CAA is looked at for.
    pub caa: Caa,
    /// Lifetimes and limits.
    pub policy: AcmePolicy,
    /// How long the body of a request may take to arrive (30 seconds but in tests).
    pub body_time: Duration,
    /// Whether several processes serve ACME on one database.
    pub several_nodes: bool,
}

impl AcmeConfig {
    /// The defaults for a portal at `base_url`.
    pub fn new(base_url: &str) -> Self {
        Self {
            base_url: base_url.to_owned(),
            http01_port: 80,
            tlsalpn01_port: 443,
            dns_resolver: None,
            validation_allow: Vec::new(),
            caa_identity: host_of(base_url),
            caa: Caa::default(),
            policy: AcmePolicy::default(),
            body_time: Duration::from_secs(30),
            several_nodes: false,
        }
    }
}

/// The host of a URL, where it is a DNS name with more than one label.
fn host_of(url: &str) -> Option<String> {
    let authority = url.split_once("://")?.1.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?.split(':').next()?.to_ascii_lowercase();
    (host.contains('.') && host.parse::<IpAddr>().is_err()).then_some(host)
}

/// A network in CIDR notation, such as `10.0.0.0/8` or `::1/128`; a bare address is one host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

/// A text that is no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a network: write it as 10.0.0.0/8 or 192.0.2.7")]
pub struct NotANetwork(String);

impl FromStr for Network {
    type Err = NotANetwork;
    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let wrong = || NotANetwork(text.chars().take(80).collect());
        let (address, bits) = match text.trim().split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text.trim(), None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), str::parse).map_err(|_| wrong())?;
        if bits > most { Err(wrong()) } else { Ok(Self { address, bits }) }
    }
}

impl Network {
    /// Whether `address` lies in the network. Addresses of IPv4 in IPv6 count as IPv4.
    pub fn contains(self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(net), IpAddr::V4(one)) => {
                same_prefix(v4(net), v4(one), u32::from(self.bits) + 96)
            }
            (IpAddr::V6(net), IpAddr::V6(one)) => {
                same_prefix(v6(net), v6(one), u32::from(self.bits))
            }
            _ => false,
        }
    }
}

fn v4(address: Ipv4Addr) -> u128 {
    u128::from(u32::from(address))
}

fn v6(address: Ipv6Addr) -> u128 {
    u128::from(address)
}

fn same_prefix(left: u128, right: u128, bits: u32) -> bool {
    let shift = 128u32.saturating_sub(bits);
    left.checked_shr(shift).unwrap_or(0) == right.checked_shr(shift).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_contain_their_addresses() {
        let of = |text: &str| text.parse::<Network>().unwrap();
        assert!(of("10.0.0.0/8").contains("10.200.0.1".parse().unwrap()));
        assert!(!of("10.0.0.0/8").contains("11.0.0.1".parse().unwrap()));
        assert!(of("127.0.0.1").contains("127.0.0.1".parse().unwrap()));
        assert!(!of("127.0.0.1").contains("127.0.0.2".parse().unwrap()));
        assert!(of("127.0.0.0/8").contains("::ffff:127.0.0.1".parse().unwrap()));
        assert!(of("0.0.0.0/0").contains("192.0.2.1".parse().unwrap()));
        assert!(!of("0.0.0.0/0").contains("::1".parse().unwrap()));
        assert!(of("fd00::/8").contains("fd12::1".parse().unwrap()));
        for bad in ["", "10.0.0.0/33", "a/8", "10.0.0.0/", "::/129", "10.0.0.0/-1"] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_caa_identity_is_the_portals_host() {
        assert_eq!(host_of("https://Ca.Example.com:8443/x").as_deref(), Some("ca.example.com"));
        assert_eq!(host_of("http://127.0.0.1:3000"), None);
        assert_eq!(host_of("http://localhost:3000"), None);
    }
}
