//! Signing in, and what keeps guessing from paying: slow hashes, limits per address and per
//! e-mail address, and the same answer in the same time whether the person exists or not.

use std::net::IpAddr;

use domain::model::User;
use domain::{Timestamp, UserId};
use store::Tx;
use store::users::Account;

use crate::audit::{self, AuditEntry};
use crate::rate::{self, Limit};
use crate::sessions::{self, SessionToken};
use crate::{Actor, Door, Lifecycle, LifecycleError, Person, Result};

pub mod password;

/// Attempts with one e-mail address from one network.
const PER_EMAIL: Limit = Limit::per(10, 900);
/// Attempts with one e-mail address from anywhere: more, so that a stranger who knows an address
/// keeps nobody out by trying now and then.
const PER_EMAIL_ANYWHERE: Limit = Limit::per(100, 900);
/// Attempts from one address, where a whole office may sit behind one.
const PER_ADDRESS: Limit = Limit::per(60, 600);
/// RFC 5321 section 4.5.3.1.3, without the brackets.
const MAX_EMAIL: usize = 254;

/// What a person enters to sign in. `Debug` shows no password.
#[derive(Clone)]
pub struct Credentials {
    /// In any case.
    pub email: String,
    /// As typed.
    pub password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("email", &self.email).finish_non_exhaustive()
    }
}

impl Lifecycle {
    /// Opens a session for the person with this e-mail address and password.
    ///
    /// # Errors
    /// [`LifecycleError::Invalid`] where they don't fit or the person is disabled, with the same
    /// words for all of it; [`LifecycleError::Throttled`] after too many attempts.
    pub async fn sign_in(
        &self,
        credentials: Credentials,
        address: Option<IpAddr>,
        user_agent: &str,
    ) -> Result<SessionToken> {
        let (now, real_now) = (self.clock().now(), self.real_now());
        let Credentials { email, password } = credentials;
        let email = email.trim().to_lowercase();
        if email.len() > MAX_EMAIL || password.len() > password::MAX_BYTES {
            return Err(no_fit());
        }
        let attempt = Attempt { email, address };
        let account = self.admit(attempt.clone(), real_now).await?;
        let stored = account.as_ref().and_then(|account| account.password_hash.clone());
        let fits = password::verify(password, stored.clone()).await?;
        match account.filter(|account| fits && !account.user.disabled) {
            None => {
                self.note_failure(attempt, now).await?;
                Err(no_fit())
            }
            Some(account) => {
                let user_agent = user_agent.to_owned();
                self.open_session(attempt, account, user_agent, now, real_now).await
            }
        }
    }

    /// Counts the attempt before the password is looked at, and finds the account.
    async fn admit(&self, attempt: Attempt, now: Timestamp) -> Result<Option<Account>> {
        self.store()
            .write(move |tx| {
                Box::pin(async move {
                    if let Some(key) = attempt.address_key() {
                        rate::take(tx, now, &key, PER_ADDRESS).await?;
                    }
                    rate::take(tx, now, &attempt.here_key(), PER_EMAIL).await?;
                    rate::take(tx, now, &email_key(&attempt.email), PER_EMAIL_ANYWHERE).await?;
                    Ok(tx.account_by_email(&attempt.email).await?)
                })
            })
            .await
    }

    async fn open_session(
        &self,
        attempt: Attempt,
        account: Account,
        user_agent: String,
        now: Timestamp,
        real_now: Timestamp,
    ) -> Result<SessionToken> {
        self.store()
            .write(move |tx| {
                Box::pin(async move {
                    // Once more: the password was being checked meanwhile.
                    let current = tx.account(account.user.id).await?;
                    let current = current.filter(|current| {
                        !current.user.disabled && current.password_hash == account.password_hash
                    });
                    let Some(current) = current else { return Err(no_fit()) };
                    attempt.forgive(tx).await?;
                    if let Some(key) = attempt.address_key() {
                        rate::give_back(tx, &key).await?;
                    }
                    admit_person(tx, &current.user, attempt.address, &user_agent, now, real_now)
                        .await
                })
            })
            .await
    }

    async fn note_failure(&self, attempt: Attempt, now: Timestamp) -> Result<()> {
        self.store()
            .write(move |tx| {
                Box::pin(async move {
                    let entry = AuditEntry::new(
                        "session.refused",
                        "user",
                        "",
                        "Sign-in with a wrong e-mail address or password",
                    );
                    audit::record_visitor(tx, now, &attempt.email, attempt.address, entry).await
                })
            })
            .await
    }

    /// Changes the person's own password and ends their other sessions.
    pub async fn change_password(
        &self,
        person: &Person,
        current: String,
        new: String,
        keep: Option<&str>,
    ) -> Result<()> {
        let (now, real_now) = (self.clock().now(), self.real_now());
        let attempt = Attempt { email: person.user.email.clone(), address: person.address };
        let account = self.admit(attempt.clone(), real_now).await?;
        let stored = account.and_then(|account| account.password_hash);
        if current.len() > password::MAX_BYTES || !password::verify(current, stored).await? {
            return Err(LifecycleError::field(
                "current_password",
                "This is not your current password.",
            ));
        }
        password::check(&new, &person.user.email)?;
        let hash = password::hash(new).await?;
        let (actor, user, keep) =
            (Actor::Person(person.clone()), person.user.id, keep.map(sessions::token_hash));
        self.store()
            .write(move |tx| {
                Box::pin(async move {
                    attempt.forgive(tx).await?;
                    set_password(tx, now, &actor, user, &hash, keep.as_deref()).await
                })
            })
            .await
    }
}

/// Stores a new password hash, ends all sessions but `keep` and any link to choose another, and says
/// so in the audit log.
pub(crate) async fn set_password(
    tx: &mut Tx,
    now: Timestamp,
    actor: &Actor,
    user: UserId,
    hash: &str,
    keep: Option<&str>,
) -> Result<()> {
    tx.set_password_hash(user, hash).await?;
    tx.delete_sessions_of(user, keep).await?;
    tx.delete_links_of(user).await?;
    audit::record(
        tx,
        now,
        actor,
        AuditEntry::new("user.password_changed", "user", user, "Password changed"),
    )
    .await
}

/// Opens the session of a person whose identity is shown.
pub(crate) async fn admit_person(
    tx: &mut Tx,
    user: &User,
    address: Option<IpAddr>,
    user_agent: &str,
    now: Timestamp,
    real_now: Timestamp,
) -> Result<SessionToken> {
    let token = sessions::open(tx, real_now, user.id, address, user_agent).await?;
    tx.note_sign_in(user.id, now).await?;
    let person = Person { user: user.clone(), role: user.role, door: Door::Portal, address };
    let entry = AuditEntry::new("session.opened", "user", user.id, "Signed in");
    audit::record(tx, now, &Actor::Person(person), entry).await?;
    Ok(token)
}

/// One try at signing in.
#[derive(Debug, Clone)]
struct Attempt {
    email: String,
    address: Option<IpAddr>,
}

impl Attempt {
    /// The e-mail address as tried from this network.
    fn here_key(&self) -> String {
        let network = self.address.map(rate::network).unwrap_or_default();
        format!("{}:{network}", email_key(&self.email))
    }

    fn address_key(&self) -> Option<String> {
        self.address.map(|address| format!("sign-in:address:{}", rate::network(address)))
    }

    /// The right password was among the attempts from here. What others try goes on counting.
    async fn forgive(&self, tx: &mut Tx) -> Result<()> {
        rate::forgive(tx, &self.here_key()).await?;
        rate::give_back(tx, &email_key(&self.email)).await
    }
}

/// The key of an e-mail address. A digest, so that nothing that was typed is kept.
fn email_key(email: &str) -> String {
    format!("sign-in:email:{}", sessions::token_hash(email))
}

/// Somebody who showed a one-time link is let in again, whatever was tried before.
pub(crate) async fn forgive_email(tx: &mut Tx, email: &str) -> Result<()> {
    rate::forgive(tx, &email_key(email)).await
}

fn no_fit() -> LifecycleError {
    LifecycleError::field(
        "password",
        "The e-mail address or the password is not right. Try again, or ask an administrator for a new link.",
    )
}

#[cfg(test)]
mod tests;
