//! Auto-renew: the scheduler makes an event for each endpoint that is due (rule D15).

use domain::model::{
    CertificateKind, CertificateStatus, EndpointAction, EndpointStatus, EventMode, EventStatus,
    Profile, User,
};
use domain::rules::{auto_renew_action, check_auto_renew_owner, is_due_at_once, is_lost};
use domain::{EndpointId, NameSet, Timestamp};
use store::Tx;
use store::endpoints::EndpointRecord;
use store::events::{EventRecord, NewEvent};

use super::resolve::{facts, names_of, order_in_place};
use super::schedule::renewal_faults;
use crate::audit::{AuditEntry, record};
use crate::settings::preferences;
use crate::{Actor, Lifecycle, Result};

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
    let due = endpoint.next_auto_renew_at.is_some_and(|at| at <= now);
    if !due || endpoint.auto_renew.is_none() {
        return Ok(());
    }
    // Taken up now or not at all: the next time is set when the event ends well, by a person's
    // "Retry", or when the certificate in place changes.
    tx.set_next_auto_renew(id, None).await?;
    if tx.open_event(id).await?.is_some() {
        return Ok(());
    }
    let user = match endpoint.auto_renew_user {
        Some(user) => tx.account(user).await?.map(|account| account.user),
        None => None,
    };
    match ready(tx, &endpoint, user.as_ref(), now).await? {
        Ok(event) => {
            if insert(tx, now, &endpoint, event).await? {
                return Ok(());
            }
            stop(tx, now, &endpoint, had_its_turn()).await
        }
        Err(stopped) => stop(tx, now, &endpoint, stopped).await,
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

/// Why auto-renew would act again and again: the settings don't go with what the profile's certificates
/// live by now, or the last renewal gained nothing.
async fn without_end(
    tx: &mut Tx,
    endpoint: &EndpointRecord,
    profile: &Profile,
    now: Timestamp,
) -> Result<Option<Stopped>> {
    let faults = endpoint.auto_renew.as_ref().map(|renew| renewal_faults(renew, profile, now));
    if let Some(fault) = faults.into_iter().flatten().next() {
        let cause = format!(
            "Auto-renew does not go with the profile {:?} as it is now: {}",
            profile.name, fault.message
        );
        return Ok(Some((cause, "Switch auto-renew on again with fewer days before expiry.")));
    }
    if in_vain(tx, endpoint).await? {
        let cause = "The certificate in place was due for renewal as soon as it was issued, and so \
                     would the next one be.";
        let solution = "Switch auto-renew on again with fewer days before expiry. Where \
                        certificates end early because the issuing CA does, an administrator has \
                        to install a new one.";
        return Ok(Some((cause.to_owned(), solution)));
    }
    Ok(None)
}

/// Whether auto-renew put the certificate in place there, and it was due as soon as it was issued: so
/// would the next one be. A duplicate may end soon; what is due under its order is renewed.
async fn in_vain(tx: &mut Tx, endpoint: &EndpointRecord) -> Result<bool> {
    let (Some(id), Some(renew), Some(event)) =
        (endpoint.certificate, &endpoint.auto_renew, endpoint.current_event)
    else {
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

/// The event, or why a person must act: what stopped is never silently lost.
async fn ready(
    tx: &mut Tx,
    endpoint: &EndpointRecord,
    user: Option<&User>,
    now: Timestamp,
) -> Result<std::result::Result<NewEvent, Stopped>> {
    let stopped = |cause: &str, solution| Ok(Err((cause.to_owned(), solution)));
    let user = match check_auto_renew_owner(user) {
        Ok(user) => user,
        Err(refusal) => {
            return stopped(
                &refusal.message,
                "Someone who may request certificates has to switch auto-renew on again, in their own name.",
            );
        }
    };
    let profile = match endpoint.profile {
        Some(profile) => tx.profile(profile).await?,
        None => None,
    };
    let Some(profile) = profile else {
        return stopped(
            "The automation profile that auto-renew used is gone.",
            "Choose another profile and switch auto-renew on again.",
        );
    };
    let profile = profile.profile;
    let order = order_in_place(tx, endpoint).await?;
    let facts = facts(endpoint, order.as_ref(), now);
    // What is lost is replaced, however often that will have to be done.
    if !is_lost(facts.issuer, facts.certificate)
        && let Some(stopped) = without_end(tx, endpoint, &profile, now).await?
    {
        return Ok(Err(stopped));
    }
    let action = auto_renew_action(&facts, preferences(tx).await?.windows);
    let order = order.as_ref().map(|file| &file.order);
    // A new order in the place of one that is gone: nobody is there to type the names.
    let source = order.filter(|_| action != EndpointAction::Request);
    let names_by = if source.is_some() { action } else { EndpointAction::Switch };
    let Some((common_name, names)) = names_of(names_by, endpoint, order) else {
        return stopped(
            "It is not known which names the endpoint's certificate had.",
            "Request a certificate for the endpoint.",
        );
    };
    Ok(Ok(NewEvent {
        endpoint: endpoint.id,
        action,
        mode: match action {
            EndpointAction::Reissue => EventMode::New,
            _ => EventMode::AutoRenew,
        },
        source_order: source.map(|order| order.number),
        profile,
        names: NameSet::with_common_name(&common_name, names),
        common_name,
        extra_names: NameSet::default(),
        status: EventStatus::Scheduled,
        scheduled_at: endpoint.next_auto_renew_at.unwrap_or(Timestamp(0)),
        time_zone: endpoint
            .auto_renew
            .as_ref()
            .map_or_else(|| "UTC".to_owned(), |renew| renew.time_zone.clone()),
        requester: Some(user.id),
        requester_name: Some(user.name.clone()),
        emails: Vec::new(),
        note: None,
        request: None,
        idempotency_key: None,
        created_at: Timestamp(0),
    }))
}

/// False where there was an event already.
async fn insert(
    tx: &mut Tx,
    now: Timestamp,
    endpoint: &EndpointRecord,
    mut event: NewEvent,
) -> Result<bool> {
    event.created_at = now;
    // One event for each certificate in place and due date, also with several schedulers.
    let serial = endpoint.served.as_ref().map_or("none", |served| served.serial.0.as_str());
    let (id, at) = (event.endpoint, event.scheduled_at.0);
    event.idempotency_key = Some(format!("auto:{id}:{at}:{serial}"));
    let actor = Actor::Worker { on_behalf_of: event.requester };
    let Some(id) = tx.insert_event(&event).await? else { return Ok(false) };
    tx.set_endpoint_status(event.endpoint, EndpointStatus::InProgress, Some(id), None, None)
        .await?;
    record(tx, now, &actor, AuditEntry::new("event.scheduled", "event", id, "Auto-renew is due."))
        .await?;
    Ok(true)
}
