//! API keys as their pages show them.

use domain::model::Role;
use domain::{ApiKeyId, Timestamp};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::fault::PortalError;
use crate::pages::paged::Paged;

/// Keys that the list is sorted by.
pub const SORTS: [&str; 4] = ["-created", "name", "person", "used"];

/// An API key, without the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKeyRow {
    /// Its id.
    pub id: ApiKeyId,
    /// What it is for.
    pub name: String,
    /// Whose it is.
    pub email: String,
    /// Narrower than its owner's role where given.
    pub role: Option<Role>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

#[cfg(feature = "ssr")]
impl From<lifecycle::api_keys::ApiKey> for ApiKeyRow {
    fn from(key: lifecycle::api_keys::ApiKey) -> Self {
        Self {
            id: key.id,
            name: key.name,
            email: key.email,
            role: key.role,
            created_at: key.created_at,
            last_used_at: key.last_used_at,
            revoked_at: key.revoked_at,
        }
    }
}

#[cfg(feature = "ssr")]
mod reading {
    use lifecycle::api_keys::{ApiKeyFilter, ApiKeySort};

    use super::SORTS;
    use crate::kit::Listing;
    use crate::paths;

    pub(crate) fn listing(query: &str) -> Listing {
        Listing::read(paths::API_KEYS, query, &SORTS)
    }

    pub(crate) fn sort(listing: &Listing) -> ApiKeySort {
        match listing.sort.key.as_str() {
            "name" => ApiKeySort::Name,
            "person" => ApiKeySort::Person,
            "used" => ApiKeySort::LastUsed,
            _ => ApiKeySort::Created,
        }
    }

    pub(crate) fn filter(listing: &Listing) -> ApiKeyFilter {
        ApiKeyFilter {
            text: listing.filter("text").map(str::to_owned),
            revoked: listing.filter("status").map(|status| status == "revoked"),
        }
    }
}
#[cfg(feature = "ssr")]
pub(crate) use reading::{filter, listing, sort};

/// A page of keys: of all of them for administrators, else of the person's own.
#[server(prefix = "/api", endpoint = "api-keys/list")]
pub async fn api_keys(query: String) -> Result<Paged<ApiKeyRow>, PortalError> {
    use crate::pages::paged::{page_of, paged};
    use lifecycle::api_keys::ApiKeySort;

    let desk = crate::desk::Desk::open()?;
    let listing = listing(&query);
    let sort = sort(&listing);
    let numbers = matches!(sort, ApiKeySort::Created | ApiKeySort::LastUsed);
    let page = page_of(&listing, sort, numbers);
    let slice = desk.lifecycle.api_keys(&desk.actor(), &filter(&listing), &page).await?;
    Ok(paged(slice, |key| (sort.key(key), key.id.0), ApiKeyRow::from))
}

/// One key.
#[server(prefix = "/api", endpoint = "api-keys/one")]
pub async fn api_key(id: i64) -> Result<ApiKeyRow, PortalError> {
    let desk = crate::desk::Desk::open()?;
    Ok(desk.lifecycle.api_key(&desk.actor(), ApiKeyId(id)).await?.into())
}

/// The key that was just made, once.
#[server(prefix = "/api", endpoint = "api-keys/taken")]
pub async fn taken_key() -> Result<Option<String>, PortalError> {
    crate::desk::Desk::open()?;
    Ok(crate::browser::take_over())
}

/// The role of the signed-in person: a key can't have more.
#[server(prefix = "/api", endpoint = "api-keys/own-role")]
pub async fn own_role() -> Result<Role, PortalError> {
    Ok(crate::desk::Desk::open()?.person.role)
}

/// Makes a key for the signed-in person.
#[server(prefix = "/api", endpoint = "api-keys/add")]
pub async fn add_api_key(name: String, role: String) -> Result<(), PortalError> {
    use crate::browser;

    let desk = crate::desk::Desk::open()?;
    let role = role.parse().map_err(|_| PortalError::field("role", "Choose a role."))?;
    let (_, key) = desk
        .lifecycle
        .create_api_key(&desk.actor(), desk.person.user.id, &name, Some(role))
        .await?;
    browser::hand_over(key.reveal());
    browser::redirect(&crate::paths::api_keys());
    Ok(())
}

/// Revokes a key.
#[server(prefix = "/api", endpoint = "api-keys/revoke")]
pub async fn revoke_api_key(id: i64) -> Result<(), PortalError> {
    use crate::browser;

    let desk = crate::desk::Desk::open()?;
    desk.lifecycle.revoke_api_key(&desk.actor(), ApiKeyId(id)).await?;
    browser::flash("The API key is revoked.");
    browser::redirect(&crate::paths::api_keys());
    Ok(())
}
