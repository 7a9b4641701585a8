//! (ssr) What was filled in so far: between the query of the page and the lifecycle's form.

use domain::model::EndpointAction;
use domain::rules::keep_chosen_order;
use domain::{DnsName, EndpointId, Name, NameSet, OrderNumber, ProfileId};
use lifecycle::automation::{Install, Obtain, ScheduleForm};

use crate::fault::PortalError;
use crate::pages::endpoints::reading::read_renew;
use crate::pages::names::at_names;
use crate::query::Query;

/// The longest query that is read, in bytes: with letters and digits alone as much as all its fields
/// take. Written with `%` other letters are up to nine times as long; [`onward`] then says at which field
/// it is too much. The listener takes as much (`serve.rs`).
const LONGEST: usize = 49_152;

/// Reads the query that a form carries along.
pub(crate) fn read(state: &str) -> Result<Query, PortalError> {
    if state.len() > LONGEST {
        return Err(PortalError::Unreadable(
            "That is too much for one request. Take names out and try again.".to_owned(),
        ));
    }
    Ok(Query::parse(state))
}

/// The query as text, for the form's hidden field.
pub(crate) fn write(query: &Query) -> String {
    query.href("").trim_start_matches('?').to_owned()
}

/// The next page, with what was filled in; refused at `field`, where most was typed, if that page would
/// not read it.
pub(crate) fn onward(query: &Query, path: &str, field: &str) -> Result<String, PortalError> {
    let state = write(query);
    if state.len() <= LONGEST {
        return Ok(query.href(path));
    }
    let over = state.len() - LONGEST;
    Err(PortalError::field(
        field,
        format!(
            "With all that was filled in so far this is {over} bytes more than one request takes. \
             Shorten it; letters outside of A to Z count several times."
        ),
    ))
}

/// What was chosen in the *Action* column.
pub(crate) fn action(query: &Query) -> EndpointAction {
    query.read("action").unwrap_or(EndpointAction::Request)
}

/// The chosen profile.
pub(crate) fn profile(query: &Query) -> Option<ProfileId> {
    query.read("profile")
}

/// The chosen order, unless the profile was changed since (rule D9's last sentence).
pub(crate) fn order(query: &Query) -> Option<OrderNumber> {
    keep_chosen_order(query.read("order"), query.read("order_profile")?, profile(query)?)
}

/// Whether a duplicate was chosen.
pub(crate) fn wants_duplicate(query: &Query) -> bool {
    query.get("obtain") == Some("duplicate")
}

/// Names separated by commas, spaces or lines, with faults at `field`.
pub(crate) fn names(field: &str, text: &str) -> Result<NameSet, PortalError> {
    NameSet::parse_dns_list(text).map_err(|error| PortalError::field(field, error.to_string()))
}

/// A single name; none where nothing was typed.
pub(crate) fn name(field: &str, text: &str) -> Result<Option<Name>, PortalError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    DnsName::parse(text)
        .map(|name| Some(name.into()))
        .map_err(|error| PortalError::field(field, error.to_string()))
}

/// Refuses a field whose word is none of `words`: a cut or mistyped link must not mean something else.
/// A page that has not been filled in yet has none.
fn check_word(query: &Query, field: &str, words: [&str; 2]) -> Result<(), PortalError> {
    match query.get(field) {
        Some(word) if words.contains(&word) => Ok(()),
        None if !query.has(field) => Ok(()),
        _ => Err(PortalError::field(field, "Choose one of the two ways again.")),
    }
}

fn obtain(query: &Query) -> Result<Obtain, PortalError> {
    check_word(query, "obtain", ["new", "duplicate"])?;
    let text = |name| query.get(name).unwrap_or_default();
    if wants_duplicate(query) {
        let order = order(query)
            .ok_or_else(|| PortalError::field("order", "Choose the order to duplicate."))?;
        return Ok(Obtain::Duplicate {
            order,
            extra_names: names("extra_names", text("extra_names"))?,
        });
    }
    Ok(Obtain::New {
        common_name: name("common_name", text("common_name"))?,
        names: names("sans", text("sans"))?,
    })
}

/// When to install.
fn install(query: &Query) -> Result<Install, PortalError> {
    check_word(query, "install", ["now", "at"])?;
    let text = |name| query.get(name).unwrap_or_default().to_owned();
    if query.get("install") != Some("at") {
        return Ok(Install::Now);
    }
    Ok(Install::At { date: text("date"), time: text("time"), time_zone: text("time_zone") })
}

/// E-mail addresses separated by commas, spaces or lines.
pub(crate) fn emails(text: &str) -> Vec<String> {
    let pieces = text.split([',', ';', ' ', '\n', '\r', '\t']).filter(|piece| !piece.is_empty());
    pieces.map(str::to_owned).collect()
}

/// All that was filled in. `key` makes a form that is sent twice one event.
pub(crate) fn form(
    endpoint: EndpointId,
    query: &Query,
    key: String,
) -> Result<ScheduleForm, PortalError> {
    let text = |name| query.get(name).unwrap_or_default();
    let auto_renew = match query.get("auto_renew") {
        Some("on") => Some(read_renew(text("days_before"), text("renew_time"), text("time_zone"))?),
        _ => None,
    };
    Ok(ScheduleForm {
        endpoint,
        action: action(query),
        profile: profile(query)
            .ok_or_else(|| PortalError::field("profile", "Choose an automation profile."))?,
        obtain: obtain(query)?,
        install: install(query)?,
        auto_renew,
        auto_replace: query.get("auto_replace") == Some("on"),
        emails: emails(text("emails")),
        note: query.get("note").map(str::to_owned),
        idempotency_key: key,
    })
}

/// A refusal of what was filled in at the field that it is about.
pub(crate) fn at_field(error: PortalError, query: &Query) -> PortalError {
    let text = |name| query.get(name).unwrap_or_default();
    at_schedule(at_names(error, &[("common_name", text("common_name")), ("sans", text("sans"))]))
}

/// A refusal of the schedule, the order or its names at the field that it is about.
pub(crate) fn at_schedule(error: PortalError) -> PortalError {
    let PortalError::Refused { rule, code, message } = &error else { return error };
    let field = match (rule.as_str(), code.as_str()) {
        ("schedule", "bad_date" | "time_past" | "time_too_far") => "date",
        ("schedule", "bad_time" | "time_skipped") => "time",
        ("schedule", "unknown_time_zone") => "time_zone",
        ("D6", _) => "extra_names",
        ("D9" | "D10", _) => "order",
        _ => return error,
    };
    PortalError::field(field, message.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d9_changing_the_profile_clears_the_chosen_order() {
        let query = Query::parse("profile=1&order=12345&order_profile=1");
        assert_eq!(order(&query), Some(OrderNumber(12345)));
        assert_eq!(order(&query.with("profile", 2)), None);
    }

    #[test]
    fn a_query_becomes_a_form() {
        let query = Query::parse(
            "action=renew&profile=3&obtain=duplicate&order=7&order_profile=3&install=at&date=2026-12-01&time=02:00\
             &time_zone=UTC&auto_renew=on&days_before=20&renew_time=03:30&emails=a@x.test,+b@x.test",
        );
        let form = form(EndpointId(9), &query, "k".to_owned()).unwrap();
        assert_eq!(
            form.obtain,
            Obtain::Duplicate { order: OrderNumber(7), extra_names: NameSet::default() }
        );
        assert_eq!(form.auto_renew.map(|renew| renew.minute_of_day), Some(210));
        assert_eq!(form.emails, ["a@x.test", "b@x.test"]);
        assert!(matches!(form.install, Install::At { date, .. } if date == "2026-12-01"));
    }

    #[test]
    fn ways_go_by_their_own_words_only() {
        let read = |text: &str| form(EndpointId(9), &Query::parse(text), "k".to_owned());
        let way = "profile=1&common_name=www.example.com";
        for fine in ["", "&install=now", "&install=at", "&obtain=new"] {
            assert!(read(&format!("{way}{fine}")).is_ok(), "{fine}");
        }
        for (field, word) in
            [("install", ""), ("install", "At"), ("obtain", ""), ("obtain", "Duplicate")]
        {
            let refused = read(&format!("{way}&{field}={word}")).unwrap_err();
            assert!(refused.of_field(field).is_some(), "{field}={word}");
        }
    }

    #[test]
    fn what_the_next_page_would_not_read_is_refused_at_its_field() {
        let note = |length| Query::default().with("note", "\u{754c}".repeat(length));
        let fits = onward(&note(2_000), "/next", "note").unwrap();
        assert!(read(fits.split_once('?').unwrap().1).is_ok());
        let sans = (0..250).map(|place| format!("{place:03}{}", "x".repeat(62)));
        let sans = sans.collect::<Vec<_>>().join("\r\n");
        let all = note(2_000).with("sans", sans);
        assert!(onward(&all, "/next", "note").is_ok(), "250 names and the longest note fit");
        let long = onward(&note(6_000), "/next", "note").unwrap_err();
        assert!(
            long.of_field("note").is_some_and(|words| words.contains("Shorten it")),
            "{long:?}"
        );
        assert!(read(&write(&note(6_000))).is_err());
    }

    #[test]
    fn faults_stand_at_their_fields() {
        let missing =
            form(EndpointId(9), &Query::parse("profile=1&obtain=duplicate"), String::new())
                .unwrap_err();
        assert!(missing.of_field("order").is_some());
        let bad = form(EndpointId(9), &Query::parse("profile=1&common_name=a_b..c"), String::new())
            .unwrap_err();
        assert!(bad.of_field("common_name").is_some());
        let past = domain::Refusal::new("schedule", "time_past", "It has passed.");
        assert_eq!(at_schedule(past.into()).of_field("date"), Some("It has passed."));
    }
}
