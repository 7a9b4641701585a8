//! Organizations, and what lists of them and of their domains show.

use domain::model::Organization;
use domain::{OrganizationId, Timestamp};
use sqlx::QueryBuilder;

use crate::kept::keep;
use crate::keyset::{Key, Rows, push_rows, rows_from};
use crate::users::like;
use crate::{StoreError, Tx, on};

mod domains;

pub use domains::DomainRecord;

/// Which validation a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValidationState {
    /// Current at this moment.
    Current(Timestamp),
    /// Never validated, or expired at this moment.
    Wanted(Timestamp),
}

/// Which organizations or domains a list shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlaceFilter {
    /// In the name, in any case.
    pub text: Option<String>,
    /// Domains of this organization.
    pub organization: Option<OrganizationId>,
    /// By validation.
    pub validation: Option<ValidationState>,
}

/// What organizations and domains are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PlaceSort {
    /// By name.
    #[default]
    Name,
    /// By the end of their validation.
    ValidatedUntil,
}

impl PlaceSort {
    /// The key of an organization under this sort.
    pub fn of_organization(self, organization: &Organization) -> Key {
        self.key(&organization.name, organization.validated_until)
    }

    /// The key of a domain under this sort.
    pub fn of_domain(self, record: &DomainRecord) -> Key {
        self.key(record.domain.name.as_str(), record.domain.validated_until)
    }

    fn key(self, name: &str, validated_until: Option<Timestamp>) -> Key {
        match self {
            Self::Name => Key::Text(name.to_owned()),
            Self::ValidatedUntil => Key::Number(validated_until.map_or(0, |until| until.0)),
        }
    }
}

#[derive(sqlx::FromRow)]
struct OrganizationRow {
    id: i64,
    name: String,
    country: String,
    locality: Option<String>,
    registration_number: Option<String>,
    validated_until: Option<i64>,
}

impl From<OrganizationRow> for Organization {
    fn from(row: OrganizationRow) -> Self {
        Self {
            id: OrganizationId(row.id),
            name: row.name,
            country: row.country,
            locality: row.locality,
            registration_number: row.registration_number,
            validated_until: row.validated_until.map(Timestamp),
        }
    }
}

const ORGANIZATIONS: &str =
    "SELECT id, name, country, locality, registration_number, validated_until FROM organizations";

/// Appends the filter of organizations.
macro_rules! push_organizations {
    ($query:expr, $filter:expr) => {{
        let (query, filter): (_, &PlaceFilter) = (&mut $query, $filter);
        query.push(" WHERE 1 = 1");
        if let Some(text) = &filter.text {
            query.push(" AND LOWER(name) LIKE ").push_bind(like(text)).push(" ESCAPE '!'");
        }
        match filter.validation {
            Some(ValidationState::Current(now)) => {
                query.push(" AND validated_until >= ").push_bind(now.0);
            }
            Some(ValidationState::Wanted(now)) => {
                query.push(" AND COALESCE(validated_until, 0) < ").push_bind(now.0);
            }
            None => {}
        }
    }};
}

impl Tx {
    /// Keeps what OV and EV certificates say of an organization besides name and country.
    pub async fn set_organization_details(
        &mut self,
        id: OrganizationId,
        locality: Option<&str>,
        registration_number: Option<&str>,
    ) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query(
                "UPDATE organizations SET locality = $2, registration_number = $3 WHERE id = $1",
            )
            .bind(id.0)
            .bind(locality)
            .bind(registration_number)
            .execute(&mut *conn)
            .await?;
        });
        Ok(())
    }

    /// Adds an organization; none where the name is taken.
    pub async fn insert_organization(
        &mut self,
        name: &str,
        country: &str,
        validated_until: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Option<OrganizationId>, StoreError> {
        let id: Option<i64> = on!(self, |conn| {
            sqlx::query_scalar(
                "INSERT INTO organizations (name, country, validated_until, created_at) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (name) DO NOTHING RETURNING id",
            )
            .bind(name)
            .bind(country)
            .bind(validated_until.map(|until| until.0))
            .bind(now.0)
            .fetch_optional(&mut *conn)
            .await?
        });
        Ok(id.map(OrganizationId))
    }

    /// One organization.
    pub async fn organization(
        &mut self,
        id: OrganizationId,
    ) -> Result<Option<Organization>, StoreError> {
        if let Some(kept) = self.kept().and_then(|kept| kept.organizations.get(&id).cloned()) {
            return Ok(Some(kept));
        }
        let row: Option<OrganizationRow> = on!(self, |conn| {
            QueryBuilder::new(ORGANIZATIONS)
                .push(" WHERE id = ")
                .push_bind(id.0)
                .build_query_as()
                .fetch_optional(&mut *conn)
                .await?
        });
        let organization = row.map(Organization::from);
        if let Some((kept, organization)) = self.kept().zip(organization.as_ref()) {
            keep(&mut kept.organizations, id, organization.clone());
        }
        Ok(organization)
    }

    /// The organization with exactly this name.
    pub async fn organization_by_name(
        &mut self,
        name: &str,
    ) -> Result<Option<Organization>, StoreError> {
        let row: Option<OrganizationRow> = on!(self, |conn| {
            QueryBuilder::new(ORGANIZATIONS)
                .push(" WHERE name = ")
                .push_bind(name.to_owned())
                .build_query_as()
                .fetch_optional(&mut *conn)
                .await?
        });
        Ok(row.map(Organization::from))
    }

    /// Organizations, sorted.
    pub async fn organizations(
        &mut self,
        filter: &PlaceFilter,
        sort: PlaceSort,
        page: &Rows,
    ) -> Result<Vec<Organization>, StoreError> {
        let rows: Vec<OrganizationRow> = on!(self, |conn| {
            let mut query = QueryBuilder::new(ORGANIZATIONS);
            push_organizations!(query, filter);
            let column = match sort {
                PlaceSort::Name => "name",
                PlaceSort::ValidatedUntil => "COALESCE(validated_until, 0)",
            };
            push_rows!(query, column, "id", page);
            query.build_query_as().fetch_all(&mut *conn).await?
        });
        Ok(rows.into_iter().map(Organization::from).collect())
    }

    /// Organizations by name, at most `limit` from the place `skip` on, and how many there are.
    pub async fn organizations_from(
        &mut self,
        filter: &PlaceFilter,
        limit: u16,
        skip: u64,
    ) -> Result<(Vec<Organization>, u64), StoreError> {
        let (rows, total): (Vec<OrganizationRow>, u64) = rows_from!(
            self,
            ORGANIZATIONS,
            "organizations",
            push_organizations,
            filter,
            "name, id",
            limit,
            skip
        );
        Ok((rows.into_iter().map(Organization::from).collect(), total))
    }

    /// Sets until when an organization's validation holds; none takes it back.
    pub async fn set_organization_validation(
        &mut self,
        id: OrganizationId,
        until: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query("UPDATE organizations SET validated_until = $1 WHERE id = $2")
                .bind(until.map(|until| until.0))
                .bind(id.0)
                .execute(&mut *conn)
                .await?;
        });
        Ok(())
    }
}
