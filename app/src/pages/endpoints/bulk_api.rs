//! A bulk request's views and server functions.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::api::EndpointRow;
#[cfg(feature = "ssr")]
use crate::fault::FieldFault;
use crate::fault::PortalError;
use crate::pages::wizard::api::ProfilesView;

/// Rule D7 in the words of the screens.
pub(super) const NO_DUPLICATES: &str = "Automation issues no duplicate certificates in bulk (rule D7): every server's \
     duplicate is requested on its own endpoint.";

/// Neither on nor off.
#[cfg(feature = "ssr")]
const UNKNOWN_SWITCH: &str = "The form does not say whether auto-renew is to be on or off, so nothing was changed. Select \
     the endpoints in the list and choose \"Enable auto-renew\" or \"Disable auto-renew\".";

/// What is done with all selected endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum BulkAct {
    /// "Request a certificate".
    Request,
    /// "Renew".
    Renew,
    /// "Switch to …".
    Switch,
    /// "Enable auto-renew".
    AutoRenewOn,
    /// "Disable auto-renew".
    AutoRenewOff,
}

impl BulkAct {
    /// Reads the code in the URL.
    pub fn read(text: &str) -> Option<Self> {
        Some(match text {
            "request" => Self::Request,
            "renew" => Self::Renew,
            "switch" => Self::Switch,
            "auto_renew_on" => Self::AutoRenewOn,
            "auto_renew_off" => Self::AutoRenewOff,
            _ => return None,
        })
    }

    /// The action on each certificate, where there is one.
    pub const fn action(self) -> Option<domain::model::EndpointAction> {
        use domain::model::EndpointAction;
        match self {
            Self::Request => Some(EndpointAction::Request),
            Self::Renew => Some(EndpointAction::Renew),
            Self::Switch => Some(EndpointAction::Switch),
            Self::AutoRenewOn | Self::AutoRenewOff => None,
        }
    }
}

/// What the bulk page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkView {
    /// What is done.
    pub act: BulkAct,
    /// Its label.
    pub label: String,
    /// The endpoints that it is done to.
    pub fits: Vec<EndpointRow>,
    /// Those that it can't be done to, each with why.
    pub left_out: Vec<(EndpointRow, String)>,
    /// Profiles and defaults, of the first endpoint; none where no endpoint was selected.
    pub choice: Option<ProfilesView>,
    /// The page's key.
    pub key: String,
}

/// What would be done with the selected endpoints.
#[server(prefix = "/api", endpoint = "endpoints/bulk")]
pub async fn bulk(query: String) -> Result<BulkView, PortalError> {
    use super::reading;
    use crate::desk::{Desk, May};
    use crate::query::Query;

    let desk = Desk::require(May::Automate)?;
    let query = Query::parse(&query);
    let act = query.get("do").and_then(BulkAct::read);
    let act = act.ok_or_else(|| {
        PortalError::Unreadable(
            "Select endpoints in the list and choose what to do with them.".to_owned(),
        )
    })?;
    let ids: Vec<domain::EndpointId> = query.all("ids").filter_map(|id| id.parse().ok()).collect();
    let rows = reading::selected(&desk, ids).await?;
    let brand = desk.brand().await?;
    let choice = match rows.first() {
        Some(first) => {
            Some(crate::pages::wizard::api::profile_step(first.id.0, String::new()).await?)
        }
        None => None,
    };
    let (fits, left_out) = reading::sorted_out(act, rows);
    Ok(BulkView {
        act,
        label: match act {
            BulkAct::AutoRenewOn => "Enable auto-renew".to_owned(),
            BulkAct::AutoRenewOff => "Disable auto-renew".to_owned(),
            other => other.action().map(|action| action.label(&brand)).unwrap_or_default(),
        },
        fits,
        left_out,
        choice,
        key: desk.lifecycle.page_key()?,
    })
}

/// The field of the common name in the row at `place`.
pub(super) fn name_field(place: usize) -> String {
    format!("names-{place}")
}

/// The faults of one row's form; its common name has a field of its own.
#[cfg(feature = "ssr")]
fn in_row(place: usize, faults: Vec<FieldFault>) -> impl Iterator<Item = FieldFault> {
    faults.into_iter().map(move |fault| match fault.field.as_str() {
        "common_name" => FieldFault { field: name_field(place), ..fault },
        _ => fault,
    })
}

/// Submits the same request for all endpoints: all of them or none.
#[server(prefix = "/api", endpoint = "endpoints/bulk-submit")]
pub async fn submit_bulk(
    act: String,
    key: String,
    #[server(default)] ids: Vec<i64>,
    #[server(default)] names: Vec<String>,
    #[server(default)] profile: String,
    #[server(default)] obtain: String,
    #[server(default)] order: String,
    #[server(default)] install: String,
    #[server(default)] date: String,
    #[server(default)] time: String,
    #[server(default)] time_zone: String,
    #[server(default)] auto_renew: String,
    #[server(default)] days_before: String,
    #[server(default)] renew_time: String,
    #[server(default)] auto_replace: String,
    #[server(default)] emails: String,
    #[server(default)] note: String,
) -> Result<(), PortalError> {
    use crate::desk::{Desk, May};
    use crate::pages::names::at_names;
    use crate::pages::wizard::state;
    use crate::query::Query;

    let desk = Desk::require(May::Automate)?;
    let action = BulkAct::read(&act).and_then(BulkAct::action);
    let action = action.ok_or_else(|| {
        PortalError::Unreadable("Choose what to do in the list of endpoints.".to_owned())
    })?;
    // The form has neither field: whoever sends one asks for duplicates, of which rule D7 has none.
    let duplicate = obtain == "duplicate" || (obtain.is_empty() && !order.is_empty());
    domain::rules::check_bulk(&vec![duplicate; ids.len().max(1)])?;
    let fields = [
        ("action", action.to_string()),
        ("profile", profile),
        ("install", install),
        ("date", date),
        ("time", time),
        ("time_zone", time_zone),
        ("auto_renew", auto_renew),
        ("days_before", days_before),
        ("renew_time", renew_time),
        ("auto_replace", auto_replace),
        ("emails", emails),
        ("note", note),
    ];
    let query =
        fields.into_iter().fold(Query::default(), |query, (name, value)| query.with(name, value));
    let asks_names = action == domain::model::EndpointAction::Request;
    let typed = |place: usize| names.get(place).map(String::as_str).unwrap_or_default();
    let (mut forms, mut faults) = (Vec::with_capacity(ids.len()), Vec::new());
    for (place, id) in ids.into_iter().enumerate() {
        let query = query.with("common_name", typed(place));
        match state::form(domain::EndpointId(id), &query, key.clone()) {
            Ok(_) if asks_names && typed(place).trim().is_empty() => {
                faults.push(FieldFault::new(name_field(place), "Enter the common name."));
            }
            Ok(form) => forms.push(form),
            Err(PortalError::Invalid(more)) => faults.extend(in_row(place, more)),
            Err(error) => return Err(error),
        }
    }
    if !faults.is_empty() {
        // What is the same for all is told once.
        faults.dedup_by_key(|fault| fault.field.clone());
        return Err(PortalError::Invalid(faults));
    }
    let outcome = desk.lifecycle.schedule_bulk(&desk.actor(), forms).await.map_err(|error| {
        let fields: Vec<String> = (0..names.len()).map(name_field).collect();
        let fields = fields.iter().zip(&names).map(|(field, name)| (field.as_str(), name.as_str()));
        state::at_schedule(at_names(error.into(), &fields.collect::<Vec<_>>()))
    })?;
    crate::browser::flash(&match outcome.events.len() {
        1 => "1 request was submitted.".to_owned(),
        count => format!("{count} requests were submitted."),
    });
    crate::browser::redirect(&crate::paths::activity());
    Ok(())
}

/// Switches auto-renew of all endpoints on or off: all of them or none.
#[server(prefix = "/api", endpoint = "endpoints/bulk-auto-renew")]
pub async fn submit_bulk_auto_renew(
    act: String,
    #[server(default)] ids: Vec<i64>,
    #[server(default)] profile: String,
    #[server(default)] days_before: String,
    #[server(default)] renew_time: String,
    #[server(default)] time_zone: String,
    #[server(default)] auto_replace: String,
) -> Result<(), PortalError> {
    use super::reading::{automated, read_renew};
    use crate::desk::{Desk, May};

    let desk = Desk::require(May::Automate)?;
    let on = match BulkAct::read(&act) {
        Some(BulkAct::AutoRenewOn) => true,
        Some(BulkAct::AutoRenewOff) => false,
        // Nothing but the word itself switches auto-renew off.
        _ => return Err(PortalError::Unreadable(UNKNOWN_SWITCH.to_owned())),
    };
    let ids: Vec<domain::EndpointId> = ids.into_iter().map(domain::EndpointId).collect();
    let count = match ids.len() {
        1 => "1 endpoint".to_owned(),
        count => format!("{count} endpoints"),
    };
    if on {
        let profile = profile
            .parse()
            .map_err(|_| PortalError::field("profile", "Choose an automation profile."))?;
        let renew = read_renew(&days_before, &renew_time, &time_zone)?;
        automated(&desk, ids, Some(profile), Some(renew), auto_replace == "on").await?;
        crate::browser::flash(&format!("Auto-renew is on for {count}, in your name."));
    } else {
        automated(&desk, ids, None, None, false).await?;
        crate::browser::flash(&format!("Auto-renew is off for {count}."));
    }
    crate::browser::redirect(&crate::paths::endpoints());
    Ok(())
}
