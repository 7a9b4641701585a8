//! Moments in the person's time zone, with the exact UTC time in the title, and the days left.

use domain::Timestamp;
use domain::time::DAY;
use leptos::prelude::*;

use super::{Markup, Tone};
use crate::viewer::Viewer;

/// A moment.
#[component]
pub fn Time(
    /// The moment.
    at: Timestamp,
    /// Only the day.
    #[prop(optional)]
    day_only: bool,
) -> impl IntoView {
    let zone = Viewer::current().time_zone;
    let text = local(at, &zone, day_only);
    view! { <time datetime=at.rfc3339() title=exact(at)>{text}</time> }
}

/// An end of validity, with the days left beside it.
#[component]
pub fn Expiry(
    /// The last second of validity.
    at: Timestamp,
) -> impl IntoView {
    let viewer = Viewer::current();
    let mut inside = Markup::default();
    inside.expiry(at, &viewer);
    view! { <span class="expiry" inner_html=inside.into_html()></span> }
}

impl Markup {
    /// What is inside of an [`Expiry()`], for `viewer`.
    pub fn expiry(&mut self, at: Timestamp, viewer: &Viewer) -> &mut Self {
        let (tone, text) = days_left(at, viewer.now);
        let utc = at.rfc3339();
        self.tags("<time datetime=\"").text(&utc).tags("\" title=\"").text(&spaced(&utc));
        self.tags("\">").text(&local(at, &viewer.time_zone, true)).tags("</time> ");
        self.tags("<span class=\"days ").tags(tone.class()).tags("\">").text(&text);
        self.tags("</span>")
    }
}

/// How many days are left, in words, and how that is.
pub fn days_left(at: Timestamp, now: Timestamp) -> (Tone, String) {
    let days = at.days_left(now);
    let tone = match days {
        ..=7 => Tone::Bad,
        8..=30 => Tone::Warning,
        _ => Tone::Neutral,
    };
    let text = match days {
        ..=-1 => match now.seconds_since(at) / DAY {
            0 => "expired".to_owned(),
            1 => "expired 1 day ago".to_owned(),
            days => format!("expired {days} days ago"),
        },
        0 => "less than a day left".to_owned(),
        1 => "1 day left".to_owned(),
        _ => format!("{days} days left"),
    };
    (tone, text)
}

fn exact(at: Timestamp) -> String {
    spaced(&at.rfc3339())
}

fn spaced(rfc3339: &str) -> String {
    rfc3339.replace('T', " ").replace('Z', " UTC")
}

/// `22 Nov 2026, 09:30` in the IANA zone `zone`; in UTC where the zone is unknown.
#[cfg(feature = "ssr")]
pub fn local(at: Timestamp, zone: &str, day_only: bool) -> String {
    let zone = jiff::tz::TimeZone::get(zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let format = if day_only { "%-d %b %Y" } else { "%-d %b %Y, %H:%M" };
    jiff::Timestamp::from_second(at.0)
        .map_or_else(|_| at.rfc3339(), |moment| moment.to_zoned(zone).strftime(format).to_string())
}

/// In the browser nothing is formatted: pages come from the server.
#[cfg(not(feature = "ssr"))]
pub fn local(at: Timestamp, _zone: &str, _day_only: bool) -> String {
    at.rfc3339()
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use domain::Days;

    use super::*;

    #[test]
    fn times_are_shown_in_the_persons_zone() {
        let at = Timestamp::parse_rfc3339("2026-11-22T23:30:00Z").unwrap();
        assert_eq!(local(at, "Europe/Berlin", false), "23 Nov 2026, 00:30");
        assert_eq!(local(at, "No/Where", true), "22 Nov 2026");
        assert_eq!(exact(at), "2026-11-22 23:30:00 UTC");
    }

    #[test]
    fn days_left_in_words() {
        let now = Timestamp(1_800_000_000);
        let words = |days| days_left(now.plus(Days(days)), now).1;
        assert_eq!(words(0), "less than a day left");
        assert_eq!(words(1), "1 day left");
        assert_eq!(words(32), "32 days left");
        assert_eq!(words(-3), "expired 3 days ago");
        assert_eq!(days_left(now.plus(Days(7)), now).0, Tone::Bad);
        assert_eq!(days_left(now.plus(Days(31)), now).0, Tone::Neutral);
    }
}
