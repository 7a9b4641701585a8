//! When automation acts: times that people gave as a date, a time of day and a time zone.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use crate::model::{AutoRenew, Certificate, EndpointStatus};
use crate::{Days, Refusal, Timestamp};

/// So far ahead something can be scheduled: beyond it hardly anything is as it was decided for.
const FARTHEST: Days = Days(366);

fn refuse(code: &'static str, message: String) -> Refusal {
    Refusal::new("schedule", code, message)
}

fn time_zone(name: &str) -> Result<TimeZone, Refusal> {
    TimeZone::get(name).map_err(|_| {
        let shown: String = name.chars().take(60).collect();
        refuse(
            "unknown_time_zone",
            format!("{shown:?} is not a known time zone. Choose one from the list, such as Europe/Berlin or UTC."),
        )
    })
}

/// The moment of `date` (`2026-11-22`) and `time` (`08:30`) in the IANA zone `zone`. Refuses the
/// past, what is more than a year ahead, and times that the clocks skip; of a time that they show
/// twice, the first is meant.
pub fn scheduled_at(
    date: &str,
    time: &str,
    zone: &str,
    now: Timestamp,
) -> Result<Timestamp, Refusal> {
    let zone_found = time_zone(zone)?;
    let date: Date = date.trim().parse().map_err(|_| {
        refuse(
            "bad_date",
            "The date can't be read. Enter it as year-month-day, such as 2026-11-22.".to_owned(),
        )
    })?;
    let time: Time = time.trim().parse().map_err(|_| {
        refuse(
            "bad_time",
            "The time can't be read. Enter hours and minutes, such as 08:30.".to_owned(),
        )
    })?;
    let ambiguous = zone_found.to_ambiguous_timestamp(date.to_datetime(time));
    if matches!(ambiguous.offset(), jiff::tz::AmbiguousOffset::Gap { .. }) {
        return Err(refuse(
            "time_skipped",
            format!(
                "There is no {time} on {date} in {zone}: the clocks are put forward then. Choose a time an hour later."
            ),
        ));
    }
    let moment = ambiguous.earlier().map(|moment| Timestamp(moment.as_second())).map_err(|_| {
        refuse("bad_date", "The date is too far away. Choose an earlier one.".to_owned())
    })?;
    if moment < now {
        return Err(refuse(
            "time_past",
            format!(
                "{date} {time} in {zone} has passed already. Choose a later time, or install as soon as it is issued."
            ),
        ));
    }
    if moment > now.plus(FARTHEST) {
        return Err(refuse(
            "time_too_far",
            format!("{date} is too far away. Choose a day within the next {} days.", FARTHEST.0),
        ));
    }
    Ok(moment)
}

/// When auto-renew acts on a certificate that ends at `not_after`: `days_before` days before the
/// day of its expiry in the person's time zone, at the given time of day. A time that the clocks
/// skip moves on by as much; a certificate that is overdue already gives a moment in the past.
pub fn auto_renew_at(not_after: Timestamp, settings: &AutoRenew) -> Result<Timestamp, Refusal> {
    let zone = time_zone(&settings.time_zone)?;
    let out_of_range = || {
        refuse(
            "auto_renew_out_of_range",
            "The auto-renew settings give no usable time. Set the days before expiry and the time of day again.".to_owned(),
        )
    };
    let expiry = jiff::Timestamp::from_second(not_after.0).map_err(|_| out_of_range())?;
    let minute = i8::try_from(settings.minute_of_day % 60).map_err(|_| out_of_range())?;
    let hour = i8::try_from(settings.minute_of_day / 60).map_err(|_| out_of_range())?;
    let time = Time::new(hour, minute, 0, 0).map_err(|_| out_of_range())?;
    let span = jiff::Span::new().try_days(settings.days_before.0).map_err(|_| out_of_range())?;
    let date =
        expiry.to_zoned(zone.clone()).date().checked_sub(span).map_err(|_| out_of_range())?;
    let moment = zone
        .to_ambiguous_timestamp(date.to_datetime(time))
        .compatible()
        .map_err(|_| out_of_range())?;
    Ok(Timestamp(moment.as_second()))
}

/// Whether a certificate is due for auto-renew as soon as it is issued: another one of its kind would
/// be so as well, and renewing would never end.
pub fn is_due_at_once(certificate: &Certificate, settings: &AutoRenew) -> Result<bool, Refusal> {
    Ok(auto_renew_at(certificate.not_after, settings)? <= certificate.not_before)
}

/// What auto-renew does next on an endpoint, for people: its switch alone doesn't say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AutoRenewOutlook {
    /// It is off.
    Off,
    /// It acts at this moment.
    At(Timestamp),
    /// An event of the endpoint is planned, waits or is worked on; it decides what comes then.
    UnderWay,
    /// No certificate is there yet: it begins with the first one.
    NotYet,
    /// It acted once for the certificate in place, and a person has to act now.
    Stopped,
}

/// What auto-renew does next. `next` is when it is due by the certificate in place; it acts once for
/// each certificate, so that a refusal or a failure is not asked for again every minute. `status` is the
/// one behind an agent's silence, where that is shown.
pub fn auto_renew_outlook(
    on: bool,
    next: Option<Timestamp>,
    serves: bool,
    status: EndpointStatus,
    now: Timestamp,
) -> AutoRenewOutlook {
    if !on {
        return AutoRenewOutlook::Off;
    }
    match (next, status) {
        (
            _,
            EndpointStatus::Scheduled
            | EndpointStatus::InProgress
            | EndpointStatus::ApprovalPending,
        ) => AutoRenewOutlook::UnderWay,
        (Some(next), _) if next > now => AutoRenewOutlook::At(next),
        (_, status) if status.needs_a_person() => AutoRenewOutlook::Stopped,
        _ if !serves => AutoRenewOutlook::NotYet,
        _ => AutoRenewOutlook::Stopped,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fixture::NOW;

    #[test]
    fn reads_a_local_time_and_refuses_the_past_and_the_gap() {
        let at = |date, time, zone| {
            scheduled_at(date, time, zone, NOW).map(Timestamp::rfc3339).map_err(|no| no.code)
        };
        assert_eq!(
            at("2026-12-01", "08:30", "Europe/Berlin"),
            Ok("2026-12-01T07:30:00Z".to_owned())
        );
        assert_eq!(
            at("2027-10-31", "02:30", "Europe/Berlin"),
            Ok("2027-10-31T00:30:00Z".to_owned()),
            "the first of two"
        );
        assert_eq!(at("2027-03-28", "02:30", "Europe/Berlin"), Err("time_skipped"));
        assert_eq!(at("2026-11-22", "07:59", "UTC"), Err("time_past"));
        assert_eq!(at("2026-11-22", "08:00", "UTC"), Ok("2026-11-22T08:00:00Z".to_owned()));
        assert_eq!(at("2027-11-23", "08:00", "UTC"), Ok("2027-11-23T08:00:00Z".to_owned()));
        assert_eq!(at("2027-11-23", "08:01", "UTC"), Err("time_too_far"));
        assert_eq!(at("9999-12-01", "08:00", "UTC"), Err("time_too_far"));
        assert_eq!(at("soon", "08:00", "UTC"), Err("bad_date"));
        assert_eq!(at("2026-12-01", "25:00", "UTC"), Err("bad_time"));
        assert_eq!(at("2026-12-01", "08:00", "Mars/Base"), Err("unknown_time_zone"));
    }

    #[test]
    fn what_is_due_at_once_is_renewed_without_end() {
        let certificate = crate::rules::fixture::standard(1, 199).certificates.remove(0);
        let due = |days| {
            let time_zone = "UTC".to_owned();
            let settings = AutoRenew { days_before: Days(days), minute_of_day: 120, time_zone };
            is_due_at_once(&certificate, &settings).unwrap()
        };
        assert!(!due(30) && !due(198) && due(199) && due(300));
    }

    #[test]
    fn auto_renew_says_what_it_does_next() {
        use AutoRenewOutlook::{At, NotYet, Off, Stopped, UnderWay};
        use EndpointStatus as Is;
        let (later, past) = (Timestamp(NOW.0 + 1), Some(NOW));
        let of = |next, serves, status| auto_renew_outlook(true, next, serves, status, NOW);
        assert_eq!(auto_renew_outlook(false, Some(later), true, Is::Renewed, NOW), Off);
        assert_eq!(of(Some(later), true, Is::Renewed), At(later));
        // A request of a person was denied; auto-renew has its own day.
        assert_eq!(of(Some(later), true, Is::ApprovalDenied), At(later));
        assert_eq!(of(past, true, Is::ApprovalPending), UnderWay);
        assert_eq!(of(Some(later), true, Is::AutoRenewScheduled), At(later));
        assert_eq!(of(Some(later), true, Is::AgentError), At(later), "silence is no event");
        assert_eq!(of(None, false, Is::Configured), NotYet);
        for status in [Is::ApprovalDenied, Is::InstallFailed, Is::ActionRequired] {
            assert_eq!(of(past, true, status), Stopped);
            assert_eq!(of(None, false, status), Stopped);
        }
        // Its event was canceled.
        assert_eq!(of(past, true, Is::AutoRenewScheduled), Stopped);
    }

    #[test]
    fn auto_renew_acts_days_before_at_the_time_of_day() {
        let settings = |days, minute_of_day, zone: &str| AutoRenew {
            days_before: Days(days),
            minute_of_day,
            time_zone: zone.to_owned(),
        };
        let expiry = Timestamp::parse_rfc3339("2027-04-30T22:30:00Z").unwrap();
        let at = |settings| {
            auto_renew_at(expiry, &settings).map(Timestamp::rfc3339).map_err(|no| no.code)
        };
        assert_eq!(at(settings(30, 120, "UTC")), Ok("2027-03-31T02:00:00Z".to_owned()));
        assert_eq!(at(settings(30, 120, "Europe/Berlin")), Ok("2027-04-01T00:00:00Z".to_owned()));
        assert_eq!(
            at(settings(34, 150, "Europe/Berlin")),
            Ok("2027-03-28T01:30:00Z".to_owned()),
            "moved out of the gap"
        );
        assert_eq!(at(settings(30, 0, "Nowhere")), Err("unknown_time_zone"));
        assert_eq!(at(settings(30, u16::MAX, "UTC")), Err("auto_renew_out_of_range"));
        assert_eq!(at(settings(i64::MAX, 0, "UTC")), Err("auto_renew_out_of_range"));
    }
}
