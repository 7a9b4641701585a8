//! The one source of time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use domain::{Days, Timestamp};

/// The system's clock, moved by an offset that only the demonstration and tests change.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    offset: Arc<AtomicI64>,
    /// What it shows instead of the system's time.
    #[cfg(test)]
    stands_at: Option<Timestamp>,
}

impl Clock {
    /// The system's clock as it is.
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that shows `start` now and runs on from there.
    pub fn starting_at(start: Timestamp) -> Self {
        let clock = Self::system();
        clock.offset.store(start.seconds_since(system_now()), Ordering::Relaxed);
        clock
    }

    /// A clock that shows `start` until it is moved: what a test reads twice is the same second.
    #[cfg(test)]
    pub(crate) fn standing_at(start: Timestamp) -> Self {
        Self { stands_at: Some(start), ..Self::default() }
    }

    /// A clock that is `seconds` ahead of the system's; behind it where negative.
    pub fn ahead_by(seconds: i64) -> Self {
        let clock = Self::system();
        clock.offset.store(seconds, Ordering::Relaxed);
        clock
    }

    /// This moment.
    pub fn now(&self) -> Timestamp {
        let now = system_now();
        #[cfg(test)]
        let now = self.stands_at.unwrap_or(now);
        now.plus_seconds(self.offset.load(Ordering::Relaxed))
    }

    /// Moves every holder of this clock forward.
    pub fn advance(&self, days: Days) {
        self.offset.fetch_add(days.seconds(), Ordering::Relaxed);
    }

    /// How far the clock is from the system's, in seconds.
    pub fn offset_seconds(&self) -> i64 {
        self.offset.load(Ordering::Relaxed)
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place where time comes from")]
fn system_now() -> Timestamp {
    Timestamp(jiff::Timestamp::now().as_second())
}
