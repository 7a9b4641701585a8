//! "Auto-renew and install certificate": its fields, for one endpoint, for many and for profiles.

use domain::model::AutoRenew;
use leptos::prelude::*;

use crate::kit::TextField;

/// What auto-renew fields show at first.
#[derive(Debug, Clone)]
pub(crate) struct RenewDefaults {
    /// Days before expiry.
    pub days: String,
    /// Time of day, `02:00`.
    pub time: String,
    /// IANA time zone.
    pub zone: String,
}

impl RenewDefaults {
    /// The settings given, else the standard ones in the person's time zone.
    pub(crate) fn of(renew: Option<&AutoRenew>, zone: &str) -> Self {
        match renew {
            Some(renew) => Self {
                days: renew.days_before.0.to_string(),
                time: clock(renew.minute_of_day),
                zone: renew.time_zone.clone(),
            },
            None => Self { days: "30".to_owned(), time: "02:00".to_owned(), zone: zone.to_owned() },
        }
    }
}

/// `02:05` for the 125th minute of the day.
pub(crate) fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// Days, time of day and, unless it stands elsewhere in the form, the time zone.
pub(crate) fn renew_fields(defaults: RenewDefaults, with_zone: bool) -> AnyView {
    let RenewDefaults { days, time, zone } = defaults;
    view! {
        <div class="row">
            <TextField name="days_before" label="Days before expiry" value=days kind="number" min="1"/>
            <TextField name="renew_time" label="Time of day" value=time kind="time"/>
            {with_zone.then(|| view! { <ZoneField zone=zone/> })}
        </div>
    }
    .into_any()
}

/// A field for a time zone, with the usual ones suggested.
#[component]
pub(crate) fn ZoneField(
    /// The zone at first.
    zone: String,
) -> impl IntoView {
    const USUAL: [&str; 22] = [
        "UTC",
        "Europe/London",
        "Europe/Berlin",
        "Europe/Paris",
        "Europe/Madrid",
        "Europe/Rome",
        "Europe/Warsaw",
        "Europe/Athens",
        "Europe/Helsinki",
        "Africa/Johannesburg",
        "America/New_York",
        "America/Chicago",
        "America/Denver",
        "America/Los_Angeles",
        "America/Sao_Paulo",
        "Asia/Dubai",
        "Asia/Kolkata",
        "Asia/Shanghai",
        "Asia/Singapore",
        "Asia/Tokyo",
        "Australia/Sydney",
        "Pacific/Auckland",
    ];
    view! {
        <TextField name="time_zone" label="Time zone" value=zone list="time-zones" maxlength=64/>
        <datalist id="time-zones">{USUAL.map(|zone| view! { <option value=zone></option> }).into_iter().collect_view()}</datalist>
    }
}
