//! Organizations and domains: who certificates are issued to, and for which names.
//!
//! An organization's validation is an administrator's decision that expires. A domain is shown to
//! be under control by a token in the DNS or on its web server, or by an administrator's decision;
//! what it covers then is [`domain::rules::is_covered`]'s to say (rule D19 asks for both to be current).

mod details;
mod tokens;

use domain::country::is_country;
pub use domain::model::DomainProof;
use domain::model::{Organization, Role};
use domain::rules::check_proof;
use domain::{Days, DnsName, DomainId, OrganizationId, Timestamp};
use serde_json::{Value, json};
use store::Tx;
pub use store::organizations::{DomainRecord, PlaceFilter, PlaceSort, ValidationState};

use self::details::Details;
pub use self::tokens::{DNS_LABEL, Found, TokenLookup, file_url};
use crate::accounts::require_administrator;
use crate::audit::{self, AuditEntry};
use crate::lists::{MEANT_AMONG, PageOf, Slice, meant};
use crate::orders::Counted;
use crate::sessions::SecretToken;
use crate::{Actor, Lifecycle, LifecycleError, Result, settings};

/// The longest legal name in a certificate (X.520 `ub-organization-name`).
const MAX_ORGANIZATION_NAME: usize = 64;

/// An organization to be added, as typed.
#[derive(Debug, Clone, Default)]
pub struct NewOrganization {
    /// Legal name.
    pub name: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// Town; may be empty.
    pub locality: String,
    /// Number in the register of companies; may be empty.
    pub registration_number: String,
    /// Decides at once that it is who it says.
    pub validated: bool,
}

impl Lifecycle {
    /// Adds an organization of which nothing is known but name and country.
    pub async fn add_organization(
        &self,
        actor: &Actor,
        name: &str,
        country: &str,
        validated: bool,
    ) -> Result<OrganizationId> {
        let (name, country) = (name.to_owned(), country.to_owned());
        let new = NewOrganization { name, country, validated, ..NewOrganization::default() };
        self.add_new_organization(actor, &new).await
    }

    /// Adds an organization with all that is known of it, or nothing where any of it is faulty.
    pub async fn add_new_organization(
        &self,
        actor: &Actor,
        new: &NewOrganization,
    ) -> Result<OrganizationId> {
        require_administrator(actor, "Adding organizations")?;
        let (name, country, details) = checked_organization(new)?;
        let validated = new.validated;
        let (now, actor) = (self.clock().now(), actor.clone());
        self.store()
            .write(move |tx| {
                Box::pin(async move {
                    let until = if validated { Some(validity_end(tx, now, ORGANIZATION_DAYS).await?) } else { None };
                    let id = tx.insert_organization(&name, &country, until, now).await?.ok_or_else(|| {
                        LifecycleError::field("name", format!("There is an organization {name:?} already."))
                    })?;
                    let new = json!({"name": name, "country": country, "validated_until": until.map(Timestamp::rfc3339)});
                    let entry = AuditEntry::new("organization.added", "organization", id, format!("{name} added"))
                        .changing(Value::Null, new);
                    audit::record(tx, now, &actor, entry).await?;
                    if !details.is_empty() {
                        details.keep(tx, &actor, id, None, now).await?;
                    }
                    Ok(id)
                })
            })
            .await
    }

    /// Decides that the organization is who it says, for as many days as the settings say; or
    /// takes that back.
    pub async fn validate_organization(
        &self,
        actor: &Actor,
        id: OrganizationId,
        valid: bool,
    ) -> Result<()> {
        require_administrator(actor, "Validating organizations")?;
        let (now, actor) = (self.clock().now(), actor.clone());
        self.store()
            .write(move |tx| {
                Box::pin(async move {
                    let before = tx.organization(id).await?.ok_or(NO_ORGANIZATION)?;
                    let until = if valid {
                        Some(validity_end(tx, now, ORGANIZATION_DAYS).await?)
                    } else {
                        None
                    };
                    tx.set_organization_validation(id, until).await?;
                    let entry = organization_entry(id, &before.name, before.validated_until, until);
                    audit::record(tx, now, &actor, entry).await
                })
            })
            .await
    }

    /// One organization.
    pub async fn organization(&self, actor: &Actor, id: OrganizationId) -> Result<Organization> {
        require_sight(actor)?;
        self.store().reader().await?.organization(id).await?.ok_or(NO_ORGANIZATION)
    }

    /// Organizations to order for, by name, at most `most`. Whoever may order sees these.
    pub async fn organizations_to_choose(&self, most: u16) -> Result<Vec<Organization>> {
        let page = PageOf::first(PlaceSort::Name, most);
        let mut tx = self.store().reader().await?;
        let rows = tx.organizations(&PlaceFilter::default(), page.sort, &page.rows()).await?;
        Ok(page.slice(rows).rows)
    }

    /// Its name, for those who see something of it.
    pub async fn organization_name(&self, id: OrganizationId) -> Result<String> {
        let found = self.store().reader().await?.organization(id).await?;
        Ok(found.ok_or(NO_ORGANIZATION)?.name)
    }

    /// The organization with exactly this name, for the command line.
    pub async fn organization_by_name(&self, name: &str) -> Result<Organization> {
        self.store().reader().await?.organization_by_name(name).await?.ok_or(NO_ORGANIZATION)
    }

    /// Which organization the filter of a list means: by its number, or by its name, whole or,
    /// where no other's holds it, a part.
    pub async fn organization_meant(&self, text: &str) -> Result<Option<OrganizationId>> {
        if let Ok(id) = text.parse() {
            return Ok(Some(id));
        }
        let mut tx = self.store().reader().await?;
        if let Some(found) = tx.organization_by_name(text).await? {
            return Ok(Some(found.id));
        }
        let filter = PlaceFilter { text: Some(text.to_owned()), ..PlaceFilter::default() };
        let page = PageOf::first(PlaceSort::Name, MEANT_AMONG);
        let found = tx.organizations(&filter, page.sort, &page.rows()).await?;
        Ok(meant(found, text, |organization| vec![&organization.name]).map(|one| one.id))
    }

    /// A page of organizations.
    pub async fn organizations(
        &self,
        actor: &Actor,
        filter: PlaceFilter,
        page: &PageOf<PlaceSort>,
    ) -> Result<Slice<Organization>> {
        require_sight(actor)?;
        let mut tx = self.store().reader().await?;
        Ok(page.slice(tx.organizations(&filter, page.sort, &page.rows()).await?))
    }

    /// Organizations by name, at most `limit` from the place `skip` on.
    pub async fn organizations_from(
        &self,
        actor: &Actor,
        filter: &PlaceFilter,
        limit: u16,
        skip: u64,
    ) -> Result<Counted<Organization>> {
        require_sight(actor)?;
        let (rows, total) =
            self.store().reader().await?.organizations_from(filter, limit, skip).await?;
        Ok(Counted { rows, total })
    }

    /// Adds a domain to an organization; `validated` decides at once that it controls it.
    pub async fn add_domain(
        &self,
        actor: &Actor,
        name: &str,
        organization: OrganizationId,
        validated: bool,
    ) -> Result<DomainId> {
        require_administrator(actor, "Adding domains")?;
        let name = checked_domain(name)?;
        let token = SecretToken::random("")?;
        let (now, actor) = (self.clock().now(), actor.clone());
        self.store()
            .write(move |tx| {
                Box::pin(async move {
                    let owner = tx.organization(organization).await?.ok_or(NO_ORGANIZATION)?;
                    let id = tx
                        .insert_domain(organization, &name, token.reveal(), now)
                        .await?
                        .ok_or_else(|| {
                            LifecycleError::field(
                                "name",
                                format!("{} has the domain {name} already.", owner.name),
                            )
                        })?;
                    let entry = AuditEntry::new(
                        "domain.added",
                        "domain",
                        id,
                        format!("{name} added to {}", owner.name),
                    )
                    .changing(Value::Null, json!({"name": name, "organization": owner.name}));
                    audit::record(tx, now, &actor, entry).await?;
                    if validated {
                        let until = validity_end(tx, now, DOMAIN_DAYS).await?;
                        let validation = Some((until, DomainProof::Administrator));
                        tx.set_domain_validation(id, validation).await?;
                        let entry = domain_entry(id, &name, None, validation);
                        audit::record(tx, now, &actor, entry).await?;
                    }
                    Ok(id)
                })
            })
            .await
    }

    /// Notes that control of the domain was shown, good for as many days as the settings say. For
    /// [`DomainProof::DnsTxt`] and [`DomainProof::HttpFile`] the caller has found the token.
    pub async fn validate_domain(
        &self,
        actor: &Actor,
        id: DomainId,
        proof: DomainProof,
    ) -> Result<()> {
        self.decide_domain(actor, id, Some(proof)).await
    }

    /// Takes a domain's validation back.
    pub async fn invalidate_domain(&self, actor: &Actor, id: DomainId) -> Result<()> {
        self.decide_domain(actor, id, None).await
    }

    async fn decide_domain(
        &self,
        actor: &Actor,
        id: DomainId,
        proof: Option<DomainProof>,
    ) -> Result<()> {
        require_administrator(actor, "Validating domains")?;
        let (now, actor) = (self.clock().now(), actor.clone());
        self.store()
            .write(move |tx| {
                Box::pin(async move {
                    let before = tx.domain(id).await?.ok_or(NO_DOMAIN)?.domain;
                    let validation = match proof {
                        Some(proof) => {
                            check_proof(&before, proof, now)?;
                            Some((validity_end(tx, now, DOMAIN_DAYS).await?, proof))
                        }
                        None => None,
                    };
                    tx.set_domain_validation(id, validation).await?;
                    let entry = domain_entry(id, &before.name, before.validated_until, validation);
                    audit::record(tx, now, &actor, entry).await
                })
            })
            .await
    }

    /// One domain.
    pub async fn domain(&self, actor: &Actor, id: DomainId) -> Result<DomainRecord> {
        require_sight(actor)?;
        self.store().reader().await?.domain(id).await?.ok_or(NO_DOMAIN)
    }

    /// A page of domains.
    pub async fn domains(
        &self,
        actor: &Actor,
        filter: PlaceFilter,
        page: &PageOf<PlaceSort>,
    ) -> Result<Slice<DomainRecord>> {
        require_sight(actor)?;
        let mut tx = self.store().reader().await?;
        Ok(page.slice(tx.domains(&filter, page.sort, &page.rows()).await?))
    }

    /// Domains by name, at most `limit` from the place `skip` on.
    pub async fn domains_from(
        &self,
        actor: &Actor,
        filter: &PlaceFilter,
        limit: u16,
        skip: u64,
    ) -> Result<Counted<DomainRecord>> {
        require_sight(actor)?;
        let (rows, total) = self.store().reader().await?.domains_from(filter, limit, skip).await?;
        Ok(Counted { rows, total })
    }
}

const ORGANIZATION_DAYS: &str = "organization_validation_days";
const DOMAIN_DAYS: &str = "domain_validation_days";
/// Limited Users see their own orders only, and of organizations what they order for.
fn require_sight(actor: &Actor) -> Result<()> {
    match actor.role() {
        Some(Role::Limited) => Err(LifecycleError::Forbidden {
            what: "Looking at organizations and domains",
            needs: Role::Standard.label(),
        }),
        Some(_) => Ok(()),
        None => Err(LifecycleError::SignedOut),
    }
}

const NO_ORGANIZATION: LifecycleError = LifecycleError::NotFound { what: "organization" };
const NO_DOMAIN: LifecycleError = LifecycleError::NotFound { what: "domain" };

async fn validity_end(tx: &mut Tx, now: Timestamp, setting: &str) -> Result<Timestamp> {
    let days: Days = settings::snapshot(tx).await?.days(setting);
    Ok(now.plus(days))
}

fn organization_entry(
    id: OrganizationId,
    name: &str,
    before: Option<Timestamp>,
    after: Option<Timestamp>,
) -> AuditEntry {
    let (action, words) = match after {
        Some(_) => ("organization.validated", format!("{name} validated")),
        None => ("organization.validation_withdrawn", format!("Validation of {name} withdrawn")),
    };
    AuditEntry::new(action, "organization", id, words).changing(shown(before), shown(after))
}

fn domain_entry(
    id: DomainId,
    name: &DnsName,
    before: Option<Timestamp>,
    after: Option<(Timestamp, DomainProof)>,
) -> AuditEntry {
    let (action, words) = match after {
        Some((_, proof)) => {
            ("domain.validated", format!("Control of {name} confirmed by {}", proof.label()))
        }
        None => ("domain.validation_withdrawn", format!("Validation of {name} withdrawn")),
    };
    let until = after.map(|(until, _)| until);
    AuditEntry::new(action, "domain", id, words).changing(shown(before), shown(until))
}

fn shown(moment: Option<Timestamp>) -> Value {
    json!(moment.map(Timestamp::rfc3339))
}

fn checked_organization(new: &NewOrganization) -> Result<(String, String, Details)> {
    let name = new.name.split_whitespace().collect::<Vec<_>>().join(" ");
    let country = new.country.trim().to_ascii_uppercase();
    let mut faults = Vec::new();
    if name.is_empty() || !domain::is_line(&name, MAX_ORGANIZATION_NAME) {
        let message = format!(
            "Enter the organization's legal name, at most {MAX_ORGANIZATION_NAME} characters, none of them invisible."
        );
        faults.push(crate::FieldFault::new("name", message));
    }
    if !is_country(&country) {
        let message =
            "Enter the country as its two-letter code (ISO 3166), such as US or DE.".to_owned();
        faults.push(crate::FieldFault::new("country", message));
    }
    let details = Details::read(&new.locality, &new.registration_number, &mut faults);
    if faults.is_empty() {
        Ok((name, country, details))
    } else {
        Err(LifecycleError::Invalid(faults))
    }
}

fn checked_domain(name: &str) -> Result<DnsName> {
    let name =
        DnsName::parse(name).map_err(|error| LifecycleError::field("name", error.to_string()))?;
    if name.is_wildcard() {
        let message = format!(
            "Enter the domain without the wildcard: validated in the DNS, {} covers every name below it.",
            name.base()
        );
        return Err(LifecycleError::field("name", message));
    }
    Ok(name)
}

#[cfg(test)]
mod tests;
