//! The secret that nodes share to know each other's nonces: made once, kept encrypted.

use zeroize::Zeroizing;

use super::{AcmeDesk, AcmeError};
use crate::{LifecycleError, Result};

const KEY: &str = "acme_nonce_secret";
const PURPOSE: &str = "acme-nonces";

impl AcmeDesk {
    /// The secret, 32 bytes; made by the first node that asks.
    pub async fn shared_secret(&self) -> Result<Zeroizing<Vec<u8>>> {
        let failed = |error: ca::MasterKeyError| LifecycleError::Authority(Box::new(error));
        let mut fresh = Zeroizing::new([0; 32]);
        crate::random::fill(fresh.as_mut())?;
        let master = self.desk.issuer()?.master_key();
        let sealed = hex::encode(master.seal(PURPOSE, fresh.as_ref()).map_err(failed)?);
        let now = self.clock().now();
        let kept = self
            .desk
            .store()
            .write(move |tx| {
                Box::pin(async move {
                    tx.lock(KEY).await?;
                    tx.put_setting(KEY, &serde_json::json!(sealed).to_string(), 0, now, None)
                        .await?;
                    let rows = tx.settings().await?;
                    Ok::<_, AcmeError>(
                        rows.into_iter().find(|row| row.key == KEY).map(|row| row.value),
                    )
                })
            })
            .await
            .map_err(|error| LifecycleError::Internal(error.to_string()))?;
        let unreadable =
            || LifecycleError::Internal("the nodes' shared nonce secret can't be read".to_owned());
        let sealed: String =
            serde_json::from_str(&kept.ok_or_else(unreadable)?).map_err(|_| unreadable())?;
        let sealed = hex::decode(sealed).map_err(|_| unreadable())?;
        master.open(PURPOSE, &sealed).map_err(failed)
    }
}
