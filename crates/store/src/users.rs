//! People, and the one-time links by which they choose a password.

use domain::model::{Role, User};
use domain::{Timestamp, UserId};
use sqlx::QueryBuilder;

use crate::keyset::{Key, Rows, push_rows, rows_from};
use crate::value::parse;
use crate::{StoreError, Tx, on};

/// A person with what only their own pages and sign-in need. `Debug` shows no hash.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// The person.
    pub user: User,
    /// Argon2id in PHC form; none before they chose a password.
    pub password_hash: Option<String>,
    /// When they were added.
    pub created_at: Timestamp,
    /// When they last signed in.
    pub last_sign_in_at: Option<Timestamp>,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").field("user", &self.user).finish_non_exhaustive()
    }
}

/// A person to be added. `Debug` shows no hash.
#[derive(Clone)]
pub struct NewAccount {
    /// Lower-case.
    pub email: String,
    /// Their name.
    pub name: String,
    /// Their role.
    pub role: Role,
    /// Argon2id in PHC form.
    pub password_hash: Option<String>,
    /// When.
    pub created_at: Timestamp,
}

impl std::fmt::Debug for NewAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewAccount").field("email", &self.email).finish_non_exhaustive()
    }
}

/// Which people a list shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountFilter {
    /// In the name or the e-mail address, in any case.
    pub text: Option<String>,
    /// In the e-mail address, in any case.
    pub email: Option<String>,
    /// With this role.
    pub role: Option<Role>,
    /// Disabled ones only, or enabled ones only.
    pub disabled: Option<bool>,
}

/// What the list of people is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AccountSort {
    /// By name.
    #[default]
    Name,
    /// By e-mail address.
    Email,
    /// By role.
    Role,
    /// By the last sign-in.
    LastSignIn,
}

impl AccountSort {
    const fn column(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Email => "email",
            Self::Role => "role",
            Self::LastSignIn => "COALESCE(last_sign_in_at, 0)",
        }
    }

    /// The key of a row under this sort.
    pub fn key(self, account: &Account) -> Key {
        match self {
            Self::Name => Key::Text(account.user.name.clone()),
            Self::Email => Key::Text(account.user.email.clone()),
            Self::Role => Key::Text(account.user.role.as_str().to_owned()),
            Self::LastSignIn => Key::Number(account.last_sign_in_at.map_or(0, |at| at.0)),
        }
    }
}

/// A link that is good once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneTimeLink {
    /// SHA-256 of the token.
    pub token_hash: String,
    /// Whose; none for the set-up link.
    pub user: Option<UserId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working.
    pub expires_at: Timestamp,
}

/// A row of `users`, also as part of a join.
#[derive(sqlx::FromRow)]
pub(crate) struct UserRow {
    id: i64,
    email: String,
    name: String,
    role: String,
    password_hash: Option<String>,
    disabled: bool,
    time_zone: String,
    created_at: i64,
    last_sign_in_at: Option<i64>,
}

const COLUMNS: &str = "SELECT id, email, name, role, password_hash, disabled, time_zone, created_at, last_sign_in_at FROM users";

impl TryFrom<UserRow> for Account {
    type Error = StoreError;
    fn try_from(row: UserRow) -> Result<Self, StoreError> {
        Ok(Self {
            user: User {
                id: UserId(row.id),
                email: row.email,
                name: row.name,
                role: parse("users.role", &row.role)?,
                disabled: row.disabled,
                time_zone: row.time_zone,
            },
            password_hash: row.password_hash,
            created_at: Timestamp(row.created_at),
            last_sign_in_at: row.last_sign_in_at.map(Timestamp),
        })
    }
}

/// Appends the filter.
macro_rules! push_filter {
    ($query:expr, $filter:expr) => {{
        let (query, filter): (_, &AccountFilter) = (&mut $query, $filter);
        query.push(" WHERE 1 = 1");
        if let Some(text) = &filter.text {
            let pattern = like(text);
            query.push(" AND (LOWER(name) LIKE ").push_bind(pattern.clone());
            query.push(" ESCAPE '!' OR email LIKE ").push_bind(pattern).push(" ESCAPE '!')");
        }
        if let Some(email) = &filter.email {
            query.push(" AND email LIKE ").push_bind(like(email)).push(" ESCAPE '!'");
        }
        if let Some(role) = filter.role {
            query.push(" AND role = ").push_bind(role.as_str());
        }
        if let Some(disabled) = filter.disabled {
            query.push(" AND disabled = ").push_bind(disabled);
        }
    }};
}

impl Tx {
    /// Whether there is anybody.
    pub async fn has_accounts(&mut self) -> Result<bool, StoreError> {
        Ok(on!(self, |conn| {
            sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM users)").fetch_one(&mut *conn).await?
        }))
    }

    /// Adds a person; none where the e-mail address is taken.
    pub async fn insert_account(&mut self, new: &NewAccount) -> Result<Option<UserId>, StoreError> {
        let id: Option<i64> = on!(self, |conn| {
            sqlx::query_scalar(
                "INSERT INTO users (email, name, role, password_hash, created_at) VALUES ($1, $2, $3, $4, $5) \
                 ON CONFLICT (email) DO NOTHING RETURNING id",
            )
            .bind(&new.email)
            .bind(&new.name)
            .bind(new.role.as_str())
            .bind(&new.password_hash)
            .bind(new.created_at.0)
            .fetch_optional(&mut *conn)
            .await?
        });
        Ok(id.map(UserId))
    }

    /// One person.
    pub async fn account(&mut self, id: UserId) -> Result<Option<Account>, StoreError> {
        let row: Option<UserRow> = on!(self, |conn| {
            QueryBuilder::new(COLUMNS)
                .push(" WHERE id = ")
                .push_bind(id.0)
                .build_query_as()
                .fetch_optional(&mut *conn)
                .await?
        });
        row.map(Account::try_from).transpose()
    }

    /// The person with this e-mail address, lower-case.
    pub async fn account_by_email(&mut self, email: &str) -> Result<Option<Account>, StoreError> {
        let row: Option<UserRow> = on!(self, |conn| {
            QueryBuilder::new(COLUMNS)
                .push(" WHERE email = ")
                .push_bind(email.to_owned())
                .build_query_as()
                .fetch_optional(&mut *conn)
                .await?
        });
        row.map(Account::try_from).transpose()
    }

    /// People, sorted.
    pub async fn accounts(
        &mut self,
        filter: &AccountFilter,
        sort: AccountSort,
        page: &Rows,
    ) -> Result<Vec<Account>, StoreError> {
        let rows: Vec<UserRow> = on!(self, |conn| {
            let mut query = QueryBuilder::new(COLUMNS);
            push_filter!(query, filter);
            push_rows!(query, sort.column(), "id", page);
            query.build_query_as().fetch_all(&mut *conn).await?
        });
        rows.into_iter().map(Account::try_from).collect()
    }

    /// People by e-mail address, at most `limit` from the place `skip` on, and how many there are.
    pub async fn accounts_from(
        &mut self,
        filter: &AccountFilter,
        limit: u16,
        skip: u64,
    ) -> Result<(Vec<Account>, u64), StoreError> {
        let (rows, total): (Vec<UserRow>, u64) =
            rows_from!(self, COLUMNS, "users", push_filter, filter, "email, id", limit, skip);
        let rows = rows.into_iter().map(Account::try_from).collect::<Result<_, _>>()?;
        Ok((rows, total))
    }

    /// The ids of all administrators who are not disabled.
    pub async fn active_administrators(&mut self) -> Result<Vec<UserId>, StoreError> {
        let ids: Vec<i64> = on!(self, |conn| {
            sqlx::query_scalar(
                "SELECT id FROM users WHERE role = 'administrator' AND NOT disabled ORDER BY id",
            )
            .fetch_all(&mut *conn)
            .await?
        });
        Ok(ids.into_iter().map(UserId).collect())
    }

    /// Sets the role.
    pub async fn set_role(&mut self, id: UserId, role: Role) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query("UPDATE users SET role = $1 WHERE id = $2")
                .bind(role.as_str())
                .bind(id.0)
                .execute(&mut *conn)
                .await?;
        });
        Ok(())
    }

    /// Keeps out or lets in.
    pub async fn set_disabled(&mut self, id: UserId, disabled: bool) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query("UPDATE users SET disabled = $1 WHERE id = $2")
                .bind(disabled)
                .bind(id.0)
                .execute(&mut *conn)
                .await?;
        });
        Ok(())
    }

    /// Sets what people choose for themselves.
    pub async fn set_profile(
        &mut self,
        id: UserId,
        name: &str,
        time_zone: &str,
    ) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query("UPDATE users SET name = $1, time_zone = $2 WHERE id = $3")
                .bind(name)
                .bind(time_zone)
                .bind(id.0)
                .execute(&mut *conn)
                .await?;
        });
        Ok(())
    }

    /// Sets the password's hash.
    pub async fn set_password_hash(&mut self, id: UserId, hash: &str) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query("UPDATE users SET password_hash = $1 WHERE id = $2")
                .bind(hash)
                .bind(id.0)
                .execute(&mut *conn)
                .await?;
        });
        Ok(())
    }

    /// Notes a sign-in.
    pub async fn note_sign_in(&mut self, id: UserId, now: Timestamp) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query("UPDATE users SET last_sign_in_at = $1 WHERE id = $2")
                .bind(now.0)
                .bind(id.0)
                .execute(&mut *conn)
                .await?;
        });
        Ok(())
    }

    /// Adds a link.
    pub async fn insert_link(&mut self, link: &OneTimeLink) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query("INSERT INTO one_time_links (token_hash, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4)")
                .bind(&link.token_hash)
                .bind(link.user.map(|user| user.0))
                .bind(link.created_at.0)
                .bind(link.expires_at.0)
                .execute(&mut *conn)
                .await?;
        });
        Ok(())
    }

    /// The link with this token.
    pub async fn link(&mut self, token_hash: &str) -> Result<Option<OneTimeLink>, StoreError> {
        let row: Option<LinkRow> = on!(self, |conn| {
            sqlx::query_as("SELECT token_hash, user_id, created_at, expires_at FROM one_time_links WHERE token_hash = $1")
                .bind(token_hash)
                .fetch_optional(&mut *conn)
                .await?
        });
        Ok(row.map(OneTimeLink::from))
    }

    /// Removes the link with this token and answers it; one caller gets it.
    pub async fn take_link(&mut self, token_hash: &str) -> Result<Option<OneTimeLink>, StoreError> {
        let row: Option<LinkRow> = on!(self, |conn| {
            sqlx::query_as(
                "DELETE FROM one_time_links WHERE token_hash = $1 RETURNING token_hash, user_id, created_at, expires_at",
            )
            .bind(token_hash)
            .fetch_optional(&mut *conn)
            .await?
        });
        Ok(row.map(OneTimeLink::from))
    }

    /// Removes links that are over at `now`.
    pub async fn sweep_links(&mut self, now: Timestamp) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query("DELETE FROM one_time_links WHERE expires_at <= $1")
                .bind(now.0)
                .execute(&mut *conn)
                .await?;
        });
        Ok(())
    }

    /// Removes a person's links.
    pub async fn delete_links_of(&mut self, user: UserId) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query("DELETE FROM one_time_links WHERE user_id = $1")
                .bind(user.0)
                .execute(&mut *conn)
                .await?;
        });
        Ok(())
    }

    /// Removes the set-up links.
    pub async fn delete_setup_links(&mut self) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query("DELETE FROM one_time_links WHERE user_id IS NULL")
                .execute(&mut *conn)
                .await?;
        });
        Ok(())
    }
}

#[derive(sqlx::FromRow)]
struct LinkRow {
    token_hash: String,
    user_id: Option<i64>,
    created_at: i64,
    expires_at: i64,
}

impl From<LinkRow> for OneTimeLink {
    fn from(row: LinkRow) -> Self {
        Self {
            token_hash: row.token_hash,
            user: row.user_id.map(UserId),
            created_at: Timestamp(row.created_at),
            expires_at: Timestamp(row.expires_at),
        }
    }
}

/// `text` anywhere, for `LIKE … ESCAPE '!'`, lower-case. For small tables only.
pub(crate) fn like(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.to_lowercase().chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}
