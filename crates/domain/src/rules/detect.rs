//! Auto-detection: which existing order an ACME request without an action is about.

use std::cmp::Reverse;

use crate::model::{OrderFile, OrderStatus, Origin};
use crate::rules::explanation::CandidateVerdict;
use crate::rules::name_match::match_names;
use crate::{Name, NameSet, OrderNumber, OrganizationId, Product, ProductId, Timestamp};

/// What an ACME client wants.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The organization of the ACME Directory URL.
    pub organization: OrganizationId,
    /// The product of the ACME Directory URL.
    pub product: &'a ProductId,
    /// The identifiers.
    pub names: &'a NameSet,
    /// The common name, once the CSR is known.
    pub common_name: Option<&'a Name>,
}

/// The order that was found, and what became of every candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detection {
    /// The order; none where nothing matches.
    pub order: Option<OrderNumber>,
    /// Every candidate of the organization, newest number first.
    pub candidates: Vec<CandidateVerdict>,
}

/// What a store looks up to find every order that [`detect`] could match, among the orders of
/// the same organization and product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetectionKeys {
    /// [`NameSet::canonical`] of the names: orders with just these.
    pub canonical: String,
    /// For wildcard products, one of these for each name: orders that hold any name of each cover
    /// the request, and no others do.
    pub all_of: Vec<Vec<Name>>,
}

impl DetectionKeys {
    /// For wildcard products: orders that hold any of these names. An order covers all names of
    /// a request only if it covers the first, so the first one's ancestors are enough.
    pub fn any_of(&self) -> &[Name] {
        self.all_of.first().map_or(&[], Vec::as_slice)
    }
}

/// The keys for a request, so that a store needs to read few orders of a million.
pub fn detection_keys(product: &ProductId, names: &NameSet) -> DetectionKeys {
    let wildcard = Product::find(product.as_str()).is_some_and(|product| product.wildcard);
    let all_of: Vec<Vec<Name>> =
        if wildcard { names.iter().map(holders).collect() } else { Vec::new() };
    DetectionKeys { canonical: names.canonical(), all_of }
}

/// The names of which a wildcard order holds one that covers `name`.
fn holders(name: &Name) -> Vec<Name> {
    name.ancestors()
        .filter_map(|domain| Name::parse(&format!("*.{domain}")).ok())
        .chain(std::iter::once(name.clone()))
        .collect::<NameSet>()
        .into_iter()
        .collect()
}

/// Rule A4: finds the order, issued via ACME for the same organization, whose product and names
/// match; of several the one that is valid longest, then the newest.
///
/// `candidates` may be preselected by [`detection_keys`] and may hold orders that don't match.
pub fn detect(wanted: &Wanted<'_>, candidates: &[OrderFile], now: Timestamp) -> Detection {
    let mut files: Vec<&OrderFile> = candidates
        .iter()
        // A foreign order is not even named in an explanation.
        .filter(|file| file.order.organization == wanted.organization)
        .collect();
    files.sort_by_key(|file| Reverse(file.number()));
    files.dedup_by_key(|file| file.number());

    let judged: Vec<(&OrderFile, Result<(), String>)> =
        files.into_iter().map(|file| (file, matches(wanted, file, now))).collect();
    let best = judged
        .iter()
        .filter(|(_, verdict)| verdict.is_ok())
        .map(|(file, _)| *file)
        .max_by_key(|file| (file.valid_till(), file.order.ordered_at, file.number()));
    let candidates =
        judged.iter().map(|(file, verdict)| explain(file, verdict.as_ref().err(), best)).collect();
    Detection { order: best.map(OrderFile::number), candidates }
}

fn explain(file: &OrderFile, no: Option<&String>, best: Option<&OrderFile>) -> CandidateVerdict {
    let number = file.number();
    match (no, best) {
        (Some(why), _) => CandidateVerdict::dropped(number, "A4", why.as_str()),
        (None, Some(best)) if best.number() != number => {
            let than =
                if best.valid_till() == file.valid_till() { "is newer" } else { "is valid longer" };
            let why = format!("It matches too, but order {} {than}.", best.number());
            CandidateVerdict::dropped(number, "A4", why)
        }
        _ => CandidateVerdict::kept(number, "A4", "Issued via ACME; product and names match."),
    }
}

/// Whether one order may be matched, with the reason in words where not.
fn matches(wanted: &Wanted<'_>, file: &OrderFile, now: Timestamp) -> Result<(), String> {
    let order = &file.order;
    if order.origin != Origin::Acme {
        return Err("It was not issued via ACME.".to_owned());
    }
    if &order.product != wanted.product {
        return Err(format!("Its product is {}, not {}.", order.product, wanted.product));
    }
    if order.status != OrderStatus::Issued || file.primary().is_none() {
        return Err(match order.status {
            OrderStatus::Issued | OrderStatus::Pending => "It has not been issued yet.".to_owned(),
            OrderStatus::ReissuePending => "A reissue of it is pending.".to_owned(),
            gone => format!("It is {gone}."),
        });
    }
    if let (true, Some(successor)) = (file.is_expired(now), order.renewed_by) {
        return Err(format!("It has expired and was renewed by order {successor}."));
    }
    match_names(order, wanted.names, wanted.common_name)
        .map_err(|mismatch| format!("Its names don't match: {mismatch}."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Days;
    use crate::rules::fixture::{
        NOW, name, names, order, plan_ending, renewed, standard, with_status,
    };

    fn found(product: &str, wanted: &str, candidates: &[OrderFile]) -> Option<i64> {
        let wanted = names(wanted);
        let wanted = Wanted {
            organization: OrganizationId(1),
            product: &product.into(),
            names: &wanted,
            common_name: None,
        };
        detect(&wanted, candidates, NOW).order.map(|number| number.0)
    }

    #[test]
    fn a4_only_standing_acme_orders_of_the_organization_and_product() {
        let www = "www.example.com";
        assert_eq!(found("ssl_plus", www, &[standard(1, 100)]), Some(1));
        assert_eq!(found("ssl_basic", www, &[standard(1, 100)]), None);
        let mut portal = standard(1, 100);
        portal.order.origin = Origin::Portal;
        assert_eq!(found("ssl_plus", www, &[portal]), None);
        let mut foreign = standard(1, 100);
        foreign.order.organization = OrganizationId(2);
        assert_eq!(found("ssl_plus", www, &[foreign]), None);
        for status in OrderStatus::ALL.iter().filter(|status| **status != OrderStatus::Issued) {
            assert_eq!(
                found("ssl_plus", www, &[with_status(standard(1, 100), *status)]),
                None,
                "{status}"
            );
        }
    }

    #[test]
    fn a4_names_are_exact_but_below_a_wildcard() {
        let two = [order(1, "ssl_plus", "www.example.com example.com", 100)];
        assert_eq!(found("ssl_plus", "example.com www.example.com", &two), Some(1));
        assert_eq!(found("ssl_plus", "www.example.com", &two), None);
        let both = [order(1, "ssl_plus", "www.example.com 8.8.8.8", 100)];
        assert_eq!(found("ssl_plus", "8.8.8.8 www.example.com", &both), Some(1));
        assert_eq!(found("ssl_plus", "8.8.8.9 www.example.com", &both), None);
        assert_eq!(found("ssl_plus", "8.8.8.8", &both), None);
        let wild = [order(1, "ssl_wildcard", "*.example.com", 100)];
        assert_eq!(found("ssl_wildcard", "a.example.com b.c.example.com", &wild), Some(1));
        assert_eq!(found("ssl_wildcard", "a.example.com www.other.test", &wild), None);
    }

    #[test]
    fn a4_expired_orders_match_only_without_a_successor() {
        let www = "www.example.com";
        assert_eq!(found("ssl_plus", www, &[standard(1, -5)]), Some(1));
        assert_eq!(found("ssl_plus", www, &[renewed(standard(1, -5), 2)]), None);
        assert_eq!(found("ssl_plus", www, &[renewed(standard(1, 5), 2)]), Some(1));
        // The plan goes on although its certificate has expired.
        assert_eq!(
            found("ssl_plus", www, &[renewed(plan_ending(standard(1, -5), 50), 2)]),
            Some(1)
        );
    }

    #[test]
    fn a4_longest_validity_then_newest_wins_and_the_losers_say_why() {
        let plan = plan_ending(standard(1, 20), 300);
        let (early, mut late) = (standard(2, 190), standard(3, 190));
        late.order.ordered_at = early.order.ordered_at.plus(Days(1));
        assert_eq!(
            found("ssl_plus", "www.example.com", &[early.clone(), plan, late.clone()]),
            Some(1)
        );
        let wanted = names("www.example.com");
        let product = "ssl_plus".into();
        let wanted = Wanted {
            organization: OrganizationId(1),
            product: &product,
            names: &wanted,
            common_name: None,
        };
        let detection = detect(&wanted, &[early.clone(), late, early], NOW);
        let told: Vec<(i64, bool, &str)> =
            detection.candidates.iter().map(|v| (v.order.0, v.kept, v.why.as_str())).collect();
        assert_eq!(
            told,
            [
                (3, true, "Issued via ACME; product and names match."),
                (2, false, "It matches too, but order 3 is newer."),
            ]
        );
    }

    #[test]
    fn a4_common_name_counts_once_it_is_known() {
        let file = order(1, "ssl_plus", "www.example.com example.com", 100);
        let wanted = names("www.example.com example.com");
        let product = "ssl_plus".into();
        let with = |common_name: &str| {
            let common_name = name(common_name);
            let wanted = Wanted {
                organization: OrganizationId(1),
                product: &product,
                names: &wanted,
                common_name: Some(&common_name),
            };
            detect(&wanted, std::slice::from_ref(&file), NOW).order
        };
        assert_eq!(with("www.example.com"), Some(OrderNumber(1)));
        assert_eq!(with("example.com"), None);
    }

    #[test]
    fn keys_hold_the_ancestors_of_one_name() {
        let keys = detection_keys(&"ssl_wildcard".into(), &names("a.b.example.com"));
        let any_of: Vec<&str> = keys.any_of().iter().map(Name::as_str).collect();
        assert_eq!(
            any_of,
            ["*.a.b.example.com", "*.b.example.com", "*.example.com", "a.b.example.com"]
        );
        let keys = detection_keys(&"ssl_plus".into(), &names("b.test a.test"));
        assert_eq!((keys.canonical.as_str(), keys.any_of().len()), ("a.test,b.test", 0));
        let two = detection_keys(&"ssl_wildcard".into(), &names("a.example.com b.example.org"));
        let held = names("*.example.com *.example.org");
        let one_of_each =
            |held: &NameSet| two.all_of.iter().all(|each| each.iter().any(|n| held.contains(n)));
        assert!(two.all_of.len() == 2 && one_of_each(&held));
        assert!(!one_of_each(&names("*.example.com *.other.test")));
    }
}
