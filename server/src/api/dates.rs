//! Dates as the Services API writes them.

use domain::Timestamp;

/// `2026-11-22`.
pub(super) fn day(at: Timestamp) -> String {
    at.rfc3339().chars().take(10).collect()
}

/// `2026-11-22T08:30:00+00:00`.
pub(super) fn moment(at: Timestamp) -> String {
    at.rfc3339().replace('Z', "+00:00")
}

/// The beginning of the day `2026-11-22` in UTC.
pub(super) fn read_day(text: &str) -> Option<Timestamp> {
    Timestamp::parse_rfc3339(&format!("{}T00:00:00Z", text.trim()))
}
