//! The orders that the wizard lists for "Issue a duplicate certificate using an existing order".

use std::cmp::Reverse;

use crate::model::{OrderFile, Profile};
use crate::rules::duplicate::{DuplicateNames, check_source, plan_names};
use crate::rules::explanation::CandidateVerdict;
use crate::rules::name_match::list;
use crate::{NameSet, OrderNumber, Product, ProfileId, Timestamp};

/// The orders to choose from, and why the others are not among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DuplicateCandidates {
    /// What can be chosen, latest first.
    pub orders: Vec<OrderNumber>,
    /// Every order that was looked at, latest first; `kept` are those that can be chosen.
    pub verdicts: Vec<CandidateVerdict>,
}

/// Rule D9: for a new certificate, the latest orders that hold the typed names **and** have the
/// product and organization of the chosen profile.
pub fn candidates_for_names(
    profile: &Profile,
    typed: &NameSet,
    orders: &[OrderFile],
    now: Timestamp,
) -> DuplicateCandidates {
    filter("D9", profile, typed, orders, now)
}

/// Rule D10: for a certificate in place that is renewed or switched, the same list by the names
/// that it holds; nothing is typed.
pub fn candidates_for_certificate(
    profile: &Profile,
    in_place: &NameSet,
    orders: &[OrderFile],
    now: Timestamp,
) -> DuplicateCandidates {
    filter("D10", profile, in_place, orders, now)
}

/// The chosen order, unless the profile was changed since it was chosen under `chosen_under`.
pub fn keep_chosen_order(
    chosen: Option<OrderNumber>,
    chosen_under: ProfileId,
    profile: ProfileId,
) -> Option<OrderNumber> {
    chosen.filter(|_| chosen_under == profile)
}

fn filter(
    rule: &str,
    profile: &Profile,
    wanted: &NameSet,
    orders: &[OrderFile],
    now: Timestamp,
) -> DuplicateCandidates {
    let mut files: Vec<&OrderFile> = orders.iter().collect();
    files.sort_by_key(|file| Reverse((file.order.ordered_at, file.number())));
    let verdicts: Vec<CandidateVerdict> = files
        .into_iter()
        .map(|file| match judge(profile, wanted, file, now) {
            Ok(()) => CandidateVerdict::kept(
                file.number(),
                rule,
                "Names, product and organization match.",
            ),
            Err(why) => CandidateVerdict::dropped(file.number(), rule, why),
        })
        .collect();
    let orders =
        verdicts.iter().filter(|verdict| verdict.kept).map(|verdict| verdict.order).collect();
    DuplicateCandidates { orders, verdicts }
}

fn judge(
    profile: &Profile,
    wanted: &NameSet,
    file: &OrderFile,
    now: Timestamp,
) -> Result<(), String> {
    if file.order.product != profile.product {
        return Err(format!(
            "Its product is {}, the profile's {}.",
            file.order.product, profile.product
        ));
    }
    if file.order.organization != profile.organization {
        return Err("It belongs to another organization than the profile.".to_owned());
    }
    let (product, _): (&Product, _) = check_source(file, now).map_err(|refusal| refusal.message)?;
    if wanted.is_empty() {
        return Err("No names were given.".to_owned());
    }
    let extra: NameSet = wanted.missing_from(&file.order.names).cloned().collect();
    if extra.is_empty() {
        return Ok(());
    }
    plan_names(file, product, &DuplicateNames::Extra { names: extra.clone() })
        .map(|_| ())
        .map_err(|_| format!("It does not hold {}.", list(&extra)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Days;
    use crate::model::OrderStatus;
    use crate::rules::fixture::{NOW, names, order, profile, standard, with_status};

    fn listed(product: &str, typed: &str, orders: &[OrderFile]) -> Vec<i64> {
        let found = candidates_for_names(&profile(product), &names(typed), orders, NOW);
        found.orders.into_iter().map(|number| number.0).collect()
    }

    #[test]
    fn d9_lists_the_latest_orders_with_names_product_and_organization() {
        let mut latest = order(3, "ssl_plus", "www.example.com example.com", 50);
        latest.order.ordered_at = NOW.plus(Days(-1));
        let mut foreign = standard(4, 100);
        foreign.order.organization = crate::OrganizationId(2);
        let orders = [
            standard(1, 100),
            order(2, "ssl_basic", "www.example.com", 100),
            latest,
            foreign,
            with_status(standard(5, 100), OrderStatus::Revoked),
            standard(6, -1),
            order(7, "ssl_plus", "mail.example.com", 100),
        ];
        assert_eq!(listed("ssl_plus", "www.example.com", &orders), [3, 1]);
        assert_eq!(listed("ssl_plus", "example.com www.example.com", &orders), [3]);
        assert_eq!(listed("ssl_plus", "", &orders), [0; 0]);
    }

    #[test]
    fn d9_wildcard_orders_take_what_lies_below() {
        let orders = [order(1, "ssl_wildcard", "*.example.com", 100)];
        assert_eq!(listed("ssl_wildcard", "a.b.example.com", &orders), [1]);
        assert_eq!(listed("ssl_wildcard", "a.other.test", &orders), [0; 0]);
        let found =
            candidates_for_names(&profile("ssl_wildcard"), &names("a.other.test"), &orders, NOW);
        assert_eq!(found.verdicts.first().unwrap().why, "It does not hold a.other.test.");
    }

    #[test]
    fn d9_changing_the_profile_clears_the_chosen_order() {
        let chosen = Some(OrderNumber(1));
        assert_eq!(keep_chosen_order(chosen, ProfileId(1), ProfileId(1)), chosen);
        assert_eq!(keep_chosen_order(chosen, ProfileId(1), ProfileId(2)), None);
    }

    #[test]
    fn d10_uses_the_names_of_the_certificate_in_place() {
        let orders = [standard(1, 100), order(2, "ssl_plus", "mail.example.com", 100)];
        let found = candidates_for_certificate(
            &profile("ssl_plus"),
            &names("mail.example.com"),
            &orders,
            NOW,
        );
        assert_eq!(found.orders, [OrderNumber(2)]);
        assert!(found.verdicts.iter().all(|verdict| !verdict.kept || verdict.rule == "D10"));
    }
}
