//! ACME Directory URLs as their pages show them.

use domain::model::AcmeUrl;
use domain::model::acme::{AccountStatus, AcmeOrderStatus};
use domain::rules::Explanation;
use domain::{AcmeAccountId, AcmeOrderId, OrderNumber, Timestamp};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::fault::PortalError;
use crate::pages::paged::Paged;

/// Keys that the list is sorted by.
pub const SORTS: [&str; 3] = ["-made", "name", "used"];
/// Counts are told up to this many.
pub const COUNT_LIMIT: i64 = 1_000;

/// A URL in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UrlRow {
    /// The URL.
    pub url: AcmeUrl,
    /// The identifier of its newest key.
    pub kid: Option<String>,
    /// The product's name.
    pub product: String,
    /// The organization's name.
    pub organization: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When a client last used it.
    pub last_used_at: Option<Timestamp>,
    /// Its accounts, up to [`COUNT_LIMIT`].
    pub accounts: i64,
    /// Its ACME orders, up to [`COUNT_LIMIT`].
    pub orders: i64,
}

/// A key for external account binding, without the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialRow {
    /// Its identifier.
    pub kid: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// A replaced key works until then.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When an account was last bound with it.
    pub last_used_at: Option<Timestamp>,
}

/// An ACME account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRow {
    /// Its id.
    pub id: AcmeAccountId,
    /// How it stands.
    pub status: AccountStatus,
    /// RFC 7638, base64url.
    pub thumbprint: String,
    /// E-mail addresses.
    pub contacts: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// An ACME order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcmeOrderRow {
    /// Its id.
    pub id: AcmeOrderId,
    /// How it stands.
    pub status: AcmeOrderStatus,
    /// The names that were asked for.
    pub names: Vec<String>,
    /// What the directory URL asked for, as `renew/12345`.
    pub asked: Option<String>,
    /// Whose it is.
    pub account: AcmeAccountId,
    /// The portal's order.
    pub order: Option<OrderNumber>,
    /// Why it came to nothing.
    pub error: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// How its action was chosen.
    pub explanation: Option<Explanation>,
}

/// A credential, the one time that it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// The key identifier.
    pub kid: String,
    /// The MAC key in base64url.
    pub hmac_key: String,
}

/// A URL with all that its page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UrlView {
    /// As in the list.
    pub row: UrlRow,
    /// The directory's address, which clients are given.
    pub directory: String,
    /// Right after it was made or rotated: the new credential.
    pub shown: Option<Shown>,
    /// Its keys, newest first.
    pub credentials: Vec<CredentialRow>,
    /// A page of its accounts, newest first.
    pub accounts: Vec<AccountRow>,
    /// Where the next page of accounts begins.
    pub more_accounts: Option<AcmeAccountId>,
    /// A page of its orders, newest first.
    pub orders: Vec<AcmeOrderRow>,
    /// Where the next page of orders begins.
    pub more_orders: Option<AcmeOrderId>,
}

/// What the form of a new URL needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UrlFormChoices {
    /// Organizations to choose from: id and name.
    pub organizations: Vec<(i64, String)>,
    /// Longest lifetime of each product now, in days, in the catalogue's order.
    pub longest: Vec<i64>,
}

/// A page of URLs.
#[server(prefix = "/api", endpoint = "acme-urls/list")]
pub async fn acme_urls(query: String) -> Result<Paged<UrlRow>, PortalError> {
    use super::read_form::{filter, listing, row, sort};
    use crate::desk::{Desk, May};
    use crate::pages::paged::{page_of, paged};
    use lifecycle::acme::{AcmeUrlLine, AcmeUrlSort};

    let desk = Desk::require(May::Automate)?;
    let listing = listing(&query);
    let sort = sort(&listing);
    let page = page_of(&listing, sort, sort != AcmeUrlSort::Name);
    let Some(filter) = filter(&desk, &listing).await? else { return Ok(Paged::none()) };
    let slice = desk.lifecycle.acme_url_list(&desk.actor(), &filter, &page).await?;
    Ok(paged(slice, |line: &AcmeUrlLine| (sort.key(line), line.record.url.id.0), row))
}

/// What the filters and the form of a new URL choose from.
#[server(prefix = "/api", endpoint = "acme-urls/form")]
pub async fn url_choices() -> Result<UrlFormChoices, PortalError> {
    use crate::desk::{Desk, May};
    use crate::pages::profiles::read_form::organizations;
    use domain::product::CATALOGUE;
    use domain::rules::longest_lifetime;

    let desk = Desk::require(May::Automate)?;
    Ok(UrlFormChoices {
        organizations: organizations(&desk).await?,
        longest: CATALOGUE.iter().map(|product| longest_lifetime(product, desk.now).0).collect(),
    })
}

/// One URL; the query says which pages of its accounts and orders.
#[server(prefix = "/api", endpoint = "acme-urls/one")]
pub async fn open_acme_url(id: i64, query: String) -> Result<UrlView, PortalError> {
    use crate::desk::{Desk, May};

    let desk = Desk::require(May::Automate)?;
    super::read_form::view(&desk, domain::AcmeUrlId(id), &query).await
}

/// "Add ACME Directory URL": its page shows the credential once.
#[server(prefix = "/api", endpoint = "acme-urls/add")]
pub async fn add_acme_url(
    name: String,
    product: String,
    #[server(default)] organization: String,
    #[server(default)] coverage_years: String,
    #[server(default)] validity: String,
    #[server(default)] validity_days: String,
    #[server(default)] allowed_domains: String,
    #[server(default)] key_types: Vec<String>,
    #[server(default)] may: Vec<String>,
    #[server(default)] duplicate_automatically: Option<String>,
) -> Result<(), PortalError> {
    use super::read_form::{Typed, read};
    use crate::browser;
    use crate::desk::{Desk, May};

    let desk = Desk::require(May::Automate)?;
    let new = read(Typed {
        name,
        product,
        organization,
        coverage_years,
        validity,
        validity_days,
        allowed_domains,
        key_types,
        may,
        duplicate_automatically,
    })?;
    let actor = desk.actor();
    let (url, credential) = desk.lifecycle.create_acme_url(&actor, new).await?;
    browser::hand_over(&desk.lifecycle.seal_credential(&actor, url.id, &credential)?);
    browser::redirect(&crate::paths::acme_url(url.id));
    Ok(())
}

/// "Rotate": a new credential; the ones before go on working for a while.
#[server(prefix = "/api", endpoint = "acme-urls/rotate")]
pub async fn rotate_acme_url(id: i64, overlap_days: String) -> Result<(), PortalError> {
    use crate::browser;
    use crate::desk::{Desk, May};

    let desk = Desk::require(May::Automate)?;
    let overlap = overlap_days.trim().parse().map(domain::Days);
    let overlap =
        overlap.map_err(|_| PortalError::field("overlap_days", "Enter a whole number of days."))?;
    let (actor, id) = (desk.actor(), domain::AcmeUrlId(id));
    let credential = desk.lifecycle.rotate_acme_url(&actor, id, overlap).await?;
    browser::hand_over(&desk.lifecycle.seal_credential(&actor, id, &credential)?);
    browser::redirect(&crate::paths::acme_url(id));
    Ok(())
}

/// "Revoke": for good.
#[server(prefix = "/api", endpoint = "acme-urls/revoke")]
pub async fn revoke_acme_url(id: i64) -> Result<(), PortalError> {
    use crate::browser;
    use crate::desk::{Desk, May};

    let desk = Desk::require(May::Automate)?;
    desk.lifecycle.revoke_acme_url(&desk.actor(), domain::AcmeUrlId(id)).await?;
    browser::flash(
        "The ACME Directory URL is revoked with its credentials and accounts. Certificates stay as they are.",
    );
    browser::redirect(&crate::paths::acme_url(domain::AcmeUrlId(id)));
    Ok(())
}
