//! Reviewing requests: approve, reject, cancel (rules D5 and D16).
//!
//! An approval carries the request out under the rules as they are by then: an order that expired
//! or was revoked since refuses, and the request goes on waiting.

use std::sync::Arc;

use domain::model::{Approval, OrderStatus, RequestKind};
use domain::rules::{
    ACME_REQUEST_WAITS, ApprovalNeed, acme_request_waits_until, check_challenged, check_may_review,
    plan_renew, plan_revocation,
};
use domain::{AcmeUrlId, Days, RequestId, Timestamp};
use serde_json::json;
use store::Tx;
use store::requests::RequestRecord;

use crate::ask::note;
use crate::audit::{self, AuditEntry};
use crate::caa::CaaRounds;
use crate::issue::Signing;
use crate::place::{Asker, Payload, Placed, Placing, locked_file};
use crate::{
    Actor, Ask, Exact, Issued, Issuer, Lifecycle, LifecycleError, Outcome, Person, Result, What,
    fault, revoke, settings,
};

/// Whom the request names as the one who decided, where nobody did in time.
const NOBODY: &str = "Certdeck";

/// What came of an approval.
#[derive(Debug, Clone)]
pub enum Approved {
    /// The certificate was issued.
    Issued(Issued),
    /// The certificates were revoked.
    Revoked {
        /// How many.
        certificates: usize,
    },
}

/// What an approval leads to once it is on disk.
enum Next {
    Issue(Placed),
    Revoked(usize),
}

impl Lifecycle {
    /// Certificates > Requests > "Approve", whatever key the request holds.
    pub async fn approve(&self, actor: &Actor, id: RequestId, comment: &str) -> Result<Approved> {
        self.approve_seen(actor, id, None, comment).await
    }

    /// The same by somebody who was shown the key with the SHA-256 `seen`: where an ACME client gave
    /// the request another one since, it is refused with [`LifecycleError::Conflict`].
    pub async fn approve_seen(
        &self,
        actor: &Actor,
        id: RequestId,
        seen: Option<&str>,
        comment: &str,
    ) -> Result<Approved> {
        let person = reviewer(actor)?;
        let (issuer, now, comment) = (self.issuer_arc()?, self.clock().now(), note(comment)?);
        let mut rounds = CaaRounds::default();
        let next = loop {
            let (issuer, acting) = (Arc::clone(&issuer), actor.clone());
            let (person, comment) = (person.clone(), comment.clone());
            let seen = seen.map(ToOwned::to_owned);
            let next = self
                .store()
                .write(move |tx| {
                    Box::pin(async move {
                        let record = open_request(tx, id).await?;
                        check_reviewer(tx, &person, &record).await?;
                        let approval = Approval::Approved { by: Some(person.user.id), at: now };
                        let name = Some(person.user.name.as_str());
                        decide(tx, &record, &approval, name, comment.as_deref()).await?;
                        check_seen(&record, seen.as_deref())?;
                        let words =
                            format!("Approved request {id} (order {}).", record.request.order);
                        let entry = AuditEntry::new("request.approved", "request", id, words)
                            .changing(json!("pending"), json!("approved"));
                        audit::record(tx, now, &acting, entry).await?;
                        carry_out(tx, &issuer, now, &acting, &record).await
                    })
                })
                .await;
            match next {
                Ok(next) => break next,
                Err(error) => rounds.again(self, error).await?,
            }
        };
        match next {
            Next::Revoked(certificates) => {
                fault::point("revoke.after_store");
                Ok(Approved::Revoked { certificates })
            }
            Next::Issue(placed) => match self.settle(actor, placed).await? {
                Outcome::Issued(certificate) => Ok(Approved::Issued(certificate)),
                Outcome::Held { .. } | Outcome::Wait { .. } => {
                    Err(LifecycleError::Internal("an approved request was held".to_owned()))
                }
            },
        }
    }

    /// Certificates > Requests > "Reject", with a reason that the requester reads.
    pub async fn reject(&self, actor: &Actor, id: RequestId, reason: &str) -> Result<()> {
        let person = reviewer(actor)?.clone();
        let reason = note(reason)?
            .ok_or_else(|| LifecycleError::field("note", "Say why: the requester reads it."))?;
        let (now, acting) = (self.clock().now(), actor.clone());
        self.store()
            .write(move |tx| {
                Box::pin(async move {
                    let record = open_request(tx, id).await?;
                    check_reviewer(tx, &person, &record).await?;
                    let approval =
                        Approval::Rejected { by: person.user.id, at: now, reason: reason.clone() };
                    decide(tx, &record, &approval, Some(person.user.name.as_str()), None).await?;
                    undo(tx, &record, OrderStatus::Rejected).await?;
                    let words =
                        format!("Rejected request {id} (order {}): {reason}", record.request.order);
                    let entry = AuditEntry::new("request.rejected", "request", id, words);
                    audit::record(
                        tx,
                        now,
                        &acting,
                        entry.changing(json!("pending"), json!("rejected")),
                    )
                    .await
                })
            })
            .await
    }

    /// Withdraws a request that waits: the requester's own, or any for reviewers.
    pub async fn cancel(&self, actor: &Actor, id: RequestId) -> Result<()> {
        let (now, acting) = (self.clock().now(), actor.clone());
        self.store()
            .write(move |tx| {
                Box::pin(async move {
                    let record = open_request(tx, id).await?;
                    let own = acting.person().map(|person| person.user.id);
                    let may = acting.role().is_some_and(domain::model::Role::is_approver);
                    if !may && (own.is_none() || own != record.request.requester) {
                        return Err(LifecycleError::NotFound { what: "request" });
                    }
                    withdraw(tx, now, &acting, &record).await
                })
            })
            .await
    }
}

/// Withdraws a request together with what it was for, in the caller's transaction.
pub(crate) async fn withdraw_within(
    tx: &mut Tx,
    now: Timestamp,
    actor: &Actor,
    id: RequestId,
) -> Result<()> {
    let record = open_request(tx, id).await?;
    withdraw(tx, now, actor, &record).await
}

async fn withdraw(
    tx: &mut Tx,
    now: Timestamp,
    actor: &Actor,
    record: &RequestRecord,
) -> Result<()> {
    let (id, order) = (record.request.id, record.request.order);
    decide(tx, record, &Approval::Canceled { at: now }, None, None).await?;
    let words = format!("Canceled request {id} (order {order}).");
    canceled(tx, now, actor, record, words).await
}

/// What goes with a request's being canceled.
async fn canceled(
    tx: &mut Tx,
    now: Timestamp,
    actor: &Actor,
    record: &RequestRecord,
    words: String,
) -> Result<()> {
    undo(tx, record, OrderStatus::Canceled).await?;
    let id = record.request.id;
    let entry = AuditEntry::new("request.canceled", "request", id, words);
    audit::record(tx, now, actor, entry.changing(json!("pending"), json!("canceled"))).await
}

/// The ACME Directory URL that a request came by. Whoever made it, or has its credential, asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedThrough {
    /// Its id.
    pub url: AcmeUrlId,
    /// Its name.
    pub name: String,
    /// The name of the person who made it; none where that was the command line.
    pub made_by: Option<String>,
}

impl Lifecycle {
    /// What a reviewer has to know of a request that no person made.
    pub async fn asked_through(&self, record: &RequestRecord) -> Result<Option<AskedThrough>> {
        let payload: Option<Payload> = serde_json::from_str(&record.payload).ok();
        let Some(url) = payload.and_then(|payload| payload.acme_url) else { return Ok(None) };
        let found = self.store().reader().await?.acme_url_maker(url).await?;
        Ok(found.map(|(name, made_by)| AskedThrough { url, name, made_by }))
    }
}

/// Until when a request waits for a reviewer; none where it does so for as long as that takes, as
/// all do that no ACME client made, or where it was decided.
pub fn waits_until(record: &RequestRecord) -> Option<Timestamp> {
    let payload: Payload = serde_json::from_str(&record.payload).ok()?;
    let asks = payload.acme_account.is_some() && record.request.approval == Approval::Pending;
    asks.then(|| acme_request_waits_until(record.request.created_at))
}

/// Whether nobody decided a request in time.
pub(crate) fn is_overdue(record: &RequestRecord, now: Timestamp) -> bool {
    waits_until(record).is_some_and(|until| now > until)
}

/// Cancels a request of an ACME client that nobody decided in time, in the caller's transaction;
/// answers the words that say so. None where its time is not over, or somebody was faster.
pub(crate) async fn end_undecided(
    tx: &mut Tx,
    now: Timestamp,
    id: RequestId,
) -> Result<Option<String>> {
    let record = open_request(tx, id).await?;
    if !is_overdue(&record, now) {
        return Ok(None);
    }
    let days = ACME_REQUEST_WAITS.0;
    let note = format!(
        "Nobody decided within {days} days, which is how long a request of an ACME client waits. \
         Order again where the certificate is still wanted."
    );
    let approval = Approval::Canceled { at: now };
    decide(tx, &record, &approval, Some(NOBODY), Some(&note)).await?;
    let words = format!(
        "Canceled request {id} (order {}): nobody decided within {days} days.",
        record.request.order
    );
    canceled(tx, now, &Actor::Worker { on_behalf_of: None }, &record, words).await?;
    Ok(Some(note))
}

/// Reviews are signed with a name: the operator at the command line has none.
fn reviewer(actor: &Actor) -> Result<&Person> {
    actor.person().ok_or(LifecycleError::Forbidden { what: "Reviewing requests", needs: "Manager" })
}

async fn open_request(tx: &mut Tx, id: RequestId) -> Result<RequestRecord> {
    let record = tx.request(id).await?.ok_or(LifecycleError::NotFound { what: "request" })?;
    // The same sequence of locks as everywhere: the order first.
    tx.lock_order(record.request.order).await?;
    tx.request(id).await?.ok_or(LifecycleError::NotFound { what: "request" })
}

async fn check_reviewer(tx: &mut Tx, person: &Person, record: &RequestRecord) -> Result<()> {
    let preferences = settings::preferences(tx).await?;
    Ok(check_may_review(&preferences, person.user.id, person.role, record.request.requester)?)
}

/// Refuses to issue for another key than the one that the reviewer was shown.
fn check_seen(record: &RequestRecord, seen: Option<&str>) -> Result<()> {
    let key = record.wish.spki_sha256.as_deref().unwrap_or_default();
    if seen.is_none_or(|seen| seen.eq_ignore_ascii_case(key)) {
        return Ok(());
    }
    Err(LifecycleError::Conflict {
        message: format!(
            "The client gave request {} another key while you had it open: the key's SHA-256 is now \
             {key}. Look at the request again and decide.",
            record.request.id
        ),
    })
}

async fn decide(
    tx: &mut Tx,
    record: &RequestRecord,
    approval: &Approval,
    name: Option<&str>,
    comment: Option<&str>,
) -> Result<()> {
    let id = record.request.id;
    if tx.decide_request(id, approval, name, comment).await? {
        return Ok(tx.wake_events_waiting_for(record.request.order).await?);
    }
    Err(LifecycleError::Conflict {
        message: format!("Request {id} was decided already. Reload the page to see by whom."),
    })
}

/// What a request that came to nothing leaves behind: its order ends, a claimed renewal is free
/// again, an order that waited for its reissue is settled again.
async fn undo(tx: &mut Tx, record: &RequestRecord, end: OrderStatus) -> Result<()> {
    let number = record.request.order;
    match record.request.kind {
        RequestKind::New | RequestKind::Renew => {
            tx.move_order(number, OrderStatus::Pending, end).await?;
            tx.release_order_key(number).await?;
            let renews = tx.order(number).await?.and_then(|order| order.renews);
            if let Some(renewed) = renews {
                tx.set_renewed_by(renewed, None).await?;
            }
        }
        RequestKind::Reissue => {
            tx.move_order(number, OrderStatus::ReissuePending, OrderStatus::Issued).await?;
        }
        RequestKind::Duplicate | RequestKind::Revoke => {}
    }
    Ok(())
}

async fn carry_out(
    tx: &mut Tx,
    issuer: &Issuer,
    now: Timestamp,
    actor: &Actor,
    record: &RequestRecord,
) -> Result<Next> {
    if let Some((target, reason)) = record.request.revocation {
        let file = locked_file(tx, actor, record.request.order).await?;
        let plan = plan_revocation(&file, target, reason)?;
        return Ok(Next::Revoked(revoke::carry_out(tx, now, actor, &plan).await?));
    }
    let payload: Payload =
        serde_json::from_str(&record.payload).map_err(|_| unreadable(record.request.id))?;
    check_challenged(&payload.challenged, record.request.created_at, now)?;
    let csr = record.wish.csr_pem.as_deref().and_then(|pem| ca::csr::read(pem.as_bytes()).ok());
    let csr = csr.ok_or_else(|| unreadable(record.request.id))?;
    let ask = Ask {
        note: record.comment.clone(),
        idempotency_key: Some(format!("request/{}", record.request.id)),
        endpoint: payload.endpoint,
        challenged: payload.challenged,
        ..Ask::new(payload.what, csr)
    };
    let asker = Asker::of_request(record, payload.acme_account, payload.acme_url);
    let placing = Placing {
        signing: Signing::Afterwards,
        issuer,
        now,
        actor,
        asker: &asker,
        ask: &ask,
        need: ApprovalNeed::NotNeeded,
        request: Some(record.request.id),
    };
    placing.approved(tx, record).await.map(Next::Issue)
}

fn unreadable(id: RequestId) -> LifecycleError {
    LifecycleError::Internal(format!("request {id} can't be read"))
}

impl Placing<'_> {
    async fn approved(&self, tx: &mut Tx, record: &RequestRecord) -> Result<Placed> {
        let number = record.request.order;
        match self.ask.what {
            What::New(_) | What::Renew { .. } => {
                let order =
                    tx.order(number).await?.ok_or(LifecycleError::NotFound { what: "order" })?;
                let names = exact(record)?;
                let days_left = match order.renews {
                    Some(renewed) => self.days_left(tx, renewed).await?,
                    None => Days(0),
                };
                let draft = self.draft_original(&order, &names, days_left)?;
                self.reserve(tx, draft).await
            }
            What::Duplicate { .. } => {
                let file = locked_file(tx, self.actor, number).await?;
                self.on_order(tx, &file).await
            }
            What::Reissue { .. } => {
                tx.move_order(number, OrderStatus::ReissuePending, OrderStatus::Issued).await?;
                let file = locked_file(tx, self.actor, number).await?;
                self.on_order(tx, &file).await
            }
        }
    }

    /// Days left on an order that is renewed; none where it can't be renewed any more.
    async fn days_left(&self, tx: &mut Tx, renewed: domain::OrderNumber) -> Result<Days> {
        let file = tx.order_file(renewed).await?;
        let plan = file.and_then(|file| plan_renew(&file, self.now).ok());
        Ok(plan.map_or(Days(0), |plan| plan.days_left))
    }
}

fn exact(record: &RequestRecord) -> Result<Exact> {
    let wish = &record.wish;
    match (&wish.common_name, &wish.names) {
        (Some(common_name), Some(names)) => {
            Ok(Exact { common_name: common_name.clone(), names: names.clone() })
        }
        _ => Err(unreadable(record.request.id)),
    }
}

#[cfg(test)]
mod tests;
