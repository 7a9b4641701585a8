//! Which addresses validation may connect to: those of the public internet, and what the operator
//! allows besides. All others could be this network's own, or a cloud's metadata service.

use std::net::IpAddr;

use domain::IpName;

use super::{Dns, Failure, Record};
use crate::AcmeConfig;
use crate::config::Network;

/// The way from here to the servers that strangers name.
#[derive(Debug, Clone, Copy)]
pub struct Reach<'a> {
    pub config: &'a AcmeConfig,
    pub dns: &'a Dns,
}

impl Reach<'_> {
    /// The addresses of a host that may be connected to, resolved once.
    pub async fn addresses(&self, host: &str, record: &mut Record) -> Result<Vec<IpAddr>, Failure> {
        let found = match host.parse::<IpAddr>() {
            Ok(address) => vec![address],
            Err(_) => self.dns.addresses(host).await?,
        };
        record.addresses.extend(&found);
        let allowed: Vec<IpAddr> = found
            .into_iter()
            .filter(|address| is_allowed(*address, &self.config.validation_allow))
            .collect();
        if allowed.is_empty() {
            let words = format!(
                "{host} has no public address; private, loopback and link-local ones are not connected to."
            );
            return Err(Failure::again("connection", words));
        }
        Ok(allowed)
    }
}

/// The addresses to try: the first `most` of each family, IPv6 first. RFC 8555 has no word on it; so a
/// host whose IPv6 does not work is met at its IPv4 address, and one with very many is not tried for
/// too short a time at each.
pub fn first_of_each(addresses: &[IpAddr], most: usize) -> impl Iterator<Item = IpAddr> {
    let first =
        move |v6: bool| addresses.iter().copied().filter(move |one| one.is_ipv6() == v6).take(most);
    first(true).chain(first(false))
}

/// Whether validation may connect to `address`.
fn is_allowed(address: IpAddr, allowed: &[Network]) -> bool {
    allowed.iter().any(|network| network.contains(address)) || !IpName::from(address).is_reserved()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_family_has_its_first_addresses_tried() {
        let addresses: Vec<IpAddr> = ["192.0.2.1", "2001:db8::1", "192.0.2.2", "2001:db8::2"]
            .map(|text| text.parse().unwrap())
            .to_vec();
        let tried = |most| first_of_each(&addresses, most).map(|one| one.to_string()).collect();
        let one: Vec<String> = tried(1);
        assert_eq!(one, ["2001:db8::1", "192.0.2.1"]);
        let all: Vec<String> = tried(9);
        assert_eq!(all, ["2001:db8::1", "2001:db8::2", "192.0.2.1", "192.0.2.2"]);
        assert_eq!(first_of_each(&[], 3).count(), 0);
    }

    #[test]
    fn only_public_addresses_are_connected_to() {
        for refused in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "192.0.2.1",
            "198.18.0.1",
            "::1",
            "::",
            "fe80::1",
            "fd00:ec2::254",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "2002:7f00:1::",
            "64:ff9b::7f00:1",
            "2001:db8::1",
            "2001:0::1",
            "fec0::1",
            "::127.0.0.1",
        ] {
            assert!(!is_allowed(refused.parse().unwrap(), &[]), "{refused}");
        }
        for allowed in ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "2a00:1450:4001::1"] {
            assert!(is_allowed(allowed.parse().unwrap(), &[]), "{allowed}");
        }
        let loopback = ["127.0.0.0/8".parse().unwrap()];
        assert!(is_allowed("127.0.0.1".parse().unwrap(), &loopback));
        assert!(!is_allowed("10.0.0.1".parse().unwrap(), &loopback));
    }
}
