//! Renewals: a new order in an old one's place, and only one of it.

use serde::{Deserialize, Serialize};

use crate::model::Windows;
use crate::model::{KeyType, Order, OrderFile, OrderStatus, SignatureHash};
use crate::rules::duplicate::{DuplicateNames, DuplicatePlan, plan_duplicate};
use crate::rules::explanation::CandidateVerdict;
use crate::rules::name_match::match_names;
use crate::rules::profile::FieldFault;
use crate::rules::window::is_fresh;
use crate::{Days, Name, NameSet, OrderNumber, OrganizationId, ProductId, Refusal, Timestamp};

/// A new order that renews another.
///
/// Rule D12: it gets a number of its own and is linked to the order that it renews.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenewPlan {
    /// The order that is renewed.
    pub renews: OrderNumber,
    /// Its product.
    pub product: ProductId,
    /// Its organization.
    pub organization: OrganizationId,
    /// Its common name.
    pub common_name: Name,
    /// Its names.
    pub names: NameSet,
    /// Years of its plan, where it is a multi-year plan.
    pub coverage_years: Option<u8>,
    /// Validity that was asked for.
    pub validity_days: Option<Days>,
    /// Its key type.
    pub key_type: KeyType,
    /// Its signature hash.
    pub signature_hash: SignatureHash,
    /// Whether it renews itself.
    pub auto_renew: bool,
    /// Whole days left on it, which the new order adds up to its maximum.
    pub days_left: Days,
}

/// What renewing `file` makes. In its window or not, expired or not: whether it is *time* is
/// another question.
pub fn plan_renew(file: &OrderFile, now: Timestamp) -> Result<RenewPlan, Refusal> {
    let order = &file.order;
    let Some(till) = file.valid_till().filter(|_| file.is_standing()) else {
        let state = match order.status {
            OrderStatus::Issued | OrderStatus::ReissuePending | OrderStatus::Pending => {
                "has not been issued yet".to_owned()
            }
            status => format!("is {status}"),
        };
        return Err(Refusal::new(
            "D12",
            "order_not_issued",
            format!(
                "Order {} {state}, so it can't be renewed. Request a new certificate instead.",
                order.number
            ),
        ));
    };
    Ok(RenewPlan {
        renews: order.number,
        product: order.product.clone(),
        organization: order.organization,
        common_name: order.common_name.clone(),
        names: order.names.clone(),
        coverage_years: match order.coverage {
            crate::model::Coverage::MultiYear { years, .. } => Some(years),
            crate::model::Coverage::Single => None,
        },
        validity_days: order.validity_days,
        key_type: order.key_type,
        signature_hash: order.signature_hash,
        auto_renew: order.auto_renew,
        days_left: Days(till.days_left(now).max(0)),
    })
}

/// A renewal has the names of the order that it renews. Who lists others, or not all, is told so:
/// none is added or left out in silence. Where nothing is listed, nothing is expected.
pub fn check_renewal_names(
    order: &Order,
    common_name: &NameSet,
    names: &NameSet,
) -> Result<(), FieldFault> {
    let with_common_name = |names| NameSet::with_common_name(&order.common_name, names);
    let field = if !common_name.is_empty() && *common_name != with_common_name(NameSet::default()) {
        "common_name"
    } else if !names.is_empty() && with_common_name(names.clone()) != order.names {
        "names"
    } else {
        return Ok(());
    };
    let message = format!(
        "A renewal has the names of the order that it renews, and these are not the names of order \
         {}. Leave them out, or request a new certificate.",
        order.number
    );
    Err(FieldFault::new(field, message))
}

/// For a person who renews an order by hand: refuses where it was renewed already, with the
/// order to go on with. `successor` is the order that it is marked as renewed by; one that came to
/// nothing leaves the renewal open.
pub fn check_not_renewed(order: &Order, successor: Option<&Order>) -> Result<(), Refusal> {
    let number = order.number;
    match renewal_turn(successor) {
        RenewalTurn::First => Ok(()),
        RenewalTurn::Wait { order: successor } => Err(Refusal::new(
            "D13",
            "being_renewed",
            format!(
                "Order {number} is being renewed by order {successor}, which has not been issued \
                 yet. Approve or reject its request first."
            ),
        )),
        RenewalTurn::Follow { order: successor } => Err(Refusal::new(
            "D13",
            "already_renewed",
            format!(
                "Order {number} was already renewed by order {successor}. Duplicate or renew order \
                 {successor} instead."
            ),
        )),
    }
}

/// What someone who wants to renew an order has to do when others may want it at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "turn", rename_all = "snake_case")]
pub enum RenewalTurn {
    /// Nobody has renewed it: place the new order.
    First,
    /// Someone has, and their order is not issued yet: wait for it, then look again.
    Wait {
        /// The order to wait for.
        order: OrderNumber,
    },
    /// Someone has: go on with their order.
    Follow {
        /// The order that won.
        order: OrderNumber,
    },
}

/// Rule D18: of those who are due at the same moment under one order, the first to claim
/// [`renewal_key`] renews it; to all others the order that the first one placed is the latest.
///
/// `successor` is the order that `due` is marked as renewed by, read in the transaction that
/// holds the claim. One that came to nothing leaves the turn open again.
pub fn renewal_turn(successor: Option<&Order>) -> RenewalTurn {
    match successor.map(|order| (order.number, order.status)) {
        None | Some((_, OrderStatus::Rejected | OrderStatus::Canceled | OrderStatus::Revoked)) => {
            RenewalTurn::First
        }
        Some((order, OrderStatus::Pending)) => RenewalTurn::Wait { order },
        Some((order, OrderStatus::Issued | OrderStatus::ReissuePending)) => {
            RenewalTurn::Follow { order }
        }
    }
}

/// The idempotency key of an order's renewal: unique among open claims, whoever makes them, on
/// whatever node.
pub fn renewal_key(due: OrderNumber) -> String {
    format!("renew/{due}")
}

/// What a certificate that is due, and its order, look like to [`latest_renewed`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Due<'a> {
    /// The order of the certificate in place.
    pub order: &'a Order,
    /// The common name of the certificate in place.
    pub common_name: &'a Name,
    /// The names of the certificate in place.
    pub names: &'a NameSet,
    /// The last second of the certificate in place; none where nothing is in place any more.
    pub until: Option<Timestamp>,
    /// The newest issued order of the chain of renewals, which is taken whenever it ends: another
    /// renewal of it would end no later.
    pub end: Option<OrderNumber>,
    /// The last second of the issuing certificate.
    pub issuer_not_after: Timestamp,
    /// Both renewal windows.
    pub windows: Windows,
    /// Now.
    pub now: Timestamp,
}

/// Rule D13: what is due under an order that was renewed gets a duplicate of the latest renewed
/// order instead of another renewal. The end of the successor chain comes first, then the newest
/// issued order with the same product, organization and names; each must be outside its own
/// renewal window.
///
/// `sources` are the orders in that sequence. Answers with the first that serves, and adds a
/// verdict on each that was looked at.
pub(crate) fn latest_renewed(
    due: Due<'_>,
    sources: &[&OrderFile],
    verdicts: &mut Vec<CandidateVerdict>,
) -> Option<DuplicatePlan> {
    for file in sources {
        match serves(due, file) {
            Ok(plan) => {
                let why = "The latest renewed order with the same product, organization and names.";
                verdicts.push(CandidateVerdict::kept(file.number(), "D13", why));
                return Some(plan);
            }
            Err((rule, why)) => verdicts.push(CandidateVerdict::dropped(file.number(), rule, why)),
        }
    }
    None
}

fn serves(due: Due<'_>, file: &OrderFile) -> Result<DuplicatePlan, (&'static str, String)> {
    let order = &file.order;
    if order.product != due.order.product || order.organization != due.order.organization {
        return Err(("D13", "Its product or organization is another.".to_owned()));
    }
    if let Err(mismatch) = match_names(order, due.names, Some(due.common_name)) {
        return Err(("D13", format!("Its names don't match: {mismatch}.")));
    }
    if !is_fresh(file, due.windows, due.now) {
        return Err(("D13", "It is due for renewal itself.".to_owned()));
    }
    let ends = file.primary().map(|primary| primary.not_after);
    if due.end != Some(order.number)
        && due.until.is_some_and(|until| ends.is_some_and(|ends| ends <= until))
    {
        return Err(("D13", "It ends no later than the certificate in place.".to_owned()));
    }
    let names =
        DuplicateNames::Exactly { common_name: due.common_name.clone(), names: due.names.clone() };
    plan_duplicate(file, &names, due.now)
        .and_then(|plan| plan.within(due.issuer_not_after))
        .map_err(|refusal| (refusal.rule, refusal.message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fixture::{NOW, names, order, plan_ending, renewed, standard, with_status};

    #[test]
    fn d12_renewal_is_linked_and_adds_the_days_left() {
        let plan = plan_renew(&standard(12345, 20), NOW).unwrap();
        assert_eq!((plan.renews, plan.days_left), (OrderNumber(12345), Days(20)));
        assert_eq!(plan_renew(&standard(1, -20), NOW).unwrap().days_left, Days(0));
        let plan = plan_renew(&plan_ending(standard(1, 20), 80), NOW).unwrap();
        assert_eq!((plan.coverage_years, plan.days_left), (Some(1), Days(80)));
        for status in [
            OrderStatus::Pending,
            OrderStatus::Rejected,
            OrderStatus::Canceled,
            OrderStatus::Revoked,
        ] {
            assert!(plan_renew(&with_status(standard(1, 20), status), NOW).is_err(), "{status}");
        }
    }

    #[test]
    fn d12_names_that_are_listed_are_the_orders() {
        let file = order(5, "ssl_multi_domain", "www.example.com example.com", 20);
        let field = |common_name: &str, listed: &str| {
            check_renewal_names(&file.order, &names(common_name), &names(listed))
                .map_err(|fault| fault.field)
        };
        for (common_name, listed, right) in [
            ("", "", Ok(())),
            ("www.example.com", "", Ok(())),
            ("", "example.com", Ok(())),
            ("www.example.com", "example.com www.example.com", Ok(())),
            ("example.com", "", Err("common_name".to_owned())),
            ("www.example.com example.com", "", Err("common_name".to_owned())),
            ("", "www.example.com", Err("names".to_owned())),
            ("", "example.com api.example.com", Err("names".to_owned())),
        ] {
            assert_eq!(field(common_name, listed), right, "{common_name:?} {listed:?}");
        }
    }

    #[test]
    fn d12_a_renewed_order_is_not_renewed_again_by_hand() {
        let old = renewed(standard(1, 20), 2).order;
        assert!(check_not_renewed(&old, None).is_ok());
        for (status, right) in [
            (OrderStatus::Issued, Err("already_renewed")),
            (OrderStatus::Pending, Err("being_renewed")),
            (OrderStatus::Revoked, Ok(())),
        ] {
            let successor = with_status(standard(2, 20), status).order;
            let code = check_not_renewed(&old, Some(&successor)).map_err(|no| no.code);
            assert_eq!(code, right, "{status}");
        }
        let refusal = check_not_renewed(&old, Some(&standard(2, 20).order)).unwrap_err();
        assert!(refusal.message.contains("Duplicate or renew order 2"));
    }

    #[test]
    fn d18_one_renews_and_the_others_follow() {
        assert_eq!(renewal_key(OrderNumber(12345)), "renew/12345");
        assert_eq!(renewal_turn(None), RenewalTurn::First);
        let order = OrderNumber(67890);
        for status in OrderStatus::ALL {
            let turn = renewal_turn(Some(&with_status(standard(67890, 100), *status).order));
            let right = match status {
                OrderStatus::Pending => RenewalTurn::Wait { order },
                OrderStatus::Issued | OrderStatus::ReissuePending => RenewalTurn::Follow { order },
                _ => RenewalTurn::First,
            };
            assert_eq!(turn, right, "{status}");
        }
    }
}
