//! Nonces that were used, where several nodes serve ACME (RFC 8555 section 6.5).

use domain::Timestamp;

use crate::{StoreError, Tx, on};

impl Tx {
    /// Remembers a nonce as used; false where it was used before.
    pub async fn spend_acme_nonce(
        &mut self,
        nonce: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let inserted = on!(self, |conn| {
            sqlx::query("INSERT INTO acme_nonces (nonce, created_at) VALUES ($1, $2) ON CONFLICT (nonce) DO NOTHING")
                .bind(nonce)
                .bind(now.0)
                .execute(&mut *conn)
                .await?
                .rows_affected()
        });
        Ok(inserted == 1)
    }

    /// Forgets used nonces from before `before`; they are refused for their age.
    pub async fn forget_acme_nonces(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        Ok(on!(self, |conn| {
            sqlx::query("DELETE FROM acme_nonces WHERE created_at < $1")
                .bind(before.0)
                .execute(&mut *conn)
                .await?
                .rows_affected()
        }))
    }
}
