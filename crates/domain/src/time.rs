//! Moments and lengths of time, in whole seconds and whole days.

use serde::{Deserialize, Serialize};

/// Seconds in a day.
pub const DAY: i64 = 86_400;

/// A moment: seconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

/// A whole number of days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Days(pub i64);

impl Days {
    /// The length in seconds.
    pub const fn seconds(self) -> i64 {
        self.0.saturating_mul(DAY)
    }
}

impl Timestamp {
    /// This moment moved by `seconds`, which may be negative.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// This moment `days` later.
    #[must_use]
    pub const fn plus(self, days: Days) -> Self {
        self.plus_seconds(days.seconds())
    }

    /// This moment `days` earlier.
    #[must_use]
    pub const fn minus(self, days: Days) -> Self {
        self.plus_seconds(-days.seconds())
    }

    /// Seconds from `earlier` to this moment; negative where this moment is the earlier one.
    pub const fn seconds_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Whole days from `now` to this moment, rounded down; negative once it has passed.
    pub const fn days_left(self, now: Self) -> i64 {
        self.seconds_since(now).div_euclid(DAY)
    }

    /// The last moment to which there are `days` whole days from this one, as
    /// [`Self::days_left`] counts them: what ends then, or before, ends "within" so many days.
    #[must_use]
    pub const fn last_with_days_left(self, days: Days) -> Self {
        self.plus(Days(days.0.saturating_add(1))).plus_seconds(-1)
    }

    /// RFC 3339 in UTC, as `2026-11-22T08:30:00Z`.
    pub fn rfc3339(self) -> String {
        jiff::Timestamp::from_second(self.0)
            .map_or_else(|_| self.0.to_string(), |moment| moment.to_string())
    }

    /// Reads RFC 3339 with any offset; fractions of a second are cut off.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(|moment| Self(moment.as_second()))
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

/// Serde as RFC 3339 in UTC, for what people and other programs read: `#[serde(with = …)]`.
pub mod as_rfc3339 {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::Timestamp;

    /// Writes `2026-11-22T08:30:00Z`.
    pub fn serialize<S: Serializer>(moment: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&moment.rfc3339())
    }

    /// Reads RFC 3339 with any offset.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(from)?;
        Timestamp::parse_rfc3339(&text).ok_or_else(|| D::Error::custom("not an RFC 3339 time"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_left_rounds_down_on_both_sides_of_now() {
        let now = Timestamp(1_000_000);
        assert_eq!(now.plus(Days(3)).days_left(now), 3);
        assert_eq!(now.plus_seconds(DAY - 1).days_left(now), 0);
        assert_eq!(now.plus_seconds(-1).days_left(now), -1);
        for days in [-1, 0, 7] {
            let last = now.last_with_days_left(Days(days));
            assert_eq!(
                (last.days_left(now), last.plus_seconds(1).days_left(now)),
                (days, days + 1)
            );
        }
    }

    #[test]
    fn rfc3339_round_trips() {
        let moment = Timestamp::parse_rfc3339("2026-11-22T09:30:00+01:00").unwrap();
        assert_eq!(moment.rfc3339(), "2026-11-22T08:30:00Z");
        assert_eq!(Timestamp::parse_rfc3339("yesterday"), None);
    }
}
