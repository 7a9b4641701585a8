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

/// The beginning of a day as clients write it: `2026-11-22` or `22 NOV 2026`.
pub(super) fn read_date(text: &str) -> Option<Timestamp> {
    const MONTHS: [&str; 12] =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let words: Vec<&str> = text.split_whitespace().collect();
    let [day, month, year] = words.as_slice() else { return read_day(text) };
    let month = MONTHS.iter().position(|known| known.eq_ignore_ascii_case(month))? + 1;
    read_day(&format!("{year}-{month:02}-{day:0>2}"))
}
