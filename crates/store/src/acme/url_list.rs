//! The list of ACME Directory URLs: filters, sorts and keyset pages.

use domain::{OrganizationId, ProductId};
use sqlx::QueryBuilder;

use super::urls::{AcmeUrlRecord, UrlRow};
use crate::keyset::{Key, Rows, push_rows};
use crate::users::like;
use crate::{StoreError, Tx, on};

/// Which URLs a list shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AcmeUrlFilter {
    /// In the name, in any case, or at the start of one of its KIDs.
    pub text: Option<String>,
    /// Of this product.
    pub product: Option<ProductId>,
    /// Of this organization.
    pub organization: Option<OrganizationId>,
    /// Revoked ones, or those in use.
    pub revoked: Option<bool>,
}

/// What the list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AcmeUrlSort {
    /// When they were made.
    #[default]
    Made,
    /// By name.
    Name,
    /// When a client last used them.
    LastUsed,
}

impl AcmeUrlSort {
    /// The key of a URL under this sort.
    pub fn key(self, line: &AcmeUrlLine) -> Key {
        match self {
            Self::Made => Key::Number(line.record.url.id.0),
            Self::Name => Key::Text(line.record.url.name.clone()),
            Self::LastUsed => Key::Number(line.record.last_used_at.map_or(0, |at| at.0)),
        }
    }

    const fn column(self) -> &'static str {
        match self {
            Self::Made => "u.id",
            Self::Name => "u.name",
            Self::LastUsed => "COALESCE(u.last_used_at, 0)",
        }
    }
}

/// A URL in the list.
#[derive(Debug, Clone)]
pub struct AcmeUrlLine {
    /// The URL.
    pub record: AcmeUrlRecord,
    /// The identifier of its newest key.
    pub kid: Option<String>,
    /// Its organization's name.
    pub organization: String,
}

#[derive(sqlx::FromRow)]
struct LineRow {
    #[sqlx(flatten)]
    url: UrlRow,
    kid: Option<String>,
    organization_name: String,
}

/// Keys of one second are told apart by their end: the newest has none.
const LINES: &str = "SELECT u.*, o.name AS organization_name, \
    (SELECT k.kid FROM acme_eab_keys k WHERE k.acme_url_id = u.id \
     ORDER BY k.created_at DESC, COALESCE(k.expires_at, 9223372036854775807) DESC LIMIT 1) AS kid \
    FROM acme_urls u JOIN organizations o ON o.id = u.organization_id WHERE 1 = 1";

impl Tx {
    /// URLs that the filter shows.
    pub async fn acme_url_lines(
        &mut self,
        filter: &AcmeUrlFilter,
        sort: AcmeUrlSort,
        page: &Rows,
    ) -> Result<Vec<AcmeUrlLine>, StoreError> {
        let rows: Vec<LineRow> = on!(self, |conn| {
            let mut query = QueryBuilder::new(LINES);
            if let Some(text) = &filter.text {
                let kid = text.trim().to_owned();
                query.push(" AND (LOWER(u.name) LIKE ").push_bind(like(text)).push(" ESCAPE '!'");
                query.push(" OR EXISTS (SELECT 1 FROM acme_eab_keys k WHERE k.acme_url_id = u.id");
                query.push(" AND k.kid >= ").push_bind(kid.clone());
                query.push(" AND k.kid < ").push_bind(format!("{kid}~")).push("))");
            }
            if let Some(product) = &filter.product {
                query.push(" AND u.product_id = ").push_bind(product.as_str().to_owned());
            }
            if let Some(organization) = filter.organization {
                query.push(" AND u.organization_id = ").push_bind(organization.0);
            }
            if let Some(revoked) = filter.revoked {
                let status = if revoked { "revoked" } else { "active" };
                query.push(" AND u.status = ").push_bind(status);
            }
            push_rows!(query, sort.column(), "u.id", page);
            query.build_query_as().fetch_all(&mut *conn).await?
        });
        let mut lines = Vec::with_capacity(rows.len());
        for row in rows {
            let (accounts, orders) = self.count_acme_url(row.url.id()).await?;
            let record = row.url.record(accounts, orders)?;
            lines.push(AcmeUrlLine { record, kid: row.kid, organization: row.organization_name });
        }
        Ok(lines)
    }
}
