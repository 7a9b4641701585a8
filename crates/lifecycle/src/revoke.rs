//! Revocations of a certificate or a whole order. A person's always needs a second step; an ACME
//! client, which has proved that the certificate is its own, is answered at once.

mod compromised;

use domain::model::{
    Approval, CertificateStatus, Order, OrderStatus, RequestKind, RevocationReason,
    RevocationTarget,
};
use domain::rules::{ApprovalNeed, HeldBecause, RevocationPlan, plan_revocation};
use domain::{OrderNumber, Refusal, RequestId, Timestamp};
use serde_json::json;
use store::Tx;
use store::keyset::Rows;
use store::requests::{NewRequest, RequestFilter, Wish};

use crate::ask::note;
use crate::audit::{self, AuditEntry};
use crate::place::{Asker, being_issued, locked_file};
use crate::submitted::{self, Submitted};
use crate::{Actor, Lifecycle, LifecycleError, Result, fault, settings};

/// "Revoke certificate" as a person fills it in.
#[derive(Debug, Clone)]
pub struct RevokeForm {
    /// One certificate, or the order with all of them.
    pub target: RevocationTarget,
    /// Why (RFC 5280 section 5.3.1).
    pub reason: RevocationReason,
    /// Words to the reviewer.
    pub note: String,
    /// A token of the form: sent twice, it makes one request.
    pub submit_token: String,
}

/// What became of a wish to revoke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revocation {
    /// It waits for a reviewer.
    Held {
        /// The request.
        request: RequestId,
    },
    /// It is done.
    Done {
        /// How many certificates were revoked.
        certificates: usize,
    },
}

impl Lifecycle {
    /// Certificate actions > "Revoke certificate".
    pub async fn request_revoke(
        &self,
        actor: &Actor,
        order: OrderNumber,
        form: &RevokeForm,
    ) -> Result<Revocation> {
        let sent = Submitted {
            act: "revoke",
            target: format!("{order} {:?}", form.target),
            token: &form.submit_token,
            content: &[form.reason.as_str(), &form.note],
        };
        let wish = Revoking {
            order,
            target: form.target,
            reason: form.reason,
            note: note(&form.note)?,
            key: sent.key(actor),
        };
        let (acting, now) = (actor.clone(), self.clock().now());
        let outcome = self
            .store()
            .write(move |tx| Box::pin(async move { place(tx, now, &acting, wish).await }))
            .await?;
        fault::point("revoke.after_store");
        Ok(outcome)
    }
}

/// A wish to revoke.
pub(crate) struct Revoking {
    pub(crate) order: OrderNumber,
    pub(crate) target: RevocationTarget,
    pub(crate) reason: RevocationReason,
    pub(crate) note: Option<String>,
    pub(crate) key: Option<String>,
}

/// Reads, decides and writes.
pub(crate) async fn place(
    tx: &mut Tx,
    now: Timestamp,
    actor: &Actor,
    wish: Revoking,
) -> Result<Revocation> {
    if let Some(key) = &wish.key {
        submitted::claim(tx, key).await?;
        if let Some(first) = tx.request_by_key(key).await? {
            return Ok(Revocation::Held { request: first.request.id });
        }
    }
    let file = locked_file(tx, actor, wish.order).await?;
    let plan = plan_revocation(&file, wish.target, wish.reason)?;
    let asker = Asker::of(tx, actor).await?;
    let preferences = settings::preferences(tx).await?;
    match asker.approval(&preferences, RequestKind::Revoke) {
        ApprovalNeed::NotNeeded => {
            let certificates = carry_out(tx, now, actor, &plan).await?;
            Ok(Revocation::Done { certificates })
        }
        ApprovalNeed::Needed { because } => {
            check_asked_once(tx, &wish).await?;
            hold(tx, now, actor, &asker, &file.order, wish, because).await
        }
    }
}

async fn check_asked_once(tx: &mut Tx, wish: &Revoking) -> Result<()> {
    let filter = RequestFilter {
        status: Some(Approval::Pending.as_str().to_owned()),
        kind: Some(RequestKind::Revoke),
        order: Some(wish.order),
        requester: None,
    };
    let rows = Rows { beyond: None, descending: true, limit: 100 };
    let open = tx.requests_page(&filter, &rows).await?;
    let same = open
        .iter()
        .find(|record| record.request.revocation.is_some_and(|(target, _)| target == wish.target));
    match same {
        None => Ok(()),
        Some(first) => Err(Refusal::new(
            "revoke",
            "already_requested",
            format!(
                "Request {} asks for this revocation already and waits for approval. Approve or \
                 reject it under Certificates > Requests.",
                first.request.id
            ),
        )
        .into()),
    }
}

async fn hold(
    tx: &mut Tx,
    now: Timestamp,
    actor: &Actor,
    asker: &Asker,
    order: &Order,
    wish: Revoking,
    because: HeldBecause,
) -> Result<Revocation> {
    let new = NewRequest {
        kind: RequestKind::Revoke,
        order: wish.order,
        revocation: Some((wish.target, wish.reason)),
        requester: asker.user,
        requester_name: asker.name.clone(),
        approval: Approval::Pending,
        created_at: now,
        comment: wish.note,
        held_because: Some(because.as_str().to_owned()),
        wish: Wish {
            product: Some(order.product.clone()),
            organization: Some(order.organization),
            common_name: Some(order.common_name.clone()),
            names: Some(order.names.clone()),
            ..Wish::default()
        },
        payload: "{}".to_owned(),
        idempotency_key: wish.key,
    };
    let request = tx.insert_request(&new).await?.ok_or_else(|| LifecycleError::Conflict {
        message: "The same was asked for at the same moment. Reload the page.".to_owned(),
    })?;
    let words = format!("Asked for a revocation (order {}); it waits for approval.", wish.order);
    let facts = json!({ "order": wish.order, "target": wish.target, "reason": wish.reason });
    let entry = AuditEntry::new("request.held", "request", request, words);
    audit::record(tx, now, actor, entry.changing(json!(null), facts)).await?;
    Ok(Revocation::Held { request })
}

/// Revokes what was planned; answers how many certificates that were. The order's row is locked.
pub(crate) async fn carry_out(
    tx: &mut Tx,
    now: Timestamp,
    actor: &Actor,
    plan: &RevocationPlan,
) -> Result<usize> {
    if plan.whole_order {
        // A certificate that is being signed would come after the revocation of its order.
        if tx.order_has_open_issuance(plan.order).await? {
            return Err(being_issued(plan.order));
        }
        tx.move_order(plan.order, OrderStatus::Issued, OrderStatus::Revoked).await?;
    }
    let status = CertificateStatus::Revoked { reason: plan.reason, at: now };
    let mut revoked = 0;
    for id in &plan.certificates {
        revoked += usize::from(tx.set_certificate_status(*id, status).await?);
    }
    let (action, words) = if plan.whole_order {
        let word = if revoked == 1 { "certificate" } else { "certificates" };
        ("order.revoked", format!("Revoked order {} with {revoked} {word}.", plan.order))
    } else {
        ("certificate.revoked", format!("Revoked a certificate of order {}.", plan.order))
    };
    let facts = json!({ "certificates": plan.certificates, "reason": plan.reason });
    let entry = AuditEntry::new(action, "order", plan.order, words);
    audit::record(tx, now, actor, entry.changing(json!(null), facts)).await?;
    if plan.reason == RevocationReason::KeyCompromise {
        tx.insert_key_job(now).await?;
    }
    Ok(revoked)
}

#[cfg(test)]
mod tests;
