//! What the page shows, and saving it.

use std::collections::BTreeMap;

use domain::Timestamp;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::fault::PortalError;

/// The preferences as the page shows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreferencesView {
    /// Travels with the form, so that a stale one is noticed.
    pub version: i64,
    /// Key → value, as the command line spells them.
    pub values: BTreeMap<String, String>,
    /// Key → label.
    pub labels: BTreeMap<String, String>,
    /// Codes and labels of "Approval Steps".
    pub approval_steps: Vec<(String, String)>,
    /// The last change: when, and by whom.
    pub changed: Option<(Timestamp, Option<String>)>,
    /// Whether this person changes them.
    pub may_change: bool,
}

impl PreferencesView {
    /// The value of `key`.
    pub fn value(&self, key: &str) -> String {
        self.values.get(key).cloned().unwrap_or_default()
    }

    /// The label of `key`.
    pub fn label(&self, key: &str) -> String {
        self.labels.get(key).cloned().unwrap_or_default()
    }

    /// Whether the switch `key` is on.
    pub fn is_on(&self, key: &str) -> bool {
        self.value(key) == "on"
    }
}

/// The preferences; everybody who is signed in may see them.
#[server(prefix = "/api", endpoint = "preferences")]
pub async fn preferences() -> Result<PreferencesView, PortalError> {
    use lifecycle::settings::{Kind, SETTINGS, setting};

    use crate::desk::{Desk, May};

    let desk = Desk::open()?;
    let now = desk.lifecycle.settings().await?;
    let texts = |text: fn(&lifecycle::settings::Setting) -> &'static str| {
        SETTINGS.iter().map(|setting| (setting.key.to_owned(), text(setting).to_owned())).collect()
    };
    let approval_steps = match setting("approval_step").map(|setting| setting.kind) {
        Some(Kind::Choice(choices)) => {
            choices.iter().map(|(code, label)| ((*code).to_owned(), (*label).to_owned())).collect()
        }
        _ => Vec::new(),
    };
    let may_change = desk.may(May::Administer);
    let changed = match now.changed {
        Some((at, Some(user))) if may_change => {
            let account = desk.lifecycle.user(&desk.actor(), user).await.ok();
            Some((at, account.map(|account| account.user.name)))
        }
        Some((at, _)) => Some((at, None)),
        None => None,
    };
    Ok(PreferencesView {
        version: now.version,
        values: now.values.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect(),
        labels: texts(|setting| setting.label),
        approval_steps,
        changed,
        may_change,
    })
}

/// "Save Settings". `fields` is the whole form: each setting by its key, and `version`.
#[server(prefix = "/api", endpoint = "preferences/save")]
pub async fn save_preferences(
    #[server(flatten)] fields: BTreeMap<String, String>,
) -> Result<(), PortalError> {
    use lifecycle::settings::{Kind, PreferencesForm, SETTINGS};

    use crate::desk::{Desk, May};
    use crate::{browser, paths};

    let desk = Desk::require(May::Administer)?;
    let unreadable = || {
        PortalError::Unreadable(
            "The form could not be read. Reload the page and send it again.".to_owned(),
        )
    };
    let version =
        fields.get("version").and_then(|text| text.parse().ok()).ok_or_else(unreadable)?;
    let entered = SETTINGS.iter().filter_map(|setting| {
        let value = match (fields.get(setting.key), setting.kind) {
            (Some(value), _) => value.clone(),
            // A box that is not ticked is not sent.
            (None, Kind::Switch) => "off".to_owned(),
            (None, _) => return None,
        };
        Some((setting.key.to_owned(), value))
    });
    let form = PreferencesForm { version, values: entered.collect() };
    desk.lifecycle.save_preferences(&desk.actor(), form).await?;
    browser::flash("Settings saved.");
    browser::redirect(&paths::preferences());
    Ok(())
}
