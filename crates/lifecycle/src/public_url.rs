//! The portal's public URL, where several processes serve one database: CAA is judged by its host, and
//! all ACME URLs are made from it, so that all of them must go by the same one.

use store::settings::SettingRow;

use crate::{Lifecycle, Result};

/// No account setting: it has no page, and no default.
const KEY: &str = "public_url";

impl Lifecycle {
    /// The public URL that a process was last configured with; none where none ever was.
    pub async fn public_url(&self) -> Result<Option<String>> {
        let rows = self.store().reader().await?.settings().await?;
        Ok(found(rows).and_then(|row| serde_json::from_str(&row.value).ok()))
    }

    /// Leaves the public URL that this process is configured with for those that have none; answers
    /// the one that stood there, where it was another.
    pub async fn leave_public_url(&self, url: &str) -> Result<Option<String>> {
        let (now, url) = (self.clock().now(), url.to_owned());
        self.store()
            .write(move |tx| {
                Box::pin(async move {
                    tx.lock(KEY).await?;
                    let before = found(tx.settings().await?);
                    let version = before.as_ref().map_or(0, |row| row.version);
                    let before: Option<String> =
                        before.and_then(|row| serde_json::from_str(&row.value).ok());
                    if before.as_ref() == Some(&url) {
                        return Ok(None);
                    }
                    let value = serde_json::json!(url).to_string();
                    tx.put_setting(KEY, &value, version, now, None).await?;
                    Ok(before)
                })
            })
            .await
    }
}

fn found(rows: Vec<SettingRow>) -> Option<SettingRow> {
    rows.into_iter().find(|row| row.key == KEY)
}

#[cfg(test)]
mod tests {
    use crate::testing::desks;

    #[tokio::test]
    async fn the_last_configured_url_stands() {
        for desk in desks().await {
            assert_eq!(desk.public_url().await.unwrap(), None);
            let (one, two) = ("https://one.test", "https://two.test");
            for (left, before) in [(one, None), (one, None), (two, Some(one)), (one, Some(two))] {
                let earlier = desk.leave_public_url(left).await.unwrap();
                assert_eq!(earlier.as_deref(), before);
                assert_eq!(desk.public_url().await.unwrap().as_deref(), Some(left));
            }
        }
    }
}
