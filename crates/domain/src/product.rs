//! The product catalogue: what a product can do is data, never a question for its id (rule D6).

use serde::{Deserialize, Serialize};

use crate::coded::coded;
use crate::time::Days;

coded! {
    /// Who vouches for the subject, and how.
    Validation {
        /// Control of the domain only.
        Dv = "dv",
        /// The organization as well.
        Ov = "ov",
        /// The organization, in depth.
        Ev = "ev",
        /// A private root: the organization's own rules.
        Private = "private",
    }
}

/// A product's id, spelled as in the JSON API: `ssl_plus`, `ssl_wildcard`, ….
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProductId(pub String);

impl ProductId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for ProductId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for ProductId {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// The longest lifetime that a product's certificates may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaxLifetime {
    /// CA/Browser Forum ballot SC-081: 398 days, less from 2026-03-15 on.
    Public,
    /// The product's own maximum.
    Private(Days),
}

/// One product with its abilities.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "a catalogue row: independent abilities, each its own column"
)]
pub struct Product {
    /// The id that the API and the database use.
    pub id: &'static str,
    /// The name that people see.
    pub name: &'static str,
    /// Who vouches for the subject.
    pub validation: Validation,
    /// Holds `*.` names.
    pub wildcard: bool,
    /// Holds IP addresses (RFC 8738): not EV, whose certificates are for host names (EV
    /// Guidelines), and not beside wildcards.
    pub ip_addresses: bool,
    /// More than the common name may be asked for on a new order.
    pub additional_names_allowed: bool,
    /// Duplicates may be issued (rule D19: not for DV).
    pub duplicates_allowed: bool,
    /// A duplicate may add names below the wildcard's base domain (rule D6).
    pub duplicate_may_add_names: bool,
    /// Coverage of 1 to 3 years may be bought.
    pub multi_year: bool,
    /// The longest lifetime of one certificate.
    pub max_lifetime: MaxLifetime,
}

const fn public(id: &'static str, name: &'static str, validation: Validation) -> Product {
    Product {
        id,
        name,
        validation,
        wildcard: false,
        ip_addresses: !matches!(validation, Validation::Ev),
        additional_names_allowed: true,
        duplicates_allowed: !matches!(validation, Validation::Dv),
        duplicate_may_add_names: false,
        multi_year: true,
        max_lifetime: MaxLifetime::Public,
    }
}

const fn private(id: &'static str, name: &'static str) -> Product {
    Product {
        multi_year: false,
        max_lifetime: MaxLifetime::Private(Days(825)),
        ..public(id, name, Validation::Private)
    }
}

/// The product that forms show at first.
pub const USUAL: &str = "ssl_plus";

/// Every product, in the order in which lists show them.
pub const CATALOGUE: &[Product] = &[
    public("ssl_dv_geotrust", "GeoTrust Standard DV", Validation::Dv),
    Product {
        wildcard: true,
        ip_addresses: false,
        ..public("wildcard_dv_geotrust", "GeoTrust Wildcard DV", Validation::Dv)
    },
    public("ssl_basic", "Basic OV", Validation::Ov),
    public("ssl_plus", "Standard SSL", Validation::Ov),
    public("ssl_multi_domain", "Multi-Domain SSL", Validation::Ov),
    Product {
        wildcard: true,
        ip_addresses: false,
        duplicate_may_add_names: true,
        ..public("ssl_wildcard", "SSL Wildcard", Validation::Ov)
    },
    public("ssl_ev_basic", "EV SSL", Validation::Ev),
    public("ssl_ev_securesite", "Secure Site EV", Validation::Ev),
    private("private_ssl_plus", "Private SSL"),
    private("private_ssl_multi_domain", "Private Multi-Domain SSL"),
    Product {
        wildcard: true,
        ip_addresses: false,
        duplicate_may_add_names: true,
        ..private("private_ssl_wildcard", "Private SSL Wildcard")
    },
];

impl Product {
    /// The product with this id.
    pub fn find(id: &str) -> Option<&'static Self> {
        CATALOGUE.iter().find(|product| product.id == id)
    }

    /// The id as a value of its own.
    pub fn product_id(&self) -> ProductId {
        ProductId(self.id.to_owned())
    }
}
