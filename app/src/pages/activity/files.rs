//! The list of events as CSV, and the stream of one event's changes.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Path, RawQuery};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use domain::EventId;
use futures::stream::{self, Stream};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, timeout_at};

use super::api::mode_label;
use super::api::reading::{Mark, addresses, filter, key, listing, mark, row};
use crate::desk::{Desk, May};
use crate::fault::PortalError;
use crate::pages::csv::{Csv, all_rows, exported, refused};

/// Other nodes' changes give no signal here: the event is looked at this often.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// A stream ends after this long; the browser opens another, with the session checked anew.
const LONGEST: Duration = Duration::from_mins(10);

/// `/automation/activity.csv`.
pub async fn activity(desk: Desk, RawQuery(query): RawQuery) -> Response {
    exported("activity", export(desk, &query.unwrap_or_default()).await)
}

async fn export(desk: Desk, query: &str) -> Result<Csv, PortalError> {
    desk.check(May::SeeAll)?;
    let listing = listing(query);
    let brand = desk.brand().await?;
    let events = all_rows((), listing.sort.descending, key, |page| {
        let (desk, filter) = (desk.clone(), filter(&listing, &desk));
        async move { desk.lifecycle.events(&desk.actor(), filter, &page).await }
    });
    let mut csv = Csv::new(&[
        "Event",
        "Endpoint",
        "Action",
        "Certificate",
        "Common name",
        "Status",
        "Order ID",
        "Runs",
        "Ended",
        "Requester",
        "Cause",
    ]);
    let events = events.await?;
    let addresses = addresses(&desk, &events).await?;
    for event in events {
        let event = row(event, &brand);
        csv.line([
            event.id.to_string(),
            addresses.get(&event.endpoint).cloned().unwrap_or_default(),
            event.action,
            mode_label(event.mode).to_owned(),
            event.common_name,
            event.status.label().to_owned(),
            event.order.map(|order| order.to_string()).unwrap_or_default(),
            event.scheduled_at.rfc3339(),
            event.finished_at.map(domain::Timestamp::rfc3339).unwrap_or_default(),
            event.requester.unwrap_or_default(),
            event.cause.unwrap_or_default(),
        ]);
    }
    Ok(csv)
}

/// `/automation/activity/{id}/stream`: a message whenever the event went on; `end` with the last.
pub async fn stream(desk: Desk, Path(id): Path<i64>) -> Response {
    let id = EventId(id);
    let first = match desk.check(May::SeeAll) {
        Ok(()) => mark(&desk, id).await,
        Err(error) => Err(error),
    };
    match first {
        Ok(_) => Sse::new(changes(desk, id)).keep_alive(KeepAlive::default()).into_response(),
        Err(error) => refused(&error).into_response(),
    }
}

/// A reader of one event's changes.
struct Watch {
    desk: Desk,
    id: EventId,
    seen: Option<Mark>,
    signals: Receiver<EventId>,
    until: Instant,
    over: bool,
}

/// The first message comes at once: it makes up for what happened between the page's rendering (or
/// the stream before this one) and now.
fn changes(desk: Desk, id: EventId) -> impl Stream<Item = Result<Event, Infallible>> {
    let signals = desk.lifecycle.watch_events();
    let watch =
        Watch { desk, id, seen: None, signals, until: Instant::now() + LONGEST, over: false };
    stream::unfold(watch, |mut watch| async move {
        let message = watch.next().await?;
        Some((Ok(Event::default().data(message)), watch))
    })
}

impl Watch {
    /// The next message; none where the stream is over.
    async fn next(&mut self) -> Option<&'static str> {
        while !self.over && Instant::now() < self.until {
            let Ok((now, last)) = mark(&self.desk, self.id).await else { return None };
            let changed = self.seen.as_ref() != Some(&now);
            self.seen = Some(now);
            if last {
                self.over = true;
                return Some("end");
            }
            if changed {
                return Some("changed");
            }
            self.signal().await;
        }
        None
    }

    /// Waits until this event went on, but not for long.
    async fn signal(&mut self) {
        let look_again = Instant::now() + LOOK_AGAIN;
        loop {
            match timeout_at(look_again, self.signals.recv()).await {
                Ok(Ok(id)) if id != self.id => {}
                // Without the sender nothing signals: the time alone counts.
                Ok(Err(RecvError::Closed)) => return tokio::time::sleep_until(look_again).await,
                Ok(Ok(_) | Err(RecvError::Lagged(_))) | Err(_) => return,
            }
        }
    }
}
