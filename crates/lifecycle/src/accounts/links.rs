//! Links that are good once: the first administrator's set-up, and a person's first or forgotten
//! password. The administrator hands the link on and never knows the password.

use std::net::IpAddr;

use domain::model::Role;
use domain::{Timestamp, UserId};
use store::Tx;
use store::users::{NewAccount, OneTimeLink};

use super::{NewUser, checked, found, insert, require_administrator};
use crate::audit::{self, AuditEntry};
use crate::auth::{self, password};
use crate::rate::{self, Limit};
use crate::sessions::{SecretToken, SessionToken, token_hash};
use crate::{Actor, Lifecycle, LifecycleError, Result};

/// How long a person's link is good, in seconds.
pub const LINK_SECONDS: i64 = 3 * 86_400;
/// Links tried from one address; a link itself is 256 random bits.
const PER_ADDRESS: Limit = Limit::per(30, 600);

/// What a link is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkFor {
    /// Making the first administrator: [`Lifecycle::complete_setup`].
    FirstAdministrator,
    /// Choosing a password: [`Lifecycle::choose_password`].
    Person {
        /// Whose.
        email: String,
    },
}

/// The first administrator, as the set-up page asks for them.
#[derive(Clone)]
pub struct Setup {
    /// The address to sign in with.
    pub email: String,
    /// Their name.
    pub name: String,
    /// Their password.
    pub password: String,
}

impl std::fmt::Debug for Setup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Setup").field("email", &self.email).finish_non_exhaustive()
    }
}

impl Lifecycle {
    /// The token of a new set-up link, where nobody is in the database yet; links from earlier
    /// starts stop working. To be printed on the console.
    pub async fn setup_link(&self) -> Result<Option<SecretToken>> {
        let token = SecretToken::random("")?;
        let (hash, now) = (token.hash(), self.real_now());
        let wanted = self
            .store()
            .write(move |tx| {
                Box::pin(async move {
                    if tx.has_accounts().await? {
                        return Ok::<_, LifecycleError>(false);
                    }
                    tx.delete_setup_links().await?;
                    // Good until somebody uses it or the server starts again.
                    let link = OneTimeLink {
                        token_hash: hash,
                        user: None,
                        created_at: now,
                        expires_at: Timestamp(i64::MAX),
                    };
                    tx.insert_link(&link).await?;
                    Ok(true)
                })
            })
            .await?;
        Ok(wanted.then_some(token))
    }

    /// Makes the first administrator and signs them in.
    pub async fn complete_setup(
        &self,
        token: &str,
        setup: Setup,
        address: Option<IpAddr>,
        user_agent: &str,
    ) -> Result<SessionToken> {
        let (now, real_now) = (self.clock().now(), self.real_now());
        let hash = token_hash(token);
        let LinkFor::FirstAdministrator = self.open_link(token, address).await? else {
            return Err(dead_link());
        };
        let Setup { email, name, password } = setup;
        let row = checked(&NewUser { email, name, role: Role::Administrator, password: None })?;
        password::check(&password, &row.email)?;
        let password_hash = Some(password::hash(password).await?);
        let row = NewAccount { password_hash, created_at: now, ..row };
        let user_agent = user_agent.to_owned();
        self.store()
            .write(move |tx| {
                Box::pin(async move {
                    use_up(tx, &hash, real_now).await?;
                    if tx.has_accounts().await? {
                        return Err(dead_link());
                    }
                    let id = insert(tx, &row).await?;
                    let account = found(tx.account(id).await?)?;
                    let entry = AuditEntry::new(
                        "user.added",
                        "user",
                        id,
                        format!("{} set up as the first administrator", row.email),
                    );
                    audit::record_visitor(tx, now, &row.email, address, entry).await?;
                    auth::admit_person(tx, &account.user, address, &user_agent, now, real_now).await
                })
            })
            .await
    }

    /// The token of a new link by which the person chooses a password; their earlier link stops
    /// working, their present password does not until then.
    pub async fn invite_user(&self, actor: &Actor, id: UserId) -> Result<SecretToken> {
        require_administrator(actor, "Making a sign-in link")?;
        let token = SecretToken::random("")?;
        let (hash, now, real_now, actor) =
            (token.hash(), self.clock().now(), self.real_now(), actor.clone());
        self.store()
            .write(move |tx| {
                Box::pin(async move {
                    let account = found(tx.account(id).await?)?;
                    if account.user.disabled {
                        let message = format!(
                            "{} is disabled. Enable the account first.",
                            account.user.email
                        );
                        return Err(LifecycleError::Conflict { message });
                    }
                    tx.delete_links_of(id).await?;
                    let expires_at = real_now.plus_seconds(LINK_SECONDS);
                    tx.insert_link(&OneTimeLink {
                        token_hash: hash,
                        user: Some(id),
                        created_at: real_now,
                        expires_at,
                    })
                    .await?;
                    let words = format!("Link for a new password made for {}", account.user.email);
                    audit::record(
                        tx,
                        now,
                        &actor,
                        AuditEntry::new("user.link_made", "user", id, words),
                    )
                    .await
                })
            })
            .await?;
        Ok(token)
    }

    /// What the link behind `token` is for; an error in words where it no longer works.
    pub async fn open_link(&self, token: &str, address: Option<IpAddr>) -> Result<LinkFor> {
        let (hash, now) = (token_hash(token), self.real_now());
        self.store()
            .write(move |tx| {
                Box::pin(async move {
                    if let Some(address) = address {
                        rate::take(
                            tx,
                            now,
                            &format!("link:{}", rate::network(address)),
                            PER_ADDRESS,
                        )
                        .await?;
                    }
                    let link = tx
                        .link(&hash)
                        .await?
                        .filter(|link| now < link.expires_at)
                        .ok_or_else(dead_link)?;
                    let Some(user) = link.user else { return Ok(LinkFor::FirstAdministrator) };
                    let account = tx.account(user).await?.filter(|account| !account.user.disabled);
                    Ok(LinkFor::Person { email: account.ok_or_else(dead_link)?.user.email })
                })
            })
            .await
    }

    /// Sets the password of the person that the link is for, ends their sessions, signs them in.
    pub async fn choose_password(
        &self,
        token: &str,
        password: String,
        address: Option<IpAddr>,
        user_agent: &str,
    ) -> Result<SessionToken> {
        let LinkFor::Person { email } = self.open_link(token, address).await? else {
            return Err(dead_link());
        };
        password::check(&password, &email)?;
        let new_hash = password::hash(password).await?;
        let (now, real_now) = (self.clock().now(), self.real_now());
        let (hash, user_agent) = (token_hash(token), user_agent.to_owned());
        self.store()
            .write(move |tx| {
                Box::pin(async move {
                    let user = use_up(tx, &hash, real_now).await?.user.ok_or_else(dead_link)?;
                    let account = found(tx.account(user).await?)?;
                    if account.user.disabled {
                        return Err(dead_link());
                    }
                    tx.set_password_hash(user, &new_hash).await?;
                    tx.delete_sessions_of(user, None).await?;
                    auth::forgive_email(tx, &email).await?;
                    let entry = AuditEntry::new(
                        "user.password_changed",
                        "user",
                        user,
                        "Password chosen by a one-time link",
                    );
                    audit::record_visitor(tx, now, &email, address, entry).await?;
                    auth::admit_person(tx, &account.user, address, &user_agent, now, real_now).await
                })
            })
            .await
    }
}

/// Takes the link out of the database; of two at the same moment one gets it.
async fn use_up(tx: &mut Tx, hash: &str, now: Timestamp) -> Result<OneTimeLink> {
    let link = tx.take_link(hash).await?;
    link.filter(|link| now < link.expires_at).ok_or_else(dead_link)
}

fn dead_link() -> LifecycleError {
    LifecycleError::Conflict {
        message: "This link was used or is too old. Ask an administrator for a new one; the set-up link is \
                  printed at each start of the server until an administrator exists."
            .to_owned(),
    }
}
