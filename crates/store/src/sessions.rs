//! Sessions in the browser, by the hash of their token.

use domain::{Timestamp, UserId};

use crate::users::{Account, UserRow};
use crate::{StoreError, Tx, on};

/// A session to be added.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// SHA-256 of the token, in hex.
    pub token_hash: String,
    /// Whose.
    pub user: UserId,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// Where from.
    pub address: Option<String>,
    /// What browser.
    pub user_agent: String,
}

/// A session as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// When its last request came, roughly.
    pub seen_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
}

#[derive(sqlx::FromRow)]
struct Row {
    last_seen_at: i64,
    expires_at: i64,
    #[sqlx(flatten)]
    user: UserRow,
}

impl Tx {
    /// Adds a session.
    pub async fn insert_session(&mut self, new: &NewSession) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query(
                "INSERT INTO sessions (token_hash, user_id, created_at, last_seen_at, expires_at, address, user_agent) \
                 VALUES ($1, $2, $3, $3, $4, $5, $6)",
            )
            .bind(&new.token_hash)
            .bind(new.user.0)
            .bind(new.created_at.0)
            .bind(new.expires_at.0)
            .bind(&new.address)
            .bind(&new.user_agent)
            .execute(&mut *conn)
            .await?;
        });
        Ok(())
    }

    /// The session with this token, and whose it is.
    pub async fn session(
        &mut self,
        token_hash: &str,
    ) -> Result<Option<(Session, Account)>, StoreError> {
        let row: Option<Row> = on!(self, |conn| {
            sqlx::query_as(
                "SELECT s.last_seen_at, s.expires_at, u.id, u.email, u.name, u.role, u.password_hash, u.disabled, \
                 u.time_zone, u.created_at, u.last_sign_in_at \
                 FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.token_hash = $1",
            )
            .bind(token_hash)
            .fetch_optional(&mut *conn)
            .await?
        });
        let Some(row) = row else { return Ok(None) };
        let session =
            Session { seen_at: Timestamp(row.last_seen_at), expires_at: Timestamp(row.expires_at) };
        Ok(Some((session, row.user.try_into()?)))
    }

    /// Notes a request.
    pub async fn touch_session(
        &mut self,
        token_hash: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query("UPDATE sessions SET last_seen_at = $1 WHERE token_hash = $2")
                .bind(now.0)
                .bind(token_hash)
                .execute(&mut *conn)
                .await?;
        });
        Ok(())
    }

    /// Ends a session; false where there is none.
    pub async fn delete_session(&mut self, token_hash: &str) -> Result<bool, StoreError> {
        let ended: Option<i64> = on!(self, |conn| {
            sqlx::query_scalar("DELETE FROM sessions WHERE token_hash = $1 RETURNING user_id")
                .bind(token_hash)
                .fetch_optional(&mut *conn)
                .await?
        });
        Ok(ended.is_some())
    }

    /// Ends a person's sessions, all but `keep`.
    pub async fn delete_sessions_of(
        &mut self,
        user: UserId,
        keep: Option<&str>,
    ) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query("DELETE FROM sessions WHERE user_id = $1 AND token_hash <> $2")
                .bind(user.0)
                .bind(keep.unwrap_or_default())
                .execute(&mut *conn)
                .await?;
        });
        Ok(())
    }

    /// Removes sessions that ended before `now` or had no request since `idle_since`.
    pub async fn sweep_sessions(
        &mut self,
        now: Timestamp,
        idle_since: Timestamp,
    ) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query("DELETE FROM sessions WHERE expires_at <= $1 OR last_seen_at <= $2")
                .bind(now.0)
                .bind(idle_since.0)
                .execute(&mut *conn)
                .await?;
        });
        Ok(())
    }
}
