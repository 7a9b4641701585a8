//! ACME Directory URLs and the external account binding keys that belong to them.

use domain::model::AcmeUrl;
use domain::{
    AcmeAccountId, AcmeUrlId, Days, DnsName, OrganizationId, ProductId, Timestamp, UserId,
};

use super::COUNT_LIMIT;
use crate::kept::keep;
use crate::value::{from_json, small, to_json};
use crate::{StoreError, Tx, on};

/// A URL's use is noted once in so many seconds.
const USE_NOTED: i64 = 60;

/// An ACME Directory URL with what its page shows beside it.
#[derive(Debug, Clone)]
pub struct AcmeUrlRecord {
    /// The URL.
    pub url: AcmeUrl,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: Option<UserId>,
    /// When it was revoked, for good.
    pub revoked_at: Option<Timestamp>,
    /// When a client last used it.
    pub last_used_at: Option<Timestamp>,
    /// Its accounts, counted up to [`COUNT_LIMIT`].
    pub accounts: i64,
    /// Its ACME orders, counted up to [`COUNT_LIMIT`].
    pub orders: i64,
}

/// A URL to be inserted.
#[derive(Debug, Clone)]
pub struct NewAcmeUrlRow {
    /// The URL; its id is not looked at.
    pub url: AcmeUrl,
    /// When.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: Option<UserId>,
}

/// A binding key, sealed.
#[derive(Debug, Clone)]
pub struct BindingKey {
    /// The key identifier.
    pub kid: String,
    /// The URL that it belongs to.
    pub url: AcmeUrlId,
    /// The MAC key, encrypted under the master key.
    pub sealed_key: Vec<u8>,
    /// A replaced key works until then.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// A binding key as pages show it: without the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BindingKeyRecord {
    /// The key identifier.
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

#[derive(sqlx::FromRow)]
#[expect(clippy::struct_excessive_bools, reason = "the row of four independent permissions")]
pub(super) struct UrlRow {
    id: i64,
    name: String,
    product_id: String,
    organization_id: i64,
    coverage_years: Option<i64>,
    validity_days: Option<i64>,
    key_types: String,
    allowed_domains: String,
    may_renew: bool,
    may_reissue: bool,
    may_duplicate: bool,
    duplicate_automatically: bool,
    created_at: i64,
    created_by: Option<i64>,
    revoked_at: Option<i64>,
    last_used_at: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct KeyRow {
    kid: String,
    acme_url_id: i64,
    sealed_key: Vec<u8>,
    created_at: i64,
    expires_at: Option<i64>,
    revoked_at: Option<i64>,
    last_used_at: Option<i64>,
}

impl UrlRow {
    pub(super) const fn id(&self) -> AcmeUrlId {
        AcmeUrlId(self.id)
    }

    fn url(&self) -> Result<AcmeUrl, StoreError> {
        let years = self
            .coverage_years
            .map(|years| small("acme_urls.coverage_years", years))
            .transpose()?;
        Ok(AcmeUrl {
            id: AcmeUrlId(self.id),
            name: self.name.clone(),
            product: ProductId(self.product_id.clone()),
            organization: OrganizationId(self.organization_id),
            coverage_years: years,
            validity_days: self.validity_days.map(Days),
            key_types: from_json("acme_urls.key_types", &self.key_types)?,
            allowed_domains: from_json::<Vec<DnsName>>(
                "acme_urls.allowed_domains",
                &self.allowed_domains,
            )?,
            may_renew: self.may_renew,
            may_reissue: self.may_reissue,
            may_duplicate: self.may_duplicate,
            duplicate_automatically: self.duplicate_automatically,
        })
    }

    pub(super) fn record(&self, accounts: i64, orders: i64) -> Result<AcmeUrlRecord, StoreError> {
        Ok(AcmeUrlRecord {
            url: self.url()?,
            created_at: Timestamp(self.created_at),
            created_by: self.created_by.map(UserId),
            revoked_at: self.revoked_at.map(Timestamp),
            last_used_at: self.last_used_at.map(Timestamp),
            accounts,
            orders,
        })
    }
}

impl Tx {
    /// Inserts a URL; [`StoreError::Unique`] on `acme_urls.name` where the name is taken.
    pub async fn insert_acme_url(&mut self, new: &NewAcmeUrlRow) -> Result<AcmeUrlId, StoreError> {
        let url = &new.url;
        let key_types = to_json("acme_urls.key_types", &url.key_types)?;
        let domains = to_json("acme_urls.allowed_domains", &url.allowed_domains)?;
        let id: i64 = on!(self, |conn| {
            sqlx::query_scalar(
                "INSERT INTO acme_urls (name, product_id, organization_id, coverage_years, validity_days, \
                 key_types, allowed_domains, may_renew, may_reissue, may_duplicate, \
                 duplicate_automatically, status, created_at, created_by) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'active', $12, $13) RETURNING id",
            )
            .bind(&url.name)
            .bind(url.product.as_str())
            .bind(url.organization.0)
            .bind(url.coverage_years.map(i64::from))
            .bind(url.validity_days.map(|days| days.0))
            .bind(&key_types)
            .bind(&domains)
            .bind(url.may_renew)
            .bind(url.may_reissue)
            .bind(url.may_duplicate)
            .bind(url.duplicate_automatically)
            .bind(new.created_at.0)
            .bind(new.created_by.map(|user| user.0))
            .fetch_one(&mut *conn)
            .await?
        });
        Ok(AcmeUrlId(id))
    }

    /// One URL, where it was not revoked.
    pub async fn active_acme_url(&mut self, id: AcmeUrlId) -> Result<Option<AcmeUrl>, StoreError> {
        let row: Option<UrlRow> = on!(self, |conn| {
            sqlx::query_as("SELECT * FROM acme_urls WHERE id = $1 AND status = 'active'")
                .bind(id.0)
                .fetch_optional(&mut *conn)
                .await?
        });
        row.map(|row| row.url()).transpose()
    }

    /// The URL of an account, where neither was given up and the account still has this key.
    pub async fn acme_url_of_account(
        &mut self,
        account: AcmeAccountId,
        thumbprint: &str,
    ) -> Result<Option<AcmeUrl>, StoreError> {
        let key = (account, thumbprint.to_owned());
        if let Some(kept) = self.kept().and_then(|kept| kept.urls.get(&key).cloned()) {
            return Ok(Some(kept));
        }
        let row: Option<UrlRow> = on!(self, |conn| {
            sqlx::query_as(
                "SELECT u.* FROM acme_accounts a JOIN acme_urls u ON u.id = a.acme_url_id \
                 WHERE a.id = $1 AND a.thumbprint = $2 AND a.status = 'valid' AND u.status = 'active'",
            )
            .bind(account.0)
            .bind(thumbprint)
            .fetch_optional(&mut *conn)
            .await?
        });
        let url = row.map(|row| row.url()).transpose()?;
        if let Some((kept, url)) = self.kept().zip(url.as_ref()) {
            keep(&mut kept.urls, key, url.clone());
        }
        Ok(url)
    }

    /// One URL by its name, revoked or not.
    pub async fn acme_url_by_name(&mut self, name: &str) -> Result<Option<AcmeUrl>, StoreError> {
        let row: Option<UrlRow> = on!(self, |conn| {
            sqlx::query_as("SELECT * FROM acme_urls WHERE name = $1")
                .bind(name)
                .fetch_optional(&mut *conn)
                .await?
        });
        row.map(|row| row.url()).transpose()
    }

    /// One URL with what its page shows.
    pub async fn acme_url_record(
        &mut self,
        id: AcmeUrlId,
    ) -> Result<Option<AcmeUrlRecord>, StoreError> {
        let row: Option<UrlRow> = on!(self, |conn| {
            sqlx::query_as("SELECT * FROM acme_urls WHERE id = $1")
                .bind(id.0)
                .fetch_optional(&mut *conn)
                .await?
        });
        let Some(row) = row else { return Ok(None) };
        let (accounts, orders) = self.count_acme_url(id).await?;
        row.record(accounts, orders).map(Some)
    }

    /// The name of one URL, and that of the person who made it.
    pub async fn acme_url_maker(
        &mut self,
        id: AcmeUrlId,
    ) -> Result<Option<(String, Option<String>)>, StoreError> {
        Ok(on!(self, |conn| {
            sqlx::query_as(
                "SELECT url.name, maker.name FROM acme_urls url \
                 LEFT JOIN users maker ON maker.id = url.created_by WHERE url.id = $1",
            )
            .bind(id.0)
            .fetch_optional(&mut *conn)
            .await?
        }))
    }

    /// A page of URLs by id, newest first, from the one before `before` on.
    pub async fn acme_url_page(
        &mut self,
        before: Option<AcmeUrlId>,
        limit: i64,
    ) -> Result<Vec<AcmeUrlRecord>, StoreError> {
        let rows: Vec<UrlRow> = on!(self, |conn| {
            sqlx::query_as("SELECT * FROM acme_urls WHERE id < $1 ORDER BY id DESC LIMIT $2")
                .bind(before.map_or(i64::MAX, |id| id.0))
                .bind(limit)
                .fetch_all(&mut *conn)
                .await?
        });
        let mut records = Vec::with_capacity(rows.len());
        for row in rows {
            let (accounts, orders) = self.count_acme_url(AcmeUrlId(row.id)).await?;
            records.push(row.record(accounts, orders)?);
        }
        Ok(records)
    }

    pub(super) async fn count_acme_url(&mut self, id: AcmeUrlId) -> Result<(i64, i64), StoreError> {
        Ok(on!(self, |conn| {
            sqlx::query_as(
                "SELECT (SELECT count(*) FROM (SELECT 1 AS one FROM acme_accounts WHERE acme_url_id = $1 LIMIT $2) a), \
                 (SELECT count(*) FROM (SELECT 1 AS one FROM acme_orders WHERE acme_url_id = $1 LIMIT $2) o)",
            )
            .bind(id.0)
            .bind(COUNT_LIMIT)
            .fetch_one(&mut *conn)
            .await?
        }))
    }

    /// Keeps others who make accounts of a URL, or revoke it, waiting until this transaction ends:
    /// a revocation ends all accounts, and none may be made beside it.
    pub async fn lock_acme_url(&mut self, id: AcmeUrlId) -> Result<(), StoreError> {
        self.lock(&format!("acme-url/{id}")).await
    }

    /// Revokes a URL with its keys and its accounts, for good; false where it was revoked before.
    pub async fn revoke_acme_url(
        &mut self,
        id: AcmeUrlId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.lock_acme_url(id).await?;
        let changed = on!(self, |conn| {
            let changed = sqlx::query("UPDATE acme_urls SET status = 'revoked', revoked_at = $2 WHERE id = $1 AND status = 'active'")
                .bind(id.0)
                .bind(now.0)
                .execute(&mut *conn)
                .await?
                .rows_affected();
            sqlx::query("UPDATE acme_eab_keys SET revoked_at = $2 WHERE acme_url_id = $1 AND revoked_at IS NULL")
                .bind(id.0)
                .bind(now.0)
                .execute(&mut *conn)
                .await?;
            sqlx::query("UPDATE acme_accounts SET status = 'revoked' WHERE acme_url_id = $1 AND status = 'valid'")
                .bind(id.0)
                .execute(&mut *conn)
                .await?;
            changed
        });
        Ok(changed > 0)
    }

    /// Notes that a client used a URL, at most once a minute.
    pub async fn touch_acme_url(
        &mut self,
        id: AcmeUrlId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let noted = self.kept().and_then(|kept| kept.used.get(&id).copied());
        if noted.is_some_and(|noted| (noted..noted.plus_seconds(USE_NOTED)).contains(&now)) {
            return Ok(());
        }
        on!(self, |conn| {
            sqlx::query("UPDATE acme_urls SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $3)")
                .bind(id.0)
                .bind(now.0)
                .bind(now.0.saturating_sub(USE_NOTED))
                .execute(&mut *conn)
                .await?;
        });
        if let Some(kept) = self.kept() {
            keep(&mut kept.used, id, now);
        }
        Ok(())
    }

    /// Inserts a binding key.
    pub async fn insert_binding_key(
        &mut self,
        key: &BindingKey,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query("INSERT INTO acme_eab_keys (kid, acme_url_id, sealed_key, created_at) VALUES ($1, $2, $3, $4)")
                .bind(&key.kid)
                .bind(key.url.0)
                .bind(&key.sealed_key)
                .bind(now.0)
                .execute(&mut *conn)
                .await?;
        });
        Ok(())
    }

    /// A binding key by its identifier, usable or not.
    pub async fn binding_key(&mut self, kid: &str) -> Result<Option<BindingKey>, StoreError> {
        let row: Option<KeyRow> = on!(self, |conn| {
            sqlx::query_as("SELECT * FROM acme_eab_keys WHERE kid = $1")
                .bind(kid)
                .fetch_optional(&mut *conn)
                .await?
        });
        Ok(row.map(|row| BindingKey {
            kid: row.kid,
            url: AcmeUrlId(row.acme_url_id),
            sealed_key: row.sealed_key,
            expires_at: row.expires_at.map(Timestamp),
            revoked_at: row.revoked_at.map(Timestamp),
        }))
    }

    /// The binding keys of a URL, newest first.
    pub async fn binding_keys(
        &mut self,
        url: AcmeUrlId,
    ) -> Result<Vec<BindingKeyRecord>, StoreError> {
        let rows: Vec<KeyRow> = on!(self, |conn| {
            sqlx::query_as(
                "SELECT * FROM acme_eab_keys WHERE acme_url_id = $1 ORDER BY created_at DESC, kid",
            )
            .bind(url.0)
            .fetch_all(&mut *conn)
            .await?
        });
        Ok(rows
            .into_iter()
            .map(|row| BindingKeyRecord {
                kid: row.kid,
                created_at: Timestamp(row.created_at),
                expires_at: row.expires_at.map(Timestamp),
                revoked_at: row.revoked_at.map(Timestamp),
                last_used_at: row.last_used_at.map(Timestamp),
            })
            .collect())
    }

    /// Lets all keys of a URL that have no end yet work until `until` only.
    pub async fn expire_binding_keys(
        &mut self,
        url: AcmeUrlId,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query(
                "UPDATE acme_eab_keys SET expires_at = $2 WHERE acme_url_id = $1 \
                 AND (expires_at IS NULL OR expires_at > $2)",
            )
            .bind(url.0)
            .bind(until.0)
            .execute(&mut *conn)
            .await?;
        });
        Ok(())
    }

    /// Notes that an account was bound with a key.
    pub async fn touch_binding_key(&mut self, kid: &str, now: Timestamp) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query("UPDATE acme_eab_keys SET last_used_at = $2 WHERE kid = $1")
                .bind(kid)
                .bind(now.0)
                .execute(&mut *conn)
                .await?;
        });
        Ok(())
    }
}
