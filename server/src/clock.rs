//! `CERTDECK_CLOCK`: the demonstration's time.

use std::io::ErrorKind;
use std::path::PathBuf;

use anyhow::Context as _;
use domain::Timestamp;
use domain::time::DAY;
use lifecycle::Clock;
use serde::Deserialize;

use crate::config::Config;

/// The clock that the configuration asks for; only the demonstration may move it.
pub fn from_config(config: &Config, demo: bool) -> anyhow::Result<Clock> {
    match config.clock {
        None => Ok(Clock::system()),
        Some(_) if !demo => anyhow::bail!(
            "CERTDECK_CLOCK works with `serve --demo` only: a real portal keeps real time"
        ),
        Some(moved) => Ok(moved.clock()),
    }
}

/// Where `serve --demo` leaves how far its clock is moved, in seconds.
fn file(config: &Config) -> PathBuf {
    config.data_dir.join("demo").join("clock")
}

/// Leaves this `serve`'s clock for the commands that say what it would do.
pub fn remember(config: &Config, clock: &Clock) -> anyhow::Result<()> {
    let file = file(config);
    let outcome = match clock.offset_seconds() {
        0 => std::fs::remove_file(&file),
        moved => std::fs::create_dir_all(config.data_dir.join("demo"))
            .and_then(|()| std::fs::write(&file, moved.to_string())),
    };
    match outcome {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot write {}", file.display()))
        }
        _ => Ok(()),
    }
}

/// The clock that the last `serve` went by.
pub fn remembered(config: &Config) -> Clock {
    let moved = std::fs::read_to_string(file(config)).ok();
    moved.and_then(|text| text.trim().parse().ok()).map_or_else(Clock::system, Clock::ahead_by)
}

/// Where a clock is moved to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Moved {
    /// It begins at this moment.
    To(Timestamp),
    /// It is so many seconds ahead of the system's.
    By(i64),
}

impl TryFrom<String> for Moved {
    type Error = String;
    /// Reads an RFC 3339 start time, or an offset: a sign, a number and `s`, `m`, `h` or `d`.
    fn try_from(text: String) -> Result<Self, String> {
        let start = Timestamp::parse_rfc3339(&text).map(Self::To);
        start.or_else(|| offset(&text).map(Self::By)).ok_or_else(|| {
            format!("the clock {text:?} is neither an RFC 3339 time, as 2027-01-01T00:00:00Z, nor an offset, as +40d")
        })
    }
}

impl Moved {
    fn clock(self) -> Clock {
        match self {
            Self::To(start) => Clock::starting_at(start),
            Self::By(seconds) => Clock::ahead_by(seconds),
        }
    }
}

fn offset(text: &str) -> Option<i64> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+')?),
    };
    let unit = match rest.chars().next_back()? {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => DAY,
        _ => return None,
    };
    let number: i64 = rest
        .get(..rest.len() - 1)?
        .parse()
        .ok()
        .filter(|number| (0..=40_000_000).contains(number))?;
    Some(sign * number * unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_commands_go_by_the_demonstrations_clock() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::in_folder(folder.path(), None);
        assert_eq!(remembered(&config).offset_seconds(), 0);
        remember(&config, &Clock::ahead_by(40 * DAY)).unwrap();
        assert_eq!(remembered(&config).offset_seconds(), 40 * DAY);
        remember(&config, &Clock::system()).unwrap();
        remember(&config, &Clock::system()).unwrap();
        assert_eq!(remembered(&config).offset_seconds(), 0);
    }

    #[test]
    fn reads_offsets_and_moments() {
        assert_eq!(offset("+40d"), Some(40 * DAY));
        assert_eq!(offset("-2h"), Some(-7_200));
        for wrong in ["40d", "+d", "+4y", "+-4d", "", "+4é"] {
            assert_eq!(offset(wrong), None, "{wrong}");
        }
        let clock = Moved::try_from("2030-01-01T00:00:00Z".to_owned()).unwrap().clock();
        let start = Timestamp::parse_rfc3339("2030-01-01T00:00:00Z").unwrap();
        assert!((0..5).contains(&clock.now().seconds_since(start)));
    }
}
