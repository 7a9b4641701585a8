//! What ends an event before its time, and what runs it again: a person's "Cancel" and "Retry", and
//! the end of its agent.

use domain::model::{Approval, CertificateKind, EventMode, EventStatus, Order, OrderStatus};
use domain::{EventId, Timestamp};
use store::Tx;
use store::events::EventRecord;

use super::gone::{Gone, check_there};
use super::work::finish;
use crate::audit::{AuditEntry, record};
use crate::{Actor, Lifecycle, LifecycleError, Result};

impl Lifecycle {
    /// Withdraws an event that has no certificate yet.
    pub async fn cancel_event(&self, actor: &Actor, id: EventId) -> Result<()> {
        super::agents::require_person(actor)?;
        let (now, actor) = (self.clock().now(), actor.clone());
        self.store()
            .write(move |tx| {
                Box::pin(async move {
                    let mut event = tx.event_for_update(id).await?.ok_or(LifecycleError::NotFound { what: "event" })?;
                    may_touch(&actor, &event)?;
                    if event.finished_at.is_some() {
                        return Err(LifecycleError::Conflict { message: "The event has ended already. Reload the page to see how; what it came to can be requested anew on its endpoint.".to_owned() });
                    }
                    if event.certificate.is_some() {
                        let message = "The certificate is issued and being installed: it is too late to cancel. Wait until the event ends; to be rid of the certificate, revoke it on its order's page.".to_owned();
                        return Err(LifecycleError::Conflict { message });
                    }
                    withdraw_request(tx, now, &actor, &event).await?;
                    finish(tx, now, &mut event, EventStatus::Canceled, None).await?;
                    record(tx, now, &actor, AuditEntry::new("event.canceled", "event", id, "The event was canceled.")).await
                })
            })
            .await?;
        self.event_changed(id);
        Ok(())
    }

    /// Runs a failed event again. A certificate that it got already stays in its order: the agent
    /// makes a new key, and the order gives a certificate for it (a duplicate's order another
    /// duplicate, any other a reissue). Where it can't, the event asks anew.
    pub async fn retry_event(&self, actor: &Actor, id: EventId) -> Result<()> {
        super::agents::require_person(actor)?;
        let (now, actor) = (self.clock().now(), actor.clone());
        self.store()
            .write(move |tx| {
                Box::pin(async move {
                    let mut event = tx.event_for_update(id).await?.ok_or(LifecycleError::NotFound { what: "event" })?;
                    may_touch(&actor, &event)?;
                    let failed = event.status.is_final() && event.status != EventStatus::Succeeded && event.status != EventStatus::Canceled;
                    if !failed || tx.open_event(event.endpoint).await?.is_some() {
                        return Err(LifecycleError::Conflict { message: "Only a failed event can be run again, and only while no other one is under way on its endpoint.".to_owned() });
                    }
                    let endpoint = tx.endpoint(event.endpoint).await?.ok_or(LifecycleError::NotFound { what: "endpoint" })?;
                    check_there(&endpoint)?;
                    if !gives_another(tx, &event).await? {
                        event.order = None;
                        event.ordered_at = None;
                    }
                    reopen(&mut event, now);
                    tx.save_event(&event).await?;
                    tx.set_endpoint_status(event.endpoint, event.status.on_endpoint(), Some(id), None, None).await?;
                    record(tx, now, &actor, AuditEntry::new("event.retried", "event", id, "The event was scheduled again.")).await
                })
            })
            .await?;
        self.event_changed(id);
        self.wake_agents();
        Ok(())
    }
}

/// Standard Users may touch the events that they asked for; Administrators and Managers any.
fn may_touch(actor: &Actor, event: &EventRecord) -> Result<()> {
    let own = actor.person().is_some_and(|person| event.requester == Some(person.user.id));
    if own {
        Ok(())
    } else {
        super::agents::require_manager(actor, "Changing another person's event")
    }
}

/// A canceled event takes its request along: approved later, it would still be issued. One that was
/// placed a moment ago, and is not noted with the event yet, is found by its key.
async fn withdraw_request(
    tx: &mut Tx,
    now: Timestamp,
    actor: &Actor,
    event: &EventRecord,
) -> Result<()> {
    let request = match event.status {
        EventStatus::ApprovalPending => event.request,
        _ if event.csr_at.is_some() => {
            let placed = tx.request_by_key(&super::issue::ask_key(event)).await?;
            let open = placed.filter(|one| one.request.approval == Approval::Pending);
            open.map(|one| one.request.id)
        }
        _ => None,
    };
    match request {
        Some(request) => crate::approve::withdraw_within(tx, now, actor, request).await,
        None => Ok(()),
    }
}

/// Ends an event whose endpoint is no longer there.
pub(super) async fn give_up(
    tx: &mut Tx,
    now: Timestamp,
    actor: &Actor,
    id: EventId,
    gone: Gone,
) -> Result<()> {
    let Some(mut event) = tx.event_for_update(id).await? else { return Ok(()) };
    match withdraw_request(tx, now, actor, &event).await {
        // Decided just now: nobody installs what comes of it.
        Ok(()) | Err(LifecycleError::Conflict { .. }) => {}
        Err(error) => return Err(error),
    }
    let why = (gone.cause, gone.solution);
    finish(tx, now, &mut event, EventStatus::Canceled, Some(why)).await
}

/// Whether the order that an event has got gives it another certificate: not where its request was
/// refused or it was revoked, nor where it is another endpoint's, of which this one was given a duplicate (rule D13).
async fn gives_another(tx: &mut Tx, event: &EventRecord) -> Result<bool> {
    let Some(number) = event.order else { return Ok(true) };
    let order = tx.order(number).await?;
    let gone = |order: &Order| {
        matches!(order.status, OrderStatus::Rejected | OrderStatus::Canceled | OrderStatus::Revoked)
    };
    let certificate = match event.certificate {
        Some(id) if event.mode != EventMode::Duplicate => tx.certificate(id).await?,
        _ => None,
    };
    let lent = certificate.is_some_and(|one| one.certificate.kind == CertificateKind::Duplicate);
    Ok(!lent && !order.as_ref().is_some_and(gone))
}

fn reopen(event: &mut EventRecord, now: Timestamp) {
    event.status = EventStatus::Scheduled;
    event.scheduled_at = now;
    event.finished_at = None;
    event.next_attempt_at = None;
    event.attempt = 0;
    event.csr_pem = None;
    event.csr_at = None;
    event.certificate = None;
    event.issued_at = None;
    event.installed_at = None;
    event.cause = None;
    event.solution = None;
}
