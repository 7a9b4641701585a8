//! Duplicate certificates: what one holds and which orders give them.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::model::{
    Certificate, Order, OrderFile, OrderStatus, Preferences, RequestKind, SignatureHash,
};
use crate::rules::approval::{ApprovalNeed, Requester, approval_needed};
use crate::rules::name_match::{list, match_names, uncovered};
use crate::rules::profile::check_count;
use crate::rules::validity::{Validity, last_second, longest_lifetime};
use crate::{
    CertificateId, Name, NameSet, OrderNumber, OrganizationId, Product, ProductId, Refusal,
    Timestamp,
};

/// Which names a duplicate shall hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum DuplicateNames {
    /// The order's.
    Same,
    /// The order's and these.
    Extra {
        /// Names to add; those that the order has already count as no addition.
        names: NameSet,
    },
    /// Just these: what an ACME client's identifiers or the certificate in place hold.
    Exactly {
        /// The common name, one of the names.
        common_name: Name,
        /// All names.
        names: NameSet,
    },
}

impl DuplicateNames {
    /// The order's, with these besides.
    pub fn adding(names: NameSet) -> Self {
        if names.is_empty() { Self::Same } else { Self::Extra { names } }
    }
}

/// What a duplicate for an endpoint adds to the names of its order: those that were typed, and those
/// of the certificate in place, which the endpoint goes on serving.
pub fn names_to_add(order: &Order, in_place: Option<&NameSet>, typed: &NameSet) -> NameSet {
    let wanted: NameSet =
        typed.iter().chain(in_place.into_iter().flat_map(NameSet::iter)).cloned().collect();
    wanted.missing_from(&order.names).cloned().collect()
}

/// A duplicate that may be issued.
///
/// Rule D2: a plan has no way to say that another certificate be revoked or scheduled for it.
/// Rule D11: its order is the order of its source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DuplicatePlan {
    /// The order of source and duplicate.
    pub order: OrderNumber,
    /// The primary certificate that is duplicated.
    pub source: CertificateId,
    /// The order's product.
    pub product: ProductId,
    /// The order's organization, the subject.
    pub organization: OrganizationId,
    /// The common name.
    pub common_name: Name,
    /// All names.
    pub names: NameSet,
    /// The order's signature hash.
    pub signature_hash: SignatureHash,
    /// From now to the source's last second.
    pub validity: Validity,
}

/// Rule D1: a duplicate has the subject, organization, product, names and signature hash of its
/// order; serial and key are its own.
/// Rule D8: it ends when the primary certificate ends, to the second.
/// Rule D19: DV products give none, and there is no limit to their number; callers also ask
/// [`check_validation`](crate::rules::check_validation) at the moment of issue.
pub fn plan_duplicate(
    source: &OrderFile,
    names: &DuplicateNames,
    now: Timestamp,
) -> Result<DuplicatePlan, Refusal> {
    let (product, primary) = check_source(source, now)?;
    let (common_name, names) = plan_names(source, product, names)?;
    let not_after = primary.not_after;
    if not_after > last_second(now, longest_lifetime(product, now)) {
        return Err(exceeds_maximum(source, product, now));
    }
    let order = &source.order;
    Ok(DuplicatePlan {
        order: order.number,
        source: primary.id,
        product: order.product.clone(),
        organization: order.organization,
        common_name,
        names,
        signature_hash: order.signature_hash,
        validity: Validity { not_before: now, not_after },
    })
}

impl DuplicatePlan {
    /// The plan, unless the duplicate would outlive its issuer: since the original was issued an
    /// authority with an earlier end may have taken the place of its issuer.
    pub fn within(self, issuer_not_after: Timestamp) -> Result<Self, Refusal> {
        if self.validity.not_after <= issuer_not_after {
            return Ok(self);
        }
        Err(Refusal::new(
            "D8",
            "outlives_issuer",
            format!(
                "A duplicate ends with its original, but the certificate of order {} ends after \
                 the issuing CA, whose certificate ends on {issuer_not_after}. Reissue the order's \
                 certificate first, then duplicate it.",
                self.order
            ),
        ))
    }
}

fn exceeds_maximum(source: &OrderFile, product: &Product, now: Timestamp) -> Refusal {
    Refusal::new(
        "D8",
        "exceeds_maximum",
        format!(
            "A duplicate ends with its original, but the certificate of order {} has longer left \
             than the {} days that {} may be valid when issued now. Reissue the order's \
             certificate first, then duplicate it.",
            source.number(),
            longest_lifetime(product, now).0,
            product.name
        ),
    )
}

fn refuse_status(source: &OrderFile) -> Option<Refusal> {
    let number = source.number();
    let (code, message) = match source.order.status {
        OrderStatus::Issued => return None,
        OrderStatus::ReissuePending => (
            "reissue_pending",
            format!(
                "Order {number} has a reissue pending, so it is not settled what a duplicate \
                 would hold. Approve or cancel the reissue; then ask again."
            ),
        ),
        OrderStatus::Pending => (
            "order_not_issued",
            format!(
                "Order {number} has not been issued yet. Ask again once it has its certificate."
            ),
        ),
        status @ (OrderStatus::Rejected | OrderStatus::Canceled | OrderStatus::Revoked) => (
            "order_gone",
            format!(
                "Order {number} is {status}. Choose another order, or request a new certificate."
            ),
        ),
    };
    Some(Refusal::new("D17", code, message))
}

/// Whether the order's certificate can be duplicated at all, whatever its names.
pub(crate) fn check_source(
    source: &OrderFile,
    now: Timestamp,
) -> Result<(&'static Product, &Certificate), Refusal> {
    let number = source.number();
    let id = source.order.product.as_str();
    let product = Product::find(id).ok_or_else(|| {
        Refusal::new(
            "D19",
            "unknown_product",
            format!("Order {number} is of the product {id}, which is no longer sold. Request a new certificate."),
        )
    })?;
    check_product(product)?;
    if let Some(refusal) = refuse_status(source) {
        return Err(refusal);
    }
    let primary = source.primary().ok_or_else(|| {
        Refusal::new(
            "D8",
            "order_not_issued",
            format!("Order {number} has no certificate yet. Ask again once it has one."),
        )
    })?;
    if primary.is_revoked() {
        return Err(Refusal::new(
            "D8",
            "certificate_revoked",
            format!(
                "The certificate of order {number} was revoked, so there is nothing to duplicate. \
                 Reissue it first, or request a new certificate."
            ),
        ));
    }
    // A certificate in its last second would give a duplicate that lives no time at all.
    if now >= primary.not_after {
        return Err(Refusal::new(
            "D8",
            "certificate_expired",
            format!(
                "The certificate of order {number} is valid until {} only, and a duplicate lives no \
                 longer than its original. Renew the order instead.",
                primary.not_after
            ),
        ));
    }
    Ok((product, primary))
}

/// Whether the product gives duplicates.
pub(crate) fn check_product(product: &Product) -> Result<(), Refusal> {
    if product.duplicates_allowed {
        return Ok(());
    }
    Err(Refusal::new(
        "D19",
        "product_has_no_duplicates",
        format!(
            "{} has no duplicate certificates. Request a new certificate instead.",
            product.name
        ),
    ))
}

/// Who asks for a duplicate by naming its common name or all of its names is not given, in silence,
/// another common name or more names than were listed: both are the order's. `names` may hold
/// others besides, of which [`plan_duplicate`] says whether they can be added.
pub fn check_names_listed(
    order: &Order,
    common_name: Option<&Name>,
    names: &NameSet,
) -> Result<(), Refusal> {
    let number = order.number;
    if let Some(other) = common_name.filter(|name| **name != order.common_name) {
        let message = format!(
            "A duplicate of order {number} has its common name, {}, not {other}. Leave the common \
             name out, or request a new certificate.",
            order.common_name
        );
        return Err(Refusal::new("D1", "other_common_name", message));
    }
    let listed = NameSet::with_common_name(&order.common_name, names.iter().cloned());
    let missing: NameSet = order.names.missing_from(&listed).cloned().collect();
    let adds = names.missing_from(&order.names).next().is_some();
    if names.is_empty() || adds || missing.is_empty() {
        return Ok(());
    }
    let message = format!(
        "A duplicate of order {number} has all of its names, also {}, which were not listed. List \
         them too or list no names, or request a new certificate.",
        list(&missing)
    );
    Err(Refusal::new("D1", "names_missing", message))
}

/// Rule D6: names beyond the order's are added only where the product's duplicates may, and only
/// below the order's wildcard domains; every other duplicate has exactly the order's names.
pub(crate) fn plan_names(
    source: &OrderFile,
    product: &Product,
    wanted: &DuplicateNames,
) -> Result<(Name, NameSet), Refusal> {
    let order = &source.order;
    let (common_name, names) = match wanted {
        DuplicateNames::Same => (order.common_name.clone(), order.names.clone()),
        DuplicateNames::Extra { names } => {
            (order.common_name.clone(), order.names.iter().chain(names.iter()).cloned().collect())
        }
        DuplicateNames::Exactly { common_name, names } => {
            (common_name.clone(), NameSet::with_common_name(common_name, names.iter().cloned()))
        }
    };
    if product.duplicate_may_add_names {
        check_count(&names)?;
        let outside = uncovered(&order.names, &names);
        return if outside.is_empty() {
            Ok((common_name, names))
        } else {
            Err(outside_wildcard(source, &outside))
        };
    }
    let extra: NameSet = names.missing_from(&order.names).cloned().collect();
    if !extra.is_empty() {
        return Err(extra_names(source, product, &extra));
    }
    match_names(order, &names, Some(&common_name)).map(|()| (common_name, names)).map_err(
        |mismatch| {
            Refusal::new(
                "D6",
                "names_differ",
                format!(
                    "A duplicate of order {} has exactly its names, but {mismatch}. Choose an \
                     order with these names, or request a new certificate.",
                    order.number
                ),
            )
        },
    )
}

fn outside_wildcard(source: &OrderFile, outside: &NameSet) -> Refusal {
    let bases: Vec<&str> = source.order.names.wildcard_bases().collect();
    Refusal::new(
        "D6",
        "outside_wildcard",
        format!(
            "{} can't be added to a duplicate of order {}: only names under {} can. Take them out, \
             or request a new certificate for them.",
            list(outside),
            source.number(),
            if bases.is_empty() { "its wildcard domain".to_owned() } else { bases.join(", ") }
        ),
    )
}

fn extra_names(source: &OrderFile, product: &Product, extra: &NameSet) -> Refusal {
    Refusal::new(
        "D6",
        "extra_names",
        format!(
            "{} can't be added: a duplicate of {} has exactly the names of order {}. Only wildcard \
             products with duplicates take additional names. Take them out, or request a new \
             certificate.",
            list(extra),
            product.name,
            source.number()
        ),
    )
}

/// A duplicate asked for by hand, and whether it waits for a reviewer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManualDuplicate {
    /// What will be issued.
    pub plan: DuplicatePlan,
    /// Whether someone must approve it first.
    pub approval: ApprovalNeed,
}

/// Rule D4: by Certificates > Orders > order > Certificate actions > "Request duplicate" a
/// duplicate can always be asked for, whatever Automation offers; while the approval step is on
/// it goes through approval.
pub fn plan_manual_duplicate(
    source: &OrderFile,
    names: &DuplicateNames,
    preferences: &Preferences,
    requester: Requester,
    now: Timestamp,
) -> Result<ManualDuplicate, Refusal> {
    let plan = plan_duplicate(source, names, now)?;
    let approval = approval_needed(preferences, requester, RequestKind::Duplicate);
    Ok(ManualDuplicate { plan, approval })
}
