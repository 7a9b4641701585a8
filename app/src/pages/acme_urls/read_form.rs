//! (ssr) Between the pages of ACME Directory URLs and the lifecycle.

use domain::model::KeyType;
use domain::model::acme::{AcmeAccount, AcmeOrder};
use domain::{AcmeUrlId, Days, DnsName, OrganizationId, ProductId};
use lifecycle::acme::{AcmeUrlFilter, AcmeUrlLine, AcmeUrlSort, BindingKeyRecord, NewAcmeUrl};

use super::api::{AccountRow, AcmeOrderRow, CredentialRow, SORTS, Shown, UrlRow, UrlView};
use crate::browser;
use crate::desk::Desk;
use crate::fault::{FieldFault, PortalError};
use crate::kit::Listing;
use crate::pages::orders::product_name;
use crate::query::Query;

/// Path of the ACME directory.
const DIRECTORY: &str = "/mpki/api/v1/acme/v2/directory";
/// Accounts, and orders, on one page of a URL.
const PAGE: u16 = 20;

pub(super) fn listing(query: &str) -> Listing {
    Listing::read(crate::paths::ACME_URLS, query, &SORTS)
}

pub(super) fn sort(listing: &Listing) -> AcmeUrlSort {
    match listing.sort.key.as_str() {
        "name" => AcmeUrlSort::Name,
        "used" => AcmeUrlSort::LastUsed,
        _ => AcmeUrlSort::Made,
    }
}

/// The filter; none where it can't match anything, as an organization that is not there.
pub(super) async fn filter(
    desk: &Desk,
    listing: &Listing,
) -> Result<Option<AcmeUrlFilter>, PortalError> {
    let mut filter = AcmeUrlFilter {
        text: listing.filter("text").map(ToOwned::to_owned),
        product: listing.filter("product").map(ProductId::from),
        organization: None,
        revoked: match listing.filter("status") {
            Some("active") => Some(false),
            Some("revoked") => Some(true),
            _ => None,
        },
    };
    if let Some(typed) = listing.filter("organization") {
        filter.organization = desk.lifecycle.organization_meant(typed).await?;
        if filter.organization.is_none() {
            return Ok(None);
        }
    }
    Ok(Some(filter))
}

pub(super) fn row(line: AcmeUrlLine) -> UrlRow {
    let AcmeUrlLine { record, kid, organization } = line;
    UrlRow {
        product: product_name(&record.url.product),
        url: record.url,
        kid,
        organization,
        created_at: record.created_at,
        revoked_at: record.revoked_at,
        last_used_at: record.last_used_at,
        accounts: record.accounts,
        orders: record.orders,
    }
}

/// A page of something newest first: what is shown, and where the next page begins.
fn cut<T, I>(mut rows: Vec<T>, id: impl Fn(&T) -> I) -> (Vec<T>, Option<I>) {
    let more = rows.len() > usize::from(PAGE);
    rows.truncate(usize::from(PAGE));
    let next = rows.last().map(id).filter(|_| more);
    (rows, next)
}

pub(super) async fn view(desk: &Desk, id: AcmeUrlId, query: &str) -> Result<UrlView, PortalError> {
    let (query, actor, desk) = (Query::parse(query), desk.actor(), &desk.lifecycle);
    let detail = desk.acme_url(&actor, id).await?;
    let organization = desk.organization_name(detail.record.url.organization).await?;
    let accounts = desk.acme_accounts(&actor, id, query.read("accounts"), PAGE + 1).await?;
    let orders = desk.acme_orders(&actor, id, query.read("orders"), PAGE + 1).await?;
    let (accounts, more_accounts) = cut(accounts, |account| account.id);
    let (orders, more_orders) = cut(orders, |order| order.id);
    let shown = match browser::take_over() {
        Some(sealed) => desk.open_credential(&actor, id, &sealed)?,
        None => None,
    };
    let kid = detail.credentials.first().map(|key| key.kid.clone());
    Ok(UrlView {
        row: row(AcmeUrlLine { record: detail.record, kid, organization }),
        directory: browser::public(DIRECTORY),
        shown: shown.map(|one| Shown { kid: one.kid, hmac_key: one.hmac_key }),
        credentials: detail.credentials.into_iter().map(credential).collect(),
        accounts: accounts.into_iter().map(account).collect(),
        more_accounts,
        orders: orders.into_iter().map(order).collect(),
        more_orders,
    })
}

fn credential(key: BindingKeyRecord) -> CredentialRow {
    CredentialRow {
        kid: key.kid,
        created_at: key.created_at,
        expires_at: key.expires_at,
        revoked_at: key.revoked_at,
        last_used_at: key.last_used_at,
    }
}

fn account(account: AcmeAccount) -> AccountRow {
    let address =
        |contact: String| contact.strip_prefix("mailto:").map(str::to_owned).unwrap_or(contact);
    AccountRow {
        id: account.id,
        status: account.status,
        thumbprint: account.thumbprint,
        contacts: account.contacts.into_iter().map(address).collect(),
        created_at: account.created_at,
    }
}

fn order(order: AcmeOrder) -> AcmeOrderRow {
    AcmeOrderRow {
        id: order.id,
        status: order.status,
        names: order.identifiers.into_iter().map(|identifier| identifier.value).collect(),
        asked: order.asked.map(domain::rules::DirectoryAction::path),
        account: order.account,
        order: order.order_number,
        error: order.error.map(|fault| fault.detail),
        created_at: order.created_at,
        explanation: order.explanation.and_then(|text| serde_json::from_str(&text).ok()),
    }
}

/// The form of a new URL as it was sent.
#[derive(Debug, Default)]
pub(super) struct Typed {
    pub(super) name: String,
    pub(super) product: String,
    pub(super) organization: String,
    pub(super) coverage_years: String,
    pub(super) validity: String,
    pub(super) validity_days: String,
    pub(super) allowed_domains: String,
    pub(super) key_types: Vec<String>,
    pub(super) may: Vec<String>,
    pub(super) duplicate_automatically: Option<String>,
}

/// What is to be made; each field that can't be read is named.
pub(super) fn read(typed: Typed) -> Result<NewAcmeUrl, PortalError> {
    let mut faults = Vec::new();
    let mut fault =
        |field: &str, message: String| faults.push(FieldFault { field: field.to_owned(), message });
    let organization = typed.organization.trim().parse().unwrap_or_else(|_| {
        fault("organization", "Choose an organization.".to_owned());
        0
    });
    let days = match typed.validity.as_str() {
        "days" => typed.validity_days.trim().parse().ok().map_or_else(
            || {
                fault("validity_days", "Enter the number of days.".to_owned());
                None
            },
            |days| Some(Days(days)),
        ),
        fixed => fixed.parse().ok().map(Days),
    };
    let words = typed
        .allowed_domains
        .split([',', ';', '\n', '\r', ' ', '\t'])
        .filter(|word| !word.is_empty());
    let mut domains = Vec::new();
    for word in words {
        match DnsName::parse(word) {
            Ok(name) if domains.contains(&name) => {}
            Ok(name) => domains.push(name),
            Err(error) => fault(
                "allowed_domains",
                format!("{:?}: {error}", word.chars().take(80).collect::<String>()),
            ),
        }
    }
    let key_types: Result<Vec<KeyType>, _> =
        typed.key_types.iter().map(|text| text.parse()).collect();
    let key_types = key_types.unwrap_or_else(|_| {
        fault("key_types", "Choose from the list.".to_owned());
        Vec::new()
    });
    if !faults.is_empty() {
        return Err(PortalError::Invalid(faults));
    }
    let may = |what: &str| typed.may.iter().any(|one| one == what);
    let (may_renew, may_reissue, may_duplicate) = (may("renew"), may("reissue"), may("duplicate"));
    Ok(NewAcmeUrl {
        coverage_years: typed.coverage_years.trim().parse().ok(),
        validity_days: days,
        // All of them is the same as none named.
        key_types: if key_types.len() == KeyType::ALL.len() { Vec::new() } else { key_types },
        allowed_domains: domains,
        may_renew,
        may_reissue,
        may_duplicate,
        duplicate_automatically: typed.duplicate_automatically.is_some(),
        ..NewAcmeUrl::permissive(
            &typed.name,
            ProductId(typed.product),
            OrganizationId(organization),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed() -> Typed {
        let text = |text: &str| text.to_owned();
        Typed {
            name: text("web"),
            product: text("ssl_plus"),
            organization: text("1"),
            validity: text("longest"),
            may: vec![text("renew"), text("duplicate")],
            duplicate_automatically: Some(text("on")),
            ..Typed::default()
        }
    }

    #[test]
    fn a_form_becomes_a_url() {
        let domains = "Example.com, example.org\nexample.com".to_owned();
        let new = read(Typed {
            allowed_domains: domains,
            key_types: vec!["ec_p256".to_owned()],
            ..typed()
        })
        .unwrap();
        let domains: Vec<String> = new.allowed_domains.iter().map(ToString::to_string).collect();
        assert_eq!(domains, ["example.com", "example.org"]);
        assert_eq!(new.key_types, [KeyType::EcP256]);
        assert!(
            new.may_renew && !new.may_reissue && new.may_duplicate && new.duplicate_automatically
        );
        assert_eq!((new.validity_days, new.coverage_years), (None, None));
    }

    #[test]
    fn validity_is_the_longest_a_period_or_custom_days() {
        let days = |validity: &str, days: &str| {
            let typed =
                Typed { validity: validity.to_owned(), validity_days: days.to_owned(), ..typed() };
            read(typed).map(|new| new.validity_days.map(|days| days.0)).ok()
        };
        assert_eq!(days("longest", "7"), Some(None));
        assert_eq!(days("90", ""), Some(Some(90)));
        assert_eq!(days("days", "7"), Some(Some(7)));
        assert_eq!(days("days", ""), None);
    }

    #[test]
    fn every_faulty_field_is_named() {
        let error = read(Typed {
            organization: String::new(),
            allowed_domains: "exa mple..com".to_owned(),
            key_types: vec!["rsa512".to_owned()],
            ..typed()
        })
        .unwrap_err();
        for field in ["organization", "allowed_domains", "key_types"] {
            assert!(error.of_field(field).is_some(), "{field}");
        }
    }
}
