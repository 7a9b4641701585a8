//! Scheduling: what the automation request page submits, one endpoint or many.

use domain::model::{
    AutoRenew, EndpointAction, EventMode, EventStatus, Order, OrderFile, Profile, Role,
};
use domain::rules::profile::check_auto_renew;
use domain::rules::{
    DuplicateNames, EndpointFacts, OfferedAction, candidates_for_names, check_bulk, check_offered,
    check_product_names, longest_lifetime, names_in_place, offer_in_automation, plan_duplicate,
    scheduled_at,
};
use domain::{
    EndpointId, EventId, Name, NameSet, OrderNumber, OrganizationId, Product, ProfileId, Refusal,
    Timestamp,
};
use serde_json::json;
use store::Tx;
use store::endpoints::EndpointRecord;
use store::events::NewEvent;

use super::agents::{require_manager, require_person};
use super::endpoints::{Switch, switch_auto_renew};
use crate::audit::{AuditEntry, record};
use crate::issue::{check_validated, product_of};
use crate::settings::{preferences, snapshot};
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
    /// Common name and names that an action takes from what is in place on an endpoint; none where a
    /// person types them.
    pub async fn names_in_place(
        &self,
        actor: &Actor,
        endpoint: &EndpointRecord,
        action: EndpointAction,
    ) -> Result<Option<(Name, NameSet)>> {
        require_person(actor)?;
        let order = match endpoint.order {
            Some(number) => self.store().reader().await?.order(number).await?,
            None => None,
        };
        Ok(names_of(action, endpoint, order.as_ref()))
    }

    /// Schedules one event.
    pub async fn schedule(&self, actor: &Actor, form: ScheduleForm) -> Result<EventId> {
        require_person(actor)?;
        check_form(&form)?;
        let (now, actor) = (self.clock().now(), actor.clone());
        let event = self
            .store()
            .write(move |tx| {
                Box::pin(async move {
                    let to = Some(switch(&form));
                    schedule_in(tx, now, &actor, &form, to).await
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
        let outcome = self
            .store()
            .write(move |tx| {
                Box::pin(async move {
                    let mut events = Vec::with_capacity(forms.len());
                    for form in &forms {
                        // One box for many endpoints: not ticked, each goes on as it does.
                        let to = form.auto_renew.is_some().then(|| switch(form));
                        events.push(schedule_in(tx, now, &actor, form, to).await?);
                    }
                    Ok::<_, LifecycleError>(BulkOutcome { events })
                })
            })
            .await?;
        self.wake_agents();
        Ok(outcome)
    }

    /// What the *Action* column offers for an endpoint.
    pub async fn offered(
        &self,
        actor: &Actor,
        endpoint: &EndpointRecord,
    ) -> Result<domain::rules::Offer> {
        require_person(actor)?;
        let now = self.clock().now();
        let mut tx = self.store().reader().await?;
        let order = order_in_place(&mut tx, endpoint).await?;
        Ok(domain::rules::offered_actions(&facts(endpoint, order.as_ref(), now)))
    }
}

pub(super) fn check_form(form: &ScheduleForm) -> Result<()> {
    if form.idempotency_key.is_empty() || form.idempotency_key.len() > 100 {
        return Err(LifecycleError::field("key", "The page is incomplete. Open it again."));
    }
    if form.note.as_ref().is_some_and(|note| note.chars().count() > 2_000) {
        return Err(LifecycleError::field("note", "Write at most 2,000 characters."));
    }
    let bad = form.emails.iter().find(|email| {
        email.len() > 254 || !email.contains('@') || email.contains(char::is_whitespace)
    });
    if let Some(bad) = bad {
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
    now: Timestamp,
    actor: &Actor,
    form: &ScheduleForm,
    to: Option<Switch<'_>>,
) -> Result<EventId> {
    let key = event_key(actor, form);
    if let Some(event) = tx.event_by_key(&key).await? {
        return Ok(event);
    }
    tx.lock(&format!("endpoint:{}", form.endpoint)).await?;
    let event = prepare(tx, now, actor, form).await?;
    insert(tx, now, actor, event, to).await
}

/// What the form says of auto-renew.
const fn switch(form: &ScheduleForm) -> Switch<'_> {
    Switch {
        profile: Some(form.profile),
        renew: form.auto_renew.as_ref(),
        auto_replace: form.auto_replace,
    }
}

/// The event that a form makes, if all its checks pass. Reads only.
pub(super) async fn prepare(
    tx: &mut Tx,
    now: Timestamp,
    actor: &Actor,
    form: &ScheduleForm,
) -> Result<NewEvent> {
    let endpoint =
        tx.endpoint(form.endpoint).await?.ok_or(LifecycleError::NotFound { what: "endpoint" })?;
    let order = order_in_place(tx, &endpoint).await?;
    check_offered(&facts(&endpoint, order.as_ref(), now), OfferedAction::Act(form.action))?;
    refuse_busy(tx, &endpoint).await?;
    let agent = tx.agent(endpoint.agent).await?;
    if agent.is_none_or(|agent| agent.is_removed()) {
        return Err(LifecycleError::Conflict {
            message: "The endpoint's agent was removed, so nobody can install here. Add an agent \
                      on the host, and request it on the endpoint that it reports."
                .to_owned(),
        });
    }
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
    check_renewal(form.auto_renew.as_ref(), &profile, now)?;
    let what = resolve(tx, now, actor, form, &endpoint, order.as_ref(), &profile).await?;
    // It is checked again when it runs; what can't be issued now should not be found out then.
    check_validated(tx, what.product, what.organization, &what.names, now).await?;
    let (at, time_zone) = match &form.install {
        Install::Now => (now, person_zone(actor)),
        Install::At { date, time, time_zone } => {
            (scheduled_at(date, time, time_zone, now)?, time_zone.clone())
        }
    };
    Ok(NewEvent {
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
        created_at: now,
    })
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
            "source_order": event.source_order, "names": event.names, "at": event.scheduled_at.rfc3339(),
        }),
    );
    record(tx, now, actor, entry).await?;
    Ok(id)
}

/// Auto-renew must not be due again as soon as it has renewed.
fn check_renewal(renew: Option<&AutoRenew>, profile: &Profile, now: Timestamp) -> Result<()> {
    let (Some(renew), Some(product)) = (renew, Product::find(profile.product.as_str())) else {
        return Ok(());
    };
    let longest = longest_lifetime(product, now);
    let faults = check_auto_renew(renew, profile.validity_days.unwrap_or(longest).min(longest));
    if faults.is_empty() {
        return Ok(());
    }
    Err(LifecycleError::Invalid(faults.into_iter().map(FieldFault::from).collect()))
}

/// What an event will ask for.
struct Resolved {
    mode: EventMode,
    source_order: Option<OrderNumber>,
    organization: OrganizationId,
    product: &'static Product,
    common_name: Name,
    names: NameSet,
    extra_names: NameSet,
}

async fn resolve(
    tx: &mut Tx,
    now: Timestamp,
    actor: &Actor,
    form: &ScheduleForm,
    endpoint: &EndpointRecord,
    in_place: Option<&OrderFile>,
    profile: &Profile,
) -> Result<Resolved> {
    match &form.obtain {
        Obtain::Duplicate { order, extra_names } => {
            let role = actor.role().unwrap_or(Role::Limited);
            offer_in_automation(&preferences(tx).await?, role, Some(profile))?;
            resolve_duplicate(tx, now, *order, extra_names, endpoint, form.action, profile).await
        }
        Obtain::New { common_name, names } => {
            resolve_new(form.action, common_name.as_ref(), names, endpoint, in_place, profile)
        }
    }
}

async fn resolve_duplicate(
    tx: &mut Tx,
    now: Timestamp,
    order: OrderNumber,
    extra_names: &NameSet,
    endpoint: &EndpointRecord,
    action: EndpointAction,
    profile: &Profile,
) -> Result<Resolved> {
    if !matches!(action, EndpointAction::Request | EndpointAction::Renew | EndpointAction::Switch) {
        return Err(LifecycleError::field(
            "obtain",
            "A duplicate can be issued for Request, Renew and Switch only.",
        ));
    }
    let source = tx.order_file(order).await?.ok_or_else(|| {
        LifecycleError::field("order", "There is no such order. Choose one from the list.")
    })?;
    // For a certificate in place its names are the ones to match (rule D10), else those typed are
    // the order's own (rule D9); product and organization are the profile's in either case.
    let wanted = match (&endpoint.served, action) {
        (Some(served), EndpointAction::Renew | EndpointAction::Switch) => served.names.clone(),
        _ => source.order.names.clone(),
    };
    let judged = candidates_for_names(profile, &wanted, std::slice::from_ref(&source), now);
    if judged.orders.is_empty() {
        let why = judged.verdicts.first().map(|verdict| verdict.why.clone()).unwrap_or_default();
        let rule = if matches!(action, EndpointAction::Request) { "D9" } else { "D10" };
        return Err(Refusal::new(
            rule,
            "order_does_not_match",
            format!("Order {order} can't be chosen here. {why} Choose another order."),
        )
        .into());
    }
    let names = if extra_names.is_empty() {
        DuplicateNames::Same
    } else {
        DuplicateNames::Extra { names: extra_names.clone() }
    };
    let plan = plan_duplicate(&source, &names, now)?;
    Ok(Resolved {
        mode: EventMode::Duplicate,
        source_order: Some(order),
        organization: source.order.organization,
        product: product_of(&source.order)?,
        common_name: plan.common_name,
        names: plan.names,
        extra_names: extra_names.clone(),
    })
}

fn resolve_new(
    action: EndpointAction,
    common_name: Option<&Name>,
    names: &NameSet,
    endpoint: &EndpointRecord,
    in_place: Option<&OrderFile>,
    profile: &Profile,
) -> Result<Resolved> {
    let order = in_place.map(|file| &file.order);
    let typed = || {
        let first = common_name.or_else(|| names.iter().next()).cloned();
        first.map(|first| (first, names.clone()))
    };
    let (common_name, names) = names_of(action, endpoint, order)
        .or_else(typed)
        .ok_or_else(|| LifecycleError::field("common_name", "Enter the common name."))?;
    let names = NameSet::with_common_name(&common_name, names);
    let product = Product::find(profile.product.as_str()).ok_or_else(|| {
        LifecycleError::field(
            "profile",
            "The profile's product is no longer sold. Choose another profile.",
        )
    })?;
    if !matches!(action, EndpointAction::Reissue | EndpointAction::NextCertificate) {
        check_product_names(product, &names)?;
    }
    let source = order.filter(|_| action != EndpointAction::Request);
    Ok(Resolved {
        mode: EventMode::New,
        source_order: source.map(|order| order.number),
        organization: source.map_or(profile.organization, |order| order.organization),
        product: source.map_or(Ok(product), product_of)?,
        common_name,
        names,
        extra_names: NameSet::default(),
    })
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

/// Common name and names that an action takes from what is in place.
pub(super) fn names_of(
    action: EndpointAction,
    endpoint: &EndpointRecord,
    order: Option<&Order>,
) -> Option<(Name, NameSet)> {
    let served = endpoint.served.as_ref();
    let served = served.and_then(|served| Some((served.name()?, &served.names)));
    names_in_place(action, served, order)
}

/// The order of the certificate in place, or of the last one that was there.
pub(super) async fn order_in_place(
    tx: &mut Tx,
    endpoint: &EndpointRecord,
) -> Result<Option<OrderFile>> {
    match endpoint.order {
        Some(number) => Ok(tx.order_file(number).await?),
        None => Ok(None),
    }
}

pub(super) fn facts<'a>(
    endpoint: &EndpointRecord,
    order: Option<&'a OrderFile>,
    now: Timestamp,
) -> EndpointFacts<'a> {
    let certificate = order
        .and_then(|file| file.certificates.iter().find(|one| Some(one.id) == endpoint.certificate));
    EndpointFacts { issuer: endpoint.issuer_kind, certificate, order, status: endpoint.status, now }
}

/// Keys of different people never meet.
fn event_key(actor: &Actor, form: &ScheduleForm) -> String {
    let who = actor.person().map_or(0, |person| person.user.id.0);
    format!("page:{who}:{}:{}", form.endpoint, form.idempotency_key)
}

fn person_zone(actor: &Actor) -> String {
    actor.person().map_or_else(|| "UTC".to_owned(), |person| person.user.time_zone.clone())
}
