//! Moments in the person's time zone, with the exact UTC time in the title, and the days left.

use domain::Timestamp;
use domain::time::DAY;
use leptos::prelude::*;

use super::{Markup, Tone};
use crate::viewer::Viewer;

/// Months between day and year, by their numbers.
#[cfg(feature = "ssr")]
const MONTHS: [&str; 13] = [
    "", " Jan ", " Feb ", " Mar ", " Apr ", " May ", " Jun ", " Jul ", " Aug ", " Sep ", " Oct ",
    " Nov ", " Dec ",
];

/// A time zone, looked up once for all moments of a page.
#[derive(Debug, Clone)]
pub struct Zone(#[cfg(feature = "ssr")] jiff::tz::TimeZone);

impl Zone {
    /// Universal time.
    pub const UTC: Self = Self(
        #[cfg(feature = "ssr")]
        jiff::tz::TimeZone::UTC,
    );

    /// The IANA zone `name`; UTC where it is unknown.
    #[cfg(feature = "ssr")]
    pub fn named(name: &str) -> Self {
        jiff::tz::TimeZone::get(name).map_or(Self::UTC, Self)
    }

    /// A moment in this zone: `22 Nov 2026, 09:30`. In the browser nothing is formatted: pages come
    /// from the server.
    pub fn local(&self, at: Timestamp) -> String {
        #[cfg(feature = "ssr")]
        if let Some(there) = self.civil(at) {
            return format!("{}, {:02}:{:02}", day_of(there), there.hour(), there.minute());
        }
        at.rfc3339()
    }

    /// Its day: `22 Nov 2026`.
    pub fn day(&self, at: Timestamp) -> String {
        #[cfg(feature = "ssr")]
        if let Some(there) = self.civil(at) {
            return day_of(there);
        }
        at.rfc3339()
    }

    #[cfg(feature = "ssr")]
    fn civil(&self, at: Timestamp) -> Option<jiff::civil::DateTime> {
        jiff::Timestamp::from_second(at.0).ok().map(|moment| self.0.to_datetime(moment))
    }
}

#[cfg(feature = "ssr")]
fn day_of(there: jiff::civil::DateTime) -> String {
    let month = usize::try_from(there.month()).ok().and_then(|month| MONTHS.get(month));
    let [mut day, mut year] = [itoa::Buffer::new(), itoa::Buffer::new()];
    [day.format(there.day()), month.unwrap_or(&" "), year.format(there.year())].concat()
}

/// A moment.
#[component]
pub fn Time(
    /// The moment.
    at: Timestamp,
    /// Only the day.
    #[prop(optional)]
    day_only: bool,
) -> impl IntoView {
    let zone = Viewer::current().zone;
    let text = if day_only { zone.day(at) } else { zone.local(at) };
    let utc = at.rfc3339();
    let title = in_words(&utc);
    view! { <time datetime=utc title=title>{text}</time> }
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
        self.tags("<time datetime=\"").text(&utc).tags("\" title=\"");
        for word in words(&utc) {
            self.text(word);
        }
        self.tags("\">").text(&viewer.zone.day(at)).tags("</time> ");
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
        _ => [itoa::Buffer::new().format(days), " days left"].concat(),
    };
    (tone, text)
}

/// `2026-11-22T08:30:00Z` as people read it: `2026-11-22 08:30:00 UTC`.
pub fn in_words(utc: &str) -> String {
    words(utc).concat()
}

fn words(utc: &str) -> [&str; 4] {
    match utc.split_once('T') {
        Some((day, time)) => [day, " ", time.trim_end_matches('Z'), " UTC"],
        None => [utc, "", "", ""],
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use domain::Days;

    use super::*;

    #[test]
    fn times_are_shown_in_the_persons_zone() {
        let at = Timestamp::parse_rfc3339("2026-11-22T23:30:00Z").unwrap();
        assert_eq!(Zone::named("Europe/Berlin").local(at), "23 Nov 2026, 00:30");
        assert_eq!(Zone::named("No/Where").day(at), "22 Nov 2026");
        assert_eq!(in_words(&at.rfc3339()), "2026-11-22 23:30:00 UTC");
        let all = (0..12).map(|month| Zone::UTC.day(Timestamp(month * 31 * DAY)));
        assert_eq!(
            all.collect::<Vec<String>>().join(", "),
            "1 Jan 1970, 1 Feb 1970, 4 Mar 1970, 4 Apr 1970, 5 May 1970, 5 Jun 1970, 6 Jul 1970, 6 Aug 1970, \
             6 Sep 1970, 7 Oct 1970, 7 Nov 1970, 8 Dec 1970"
        );
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
