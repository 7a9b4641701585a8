//! Where pages of orders ended, a short while ago: a program asks for the next one by its offset, and
//! that page begins there, however many orders stand before it.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use domain::Timestamp;
use store::orders::{OrderFilter, OrderSort};

use crate::lists::Key;

/// Pages that are remembered.
const MOST: usize = 256;
/// Seconds for which one is: later, other orders may stand before that place.
const SHORT: i64 = 300;

/// A list, read in one direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct List {
    pub(super) filter: OrderFilter,
    pub(super) sort: OrderSort,
    pub(super) descending: bool,
}

/// A row's key and number.
pub(super) type Row = (Key, i64);

/// The rows that stood right before a place of a list, the latest first.
#[derive(Debug, Default)]
pub(crate) struct Ends(Mutex<VecDeque<(List, u64, Row, Timestamp)>>);

impl Ends {
    /// At `now`, `last` stands right before this place.
    pub(super) fn note(&self, list: &List, place: u64, row: Row, now: Timestamp) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|(of, at, ..)| (of, *at) != (list, place));
        known.truncate(MOST - 1);
        known.push_front((list.clone(), place, row, now));
    }

    /// The row right before this place.
    pub(super) fn before(&self, list: &List, place: u64, now: Timestamp) -> Option<Row> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.iter().find(|(of, at, ..)| (of, *at) == (list, place));
        found.filter(|end| now.seconds_since(end.3) <= SHORT).map(|end| end.2.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_ends_are_known_for_a_short_while() {
        let list = |sort| List { filter: OrderFilter::default(), sort, descending: true };
        let (numbers, names) = (list(OrderSort::Number), list(OrderSort::CommonName));
        let row = |number| (Key::Number(number), number);
        let (ends, now) = (Ends::default(), Timestamp(1_000_000));
        ends.note(&numbers, 10, row(7), now);
        ends.note(&numbers, 10, row(8), now);
        assert_eq!(ends.before(&numbers, 10, now), Some(row(8)));
        assert_eq!(ends.before(&numbers, 20, now), None);
        assert_eq!(ends.before(&names, 10, now), None);
        assert_eq!(ends.before(&numbers, 10, now.plus_seconds(SHORT + 1)), None);
        for place in 0..300 {
            ends.note(&names, place, row(1), now);
        }
        assert_eq!(ends.before(&numbers, 10, now), None, "no more than some are kept");
        assert_eq!(ends.before(&names, 299, now), Some(row(1)));
    }
}
