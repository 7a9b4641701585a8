//! A name of either kind, and IP addresses as names (RFC 8738).

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{DnsName, NameError};

/// An IP address with its canonical text: RFC 1123 section 2.1 for IPv4, RFC 5952 section 4 for
/// IPv6.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IpName {
    address: IpAddr,
    text: String,
}

impl IpName {
    /// Reads an address in any textual form.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let shown = || NameError::NotAnAddress(text.chars().take(80).collect());
        text.parse::<IpAddr>().map(Self::from).map_err(|_| shown())
    }

    /// The address.
    pub const fn address(&self) -> IpAddr {
        self.address
    }

    /// Its canonical text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether no server can have the address: the unspecified one, those of groups, and broadcast.
    pub fn is_of_no_host(&self) -> bool {
        let broadcast = matches!(self.address, IpAddr::V4(v4) if v4.is_broadcast());
        broadcast || self.address.is_unspecified() || self.address.is_multicast()
    }

    /// Whether the address is kept for a special purpose (IANA's registries, RFC 6890), so that
    /// nobody can own it on the public internet: no public certificate may hold it (Baseline
    /// Requirements 4.2.2), and validation does not connect to it. What carries an IPv4 address
    /// inside (6to4, Teredo, NAT64) counts: it could lead back into this network.
    pub fn is_reserved(&self) -> bool {
        match self.address {
            IpAddr::V4(v4) => {
                let [a, b, c, _] = v4.octets();
                v4.is_private()
                    || v4.is_loopback()
                    || v4.is_link_local()
                    || v4.is_documentation()
                    || v4.is_multicast()
                    || a == 0
                    || a >= 240
                    || (a == 100 && (64..128).contains(&b))
                    || (a == 198 && (b == 18 || b == 19))
                    || (a, b, c) == (192, 0, 0)
                    || (a, b, c) == (192, 88, 99)
            }
            IpAddr::V6(v6) => {
                // Only 2000::/3 is given out, and of it not what protocols and documents use.
                let [first, second, ..] = v6.segments();
                first & 0xe000 != 0x2000
                    || (first == 0x2001 && (second == 0x0db8 || second < 0x0200))
                    || first == 0x2002
                    || first == 0x3fff
            }
        }
    }
}

/// An IPv4 address in IPv6 clothes (`::ffff:192.0.2.7`) is the IPv4 address.
impl From<IpAddr> for IpName {
    fn from(address: IpAddr) -> Self {
        let address = address.to_canonical();
        Self { address, text: address.to_string() }
    }
}

impl fmt::Display for IpName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A name that a certificate holds. Its text tells the kind: no DNS name looks like an address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Name {
    /// A DNS name.
    Dns(DnsName),
    /// An IP address.
    Ip(IpName),
}

impl Name {
    /// Reads an address in any textual form, or a name as [`DnsName::parse`] does.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        match text.trim().parse::<IpAddr>() {
            Ok(address) => Ok(Self::Ip(address.into())),
            Err(_) => DnsName::parse(text).map(Self::Dns),
        }
    }

    /// The name as certificates hold it; an address in its canonical text.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Dns(name) => name.as_str(),
            Self::Ip(address) => address.as_str(),
        }
    }

    /// The DNS name, where it is one.
    pub const fn as_dns(&self) -> Option<&DnsName> {
        match self {
            Self::Dns(name) => Some(name),
            Self::Ip(_) => None,
        }
    }

    /// The IP address, where it is one.
    pub const fn as_ip(&self) -> Option<&IpName> {
        match self {
            Self::Dns(_) => None,
            Self::Ip(address) => Some(address),
        }
    }

    /// Whether the first label is `*`.
    pub fn is_wildcard(&self) -> bool {
        self.as_dns().is_some_and(DnsName::is_wildcard)
    }

    /// Whether the name is `domain` or lies below it, as [`DnsName::is_within`]. Addresses lie in
    /// no domain.
    pub fn is_within(&self, domain: &str) -> bool {
        self.as_dns().is_some_and(|name| name.is_within(domain))
    }

    /// The domains that the name is or lies below, nearest first, as [`DnsName::ancestors`]; none
    /// for addresses.
    pub fn ancestors(&self) -> impl Iterator<Item = &str> {
        self.as_dns().into_iter().flat_map(DnsName::ancestors)
    }
}

impl From<DnsName> for Name {
    fn from(name: DnsName) -> Self {
        Self::Dns(name)
    }
}

impl From<IpAddr> for Name {
    fn from(address: IpAddr) -> Self {
        Self::Ip(address.into())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Name {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Name {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        Self::parse(&text)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        match name {
            Name::Dns(name) => name.into(),
            Name::Ip(address) => address.text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NameSet;

    #[test]
    fn addresses_have_one_text() {
        for (text, canonical) in [
            ("192.0.2.7", "192.0.2.7"),
            ("2001:DB8:0:0:0:0:0:7", "2001:db8::7"),
            ("2001:db8:0:1:0:0:0:7", "2001:db8:0:1::7"),
            ("2001:db8::1:0:0:1", "2001:db8::1:0:0:1"),
            ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
        ] {
            assert_eq!(Name::parse(text).unwrap().as_str(), canonical);
            assert_eq!(Name::parse(canonical).unwrap(), Name::parse(text).unwrap());
        }
    }

    #[test]
    fn only_bare_addresses_are_read() {
        for text in [
            "192.0.2.7:443",
            "192.0.2.0/24",
            "192.0.2.07",
            "192.0.2",
            "0xc0000207",
            "3221225991",
            "[2001:db8::7]",
            "2001:db8::/32",
            "fe80::1%eth0",
            "2001:db8::00007",
            "::ffff:0:0:0:0:0:0:0:1",
            " ",
        ] {
            assert!(IpName::parse(text).is_err(), "{text}");
            assert!(Name::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn kinds_do_not_mix() {
        let set = NameSet::parse_list("www.example.com 192.0.2.7, 2001:db8::7").unwrap();
        assert_eq!((set.dns().count(), set.addresses().count()), (1, 2));
        let stored = serde_json::to_string(&set).unwrap();
        assert_eq!(stored, r#"["www.example.com","192.0.2.7","2001:db8::7"]"#);
        assert_eq!(serde_json::from_str::<NameSet>(&stored).unwrap(), set);
        assert!(matches!(
            NameSet::parse_dns_list("www.example.com 192.0.2.7"),
            Err(NameError::IpAddress(_))
        ));
        let address = Name::parse("192.0.2.7").unwrap();
        assert!(!address.is_within("2.7") && !address.is_wildcard());
        assert_eq!(address.ancestors().count(), 0);
    }

    #[test]
    fn reserved_addresses_are_nobodys() {
        for (text, reserved) in [
            ("127.0.0.1", true),
            ("10.1.2.3", true),
            ("100.64.0.1", true),
            ("192.0.2.1", true),
            ("::1", true),
            ("fd00::1", true),
            ("2001:db8::1", true),
            ("2002:7f00:1::", true),
            ("192.88.99.1", true),
            ("::ffff:10.0.0.1", true),
            ("8.8.8.8", false),
            ("::ffff:8.8.8.8", false),
            ("2606:4700::1111", false),
        ] {
            assert_eq!(IpName::parse(text).unwrap().is_reserved(), reserved, "{text}");
        }
    }
}
