//! The automation request page's views and server functions.

use domain::model::{AutoRenew, EndpointAction, EventMode};
use domain::rules::Explanation;
use domain::{EndpointId, OrderNumber, Timestamp};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::fault::PortalError;

/// A profile to choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileOption {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// The product's name.
    pub product: String,
    /// The organization's name.
    pub organization: String,
    /// Key, coverage and validity in words.
    pub terms: String,
    /// What to mend before it can be used; empty where it is active.
    pub reasons: Vec<String>,
    /// "Make this the default automation profile".
    pub is_default: bool,
    /// Its duplicates may add names (rule D6).
    pub may_add_names: bool,
    /// Its auto-renew settings: days before expiry, time of day, time zone.
    pub auto_renew: Option<AutoRenew>,
}

/// The endpoint that gets the certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Its id.
    pub id: EndpointId,
    /// Address and port.
    pub address: String,
    /// Its server name, where it has one of its own.
    pub server_name: Option<String>,
    /// The common name of what it serves.
    pub common_name: Option<String>,
    /// The agent's name.
    pub host: String,
    /// The order of our certificate.
    pub order: Option<OrderNumber>,
    /// Its auto-renew settings; none where it is off.
    pub auto_renew: Option<AutoRenew>,
    /// "Auto-replace revoked or missing certificates".
    pub auto_replace: bool,
}

/// What every step shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// Where.
    pub endpoint: Endpoint,
    /// What was chosen in the *Action* column.
    pub action: EndpointAction,
    /// Its label.
    pub label: String,
    /// The chosen profile.
    pub profile: Option<ProfileOption>,
    /// The query so far.
    pub state: String,
    /// May change Preferences.
    pub may_administer: bool,
    /// The person's time zone.
    pub time_zone: String,
    /// Tomorrow in it, `2026-11-23`.
    pub tomorrow: String,
}

/// Step 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfilesView {
    /// What every step shows.
    pub frame: Frame,
    /// Profiles to choose from.
    pub profiles: Vec<ProfileOption>,
    /// The one to suggest.
    pub suggested: Option<i64>,
    /// May add profiles.
    pub may_automate: bool,
}

/// An order to duplicate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// Its number.
    pub number: OrderNumber,
    /// The product's name.
    pub product: String,
    /// The common name.
    pub common_name: String,
    /// The other names.
    pub sans: Vec<String>,
    /// The organization's name.
    pub organization: String,
    /// Until when it is good.
    pub valid_till: Option<Timestamp>,
    /// Last second of a duplicate.
    pub duplicate_till: Option<Timestamp>,
    /// Duplicates so far.
    pub duplicates: usize,
}

/// Step 2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateView {
    /// What every step shows.
    pub frame: Frame,
    /// Common name and names of the certificate in place, where the action takes them.
    pub in_place: Option<(String, Vec<String>)>,
    /// Common name and further names that are served, where others may be typed.
    pub suggested: Option<(String, Vec<String>)>,
    /// Whether the action knows duplicates at all.
    pub knows_duplicates: bool,
    /// Why a duplicate is not offered: the rule and its words.
    pub refused: Option<(String, String)>,
    /// A duplicate was chosen.
    pub duplicate: bool,
    /// What was searched for.
    pub search: String,
    /// What is wrong with it.
    pub search_fault: Option<String>,
    /// Orders to choose from; none before something was searched for.
    pub candidates: Option<Vec<Candidate>>,
    /// Orders that can't be chosen, with why.
    pub dropped: Vec<(OrderNumber, String)>,
    /// The chosen order.
    pub order: Option<OrderNumber>,
    /// Names that the duplicate adds, as they were typed or are suggested.
    pub extra_names: String,
}

/// Step 4.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewView {
    /// What every step shows.
    pub frame: Frame,
    /// What will happen, or what is wrong.
    pub plan: Result<PlanView, PortalError>,
    /// The page's key.
    pub key: String,
}

/// What will happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanView {
    /// The product's name: the order's where one goes on, else the profile's.
    pub product: String,
    /// Coverage, validity and key in words.
    pub terms: String,
    /// What of a profile for something else counts, where an order goes on; none where they agree.
    pub differs: Option<String>,
    /// The organization's name.
    pub organization: String,
    /// How it gets its certificate.
    pub mode: EventMode,
    /// The order that is duplicated, renewed or reissued.
    pub source_order: Option<OrderNumber>,
    /// The common name.
    pub common_name: String,
    /// All names.
    pub names: Vec<String>,
    /// When it runs; none for at once.
    pub scheduled_at: Option<Timestamp>,
    /// Last second of the certificate, where it is known before.
    pub valid_till: Option<Timestamp>,
    /// Why its request will wait for a reviewer.
    pub held: Option<String>,
    /// What rules D13 to D15 would decide now.
    pub decided: Option<Explanation>,
    /// Auto-renew is on in another person's name, and stays as it is.
    pub keeps_auto_renew: bool,
}

/// Step 1 with the profiles to choose from.
#[server(prefix = "/api", endpoint = "wizard/profile-step")]
pub async fn profile_step(id: i64, query: String) -> Result<ProfilesView, PortalError> {
    use crate::desk::{Desk, May};

    let desk = Desk::require(May::SeeAll)?;
    super::facts::profiles(&desk, EndpointId(id), &super::state::read(&query)?).await
}

/// What a step shows.
#[server(prefix = "/api", endpoint = "wizard/frame")]
pub async fn step_frame(id: i64, query: String) -> Result<Frame, PortalError> {
    use crate::desk::{Desk, May};

    let desk = Desk::require(May::SeeAll)?;
    super::facts::frame(&desk, EndpointId(id), &super::state::read(&query)?).await
}

/// Step 2 with the orders to choose from.
#[server(prefix = "/api", endpoint = "wizard/certificate-step")]
pub async fn certificate_step(id: i64, query: String) -> Result<CertificateView, PortalError> {
    use crate::desk::{Desk, May};

    let desk = Desk::require(May::SeeAll)?;
    super::facts::certificate(&desk, EndpointId(id), &super::state::read(&query)?).await
}

/// Step 4: what would be done.
#[server(prefix = "/api", endpoint = "wizard/review-step")]
pub async fn review_step(id: i64, query: String) -> Result<ReviewView, PortalError> {
    use crate::desk::{Desk, May};

    let desk = Desk::require(May::SeeAll)?;
    super::facts::review(&desk, EndpointId(id), &super::state::read(&query)?).await
}

/// Step 1 done.
#[server(prefix = "/api", endpoint = "wizard/profile")]
pub async fn choose_profile(
    endpoint: i64,
    state: String,
    #[server(default)] profile: Option<String>,
) -> Result<(), PortalError> {
    use super::state;
    use crate::desk::{Desk, May};

    Desk::require(May::SeeAll)?;
    let chosen: Option<i64> = profile.and_then(|id| id.parse().ok());
    let chosen =
        chosen.ok_or_else(|| PortalError::field("profile", "Choose an automation profile."))?;
    let mut query = state::read(&state)?.with("profile", chosen);
    if state::order(&query).is_none() {
        query = query.without("order").without("order_profile").without("extra_names");
    }
    let next = crate::paths::wizard_certificate(EndpointId(endpoint));
    crate::browser::redirect(&state::onward(&query, &next, "profile")?);
    Ok(())
}

/// Step 2 done: names or order are checked as the submit will check them.
#[server(prefix = "/api", endpoint = "wizard/certificate")]
pub async fn choose_certificate(
    endpoint: i64,
    state: String,
    obtain: String,
    #[server(default)] common_name: String,
    #[server(default)] sans: String,
    #[server(default)] order: String,
    #[server(default)] extra_names: String,
) -> Result<(), PortalError> {
    use super::state;
    use crate::desk::{Desk, May};

    let desk = Desk::require(May::SeeAll)?;
    let id = EndpointId(endpoint);
    let old = state::read(&state)?;
    let mut query = old.with("obtain", &obtain);
    if obtain == "duplicate" {
        let profile = state::profile(&old).map(|profile| profile.to_string()).unwrap_or_default();
        query = query
            .with("order", order)
            .with("order_profile", profile)
            .with("extra_names", extra_names);
    } else {
        query = query.with("common_name", common_name).with("sans", sans);
    }
    let bare = ["install", "auto_renew", "emails", "note"]
        .iter()
        .fold(query.clone(), |query, name| query.without(name));
    let form = state::form(id, &bare, "check".to_owned())?;
    desk.lifecycle
        .preview(&desk.actor(), &form)
        .await
        .map_err(|error| state::at_field(error.into(), &bare))?;
    let long = if obtain == "duplicate" { "extra_names" } else { "sans" };
    let next = state::onward(&query, &crate::paths::wizard_installation(id), long)?;
    crate::browser::redirect(&next);
    Ok(())
}

/// Step 3 done.
#[server(prefix = "/api", endpoint = "wizard/installation")]
pub async fn choose_installation(
    endpoint: i64,
    state: String,
    install: String,
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
    use super::state;
    use crate::desk::{Desk, May};

    let desk = Desk::require(May::SeeAll)?;
    let id = EndpointId(endpoint);
    let fields = [
        ("install", install),
        ("date", date),
        ("time", time),
        ("time_zone", time_zone),
        ("auto_renew", auto_renew),
        ("days_before", days_before),
        ("renew_time", renew_time),
        ("auto_replace", auto_replace),
        ("emails", state::emails(&emails).join(", ")),
        ("note", note),
    ];
    let query = fields
        .into_iter()
        .fold(state::read(&state)?, |query, (name, value)| query.with(name, value));
    let form = state::form(id, &query, "check".to_owned())?;
    desk.lifecycle
        .preview(&desk.actor(), &form)
        .await
        .map_err(|error| state::at_field(error.into(), &query))?;
    crate::browser::redirect(&state::onward(&query, &crate::paths::wizard_review(id), "note")?);
    Ok(())
}

/// "Submit request".
#[server(prefix = "/api", endpoint = "wizard/submit")]
pub async fn submit_request(endpoint: i64, state: String, key: String) -> Result<(), PortalError> {
    use super::state;
    use crate::desk::{Desk, May};

    let desk = Desk::require(May::SeeAll)?;
    let query = state::read(&state)?;
    let form = state::form(EndpointId(endpoint), &query, key)?;
    let event = desk.lifecycle.schedule(&desk.actor(), form).await;
    let event = event.map_err(|error| state::at_field(error.into(), &query))?;
    crate::browser::flash("The request was submitted.");
    crate::browser::redirect(&crate::paths::event(event));
    Ok(())
}
