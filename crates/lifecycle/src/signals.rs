//! Who waits for what inside this process: agents' polls for work, pages for an event's progress.
//!
//! A signal only shortens a wait. Other nodes don't hear it: whoever waits also looks again after
//! a while.

use domain::EventId;
use tokio::sync::futures::Notified;
use tokio::sync::{Notify, broadcast};

use crate::Lifecycle;

/// Changes that a slow reader may be behind before it is told that it missed some.
const BACKLOG: usize = 256;

#[derive(Debug)]
pub(crate) struct Signals {
    work: Notify,
    events: broadcast::Sender<EventId>,
}

impl Default for Signals {
    fn default() -> Self {
        Self { work: Notify::new(), events: broadcast::channel(BACKLOG).0 }
    }
}

impl Lifecycle {
    /// There is new work for agents.
    pub fn wake_agents(&self) {
        self.inner.signals.work.notify_waiters();
    }

    /// Waits for new work for agents.
    ///
    /// What is signalled from this call on counts, also before the answer is awaited: look for
    /// work after calling this.
    pub fn new_work(&self) -> Notified<'_> {
        self.inner.signals.work.notified()
    }

    /// An event went on.
    pub fn event_changed(&self, id: EventId) {
        // Nobody may be watching.
        let _ = self.inner.signals.events.send(id);
        self.wake_agents();
    }

    /// The events that go on from now, as they do.
    pub fn watch_events(&self) -> broadcast::Receiver<EventId> {
        self.inner.signals.events.subscribe()
    }
}
