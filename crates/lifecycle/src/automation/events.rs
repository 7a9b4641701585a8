//! Reading events.

use domain::EventId;
use domain::rules::Explanation;
use store::endpoints::EndpointRecord;
use store::events::{EventFilter, EventRecord};

use super::agents::require_person;
use crate::{Actor, Lifecycle, LifecycleError, Result};

/// An event with where it happens and why it does what it does.
#[derive(Debug, Clone)]
pub struct EventDetail {
    /// The event.
    pub event: EventRecord,
    /// Where.
    pub endpoint: EndpointRecord,
    /// The decision: candidates, rules, window, action. None before the order is chosen.
    pub explanation: Option<Explanation>,
}

impl Lifecycle {
    /// One page of events, newest first, older than `before`; with where the next page begins.
    pub async fn events(
        &self,
        actor: &Actor,
        filter: EventFilter,
        before: Option<EventId>,
        size: u16,
    ) -> Result<(Vec<EventRecord>, Option<EventId>)> {
        require_person(actor)?;
        let size = usize::from(size.clamp(1, 500));
        let limit = i64::try_from(size + 1).unwrap_or(501);
        let mut rows = self.store().reader().await?.events(&filter, before, limit).await?;
        let more = rows.len() > size;
        rows.truncate(size);
        let next = rows.last().filter(|_| more).map(|last| last.id);
        Ok((rows, next))
    }

    /// One event.
    pub async fn event(&self, actor: &Actor, id: EventId) -> Result<EventDetail> {
        require_person(actor)?;
        let mut tx = self.store().reader().await?;
        let event = tx.event(id).await?.ok_or(LifecycleError::NotFound { what: "event" })?;
        let endpoint = tx.endpoint(event.endpoint).await?.ok_or(LifecycleError::NotFound { what: "endpoint" })?;
        let explanation = event.explanation.as_deref().and_then(|json| serde_json::from_str(json).ok());
        Ok(EventDetail { event, endpoint, explanation })
    }
}
