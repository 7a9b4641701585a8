//! Auto-renew: the scheduler makes an event for each endpoint that is due (rule D15).

use domain::model::{
    AutoRenew, CertificateKind, CertificateStatus, EndpointAction, EndpointStatus, EventMode,
    EventStatus, Order, Profile, User,
};
use domain::rules::profile::{check_auto_renew, renewal_lifetime};
use domain::rules::{
    Decision, Explanation, auto_renew_action, check_auto_renew_owner, check_issued_names,
    check_served_names, is_due_at_once, is_lost,
};
use domain::{EndpointId, NameSet, Timestamp};
use store::endpoints::EndpointRecord;
use store::events::{EventRecord, NewEvent};
use store::{StoreError, Tx};

use super::issue::stored;
use super::resolve::{facts, names_of, order_to_renew};
use crate::audit::{AuditEntry, record};
use crate::settings::preferences;
use crate::{Actor, Lifecycle, LifecycleError, Result, fault};

/// Endpoints taken in one go.
const BATCH: i64 = 100;

impl Lifecycle {
    /// Makes events for the endpoints whose auto-renew is due; answers how many it looked at.
    pub async fn run_due_auto_renewals(&self) -> Result<usize> {
        let now = self.clock().now();
        let due = self.store().reader().await?.auto_renew_due(now, BATCH).await?;
        for id in &due {
            let id = *id;
            let made = self
                .store()
                .write(move |tx| Box::pin(async move { make_event(tx, now, id).await }))
                .await;
            fault::point("auto_renew.after_event");
            // One that can't be done keeps none of the others from being done.
            if let Err(error) = made {
                tracing::error!(endpoint = %id, error = ?error, "auto-renew could not be started; it is tried again");
            }
        }
        if !due.is_empty() {
            self.wake_agents();
        }
        Ok(due.len())
    }
}

async fn make_event(tx: &mut Tx, now: Timestamp, id: EndpointId) -> Result<()> {
    tx.lock(&format!("endpoint:{id}")).await?;
    let Some(endpoint) = tx.endpoint(id).await? else { return Ok(()) };
    let due = endpoint.next_auto_renew_at.filter(|at| *at <= now);
    let (Some(due), Some(renew)) = (due, &endpoint.auto_renew) else { return Ok(()) };
    // Taken up now or not at all: the next time is set when the event ends well, when a person
    // switches auto-renew on again, or by a report of what is in place.
    tx.set_next_auto_renew(id, None).await?;
    if tx.open_event(id).await?.is_some() {
        return Ok(());
    }
    match ready(tx, &endpoint, renew, due, now).await {
        // Where a person was told already why it ended, those words are to be read on.
        Ok(event) => {
            if insert(tx, now, &endpoint, event).await? || endpoint.status.needs_a_person() {
                return Ok(());
            }
            stop(tx, now, &endpoint, had_its_turn()).await
        }
        Err(NotReady::Stopped(stopped)) => stop(tx, now, &endpoint, stopped).await,
        Err(NotReady::Failed(error)) => Err(error),
    }
}

type Stopped = (String, &'static str);

/// It acts once for each certificate in place; what came to nothing by then is a person's to decide.
fn had_its_turn() -> Stopped {
    (
        "Auto-renew has acted for the certificate in place already, and that is in place still or again.".to_owned(),
        "Look at the endpoint's last event, then request a certificate or switch auto-renew on again.",
    )
}

/// A person must act, and reads why.
async fn stop(
    tx: &mut Tx,
    now: Timestamp,
    endpoint: &EndpointRecord,
    (cause, solution): Stopped,
) -> Result<()> {
    let (id, status) = (endpoint.id, EndpointStatus::ActionRequired);
    tx.set_endpoint_status(id, status, None, Some(&cause), Some(solution)).await?;
    let said = format!("Auto-renew of {}:{} stopped: {cause}", endpoint.ip, endpoint.port);
    let actor = Actor::Worker { on_behalf_of: endpoint.auto_renew_user };
    let entry = AuditEntry::new("endpoint.auto_renew_stopped", "endpoint", id, said);
    record(tx, now, &actor, entry).await
}

/// Why there is no event.
enum NotReady {
    /// A person must act, and reads why: what stopped is never silently lost.
    Stopped(Stopped),
    /// It is tried again.
    Failed(LifecycleError),
}

impl From<Stopped> for NotReady {
    fn from(stopped: Stopped) -> Self {
        Self::Stopped(stopped)
    }
}

impl From<LifecycleError> for NotReady {
    fn from(error: LifecycleError) -> Self {
        Self::Failed(error)
    }
}

impl From<StoreError> for NotReady {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// Refuses where auto-renew would act again and again: the settings don't go with what certificates of
/// the order, or of the profile, live by now, or the last renewal gained nothing.
async fn check_end(
    tx: &mut Tx,
    endpoint: &EndpointRecord,
    renew: &AutoRenew,
    renewed: Option<&Order>,
    profile: &Profile,
    now: Timestamp,
) -> std::result::Result<(), NotReady> {
    let lifetime = renewal_lifetime(renewed, profile, now);
    let faults = lifetime.map(|lifetime| check_auto_renew(renew, lifetime));
    if let Some(fault) = faults.into_iter().flatten().next() {
        let of = match renewed {
            Some(order) => format!("order {}", order.number),
            None => format!("the profile {:?}", profile.name),
        };
        let cause = format!("Auto-renew does not go with {of} as it is now: {}", fault.message);
        Err((cause, "Switch auto-renew on again with fewer days before expiry."))?;
    }
    if in_vain(tx, endpoint, renew).await? {
        let cause = "The certificate in place was due for renewal as soon as it was issued, and so \
                     would the next one be.";
        let solution = "Switch auto-renew on again with fewer days before expiry. Where \
                        certificates end early because the issuing CA does, an administrator has \
                        to install a new one.";
        Err((cause.to_owned(), solution))?;
    }
    Ok(())
}

/// Whether auto-renew put the certificate in place there, and it was due as soon as it was issued: so
/// would the next one be. A duplicate may end soon; what is due under its order is renewed.
async fn in_vain(tx: &mut Tx, endpoint: &EndpointRecord, renew: &AutoRenew) -> Result<bool> {
    let (Some(id), Some(event)) = (endpoint.certificate, endpoint.current_event) else {
        return Ok(false);
    };
    let event = tx.event(event).await?;
    let ours =
        |event: EventRecord| event.mode == EventMode::AutoRenew && event.certificate == Some(id);
    if endpoint.served.is_none() || !event.is_some_and(ours) {
        return Ok(false);
    }
    let Some(record) = tx.certificate(id).await? else { return Ok(false) };
    let one = record.certificate;
    Ok(one.kind != CertificateKind::Duplicate
        && one.status == CertificateStatus::Issued
        && is_due_at_once(&one, renew)?)
}

/// The person in whose name it acts.
async fn owner(tx: &mut Tx, endpoint: &EndpointRecord) -> std::result::Result<User, NotReady> {
    let user = match endpoint.auto_renew_user {
        Some(user) => tx.account(user).await?.map(|account| account.user),
        None => None,
    };
    let may_act = check_auto_renew_owner(user.as_ref()).cloned();
    may_act.map_err(|refusal| {
        let solution = "Someone who may request certificates has to switch auto-renew on again, in their own name.";
        (refusal.message, solution).into()
    })
}

async fn profile(tx: &mut Tx, endpoint: &EndpointRecord) -> std::result::Result<Profile, NotReady> {
    let profile = match endpoint.profile {
        Some(profile) => tx.profile(profile).await?,
        None => None,
    };
    profile.map(|record| record.profile).ok_or_else(|| {
        let cause = "The automation profile that auto-renew used is gone.".to_owned();
        (cause, "Choose another profile and switch auto-renew on again.").into()
    })
}

/// What is served, and what the next certificate would get, has the names that a person chose.
fn check_names(endpoint: &EndpointRecord, names: &NameSet) -> std::result::Result<(), NotReady> {
    let chosen = endpoint.auto_renew_names.clone().unwrap_or_default();
    let served = endpoint.served.as_ref();
    let checked = served.map_or(Ok(()), |served| check_served_names(&chosen, &served.names));
    checked.and_then(|()| check_issued_names(&chosen, names)).map_err(|refusal| {
        let solution = "If these are the right names, save auto-renew once more, or request a \
                        certificate for the endpoint. If not, look at the server and its agent.";
        (refusal.message, solution).into()
    })
}

/// The event that is `due`.
async fn ready(
    tx: &mut Tx,
    endpoint: &EndpointRecord,
    renew: &AutoRenew,
    due: Timestamp,
    now: Timestamp,
) -> std::result::Result<NewEvent, NotReady> {
    let user = owner(tx, endpoint).await?;
    let profile = profile(tx, endpoint).await?;
    let order = order_to_renew(tx, endpoint).await?;
    let facts = facts(endpoint, order.as_ref(), now);
    let action = auto_renew_action(&facts, preferences(tx).await?.windows);
    let order = order.as_ref().map(|file| &file.order);
    // A new order in the place of one that is gone: nobody is there to type the names.
    let source = order.filter(|_| action != EndpointAction::Request);
    // What is lost is replaced, however often that will have to be done.
    if !is_lost(facts.issuer, facts.certificate) {
        check_end(tx, endpoint, renew, source, &profile, now).await?;
    }
    let names_by = if source.is_some() { action } else { EndpointAction::Switch };
    let (common_name, names) = names_of(names_by, endpoint, order).ok_or_else(|| {
        let cause = "It is not known which names the endpoint's certificate had.".to_owned();
        (cause, "Request a certificate for the endpoint.")
    })?;
    let names = NameSet::with_common_name(&common_name, names);
    check_names(endpoint, &names)?;
    Ok(NewEvent {
        endpoint: endpoint.id,
        action,
        mode: match action {
            EndpointAction::Reissue => EventMode::New,
            _ => EventMode::AutoRenew,
        },
        source_order: source.map(|order| order.number),
        profile,
        names,
        common_name,
        extra_names: NameSet::default(),
        status: EventStatus::Scheduled,
        scheduled_at: due,
        time_zone: renew.time_zone.clone(),
        requester: Some(user.id),
        requester_name: Some(user.name),
        emails: Vec::new(),
        note: None,
        request: None,
        // One event for each certificate in place and due date, also with several schedulers.
        idempotency_key: Some(format!(
            "auto:{}:{due}:{}",
            endpoint.id,
            serial(endpoint),
            due = due.0
        )),
        explanation: explained(action, source).as_ref().and_then(stored),
        created_at: now,
    })
}

/// Why auto-renew does what it does; none where rules D13 to D15 decide with the CSR.
fn explained(action: EndpointAction, source: Option<&Order>) -> Option<Explanation> {
    let (decision, why) = match (action, source.map(|order| order.number)) {
        (EndpointAction::Reissue, Some(order)) => {
            let why = format!(
                "The certificate in place is missing, revoked or about to be. Order {order} is \
                 not due for renewal: it gives its next certificate."
            );
            (Decision::Reissue { order }, why)
        }
        (_, Some(_)) => return None,
        (_, None) => {
            let why = "What is in place is due, and has no order here that could be renewed: a \
                       new one is placed by the profile.";
            (Decision::Enroll { like: None }, why.to_owned())
        }
    };
    Some(Explanation::chosen(decision, Vec::new(), why))
}

/// Of the certificate in place.
fn serial(endpoint: &EndpointRecord) -> &str {
    endpoint.served.as_ref().map_or("none", |served| served.serial.0.as_str())
}

/// False where there was an event for the certificate in place already. A report may set a moment
/// that is before the one at which a person switched auto-renew on.
async fn insert(
    tx: &mut Tx,
    now: Timestamp,
    endpoint: &EndpointRecord,
    event: NewEvent,
) -> Result<bool> {
    let (id, serial) = (endpoint.id, serial(endpoint));
    if tx.auto_renewed_since(id, serial, event.scheduled_at).await? {
        return Ok(false);
    }
    let Some(event_id) = tx.insert_event(&event).await? else { return Ok(false) };
    tx.set_endpoint_status(id, EndpointStatus::InProgress, Some(event_id), None, None).await?;
    let actor = Actor::Worker { on_behalf_of: event.requester };
    let entry = AuditEntry::new("event.scheduled", "event", event_id, "Auto-renew is due.");
    record(tx, now, &actor, entry).await?;
    Ok(true)
}
