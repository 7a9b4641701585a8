//! Auto-renew: the scheduler makes an event for each endpoint that is due (rule D15).

use domain::model::{EndpointAction, EndpointStatus, EventMode, EventStatus, User};
use domain::rules::{auto_renew_action, check_auto_renew_owner};
use domain::{EndpointId, NameSet, Timestamp};
use store::Tx;
use store::endpoints::EndpointRecord;
use store::events::NewEvent;

use super::resolve::{facts, names_of, order_in_place};
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
                Some(solution),
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

type Stopped = (String, &'static str);

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
    let order = order_in_place(tx, endpoint).await?;
    let facts = facts(endpoint, order.as_ref(), now);
    let action = auto_renew_action(&facts, preferences(tx).await?.windows);
    let order = order.as_ref().map(|file| &file.order);
    let Some((common_name, names)) = names_of(action, endpoint, order) else {
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
        source_order: order.map(|order| order.number),
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
