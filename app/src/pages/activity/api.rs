//! Automation events as their pages show them.

use domain::model::{EndpointAction, EndpointStatus, EventMode, EventStatus};
use domain::rules::Explanation;
use domain::{EndpointId, EventId, OrderNumber, RequestId, Timestamp};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::fault::PortalError;
use crate::pages::paged::Paged;

/// Keys that the list is sorted by.
pub const SORTS: [&str; 1] = ["-number"];

/// An event in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventRow {
    /// Its number.
    pub id: EventId,
    /// Where.
    pub endpoint: EndpointId,
    /// Its address and port, in lists of several endpoints.
    pub address: Option<String>,
    /// The label of what was asked.
    pub action: String,
    /// How it gets its certificate.
    pub mode: EventMode,
    /// The common name.
    pub common_name: String,
    /// How many names there are beside it.
    pub sans: usize,
    /// Where it stands.
    pub status: EventStatus,
    /// When it runs.
    pub scheduled_at: Timestamp,
    /// When it came to its end.
    pub finished_at: Option<Timestamp>,
    /// Who asked.
    pub requester: Option<String>,
    /// The order of its certificate, else the one that was chosen.
    pub order: Option<OrderNumber>,
    /// Why a person is needed.
    pub cause: Option<String>,
}

/// An event with all that its page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventView {
    /// What lists show of it.
    pub row: EventRow,
    /// What was asked.
    pub action: EndpointAction,
    /// Address and port of the endpoint.
    pub address: String,
    /// The agent on its host.
    pub host: String,
    /// The agent is silent: nothing goes on before it is heard of again.
    pub agent_silent: bool,
    /// All names.
    pub names: Vec<String>,
    /// Names that a duplicate adds.
    pub extra_names: Vec<String>,
    /// The order that was chosen, renewed or reissued.
    pub source_order: Option<OrderNumber>,
    /// The profile as it was when the event was made.
    pub profile: String,
    /// The time zone in which the time was chosen.
    pub time_zone: String,
    /// Additional e-mail addresses.
    pub emails: Vec<String>,
    /// The requester's words.
    pub note: Option<String>,
    /// The request that waits or waited for approval.
    pub request: Option<RequestId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Tries so far that failed.
    pub attempt: i64,
    /// Not before then again.
    pub next_attempt_at: Option<Timestamp>,
    /// When each stage was done.
    pub stages: Stages,
    /// What a person can do.
    pub solution: Option<String>,
    /// The decision with its reasons.
    pub explanation: Option<Explanation>,
    /// This person may cancel it.
    pub may_cancel: bool,
    /// This person may run it again.
    pub may_retry: bool,
}

/// When the stages of an event were done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stages {
    /// The agent's CSR came.
    pub csr: Option<Timestamp>,
    /// The order was placed or chosen.
    pub order: Option<Timestamp>,
    /// The certificate was issued.
    pub issued: Option<Timestamp>,
    /// The agent had installed it.
    pub installed: Option<Timestamp>,
    /// A handshake showed it.
    pub verified: Option<Timestamp>,
}

#[cfg(feature = "ssr")]
pub(crate) mod reading {
    use std::collections::{BTreeMap, BTreeSet};

    use domain::model::EndpointStatus;
    use domain::{EndpointId, EventId, Timestamp};
    use lifecycle::automation::{
        EndpointFilter, EndpointRecord, EndpointSort, EventDetail, EventFilter, EventRecord,
    };
    use lifecycle::lists::Key;

    use super::{EventRow, EventView, SORTS, Stages};
    use crate::desk::{Desk, May};
    use crate::fault::PortalError;
    use crate::kit::Listing;
    use crate::pages::endpoints::address;
    use crate::paths;

    /// Endpoints that are read together.
    const AT_ONCE: u16 = 500;

    pub(crate) fn listing(query: &str) -> Listing {
        Listing::read(paths::ACTIVITY, query, &SORTS)
    }

    pub(crate) fn filter(listing: &Listing, desk: &Desk) -> EventFilter {
        EventFilter {
            endpoint: listing.query.read("endpoint"),
            status: listing.query.read("status"),
            requester: (listing.filter("requester") == Some("me")).then_some(desk.person.user.id),
        }
    }

    pub(crate) fn key(event: &EventRecord) -> (Key, i64) {
        (Key::Number(event.id.0), event.id.0)
    }

    pub(crate) fn row(event: EventRecord, brand: &str) -> EventRow {
        EventRow {
            id: event.id,
            endpoint: event.endpoint,
            address: None,
            action: action_label(&event, brand),
            mode: event.mode,
            sans: event.names.iter().filter(|name| **name != event.common_name).count(),
            common_name: event.common_name.to_string(),
            status: event.status,
            scheduled_at: event.scheduled_at,
            finished_at: event.finished_at,
            requester: event.requester_name,
            order: event.order.or(event.source_order),
            cause: event.cause,
        }
    }

    /// Where these events are, as people know it.
    pub(crate) async fn addresses(
        desk: &Desk,
        events: &[EventRecord],
    ) -> Result<BTreeMap<EndpointId, String>, PortalError> {
        let ids: BTreeSet<EndpointId> = events.iter().map(|event| event.endpoint).collect();
        let ids: Vec<EndpointId> = ids.into_iter().collect();
        let mut addresses = BTreeMap::new();
        for some in ids.chunks(usize::from(AT_ONCE)) {
            let filter =
                EndpointFilter { ids: some.to_vec(), also_gone: true, ..EndpointFilter::default() };
            let sort = EndpointSort::Address;
            let page =
                desk.lifecycle.endpoints(&desk.actor(), filter, sort, false, None, AT_ONCE).await?;
            let address = |one: EndpointRecord| (one.id, address(&one.ip, one.port));
            addresses.extend(page.rows.into_iter().map(address));
        }
        Ok(addresses)
    }

    fn action_label(event: &EventRecord, brand: &str) -> String {
        match event.mode {
            domain::model::EventMode::AutoRenew => "Auto-renew".to_owned(),
            _ => event.action.label(brand),
        }
    }

    pub(crate) fn stages(event: &EventRecord) -> Stages {
        Stages {
            csr: event.csr_at,
            order: event.ordered_at.or(event.issued_at),
            issued: event.issued_at,
            installed: event.installed_at,
            verified: event.verified_at,
        }
    }

    fn names(names: &domain::NameSet) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    pub(crate) fn view(desk: &Desk, detail: EventDetail, brand: &str) -> EventView {
        let EventDetail { event, endpoint, explanation } = detail;
        let own = event.requester == Some(desk.person.user.id);
        let may_touch = own || desk.may(May::Automate);
        let open = event.finished_at.is_none();
        let failed = event.status.is_final()
            && !matches!(
                event.status,
                domain::model::EventStatus::Succeeded | domain::model::EventStatus::Canceled
            );
        let newest = endpoint.current_event.is_none_or(|current| current == event.id);
        EventView {
            action: event.action,
            address: address(&endpoint.ip, endpoint.port),
            agent_silent: open && endpoint.status == EndpointStatus::AgentError,
            host: endpoint.agent_name,
            names: names(&event.names),
            extra_names: names(&event.extra_names),
            source_order: event.source_order,
            profile: event.profile.name.clone(),
            time_zone: event.time_zone.clone(),
            emails: event.emails.clone(),
            note: event.note.clone(),
            request: event.request,
            created_at: event.created_at,
            attempt: event.attempt,
            next_attempt_at: event.next_attempt_at,
            stages: stages(&event),
            solution: event.solution.clone(),
            explanation,
            may_cancel: may_touch && open && event.certificate.is_none(),
            may_retry: may_touch && failed && newest && endpoint.gone_at.is_none(),
            row: row(event, brand),
        }
    }

    /// What a stream of changes compares.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub(crate) struct Mark(Stages, domain::model::EventStatus, i64, Option<Timestamp>);

    /// Where an event stands, and whether that is final.
    pub(crate) async fn mark(desk: &Desk, id: EventId) -> Result<(Mark, bool), PortalError> {
        let event = desk.lifecycle.event(&desk.actor(), id).await?.event;
        let mark = Mark(stages(&event), event.status, event.attempt, event.finished_at);
        Ok((mark, event.finished_at.is_some()))
    }
}

/// A page of events.
#[server(prefix = "/api", endpoint = "activity/list")]
pub async fn events(query: String) -> Result<Paged<EventRow>, PortalError> {
    use crate::desk::{Desk, May};
    use crate::pages::paged::{page_of, paged};

    let desk = Desk::require(May::SeeAll)?;
    let listing = reading::listing(&query);
    let page = page_of(&listing, (), true);
    let brand = desk.brand().await?;
    let slice =
        desk.lifecycle.events(&desk.actor(), reading::filter(&listing, &desk), &page).await?;
    let addresses = reading::addresses(&desk, &slice.rows).await?;
    Ok(paged(slice, reading::key, |event| {
        let address = addresses.get(&event.endpoint).cloned();
        EventRow { address, ..reading::row(event, &brand) }
    }))
}

/// One event.
#[server(prefix = "/api", endpoint = "activity/one")]
pub async fn event(id: i64) -> Result<EventView, PortalError> {
    use crate::desk::{Desk, May};

    let desk = Desk::require(May::SeeAll)?;
    let brand = desk.brand().await?;
    let detail = desk.lifecycle.event(&desk.actor(), EventId(id)).await?;
    Ok(reading::view(&desk, detail, &brand))
}

/// "Cancel": withdraws an event that has no certificate yet.
#[server(prefix = "/api", endpoint = "activity/cancel")]
pub async fn cancel_event(id: i64, back: String) -> Result<(), PortalError> {
    use crate::desk::{Desk, May};

    let desk = Desk::require(May::SeeAll)?;
    desk.lifecycle.cancel_event(&desk.actor(), EventId(id)).await?;
    crate::browser::flash("The event was canceled. Nothing will be issued or installed.");
    crate::browser::redirect(&crate::paths::local(&back));
    Ok(())
}

/// "Retry": runs a failed event again.
#[server(prefix = "/api", endpoint = "activity/retry")]
pub async fn retry_event(id: i64) -> Result<(), PortalError> {
    use crate::desk::{Desk, May};

    let desk = Desk::require(May::SeeAll)?;
    desk.lifecycle.retry_event(&desk.actor(), EventId(id)).await?;
    crate::browser::flash("The event was scheduled again.");
    crate::browser::redirect(&crate::paths::event(EventId(id)));
    Ok(())
}

/// How an endpoint's status looks.
pub fn endpoint_tone(status: EndpointStatus) -> crate::kit::Tone {
    use crate::kit::Tone;
    match status {
        EndpointStatus::Configured => Tone::Neutral,
        EndpointStatus::Scheduled
        | EndpointStatus::AutoRenewScheduled
        | EndpointStatus::ApprovalPending => Tone::Waiting,
        EndpointStatus::InProgress => Tone::Info,
        EndpointStatus::Renewed => Tone::Good,
        EndpointStatus::ActionRequired | EndpointStatus::AgentError => Tone::Warning,
        EndpointStatus::ApprovalDenied
        | EndpointStatus::Failed
        | EndpointStatus::InstallFailed
        | EndpointStatus::ValidationFailed => Tone::Bad,
    }
}

/// How an event's status looks.
pub fn event_tone(status: EventStatus) -> crate::kit::Tone {
    match status {
        EventStatus::Canceled => crate::kit::Tone::Neutral,
        other => endpoint_tone(other.on_endpoint()),
    }
}

/// How an event gets its certificate, in words.
pub const fn mode_label(mode: EventMode) -> &'static str {
    match mode {
        EventMode::New => "New certificate",
        EventMode::Duplicate => "Duplicate certificate",
        EventMode::AutoRenew => "As the rules decide",
    }
}
