//! Domains of organizations, and how control of them is shown.

use domain::model::{Domain, DomainProof};
use domain::{DnsName, DomainId, OrganizationId, Timestamp};
use sqlx::QueryBuilder;

use super::{PlaceFilter, PlaceSort, ValidationState};
use crate::kept::keep;
use crate::keyset::{Rows, push_rows, rows_from};
use crate::users::like;
use crate::value::{parse, parse_opt};
use crate::{StoreError, Tx, on};

/// Organizations with more domains are asked for those that are wanted, each time.
const MOST_KEPT: i64 = 100;

/// A domain with how its control is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainRecord {
    /// The domain.
    pub domain: Domain,
    /// The organization's name.
    pub organization_name: String,
    /// What has to be found in the DNS or under the well-known path.
    pub token: Option<String>,
    /// When the token was made.
    pub token_made_at: Timestamp,
    /// When it was added.
    pub created_at: Timestamp,
}

#[derive(sqlx::FromRow)]
struct DomainRow {
    id: i64,
    name: String,
    organization_id: i64,
    organization_name: String,
    validated_until: Option<i64>,
    method: Option<String>,
    token: Option<String>,
    token_made_at: i64,
    created_at: i64,
}

impl TryFrom<DomainRow> for DomainRecord {
    type Error = StoreError;
    fn try_from(row: DomainRow) -> Result<Self, StoreError> {
        Ok(Self {
            domain: Domain {
                id: DomainId(row.id),
                name: parse("domains.name", &row.name)?,
                organization: OrganizationId(row.organization_id),
                validated_until: row.validated_until.map(Timestamp),
                // Before a withdrawal took its method along, it stayed.
                proof: row.validated_until.and(parse_opt("domains.method", row.method.as_deref())?),
            },
            organization_name: row.organization_name,
            token: row.token,
            token_made_at: Timestamp(row.token_made_at),
            created_at: Timestamp(row.created_at),
        })
    }
}

const DOMAINS: &str = "SELECT d.id, d.name, d.organization_id, o.name AS organization_name, d.validated_until, \
                       d.method, d.token, d.token_made_at, d.created_at \
                       FROM domains d JOIN organizations o ON o.id = d.organization_id";

/// Appends the filter of domains.
macro_rules! push_domains {
    ($query:expr, $filter:expr) => {{
        let (query, filter): (_, &PlaceFilter) = (&mut $query, $filter);
        query.push(" WHERE 1 = 1");
        if let Some(organization) = filter.organization {
            query.push(" AND d.organization_id = ").push_bind(organization.0);
        }
        if let Some(text) = &filter.text {
            query.push(" AND d.name LIKE ").push_bind(like(text)).push(" ESCAPE '!'");
        }
        match filter.validation {
            Some(ValidationState::Current(now)) => {
                query.push(" AND d.validated_until >= ").push_bind(now.0);
            }
            Some(ValidationState::Wanted(now)) => {
                query.push(" AND COALESCE(d.validated_until, 0) < ").push_bind(now.0);
            }
            None => {}
        }
    }};
}

impl Tx {
    /// Adds a domain; none where the organization has it already.
    pub async fn insert_domain(
        &mut self,
        organization: OrganizationId,
        name: &DnsName,
        token: &str,
        now: Timestamp,
    ) -> Result<Option<DomainId>, StoreError> {
        let id: Option<i64> = on!(self, |conn| {
            sqlx::query_scalar(
                "INSERT INTO domains (organization_id, name, token, token_made_at, created_at) \
                 VALUES ($1, $2, $3, $4, $4) ON CONFLICT (organization_id, name) DO NOTHING RETURNING id",
            )
            .bind(organization.0)
            .bind(name.as_str())
            .bind(token)
            .bind(now.0)
            .fetch_optional(&mut *conn)
            .await?
        });
        Ok(id.map(DomainId))
    }

    /// Gives a domain another token.
    pub async fn set_domain_token(
        &mut self,
        id: DomainId,
        token: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query("UPDATE domains SET token = $2, token_made_at = $3 WHERE id = $1")
                .bind(id.0)
                .bind(token)
                .bind(now.0)
                .execute(&mut *conn)
                .await?;
        });
        Ok(())
    }

    /// One domain.
    pub async fn domain(&mut self, id: DomainId) -> Result<Option<DomainRecord>, StoreError> {
        let row: Option<DomainRow> = on!(self, |conn| {
            QueryBuilder::new(DOMAINS)
                .push(" WHERE d.id = ")
                .push_bind(id.0)
                .build_query_as()
                .fetch_optional(&mut *conn)
                .await?
        });
        row.map(DomainRecord::try_from).transpose()
    }

    /// Domains, sorted.
    pub async fn domains(
        &mut self,
        filter: &PlaceFilter,
        sort: PlaceSort,
        page: &Rows,
    ) -> Result<Vec<DomainRecord>, StoreError> {
        let rows: Vec<DomainRow> = on!(self, |conn| {
            let mut query = QueryBuilder::new(DOMAINS);
            push_domains!(query, filter);
            let column = match sort {
                PlaceSort::Name => "d.name",
                PlaceSort::ValidatedUntil => "COALESCE(d.validated_until, 0)",
            };
            push_rows!(query, column, "d.id", page);
            query.build_query_as().fetch_all(&mut *conn).await?
        });
        rows.into_iter().map(DomainRecord::try_from).collect()
    }

    /// Domains by name, at most `limit` from the place `skip` on, and how many there are.
    pub async fn domains_from(
        &mut self,
        filter: &PlaceFilter,
        limit: u16,
        skip: u64,
    ) -> Result<(Vec<DomainRecord>, u64), StoreError> {
        let (rows, total): (Vec<DomainRow>, u64) = rows_from!(
            self,
            DOMAINS,
            "domains d",
            push_domains,
            filter,
            "d.name, d.id",
            limit,
            skip
        );
        let rows = rows.into_iter().map(DomainRecord::try_from).collect::<Result<_, _>>()?;
        Ok((rows, total))
    }

    /// The organization's domains among `names`. At most some hundreds of names.
    pub async fn domains_named(
        &mut self,
        organization: OrganizationId,
        names: &[&str],
    ) -> Result<Vec<Domain>, StoreError> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        if let Some(all) = self.kept_domains(organization).await? {
            let wanted = |domain: &&Domain| names.contains(&domain.name.as_str());
            return Ok(all.iter().filter(wanted).cloned().collect());
        }
        let rows: Vec<DomainRow> = on!(self, |conn| {
            let mut query = QueryBuilder::new(DOMAINS);
            query
                .push(" WHERE d.organization_id = ")
                .push_bind(organization.0)
                .push(" AND d.name IN (");
            let mut list = query.separated(", ");
            for name in names {
                list.push_bind((*name).to_owned());
            }
            query.push(")");
            query.build_query_as().fetch_all(&mut *conn).await?
        });
        rows.into_iter()
            .map(|row| DomainRecord::try_from(row).map(|record| record.domain))
            .collect()
    }

    /// All domains of an organization, where this session keeps rows and they are not too many.
    async fn kept_domains(
        &mut self,
        organization: OrganizationId,
    ) -> Result<Option<&[Domain]>, StoreError> {
        let Some(kept) = self.kept() else { return Ok(None) };
        if !kept.domains.contains_key(&organization) {
            let filter = PlaceFilter { organization: Some(organization), ..PlaceFilter::default() };
            let page = Rows { beyond: None, descending: false, limit: MOST_KEPT + 1 };
            let records = self.domains(&filter, PlaceSort::Name, &page).await?;
            let few = i64::try_from(records.len()).is_ok_and(|found| found <= MOST_KEPT);
            let all = few.then(|| records.into_iter().map(|record| record.domain).collect());
            if let Some(kept) = self.kept() {
                keep(&mut kept.domains, organization, all);
            }
        }
        let kept = self.kept().and_then(|kept| kept.domains.get(&organization));
        Ok(kept.and_then(Option::as_deref))
    }

    /// Sets until when a domain's validation holds, and how control was shown; none takes it back.
    pub async fn set_domain_validation(
        &mut self,
        id: DomainId,
        validation: Option<(Timestamp, DomainProof)>,
    ) -> Result<(), StoreError> {
        let (until, proof) = validation.unzip();
        on!(self, |conn| {
            sqlx::query("UPDATE domains SET validated_until = $1, method = $2 WHERE id = $3")
                .bind(until.map(|until| until.0))
                .bind(proof.map(DomainProof::as_str))
                .bind(id.0)
                .execute(&mut *conn)
                .await?;
        });
        Ok(())
    }
}
