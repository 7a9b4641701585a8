//! Names as certificates hold them: DNS names as lower-case A-labels and IP addresses in their
//! canonical text, compared as sets.

mod name;
mod set;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use name::{IpName, Name};
pub use set::NameSet;

/// A DNS name, lower-case, in A-labels, possibly with `*` as its first label.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DnsName(String);

/// Why a text is not a name that a certificate may hold. The text says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing was given.
    #[error("Enter a domain name, such as www.example.com.")]
    Empty,
    /// Longer than 253 characters, or one label longer than 63.
    #[error("{0:?} is too long: a name has at most 253 characters and each part of it at most 63.")]
    TooLong(String),
    /// An IP address where a DNS name belongs.
    #[error(
        "{0} is an IP address. Enter the server's domain name instead: certificates for addresses are issued through ACME only."
    )]
    IpAddress(String),
    /// No IP address where one belongs.
    #[error(
        "{0:?} is not an IP address. Write the address alone, such as 192.0.2.7 or 2001:db8::7: no port, no prefix, no brackets."
    )]
    NotAnAddress(String),
    /// `*` anywhere but as the whole first label.
    #[error(
        "{0:?} has a wildcard in the wrong place: only the whole first part may be *, as in *.example.com."
    )]
    Wildcard(String),
    /// One label only, such as `localhost`.
    #[error("{0:?} has no domain: enter the full name, such as www.example.com.")]
    SingleLabel(String),
    /// A label with characters that host names don't have, underscores for one, or hyphens at its ends.
    #[error(
        "{0:?} is not a valid domain name: use letters, digits and hyphens only (no underscore, no space)."
    )]
    Characters(String),
    /// A URL, a path or a port, where a name alone belongs.
    #[error(
        "{0:?} is not a name alone: enter it without https://, port and path, such as www.example.com."
    )]
    Url(String),
    /// Not valid under IDNA 2008 (UTS 46).
    #[error("{0:?} is not a valid internationalized domain name.")]
    Idna(String),
}

/// A name as people read it: its A-labels as U-labels. None where it has none, or where one of them
/// stands for nothing (UTS 46). To be shown beside the name only: different names may look alike.
pub fn to_unicode(name: &str) -> Option<String> {
    let (wildcard, base) = name.strip_prefix("*.").map_or(("", name), |base| ("*.", base));
    if !base.split('.').any(|label| label.starts_with("xn--")) {
        return None;
    }
    let (text, valid) = idna::domain_to_unicode(base);
    valid.ok().map(|()| format!("{wildcard}{text}"))
}

impl DnsName {
    /// Reads a name as a person or a client writes it: any case, U-labels or A-labels, one
    /// trailing dot allowed.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let shown = || text.chars().take(80).collect::<String>();
        let trimmed = text.trim();
        let trimmed = trimmed.strip_suffix('.').unwrap_or(trimmed);
        if trimmed.is_empty() {
            return Err(NameError::Empty);
        }
        if trimmed.len() > 1024 {
            return Err(NameError::TooLong(shown()));
        }
        let bare = trimmed.trim_start_matches('[').trim_end_matches(']');
        if bare.parse::<std::net::IpAddr>().is_ok() {
            return Err(NameError::IpAddress(shown()));
        }
        if trimmed.contains(['/', ':']) {
            return Err(NameError::Url(shown()));
        }
        let (wildcard, rest) = match trimmed.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, trimmed),
        };
        if rest.contains('*') {
            return Err(NameError::Wildcard(shown()));
        }
        let lower = rest.to_ascii_lowercase();
        let ascii = if lower.is_ascii() && !lower.contains("xn--") {
            lower
        } else {
            idna::domain_to_ascii_strict(rest).map_err(|_| NameError::Idna(shown()))?
        };
        check_labels(&ascii, wildcard, &shown)?;
        Ok(Self(if wildcard { format!("*.{ascii}") } else { ascii }))
    }

    /// Reads the name of a host that only its own network knows: also one label alone, as
    /// `localhost`. For a portal's own listener; what is ordered needs a domain.
    pub fn parse_host(text: &str) -> Result<Self, NameError> {
        match Self::parse(text) {
            Err(NameError::SingleLabel(shown)) => {
                let label = text.trim().trim_end_matches('.').to_ascii_lowercase();
                // With a domain behind it the label's characters are looked at as any other's.
                match Self::parse(&format!("{label}.invalid")) {
                    Ok(_) => Ok(Self(label)),
                    Err(_) => Err(NameError::SingleLabel(shown)),
                }
            }
            other => other,
        }
    }

    /// The name as certificates hold it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the first label is `*`.
    pub fn is_wildcard(&self) -> bool {
        self.0.starts_with("*.")
    }

    /// The name without a leading `*.`.
    pub fn base(&self) -> &str {
        self.0.strip_prefix("*.").unwrap_or(&self.0)
    }

    /// Whether the name is `domain` or lies below it, whole labels compared. `*.a.test` counts
    /// as `a.test`.
    pub fn is_within(&self, domain: &str) -> bool {
        let base = self.base();
        base == domain || base.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
    }

    /// The domains that this name is or lies below, nearest first: for `*.a.example.com`
    /// `a.example.com`, `example.com`, `com`.
    pub fn ancestors(&self) -> impl Iterator<Item = &str> {
        let base = self.base();
        std::iter::successors(Some(base), |name| name.split_once('.').map(|(_, rest)| rest))
    }
}

fn check_labels(ascii: &str, wildcard: bool, shown: &dyn Fn() -> String) -> Result<(), NameError> {
    if ascii.len() + if wildcard { 2 } else { 0 } > 253 {
        return Err(NameError::TooLong(shown()));
    }
    if !ascii.contains('.') {
        return Err(NameError::SingleLabel(shown()));
    }
    for label in ascii.split('.') {
        if label.len() > 63 {
            return Err(NameError::TooLong(shown()));
        }
        let hyphen_end = label.starts_with('-') || label.ends_with('-');
        let odd = |byte: u8| !(byte.is_ascii_alphanumeric() || byte == b'-');
        if label.is_empty() || hyphen_end || label.bytes().any(odd) {
            return Err(NameError::Characters(shown()));
        }
    }
    // An all-numeric top label would make it look like an address to some clients.
    if ascii.rsplit('.').next().is_some_and(|top| top.bytes().all(|b| b.is_ascii_digit())) {
        return Err(NameError::Characters(shown()));
    }
    Ok(())
}

impl fmt::Display for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for DnsName {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for DnsName {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        Self::parse(&text)
    }
}

impl From<DnsName> for String {
    fn from(name: DnsName) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        for (text, name) in [
            ("WWW.Example.com", "www.example.com"),
            (" www.example.com. ", "www.example.com"),
            ("*.example.com", "*.example.com"),
            ("bücher.example", "xn--bcher-kva.example"),
        ] {
            assert_eq!(DnsName::parse(text).unwrap().as_str(), name);
        }
    }

    #[test]
    fn a_labels_are_read_as_u_labels() {
        let read = |name| to_unicode(name).unwrap_or_default();
        assert_eq!(read("xn--bcher-kva.example"), "bücher.example");
        assert_eq!(read("*.xn--bcher-kva.example"), "*.bücher.example");
        for none in ["www.example.com", "xn--a.example", "xn--.example", "192.0.2.7", ""] {
            assert_eq!(to_unicode(none), None, "{none}");
        }
    }

    #[test]
    fn refuses_bad_names_by_kind() {
        let long = format!("{}.example.com", "a".repeat(64));
        for (text, kind) in [
            ("", "Empty"),
            ("10.0.0.1", "IpAddress"),
            ("[2001:db8::1]", "IpAddress"),
            ("www.*.example.com", "Wildcard"),
            ("w*.example.com", "Wildcard"),
            ("localhost", "SingleLabel"),
            ("*.com", "SingleLabel"),
            ("https://www.example.com", "Url"),
            ("http://localhost", "Url"),
            ("example.com/path", "Url"),
            ("example.com:443", "Url"),
            ("*.example.com:443", "Url"),
            ("a_b.example.com", "Characters"),
            ("-a.example.com", "Characters"),
            ("a..example.com", "Characters"),
            (long.as_str(), "TooLong"),
            ("xn--zzzzzzz-.example", "Idna"),
        ] {
            let error = DnsName::parse(text).unwrap_err();
            assert!(format!("{error:?}").starts_with(kind), "{text}: {error:?}");
        }
    }

    #[test]
    fn a_host_may_be_one_label() {
        let host = |text| DnsName::parse_host(text).ok().map(String::from);
        assert_eq!(host("LocalHost").as_deref(), Some("localhost"));
        assert_eq!(host("certs.example.com").as_deref(), Some("certs.example.com"));
        for wrong in ["", "a b", "-a", "*", "10.0.0.1", "a_b"] {
            assert_eq!(host(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn within_compares_whole_labels() {
        let name = DnsName::parse("evil-example.com").unwrap();
        assert!(!name.is_within("example.com"));
        assert!(DnsName::parse("a.b.example.com").unwrap().is_within("example.com"));
        assert!(DnsName::parse("*.example.com").unwrap().is_within("example.com"));
    }
}
