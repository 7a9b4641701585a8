//! The account's settings: Settings > Preferences and `certdeck settings`, with one registry of
//! keys, defaults and checks behind both (rule D5 with its switches, rule A9 with its windows).

use std::collections::BTreeMap;

use domain::model::{ApprovalStep, Preferences, Windows};
use domain::{Days, Timestamp, UserId};
use serde_json::Value;
use store::Tx;
use store::settings::SettingRow;

use crate::accounts::require_administrator;
use crate::audit::{self, AuditEntry};
use crate::{Actor, FieldFault, Lifecycle, LifecycleError, Result};

mod registry;

pub use registry::{Kind, SETTINGS, Setting, setting};

/// All settings at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsSnapshot {
    /// Grows with each change; a form carries it, so that a stale one is noticed.
    pub version: i64,
    /// Key → value, one for each of [`SETTINGS`].
    pub values: BTreeMap<&'static str, String>,
    /// The last change: when, and by whom; none for the operator's.
    pub changed: Option<(Timestamp, Option<UserId>)>,
    versions: BTreeMap<&'static str, i64>,
}

impl SettingsSnapshot {
    /// The value of `key`, in the spelling of the command line; empty for an unknown key.
    pub fn value(&self, key: &str) -> &str {
        self.values.get(key).map_or("", String::as_str)
    }

    /// Whether the switch `key` is on.
    pub fn is_on(&self, key: &str) -> bool {
        self.value(key) == "on"
    }

    /// The number of days of `key`.
    pub fn days(&self, key: &str) -> Days {
        Days(self.value(key).parse().unwrap_or_default())
    }

    /// The days of `key`, a list.
    pub fn day_list(&self, key: &str) -> Vec<Days> {
        self.value(key).split(',').filter_map(|day| day.parse().ok().map(Days)).collect()
    }

    /// What the rules look at.
    pub fn preferences(&self) -> Preferences {
        Preferences {
            approval_step: self.value("approval_step").parse().unwrap_or(ApprovalStep::OneStep),
            auto_approve_approvers: self.is_on("auto_approve_approvers"),
            duplicates_in_automation: self.is_on("duplicates_in_automation"),
            windows: Windows {
                certificate: self.days("certificate_renewal_window_days"),
                order: self.days("order_renewal_window_days"),
            },
        }
    }
}

/// The form of Settings > Preferences as it comes back.
#[derive(Debug, Clone, Default)]
pub struct PreferencesForm {
    /// [`SettingsSnapshot::version`] of what the person was shown.
    pub version: i64,
    /// Key → what was entered. Keys that are not given stay as they are.
    pub values: BTreeMap<String, String>,
}

/// The settings, inside a transaction.
pub async fn snapshot(tx: &mut Tx) -> Result<SettingsSnapshot> {
    let rows = tx.settings().await?;
    let row = |setting: &Setting| rows.iter().find(|row| row.key == setting.key);
    let mut changed: Option<&SettingRow> = None;
    let (mut values, mut versions) = (BTreeMap::new(), BTreeMap::new());
    for setting in SETTINGS {
        let found = row(setting);
        values.insert(
            setting.key,
            found
                .and_then(|row| stored_text(&row.value))
                .unwrap_or_else(|| setting.default.to_owned()),
        );
        versions.insert(setting.key, found.map_or(0, |row| row.version));
        if found.is_some_and(|row| changed.is_none_or(|last| row.updated_at > last.updated_at)) {
            changed = found;
        }
    }
    Ok(SettingsSnapshot {
        version: versions.values().sum(),
        values,
        changed: changed.map(|row| (Timestamp(row.updated_at), row.updated_by.map(UserId))),
        versions,
    })
}

/// What the rules look at, inside a transaction.
pub async fn preferences(tx: &mut Tx) -> Result<Preferences> {
    Ok(snapshot(tx).await?.preferences())
}

impl Lifecycle {
    /// All settings. Anybody who is signed in may see them.
    pub async fn settings(&self) -> Result<SettingsSnapshot> {
        snapshot(&mut self.store().reader().await?).await
    }

    /// What the rules look at.
    pub async fn preferences(&self) -> Result<Preferences> {
        Ok(self.settings().await?.preferences())
    }

    /// Saves the form; answers the settings as they are now.
    ///
    /// # Errors
    /// [`LifecycleError::Invalid`] naming each faulty field; [`LifecycleError::Conflict`] with the
    /// difference where somebody else saved meanwhile. Nothing is saved then.
    pub async fn save_preferences(
        &self,
        actor: &Actor,
        form: PreferencesForm,
    ) -> Result<SettingsSnapshot> {
        require_administrator(actor, "Changing the preferences")?;
        let entered = checked(&form.values)?;
        let (now, actor) = (self.clock().now(), actor.clone());
        self.store()
            .write(move |tx| {
                Box::pin(async move {
                    tx.lock("settings").await?;
                    let current = snapshot(tx).await?;
                    if current.version != form.version {
                        return Err(stale(&current, &entered));
                    }
                    put(tx, now, &actor, &current, &entered).await?;
                    snapshot(tx).await
                })
            })
            .await
    }

    /// The value of one setting, for the command line.
    pub async fn settings_get(&self, key: &str) -> Result<String> {
        let known = setting(key).ok_or_else(|| unknown_key(key))?;
        Ok(self.settings().await?.value(known.key).to_owned())
    }

    /// Changes one setting, for the command line.
    pub async fn settings_set(&self, actor: &Actor, key: &str, value: &str) -> Result<()> {
        require_administrator(actor, "Changing the settings")?;
        setting(key).ok_or_else(|| unknown_key(key))?;
        let entered = checked(&BTreeMap::from([(key.to_owned(), value.to_owned())]))?;
        let (now, actor) = (self.clock().now(), actor.clone());
        self.store()
            .write(move |tx| {
                Box::pin(async move {
                    tx.lock("settings").await?;
                    let current = snapshot(tx).await?;
                    put(tx, now, &actor, &current, &entered).await
                })
            })
            .await
    }
}

type Entered = BTreeMap<&'static str, String>;

/// The values in their canonical spelling, or every fault at once.
fn checked(values: &BTreeMap<String, String>) -> Result<Entered> {
    let (mut entered, mut faults) = (BTreeMap::new(), Vec::new());
    for (key, value) in values {
        let known = setting(key).ok_or_else(|| unknown_key(key))?;
        match known.check(value) {
            Ok(value) => _ = entered.insert(known.key, value),
            Err(message) => faults.push(FieldFault::new(known.key, message)),
        }
    }
    if faults.is_empty() { Ok(entered) } else { Err(LifecycleError::Invalid(faults)) }
}

/// Writes what differs, with one audit entry that holds the old and the new values.
async fn put(
    tx: &mut Tx,
    now: Timestamp,
    actor: &Actor,
    current: &SettingsSnapshot,
    entered: &Entered,
) -> Result<()> {
    let (mut old, mut new, mut words) =
        (serde_json::Map::new(), serde_json::Map::new(), Vec::new());
    let by = actor.person().map(|person| person.user.id);
    for (&key, value) in entered {
        let before = current.value(key);
        if before == value {
            continue;
        }
        let version = current.versions.get(key).copied().unwrap_or_default();
        if !tx.put_setting(key, &Value::from(value.as_str()).to_string(), version, now, by).await? {
            return Err(stale(current, entered));
        }
        old.insert(key.to_owned(), before.into());
        new.insert(key.to_owned(), value.as_str().into());
        words.push(difference(key, before, value));
    }
    if words.is_empty() {
        return Ok(());
    }
    let entry = AuditEntry::new("settings.changed", "settings", "preferences", words.join("; "))
        .changing(Value::Object(old), Value::Object(new));
    audit::record(tx, now, actor, entry).await
}

fn stale(current: &SettingsSnapshot, entered: &Entered) -> LifecycleError {
    let differences: Vec<String> = entered
        .iter()
        .filter(|(key, value)| current.value(key) != value.as_str())
        .map(|(key, value)| format!("{} (yours: {value})", difference(key, "", current.value(key))))
        .collect();
    let detail = if differences.is_empty() {
        "It is the same as what you entered: nothing is left to save.".to_owned()
    } else {
        format!(
            "Saved now, where it differs from yours: {}. Look at the values and save again.",
            differences.join("; ")
        )
    };
    LifecycleError::Conflict {
        message: format!(
            "Somebody else saved these settings while you had the form open. {detail}"
        ),
    }
}

fn difference(key: &str, before: &str, after: &str) -> String {
    let label = setting(key).map_or(key, |setting| setting.label);
    if before.is_empty() {
        format!("{label}: {after}")
    } else {
        format!("{label}: {before} → {after}")
    }
}

fn unknown_key(key: &str) -> LifecycleError {
    let keys: Vec<&str> = SETTINGS.iter().map(|setting| setting.key).collect();
    let shown: String = key.chars().take(60).collect();
    LifecycleError::field(
        "key",
        format!("There is no setting {shown:?}. There are: {}.", keys.join(", ")),
    )
}

/// Stored values are JSON strings; plain booleans and numbers are read as well.
fn stored_text(json: &str) -> Option<String> {
    match serde_json::from_str(json).ok()? {
        Value::String(text) => Some(text),
        Value::Bool(on) => Some(if on { "on" } else { "off" }.to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
