//! Nonces that were used, where several nodes serve ACME (RFC 8555 section 6.5).

use domain::Timestamp;

use crate::open::Backend;
use crate::{Store, StoreError, Tx, WORK_LIMIT, on};

impl Store {
    /// Remembers a nonce as used; false where it was used before.
    ///
    /// Each signed request spends one, so on PostgreSQL this is one statement that does not wait
    /// for the disk. Other nodes see it at once. What the request then changes is written behind
    /// it in the same log: a crash may forget the nonce of a request that only read, never of one
    /// that had an effect.
    pub async fn spend_acme_nonce(&self, nonce: &str, now: Timestamp) -> Result<bool, StoreError> {
        let nonce = nonce.to_owned();
        let Backend::Postgres { writers, .. } = self.backend() else {
            return self
                .write(move |tx| Box::pin(async move { tx.spend_acme_nonce(&nonce, now).await }))
                .await;
        };
        let insert = sqlx::query(
            "INSERT INTO acme_nonces (nonce, created_at) \
             SELECT $1, $2 FROM set_config('synchronous_commit', 'off', true) \
             ON CONFLICT (nonce) DO NOTHING",
        )
        .bind(nonce)
        .bind(now.0)
        .execute(writers);
        match tokio::time::timeout(WORK_LIMIT, insert).await {
            Ok(inserted) => Ok(inserted?.rows_affected() == 1),
            Err(_) => Err(StoreError::TookTooLong),
        }
    }
}

impl Tx {
    async fn spend_acme_nonce(&mut self, nonce: &str, now: Timestamp) -> Result<bool, StoreError> {
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

#[cfg(test)]
mod tests {
    use futures::future::join_all;

    use super::*;
    use crate::StoreOptions;
    use crate::testing::{TestDatabase, databases, postgres};

    const NOW: Timestamp = Timestamp(1_800_000_000);

    #[tokio::test]
    async fn a_nonce_is_spent_once_until_it_is_forgotten() {
        for TestDatabase { kind, store, .. } in databases().await {
            let spent = join_all((0..8).map(|_| store.spend_acme_nonce("a", NOW))).await;
            let good = spent.iter().filter(|spent| matches!(spent, Ok(true))).count();
            assert_eq!((good, spent.iter().all(Result::is_ok)), (1, true), "{kind}");
            assert!(store.spend_acme_nonce("b", NOW.plus_seconds(1)).await.unwrap(), "{kind}");
            let forgotten = store
                .write::<u64, StoreError, _>(|tx| {
                    Box::pin(async move { tx.forget_acme_nonces(NOW.plus_seconds(1)).await })
                })
                .await;
            assert_eq!(forgotten.unwrap(), 1, "{kind}");
            assert!(!store.spend_acme_nonce("b", NOW).await.unwrap(), "{kind}");
        }
    }

    #[tokio::test]
    async fn nodes_know_each_others_nonces_and_other_commits_wait_for_the_disk() {
        let Some(TestDatabase { url, store, .. }) = postgres().await else { return };
        let options = StoreOptions { writers: 1, ..StoreOptions::default() };
        let durable = format!("{url}?options=-csynchronous_commit%3Don");
        let node = Store::open(&durable, options).await.unwrap();
        assert!(node.spend_acme_nonce("a", NOW).await.unwrap());
        assert!(!store.spend_acme_nonce("a", NOW).await.unwrap());
        let setting = node.write::<String, StoreError, _>(|tx| {
            Box::pin(async move {
                Ok(on!(tx, |conn| {
                    sqlx::query_scalar("SELECT current_setting('synchronous_commit')")
                        .fetch_one(&mut *conn)
                        .await?
                }))
            })
        });
        assert_eq!(setting.await.unwrap(), "on", "on the same connection");
    }
}
