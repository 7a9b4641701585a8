//! ACME accounts (RFC 8555 section 7.1.2).

use domain::model::acme::{AccountStatus, AcmeAccount};
use domain::{AcmeAccountId, AcmeUrlId, Timestamp};

use crate::value::{from_json, parse, to_json};
use crate::{StoreError, Tx, on};

/// An account to be inserted.
#[derive(Debug, Clone)]
pub struct NewAcmeAccount {
    /// The URL whose credential it is bound to.
    pub url: AcmeUrlId,
    /// The binding key's identifier.
    pub kid: String,
    /// RFC 7638, base64url.
    pub thumbprint: String,
    /// Canonical JSON.
    pub jwk: String,
    /// `mailto:` URLs.
    pub contacts: Vec<String>,
    /// When the terms were agreed to.
    pub terms_agreed_at: Option<Timestamp>,
    /// When.
    pub created_at: Timestamp,
    /// Where the client was.
    pub address: Option<String>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    acme_url_id: Option<i64>,
    thumbprint: String,
    jwk: String,
    contacts: String,
    status: String,
    terms_agreed_at: Option<i64>,
    created_at: i64,
}

impl TryFrom<Row> for AcmeAccount {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let url = row
            .acme_url_id
            .ok_or_else(|| StoreError::corrupt("acme_accounts.acme_url_id is absent"))?;
        Ok(Self {
            id: AcmeAccountId(row.id),
            url: AcmeUrlId(url),
            status: parse("acme_accounts.status", &row.status)?,
            jwk: row.jwk,
            thumbprint: row.thumbprint,
            contacts: from_json("acme_accounts.contacts", &row.contacts)?,
            terms_agreed_at: row.terms_agreed_at.map(Timestamp),
            created_at: Timestamp(row.created_at),
        })
    }
}

impl Tx {
    /// Inserts an account; none where its key has one already.
    pub async fn insert_acme_account(
        &mut self,
        new: &NewAcmeAccount,
    ) -> Result<Option<AcmeAccountId>, StoreError> {
        let contacts = to_json("acme_accounts.contacts", &new.contacts)?;
        let id: Option<i64> = on!(self, |conn| {
            sqlx::query_scalar(
                "INSERT INTO acme_accounts (acme_url_id, kid, thumbprint, jwk, contacts, status, \
                 terms_agreed_at, created_at, address) VALUES ($1, $2, $3, $4, $5, 'valid', $6, $7, $8) \
                 ON CONFLICT (thumbprint) DO NOTHING RETURNING id",
            )
            .bind(new.url.0)
            .bind(&new.kid)
            .bind(&new.thumbprint)
            .bind(&new.jwk)
            .bind(&contacts)
            .bind(new.terms_agreed_at.map(|at| at.0))
            .bind(new.created_at.0)
            .bind(new.address.as_deref())
            .fetch_optional(&mut *conn)
            .await?
        });
        Ok(id.map(AcmeAccountId))
    }

    /// One account.
    pub async fn acme_account(
        &mut self,
        id: AcmeAccountId,
    ) -> Result<Option<AcmeAccount>, StoreError> {
        let row: Option<Row> = on!(self, |conn| {
            sqlx::query_as("SELECT * FROM acme_accounts WHERE id = $1")
                .bind(id.0)
                .fetch_optional(&mut *conn)
                .await?
        });
        row.map(AcmeAccount::try_from).transpose()
    }

    /// The account with this key.
    pub async fn acme_account_by_thumbprint(
        &mut self,
        thumbprint: &str,
    ) -> Result<Option<AcmeAccount>, StoreError> {
        let row: Option<Row> = on!(self, |conn| {
            sqlx::query_as("SELECT * FROM acme_accounts WHERE thumbprint = $1")
                .bind(thumbprint)
                .fetch_optional(&mut *conn)
                .await?
        });
        row.map(AcmeAccount::try_from).transpose()
    }

    /// A page of a URL's accounts, newest first, from the one before `before` on.
    pub async fn acme_accounts_of_url(
        &mut self,
        url: AcmeUrlId,
        before: Option<AcmeAccountId>,
        limit: i64,
    ) -> Result<Vec<AcmeAccount>, StoreError> {
        let rows: Vec<Row> = on!(self, |conn| {
            sqlx::query_as("SELECT * FROM acme_accounts WHERE acme_url_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3")
                .bind(url.0)
                .bind(before.map_or(i64::MAX, |id| id.0))
                .bind(limit)
                .fetch_all(&mut *conn)
                .await?
        });
        rows.into_iter().map(AcmeAccount::try_from).collect()
    }

    /// Changes a valid account's contacts.
    pub async fn set_acme_contacts(
        &mut self,
        id: AcmeAccountId,
        contacts: &[String],
    ) -> Result<(), StoreError> {
        let contacts = to_json("acme_accounts.contacts", contacts)?;
        on!(self, |conn| {
            sqlx::query(
                "UPDATE acme_accounts SET contacts = $2 WHERE id = $1 AND status = 'valid'",
            )
            .bind(id.0)
            .bind(&contacts)
            .execute(&mut *conn)
            .await?;
        });
        Ok(())
    }

    /// Changes a valid account's status; false where it was not valid.
    pub async fn set_acme_account_status(
        &mut self,
        id: AcmeAccountId,
        status: AccountStatus,
    ) -> Result<bool, StoreError> {
        let changed = on!(self, |conn| {
            sqlx::query("UPDATE acme_accounts SET status = $2 WHERE id = $1 AND status = 'valid'")
                .bind(id.0)
                .bind(status.as_str())
                .execute(&mut *conn)
                .await?
                .rows_affected()
        });
        Ok(changed > 0)
    }

    /// Replaces a valid account's key if it still is the one with `old` as its thumbprint; false
    /// where it is not. [`StoreError::Unique`] on `acme_accounts.thumbprint` where another
    /// account has the new key.
    pub async fn set_acme_account_key(
        &mut self,
        id: AcmeAccountId,
        old: &str,
        jwk: &str,
        thumbprint: &str,
    ) -> Result<bool, StoreError> {
        let changed = on!(self, |conn| {
            sqlx::query(
                "UPDATE acme_accounts SET jwk = $3, thumbprint = $4 \
                 WHERE id = $1 AND thumbprint = $2 AND status = 'valid'",
            )
            .bind(id.0)
            .bind(old)
            .bind(jwk)
            .bind(thumbprint)
            .execute(&mut *conn)
            .await?
            .rows_affected()
        });
        Ok(changed > 0)
    }
}
