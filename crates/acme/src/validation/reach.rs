//! Which addresses validation may connect to: those of the public internet, and what the operator
//! allows besides. All others could be this network's own, or a cloud's metadata service.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::config::Network;

/// Whether validation may connect to `address`.
pub fn is_allowed(address: IpAddr, allowed: &[Network]) -> bool {
    if allowed.iter().any(|network| network.contains(address)) {
        return true;
    }
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// Everything but the special-purpose blocks of RFC 6890.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (b == 18 || b == 19));
    !special
}

/// Global unicast (`2000::/3`) but documentation, benchmarking, and what carries an IPv4 address
/// inside: 6to4, Teredo and NAT64 could lead back into this network.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    let global = a & 0xe000 == 0x2000;
    let special =
        (a == 0x2001 && (b == 0xdb8 || b < 0x200)) || a == 0x2002 || (a == 0x3fff && b < 0x1000);
    global && !special
}

#[cfg(test)]
mod tests {
    use super::*;

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
