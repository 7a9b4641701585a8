//! Reissues: the next certificate of the same order, and the revocations that one announces.

use domain::model::{CertificateStatus, RevocationReason};
use domain::rules::ReissueRequest;
use domain::{NameSet, OrderNumber, Timestamp};
use serde_json::json;
use store::Tx;

use crate::ask::{note, read_csr};
use crate::audit::{self, AuditEntry};
use crate::order_new::take;
use crate::place::check_visible;
use crate::submitted::Submitted;
use crate::{Actor, Ask, Lifecycle, LifecycleError, Outcome, Result, What, fault};

/// How many revocations one transaction carries out.
const BATCH: u32 = 100;

/// "Reissue certificate" as a person fills it in.
#[derive(Debug, Clone, Default)]
pub struct ReissueForm {
    /// The CSR in PEM.
    pub csr: String,
    /// The common name; the order's where empty.
    pub common_name: String,
    /// All names, separated by commas, spaces or line breaks; the order's where empty.
    pub names: String,
    /// Whether the warning about the revocation in 72 hours was confirmed.
    pub confirmed: bool,
    /// Words to the reviewer.
    pub note: String,
    /// A token of the form: sent twice, it makes one request.
    pub submit_token: String,
}

impl Lifecycle {
    /// Certificate actions > "Reissue certificate". Changed or removed names have the order's
    /// earlier certificates revoked in 72 hours, which the form must confirm.
    pub async fn request_reissue(
        &self,
        actor: &Actor,
        order: OrderNumber,
        form: &ReissueForm,
    ) -> Result<Outcome> {
        let existing = self.store().reader().await?.order(order).await?;
        let existing = existing.ok_or(LifecycleError::NotFound { what: "order" })?;
        check_visible(actor, &existing)?;
        let mut faults = Vec::new();
        let csr = take(&mut faults, read_csr(form.csr.as_bytes()));
        let common_name = match form.common_name.trim() {
            "" => Some(existing.common_name.clone()),
            typed => {
                let read = typed.parse().map_err(|error: domain::NameError| {
                    LifecycleError::field("common_name", error.to_string())
                });
                take(&mut faults, read)
            }
        };
        let typed = NameSet::parse_dns_list(&form.names)
            .map_err(|error| LifecycleError::field("names", error.to_string()));
        let typed = take(&mut faults, typed);
        let note = take(&mut faults, note(&form.note)).flatten();
        let (Some(csr), Some(common_name), Some(typed), true) =
            (csr, common_name, typed, faults.is_empty())
        else {
            return Err(LifecycleError::Invalid(faults));
        };
        let names = if typed.is_empty() { existing.names.clone() } else { typed };
        let names = NameSet::with_common_name(&common_name, names);
        crate::renew::check_csr_names(&csr.names, &names)?;
        let names = if names == existing.names && common_name == existing.common_name {
            ReissueRequest::Same
        } else {
            ReissueRequest::Change { common_name, names, confirmed: form.confirmed }
        };
        let sent = Submitted {
            act: "reissue",
            target: order.to_string(),
            token: &form.submit_token,
            content: &[
                &form.csr,
                &form.common_name,
                &form.names,
                &form.confirmed.to_string(),
                &form.note,
            ],
        };
        let idempotency_key = sent.key(actor);
        let what = What::Reissue { order, names };
        self.ask(actor, Ask { note, idempotency_key, ..Ask::new(what, csr) }).await
    }

    /// Carries out the announced revocations whose time has come; answers how many.
    pub async fn run_due_revocations(&self, now: Timestamp) -> Result<usize> {
        let mut done = 0;
        loop {
            let batch = self
                .store()
                .write(move |tx| Box::pin(async move { revoke_due(tx, now).await }))
                .await?;
            done += batch;
            if batch == 0 {
                return Ok(done);
            }
            fault::point("revoke.after_due");
        }
    }
}

async fn revoke_due(tx: &mut Tx, now: Timestamp) -> Result<usize> {
    let actor = Actor::Worker { on_behalf_of: None };
    let due = tx.due_revocations(now, BATCH).await?;
    let mut revoked = 0;
    for certificate in &due {
        let status = CertificateStatus::Revoked { reason: RevocationReason::Superseded, at: now };
        if !tx.set_certificate_status(certificate.id, status).await? {
            continue;
        }
        revoked += 1;
        let words = format!(
            "Revoked certificate {} of order {}: a reissue took names away 72 hours ago.",
            certificate.serial, certificate.order
        );
        let entry = AuditEntry::new("certificate.revoked", "order", certificate.order, words);
        let facts = json!({ "serial": certificate.serial, "reason": RevocationReason::Superseded });
        audit::record(tx, now, &actor, entry.changing(json!(null), facts)).await?;
    }
    Ok(revoked)
}

#[cfg(test)]
mod tests;
