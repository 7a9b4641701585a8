//! Getting the certificate for an event's CSR.
//!
//! What is asked for follows from the event: a chosen order is duplicated; a certificate that is
//! due goes through rules D13 to D15; everything else is a new order or the next certificate of
//! the same one. A try that was cut off is made again with the same key and finds its certificate.
//! What auto-renew asks for gets no names but those that a person chose for the endpoint.

use domain::model::{EndpointAction, EventMode, EventStatus, Role};
use domain::rules::{
    Decided, Decision, DuplicateNames, Explanation, HeldBecause, ReissueRequest,
    recheck_scheduled_duplicate,
};
use domain::{EventId, OrderNumber, Refusal, RequestId, Timestamp, UserId};
use store::Tx;
use store::events::EventRecord;

use super::work::{finish, put_off, used_up};
use crate::ask::read_csr;
use crate::renew::{Due, is_held};
use crate::settings::preferences;
use crate::{
    Actor, Ask, Exact, Issued, Lifecycle, LifecycleError, NewOrder, Outcome, Result, What, fault,
};

/// Events taken in one go.
const BATCH: i64 = 50;
/// Between two looks at another's renewal, in seconds.
const SHORTEST_PAUSE: i64 = 2;
/// The same where that is held: its decision wakes who waits for it.
const LONGEST_PAUSE: i64 = 300;

impl Lifecycle {
    /// Issues for events whose CSR is there and whose certificate is not: those that a crash left
    /// and those whose pause is over.
    pub async fn run_due_events(&self) -> Result<usize> {
        let now = self.clock().now();
        let due = self.store().reader().await?.events_to_issue(now, BATCH).await?;
        for id in &due {
            // One that can't be done keeps none of the others from being done.
            if let Err(error) = self.issue_event(*id).await {
                tracing::error!(event = %id, error = ?error, "an event could not be looked at; it is tried again");
            }
        }
        Ok(due.len())
    }

    /// Goes on with events whose request was decided by a reviewer.
    pub async fn run_decided_events(&self) -> Result<usize> {
        let decided = self.store().reader().await?.decided_events(BATCH).await?;
        let now = self.clock().now();
        for id in &decided {
            let id = *id;
            let taken = self
                .store()
                .write(move |tx| Box::pin(async move { take_decision(tx, now, id).await }))
                .await;
            match taken {
                Ok(()) => {
                    fault::point("event.after_decision");
                    self.event_changed(id);
                }
                // One that can't be done keeps none of the others from being done.
                Err(error) => {
                    tracing::error!(event = %id, error = ?error, "a decision could not be taken in; it is tried again");
                }
            }
        }
        Ok(decided.len())
    }

    /// Rule D17: a duplicate is checked again before its agent is bothered; where it is refused by
    /// now, the event ends as "Action required". Answers whether the event goes on.
    pub(super) async fn recheck_event(&self, id: EventId, now: Timestamp) -> Result<bool> {
        let issuer_ends = self.issuer_end();
        let mut tx = self.store().reader().await?;
        let event = tx.event(id).await?.ok_or(LifecycleError::NotFound { what: "event" })?;
        if event.finished_at.is_some() {
            return Ok(false);
        }
        if recheck(&mut tx, issuer_ends, now, &event).await?.is_none() {
            return Ok(true);
        }
        drop(tx);
        // Once more where nobody changes anything meanwhile.
        let goes_on = self
            .store()
            .write(move |tx| {
                Box::pin(async move { end_where_refused(tx, issuer_ends, now, id).await })
            })
            .await?;
        if !goes_on {
            self.event_changed(id);
        }
        Ok(goes_on)
    }

    /// Gets the certificate of an event, or notes why there is none yet.
    pub(super) async fn issue_event(&self, id: EventId) -> Result<()> {
        let now = self.clock().now();
        let event = self
            .store()
            .reader()
            .await?
            .event(id)
            .await?
            .ok_or(LifecycleError::NotFound { what: "event" })?;
        if event.finished_at.is_some()
            || event.certificate.is_some()
            || event.status == EventStatus::ApprovalPending
        {
            return Ok(());
        }
        if !self.recheck_event(id, now).await? {
            return Ok(());
        }
        let (outcome, asked) = (self.obtain(&event).await, event.csr_at);
        fault::point("event.after_ask");
        self.store()
            .write(move |tx| {
                Box::pin(async move { note_outcome(tx, now, id, asked, outcome).await })
            })
            .await?;
        self.event_changed(id);
        Ok(())
    }

    /// Asks for what the event is about; with the decision where there was one to make.
    async fn obtain(&self, event: &EventRecord) -> Result<(Outcome, Option<Decided>)> {
        let actor = Actor::Worker { on_behalf_of: event.requester };
        let csr = read_csr(event.csr_pem.as_deref().unwrap_or_default().as_bytes())?;
        let names = Exact { common_name: event.common_name.clone(), names: event.names.clone() };
        let renews = event.action == EndpointAction::Renew || event.mode == EventMode::AutoRenew;
        let endpoint = self.store().reader().await?.endpoint(event.endpoint).await?;
        let at_most = event.automatic.then(|| {
            endpoint.as_ref().and_then(|one| one.auto_renew_names.clone()).unwrap_or_default()
        });
        let mut decided = None;
        let what = match (event.order, event.mode, event.source_order) {
            // A retry after the order gave its certificate: the same order gives another one.
            (Some(order), EventMode::Duplicate, _) | (None, EventMode::Duplicate, Some(order)) => {
                What::Duplicate { order, names: duplicate_names(event) }
            }
            (Some(order), ..) => {
                decided = Some(again(order));
                What::Reissue { order, names: ReissueRequest::Same }
            }
            (None, _, Some(order)) if renews => {
                let ask = Ask { at_most, ..Ask::new(What::Renew { order, names: None }, csr) };
                let ask = with_key(event, ask);
                let until = endpoint.and_then(|endpoint| endpoint.served).map(|one| one.not_after);
                let due = Due { order, names, until, profile: Some(event.profile.clone()), ask };
                return self.renew_due(&actor, &due).await;
            }
            (None, _, Some(order)) if reissues(event.action) => {
                What::Reissue { order, names: ReissueRequest::Same }
            }
            (None, ..) => new_order(event, names),
        };
        let ask = Ask { at_most, ..Ask::new(what, csr) };
        Ok((self.ask(&actor, with_key(event, ask)).await?, decided))
    }
}

/// Reasons as they are kept with an event.
pub(super) fn stored(explanation: &Explanation) -> Option<String> {
    serde_json::to_string(explanation).ok()
}

/// "Retry" after the event had its certificate.
fn again(order: OrderNumber) -> Decided {
    let why =
        format!("Tried again: order {order} gave this event a certificate, and gives another.");
    Decided::new(Decision::Reissue { order }, None, Vec::new(), why)
}

const fn reissues(action: EndpointAction) -> bool {
    matches!(action, EndpointAction::Reissue | EndpointAction::NextCertificate)
}

/// The key of what an event asks for. It follows the CSR: a person's "Retry" makes a new one and asks
/// anew.
pub(super) fn ask_key(event: &EventRecord) -> String {
    format!("event/{}/{}", event.id, event.csr_at.map_or(0, |at| at.0))
}

fn with_key(event: &EventRecord, ask: Ask) -> Ask {
    Ask {
        note: event.note.clone(),
        idempotency_key: Some(ask_key(event)),
        endpoint: Some(event.endpoint),
        ..ask
    }
}

fn duplicate_names(event: &EventRecord) -> DuplicateNames {
    DuplicateNames::adding(event.extra_names.clone())
}

fn new_order(event: &EventRecord, names: Exact) -> What {
    let profile = &event.profile;
    What::New(Box::new(NewOrder {
        coverage_years: profile.coverage_years,
        validity_days: profile.validity_days,
        ends_by: profile.ends_by,
        signature_hash: profile.signature_hash,
        profile: Some(profile.id),
        ..NewOrder::of(profile.organization, profile.product.clone(), names)
    }))
}

/// The role, now, of the person who set the automation up: the least one where they are gone.
async fn role_of(tx: &mut Tx, requester: Option<UserId>) -> Result<Role> {
    let user = match requester {
        Some(id) => tx.account(id).await?.map(|account| account.user),
        None => None,
    };
    Ok(user.filter(|user| !user.disabled).map_or(Role::Limited, |user| user.role))
}

/// Why the duplicate that was chosen is refused by now (rule D17). Reads only.
async fn recheck(
    tx: &mut Tx,
    issuer_ends: Timestamp,
    now: Timestamp,
    event: &EventRecord,
) -> Result<Option<Refusal>> {
    let (EventMode::Duplicate, Some(order)) = (event.mode, event.source_order) else {
        return Ok(None);
    };
    // What was asked for is done already, or will be: it was cut off before the event knew of it.
    if tx.key_was_used(&ask_key(event)).await? {
        return Ok(None);
    }
    let role = role_of(tx, event.requester).await?;
    let settings = preferences(tx).await?;
    let checked = match tx.order_file(order).await? {
        Some(source) => recheck_scheduled_duplicate(
            &settings,
            role,
            Some(&event.profile),
            &source,
            &duplicate_names(event),
            issuer_ends,
            now,
        )
        .map(|_| ()),
        None => Err(Refusal::new(
            "D17",
            "order_gone",
            format!("Order {order} is gone. Choose another order."),
        )),
    };
    Ok(checked.err())
}

async fn end_where_refused(
    tx: &mut Tx,
    issuer_ends: Timestamp,
    now: Timestamp,
    id: EventId,
) -> Result<bool> {
    let mut event =
        tx.event_for_update(id).await?.ok_or(LifecycleError::NotFound { what: "event" })?;
    if event.finished_at.is_some() {
        return Ok(false);
    }
    let Some(refusal) = recheck(tx, issuer_ends, now, &event).await? else { return Ok(true) };
    end_refused(tx, now, &mut event, &refusal).await?;
    Ok(false)
}

/// A rule said no: a person must decide, and reads the rule's own words.
async fn end_refused(
    tx: &mut Tx,
    now: Timestamp,
    event: &mut EventRecord,
    refusal: &Refusal,
) -> Result<()> {
    let cause = format!("{} (rule {})", refusal.message, refusal.rule);
    let solution = "Nothing was issued. Change what the rule asks for and choose \"Retry\", or submit another request.";
    finish(tx, now, event, EventStatus::ActionRequired, Some((&cause, solution))).await
}

/// Notes what became of what was `asked` for, by the moment of its CSR.
pub(super) async fn note_outcome(
    tx: &mut Tx,
    now: Timestamp,
    id: EventId,
    asked: Option<Timestamp>,
    outcome: Result<(Outcome, Option<Decided>)>,
) -> Result<()> {
    // Locked first, as by those who decide: their waking finds what is noted here, or is seen here.
    let held = match &outcome {
        Ok((Outcome::Wait { order }, _)) => {
            tx.lock_order(*order).await?;
            is_held(tx, *order).await?
        }
        _ => false,
    };
    let mut event =
        tx.event_for_update(id).await?.ok_or(LifecycleError::NotFound { what: "event" })?;
    if event.finished_at.is_some() || event.csr_at != asked {
        return forget(tx, now, event, outcome.ok().map(|(outcome, _)| outcome)).await;
    }
    if event.certificate.is_some() {
        return Ok(());
    }
    event.waits_for = None;
    if let Ok((_, Some(decided))) = &outcome {
        event.explanation = stored(&decided.explanation);
    }
    match outcome.map(|(outcome, _)| outcome) {
        Ok(Outcome::Issued(issued)) => {
            note_issued(&mut event, &issued, now);
            event.next_attempt_at = None;
            event.cause = None;
            event.solution = None;
            Ok(tx.save_event(&event).await?)
        }
        Ok(Outcome::Held { request, order, because }) => {
            event.request = Some(request);
            event.order = Some(order);
            event.ordered_at = Some(now);
            note_held(tx, &mut event, request, because).await
        }
        Ok(Outcome::Wait { order }) => {
            let cause = format!("Order {order} is being renewed by another request right now.");
            event.waits_for = held.then_some(order);
            let waited = event.csr_at.map_or(0, |since| now.seconds_since(since));
            event.next_attempt_at = Some(now.plus_seconds(pause(waited, held)));
            event.cause = Some(cause);
            event.solution = Some(
                "It is tried again by itself once that renewal is issued or refused.".to_owned(),
            );
            Ok(tx.save_event(&event).await?)
        }
        Err(LifecycleError::Refused(refusal)) => end_refused(tx, now, &mut event, &refusal).await,
        Err(error) => note_error(tx, now, &mut event, &error).await,
    }
}

/// Seconds until another's renewal is looked at again: longer and longer while it is held for a
/// reviewer, whose decision ends the pause; soon while it is being issued, since nothing wakes then.
pub(super) fn pause(waited: i64, held: bool) -> i64 {
    if held { (waited / 2).clamp(SHORTEST_PAUSE, LONGEST_PAUSE) } else { SHORTEST_PAUSE }
}

fn note_issued(event: &mut EventRecord, issued: &Issued, now: Timestamp) {
    event.order = Some(issued.order);
    event.certificate = Some(issued.certificate);
    event.ordered_at = Some(event.ordered_at.unwrap_or(now));
    event.issued_at = Some(now);
}

async fn note_held(
    tx: &mut Tx,
    event: &mut EventRecord,
    request: RequestId,
    because: HeldBecause,
) -> Result<()> {
    event.status = EventStatus::ApprovalPending;
    event.cause = Some(because.words().to_owned());
    event.solution = Some(format!(
        "An Administrator or a Manager has to approve request {request} under Certificates > Requests."
    ));
    tx.save_event(event).await?;
    let (cause, solution) = (event.cause.as_deref(), event.solution.as_deref());
    let shown = event.status.on_endpoint();
    Ok(tx.set_endpoint_status(event.endpoint, shown, Some(event.id), cause, solution).await?)
}

/// No rule said no: what another try may mend is tried again.
async fn note_error(
    tx: &mut Tx,
    now: Timestamp,
    event: &mut EventRecord,
    error: &LifecycleError,
) -> Result<()> {
    let said = error.to_string();
    if matches!(
        error,
        LifecycleError::Invalid(_)
            | LifecycleError::Forbidden { .. }
            | LifecycleError::SignedOut
            | LifecycleError::NotFound { .. }
    ) {
        let solution =
            "Look at the request and its profile, then choose \"Retry\" or submit another request.";
        return finish(tx, now, event, EventStatus::ActionRequired, Some((&said, solution))).await;
    }
    tracing::warn!(event = %event.id, error = ?error, "an event's certificate could not be issued");
    if used_up(event) {
        let solution = "Choose \"Retry\" once the cause is mended.";
        return finish(tx, now, event, EventStatus::Failed, Some((&said, solution))).await;
    }
    put_off(event, &said, "It is tried again by itself.", now);
    Ok(tx.save_event(event).await?)
}

/// The event ended, or began anew, while its request was placed: nobody waits for that any more, so
/// it does not stay open for a reviewer. A certificate that was being signed stays valid: the event
/// that ended shows it.
async fn forget(
    tx: &mut Tx,
    now: Timestamp,
    mut event: EventRecord,
    outcome: Option<Outcome>,
) -> Result<()> {
    let request = match outcome {
        Some(Outcome::Held { request, .. }) => request,
        Some(Outcome::Issued(issued))
            if event.finished_at.is_some() && event.certificate.is_none() =>
        {
            note_issued(&mut event, &issued, now);
            return Ok(tx.save_event(&event).await?);
        }
        _ => return Ok(()),
    };
    let actor = Actor::Worker { on_behalf_of: event.requester };
    match crate::approve::withdraw_within(tx, now, &actor, request).await {
        // Decided just now, or withdrawn with the event.
        Ok(()) | Err(LifecycleError::Conflict { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// A reviewer approved (the certificate is there) or refused.
async fn take_decision(tx: &mut Tx, now: Timestamp, id: EventId) -> Result<()> {
    let mut event =
        tx.event_for_update(id).await?.ok_or(LifecycleError::NotFound { what: "event" })?;
    let request = match event.request {
        Some(request) => tx.request(request).await?,
        None => None,
    };
    let Some(request) = request.filter(|_| event.status == EventStatus::ApprovalPending) else {
        return Ok(());
    };
    match (&request.request.approval, request.issued_certificate) {
        (domain::model::Approval::Approved { .. }, Some(certificate)) => {
            event.status = EventStatus::InProgress;
            event.certificate = Some(certificate);
            event.issued_at = Some(now);
            event.cause = None;
            event.solution = None;
            tx.save_event(&event).await?;
            tx.set_endpoint_status(
                event.endpoint,
                event.status.on_endpoint(),
                Some(id),
                None,
                None,
            )
            .await?;
            Ok(())
        }
        (domain::model::Approval::Rejected { reason, .. }, _) => {
            let cause = format!("The request was rejected: {reason}");
            finish(
                tx,
                now,
                &mut event,
                EventStatus::ApprovalDenied,
                Some((
                    &cause,
                    "Talk to the reviewer, then retry the event or submit another request.",
                )),
            )
            .await
        }
        (domain::model::Approval::Canceled { .. }, _) => {
            finish(tx, now, &mut event, EventStatus::Canceled, None).await
        }
        _ => Ok(()),
    }
}
