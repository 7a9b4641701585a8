//! API keys: made for a person, shown once, kept as their hash, good until revoked.

use std::net::IpAddr;

use domain::model::Role;
use domain::{ApiKeyId, UserId};
use serde_json::{Value, json};
use store::api_tokens::NewApiKey;
pub use store::api_tokens::{ApiKey, ApiKeyFilter, ApiKeySort};

use crate::accounts::require_administrator;
use crate::audit::{self, AuditEntry};
use crate::lists::{PageOf, Slice};
use crate::sessions::{SecretToken, token_hash};
use crate::{Actor, Door, Lifecycle, LifecycleError, Person, Result};

/// What every key begins with, so that scanners for leaked secrets know it.
pub const PREFIX: &str = "cdk_";
/// The longest name of a key, in characters.
const MAX_NAME: usize = 80;
/// A use is noted at most this often.
const TOUCH_SECONDS: i64 = 60;

impl Lifecycle {
    /// Makes a key for `user`, who may be the actor; for somebody else it takes an administrator.
    /// `role` narrows what the key may do, now and whatever its owner becomes; it never widens it.
    /// Without one the key may do what its owner may at the time.
    pub async fn create_api_key(
        &self,
        actor: &Actor,
        user: UserId,
        name: &str,
        role: Option<Role>,
    ) -> Result<(ApiKeyId, SecretToken)> {
        require_owner(actor, user, "Making an API key for another person")?;
        let name = name.trim().to_owned();
        if name.is_empty() || !domain::is_line(&name, MAX_NAME) {
            let message =
                format!("Enter what the key is for in one line of at most {MAX_NAME} characters.");
            return Err(LifecycleError::field("name", message));
        }
        let token = SecretToken::random(PREFIX)?;
        let (hash, now, actor) = (token.hash(), self.clock().now(), actor.clone());
        // A key made with a narrower key is as narrow.
        let narrowed = actor.person().filter(|person| person.role != person.user.role);
        let role = role.into_iter().chain(narrowed.map(|person| person.role)).max();
        let id = self
            .store()
            .write(move |tx| {
                Box::pin(async move {
                    let owner = tx.account(user).await?.ok_or(LifecycleError::NotFound { what: "person" })?.user;
                    // What was chosen stays, also where the owner has no more now and will later.
                    let role = role.map(|role| role.max(owner.role));
                    let new = NewApiKey { user, name: name.clone(), role, token_hash: hash, created_at: now };
                    let id = tx.insert_api_key(&new).await?;
                    let words = format!("API key {name:?} made for {}", owner.email);
                    let entry = AuditEntry::new("api_key.created", "api_key", id, words)
                        .changing(Value::Null, json!({"name": name, "user": owner.email, "role": role.unwrap_or(owner.role)}));
                    audit::record(tx, now, &actor, entry).await?;
                    Ok::<_, LifecycleError>(id)
                })
            })
            .await?;
        Ok((id, token))
    }

    /// A page of keys: of all of them for an administrator, else of the person's own.
    pub async fn api_keys(
        &self,
        actor: &Actor,
        filter: &ApiKeyFilter,
        page: &PageOf<ApiKeySort>,
    ) -> Result<Slice<ApiKey>> {
        let of = match (actor.role(), actor.person()) {
            (Some(Role::Administrator), _) => None,
            (_, Some(person)) => Some(person.user.id),
            _ => return Err(LifecycleError::SignedOut),
        };
        let mut tx = self.store().reader().await?;
        Ok(page.slice(tx.api_keys(of, filter, page.sort, &page.rows()).await?))
    }

    /// One key, to its owner and to administrators: a foreign key and none look the same.
    pub async fn api_key(&self, actor: &Actor, id: ApiKeyId) -> Result<ApiKey> {
        let key = self.store().reader().await?.api_key(id).await?;
        key.filter(|key| require_owner(actor, key.user, "Seeing an API key").is_ok())
            .ok_or(LifecycleError::NotFound { what: "API key" })
    }

    /// Revokes a key for good.
    pub async fn revoke_api_key(&self, actor: &Actor, id: ApiKeyId) -> Result<()> {
        let (now, actor) = (self.clock().now(), actor.clone());
        self.store()
            .write(move |tx| {
                Box::pin(async move {
                    let missing = LifecycleError::NotFound { what: "API key" };
                    let Some(key) = tx.api_key(id).await? else { return Err(missing) };
                    // A foreign key and none look the same.
                    if require_owner(&actor, key.user, "Revoking").is_err() {
                        return Err(missing);
                    }
                    if tx.revoke_api_key(id, now).await? {
                        let words = format!("API key {:?} of {} revoked", key.name, key.email);
                        audit::record(
                            tx,
                            now,
                            &actor,
                            AuditEntry::new("api_key.revoked", "api_key", id, words),
                        )
                        .await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// The person behind a key, with the lesser of the key's role and their own; none where the
    /// key is unknown or revoked, or the person is disabled.
    pub async fn authenticate_api_key(
        &self,
        key: &str,
        address: Option<IpAddr>,
    ) -> Result<Option<Person>> {
        if key.len() > 128 || !key.starts_with(PREFIX) {
            return Ok(None);
        }
        let Some(found) = self.store().reader().await?.live_api_key(&token_hash(key)).await? else {
            return Ok(None);
        };
        let user = found.owner.user;
        if user.disabled {
            return Ok(None);
        }
        let now = self.clock().now();
        if found.last_used_at.is_none_or(|used| now.seconds_since(used).abs() >= TOUCH_SECONDS) {
            let id = found.id;
            self.store()
                .write(move |tx| {
                    Box::pin(
                        async move { Ok::<_, LifecycleError>(tx.touch_api_key(id, now).await?) },
                    )
                })
                .await?;
        }
        // Roles are ordered from the widest to the narrowest.
        let role = found.role.map_or(user.role, |role| role.max(user.role));
        Ok(Some(Person { user, role, door: Door::Api, address }))
    }
}

fn require_owner(actor: &Actor, owner: UserId, what: &'static str) -> Result<()> {
    match actor.person() {
        Some(person) if person.user.id == owner => Ok(()),
        _ => require_administrator(actor, what),
    }
}

#[cfg(test)]
mod tests;
