//! Accounts: made with an external account binding, changed, given up (RFC 8555 section 7.3).

use std::net::IpAddr;

use domain::AcmeAccountId;
use domain::Timestamp;
use domain::model::acme::{AccountStatus, AcmeAccount};
use store::Tx;
use store::acme::{BindingKey, NewAcmeAccount};

use super::orders::withdraw_held;
use super::urls::purpose;
use super::{AcmeDesk, AcmeError, AcmeResult, actor};
use crate::audit::{AuditEntry, record};
use crate::rate::network;
use crate::{Actor, LifecycleError};

/// A new account's facts, with its binding verified.
#[derive(Debug, Clone)]
pub struct Registration {
    /// The account's key: canonical JSON.
    pub jwk: String,
    /// RFC 7638, base64url.
    pub thumbprint: String,
    /// `mailto:` URLs.
    pub contacts: Vec<String>,
    /// Whether the terms were agreed to.
    pub terms_agreed: bool,
    /// The binding key's identifier; its MAC was verified.
    pub kid: String,
    /// Where the client is.
    pub address: Option<IpAddr>,
}

/// What newAccount came to.
#[derive(Debug, Clone)]
pub enum Registered {
    /// A new account.
    New(AcmeAccount),
    /// The key had one already.
    Existing(AcmeAccount),
}

impl AcmeDesk {
    /// One account, as it was at most a moment ago: for reading, and for what checks the account
    /// again where it changes anything.
    pub async fn recent_account(&self, id: AcmeAccountId) -> AcmeResult<Option<AcmeAccount>> {
        let known = self.desk.known_accounts();
        if let Some(account) = known.get(id) {
            return Ok(Some(account));
        }
        let point = known.point();
        let account = self.account(id).await?;
        if let Some(account) = &account {
            known.put(point, account);
        }
        Ok(account)
    }

    /// One account.
    pub async fn account(&self, id: AcmeAccountId) -> AcmeResult<Option<AcmeAccount>> {
        Ok(self.desk.store().reader().await?.acme_account(id).await?)
    }

    /// The account with this key.
    pub async fn account_by_key(&self, thumbprint: &str) -> AcmeResult<Option<AcmeAccount>> {
        Ok(self.desk.store().reader().await?.acme_account_by_thumbprint(thumbprint).await?)
    }

    /// The MAC key of a credential that may be used now.
    pub async fn binding_mac_key(&self, kid: &str) -> AcmeResult<Option<Vec<u8>>> {
        let now = self.clock().now();
        let key = self.desk.store().reader().await?.binding_key(kid).await?;
        let Some(key) = key.filter(|key| is_usable(key, now)) else { return Ok(None) };
        let mac_key = self
            .desk
            .issuer()?
            .master_key()
            .open(&purpose(kid), &key.sealed_key)
            .map_err(|error| LifecycleError::Authority(Box::new(error)))?;
        Ok(Some(mac_key.to_vec()))
    }

    /// Makes the account of a key, bound to a credential in the same transaction. A key that has
    /// an account gets that one.
    pub async fn register(&self, registration: Registration) -> AcmeResult<Registered> {
        let now = self.clock().now();
        let limits = self.policy.limits;
        if let Some(address) = registration.address {
            self.take(
                format!("acme-new-account/{}", network(address)),
                limits.accounts_per_address,
                now,
            )
            .await?;
        }
        self.take(
            format!("acme-new-account/{}", registration.kid),
            limits.accounts_per_credential,
            now,
        )
        .await?;
        self.desk
            .store()
            .write(move |tx| Box::pin(async move { insert_account(tx, registration, now).await }))
            .await
    }

    /// Changes an account's contacts.
    pub async fn change_contacts(
        &self,
        account: &AcmeAccount,
        contacts: Vec<String>,
    ) -> AcmeResult<AcmeAccount> {
        let id = account.id;
        let changed = self
            .desk
            .store()
            .write(move |tx| {
                Box::pin(async move {
                    tx.set_acme_contacts(id, &contacts).await?;
                    tx.acme_account(id).await?.ok_or(AcmeError::NotFound("account"))
                })
            })
            .await;
        self.desk.known_accounts().forget();
        changed
    }

    /// Deactivates an account, for good (RFC 8555 section 7.3.6). Nobody can finish its open orders
    /// any more; they end with their time, and those that wait for a reviewer at once.
    pub async fn deactivate_account(
        &self,
        account: &AcmeAccount,
        address: Option<IpAddr>,
    ) -> AcmeResult<AcmeAccount> {
        let now = self.clock().now();
        let id = account.id;
        let actor = actor(account, address);
        let deactivated = self
            .desk
            .store()
            .write(move |tx| {
                Box::pin(async move {
                    if tx.set_acme_account_status(id, AccountStatus::Deactivated).await? {
                        let entry = AuditEntry::new(
                            "acme_account.deactivated",
                            "acme_account",
                            id,
                            "Account deactivated by its client",
                        );
                        record(tx, now, &actor, entry).await?;
                        withdraw_held(tx, &actor, Some(id), None, now).await?;
                    }
                    tx.acme_account(id).await?.ok_or(AcmeError::NotFound("account"))
                })
            })
            .await;
        self.desk.known_accounts().forget();
        deactivated
    }

    /// Gives an account another key (RFC 8555 section 7.3.5). `Err` of the inner result: the
    /// account that has the new key already.
    pub async fn change_key(
        &self,
        account: &AcmeAccount,
        jwk: String,
        thumbprint: String,
        address: Option<IpAddr>,
    ) -> AcmeResult<Result<(), AcmeAccountId>> {
        let now = self.clock().now();
        let (id, old) = (account.id, account.thumbprint.clone());
        if thumbprint == old {
            return Ok(Err(id));
        }
        let actor = actor(account, address);
        let wanted = thumbprint.clone();
        let changed = self
            .desk
            .store()
            .write(move |tx| {
                Box::pin(async move {
                    // Whoever was faster in this very group of works is seen here alone.
                    if let Some(holder) = tx.acme_account_by_thumbprint(&wanted).await? {
                        return Ok(Err(holder.id));
                    }
                    if !tx.set_acme_account_key(id, &old, &jwk, &wanted).await? {
                        let words = "The account's key was changed meanwhile. Read the account with its newest key.";
                        return Err(AcmeError::Desk(LifecycleError::Conflict { message: words.to_owned() }));
                    }
                    let entry = AuditEntry::new("acme_account.key_changed", "acme_account", id, "Account key changed by its client");
                    record(tx, now, &actor, entry).await?;
                    Ok(Ok(()))
                })
            })
            .await;
        self.desk.known_accounts().forget();
        match changed {
            Err(AcmeError::Desk(LifecycleError::Store(error)))
                if error.is_unique("acme_accounts.thumbprint") =>
            {
                let holder = self.account_by_key(&thumbprint).await?;
                Ok(Err(holder.map_or(id, |holder| holder.id)))
            }
            outcome => outcome,
        }
    }

    /// Uses up a nonce that is shared by several nodes; false where it was used before.
    pub async fn spend_nonce(&self, nonce: String) -> AcmeResult<bool> {
        Ok(self.desk.store().spend_acme_nonce(&nonce, self.clock().now()).await?)
    }
}

fn is_usable(key: &BindingKey, now: Timestamp) -> bool {
    key.revoked_at.is_none() && key.expires_at.is_none_or(|end| now < end)
}

async fn insert_account(tx: &mut Tx, new: Registration, now: Timestamp) -> AcmeResult<Registered> {
    let key = tx.binding_key(&new.kid).await?.filter(|key| is_usable(key, now));
    let url = match key {
        Some(key) => {
            tx.lock_acme_url(key.url).await?;
            tx.active_acme_url(key.url).await?
        }
        None => None,
    };
    let url = url.ok_or_else(|| {
        AcmeError::fault(
            "unauthorized",
            "The external account binding's key was revoked or has ended.",
        )
    })?;
    let row = NewAcmeAccount {
        url: url.id,
        kid: new.kid.clone(),
        thumbprint: new.thumbprint.clone(),
        jwk: new.jwk,
        contacts: new.contacts,
        terms_agreed_at: new.terms_agreed.then_some(now),
        created_at: now,
        address: new.address.map(|address| address.to_string()),
    };
    let missing = || {
        AcmeError::Desk(LifecycleError::Internal(
            "an account that was just made is missing".to_owned(),
        ))
    };
    let Some(id) = tx.insert_acme_account(&row).await? else {
        let account = tx.acme_account_by_thumbprint(&new.thumbprint).await?.ok_or_else(missing)?;
        return Ok(Registered::Existing(account));
    };
    tx.touch_binding_key(&new.kid, now).await?;
    tx.touch_acme_url(url.id, now).await?;
    let actor = Actor::Acme { account: id, url: Some(url.id), address: new.address };
    let words =
        format!("Account made with key {} of the ACME Directory URL {:?}", new.kid, url.name);
    record(tx, now, &actor, AuditEntry::new("acme_account.created", "acme_account", id, words))
        .await?;
    Ok(Registered::New(tx.acme_account(id).await?.ok_or_else(missing)?))
}
