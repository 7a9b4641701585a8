//! Organizations as their pages show them.

use domain::{OrganizationId, Timestamp};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::fault::PortalError;
use crate::pages::paged::Paged;

/// Keys that the list is sorted by.
pub const SORTS: [&str; 2] = ["name", "until"];

/// An organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganizationRow {
    /// Its id.
    pub id: OrganizationId,
    /// Its legal name.
    pub name: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// Town; may be empty.
    pub locality: String,
    /// Number in the register of companies; may be empty.
    pub registration_number: String,
    /// Until when its validation holds.
    pub validated_until: Option<Timestamp>,
    /// Whether the viewer may add and validate.
    pub may_change: bool,
}

#[cfg(feature = "ssr")]
mod reading {
    use domain::Timestamp;
    use domain::model::Organization;
    use lifecycle::organizations::{PlaceFilter, PlaceSort, ValidationState};

    use super::{OrganizationRow, SORTS};
    use crate::desk::{Desk, May};
    use crate::kit::Listing;
    use crate::paths::Pattern;

    pub(crate) fn listing(path: Pattern, query: &str) -> Listing {
        Listing::read(path, query, &SORTS)
    }

    pub(crate) fn sort(listing: &Listing) -> PlaceSort {
        if listing.sort.key == "until" { PlaceSort::ValidatedUntil } else { PlaceSort::Name }
    }

    pub(crate) fn filter(listing: &Listing, now: Timestamp) -> PlaceFilter {
        PlaceFilter {
            text: listing.filter("text").map(ToOwned::to_owned),
            organization: None,
            validation: match listing.filter("status") {
                Some("validated") => Some(ValidationState::Current(now)),
                Some("wanted") => Some(ValidationState::Wanted(now)),
                _ => None,
            },
        }
    }

    impl OrganizationRow {
        pub(crate) fn of(desk: &Desk, organization: Organization) -> Self {
            Self {
                id: organization.id,
                name: organization.name,
                country: organization.country,
                locality: organization.locality.unwrap_or_default(),
                registration_number: organization.registration_number.unwrap_or_default(),
                validated_until: organization.validated_until,
                may_change: desk.may(May::Administer),
            }
        }
    }
}
#[cfg(feature = "ssr")]
pub(crate) use reading::{filter, listing, sort};

/// A page of organizations.
#[server(prefix = "/api", endpoint = "organizations/list")]
pub async fn organizations(query: String) -> Result<Paged<OrganizationRow>, PortalError> {
    use crate::desk::{Desk, May};
    use crate::pages::paged::{page_of, paged};
    use lifecycle::organizations::PlaceSort;

    let desk = Desk::require(May::SeeAll)?;
    let listing = listing(crate::paths::ORGANIZATIONS, &query);
    let sort = sort(&listing);
    let page = page_of(&listing, sort, sort == PlaceSort::ValidatedUntil);
    let slice =
        desk.lifecycle.organizations(&desk.actor(), filter(&listing, desk.now), &page).await?;
    let key = |organization: &domain::model::Organization| {
        (sort.of_organization(organization), organization.id.0)
    };
    Ok(paged(slice, key, |organization| OrganizationRow::of(&desk, organization)))
}

/// One organization.
#[server(prefix = "/api", endpoint = "organizations/one")]
pub async fn organization(id: i64) -> Result<OrganizationRow, PortalError> {
    use crate::desk::{Desk, May};

    let desk = Desk::require(May::SeeAll)?;
    let organization = desk.lifecycle.organization(&desk.actor(), OrganizationId(id)).await?;
    Ok(OrganizationRow::of(&desk, organization))
}

/// Adds an organization.
#[server(prefix = "/api", endpoint = "organizations/add")]
pub async fn add_organization(
    name: String,
    country: String,
    #[server(default)] locality: String,
    #[server(default)] registration_number: String,
    #[server(default)] validated: Option<String>,
) -> Result<(), PortalError> {
    use crate::browser;
    use crate::desk::{Desk, May};
    use lifecycle::organizations::NewOrganization;

    let desk = Desk::require(May::Administer)?;
    let validated = validated.is_some();
    let new = NewOrganization { name, country, locality, registration_number, validated };
    let id = desk.lifecycle.add_new_organization(&desk.actor(), &new).await?;
    browser::flash("The organization was added.");
    browser::redirect(&crate::paths::organization(id));
    Ok(())
}

/// Changes what OV and EV certificates say of it besides name and country.
#[server(prefix = "/api", endpoint = "organizations/details")]
pub async fn save_organization_details(
    id: i64,
    #[server(default)] locality: String,
    #[server(default)] registration_number: String,
    #[server(default)] seen_locality: String,
    #[server(default)] seen_registration_number: String,
) -> Result<(), PortalError> {
    use crate::browser;
    use crate::desk::{Desk, May};

    let desk = Desk::require(May::Administer)?;
    let id = OrganizationId(id);
    let seen = (&*seen_locality, &*seen_registration_number);
    desk.lifecycle
        .save_organization_details(&desk.actor(), id, seen, &locality, &registration_number)
        .await?;
    browser::flash("The organization was changed.");
    browser::redirect(&crate::paths::organization(id));
    Ok(())
}

/// Decides that an organization is who it says, or takes that back.
#[server(prefix = "/api", endpoint = "organizations/validate")]
pub async fn validate_organization(id: i64, valid: bool) -> Result<(), PortalError> {
    use crate::browser;
    use crate::desk::{Desk, May};

    let desk = Desk::require(May::Administer)?;
    desk.lifecycle.validate_organization(&desk.actor(), OrganizationId(id), valid).await?;
    browser::flash(if valid {
        "The organization is validated."
    } else {
        "The validation was withdrawn."
    });
    browser::redirect(&crate::paths::organization(OrganizationId(id)));
    Ok(())
}
