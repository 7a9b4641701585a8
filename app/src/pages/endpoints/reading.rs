//! (ssr) Between the URL, the lifecycle and the views of endpoints.

use domain::model::{AutoRenew, CertificateStatus, EndpointStatus};
use domain::rules::OfferedAction;
use domain::{Days, EndpointId, NameSet, ProfileId, Timestamp};
use lifecycle::automation::{
    AgentRecord, EndpointFilter, EndpointKey, EndpointRecord, EndpointSort, EventRecord, Offered,
    ProfileView, Served,
};

use super::api::{EndpointRow, EndpointView, FailedTry, GoneView, SORTS, ServedView};
use super::bulk_api::BulkAct;
use super::{NEEDS_ACTION, address};
use crate::desk::{Desk, May};
use crate::fault::PortalError;
use crate::kit::{Cursor, Listing};
use crate::pages::activity::api::reading as activity;
use crate::pages::paged::Paged;
use crate::paths;

/// Rows of one page of an export.
const EXPORT_PAGE: u16 = 500;

pub(crate) fn listing(query: &str) -> Listing {
    Listing::read(paths::ENDPOINTS, query, &SORTS)
}

fn sort(listing: &Listing) -> EndpointSort {
    match listing.sort.key.as_str() {
        "name" => EndpointSort::CommonName,
        "expires" => EndpointSort::Expires,
        _ => EndpointSort::Address,
    }
}

/// The filter; none where it can't match anything, as an agent that is not there.
pub(crate) fn filter(
    listing: &Listing,
    agent: Option<&AgentRecord>,
    now: Timestamp,
) -> Option<EndpointFilter> {
    if listing.filter("agent").is_some() && agent.is_none() {
        return None;
    }
    let within = listing.query.read::<i64>("expires").map(Days);
    Some(EndpointFilter {
        ids: Vec::new(),
        status: listing.query.read("status"),
        needs_action: listing.filter("status") == Some(NEEDS_ACTION),
        agent: agent.map(AgentRecord::agent_id),
        issuer: listing.query.read("issuer"),
        // As in the list of orders: whole days as the column shows them, and nothing that is over.
        ends_from: within.map(|_| now),
        ends_until: within.map(|days| now.last_with_days_left(days)),
        text: listing.filter("text").map(str::to_owned),
        ..EndpointFilter::default()
    })
}

/// The agent that the list is narrowed to, by its number or a name.
pub(crate) async fn agent(
    desk: &Desk,
    listing: &Listing,
) -> Result<Option<AgentRecord>, PortalError> {
    match listing.filter("agent") {
        Some(typed) => Ok(desk.lifecycle.agent_meant(&desk.actor(), typed).await?),
        None => Ok(None),
    }
}

/// A place in the list as it travels in links.
fn cursor(key: EndpointKey) -> String {
    format!("{}.{}", key.id, key.value)
}

fn place(text: &str) -> Option<EndpointKey> {
    let (id, value) = text.split_once('.')?;
    Some(EndpointKey { value: value.to_owned(), id: id.parse().ok()? })
}

/// The page that the URL asks for, backwards too.
pub(crate) async fn page(
    desk: &Desk,
    listing: &Listing,
    filter: EndpointFilter,
) -> Result<Paged<EndpointRow>, PortalError> {
    let (sort, descending) = (sort(listing), listing.sort.descending);
    let (from, backwards) = match &listing.cursor {
        Cursor::First => (None, false),
        Cursor::After(text) => (place(text), false),
        Cursor::Before(text) => (place(text), true),
    };
    let backwards = backwards && from.is_some();
    let begun = from.is_some();
    let found = desk
        .lifecycle
        .endpoints(&desk.actor(), filter, sort, descending != backwards, from, listing.size)
        .await?;
    let more = found.next.is_some();
    let mut records = found.rows;
    if backwards {
        records.reverse();
    }
    let (before, after) = if backwards { (more, true) } else { (begun, more) };
    let mark = |record: Option<&EndpointRecord>| record.map(|record| cursor(sort.key(record)));
    let previous = if before { mark(records.first()) } else { None };
    let next = if after { mark(records.last()) } else { None };
    Ok(Paged { rows: rows(desk, records).await?, previous, next })
}

/// Every row of what the filter shows, up to `most`, with what has become of its certificate.
pub(crate) async fn all(
    desk: &Desk,
    listing: &Listing,
    most: usize,
) -> Result<Vec<(EndpointRecord, Option<CertificateStatus>)>, PortalError> {
    let mut records = Vec::new();
    let mut from = None;
    let agent = agent(desk, listing).await?;
    let Some(wanted) = filter(listing, agent.as_ref(), desk.now) else { return Ok(records) };
    loop {
        let (filter, sort) = (wanted.clone(), sort(listing));
        let page = desk
            .lifecycle
            .endpoints(&desk.actor(), filter, sort, listing.sort.descending, from, EXPORT_PAGE)
            .await?;
        let offers = desk.lifecycle.offers(&desk.actor(), &page.rows).await?;
        let certificates = offers.into_iter().map(|offered| offered.certificate);
        records.extend(page.rows.into_iter().zip(certificates));
        from = page.next;
        if from.is_none() || records.len() >= most {
            records.truncate(most);
            return Ok(records);
        }
    }
}

/// The endpoints with these ids, at most as many as a bulk request takes.
pub(crate) async fn selected(
    desk: &Desk,
    mut ids: Vec<EndpointId>,
) -> Result<Vec<EndpointRow>, PortalError> {
    ids.truncate(domain::rules::automation::MAX_BULK);
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let filter = EndpointFilter { ids, ..EndpointFilter::default() };
    let page = desk
        .lifecycle
        .endpoints(&desk.actor(), filter, EndpointSort::Address, false, None, EXPORT_PAGE)
        .await?;
    rows(desk, page.rows).await
}

/// The endpoints that a bulk action fits, and the others with why not.
pub(crate) fn sorted_out(
    act: BulkAct,
    rows: Vec<EndpointRow>,
) -> (Vec<EndpointRow>, Vec<(EndpointRow, String)>) {
    let (mut fits, mut left_out) = (Vec::new(), Vec::new());
    for row in rows {
        match misfit(act, &row) {
            None => fits.push(row),
            Some(why) => left_out.push((row, why)),
        }
    }
    (fits, left_out)
}

fn misfit(act: BulkAct, row: &EndpointRow) -> Option<String> {
    let Some(action) = act.action().map(OfferedAction::Act) else {
        let off = act == BulkAct::AutoRenewOff && row.auto_renew.is_none();
        return off.then(|| "Auto-renew is off already.".to_owned());
    };
    if row.offer.next == Some(action) || row.offer.others.contains(&action) {
        return None;
    }
    let cancel = OfferedAction::Cancel;
    let busy = row.offer.next == Some(cancel) || row.status == EndpointStatus::InProgress;
    Some(if busy {
        format!("Another event is under way: {}.", row.status.label())
    } else {
        "It does not fit the certificate that the endpoint serves now.".to_owned()
    })
}

/// Records with what is offered for them.
pub(crate) async fn rows(
    desk: &Desk,
    records: Vec<EndpointRecord>,
) -> Result<Vec<EndpointRow>, PortalError> {
    let offers = desk.lifecycle.offers(&desk.actor(), &records).await?;
    Ok(records.into_iter().zip(offers).map(|(record, offered)| row(record, offered)).collect())
}

fn row(record: EndpointRecord, Offered { offer, certificate, behind }: Offered) -> EndpointRow {
    let served = record.served.as_ref();
    let common_name = served.and_then(|served| served.name()).cloned();
    EndpointRow {
        id: record.id,
        address: address(&record.ip, record.port),
        sans: served.map_or(0, |served| {
            served.names.iter().filter(|name| Some(*name) != common_name.as_ref()).count()
        }),
        common_name: common_name.map(|name| name.to_string()),
        issuer_name: served.map(|served| served.issuer.clone()),
        expires: served.map(|served| served.not_after),
        certificate: certificate.filter(|_| served.is_some()),
        server_name: record.server_name,
        alias: record.alias,
        host: record.agent_name,
        software: record.software,
        issuer: record.issuer_kind,
        order: record.order,
        status: record.status,
        behind,
        cause: record.cause,
        auto_renew: record.auto_renew,
        auto_replace: record.auto_replace,
        next_auto_renew_at: record.next_auto_renew_at,
        event: record.current_event,
        offer,
    }
}

/// One endpoint with its history.
pub(crate) async fn view(desk: &Desk, id: EndpointId) -> Result<EndpointView, PortalError> {
    let detail = desk.lifecycle.endpoint_detail(&desk.actor(), id).await?;
    let brand = desk.brand().await?;
    let offer =
        desk.lifecycle.offers(&desk.actor(), std::slice::from_ref(&detail.endpoint)).await?.pop();
    let profiles = desk.lifecycle.profiles(&desk.actor()).await?;
    let newest = detail
        .events
        .first()
        .map(|event| (activity::row(event.clone(), &brand), activity::stages(event)));
    let endpoint = detail.endpoint;
    Ok(EndpointView {
        served: endpoint.served.as_ref().map(served),
        last_probe_at: endpoint.last_probe_at,
        probe_error: endpoint.probe_error.clone(),
        manual_reason: endpoint.manual_reason.clone(),
        solution: endpoint.solution.clone(),
        gone: detail.gone.map(|gone| GoneView {
            since: gone.since,
            cause: gone.cause.to_owned(),
            solution: gone.solution.to_owned(),
        }),
        failed_try: detail.events.first().and_then(failed_try),
        agent_seen_at: endpoint.agent_seen_at,
        auto_renew_names: endpoint
            .auto_renew_names
            .iter()
            .flat_map(NameSet::iter)
            .map(ToString::to_string)
            .collect(),
        profile: endpoint.profile.or_else(|| default_profile(&profiles)),
        newest,
        events: detail.events.into_iter().map(|event| activity::row(event, &brand)).collect(),
        brand,
        profiles: profiles.into_iter().map(|view| (view.profile.id.0, view.profile.name)).collect(),
        may_automate: desk.may(May::Automate),
        time_zone: desk.person.user.time_zone.clone(),
        row: row(endpoint, offer.ok_or(PortalError::Failed)?),
    })
}

fn failed_try(event: &EventRecord) -> Option<FailedTry> {
    Some(FailedTry {
        number: event.attempt,
        cause: event.cause.clone()?,
        solution: event.solution.clone(),
        next_at: event.next_attempt_at?,
    })
}

fn default_profile(profiles: &[ProfileView]) -> Option<ProfileId> {
    profiles.iter().find(|view| view.profile.is_default).map(|view| view.profile.id)
}

fn served(served: &Served) -> ServedView {
    ServedView {
        chain_pem: served.chain_pem.clone(),
        serial: served.serial.to_string(),
        names: served.names.iter().map(ToString::to_string).collect(),
        not_before: served.not_before,
        not_after: served.not_after,
    }
}

/// Auto-renew settings as forms send them: `30`, `02:00`, `Europe/Berlin`.
pub(crate) fn read_renew(days: &str, time: &str, zone: &str) -> Result<AutoRenew, PortalError> {
    let days_before = days.trim().parse().map(Days).map_err(|_| {
        PortalError::field("days_before", "Enter a whole number of days before expiry, such as 30.")
    })?;
    let minute = time.split_once(':').and_then(|(hours, minutes)| {
        let (hours, minutes): (u16, u16) =
            (hours.trim().parse().ok()?, minutes.trim().parse().ok()?);
        (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
    });
    let minute_of_day = minute.ok_or_else(|| {
        PortalError::field("renew_time", "Enter a time of day from 00:00 to 23:59.")
    })?;
    let time_zone = zone.trim().to_owned();
    if jiff::tz::TimeZone::get(&time_zone).is_err() {
        return Err(PortalError::field(
            "time_zone",
            "This time zone is not known. Enter one such as Europe/Berlin or UTC.",
        ));
    }
    Ok(AutoRenew { days_before, minute_of_day, time_zone })
}

/// Switches auto-renew, with refusals at the fields of the form.
pub(crate) async fn automated(
    desk: &Desk,
    endpoints: Vec<EndpointId>,
    profile: Option<ProfileId>,
    renew: Option<AutoRenew>,
    auto_replace: bool,
) -> Result<(), PortalError> {
    Ok(desk
        .lifecycle
        .set_auto_renew(&desk.actor(), endpoints, profile, renew, auto_replace)
        .await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_as_it_was_written() {
        for value in ["www.example.com", "4c0000207-443", "1795336200"] {
            let key = EndpointKey { value: value.to_owned(), id: 7 };
            assert_eq!(place(&cursor(key.clone())), Some(key));
        }
        assert_eq!(place("seven"), None);
    }

    /// As `orders/list/read.rs` has it.
    #[test]
    fn what_expires_within_some_days_shows_at_most_these_and_has_not_expired() {
        let now = Timestamp(1_795_336_200);
        let within = filter(&listing("expires=7"), None, now).unwrap();
        let (from, until) = (within.ends_from.unwrap(), within.ends_until.unwrap());
        assert_eq!((from.days_left(now), from.plus_seconds(-1).days_left(now)), (0, -1));
        assert_eq!((until.days_left(now), until.plus_seconds(1).days_left(now)), (7, 8));
        let all = filter(&listing(""), None, now).unwrap();
        assert_eq!((all.ends_from, all.ends_until), (None, None));
    }

    #[test]
    fn auto_renew_settings_are_read_or_refused_at_their_field() {
        let renew = read_renew(" 30 ", "02:05", "Europe/Berlin").unwrap();
        assert_eq!((renew.days_before, renew.minute_of_day), (Days(30), 125));
        for (days, time, zone, field) in [
            ("x", "02:00", "UTC", "days_before"),
            ("3", "25:00", "UTC", "renew_time"),
            ("3", "2:00", "Moon", "time_zone"),
        ] {
            assert!(read_renew(days, time, zone).unwrap_err().of_field(field).is_some(), "{field}");
        }
    }
}
