//! Revocation of a certificate or of a whole order. Who must agree is in
//! [`approval`](crate::rules::approval).

use serde::{Deserialize, Serialize};

use crate::model::{OrderFile, OrderStatus, RevocationReason, RevocationTarget};
use crate::{CertificateId, OrderNumber, Refusal};

/// A revocation that may be carried out once it is approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevocationPlan {
    /// The order.
    pub order: OrderNumber,
    /// Whether the order itself is revoked, and nothing can come of it any more.
    pub whole_order: bool,
    /// The certificates that are revoked: of a whole order all, duplicates and reissues included,
    /// that are not revoked yet.
    pub certificates: Vec<CertificateId>,
    /// Why (RFC 5280 section 5.3.1).
    pub reason: RevocationReason,
}

fn refuse(code: &'static str, message: String) -> Refusal {
    Refusal::new("revoke", code, message)
}

/// What a revocation does. Asked when it is requested and again when it is approved. A pending
/// reissue blocks that of the order.
pub fn plan_revocation(
    file: &OrderFile,
    target: RevocationTarget,
    reason: RevocationReason,
) -> Result<RevocationPlan, Refusal> {
    let order = file.number();
    match target {
        RevocationTarget::Order => {
            check_order(file)?;
            let certificates = file
                .certificates
                .iter()
                .filter(|one| !one.is_revoked())
                .map(|one| one.id)
                .collect();
            Ok(RevocationPlan { order, whole_order: true, certificates, reason })
        }
        RevocationTarget::Certificate { id } => {
            let certificate = file.certificates.iter().find(|one| one.id == id).ok_or_else(|| {
                refuse(
                    "certificate_unknown",
                    format!("Order {order} has no such certificate. Choose one from the order's certificate history."),
                )
            })?;
            if certificate.is_revoked() {
                return Err(refuse(
                    "already_revoked",
                    format!(
                        "The certificate {} is revoked already. There is nothing left to do.",
                        certificate.serial
                    ),
                ));
            }
            Ok(RevocationPlan { order, whole_order: false, certificates: vec![id], reason })
        }
    }
}

fn check_order(file: &OrderFile) -> Result<(), Refusal> {
    let order = file.number();
    match file.order.status {
        OrderStatus::Issued => Ok(()),
        OrderStatus::ReissuePending => Err(refuse(
            "reissue_pending",
            format!(
                "Order {order} has a reissue pending, so it can't be revoked. Approve or cancel the reissue first."
            ),
        )),
        OrderStatus::Revoked => Err(refuse(
            "already_revoked",
            format!("Order {order} is revoked already. There is nothing left to do."),
        )),
        OrderStatus::Pending => Err(refuse(
            "order_not_issued",
            format!("Order {order} has not been issued yet. Cancel or reject its request instead."),
        )),
        status @ (OrderStatus::Rejected | OrderStatus::Canceled) => Err(refuse(
            "order_gone",
            format!("Order {order} is {status} and has no certificate to revoke."),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CertificateKind, CertificateStatus};
    use crate::rules::fixture::{NOW, certificate, standard, with_status};

    const REASON: RevocationReason = RevocationReason::KeyCompromise;

    fn two() -> OrderFile {
        let mut file = standard(7, 100);
        file.certificates.push(certificate(8, CertificateKind::Duplicate, NOW, NOW));
        file
    }

    #[test]
    fn an_order_takes_its_duplicates_with_it() {
        let plan = plan_revocation(&two(), RevocationTarget::Order, REASON).unwrap();
        assert_eq!(
            (plan.whole_order, plan.certificates),
            (true, vec![CertificateId(7), CertificateId(8)])
        );
        let id = CertificateId(8);
        let plan = plan_revocation(&two(), RevocationTarget::Certificate { id }, REASON).unwrap();
        assert_eq!((plan.whole_order, plan.certificates), (false, vec![id]));
    }

    #[test]
    fn a_pending_reissue_blocks_the_order() {
        let code =
            |file: &OrderFile, target| plan_revocation(file, target, REASON).unwrap_err().code;
        let order = RevocationTarget::Order;
        assert_eq!(
            code(&with_status(two(), OrderStatus::ReissuePending), order),
            "reissue_pending"
        );
        assert_eq!(code(&with_status(two(), OrderStatus::Revoked), order), "already_revoked");
        assert_eq!(code(&with_status(two(), OrderStatus::Pending), order), "order_not_issued");
        assert_eq!(
            code(&two(), RevocationTarget::Certificate { id: CertificateId(9) }),
            "certificate_unknown"
        );
        let mut gone = two();
        gone.certificates.last_mut().unwrap().status =
            CertificateStatus::Revoked { reason: REASON, at: NOW };
        assert_eq!(
            code(&gone, RevocationTarget::Certificate { id: CertificateId(8) }),
            "already_revoked"
        );
        assert_eq!(plan_revocation(&gone, order, REASON).unwrap().certificates, [CertificateId(7)]);
    }
}
