//! Sets of names.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{DnsName, IpName, Name, NameError};

/// A certificate's names: its SANs with the CN counted in, compared as a set.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NameSet(BTreeSet<Name>);

impl NameSet {
    /// The set of `names`, with `common_name` counted in.
    pub fn with_common_name(common_name: &Name, names: impl IntoIterator<Item = Name>) -> Self {
        let mut set: BTreeSet<Name> = names.into_iter().collect();
        set.insert(common_name.clone());
        Self(set)
    }

    /// Reads names separated by commas, spaces or line breaks; empty pieces are skipped.
    pub fn parse_list(text: &str) -> Result<Self, NameError> {
        pieces(text).map(Name::parse).collect()
    }

    /// The same where only DNS names are wanted.
    pub fn parse_dns_list(text: &str) -> Result<Self, NameError> {
        pieces(text).map(|piece| DnsName::parse(piece).map(Name::from)).collect()
    }

    /// The names in order.
    pub fn iter(&self) -> impl Iterator<Item = &Name> {
        self.0.iter()
    }

    /// Whether `name` is in the set.
    pub fn contains(&self, name: &Name) -> bool {
        self.0.contains(name)
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a name; false where it was there already.
    pub fn insert(&mut self, name: Name) -> bool {
        self.0.insert(name)
    }

    /// Names of this set that `other` does not have.
    pub fn missing_from<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = &'a Name> {
        self.0.difference(&other.0)
    }

    /// The DNS names in order.
    pub fn dns(&self) -> impl Iterator<Item = &DnsName> {
        self.0.iter().filter_map(Name::as_dns)
    }

    /// The IP addresses in order.
    pub fn addresses(&self) -> impl Iterator<Item = &IpName> {
        self.0.iter().filter_map(Name::as_ip)
    }

    /// The domains below which the set's `*.` names reach: `example.com` for `*.example.com`.
    pub fn wildcard_bases(&self) -> impl Iterator<Item = &str> {
        self.dns().filter(|name| name.is_wildcard()).map(DnsName::base)
    }

    /// The canonical text of the set, sorted and joined by commas: equal for equal sets. Stores
    /// index a digest of it.
    pub fn canonical(&self) -> String {
        let names: Vec<&str> = self.0.iter().map(Name::as_str).collect();
        names.join(",")
    }
}

fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c == ',' || c == ';' || c.is_whitespace())
        .filter(|piece| !piece.is_empty())
}

impl FromIterator<Name> for NameSet {
    fn from_iter<I: IntoIterator<Item = Name>>(iter: I) -> Self {
        Self(iter.into_iter().collect())
    }
}

impl IntoIterator for NameSet {
    type Item = Name;
    type IntoIter = std::collections::btree_set::IntoIter<Name>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
