//! Scheduling: what the automation request page submits, one endpoint or many.

use domain::model::{AutoRenew, EndpointAction, EventStatus, Role};
use domain::rules::profile::check_auto_renew;
use domain::rules::{
    OfferedAction, check_bulk, check_offered, may_switch_auto_renew, scheduled_at,
};
use domain::{
    Days, EndpointId, EventId, Name, NameSet, OrderNumber, OrganizationId, Product, ProfileId,
    Timestamp,
};
use serde_json::json;
use store::Tx;
use store::endpoints::EndpointRecord;
use store::events::NewEvent;

use super::agents::{require_manager, require_person};
use super::endpoints::{Switch, switch_auto_renew};
use super::gone::check_there;
use super::issue::stored;
use super::resolve::{Run, facts, order_in_place, resolve};
use crate::audit::{AuditEntry, record};
use crate::issue::check_validated;
use crate::settings::snapshot;
use crate::suffixes::check_wildcards;
use crate::{Actor, FieldFault, Lifecycle, LifecycleError, Result};

/// "Issue a new certificate" or "Issue a duplicate certificate using an existing order".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obtain {
    /// For these names; for "Renew", "Switch", "Reissue" and "Get your next certificate" the names
    /// of the certificate in place are taken instead.
    New {
        /// The common name; none takes the first name.
        common_name: Option<Name>,
        /// The names.
        names: NameSet,
    },
    /// A duplicate.
    Duplicate {
        /// The chosen order.
        order: OrderNumber,
        /// Names to add (rule D6).
        extra_names: NameSet,
    },
}

/// When to install.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Install {
    /// "Install as soon as it is issued".
    Now,
    /// "Schedule".
    At {
        /// `2026-11-22`.
        date: String,
        /// `08:30`.
        time: String,
        /// IANA time zone.
        time_zone: String,
    },
}

/// The automation request page, filled in.
#[derive(Debug, Clone)]
pub struct ScheduleForm {
    /// Where.
    pub endpoint: EndpointId,
    /// What was chosen in the *Action* column.
    pub action: EndpointAction,
    /// The automation profile.
    pub profile: ProfileId,
    /// New or duplicate.
    pub obtain: Obtain,
    /// When.
    pub install: Install,
    /// "Auto-renew and install certificate".
    pub auto_renew: Option<AutoRenew>,
    /// "Auto-replace revoked or missing certificates".
    pub auto_replace: bool,
    /// Additional e-mails.
    pub emails: Vec<String>,
    /// Words for the reviewer and the history.
    pub note: Option<String>,
    /// The page's own key: the same submit twice makes one event.
    pub idempotency_key: String,
}

/// What became of a bulk request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkOutcome {
    /// The events.
    pub events: Vec<EventId>,
}

impl Lifecycle {
    /// Schedules one event.
    pub async fn schedule(&self, actor: &Actor, form: ScheduleForm) -> Result<EventId> {
        require_person(actor)?;
        check_form(&form)?;
        let (now, actor) = (self.clock().now(), actor.clone());
        let issuer_ends = self.issuer_end();
        let event = self
            .store()
            .write(move |tx| {
                Box::pin(async move {
                    let to = Some(switch(&form));
                    schedule_in(tx, issuer_ends, now, &actor, &form, to).await
                })
            })
            .await?;
        self.wake_agents();
        Ok(event)
    }

    /// Schedules the same action on many endpoints: all of them or none. Rule D7 refuses the
    /// whole where one asks for a duplicate.
    pub async fn schedule_bulk(
        &self,
        actor: &Actor,
        forms: Vec<ScheduleForm>,
    ) -> Result<BulkOutcome> {
        require_manager(actor, "A bulk request")?;
        let duplicates: Vec<bool> =
            forms.iter().map(|form| matches!(form.obtain, Obtain::Duplicate { .. })).collect();
        check_bulk(&duplicates)?;
        forms.iter().try_for_each(check_form)?;
        let (now, actor) = (self.clock().now(), actor.clone());
        let issuer_ends = self.issuer_end();
        let outcome = self
            .store()
            .write(move |tx| {
                Box::pin(async move {
                    let mut events = Vec::with_capacity(forms.len());
                    for form in &forms {
                        // One box for many endpoints: not ticked, each goes on as it does.
                        let to = form.auto_renew.is_some().then(|| switch(form));
                        events.push(schedule_in(tx, issuer_ends, now, &actor, form, to).await?);
                    }
                    Ok::<_, LifecycleError>(BulkOutcome { events })
                })
            })
            .await?;
        self.wake_agents();
        Ok(outcome)
    }
}

pub(super) fn check_form(form: &ScheduleForm) -> Result<()> {
    if form.idempotency_key.is_empty() || form.idempotency_key.len() > 100 {
        return Err(LifecycleError::field("key", "The page is incomplete. Open it again."));
    }
    if form.note.as_ref().is_some_and(|note| note.chars().count() > 2_000) {
        return Err(LifecycleError::field("note", "Write at most 2,000 characters."));
    }
    if let Some(bad) = form.emails.iter().find(|email| !domain::is_email(email)) {
        let shown: String = bad.chars().take(60).collect();
        return Err(LifecycleError::field(
            "emails",
            format!("{shown:?} is not an e-mail address."),
        ));
    }
    if form.emails.len() > 20 {
        return Err(LifecycleError::field("emails", "Enter at most 20 e-mail addresses."));
    }
    Ok(())
}

async fn schedule_in(
    tx: &mut Tx,
    issuer_ends: Timestamp,
    now: Timestamp,
    actor: &Actor,
    form: &ScheduleForm,
    to: Option<Switch<'_>>,
) -> Result<EventId> {
    // The lock first: of two submits at the same moment the second one finds the first one's event.
    tx.lock(&format!("endpoint:{}", form.endpoint)).await?;
    let key = event_key(actor, form);
    if let Some(event) = tx.event_by_key(&key).await? {
        return Ok(event);
    }
    let event = prepare(tx, issuer_ends, now, actor, form).await?.event;
    let to = match to {
        Some(to) if may_switch(tx, actor, form.endpoint).await? => Some(to),
        _ => None,
    };
    insert(tx, now, actor, event, to).await
}

/// Whether the form's box is this person's to tick on this endpoint.
pub(super) async fn may_switch(tx: &mut Tx, actor: &Actor, id: EndpointId) -> Result<bool> {
    let endpoint = tx.endpoint(id).await?.ok_or(LifecycleError::NotFound { what: "endpoint" })?;
    let own = actor.person().is_some_and(|one| endpoint.auto_renew_user == Some(one.user.id));
    let role = actor.role().unwrap_or(Role::Limited);
    Ok(may_switch_auto_renew(role, endpoint.auto_renew.is_some(), own))
}

/// What the form says of auto-renew.
const fn switch(form: &ScheduleForm) -> Switch<'_> {
    Switch {
        profile: Some(form.profile),
        renew: form.auto_renew.as_ref(),
        auto_replace: form.auto_replace,
        requested: None,
    }
}

/// What a form comes to.
pub(super) struct Prepared {
    pub event: NewEvent,
    /// Of the certificate: the order's where one goes on, else the profile's.
    pub product: &'static Product,
    /// As the product.
    pub organization: OrganizationId,
}

/// The event that a form makes, if all its checks pass. Reads only.
pub(super) async fn prepare(
    tx: &mut Tx,
    issuer_ends: Timestamp,
    now: Timestamp,
    actor: &Actor,
    form: &ScheduleForm,
) -> Result<Prepared> {
    let endpoint =
        tx.endpoint(form.endpoint).await?.ok_or(LifecycleError::NotFound { what: "endpoint" })?;
    check_there(&endpoint)?;
    let order = order_in_place(tx, &endpoint).await?;
    check_offered(&facts(&endpoint, order.as_ref(), now), OfferedAction::Act(form.action))?;
    refuse_busy(tx, &endpoint).await?;
    if let Some(reason) = &endpoint.manual_reason {
        return Err(LifecycleError::Conflict {
            message: format!("The agent can't install here by itself: {reason}"),
        });
    }
    let profile = tx
        .profile(form.profile)
        .await?
        .ok_or_else(|| LifecycleError::field("profile", "Choose an automation profile."))?
        .profile;
    let (at, time_zone) = match &form.install {
        Install::Now => (now, person_zone(actor)),
        Install::At { date, time, time_zone } => {
            (scheduled_at(date, time, time_zone, now)?, time_zone.clone())
        }
    };
    let run = Run { at, issuer_ends };
    let what = resolve(tx, run, actor, form, &endpoint, order.as_ref(), &profile).await?;
    check_renewal(form.auto_renew.as_ref(), what.renewal_lifetime)?;
    // It is checked again when it runs; what can't be issued now should not be found out then.
    check_wildcards(what.product.validation, what.names.iter())?;
    check_validated(tx, what.product, what.organization, &what.names, now).await?;
    let (product, organization) = (what.product, what.organization);
    let event = NewEvent {
        endpoint: form.endpoint,
        action: form.action,
        mode: what.mode,
        source_order: what.source_order,
        profile: profile.clone(),
        common_name: what.common_name,
        names: what.names,
        extra_names: what.extra_names,
        status: EventStatus::Scheduled,
        scheduled_at: at,
        time_zone,
        requester: actor.person().map(|person| person.user.id),
        requester_name: actor.person().map(|person| person.user.name.clone()),
        emails: form.emails.clone(),
        note: form.note.clone(),
        request: None,
        idempotency_key: Some(event_key(actor, form)),
        explanation: what.explanation.as_ref().and_then(stored),
        created_at: now,
    };
    Ok(Prepared { event, product, organization })
}

async fn insert(
    tx: &mut Tx,
    now: Timestamp,
    actor: &Actor,
    event: NewEvent,
    to: Option<Switch<'_>>,
) -> Result<EventId> {
    let id = tx.insert_event(&event).await?.ok_or_else(|| LifecycleError::Conflict {
        message: "This request was submitted at the same moment already.".to_owned(),
    })?;
    // Auto-renew first: the event's status is the one to show.
    if let Some(to) = to {
        let to = Switch { requested: Some(&event.names), ..to };
        switch_auto_renew(tx, now, actor, event.endpoint, to).await?;
    }
    tx.set_endpoint_status(
        event.endpoint,
        EventStatus::Scheduled.on_endpoint(),
        Some(id),
        None,
        None,
    )
    .await?;
    let settings = snapshot(tx).await?;
    let action = event.action.label(settings.value("brand_word"));
    let said = format!("{action} was scheduled for {}.", event.scheduled_at);
    let entry = AuditEntry::new("event.scheduled", "event", id, said).changing(
        json!(null),
        json!({
            "endpoint": event.endpoint, "action": event.action, "mode": event.mode,
            "profile": event.profile.id,
            "source_order": event.source_order, "names": event.names, "at": event.scheduled_at.rfc3339(),
        }),
    );
    record(tx, now, actor, entry).await?;
    Ok(id)
}

/// Auto-renew must not be due again as soon as it has renewed.
pub(super) fn check_renewal(renew: Option<&AutoRenew>, lifetime: Option<Days>) -> Result<()> {
    let (Some(renew), Some(lifetime)) = (renew, lifetime) else { return Ok(()) };
    let faults = check_auto_renew(renew, lifetime);
    if faults.is_empty() {
        return Ok(());
    }
    Err(LifecycleError::Invalid(faults.into_iter().map(FieldFault::from).collect()))
}

async fn refuse_busy(tx: &mut Tx, endpoint: &EndpointRecord) -> Result<()> {
    match tx.open_event(endpoint.id).await? {
        None => Ok(()),
        Some(open) => Err(LifecycleError::Conflict {
            message: format!(
                "Event {} is under way on {}:{}. Wait for it, or cancel it first.",
                open.id, endpoint.ip, endpoint.port
            ),
        }),
    }
}

/// Keys of different people never meet.
fn event_key(actor: &Actor, form: &ScheduleForm) -> String {
    let who = actor.person().map_or(0, |person| person.user.id.0);
    format!("page:{who}:{}:{}", form.endpoint, form.idempotency_key)
}

fn person_zone(actor: &Actor) -> String {
    actor.person().map_or_else(|| "UTC".to_owned(), |person| person.user.time_zone.clone())
}
