//! Entries of the audit log as the page shows them.

use domain::Timestamp;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::fault::PortalError;
use crate::pages::paged::Paged;

/// Keys that the list is sorted by.
pub const SORTS: [&str; 1] = ["-at"];

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditLine {
    /// Its id.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// The kind of actor, in words.
    pub actor_kind: String,
    /// Who.
    pub actor: String,
    /// Where from.
    pub address: Option<String>,
    /// What was done.
    pub action: String,
    /// On what.
    pub resource: String,
    /// The act in a sentence.
    pub description: String,
    /// One line for each value that changed: what, old, new.
    pub changes: Vec<(String, String, String)>,
    /// Its place in the chain.
    pub position: Option<i64>,
}

/// What a check of the chain found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChainView {
    /// Nothing was changed, removed or inserted.
    Intact {
        /// Sealed entries.
        sealed: i64,
        /// Newer ones that wait for their seal.
        waiting: i64,
    },
    /// Something was.
    Broken {
        /// Where.
        position: i64,
        /// The entry there.
        entry: Option<i64>,
    },
}

#[cfg(feature = "ssr")]
mod reading {
    use domain::Timestamp;
    use lifecycle::audit::{AuditFilter, AuditRow};
    use serde_json::Value;

    use super::{AuditLine, SORTS};
    use crate::kit::Listing;
    use crate::paths;

    pub(crate) fn listing(query: &str) -> Listing {
        Listing::read(paths::AUDIT_LOG, query, &SORTS)
    }

    pub(crate) fn filter(listing: &Listing, zone: &str) -> AuditFilter {
        let text = |name: &str| listing.filter(name).map(ToOwned::to_owned);
        AuditFilter {
            actor: text("actor"),
            actor_kind: text("kind"),
            action: text("action"),
            resource_kind: text("resource"),
            resource_id: text("id"),
            since: listing.filter("since").and_then(|day| midnight(day, zone, 0)),
            until: listing.filter("until").and_then(|day| midnight(day, zone, 1)),
        }
    }

    /// The beginning of the day `later` days after `day` (`2026-11-22`), in the person's zone.
    fn midnight(day: &str, zone: &str, later: i64) -> Option<Timestamp> {
        let day: jiff::civil::Date = day.parse().ok()?;
        let day = day.checked_add(jiff::Span::new().try_days(later).ok()?).ok()?;
        let zone = jiff::tz::TimeZone::get(zone).unwrap_or(jiff::tz::TimeZone::UTC);
        Some(Timestamp(day.to_zoned(zone).ok()?.timestamp().as_second()))
    }

    pub(crate) fn kind_in_words(kind: &str) -> &str {
        match kind {
            "person" => "Person",
            "api_key" => "API key",
            "acme_account" => "ACME account",
            "worker" => "Automation",
            "operator" => "Command line",
            "visitor" => "Not signed in",
            other => other,
        }
    }

    impl From<AuditRow> for AuditLine {
        fn from(row: AuditRow) -> Self {
            let resource = match (row.resource_kind.as_str(), row.resource_id.as_str()) {
                (kind, "") => kind.to_owned(),
                (kind, id) => format!("{kind} {id}"),
            };
            Self {
                id: row.id,
                at: row.at,
                actor_kind: kind_in_words(&row.actor_kind).to_owned(),
                actor: row.actor_name,
                address: row.address,
                action: row.action,
                resource: resource.replace('_', " "),
                description: row.description,
                changes: changes(row.old.as_deref(), row.new.as_deref()),
                position: row.position,
            }
        }
    }

    /// Old and new values side by side where they differ: by key for objects, else whole.
    fn changes(old: Option<&str>, new: Option<&str>) -> Vec<(String, String, String)> {
        let mut lines = side_by_side(old, new);
        lines.retain(|(_, old, new)| old != new);
        lines
    }

    fn side_by_side(old: Option<&str>, new: Option<&str>) -> Vec<(String, String, String)> {
        let read = |text: Option<&str>| {
            text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null)
        };
        match (read(old), read(new)) {
            (Value::Null, Value::Null) => Vec::new(),
            (Value::Object(old), Value::Object(new)) => {
                let mut keys: Vec<&String> = old.keys().chain(new.keys()).collect();
                keys.sort();
                keys.dedup();
                let value = |map: &serde_json::Map<String, Value>, key: &str| {
                    shown(map.get(key).unwrap_or(&Value::Null))
                };
                keys.into_iter()
                    .map(|key| (words(key), value(&old, key), value(&new, key)))
                    .collect()
            }
            (Value::Null, Value::Object(new)) => {
                new.iter().map(|(key, value)| (words(key), String::new(), shown(value))).collect()
            }
            (old, new) => vec![(String::new(), shown(&old), shown(&new))],
        }
    }

    fn shown(value: &Value) -> String {
        match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            Value::Bool(true) => "yes".to_owned(),
            Value::Bool(false) => "no".to_owned(),
            Value::Array(all) => all.iter().map(shown).collect::<Vec<_>>().join(", "),
            other => other.to_string(),
        }
    }

    /// `common_name` as people write it.
    fn words(key: &str) -> String {
        key.replace('_', " ")
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn values_stand_side_by_side() {
            let lines = changes(
                Some(r#"{"a_b":"1","b":true,"c":null}"#),
                Some(r#"{"a_b":"2","b":true,"c":["x","y"]}"#),
            );
            let line =
                |key: &str, old: &str, new: &str| (key.to_owned(), old.to_owned(), new.to_owned());
            assert_eq!(lines, [line("a b", "1", "2"), line("c", "", "x, y")], "only what changed");
            assert_eq!(
                changes(Some("\"manager\""), Some("\"limited\"")),
                [line("", "manager", "limited")]
            );
            assert_eq!(changes(None, Some(r#"{"a":1}"#)), [line("a", "", "1")]);
            assert_eq!(changes(Some(r#"{"a":null}"#), Some("{}")), []);
            assert_eq!(changes(None, None), []);
        }

        #[test]
        fn days_begin_at_midnight_where_the_person_is() {
            let at = |zone, later| midnight("2026-11-22", zone, later).unwrap().rfc3339();
            assert_eq!(at("Europe/Berlin", 0), "2026-11-21T23:00:00Z");
            assert_eq!(at("UTC", 1), "2026-11-23T00:00:00Z");
            assert_eq!(midnight("9999-12-31", "UTC", 1), None);
            assert_eq!(midnight("yesterday", "UTC", 0), None);
        }
    }
}
#[cfg(feature = "ssr")]
pub(crate) use reading::{filter, kind_in_words, listing};

/// A page of the audit log.
#[server(prefix = "/api", endpoint = "audit/list")]
pub async fn audit_log(query: String) -> Result<Paged<AuditLine>, PortalError> {
    use crate::desk::{Desk, May};
    use crate::pages::paged::{page_of, paged};
    use lifecycle::lists::Key;

    let desk = Desk::require(May::Administer)?;
    let listing = listing(&query);
    let filter = filter(&listing, &desk.person.user.time_zone);
    let slice =
        desk.lifecycle.audit_page(&desk.actor(), filter, &page_of(&listing, (), true)).await?;
    Ok(paged(slice, |row| (Key::Number(row.id), row.id), AuditLine::from))
}

/// Computes the hash chain again.
#[server(prefix = "/api", endpoint = "audit/check")]
pub async fn check_chain() -> Result<ChainView, PortalError> {
    use crate::desk::{Desk, May};
    use lifecycle::audit::ChainCheck;

    let desk = Desk::require(May::Administer)?;
    Ok(match desk.lifecycle.verify_audit_chain().await? {
        ChainCheck::Intact { sealed, waiting } => ChainView::Intact { sealed, waiting },
        ChainCheck::Broken { position, entry } => ChainView::Broken { position, entry },
    })
}
