//! Growing pauses between tries, each a little different, so that many agents do not all come
//! back in the same second.

use std::time::Duration;

/// The pause after the first failure.
const FIRST: Duration = Duration::from_secs(1);
/// The longest pause that the agent chooses by itself.
const LONGEST: Duration = Duration::from_mins(1);
/// The longest `Retry-After` that is obeyed.
const LONGEST_ASKED: Duration = Duration::from_hours(1);

/// The pauses of one series of tries.
#[derive(Debug)]
pub(crate) struct Backoff {
    next: Duration,
}

impl Backoff {
    pub(crate) const fn new() -> Self {
        Self { next: FIRST }
    }

    /// The next pause: between half of the grown pause and all of it, and never shorter than
    /// the portal asked for.
    pub(crate) fn pause(&mut self, asked: Option<Duration>) -> Duration {
        let grown = self.next;
        self.next = (grown * 2).min(LONGEST);
        let mut byte = [0_u8];
        // Without randomness the pause is the longest one: still correct.
        let share = crate::identity::random_bytes(&mut byte).map_or(255, |()| u32::from(byte[0]));
        let pause = grown / 2 + grown / 2 * share / 255;
        pause.max(asked.unwrap_or_default().min(LONGEST_ASKED))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit_and_obey_the_portal() {
        let mut backoff = Backoff::new();
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
            let most = Duration::from_secs(seconds);
            let pause = backoff.pause(None);
            assert!(pause >= most / 2 && pause <= most, "{pause:?} of {most:?}");
        }
        assert_eq!(backoff.pause(Some(Duration::from_mins(5))), Duration::from_mins(5));
        assert_eq!(backoff.pause(Some(Duration::MAX)), LONGEST_ASKED);
    }
}
