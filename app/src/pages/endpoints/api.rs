//! Endpoints as their pages show them.

use domain::model::{AutoRenew, CertificateStatus, EndpointStatus, ServedIssuer};
use domain::rules::{AutoRenewOutlook, Offer, auto_renew_outlook};
use domain::{EndpointId, EventId, OrderNumber, ProfileId, Timestamp};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::fault::PortalError;
use crate::pages::activity::api::{EventRow, Stages};
use crate::pages::paged::Paged;

/// Keys that the list is sorted by.
pub const SORTS: [&str; 3] = ["address", "name", "expires"];

/// An endpoint in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointRow {
    /// Its id.
    pub id: EndpointId,
    /// Address and port.
    pub address: String,
    /// Its server name, where it has one of its own.
    pub server_name: Option<String>,
    /// The name that the agent's configuration gives it.
    pub alias: Option<String>,
    /// The common name of what it serves.
    pub common_name: Option<String>,
    /// How many names there are beside it.
    pub sans: usize,
    /// The agent's name.
    pub host: String,
    /// Software and version.
    pub software: Option<String>,
    /// Whose certificate it serves.
    pub issuer: ServedIssuer,
    /// The issuer as people read it.
    pub issuer_name: Option<String>,
    /// The order of our certificate.
    pub order: Option<OrderNumber>,
    /// Last second of what it serves.
    pub expires: Option<Timestamp>,
    /// What has become of the certificate of ours that it serves.
    pub certificate: Option<CertificateStatus>,
    /// Its automation status.
    pub status: EndpointStatus,
    /// The same, also while the agent is silent.
    pub behind: EndpointStatus,
    /// Why a person is needed.
    pub cause: Option<String>,
    /// Auto-renew; none where it is off.
    pub auto_renew: Option<AutoRenew>,
    /// "Auto-replace revoked or missing certificates".
    pub auto_replace: bool,
    /// When it acts next.
    pub next_auto_renew_at: Option<Timestamp>,
    /// Its newest event.
    pub event: Option<EventId>,
    /// What can be done.
    pub offer: Offer,
}

impl EndpointRow {
    /// What auto-renew does next.
    pub fn outlook(&self, now: Timestamp) -> AutoRenewOutlook {
        let on = self.auto_renew.is_some();
        auto_renew_outlook(on, self.next_auto_renew_at, self.expires.is_some(), self.behind, now)
    }
}

/// A try of the present event that failed, while another one is to come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedTry {
    /// Which one it was.
    pub number: i64,
    /// What went wrong.
    pub cause: String,
    /// What a person can do.
    pub solution: Option<String>,
    /// When the next one is.
    pub next_at: Timestamp,
}

/// What a page of endpoints needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointList {
    /// The rows.
    pub page: Paged<EndpointRow>,
    /// The word behind "Switch to".
    pub brand: String,
    /// The name of the agent that the list is narrowed to.
    pub agent: Option<String>,
    /// This person may set automation up: bulk, auto-renew.
    pub may_automate: bool,
}

/// What an endpoint serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServedView {
    /// The chain in PEM, leaf first.
    pub chain_pem: String,
    /// The leaf's serial.
    pub serial: String,
    /// The leaf's names.
    pub names: Vec<String>,
    /// First second of its validity.
    pub not_before: Timestamp,
    /// Last second of its validity.
    pub not_after: Timestamp,
}

/// An endpoint with all that its page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointView {
    /// What lists show of it.
    pub row: EndpointRow,
    /// What it serves.
    pub served: Option<ServedView>,
    /// When it was looked at last.
    pub last_probe_at: Option<Timestamp>,
    /// Why the last handshake failed.
    pub probe_error: Option<String>,
    /// Why the agent can't install here by itself.
    pub manual_reason: Option<String>,
    /// What a person can do.
    pub solution: Option<String>,
    /// Why nothing is done there any more; none while it is there.
    pub gone: Option<GoneView>,
    /// The try that failed last, where the present event goes on.
    pub failed_try: Option<FailedTry>,
    /// When the agent was heard of last.
    pub agent_seen_at: Option<Timestamp>,
    /// The names that auto-renew renews; nothing else is issued by itself.
    pub auto_renew_names: Vec<String>,
    /// The profile that auto-renew uses, else the default one.
    pub profile: Option<ProfileId>,
    /// The newest event with its stages.
    pub newest: Option<(EventRow, Stages)>,
    /// All events shown, newest first.
    pub events: Vec<EventRow>,
    /// The word behind "Switch to".
    pub brand: String,
    /// Profiles to choose from: id and name.
    pub profiles: Vec<(i64, String)>,
    /// This person may set automation up.
    pub may_automate: bool,
    /// The person's own time zone.
    pub time_zone: String,
}

/// An endpoint that is no longer there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoneView {
    /// Since when.
    pub since: Timestamp,
    /// What happened.
    pub cause: String,
    /// What a person can do.
    pub solution: String,
}

/// A page of endpoints.
#[server(prefix = "/api", endpoint = "endpoints/list")]
pub async fn endpoints(query: String) -> Result<EndpointList, PortalError> {
    use super::reading;
    use crate::desk::{Desk, May};

    let desk = Desk::require(May::SeeAll)?;
    let listing = reading::listing(&query);
    let brand = desk.brand().await?;
    let agent = reading::agent(&desk, &listing).await?;
    let page = match reading::filter(&listing, agent.as_ref(), desk.now) {
        Some(filter) => reading::page(&desk, &listing, filter).await?,
        None => Paged::none(),
    };
    let agent = agent.map(|agent| agent.name);
    Ok(EndpointList { page, brand, agent, may_automate: desk.may(May::Automate) })
}

/// One endpoint.
#[server(prefix = "/api", endpoint = "endpoints/one")]
pub async fn endpoint(id: i64) -> Result<EndpointView, PortalError> {
    use crate::desk::{Desk, May};

    let desk = Desk::require(May::SeeAll)?;
    super::reading::view(&desk, EndpointId(id)).await
}

/// Switches auto-renew of one endpoint on, with these settings, in this person's name.
#[server(prefix = "/api", endpoint = "endpoints/auto-renew")]
pub async fn save_auto_renew(
    id: i64,
    profile: String,
    days_before: String,
    renew_time: String,
    time_zone: String,
    #[server(default)] auto_replace: Option<String>,
) -> Result<(), PortalError> {
    use super::reading::{automated, read_renew};
    use crate::desk::{Desk, May};

    let desk = Desk::require(May::Automate)?;
    let profile = profile
        .parse()
        .map_err(|_| PortalError::field("profile", "Choose an automation profile."))?;
    let renew = read_renew(&days_before, &renew_time, &time_zone)?;
    automated(&desk, vec![EndpointId(id)], Some(profile), Some(renew), auto_replace.is_some())
        .await?;
    crate::browser::flash("Auto-renew is on, in your name.");
    crate::browser::redirect(&crate::paths::endpoint(EndpointId(id)));
    Ok(())
}

/// Switches auto-renew of one endpoint off.
#[server(prefix = "/api", endpoint = "endpoints/auto-renew-off")]
pub async fn disable_auto_renew(id: i64, back: String) -> Result<(), PortalError> {
    use crate::desk::{Desk, May};

    let desk = Desk::require(May::Automate)?;
    super::reading::automated(&desk, vec![EndpointId(id)], None, None, false).await?;
    crate::browser::flash(
        "Auto-renew is off. The certificate will expire unless somebody renews it.",
    );
    crate::browser::redirect(&crate::paths::local(&back));
    Ok(())
}
