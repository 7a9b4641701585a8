//! Reissues: the next certificate of the same order.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::model::{CertificateStatus, Order, OrderFile, OrderStatus};
use crate::rules::name_match::uncovered;
use crate::rules::profile::check_product_names;
use crate::rules::validity::{Limits, Validity, plan_validity};
use crate::{CertificateId, Days, Name, NameSet, OrderNumber, Product, Refusal, Timestamp};

/// From the reissue to the revocation of the certificates whose names it took away.
pub const REVOCATION_DELAY_SECONDS: i64 = 72 * 3600;

/// Which names a reissue shall hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ReissueRequest {
    /// The order's: "Get your next certificate".
    Same,
    /// Names as an ACME client listed them, all covered by the order. A wildcard order keeps the
    /// names that it holds, so nothing is taken away and nothing revoked.
    Covered {
        /// The common name, one of the names.
        common_name: Name,
        /// All names.
        names: NameSet,
    },
    /// The order's names become these.
    Change {
        /// The common name, one of the names.
        common_name: Name,
        /// All names.
        names: NameSet,
        /// Whether [`reissue_warning`] was shown and confirmed.
        confirmed: bool,
    },
}

/// Certificates that a reissue will have revoked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduledRevocation {
    /// When: 72 hours after the reissue.
    pub due: Timestamp,
    /// Every earlier certificate of the order that is not revoked, duplicates included. What was
    /// announced for an earlier moment keeps that.
    pub certificates: Vec<CertificateId>,
}

/// A reissue that may be issued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReissuePlan {
    /// The order, which stays the same.
    pub order: OrderNumber,
    /// The common name of the certificate.
    pub common_name: Name,
    /// The names of the certificate.
    pub names: NameSet,
    /// Whether common name and names become the order's, too.
    pub changes_order: bool,
    /// Its validity.
    pub validity: Validity,
    /// What it will have revoked; none where no name goes away.
    pub revocation: Option<ScheduledRevocation>,
}

/// The warning that must be confirmed before names are taken away.
pub fn reissue_warning(order: OrderNumber) -> String {
    format!(
        "Reissue request will revoke previously issued certificate for order {order} within 72 hours."
    )
}

/// Whether the order can be reissued, whatever the names.
pub(crate) fn check_reissuable(file: &OrderFile, now: Timestamp) -> Result<(), Refusal> {
    let number = file.number();
    let refuse = |code, message| Err(Refusal::new("reissue", code, message));
    match file.order.status {
        OrderStatus::Issued if file.primary().is_some() => {}
        OrderStatus::ReissuePending => {
            return refuse(
                "reissue_pending",
                format!(
                    "Order {number} has a reissue pending already. Approve or cancel it; then ask again."
                ),
            );
        }
        OrderStatus::Issued | OrderStatus::Pending => {
            return refuse(
                "order_not_issued",
                format!(
                    "Order {number} has not been issued yet. Ask again once it has its certificate."
                ),
            );
        }
        status => {
            return refuse(
                "order_gone",
                format!(
                    "Order {number} is {status}, so it can't be reissued. Request a new certificate."
                ),
            );
        }
    }
    if let Some(till) = file.valid_till().filter(|till| now > *till) {
        return refuse(
            "order_expired",
            format!(
                "Order {number} is valid until {till} only, and a reissue lives no longer than its order. Renew the order instead."
            ),
        );
    }
    Ok(())
}

/// What a reissue makes: the same order; until the end of the order, for a multi-year plan the
/// shorter of what a certificate may live and the plan's end. Names that are changed or removed
/// schedule the revocation of the order's earlier certificates in 72 hours, if that was
/// confirmed; names that are only added don't.
pub fn plan_reissue(
    file: &OrderFile,
    request: &ReissueRequest,
    issuer_not_after: Timestamp,
    now: Timestamp,
) -> Result<ReissuePlan, Refusal> {
    check_reissuable(file, now)?;
    let order = &file.order;
    let (common_name, names, confirmed, changes_order) = match request {
        ReissueRequest::Same => (&order.common_name, &order.names, false, false),
        ReissueRequest::Covered { common_name, names } => (common_name, names, false, false),
        ReissueRequest::Change { common_name, names, confirmed } => {
            (common_name, names, *confirmed, true)
        }
    };
    let names = NameSet::with_common_name(common_name, names.iter().cloned());
    let product = product_of(order)?;
    if changes_order {
        check_product_names(product, &names)?;
    } else {
        let outside = uncovered(&order.names, &names);
        if !outside.is_empty() {
            return Err(not_covered(file, &outside));
        }
    }
    let removed = changes_order && order.names.missing_from(&names).next().is_some();
    if removed && !confirmed {
        let warning = reissue_warning(order.number);
        return Err(Refusal::new(
            "reissue",
            "confirm_revocation",
            format!("{warning} Confirm this, or keep the order's names."),
        ));
    }
    Ok(ReissuePlan {
        order: order.number,
        common_name: common_name.clone(),
        names,
        changes_order,
        validity: reissue_validity(file, product, issuer_not_after, now)?,
        revocation: removed.then(|| revocation(file, now)),
    })
}

fn not_covered(file: &OrderFile, outside: &NameSet) -> Refusal {
    Refusal::new(
        "reissue",
        "names_differ",
        format!(
            "Order {} does not cover {}. Request only names that it covers, or reissue it with \
             changed names on its page.",
            file.number(),
            crate::rules::name_match::list(outside)
        ),
    )
}

fn revocation(file: &OrderFile, now: Timestamp) -> ScheduledRevocation {
    let due = now.plus_seconds(REVOCATION_DELAY_SECONDS);
    let announced = |status| match status {
        CertificateStatus::Issued => false,
        CertificateStatus::RevocationPending { due: earlier } => earlier <= due,
        CertificateStatus::Revoked { .. } => true,
    };
    let certificates = file.certificates.iter().filter(|one| !announced(one.status));
    ScheduledRevocation { due, certificates: certificates.map(|one| one.id).collect() }
}

fn product_of(order: &Order) -> Result<&'static Product, Refusal> {
    Product::find(order.product.as_str()).ok_or_else(|| {
        Refusal::new(
            "reissue",
            "unknown_product",
            format!(
                "Order {} is of a product that is no longer sold. Request a new certificate.",
                order.number
            ),
        )
    })
}

fn reissue_validity(
    file: &OrderFile,
    product: &Product,
    issuer_not_after: Timestamp,
    now: Timestamp,
) -> Result<Validity, Refusal> {
    let order = &file.order;
    // A plan's certificates are as long as asked for; a single order just has its rest.
    let asked = order.validity_days.filter(|_| order.coverage.is_multi_year());
    let limits = Limits { issuer_not_after, coverage_ends: file.valid_till() };
    plan_validity(product, now, asked, Days(0), limits)
}
