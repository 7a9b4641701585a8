//! `CERTDECK_CLOCK`: the demonstration's time.

use anyhow::Context as _;
use domain::Timestamp;
use domain::time::DAY;
use lifecycle::Clock;

use crate::config::Config;

/// The clock that the configuration asks for; only the demonstration may move it.
pub fn from_config(config: &Config, demo: bool) -> anyhow::Result<Clock> {
    match &config.clock {
        None => Ok(Clock::system()),
        Some(_) if !demo => anyhow::bail!(
            "CERTDECK_CLOCK works with `serve --demo` only: a real portal keeps real time"
        ),
        Some(text) => parse(text),
    }
}

/// An RFC 3339 start time, or an offset: a sign, a number and `s`, `m`, `h` or `d`.
fn parse(text: &str) -> anyhow::Result<Clock> {
    if let Some(start) = Timestamp::parse_rfc3339(text) {
        return Ok(Clock::starting_at(start));
    }
    offset(text).map(Clock::ahead_by).with_context(|| {
        format!("the clock {text:?} is neither an RFC 3339 time, as 2027-01-01T00:00:00Z, nor an offset, as +40d")
    })
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
    fn reads_offsets_and_moments() {
        assert_eq!(offset("+40d"), Some(40 * DAY));
        assert_eq!(offset("-2h"), Some(-7_200));
        for wrong in ["40d", "+d", "+4y", "+-4d", "", "+4é"] {
            assert_eq!(offset(wrong), None, "{wrong}");
        }
        let clock = parse("2030-01-01T00:00:00Z").unwrap();
        let start = Timestamp::parse_rfc3339("2030-01-01T00:00:00Z").unwrap();
        assert!((0..5).contains(&clock.now().seconds_since(start)));
    }
}
