//! A new credential on its way to the one page that shows it.
//!
//! Between the form and that page only the browser remembers, and what it is given can be read by
//! this portal alone: the credential, sealed for one person and one URL, for two minutes.

use domain::{AcmeUrlId, Timestamp};
use zeroize::Zeroizing;

use super::BindingCredential;
use super::urls::require_approver;
use crate::{Actor, Lifecycle, LifecycleError, Result};

/// For how long the page can be opened, in seconds.
const SECONDS: i64 = 120;

fn purpose(actor: &Actor, url: AcmeUrlId) -> String {
    let user = actor.person().map_or(0, |person| person.user.id.0);
    format!("acme-eab-handover/{user}/{url}")
}

impl Lifecycle {
    /// Seals a credential for the page of `url`.
    pub fn seal_credential(
        &self,
        actor: &Actor,
        url: AcmeUrlId,
        credential: &BindingCredential,
    ) -> Result<String> {
        let text = Zeroizing::new(format!(
            "{} {} {}",
            self.clock().now().0,
            credential.kid,
            credential.hmac_key
        ));
        let sealed = self.issuer()?.master_key().seal(&purpose(actor, url), text.as_bytes());
        sealed.map(hex::encode).map_err(|error| LifecycleError::Authority(Box::new(error)))
    }

    /// The credential, where it was sealed for this person and this URL just now.
    pub fn open_credential(
        &self,
        actor: &Actor,
        url: AcmeUrlId,
        sealed: &str,
    ) -> Result<Option<BindingCredential>> {
        require_approver(actor)?;
        let Ok(sealed) = hex::decode(sealed) else { return Ok(None) };
        let Ok(text) = self.issuer()?.master_key().open(&purpose(actor, url), &sealed) else {
            return Ok(None);
        };
        Ok(std::str::from_utf8(&text).ok().and_then(|text| read(text, self.clock().now())))
    }
}

fn read(text: &str, now: Timestamp) -> Option<BindingCredential> {
    let mut parts = text.split(' ');
    let at = Timestamp(parts.next()?.parse().ok()?);
    let (kid, hmac_key) = (parts.next()?.to_owned(), parts.next()?.to_owned());
    (0..=SECONDS).contains(&now.seconds_since(at)).then_some(BindingCredential { kid, hmac_key })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::issuing::shops;

    #[tokio::test]
    async fn only_its_own_page_opens_it_and_not_for_long() {
        for shop in shops().await {
            let actor = Actor::Operator;
            let credential = BindingCredential { kid: "k".to_owned(), hmac_key: "s".to_owned() };
            let sealed = shop.seal_credential(&actor, AcmeUrlId(1), &credential).unwrap();
            let opened = shop.open_credential(&actor, AcmeUrlId(1), &sealed).unwrap().unwrap();
            assert_eq!((opened.kid.as_str(), opened.hmac_key.as_str()), ("k", "s"));
            assert!(shop.open_credential(&actor, AcmeUrlId(2), &sealed).unwrap().is_none());
            assert!(shop.open_credential(&actor, AcmeUrlId(1), "00ff").unwrap().is_none());
        }
        assert!(read("100 k s", Timestamp(220)).is_some());
        assert!(read("100 k s", Timestamp(221)).is_none());
        assert!(read("100 k", Timestamp(100)).is_none());
    }
}
