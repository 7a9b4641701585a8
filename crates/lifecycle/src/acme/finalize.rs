//! finalize (RFC 8555 section 7.4): the order is claimed, ready → processing, it is decided what is
//! done on which order, the serial is reserved, the certificate signed and put on record, and the
//! order made valid.
//!
//! An authority that signs quickly does so within one transaction: a process that dies leaves the
//! order ready, and nothing that it signed has left it. A slow signature stands between two
//! transactions: a process that dies in between leaves an issuance that the next start finishes,
//! and [`AcmeDesk::settle`] then finds its certificate. Held requests are settled the same way,
//! once they are decided.

use std::net::IpAddr;
use std::sync::Arc;

use ca::CsrFacts;
use domain::model::acme::{AcmeAccount, AcmeOrder, AcmeOrderStatus, Fault};
use domain::model::{AcmeUrl, Approval};
use domain::rules::ACME_REQUEST_WAITS;
use domain::{AcmeOrderId, CertificateId, Timestamp};
use store::Tx;
use store::acme::{AcmeOrderOutcome, Claim};

use super::again::{check_key_type, not_claimed};
use super::orders::lock;
use super::place::decide_and_place;
use super::{AcmeDesk, AcmeError, AcmeResult, actor, new_order, replaces};
use crate::approve::{end_undecided, is_overdue};
use crate::caa::CaaRounds;
use crate::issue::{Reserved, complete};
use crate::place::{Placed, superseded};
use crate::{Actor, Issuer, LifecycleError, Outcome, caa, fault};

/// What is known when an order is to be advanced.
pub(super) struct Work<'a> {
    pub(super) issuer: &'a Issuer,
    pub(super) account: &'a AcmeAccount,
    pub(super) actor: &'a Actor,
    pub(super) csr: &'a CsrFacts,
    pub(super) now: Timestamp,
}

/// A finalize request's CSR, which was read already.
#[derive(Debug, Clone)]
pub struct FinalizeCsr {
    /// What it says.
    pub facts: CsrFacts,
    /// RFC 7638, of its key; none where accounts can't have such a key.
    pub thumbprint: Option<String>,
}

impl AcmeDesk {
    /// Finalizes an order. On one that is past ready this is a poll, or gives another key.
    pub async fn finalize(
        &self,
        account: &AcmeAccount,
        id: AcmeOrderId,
        csr: FinalizeCsr,
        address: Option<IpAddr>,
    ) -> AcmeResult<AcmeOrder> {
        let (issuer, now) = (self.desk.issuer_arc()?, self.clock().now());
        let mut rounds = CaaRounds::default();
        let (order, next) = loop {
            let (issuer, csr) = (Arc::clone(&issuer), csr.clone());
            let (acting, holder) = (actor(account, address), account.clone());
            let claimed = self
                .desk
                .store()
                .write(move |tx| {
                    Box::pin(async move {
                        let (account, actor) = (&holder, &acting);
                        let work = Work { issuer: &issuer, account, actor, csr: &csr.facts, now };
                        claim(tx, &work, id, csr.thumbprint.as_deref()).await
                    })
                })
                .await;
            match claimed {
                Ok(claimed) => break claimed,
                // Clients take a conflict for the end.
                Err(AcmeError::Desk(LifecycleError::Conflict { message })) => {
                    return Err(AcmeError::NotYet(message));
                }
                Err(error) => rounds.again(&self.desk, error).await?,
            }
        };
        if let Next::Sign(reserved) = next {
            return self.sign_and_store(order, actor(account, address), *reserved).await;
        }
        fault::point("issue.after_store");
        if let Next::Fetch(chain) = next {
            self.fresh.put_chain(order.account, order.id, chain);
        }
        Ok(order)
    }

    async fn sign_and_store(
        &self,
        order: AcmeOrder,
        actor: Actor,
        reserved: Reserved,
    ) -> AcmeResult<AcmeOrder> {
        let signed = self.desk.sign(reserved).await?;
        let (id, now) = (order.id, self.clock().now());
        let issued = self
            .desk
            .store()
            .write(move |tx| {
                Box::pin(async move {
                    let issued = complete(tx, now, &actor, &signed).await?;
                    tx.complete_acme_order(id, issued.certificate).await?;
                    Ok::<_, AcmeError>(issued)
                })
            })
            .await?;
        fault::point("issue.after_store");
        self.fresh.put_chain(order.account, id, issued.chain_pem);
        let certificate = Some(issued.certificate);
        Ok(AcmeOrder { status: AcmeOrderStatus::Valid, certificate, ..order })
    }

    /// Moves an order on that is processing: to valid where its certificate is there, to invalid
    /// where its request was refused or nobody decided it in time; and tries again where another
    /// renewal was in the way.
    pub async fn settle(&self, id: AcmeOrderId) -> AcmeResult<AcmeOrder> {
        let (issuer, now) = (self.desk.issuer_arc()?, self.clock().now());
        let mut rounds = CaaRounds::default();
        let settled = loop {
            let issuer = Arc::clone(&issuer);
            let settled = self
                .desk
                .store()
                .write(move |tx| Box::pin(async move { settle_in(tx, &issuer, id, now).await }))
                .await;
            match settled {
                Err(error) => match rounds.again(&self.desk, error).await {
                    Ok(()) => {}
                    Err(error) => break Err(error),
                },
                settled => break settled,
            }
        };
        match settled {
            Ok((order, Some((actor, reserved)))) => {
                self.sign_and_store(order, actor, reserved).await
            }
            Ok((order, None)) => Ok(order),
            Err(AcmeError::Desk(error)) if passes(&error) => {
                let mut tx = self.desk.store().reader().await?;
                tx.acme_order(id).await?.ok_or(AcmeError::NotFound("order"))
            }
            // What was possible when the order was claimed is refused by now.
            Err(AcmeError::Desk(LifecycleError::Refused(refusal))) => {
                self.end(id, Fault::new("unauthorized", refusal.message)).await
            }
            Err(AcmeError::Fault(fault)) => self.end(id, fault).await,
            Err(error) => Err(error),
        }
    }

    /// Ends an order that can't be issued any more.
    async fn end(&self, id: AcmeOrderId, fault: Fault) -> AcmeResult<AcmeOrder> {
        let now = self.clock().now();
        self.desk
            .store()
            .write(move |tx| {
                Box::pin(async move {
                    lock(tx, id).await?;
                    tx.fail_processing_acme_order(id, &fault, now).await?;
                    tx.acme_order(id).await?.ok_or(AcmeError::NotFound("order"))
                })
            })
            .await
    }
}

/// Whether what was accepted waits until this is over: a DNS that is silent refuses nothing, nor does
/// somebody who is at work on the same order. Clients take a conflict for the end.
fn passes(error: &LifecycleError) -> bool {
    match error {
        LifecycleError::Refused(refusal) => refusal.code == caa::UNANSWERED,
        LifecycleError::Conflict { .. } => true,
        _ => false,
    }
}

/// What follows once a transaction that moved an order on is on disk.
enum Next {
    Nothing,
    /// Its certificate is signed slowly.
    Sign(Box<Reserved>),
    /// The client fetches this, its certificate.
    Fetch(String),
}

/// Takes an order from ready to processing, and decides and places it.
async fn claim(
    tx: &mut Tx,
    work: &Work<'_>,
    id: AcmeOrderId,
    thumbprint: Option<&str>,
) -> AcmeResult<(AcmeOrder, Next)> {
    lock(tx, id).await?;
    let url = new_order::usable_url(tx, work.account).await?;
    let claim = Claim {
        order: id,
        account: work.account.id,
        csr: &work.csr.der,
        names: &work.csr.names,
        thumbprint,
        at: work.now,
    };
    // What can't be issued writes nothing.
    let claimed = match check_key_type(&url, work.csr) {
        Ok(()) => tx.claim_acme_order(claim).await?,
        Err(_) => None,
    };
    match claimed {
        Some(order) => {
            replaces::claim(tx, &order).await?;
            let status = AcmeOrderStatus::Processing;
            let order = AcmeOrder { status, claimed_at: Some(work.now), ..order };
            advance(tx, work, &url, order, Some(claim)).await
        }
        None => not_claimed(tx, work, &url, claim).await.map(|order| (order, Next::Nothing)),
    }
}

/// The key that ties an issuance or a held request to its ACME order.
pub(super) fn key_of(id: AcmeOrderId) -> String {
    format!("acme/{id}")
}

/// Decides and places an order that is processing, by this very `claim` where there is one.
async fn advance(
    tx: &mut Tx,
    work: &Work<'_>,
    url: &AcmeUrl,
    mut order: AcmeOrder,
    claim: Option<Claim<'_>>,
) -> AcmeResult<(AcmeOrder, Next)> {
    let (decided, placed) = decide_and_place(tx, work, url, &order).await?;
    let explanation = serde_json::to_string(&decided.explanation).map_err(|error| {
        LifecycleError::Internal(format!("an explanation can't be stored: {error}"))
    })?;
    order.explanation = Some(explanation);
    let mut next = Next::Nothing;
    match placed {
        Placed::Reserved(reserved) => {
            order.order_number = Some(reserved.order);
            next = Next::Sign(reserved);
        }
        Placed::Done(outcome) => {
            order.order_number = Some(outcome.order());
            match outcome {
                Outcome::Issued(issued) => {
                    order.certificate = Some(issued.certificate);
                    order.status = AcmeOrderStatus::Valid;
                    next = Next::Fetch(issued.chain_pem);
                }
                Outcome::Held { request, .. } => order.request = Some(request),
                Outcome::Wait { order: renewal } => {
                    order.waits = tx.renewal_is_held(renewal).await?;
                }
            }
        }
        Placed::Superseded { by } => return Err(superseded(by).into()),
        // Its certificate is found when the order is settled.
        Placed::Signing(_) => {}
    }
    let outcome = AcmeOrderOutcome {
        order_number: order.order_number,
        request: order.request,
        explanation: order.explanation.clone(),
        certificate: order.certificate,
    };
    tx.note_acme_outcome(order.id, claim, &outcome).await?;
    Ok((order, next))
}

/// What a settled order came to, and what is left to be signed, by whom.
type Settled = (AcmeOrder, Option<(Actor, Reserved)>);

async fn settle_in(
    tx: &mut Tx,
    issuer: &Issuer,
    id: AcmeOrderId,
    now: Timestamp,
) -> AcmeResult<Settled> {
    lock(tx, id).await?;
    let missing = || AcmeError::NotFound("order");
    let order = tx.acme_order(id).await?.ok_or_else(missing)?;
    if order.status != AcmeOrderStatus::Processing {
        return Ok((order, None));
    }
    if let Some(certificate) = issued_for(tx, &order).await? {
        tx.complete_acme_order(id, certificate).await?;
        return Ok((
            AcmeOrder { status: AcmeOrderStatus::Valid, certificate: Some(certificate), ..order },
            None,
        ));
    }
    if let Some(request) = order.request {
        let Some(fault) = refused(tx, request, now).await? else { return Ok((order, None)) };
        return ended(tx, order, fault, now).await;
    }
    if waited_for_nothing(&order, now) {
        let days = ACME_REQUEST_WAITS.0;
        let words = format!(
            "The renewal that this order waits for was not decided within {days} days. \
             Order again where the certificate is still wanted."
        );
        return ended(tx, order, Fault::new("unauthorized", words), now).await;
    }
    if tx.issuance_by_key(&key_of(id)).await?.is_some() {
        return Ok((order, None));
    }
    try_again(tx, issuer, order, now).await
}

/// Ends an order in the caller's transaction.
async fn ended(tx: &mut Tx, order: AcmeOrder, fault: Fault, now: Timestamp) -> AcmeResult<Settled> {
    tx.fail_processing_acme_order(order.id, &fault, now).await?;
    Ok((AcmeOrder { status: AcmeOrderStatus::Invalid, error: Some(fault), ..order }, None))
}

/// Whether it waits for somebody else's held renewal for longer than a request of its own would.
fn waited_for_nothing(order: &AcmeOrder, now: Timestamp) -> bool {
    order.waits && order.claimed_at.is_some_and(|at| now > at.plus(ACME_REQUEST_WAITS))
}

async fn try_again(
    tx: &mut Tx,
    issuer: &Issuer,
    order: AcmeOrder,
    now: Timestamp,
) -> AcmeResult<Settled> {
    let account = tx.acme_account(order.account).await?.ok_or(AcmeError::NotFound("account"))?;
    let url = new_order::usable_url(tx, &account).await?;
    let der = tx.acme_order_csr(order.id).await?.unwrap_or_default();
    let csr = ca::csr::read(&der).map_err(|fault| AcmeError::fault("badCSR", fault.to_string()))?;
    let acting = actor(&account, None);
    let work = Work { issuer, account: &account, actor: &acting, csr: &csr, now };
    tracing::debug!(
        order = order.id.0,
        account = work.account.id.0,
        "placing a finalized order again"
    );
    let (order, next) = advance(tx, &work, &url, order, None).await?;
    let reserved = match next {
        Next::Sign(reserved) => Some((acting, *reserved)),
        Next::Fetch(_) | Next::Nothing => None,
    };
    Ok((order, reserved))
}

/// The certificate that was issued for an order, by whoever finished it.
async fn issued_for(tx: &mut Tx, order: &AcmeOrder) -> AcmeResult<Option<CertificateId>> {
    if let Some(request) = order.request {
        let record = tx.request(request).await?;
        return Ok(record.and_then(|record| record.issued_certificate));
    }
    let Some(issuance) = tx.issuance_by_key(&key_of(order.id)).await? else { return Ok(None) };
    let record = tx.certificate_by_serial(&issuance.serial).await?;
    Ok(record.map(|record| record.certificate.id))
}

/// Why a held request will not be issued, in the reviewer's words. One that nobody decided in time ends
/// here; nothing is locked before its time is over, for clients ask often.
async fn refused(
    tx: &mut Tx,
    request: domain::RequestId,
    now: Timestamp,
) -> AcmeResult<Option<Fault>> {
    let Some(record) = tx.request(request).await? else { return Ok(None) };
    if is_overdue(&record, now) {
        let words = end_undecided(tx, now, request).await?;
        return Ok(words.map(|words| Fault::new("unauthorized", words)));
    }
    Ok(match record.request.approval {
        Approval::Rejected { reason, .. } => {
            let words = if reason.is_empty() {
                "A reviewer rejected the request.".to_owned()
            } else {
                format!("A reviewer rejected the request: {reason}")
            };
            Some(Fault::new("unauthorized", words))
        }
        Approval::Canceled { .. } => Some(Fault::new("unauthorized", "The request was canceled.")),
        Approval::Pending | Approval::Approved { .. } => None,
    })
}

#[cfg(test)]
mod tests;
