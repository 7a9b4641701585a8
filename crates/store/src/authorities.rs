//! The embedded authority as it is kept, and the CRLs that it published.

use domain::Timestamp;

use crate::{StoreError, Tx, on};

/// One CA certificate with its sealed key.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct AuthorityRow {
    /// SHA-256 of the certificate, lower-case hex.
    pub id: String,
    /// `root` or `intermediate`.
    pub kind: String,
    /// The certificate; for an intermediate that was brought in, with the chain above it.
    pub certificate_pem: String,
    /// The private key, encrypted under the master key.
    pub sealed_key: Option<Vec<u8>>,
    /// Whether it is the one that issues now.
    pub active: bool,
}

/// A published CRL.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct CrlRow {
    /// Its number (RFC 5280 section 5.2.3).
    pub number: i64,
    /// Its bytes.
    pub der: Vec<u8>,
    /// When it was made: seconds since 1970.
    this_update: i64,
    /// When the next one is there at the latest: seconds since 1970.
    next_update: i64,
    /// Whether a certificate was revoked after it was made.
    pub outdated: bool,
}

impl CrlRow {
    /// When it was made.
    pub const fn this_update(&self) -> Timestamp {
        Timestamp(self.this_update)
    }

    /// When the next one is there at the latest.
    pub const fn next_update(&self) -> Timestamp {
        Timestamp(self.next_update)
    }
}

impl Tx {
    /// The active CA certificates: none before the first start, else one of each kind.
    pub async fn active_authorities(&mut self) -> Result<Vec<AuthorityRow>, StoreError> {
        Ok(on!(self, |conn| {
            sqlx::query_as(
                "SELECT id, kind, certificate_pem, sealed_key, active FROM authorities \
                 WHERE active ORDER BY kind DESC",
            )
            .fetch_all(&mut *conn)
            .await?
        }))
    }

    /// One CA certificate, active or not: a former issuer still answers for its certificates.
    pub async fn authority(&mut self, id: &str) -> Result<Option<AuthorityRow>, StoreError> {
        Ok(on!(self, |conn| {
            sqlx::query_as(
                "SELECT id, kind, certificate_pem, sealed_key, active FROM authorities WHERE id = $1",
            )
            .bind(id)
            .fetch_optional(&mut *conn)
            .await?
        }))
    }

    /// Inserts a CA certificate as an active one.
    pub async fn insert_authority(
        &mut self,
        row: &AuthorityRow,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query(
                "INSERT INTO authorities (id, kind, certificate_pem, sealed_key, created_at, active) \
                 VALUES ($1, $2, $3, $4, $5, TRUE)",
            )
            .bind(&row.id)
            .bind(&row.kind)
            .bind(&row.certificate_pem)
            .bind(row.sealed_key.as_deref())
            .bind(now.0)
            .execute(&mut *conn)
            .await?;
        });
        Ok(())
    }

    /// Retires all active CA certificates, before others take their place.
    pub async fn retire_authorities(&mut self) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query("UPDATE authorities SET active = FALSE WHERE active")
                .execute(&mut *conn)
                .await?;
        });
        Ok(())
    }

    /// The newest CRL of an issuer.
    pub async fn latest_crl(&mut self, issuer: &str) -> Result<Option<CrlRow>, StoreError> {
        Ok(on!(self, |conn| {
            sqlx::query_as(
                "SELECT c.number, c.der, c.this_update, c.next_update, a.crl_outdated AS outdated \
                 FROM crls c JOIN authorities a ON a.id = c.issuer_id WHERE c.issuer_id = $1 \
                 ORDER BY c.number DESC LIMIT 1",
            )
            .bind(issuer)
            .fetch_optional(&mut *conn)
            .await?
        }))
    }

    /// Keeps a CRL; false where another node was first with this number. Older ones are dropped.
    pub async fn insert_crl(
        &mut self,
        issuer: &str,
        number: i64,
        der: &[u8],
        this_update: Timestamp,
        next_update: Timestamp,
    ) -> Result<bool, StoreError> {
        let inserted = on!(self, |conn| {
            sqlx::query("DELETE FROM crls WHERE issuer_id = $1 AND number < $2 - 1")
                .bind(issuer)
                .bind(number)
                .execute(&mut *conn)
                .await?;
            sqlx::query(
                "INSERT INTO crls (issuer_id, number, der, this_update, next_update) \
                 VALUES ($1, $2, $3, $4, $5) ON CONFLICT (issuer_id, number) DO NOTHING",
            )
            .bind(issuer)
            .bind(number)
            .bind(der)
            .bind(this_update.0)
            .bind(next_update.0)
            .execute(&mut *conn)
            .await?
            .rows_affected()
        });
        Ok(inserted == 1)
    }
}
