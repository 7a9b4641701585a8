//! Agents: the programs on the hosts, which poll for work.

use domain::{AgentId, Timestamp};

use crate::{StoreError, Tx, on};

/// One agent.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct AgentRecord {
    /// Its id, see [`Self::agent_id`].
    pub id: i64,
    /// Its name on screens.
    pub name: String,
    /// The host's own name; none before it enrolled.
    pub hostname: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// Operating system and processor.
    pub platform: Option<String>,
    /// `new`, `active` or `removed`.
    pub status: String,
    /// Epoch seconds of its last call.
    pub last_seen_at: Option<i64>,
    /// Epoch seconds until which it may be activated.
    pub activation_expires_at: Option<i64>,
    /// Epoch seconds.
    pub created_at: i64,
    /// How many endpoints it reported.
    pub endpoints: i64,
}

impl AgentRecord {
    /// Its id.
    pub const fn agent_id(&self) -> AgentId {
        AgentId(self.id)
    }
}

/// What an agent says of itself when it enrolls.
#[derive(Debug, Clone)]
pub struct Enrollment<'a> {
    /// SHA-256 of the activation token.
    pub activation_hash: &'a str,
    /// SHA-256 of the attempt's random text.
    pub attempt_hash: &'a str,
    /// SHA-256 of the bearer token that it gets.
    pub token_hash: &'a str,
    /// The host's own name.
    pub hostname: &'a str,
    /// Its version.
    pub version: &'a str,
    /// Operating system and processor.
    pub platform: &'a str,
}

const COLUMNS: &str = "id, name, hostname, version, platform, status, last_seen_at, activation_expires_at, \
     created_at, (SELECT count(*) FROM endpoints WHERE agent_id = agents.id) AS endpoints";

impl Tx {
    /// Agents that are not removed, by name.
    pub async fn agents(&mut self) -> Result<Vec<AgentRecord>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM agents WHERE removed_at IS NULL ORDER BY name, id LIMIT 1000"
        ));
        Ok(on!(self, |conn| sqlx::query_as(sql).fetch_all(&mut *conn).await?))
    }

    /// One agent, removed or not.
    pub async fn agent(&mut self, id: AgentId) -> Result<Option<AgentRecord>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM agents WHERE id = $1"));
        Ok(on!(self, |conn| sqlx::query_as(sql).bind(id.0).fetch_optional(&mut *conn).await?))
    }

    /// Inserts an agent that waits for its activation.
    pub async fn insert_agent(
        &mut self,
        name: &str,
        activation_hash: &str,
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<AgentId, StoreError> {
        let id: i64 = on!(self, |conn| {
            sqlx::query_scalar(
                "INSERT INTO agents (name, activation_token_hash, activation_expires_at, status, created_at) \
                 VALUES ($1, $2, $3, 'new', $4) RETURNING id",
            )
            .bind(name)
            .bind(activation_hash)
            .bind(expires.0)
            .bind(now.0)
            .fetch_one(&mut *conn)
            .await?
        });
        Ok(AgentId(id))
    }

    /// Exchanges the activation token for a bearer token: the first time, or again for the same
    /// attempt as long as the agent has made no call with the token it got. None otherwise.
    pub async fn enroll_agent(
        &mut self,
        who: &Enrollment<'_>,
        now: Timestamp,
    ) -> Result<Option<AgentId>, StoreError> {
        let id: Option<i64> = on!(self, |conn| {
            sqlx::query_scalar(
                "UPDATE agents SET activation_attempt_hash = $2, token_hash = $3, hostname = $4, version = $5, \
                 platform = $6, status = 'active' \
                 WHERE activation_token_hash = $1 AND removed_at IS NULL AND activation_expires_at > $7 \
                 AND (activation_attempt_hash IS NULL OR (activation_attempt_hash = $2 AND last_seen_at IS NULL)) \
                 RETURNING id",
            )
            .bind(who.activation_hash)
            .bind(who.attempt_hash)
            .bind(who.token_hash)
            .bind(who.hostname)
            .bind(who.version)
            .bind(who.platform)
            .bind(now.0)
            .fetch_optional(&mut *conn)
            .await?
        });
        Ok(id.map(AgentId))
    }

    /// The agent that holds a bearer token, with the second of its last call.
    pub async fn agent_by_token(
        &mut self,
        token_hash: &str,
    ) -> Result<Option<(AgentId, Option<Timestamp>)>, StoreError> {
        let row: Option<(i64, Option<i64>)> = on!(self, |conn| {
            sqlx::query_as(
                "SELECT id, last_seen_at FROM agents WHERE token_hash = $1 AND removed_at IS NULL",
            )
            .bind(token_hash)
            .fetch_optional(&mut *conn)
            .await?
        });
        Ok(row.map(|(id, seen)| (AgentId(id), seen.map(Timestamp))))
    }

    /// Notes a sign of life.
    pub async fn touch_agent(
        &mut self,
        id: AgentId,
        version: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query("UPDATE agents SET last_seen_at = $2, version = coalesce($3, version) WHERE id = $1")
                .bind(id.0)
                .bind(now.0)
                .bind(version)
                .execute(&mut *conn)
                .await?;
        });
        Ok(())
    }

    /// Takes an agent's tokens away.
    pub async fn remove_agent(&mut self, id: AgentId, now: Timestamp) -> Result<bool, StoreError> {
        let gone: Option<i64> = on!(self, |conn| {
            sqlx::query_scalar(
                "UPDATE agents SET status = 'removed', removed_at = $2, token_hash = NULL, \
                 activation_token_hash = NULL WHERE id = $1 AND removed_at IS NULL RETURNING id",
            )
            .bind(id.0)
            .bind(now.0)
            .fetch_optional(&mut *conn)
            .await?
        });
        Ok(gone.is_some())
    }
}
