//! A finalize of an order that could not be claimed: a poll where the order has this key already,
//! another key for what still waits for a reviewer, or the reason why not.
//!
//! A client that has lost its answer finalizes again, and some make a new key first. It must never be
//! handed the certificate of another key than that of its CSR: it could not use it.

use ca::CsrFacts;
use domain::model::AcmeUrl;
use domain::model::acme::{AcmeOrder, AcmeOrderStatus};
use domain::rules::check_product_key;
use domain::{Name, Product, RequestId};
use serde_json::json;
use store::Tx;
use store::acme::Claim;

use super::finalize::Work;
use super::orders::{is_undecided, owned, seen};
use super::{AcmeError, AcmeResult};
use crate::audit::{AuditEntry, record};
use crate::issue::check_key;

/// What a finalize comes to whose order could not be claimed.
pub(super) async fn not_claimed(
    tx: &mut Tx,
    work: &Work<'_>,
    url: &AcmeUrl,
    claim: Claim<'_>,
) -> AcmeResult<AcmeOrder> {
    let order = seen(owned(tx, claim.account, claim.order).await?, claim.at);
    match order.status {
        AcmeOrderStatus::Processing | AcmeOrderStatus::Valid => {
            if has_key(tx, &order, work.csr).await? {
                return Ok(order);
            }
            check_csr(tx, url, &order, work.csr, claim.thumbprint).await?;
            replace_key(tx, work, claim, &order).await?;
            return Ok(order);
        }
        AcmeOrderStatus::Ready => {}
        AcmeOrderStatus::Pending | AcmeOrderStatus::Invalid => return Err(not_ready(&order)),
    }
    check_csr(tx, url, &order, work.csr, claim.thumbprint).await?;
    let name = tx.unauthorized_identifier(order.id, claim.at).await?;
    Err(name.map_or_else(
        || not_ready(&order),
        |name| {
            let words =
                format!("The authorization of {name} is no longer valid. Make a new order.");
            AcmeError::fault("orderNotReady", words)
        },
    ))
}

fn not_ready(order: &AcmeOrder) -> AcmeError {
    let words =
        format!("The order is {}, so it can't be finalized; only a ready one can.", order.status);
    AcmeError::fault("orderNotReady", words)
}

/// Whether an order was claimed with a CSR of the same public key, whatever else that CSR holds.
async fn has_key(tx: &mut Tx, order: &AcmeOrder, csr: &CsrFacts) -> AcmeResult<bool> {
    let stored = tx.acme_order_csr(order.id).await?.unwrap_or_default();
    Ok(stored == csr.der
        || ca::csr::read(&stored).is_ok_and(|first| first.public_key_der == csr.public_key_der))
}

/// Gives what waits for a reviewer another key, so that the approval issues for the newest one.
async fn replace_key(
    tx: &mut Tx,
    work: &Work<'_>,
    claim: Claim<'_>,
    order: &AcmeOrder,
) -> AcmeResult<()> {
    let Some(request) = undecided(tx, order).await? else { return Err(other_key(order)) };
    let held = tx.request(request).await?.map(|record| record.wish.common_name);
    // What was decided rests on the common name; a CSR without one leaves it as it is.
    if let Some(wanted) = &work.csr.common_name
        && held.flatten().as_ref() != Some(wanted)
    {
        return Err(other_key(order));
    }
    check_key(tx, &work.csr.key_fingerprint, Some(work.account.id)).await?;
    let key_type = work.csr.key.key_type();
    let (pem, fingerprint) = (work.csr.pem(), work.csr.key_fingerprint.as_str());
    if !tx.replace_request_csr(request, &pem, fingerprint, key_type).await? {
        return Err(other_key(order));
    }
    tx.replace_acme_order_csr(order.id, claim.csr).await?;
    let words = format!("The client gave request {request} another key; it still waits.");
    let entry = AuditEntry::new("request.key_changed", "request", request, words);
    let facts = json!({ "spki_sha256": fingerprint });
    record(tx, claim.at, work.actor, entry.changing(json!(null), facts)).await?;
    Ok(())
}

/// The request that an order waits for, where nobody has decided it.
async fn undecided(tx: &mut Tx, order: &AcmeOrder) -> AcmeResult<Option<RequestId>> {
    let waits = order.request.filter(|_| order.status == AcmeOrderStatus::Processing);
    let Some(request) = waits else { return Ok(None) };
    Ok(is_undecided(tx, request).await?.then_some(request))
}

fn other_key(order: &AcmeOrder) -> AcmeError {
    let words = format!(
        "The order was finalized with another key and is {}; its certificate is for that key. Make a \
         new order for this one.",
        order.status
    );
    AcmeError::fault("orderNotReady", words)
}

/// What a CSR must be to be issued for an order.
async fn check_csr(
    tx: &mut Tx,
    url: &AcmeUrl,
    order: &AcmeOrder,
    csr: &CsrFacts,
    thumbprint: Option<&str>,
) -> AcmeResult<()> {
    check_names(order, csr)?;
    check_key_type(url, csr)?;
    // RFC 8555 section 11.1: an account's key must not be a certificate's key.
    if let Some(thumbprint) = thumbprint
        && tx.acme_account_by_thumbprint(thumbprint).await?.is_some()
    {
        let words = "The CSR's key is an account's key. Make another key for the certificate.";
        return Err(AcmeError::fault("badCSR", words));
    }
    Ok(())
}

/// RFC 8555 section 7.4: the CSR asks for exactly the order's identifiers. The CN counts as one of
/// the names.
fn check_names(order: &AcmeOrder, csr: &CsrFacts) -> AcmeResult<()> {
    let wanted = order.names();
    let missing = list("It lacks", wanted.missing_from(&csr.names));
    let extra = list("It adds", csr.names.missing_from(&wanted));
    if !missing.is_empty() || !extra.is_empty() {
        let words =
            format!("The CSR must ask for exactly the order's identifiers.{missing}{extra}");
        return Err(AcmeError::fault("badCSR", words));
    }
    Ok(())
}

/// Whether the URL's product holds the CSR's kind of key, and the URL allows it.
pub(super) fn check_key_type(url: &AcmeUrl, csr: &CsrFacts) -> AcmeResult<()> {
    if let Some(product) = Product::find(url.product.as_str()) {
        check_product_key(product.validation, csr.key.is_edwards())
            .map_err(|refusal| AcmeError::fault("badCSR", refusal.message))?;
    }
    let allowed = &url.key_types;
    if !allowed.is_empty() && !csr.key.key_type().is_some_and(|key| allowed.contains(&key)) {
        let labels: Vec<&str> = allowed.iter().map(|key| key.label()).collect();
        let words = format!(
            "This ACME Directory URL allows the key types {}. Make the key and CSR again.",
            labels.join(", ")
        );
        return Err(AcmeError::fault("badCSR", words));
    }
    Ok(())
}

/// A sentence with the names; nothing where there are none.
fn list<'a>(words: &str, names: impl Iterator<Item = &'a Name>) -> String {
    let names: Vec<&str> = names.map(Name::as_str).collect();
    if names.is_empty() { String::new() } else { format!(" {words} {}.", names.join(", ")) }
}
