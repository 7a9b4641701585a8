//! Synthetic orders for tests of size: a pure function of count, seed and moment.
//!
//! A *site* is a set of names that an organization orders again and again; order `i` is site
//! `i mod sites` in generation `i / sites`, so that numbers grow with time, each order can be
//! made by itself, and most orders renew the one of the generation before.

use domain::model::{
    Certificate, CertificateKind, CertificateStatus, Coverage, KeyType, Order, OrderFile,
    OrderStatus, Origin, RevocationReason, Serial, SignatureHash,
};
use domain::product::CATALOGUE;
use domain::rules::longest_lifetime;
use domain::time::DAY;
use domain::{CertificateId, Days, Name, NameSet, OrderNumber, OrganizationId, Product, Timestamp};

use crate::bulk::LoadedOrder;

/// Orders of one site, one a year.
const GENERATIONS: u64 = 4;
const YEAR: i64 = 365 * DAY;

const WORDS: &[&str] = &[
    "amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "harbor", "iris", "juniper",
    "kestrel", "lumen", "maple", "north", "onyx", "prairie", "quartz", "river", "sierra", "tundra",
];
const TOPS: &[&str] = &["example.com", "example.net", "example.org", "example"];
const HOSTS: &[&str] = &[
    "www", "api", "mail", "shop", "login", "portal", "static", "vpn", "cdn", "status", "docs",
    "dev",
];

/// What a synthetic load is made of.
#[derive(Debug, Clone)]
pub struct Seed {
    /// How many orders.
    pub orders: u64,
    /// Other seeds give other orders.
    pub seed: u64,
    /// The newest order is of this moment, the oldest four years older.
    pub now: Timestamp,
    /// The number of the first order; the others follow without gaps.
    pub first_number: OrderNumber,
    /// Whose the orders are; at least one.
    pub organizations: Vec<OrganizationId>,
}

/// Small, fast and the same on every machine (`SplitMix64`, Steele, Lea and Flood 2014). Nothing
/// secret comes from it.
struct Chance(u64);

impl Chance {
    fn of(seed: u64, stream: u64) -> Self {
        Self(seed ^ stream.wrapping_mul(0xA24B_AED4_963E_E407))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let at = self.below(from.len() as u64);
        usize::try_from(at).ok().and_then(|at| from.get(at))
    }

    fn serial(&mut self) -> Serial {
        // Positive and of full length.
        let high = self.next() >> 1 | 1 << 62;
        Serial(format!("{high:016x}{:016x}", self.next()))
    }
}

/// What all orders of a site share.
struct Site {
    product: &'static Product,
    organization: OrganizationId,
    common_name: Name,
    names: NameSet,
    origin: Origin,
    key_type: KeyType,
    coverage_years: Option<u8>,
    /// Each order renews the one before; otherwise they are unrelated, and some went wrong.
    renews: bool,
    duplicates: u64,
}

impl Seed {
    /// The orders, by number.
    pub fn orders(&self) -> impl Iterator<Item = LoadedOrder> + Send + '_ {
        (0..self.orders).filter_map(|index| self.order(index))
    }

    fn sites(&self) -> u64 {
        self.orders.div_ceil(GENERATIONS).max(1)
    }

    fn number(&self, index: u64) -> OrderNumber {
        OrderNumber(self.first_number.0.saturating_add_unsigned(index))
    }

    /// Order `index`; none only where there is no organization.
    fn order(&self, index: u64) -> Option<LoadedOrder> {
        let sites = self.sites();
        let site = self.site(index % sites)?;
        let mut chance = Chance::of(self.seed.wrapping_add(1), index);
        let ordered_at = self.moment(index);
        let renews = index.checked_sub(sites).filter(|_| site.renews);
        let renewed_by = index.checked_add(sites).filter(|next| site.renews && *next < self.orders);
        let status = match chance.below(100) {
            _ if site.renews => OrderStatus::Issued,
            0..7 => OrderStatus::Revoked,
            7..11 => OrderStatus::Canceled,
            11..15 => OrderStatus::Rejected,
            _ => OrderStatus::Issued,
        };
        let issued = matches!(status, OrderStatus::Issued | OrderStatus::Revoked);
        let coverage = site.coverage_years.map_or(Coverage::Single, |years| Coverage::MultiYear {
            years,
            ends: ordered_at.plus_seconds(i64::from(years) * YEAR - 1),
        });
        let order = Order {
            number: self.number(index),
            organization: site.organization,
            product: site.product.product_id(),
            common_name: site.common_name.clone(),
            names: site.names.clone(),
            status,
            origin: site.origin,
            coverage,
            ordered_at,
            issued_at: issued.then_some(ordered_at),
            renews: renews.map(|index| self.number(index)),
            renewed_by: renewed_by.map(|index| self.number(index)),
            auto_renew: site.renews && renewed_by.is_none() && chance.percent(20),
            validity_days: None,
            key_type: site.key_type,
            signature_hash: SignatureHash::Sha256,
            acme_url: None,
            requester: None,
        };
        let certificates =
            if issued { self.certificates(&order, &site, &mut chance) } else { Vec::new() };
        let file = OrderFile { order, certificates };
        Some(LoadedOrder { file, documents: Vec::new(), requester_name: None, note: None })
    }

    /// Orders are spread evenly over the four years before `now`.
    fn moment(&self, index: u64) -> Timestamp {
        let span = i128::from(YEAR) * i128::from(GENERATIONS);
        let past = span * i128::from(self.orders - index - 1) / i128::from(self.orders.max(1));
        self.now.plus_seconds(-i64::try_from(past).unwrap_or(0))
    }

    fn site(&self, number: u64) -> Option<Site> {
        let mut chance = Chance::of(self.seed, number);
        // A domain has three sites, and its organization follows from it.
        let of_domain = &mut Chance::of(self.seed.wrapping_add(2), number / 3);
        let domain = format!("{}{}.{}", of_domain.pick(WORDS)?, number / 3, of_domain.pick(TOPS)?);
        let organization = *of_domain.pick(&self.organizations)?;
        let product = chance.pick(CATALOGUE)?;
        let place = match number % 3 {
            0 => String::new(),
            other => other.to_string(),
        };
        let host = |chance: &mut Chance| {
            let host = chance.pick(HOSTS)?;
            Name::parse(&format!("{host}{place}.{domain}")).ok()
        };
        let common_name = if product.wildcard {
            Name::parse(&format!("*.{domain}")).ok()?
        } else {
            host(&mut chance)?
        };
        let mut names = NameSet::with_common_name(&common_name, []);
        for _ in 0..chance.below(6) {
            names.insert(host(&mut chance)?);
        }
        Some(Site {
            product,
            organization,
            common_name,
            names,
            origin: *chance.pick(&[
                Origin::Portal,
                Origin::Portal,
                Origin::Automation,
                Origin::Acme,
            ])?,
            key_type: *chance.pick(&[KeyType::Rsa2048, KeyType::EcP256, KeyType::EcP384])?,
            coverage_years: (product.multi_year && chance.percent(15))
                .then(|| *chance.pick(&[1, 2, 3]).unwrap_or(&1)),
            renews: chance.percent(70),
            duplicates: if product.duplicates_allowed && chance.percent(6) {
                1 + chance.below(3)
            } else {
                0
            },
        })
    }

    /// The original, for plans the reissues up to now, and duplicates of the last of them.
    fn certificates(&self, order: &Order, site: &Site, chance: &mut Chance) -> Vec<Certificate> {
        let status = match order.status {
            OrderStatus::Revoked => CertificateStatus::Revoked {
                reason: RevocationReason::Superseded,
                at: order.ordered_at.plus(Days(20)).min(self.now),
            },
            _ => CertificateStatus::Issued,
        };
        let mut certificates: Vec<Certificate> = Vec::new();
        let certificate = |kind, not_before, not_after, chance: &mut Chance| Certificate {
            id: CertificateId(0),
            order: order.number,
            kind,
            serial: chance.serial(),
            common_name: site.common_name.clone(),
            names: site.names.clone(),
            not_before,
            not_after,
            status,
        };
        let ends = |from: Timestamp| {
            let longest = from.plus(longest_lifetime(site.product, from)).plus_seconds(-1);
            order.coverage.ends().map_or(longest, |plan| longest.min(plan))
        };
        let mut from = order.ordered_at;
        let mut kind = CertificateKind::Original;
        let until = loop {
            let until = ends(from);
            certificates.push(certificate(kind, from, until, chance));
            // The next one is fetched two weeks before the end, while the plan lasts.
            let next = until.plus_seconds(-14 * DAY);
            let plan_goes_on = order.coverage.ends().is_some_and(|plan| until < plan);
            if !plan_goes_on || next > self.now || order.status == OrderStatus::Revoked {
                break until;
            }
            from = next;
            kind = CertificateKind::Reissue;
        };
        for _ in 0..site.duplicates {
            certificates.push(certificate(CertificateKind::Duplicate, from, until, chance));
        }
        certificates
    }
}

#[cfg(test)]
mod tests;
