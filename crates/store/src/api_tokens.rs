//! API keys, by the hash of their secret.

use domain::model::Role;
use domain::{ApiKeyId, Timestamp, UserId};
use sqlx::QueryBuilder;

use crate::keyset::{Key, Rows, push_rows};
use crate::users::{Account, UserRow, like};
use crate::value::parse_opt;
use crate::{StoreError, Tx, on};

/// A key to be added.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    /// Whose.
    pub user: UserId,
    /// What it is for.
    pub name: String,
    /// Narrower than the person's own role, where given.
    pub role: Option<Role>,
    /// SHA-256 of the key, in hex.
    pub token_hash: String,
    /// When.
    pub created_at: Timestamp,
}

/// Which keys a list shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiKeyFilter {
    /// In the name or the owner's e-mail address, in any case.
    pub text: Option<String>,
    /// Revoked ones only, or those that work.
    pub revoked: Option<bool>,
}

/// What the list of keys is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ApiKeySort {
    /// When they were made.
    #[default]
    Created,
    /// By name.
    Name,
    /// By the owner's e-mail address.
    Person,
    /// By the last use.
    LastUsed,
}

impl ApiKeySort {
    const fn column(self) -> &'static str {
        match self {
            Self::Created => "k.id",
            Self::Name => "k.name",
            Self::Person => "u.email",
            Self::LastUsed => "COALESCE(k.last_used_at, 0)",
        }
    }

    /// The key of a row under this sort.
    pub fn key(self, key: &ApiKey) -> Key {
        match self {
            Self::Created => Key::Number(key.id.0),
            Self::Name => Key::Text(key.name.clone()),
            Self::Person => Key::Text(key.email.clone()),
            Self::LastUsed => Key::Number(key.last_used_at.map_or(0, |at| at.0)),
        }
    }
}

/// A key as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// Whose.
    pub user: UserId,
    /// That person's e-mail address.
    pub email: String,
    /// What it is for.
    pub name: String,
    /// Narrower than the person's own role, where given.
    pub role: Option<Role>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used, roughly.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    user_id: i64,
    email: String,
    name: String,
    role: Option<String>,
    created_at: i64,
    last_used_at: Option<i64>,
    revoked_at: Option<i64>,
}

impl TryFrom<Row> for ApiKey {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: ApiKeyId(row.id),
            user: UserId(row.user_id),
            email: row.email,
            name: row.name,
            role: parse_opt("api_tokens.role", row.role.as_deref())?,
            created_at: Timestamp(row.created_at),
            last_used_at: row.last_used_at.map(Timestamp),
            revoked_at: row.revoked_at.map(Timestamp),
        })
    }
}

#[derive(sqlx::FromRow)]
struct OwnedRow {
    key_id: i64,
    key_role: Option<String>,
    key_used_at: Option<i64>,
    #[sqlx(flatten)]
    user: UserRow,
}

/// A key that still works, with its owner.
#[derive(Debug, Clone)]
pub struct OwnedApiKey {
    /// The key.
    pub id: ApiKeyId,
    /// Narrower than the person's own role, where given.
    pub role: Option<Role>,
    /// When it was last used, roughly.
    pub last_used_at: Option<Timestamp>,
    /// Whose it is.
    pub owner: Account,
}

const KEYS: &str = "SELECT k.id, k.user_id, u.email, k.name, k.role, k.created_at, k.last_used_at, k.revoked_at \
                    FROM api_tokens k JOIN users u ON u.id = k.user_id";

impl Tx {
    /// Adds a key.
    pub async fn insert_api_key(&mut self, new: &NewApiKey) -> Result<ApiKeyId, StoreError> {
        let id: i64 = on!(self, |conn| {
            sqlx::query_scalar(
                "INSERT INTO api_tokens (user_id, name, role, token_hash, created_at) VALUES ($1, $2, $3, $4, $5) RETURNING id",
            )
            .bind(new.user.0)
            .bind(&new.name)
            .bind(new.role.map(Role::as_str))
            .bind(&new.token_hash)
            .bind(new.created_at.0)
            .fetch_one(&mut *conn)
            .await?
        });
        Ok(ApiKeyId(id))
    }

    /// The key with this hash, where it is not revoked.
    pub async fn live_api_key(
        &mut self,
        token_hash: &str,
    ) -> Result<Option<OwnedApiKey>, StoreError> {
        let row: Option<OwnedRow> = on!(self, |conn| {
            sqlx::query_as(
                "SELECT k.id AS key_id, k.role AS key_role, k.last_used_at AS key_used_at, u.id, u.email, u.name, \
                 u.role, u.password_hash, u.disabled, u.time_zone, u.created_at, u.last_sign_in_at \
                 FROM api_tokens k JOIN users u ON u.id = k.user_id WHERE k.token_hash = $1 AND k.revoked_at IS NULL",
            )
            .bind(token_hash)
            .fetch_optional(&mut *conn)
            .await?
        });
        let Some(row) = row else { return Ok(None) };
        Ok(Some(OwnedApiKey {
            id: ApiKeyId(row.key_id),
            role: parse_opt("api_tokens.role", row.key_role.as_deref())?,
            last_used_at: row.key_used_at.map(Timestamp),
            owner: row.user.try_into()?,
        }))
    }

    /// Keys of one person or of all.
    pub async fn api_keys(
        &mut self,
        of: Option<UserId>,
        filter: &ApiKeyFilter,
        sort: ApiKeySort,
        page: &Rows,
    ) -> Result<Vec<ApiKey>, StoreError> {
        let rows: Vec<Row> = on!(self, |conn| {
            let mut query = QueryBuilder::new(KEYS);
            query.push(" WHERE 1 = 1");
            if let Some(user) = of {
                query.push(" AND k.user_id = ").push_bind(user.0);
            }
            if let Some(text) = &filter.text {
                query.push(" AND (LOWER(k.name) LIKE ").push_bind(like(text)).push(" ESCAPE '!'");
                query.push(" OR u.email LIKE ").push_bind(like(text)).push(" ESCAPE '!')");
            }
            match filter.revoked {
                Some(true) => query.push(" AND k.revoked_at IS NOT NULL"),
                Some(false) => query.push(" AND k.revoked_at IS NULL"),
                None => &mut query,
            };
            push_rows!(query, sort.column(), "k.id", page);
            query.build_query_as().fetch_all(&mut *conn).await?
        });
        rows.into_iter().map(ApiKey::try_from).collect()
    }

    /// One key.
    pub async fn api_key(&mut self, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError> {
        let row: Option<Row> = on!(self, |conn| {
            QueryBuilder::new(KEYS)
                .push(" WHERE k.id = ")
                .push_bind(id.0)
                .build_query_as()
                .fetch_optional(&mut *conn)
                .await?
        });
        row.map(ApiKey::try_from).transpose()
    }

    /// Notes a use.
    pub async fn touch_api_key(&mut self, id: ApiKeyId, now: Timestamp) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query("UPDATE api_tokens SET last_used_at = $1 WHERE id = $2")
                .bind(now.0)
                .bind(id.0)
                .execute(&mut *conn)
                .await?;
        });
        Ok(())
    }

    /// Revokes a key; false where it was revoked before.
    pub async fn revoke_api_key(
        &mut self,
        id: ApiKeyId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed: Option<i64> = on!(self, |conn| {
            sqlx::query_scalar("UPDATE api_tokens SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL RETURNING id")
                .bind(now.0)
                .bind(id.0)
                .fetch_optional(&mut *conn)
                .await?
        });
        Ok(changed.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;
    use crate::samples::NOW;
    use crate::testing::databases;
    use crate::users::NewAccount;

    /// Four keys of two people; `c` is revoked, `b` and `d` were used.
    async fn four(store: &Store) {
        let made: Result<(), StoreError> = store
            .write(|tx| {
                Box::pin(async move {
                    let mut people = Vec::new();
                    for email in ["zoe@example.com", "amy@example.com"] {
                        let new = NewAccount {
                            email: email.to_owned(),
                            name: String::new(),
                            role: Role::Manager,
                            password_hash: None,
                            created_at: NOW,
                        };
                        people.extend(tx.insert_account(&new).await?);
                    }
                    for (at, name) in ["b", "A", "d", "c"].into_iter().enumerate() {
                        let new = NewApiKey {
                            user: people[at % 2],
                            name: name.to_owned(),
                            role: None,
                            token_hash: name.to_owned(),
                            created_at: NOW,
                        };
                        let id = tx.insert_api_key(&new).await?;
                        match name {
                            "c" => drop(tx.revoke_api_key(id, NOW).await?),
                            "A" => {}
                            _ => {
                                let used = NOW.plus_seconds(i64::try_from(at).unwrap());
                                tx.touch_api_key(id, used).await?;
                            }
                        }
                    }
                    Ok(())
                })
            })
            .await;
        made.unwrap();
    }

    fn names(keys: &[ApiKey]) -> String {
        keys.iter().map(|key| key.name.as_str()).collect()
    }

    #[tokio::test]
    async fn keys_are_filtered_by_text_and_status() {
        for database in databases().await {
            four(&database.store).await;
            let mut tx = database.store.reader().await.unwrap();
            let page = Rows { beyond: None, descending: false, limit: 10 };
            for (text, revoked, found) in [
                (None, Some(true), "c"),
                (None, Some(false), "bAd"),
                (Some("a"), None, "bAdc"),
                (Some("AMY@"), None, "Ac"),
                (Some("amy@"), Some(true), "c"),
                (Some("_"), None, ""),
            ] {
                let filter = ApiKeyFilter { text: text.map(str::to_owned), revoked };
                let keys = tx.api_keys(None, &filter, ApiKeySort::Created, &page).await.unwrap();
                assert_eq!(names(&keys), found, "{} {text:?} {revoked:?}", database.kind);
            }
        }
    }

    #[tokio::test]
    async fn every_sort_walks_over_all_keys_once_both_ways() {
        for database in databases().await {
            four(&database.store).await;
            let mut tx = database.store.reader().await.unwrap();
            let all = ApiKeyFilter::default();
            for (sort, order) in [
                (ApiKeySort::Created, "bAdc"),
                (ApiKeySort::Person, "Acbd"),
                (ApiKeySort::LastUsed, "Acbd"),
            ] {
                for descending in [false, true] {
                    let mut walked = String::new();
                    let mut page = Rows { beyond: None, descending, limit: 3 };
                    loop {
                        let keys = tx.api_keys(None, &all, sort, &page).await.unwrap();
                        let Some(last) = keys.last() else { break };
                        page.beyond = Some((sort.key(last), last.id.0));
                        walked.push_str(&names(&keys));
                    }
                    let order: String =
                        if descending { order.chars().rev().collect() } else { order.to_owned() };
                    assert_eq!(walked, order, "{} {sort:?} {descending}", database.kind);
                }
            }
            // How letters and capitals sort is the database's choice; no key is lost by it.
            let page = Rows { beyond: None, descending: false, limit: 3 };
            let keys = tx.api_keys(None, &all, ApiKeySort::Name, &page).await.unwrap();
            let beyond = keys.last().map(|last| (ApiKeySort::Name.key(last), last.id.0));
            let page = Rows { beyond, ..page };
            let rest = tx.api_keys(None, &all, ApiKeySort::Name, &page).await.unwrap();
            assert_eq!((keys.len(), names(&rest).as_str()), (3, "d"), "{}", database.kind);
        }
    }
}
