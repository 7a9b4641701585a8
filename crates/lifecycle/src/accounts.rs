//! People: added, given a role, disabled. An account without an administrator can't happen.

use domain::UserId;
use domain::model::Role;
use jiff::tz::TimeZone;
use serde_json::json;
use store::Tx;
use store::users::NewAccount;
pub use store::users::{Account, AccountFilter, AccountSort};

use crate::audit::{self, AuditEntry};
use crate::auth::password;
use crate::lists::{MEANT_AMONG, PageOf, Slice, meant};
use crate::orders::{Counted, own_only};
use crate::{Actor, FieldFault, Lifecycle, LifecycleError, Person, Result};

pub mod links;

/// The longest name, in characters.
const MAX_NAME: usize = 120;

/// A person to add.
#[derive(Clone)]
pub struct NewUser {
    /// The address that they will sign in with, in any case.
    pub email: String,
    /// Their name; the e-mail address stands in for an empty one.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// None: they choose one by the link of [`Lifecycle::invite_user`].
    pub password: Option<String>,
}

impl std::fmt::Debug for NewUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewUser")
            .field("email", &self.email)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// Asks that `actor` is an administrator; `what` begins the sentence of the refusal.
pub(crate) fn require_administrator(actor: &Actor, what: &'static str) -> Result<()> {
    match actor.role() {
        Some(Role::Administrator) => Ok(()),
        _ => Err(LifecycleError::Forbidden { what, needs: Role::Administrator.label() }),
    }
}

impl Lifecycle {
    /// Adds a person.
    pub async fn add_user(&self, actor: &Actor, new: NewUser) -> Result<UserId> {
        require_administrator(actor, "Adding people")?;
        let row = checked(&new)?;
        let hash = match new.password {
            Some(password) => {
                password::check(&password, &row.email)?;
                Some(password::hash(password).await?)
            }
            None => None,
        };
        let (now, actor) = (self.clock().now(), actor.clone());
        let row = NewAccount { password_hash: hash, created_at: now, ..row };
        self.store()
            .write(move |tx| {
                Box::pin(async move {
                    let id = insert(tx, &row).await?;
                    let entry =
                        AuditEntry::new("user.added", "user", id, format!("{} added", row.email))
                            .changing(
                                serde_json::Value::Null,
                                json!({"email": row.email, "role": row.role}),
                            );
                    audit::record(tx, now, &actor, entry).await?;
                    Ok(id)
                })
            })
            .await
    }

    /// A page of people.
    pub async fn users(
        &self,
        actor: &Actor,
        filter: AccountFilter,
        page: &PageOf<AccountSort>,
    ) -> Result<Slice<Account>> {
        require_administrator(actor, "The list of people")?;
        let mut tx = self.store().reader().await?;
        Ok(page.slice(tx.accounts(&filter, page.sort, &page.rows()).await?))
    }

    /// People by e-mail address, at most `limit` from the place `skip` on.
    pub async fn users_from(
        &self,
        actor: &Actor,
        filter: &AccountFilter,
        limit: u16,
        skip: u64,
    ) -> Result<Counted<Account>> {
        require_administrator(actor, "The list of people")?;
        let (rows, total) = self.store().reader().await?.accounts_from(filter, limit, skip).await?;
        Ok(Counted { rows, total })
    }

    /// One person, for administrators and for themselves.
    pub async fn user(&self, actor: &Actor, id: UserId) -> Result<Account> {
        if actor.person().is_none_or(|person| person.user.id != id) {
            require_administrator(actor, "Looking at another person")?;
        }
        found(self.store().reader().await?.account(id).await?)
    }

    /// Whom the filter of a list means: by number, or by name or e-mail address, whole or, where
    /// nobody else's holds it, a part. Limited Users, who have no way to learn who there is, mean
    /// themselves.
    pub async fn person_meant(&self, actor: &Actor, text: &str) -> Result<Option<UserId>> {
        if let Some(own) = own_only(actor) {
            return Ok(Some(own));
        }
        if let Ok(id) = text.parse() {
            return Ok(Some(id));
        }
        let filter = AccountFilter { text: Some(text.to_owned()), ..AccountFilter::default() };
        let page = PageOf::first(AccountSort::Name, MEANT_AMONG);
        let mut tx = self.store().reader().await?;
        let found = tx.accounts(&filter, page.sort, &page.rows()).await?;
        let user = meant(found, text, |account| vec![&account.user.name, &account.user.email]);
        Ok(user.map(|account| account.user.id))
    }

    /// The person with this e-mail address, for the command line.
    pub async fn user_by_email(&self, actor: &Actor, email: &str) -> Result<Account> {
        require_administrator(actor, "Looking at another person")?;
        let email = email.trim().to_lowercase();
        found(self.store().reader().await?.account_by_email(&email).await?)
    }

    /// Gives a person another role, at once and in their open sessions too.
    pub async fn set_user_role(&self, actor: &Actor, id: UserId, role: Role) -> Result<()> {
        require_administrator(actor, "Changing a role")?;
        let (now, actor) = (self.clock().now(), actor.clone());
        self.store()
            .write(move |tx| {
                Box::pin(async move {
                    let account = found(tx.account(id).await?)?;
                    if account.user.role == role {
                        return Ok(());
                    }
                    if role != Role::Administrator {
                        keep_an_administrator(tx, id).await?;
                    }
                    tx.set_role(id, role).await?;
                    let words = format!("{}: role changed to {}", account.user.email, role.label());
                    let entry = AuditEntry::new("user.role_changed", "user", id, words)
                        .changing(json!(account.user.role), json!(role));
                    audit::record(tx, now, &actor, entry).await
                })
            })
            .await
    }

    /// Keeps a person out, or lets them in again. Keeping out ends their sessions.
    pub async fn set_user_disabled(&self, actor: &Actor, id: UserId, disabled: bool) -> Result<()> {
        require_administrator(actor, "Disabling people")?;
        let (now, actor) = (self.clock().now(), actor.clone());
        self.store()
            .write(move |tx| {
                Box::pin(async move {
                    let account = found(tx.account(id).await?)?;
                    if account.user.disabled == disabled {
                        return Ok(());
                    }
                    if disabled {
                        keep_an_administrator(tx, id).await?;
                        tx.delete_sessions_of(id, None).await?;
                        tx.delete_links_of(id).await?;
                    }
                    tx.set_disabled(id, disabled).await?;
                    let (action, word) = if disabled {
                        ("user.disabled", "disabled")
                    } else {
                        ("user.enabled", "enabled")
                    };
                    let words = format!("{} {word}", account.user.email);
                    audit::record(tx, now, &actor, AuditEntry::new(action, "user", id, words)).await
                })
            })
            .await
    }

    /// Sets the person's own name and time zone (IANA).
    pub async fn set_profile(&self, person: &Person, name: &str, time_zone: &str) -> Result<()> {
        let (name, time_zone) = (name.trim().to_owned(), time_zone.trim().to_owned());
        let mut faults = Vec::new();
        if name.is_empty() || !is_name(&name) {
            faults.push(FieldFault::new(
                "name",
                format!("Enter your name in one line of at most {MAX_NAME} characters."),
            ));
        }
        if TimeZone::get(&time_zone).is_err() {
            faults.push(FieldFault::new(
                "time_zone",
                "Enter a time zone such as Europe/Berlin or UTC.",
            ));
        }
        if !faults.is_empty() {
            return Err(LifecycleError::Invalid(faults));
        }
        let (now, id, actor) = (self.clock().now(), person.user.id, Actor::Person(person.clone()));
        self.store()
            .write(move |tx| {
                Box::pin(async move {
                    let was = found(tx.account(id).await?)?.user;
                    if (&was.name, &was.time_zone) == (&name, &time_zone) {
                        return Ok(());
                    }
                    tx.set_profile(id, &name, &time_zone).await?;
                    let words = format!("{}: own name or time zone changed", was.email);
                    let entry = AuditEntry::new("user.changed", "user", id, words).changing(
                        json!({"name": was.name, "time_zone": was.time_zone}),
                        json!({"name": name, "time_zone": time_zone}),
                    );
                    audit::record(tx, now, &actor, entry).await
                })
            })
            .await
    }
}

/// What others read as a person's name: one line.
fn is_name(name: &str) -> bool {
    domain::is_line(name, MAX_NAME)
}

pub(crate) fn checked(new: &NewUser) -> Result<NewAccount> {
    let email = new.email.trim().to_lowercase();
    let name = new.name.trim();
    let mut faults = Vec::new();
    if !domain::is_email(&email) {
        faults.push(FieldFault::new(
            "email",
            "Enter an e-mail address, such as jane.doe@example.com.",
        ));
    }
    if !is_name(name) {
        faults.push(FieldFault::new(
            "name",
            format!("Enter a name of at most {MAX_NAME} characters."),
        ));
    }
    if !faults.is_empty() {
        return Err(LifecycleError::Invalid(faults));
    }
    let name = if name.is_empty() { email.clone() } else { name.to_owned() };
    Ok(NewAccount {
        email,
        name,
        role: new.role,
        password_hash: None,
        created_at: domain::Timestamp(0),
    })
}

pub(crate) async fn insert(tx: &mut Tx, row: &NewAccount) -> Result<UserId> {
    let taken = || {
        LifecycleError::field(
            "email",
            format!("{} is here already. Enter another e-mail address.", row.email),
        )
    };
    tx.insert_account(row).await?.ok_or_else(taken)
}

/// Refuses to take the last administrator away. Locked, so that two of them can't remove each
/// other at the same moment.
async fn keep_an_administrator(tx: &mut Tx, leaving: UserId) -> Result<()> {
    tx.lock("administrators").await?;
    let administrators = tx.active_administrators().await?;
    if administrators == [leaving] {
        return Err(LifecycleError::Conflict {
            message: "This is the last administrator. Make somebody else an administrator first."
                .to_owned(),
        });
    }
    Ok(())
}

fn found(account: Option<Account>) -> Result<Account> {
    account.ok_or(LifecycleError::NotFound { what: "person" })
}

#[cfg(test)]
mod tests;
