//! Profiles as their pages show them.

use domain::Timestamp;
use domain::model::Profile;
use domain::rules::ProfileState;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::fault::PortalError;
use crate::pages::paged::Paged;

/// A profile with its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileRow {
    /// The profile.
    pub profile: Profile,
    /// The number of its changes.
    pub version: i64,
    /// When it was saved last.
    pub updated_at: Timestamp,
    /// The product's name.
    pub product: String,
    /// The organization's name.
    pub organization: String,
    /// "Active", or "Action needed" with reasons.
    pub state: ProfileState,
}

/// Keys that the list is sorted by.
pub const SORTS: [&str; 4] = ["name", "product", "organization", "saved"];

/// Profiles as their list shows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileList {
    /// As the URL asks.
    pub page: Paged<ProfileRow>,
    /// This person may change them.
    pub may_automate: bool,
}

/// What the form of a profile needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileForm {
    /// The profile; none for a new one.
    pub row: Option<ProfileRow>,
    /// Organizations to choose from: id and name.
    pub organizations: Vec<(i64, String)>,
    /// Longest lifetime of each product now, in days, in the catalogue's order.
    pub longest: Vec<i64>,
    /// The person's time zone.
    pub time_zone: String,
    /// This person may change profiles.
    pub may_automate: bool,
    /// There is no profile yet: this one becomes the default.
    pub first: bool,
}

/// A page of profiles.
#[server(prefix = "/api", endpoint = "profiles/list")]
pub async fn profiles(query: String) -> Result<ProfileList, PortalError> {
    use super::reading::{filter, listing, sort};
    use crate::desk::{Desk, May};
    use crate::pages::paged::{page_of, paged};
    use lifecycle::automation::ProfileSort;

    let desk = Desk::require(May::SeeAll)?;
    let listing = listing(&query);
    let sort = sort(&listing);
    let page = page_of(&listing, sort, sort == ProfileSort::Saved);
    let slice = desk.lifecycle.profile_list(&desk.actor(), &filter(&listing), &page).await?;
    let page = paged(slice, |view| (view.key(sort), view.profile.id.0), super::read_form::row);
    Ok(ProfileList { page, may_automate: desk.may(May::Automate) })
}

/// The form of a profile; of a new one without `id`.
#[server(prefix = "/api", endpoint = "profiles/form")]
pub async fn open_profile_form(id: Option<i64>) -> Result<ProfileForm, PortalError> {
    use crate::desk::{Desk, May};

    let desk = Desk::require(if id.is_some() { May::SeeAll } else { May::Automate })?;
    super::read_form::form(&desk, id.map(domain::ProfileId)).await
}

/// Saves a profile, new or changed.
#[server(prefix = "/api", endpoint = "profiles/save")]
pub async fn save_profile(
    #[server(default)] id: String,
    #[server(default)] version: String,
    #[server(default)] next: String,
    name: String,
    product: String,
    #[server(default)] organization: String,
    #[server(default)] coverage_years: String,
    #[server(default)] validity: String,
    #[server(default)] validity_amount: String,
    #[server(default)] validity_end: String,
    key_type: String,
    signature_hash: String,
    #[server(default)] emails: String,
    #[server(default)] auto_renew: String,
    #[server(default)] days_before: String,
    #[server(default)] renew_time: String,
    #[server(default)] time_zone: String,
    #[server(default)] is_default: String,
    #[server(default)] allow_duplicates: String,
    #[server(default)] update_scheduled: String,
) -> Result<(), PortalError> {
    use super::read_form::{Typed, at_field, read};
    use crate::desk::{Desk, May};

    let desk = Desk::require(May::Automate)?;
    let typed = Typed {
        id,
        version,
        name,
        product,
        organization,
        coverage_years,
        validity,
        validity_amount,
        validity_end,
        key_type,
        signature_hash,
        emails,
        auto_renew,
        days_before,
        renew_time,
        time_zone,
        is_default,
        allow_duplicates,
        update_scheduled,
    };
    let form = read(&typed)?;
    let saved = desk.lifecycle.save_profile(&desk.actor(), form).await;
    saved.map_err(|error| at_field(error.into()))?;
    crate::browser::flash("The profile was saved.");
    let next = if next.is_empty() { crate::paths::profiles() } else { crate::paths::local(&next) };
    crate::browser::redirect(&next);
    Ok(())
}

/// Removes a profile that no endpoint uses.
#[server(prefix = "/api", endpoint = "profiles/delete")]
pub async fn delete_profile(id: i64) -> Result<(), PortalError> {
    use crate::desk::{Desk, May};

    let desk = Desk::require(May::Automate)?;
    desk.lifecycle.delete_profile(&desk.actor(), domain::ProfileId(id)).await?;
    crate::browser::flash("The profile was deleted.");
    crate::browser::redirect(&crate::paths::profiles());
    Ok(())
}
