//! A signed certificate goes on record, with everything that follows from it.

use domain::model::CertificateStatus;
use domain::{CertificateId, Timestamp};
use serde_json::json;
use store::Tx;
use store::certificates::NewCertificate;

use super::{Issued, Signed, check_key, issued};
use crate::audit::{self, AuditEntry};
use crate::{Actor, LifecycleError, Result};

/// The certificate of an issuance that was finished in this transaction, or signed in it, with
/// everything that follows from it.
pub(crate) async fn put_on_record(
    tx: &mut Tx,
    now: Timestamp,
    actor: &Actor,
    signed: &Signed,
) -> Result<Issued> {
    // What was reserved must exist, whatever became known of its key since.
    let promised = signed.id.is_some();
    let Some(id) = tx.insert_certificate(&row(signed, now), promised).await? else {
        check_key(tx, &signed.plan.spki_sha256, signed.plan.acme_account).await?;
        let words = format!("certificate {} was not put on record", signed.certificate.serial);
        return Err(LifecycleError::Internal(words));
    };
    if !signed.counted {
        tx.count_certificate(signed.order, signed.kind, now, signed.certificate.not_after).await?;
    }
    if signed.plan.changes_order {
        let plan = &signed.plan;
        let order = tx.order(signed.order).await?;
        let order = order.ok_or(LifecycleError::NotFound { what: "order" })?;
        tx.set_order_names(&order, &plan.common_name, &plan.certificate.names).await?;
    }
    if let Some(revocation) = &signed.plan.revocation {
        let status = CertificateStatus::RevocationPending { due: revocation.due };
        for earlier in &revocation.certificates {
            tx.set_certificate_status(*earlier, status).await?;
        }
    }
    if let Some(request) = signed.request {
        tx.set_request_certificate(request, id).await?;
    }
    let entry = AuditEntry::new(
        "certificate.issued",
        "order",
        signed.order,
        format!(
            "Issued the {} {} of order {}.",
            signed.kind, signed.certificate.serial, signed.order
        ),
    );
    audit::record(tx, now, actor, entry.changing(json!(null), facts(signed, id))).await?;
    Ok(issued(signed, id))
}

fn facts(signed: &Signed, id: CertificateId) -> serde_json::Value {
    json!({
        "certificate": id,
        "serial": signed.certificate.serial,
        "kind": signed.kind,
        "names": signed.plan.certificate.names,
        "not_after": signed.certificate.not_after.rfc3339(),
    })
}

fn row(signed: &Signed, now: Timestamp) -> NewCertificate {
    let plan = &signed.plan;
    NewCertificate {
        order: signed.order,
        kind: signed.kind,
        serial: signed.certificate.serial.clone(),
        common_name: plan.common_name.clone(),
        names: plan.certificate.names.clone(),
        not_before: signed.certificate.not_before,
        not_after: signed.certificate.not_after,
        status: CertificateStatus::Issued,
        issuer: Some(plan.issuer.clone()),
        pem: Some(signed.certificate.pem.clone()),
        fingerprint_sha256: Some(signed.certificate.fingerprint_sha256.clone()),
        spki_sha256: Some(plan.spki_sha256.clone()),
        key_type: plan.key_type,
        request: signed.request,
        requester: plan.requester,
        acme_account: plan.acme_account,
        endpoint: plan.endpoint,
        issued_at: now,
    }
}
