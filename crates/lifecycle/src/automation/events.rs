//! Reading events.

use domain::EventId;
use domain::rules::Explanation;
use store::endpoints::EndpointRecord;
use store::events::{EventFilter, EventRecord};

use super::agents::require_person;
use super::endpoints::show_silence;
use crate::lists::{PageOf, Slice};
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
    /// One page of events, in the order in which they were made or newest first.
    pub async fn events(
        &self,
        actor: &Actor,
        filter: EventFilter,
        page: &PageOf<()>,
    ) -> Result<Slice<EventRecord>> {
        require_person(actor)?;
        Ok(page.slice(self.store().reader().await?.events(&filter, &page.rows()).await?))
    }

    /// One event.
    pub async fn event(&self, actor: &Actor, id: EventId) -> Result<EventDetail> {
        require_person(actor)?;
        let mut tx = self.store().reader().await?;
        let event = tx.event(id).await?.ok_or(LifecycleError::NotFound { what: "event" })?;
        let mut endpoint = tx
            .endpoint(event.endpoint)
            .await?
            .ok_or(LifecycleError::NotFound { what: "endpoint" })?;
        show_silence(&mut endpoint, self.clock().now());
        let explanation =
            event.explanation.as_deref().and_then(|json| serde_json::from_str(json).ok());
        Ok(EventDetail { event, endpoint, explanation })
    }
}
