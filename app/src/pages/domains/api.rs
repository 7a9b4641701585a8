//! Domains as their pages show them.

use domain::model::DomainProof;
use domain::{DomainId, OrganizationId, Timestamp};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::fault::PortalError;
use crate::pages::paged::Paged;

/// A domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainRow {
    /// Its id.
    pub id: DomainId,
    /// The domain.
    pub name: String,
    /// Whose it is.
    pub organization: OrganizationId,
    /// Whose it is, by name.
    pub organization_name: String,
    /// How control was shown.
    pub proof: Option<DomainProof>,
    /// What shows control.
    pub token: Option<String>,
    /// Until when that does.
    pub token_until: Timestamp,
    /// Why it no longer does.
    pub token_refusal: Option<String>,
    /// Until when its validation holds.
    pub validated_until: Option<Timestamp>,
    /// When it was added.
    pub created_at: Timestamp,
    /// The TXT record's name.
    pub dns_name: String,
    /// The file's URL.
    pub file_url: String,
    /// Why the file is not looked for at present.
    pub file_refusal: Option<String>,
    /// Whether the viewer may add and validate.
    pub may_change: bool,
}

/// An organization to choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerChoice {
    /// Its id.
    pub id: OrganizationId,
    /// Its name.
    pub name: String,
}

#[cfg(feature = "ssr")]
impl DomainRow {
    fn of(desk: &crate::desk::Desk, record: lifecycle::organizations::DomainRecord) -> Self {
        use domain::rules::{check_proof, check_token, token_ends};
        use lifecycle::organizations::{DNS_LABEL, file_url};

        let may_change = desk.may(crate::desk::May::Administer);
        let file_refusal = check_proof(&record.domain, DomainProof::HttpFile, desk.now).err();
        let name = record.domain.name;
        Self {
            id: record.domain.id,
            organization: record.domain.organization,
            organization_name: record.organization_name,
            proof: record.domain.proof,
            token: record.token.filter(|_| may_change),
            token_until: token_ends(record.token_made_at),
            token_refusal: check_token(record.token_made_at, desk.now)
                .err()
                .map(|refusal| refusal.message),
            validated_until: record.domain.validated_until,
            created_at: record.created_at,
            dns_name: format!("{DNS_LABEL}.{name}"),
            file_url: file_url(&name),
            file_refusal: file_refusal.map(|refusal| refusal.message),
            name: name.to_string(),
            may_change,
        }
    }
}

/// The filter of the list; none where it can't match anything, as an organization that is not there.
#[cfg(feature = "ssr")]
pub(super) async fn filter(
    desk: &crate::desk::Desk,
    listing: &crate::kit::Listing,
) -> Result<Option<lifecycle::organizations::PlaceFilter>, PortalError> {
    let mut filter = crate::pages::organizations::api::filter(listing, desk.now);
    if let Some(typed) = listing.filter("organization") {
        filter.organization = desk.lifecycle.organization_meant(typed).await?;
        if filter.organization.is_none() {
            return Ok(None);
        }
    }
    Ok(Some(filter))
}

/// A page of domains.
#[server(prefix = "/api", endpoint = "domains/list")]
pub async fn domains(query: String) -> Result<Paged<DomainRow>, PortalError> {
    use crate::desk::{Desk, May};
    use crate::pages::organizations::api::{listing, sort};
    use crate::pages::paged::{page_of, paged};
    use lifecycle::organizations::{DomainRecord, PlaceSort};

    let desk = Desk::require(May::SeeAll)?;
    let listing = listing(crate::paths::DOMAINS, &query);
    let sort = sort(&listing);
    let page = page_of(&listing, sort, sort == PlaceSort::ValidatedUntil);
    let Some(filter) = filter(&desk, &listing).await? else { return Ok(Paged::none()) };
    let slice = desk.lifecycle.domains(&desk.actor(), filter, &page).await?;
    let key = |record: &DomainRecord| (sort.of_domain(record), record.domain.id.0);
    Ok(paged(slice, key, |record| DomainRow::of(&desk, record)))
}

/// One domain.
#[server(prefix = "/api", endpoint = "domains/one")]
pub async fn domain(id: i64) -> Result<DomainRow, PortalError> {
    use crate::desk::{Desk, May};

    let desk = Desk::require(May::SeeAll)?;
    let record = desk.lifecycle.domain(&desk.actor(), DomainId(id)).await?;
    Ok(DomainRow::of(&desk, record))
}

/// Organizations to choose from, by name; the first 500.
#[server(prefix = "/api", endpoint = "domains/owners")]
pub async fn owners() -> Result<Vec<OwnerChoice>, PortalError> {
    use crate::desk::{Desk, May};
    use lifecycle::lists::PageOf;
    use lifecycle::organizations::{PlaceFilter, PlaceSort};

    let desk = Desk::require(May::SeeAll)?;
    let page = PageOf::first(PlaceSort::Name, 500);
    let slice = desk.lifecycle.organizations(&desk.actor(), PlaceFilter::default(), &page).await?;
    Ok(slice.rows.into_iter().map(|owner| OwnerChoice { id: owner.id, name: owner.name }).collect())
}

/// Adds a domain.
#[server(prefix = "/api", endpoint = "domains/add")]
pub async fn add_domain(
    name: String,
    organization: String,
    #[server(default)] validated: Option<String>,
) -> Result<(), PortalError> {
    use crate::browser;
    use crate::desk::{Desk, May};

    let desk = Desk::require(May::Administer)?;
    let organization = organization
        .parse()
        .map_err(|_| PortalError::field("organization", "Choose an organization."))?;
    let id =
        desk.lifecycle.add_domain(&desk.actor(), &name, organization, validated.is_some()).await?;
    browser::flash("The domain was added.");
    browser::redirect(&crate::paths::domain(id));
    Ok(())
}

/// Gives a domain a new token.
#[server(prefix = "/api", endpoint = "domains/token")]
pub async fn replace_token(id: i64) -> Result<(), PortalError> {
    use crate::browser;
    use crate::desk::{Desk, May};

    let desk = Desk::require(May::Administer)?;
    desk.lifecycle.replace_domain_token(&desk.actor(), DomainId(id)).await?;
    browser::flash("The domain has a new token.");
    browser::redirect(&crate::paths::domain(DomainId(id)));
    Ok(())
}

/// Looks for a domain's token in the DNS.
#[server(prefix = "/api", endpoint = "domains/check-dns")]
pub async fn check_dns(id: i64) -> Result<(), PortalError> {
    use crate::browser;
    use crate::desk::{Desk, May};

    let desk = Desk::require(May::Administer)?;
    desk.lifecycle.check_domain_dns(&desk.actor(), DomainId(id)).await?;
    browser::flash("The token was found in the DNS: the domain is validated.");
    browser::redirect(&crate::paths::domain(DomainId(id)));
    Ok(())
}

/// Looks for a domain's token in the file on its web server.
#[server(prefix = "/api", endpoint = "domains/check-file")]
pub async fn check_file(id: i64) -> Result<(), PortalError> {
    use crate::browser;
    use crate::desk::{Desk, May};

    let desk = Desk::require(May::Administer)?;
    desk.lifecycle.check_domain_file(&desk.actor(), DomainId(id)).await?;
    browser::flash("The token was found in the file: this name is validated.");
    browser::redirect(&crate::paths::domain(DomainId(id)));
    Ok(())
}

/// Confirms control of a domain, or takes that back.
#[server(prefix = "/api", endpoint = "domains/validate")]
pub async fn validate_domain(id: i64, valid: bool) -> Result<(), PortalError> {
    use crate::browser;
    use crate::desk::{Desk, May};
    use lifecycle::organizations::DomainProof;

    let desk = Desk::require(May::Administer)?;
    if valid {
        desk.lifecycle
            .validate_domain(&desk.actor(), DomainId(id), DomainProof::Administrator)
            .await?;
        browser::flash("The domain is validated.");
    } else {
        desk.lifecycle.invalidate_domain(&desk.actor(), DomainId(id)).await?;
        browser::flash("The validation was withdrawn.");
    }
    browser::redirect(&crate::paths::domain(DomainId(id)));
    Ok(())
}
