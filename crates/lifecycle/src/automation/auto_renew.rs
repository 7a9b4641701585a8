//! Auto-renew: the scheduler makes an event for each endpoint that is due (rule D15).

use domain::model::{
    Certificate, EndpointAction, EndpointStatus, EventMode, EventStatus, OrderFile, Role, User,
};
use domain::rules::{ReissueRequest, plan_reissue, renewal_window};
use domain::{EndpointId, NameSet, Timestamp};
use store::Tx;
use store::endpoints::EndpointRecord;
use store::events::NewEvent;

use crate::audit::{AuditEntry, record};
use crate::settings::preferences;
use crate::{Actor, Lifecycle, LifecycleError, Result};

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
        Ok(event) => insert(tx, now, event).await,
        Err((cause, solution)) => {
            tx.set_endpoint_status(
                id,
                EndpointStatus::ActionRequired,
                None,
                Some(&cause),
                Some(&solution),
            )
            .await?;
            let said = format!("Auto-renew of {}:{} stopped: {cause}", endpoint.ip, endpoint.port);
            record(
                tx,
                now,
                &Actor::Worker { on_behalf_of: endpoint.auto_renew_user },
                AuditEntry::new("endpoint.auto_renew_stopped", "endpoint", id, said),
            )
            .await
        }
    }
}

type Stopped = (String, String);

/// The event, or why a person must act: what stopped is never silently lost.
async fn ready(
    tx: &mut Tx,
    endpoint: &EndpointRecord,
    user: Option<&User>,
    now: Timestamp,
) -> Result<std::result::Result<NewEvent, Stopped>> {
    let stopped = |cause: &str, solution: &str| Ok(Err((cause.to_owned(), solution.to_owned())));
    let Some(user) = user.filter(|user| !user.disabled && user.role != Role::Limited) else {
        return stopped(
            "The person who switched auto-renew on may no longer request certificates.",
            "Someone who may has to switch auto-renew on again, in their own name.",
        );
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
    let in_place = super::schedule::order_in_place(tx, endpoint).await?;
    let replaced = match &in_place {
        Some(file) => is_replaced(tx, endpoint, file, now).await?,
        None => false,
    };
    let names = match (&endpoint.served, &in_place) {
        (Some(served), _) if !replaced => Some((served.common_name.clone(), served.names.clone())),
        (_, Some(file)) => Some((Some(file.order.common_name.clone()), file.order.names.clone())),
        (_, None) => None,
    };
    let Some((Some(common_name), names)) =
        names.map(|(cn, names)| (cn.or_else(|| names.iter().next().cloned()), names))
    else {
        return stopped(
            "It is not known which names the endpoint's certificate had.",
            "Request a certificate for the endpoint.",
        );
    };
    Ok(Ok(NewEvent {
        endpoint: endpoint.id,
        action: match &in_place {
            Some(_) if replaced => EndpointAction::Reissue,
            Some(_) => EndpointAction::Renew,
            None => EndpointAction::Switch,
        },
        mode: if replaced { EventMode::New } else { EventMode::AutoRenew },
        source_order: in_place.map(|file| file.number()),
        profile: profile.profile,
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

/// Whether what is in place is revoked or missing while its order is not due: then it is replaced
/// by the order's next certificate, as a person's "Reissue" does, and the order is not renewed.
async fn is_replaced(
    tx: &mut Tx,
    endpoint: &EndpointRecord,
    file: &OrderFile,
    now: Timestamp,
) -> Result<bool> {
    let here = file.certificates.iter().find(|one| Some(one.id) == endpoint.certificate);
    let lost = endpoint.served.is_none() || here.is_some_and(Certificate::is_revoked);
    if !lost || file.order.renewed_by.is_some() {
        return Ok(false);
    }
    let window = renewal_window(file, preferences(tx).await?.windows);
    let due = window.is_none_or(|window| window.is_open(now));
    let next = plan_reissue(file, &ReissueRequest::Same, Timestamp(i64::MAX), now);
    Ok(!due && next.is_ok())
}

async fn insert(tx: &mut Tx, now: Timestamp, mut event: NewEvent) -> Result<()> {
    event.created_at = now;
    // One event for each certificate in place and due date, also with several schedulers.
    event.idempotency_key = Some(format!("auto:{}:{}", event.endpoint, event.scheduled_at.0));
    let actor = Actor::Worker { on_behalf_of: event.requester };
    let Some(id) = tx.insert_event(&event).await? else { return Ok(()) };
    tx.set_endpoint_status(event.endpoint, EndpointStatus::InProgress, Some(id), None, None)
        .await?;
    record(tx, now, &actor, AuditEntry::new("event.scheduled", "event", id, "Auto-renew is due."))
        .await?;
    Ok::<(), LifecycleError>(())
}
