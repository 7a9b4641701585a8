//! What the demonstration holds, as tables. Days are relative to the clock.

/// A validated or unvalidated organization with its domains.
#[derive(Debug)]
pub struct Organization {
    pub name: &'static str,
    pub country: &'static str,
    pub locality: &'static str,
    pub registration_number: &'static str,
    pub validated: bool,
    pub domains: &'static [&'static str],
}

pub const ORGANIZATIONS: &[Organization] = &[
    Organization {
        name: "Example Corp",
        country: "US",
        locality: "Lehi",
        registration_number: "5299537-0142",
        validated: true,
        domains: &["example.com", "example.net", "example.org"],
    },
    Organization {
        name: "Northwind Traders",
        country: "GB",
        locality: "London",
        registration_number: "04217916",
        validated: true,
        domains: &["northwind.example", "northwind-shop.example"],
    },
    Organization {
        name: "Fabrikam GmbH",
        country: "DE",
        locality: "Berlin",
        registration_number: "HRB 158843",
        validated: false,
        domains: &["fabrikam.example"],
    },
];

/// An automation profile.
#[derive(Debug)]
pub struct Profile {
    pub name: &'static str,
    pub organization: &'static str,
    pub product: &'static str,
    pub coverage_years: Option<u8>,
    pub auto_renew_days: Option<i64>,
}

const fn profile(name: &'static str, organization: &'static str, product: &'static str) -> Profile {
    Profile { name, organization, product, coverage_years: None, auto_renew_days: None }
}

pub const PROFILES: &[Profile] = &[
    Profile { auto_renew_days: Some(30), ..profile("Standard SSL", "Example Corp", "ssl_plus") },
    profile("SSL Wildcard", "Example Corp", "ssl_wildcard"),
    Profile {
        coverage_years: Some(3),
        ..profile("Standard SSL, 3-year plan", "Example Corp", "ssl_plus")
    },
    profile("Private SSL", "Example Corp", "private_ssl_plus"),
    profile("Private Wildcard", "Example Corp", "private_ssl_wildcard"),
    profile("GeoTrust DV", "Example Corp", "ssl_dv_geotrust"),
    profile("Northwind EV", "Northwind Traders", "ssl_ev_basic"),
];

/// What becomes of an order after it was issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Nothing.
    Stands,
    /// Renewed, so many days ago, by the order with this number.
    RenewedBy(i64, i64),
    /// Its certificate was revoked some days ago.
    CertificateRevoked,
    /// The whole order was revoked.
    Revoked,
    /// Reissued yesterday without one of its names: what went before is to be revoked.
    ReissuedWithout(&'static str),
}

/// One order.
#[derive(Debug)]
pub struct Order {
    pub number: i64,
    pub organization: &'static str,
    pub product: &'static str,
    pub common_name: &'static str,
    pub sans: &'static [&'static str],
    /// Days until the certificate expires; negative where it has.
    pub left: i64,
    pub coverage_years: Option<u8>,
    pub duplicates: u8,
    pub fate: Fate,
}

const fn order(number: i64, product: &'static str, common_name: &'static str, left: i64) -> Order {
    Order {
        number,
        organization: "Example Corp",
        product,
        common_name,
        sans: &[],
        left,
        coverage_years: None,
        duplicates: 0,
        fate: Fate::Stands,
    }
}

const fn northwind(
    number: i64,
    product: &'static str,
    common_name: &'static str,
    left: i64,
) -> Order {
    Order { organization: "Northwind Traders", ..order(number, product, common_name, left) }
}

pub const ORDERS: &[Order] = &[
    // The story of the reference: 12345 was renewed by 67890; its duplicate is due.
    Order {
        sans: &["example.com"],
        duplicates: 1,
        fate: Fate::RenewedBy(67890, 4),
        ..order(12345, "ssl_plus", "www.example.com", 21)
    },
    // An original and its duplicate, both due: one renewal, one duplicate of it.
    Order { duplicates: 1, ..order(24680, "ssl_plus", "shop.example.com", 18) },
    // A wildcard order to duplicate from, names added (rule D6).
    Order {
        sans: &["example.org"],
        duplicates: 2,
        ..order(13579, "ssl_wildcard", "*.example.org", 160)
    },
    // The same name as another CA's certificate on an endpoint.
    order(45678, "ssl_plus", "mail.example.com", 150),
    Order {
        fate: Fate::CertificateRevoked,
        ..order(31415, "ssl_plus", "intranet.example.com", 120)
    },
    Order {
        coverage_years: Some(3),
        duplicates: 1,
        ..order(98765, "ssl_plus", "portal.example.com", 20)
    },
    order(27182, "ssl_plus", "api.example.com", 170),
    order(16180, "private_ssl_plus", "db.example.net", 300),
    // Orders of all kinds and states.
    order(500_101, "ssl_plus", "blog.example.com", 5),
    order(500_102, "ssl_plus", "docs.example.com", 12),
    order(500_103, "ssl_plus", "status.example.com", 28),
    order(500_104, "ssl_plus", "cdn.example.com", 33),
    order(500_105, "ssl_plus", "login.example.com", 47),
    order(500_106, "ssl_plus", "vpn.example.com", 58),
    Order { duplicates: 3, ..order(500_107, "ssl_plus", "app.example.com", 75) },
    order(500_108, "ssl_plus", "news.example.com", 88),
    order(500_109, "ssl_plus", "jobs.example.com", 101),
    order(500_110, "ssl_plus", "press.example.com", 133),
    order(500_111, "ssl_plus", "help.example.com", -3),
    order(500_112, "ssl_plus", "old.example.com", -40),
    order(500_113, "ssl_plus", "archive.example.com", -120),
    Order {
        fate: Fate::Revoked,
        duplicates: 1,
        ..order(500_114, "ssl_plus", "beta.example.com", 66)
    },
    Order {
        fate: Fate::RenewedBy(500_116, 30),
        ..order(500_115, "ssl_plus", "store.example.com", -8)
    },
    Order {
        sans: &["example.net", "www.example.net"],
        duplicates: 1,
        ..order(500_201, "ssl_multi_domain", "app.example.net", 93)
    },
    Order {
        sans: &["a.example.net", "b.example.net", "c.example.net"],
        fate: Fate::ReissuedWithout("c.example.net"),
        ..order(500_202, "ssl_multi_domain", "multi.example.net", 140)
    },
    Order {
        sans: &["eu.example.net", "us.example.net"],
        ..order(500_203, "ssl_multi_domain", "global.example.net", 22)
    },
    Order {
        sans: &["mx1.example.net", "mx2.example.net"],
        ..order(500_204, "ssl_multi_domain", "smtp.example.net", 61)
    },
    Order {
        sans: &["example.com"],
        duplicates: 2,
        ..order(500_301, "ssl_wildcard", "*.example.com", 77)
    },
    Order { sans: &["example.net"], ..order(500_302, "ssl_wildcard", "*.example.net", 9) },
    Order {
        sans: &["dev.example.org"],
        ..order(500_303, "ssl_wildcard", "*.dev.example.org", 128)
    },
    Order {
        fate: Fate::RenewedBy(500_305, 2),
        ..order(500_304, "ssl_wildcard", "*.test.example.org", 14)
    },
    order(500_401, "ssl_ev_basic", "secure.example.com", 84),
    order(500_402, "ssl_ev_basic", "pay.example.com", 31),
    order(500_403, "ssl_ev_securesite", "bank.example.com", 155),
    order(500_501, "ssl_basic", "wiki.example.org", 44),
    order(500_502, "ssl_basic", "forum.example.org", 118),
    order(500_503, "ssl_dv_geotrust", "landing.example.com", 35),
    order(500_504, "ssl_dv_geotrust", "promo.example.com", 90),
    order(500_505, "wildcard_dv_geotrust", "*.preview.example.com", 52),
    order(500_601, "private_ssl_plus", "git.example.net", 210),
    order(500_602, "private_ssl_plus", "ci.example.net", 410),
    order(500_603, "private_ssl_plus", "ldap.example.net", 25),
    Order {
        sans: &["node1.example.net", "node2.example.net"],
        ..order(500_604, "private_ssl_multi_domain", "cluster.example.net", 365)
    },
    Order {
        sans: &["lab.example.net"],
        duplicates: 1,
        ..order(500_605, "private_ssl_wildcard", "*.lab.example.net", 500)
    },
    Order { coverage_years: Some(1), ..order(500_701, "ssl_plus", "year.example.com", 130) },
    Order { coverage_years: Some(2), ..order(500_702, "ssl_plus", "two.example.com", 95) },
    Order { coverage_years: Some(3), ..order(500_703, "ssl_wildcard", "*.plan.example.com", 60) },
    northwind(600_101, "ssl_plus", "www.northwind.example", 16),
    northwind(600_102, "ssl_plus", "orders.northwind.example", 72),
    northwind(600_103, "ssl_ev_basic", "pay.northwind-shop.example", 39),
    Order {
        sans: &["northwind.example"],
        ..northwind(600_104, "ssl_wildcard", "*.northwind.example", 110)
    },
    northwind(600_105, "private_ssl_plus", "erp.northwind.example", 260),
    Order { fate: Fate::Revoked, ..northwind(600_106, "ssl_plus", "legacy.northwind.example", 50) },
    northwind(600_107, "ssl_basic", "careers.northwind.example", -15),
    Order {
        sans: &["m.northwind-shop.example"],
        ..northwind(600_108, "ssl_multi_domain", "www.northwind-shop.example", 99)
    },
];

/// What an endpoint serves at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Serves {
    /// Nothing: no certificate was ever installed.
    Nothing,
    /// The primary certificate of an order.
    Primary(i64),
    /// The first duplicate of an order.
    Duplicate(i64),
    /// Another CA's certificate for a name, with so many days left.
    Other(&'static str, i64),
}

/// The endpoints: name, and what is served there.
pub const ENDPOINTS: &[(&str, Serves)] = &[
    ("www-1", Serves::Primary(67890)),
    ("www-2", Serves::Duplicate(12345)),
    ("shop-1", Serves::Primary(24680)),
    ("shop-2", Serves::Duplicate(24680)),
    ("mail-1", Serves::Other("mail.example.com", 41)),
    ("legacy-1", Serves::Other("legacy.example.com", -6)),
    ("intranet-1", Serves::Primary(31415)),
    ("portal-1", Serves::Primary(98765)),
    ("api-1", Serves::Primary(27182)),
    ("new-1", Serves::Nothing),
    ("new-2", Serves::Nothing),
];

/// What became of a request that nothing was issued for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// A reviewer rejected it, with these words.
    Rejected(&'static str),
    /// Who asked took it back.
    Canceled,
}

/// Requests of the Standard User that came to nothing, so many days ago.
pub const ANSWERED: &[(&str, &str, i64, Answer)] = &[
    (
        "ssl_plus",
        "shadow.example.com",
        9,
        Answer::Rejected("Nobody runs a server of this name. Use the wildcard of your team."),
    ),
    ("ssl_basic", "summit.example.org", 6, Answer::Canceled),
];

/// Requests that wait for a reviewer, asked for by the Standard User.
pub const WAITING: &[(&str, &str)] = &[
    ("ssl_plus", "campaign.example.com"),
    ("ssl_plus", "summer.example.com"),
    ("ssl_basic", "handbook.example.org"),
];
