//! Agents: the programs on the hosts, which poll for work.

use domain::{AgentId, Timestamp};
use sqlx::QueryBuilder;

use crate::keyset::{Key, Rows, push_rows};
use crate::users::like;
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
    /// How many endpoints it reports.
    pub endpoints: i64,
}

impl AgentRecord {
    /// Its id.
    pub const fn agent_id(&self) -> AgentId {
        AgentId(self.id)
    }

    /// Whether it was removed: its endpoints have nobody any more who installs there.
    pub fn is_removed(&self) -> bool {
        self.status == "removed"
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
    /// Its name on screens from now on; none for the one that it has.
    pub name: Option<&'a str>,
    /// The host's own name.
    pub hostname: &'a str,
    /// Its version.
    pub version: &'a str,
    /// Operating system and processor.
    pub platform: &'a str,
}

/// How the agents of a list stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgentStanding {
    /// Heard of at this moment or later.
    Heard(Timestamp),
    /// Signed on, and not heard of since before this moment.
    Silent(Timestamp),
    /// Never came, and may still be activated at this moment.
    Awaited(Timestamp),
    /// Never came, and can't be activated any more at this moment.
    Lapsed(Timestamp),
}

/// Which agents a list shows; removed ones never.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AgentFilter {
    /// In its name or its host's, in any case.
    pub text: Option<String>,
    /// Those that stand so.
    pub standing: Option<AgentStanding>,
}

/// What the list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AgentSort {
    /// By name.
    #[default]
    Name,
    /// By the host's own name.
    Host,
    /// By the last call.
    LastSeen,
}

impl AgentSort {
    const fn column(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Host => "COALESCE(hostname, '')",
            Self::LastSeen => "COALESCE(last_seen_at, 0)",
        }
    }

    /// The key of an agent under this sort.
    pub fn key(self, agent: &AgentRecord) -> Key {
        match self {
            Self::Name => Key::Text(agent.name.clone()),
            Self::Host => Key::Text(agent.hostname.clone().unwrap_or_default()),
            Self::LastSeen => Key::Number(agent.last_seen_at.unwrap_or(0)),
        }
    }
}

/// An agent that was added and never called.
const NEVER_CAME: &str = "status = 'new' AND last_seen_at IS NULL";

fn push_filter<DB>(query: &mut QueryBuilder<DB>, filter: &AgentFilter)
where
    DB: sqlx::Database,
    for<'q> String: sqlx::Encode<'q, DB> + sqlx::Type<DB>,
    for<'q> i64: sqlx::Encode<'q, DB> + sqlx::Type<DB>,
{
    if let Some(text) = &filter.text {
        query.push(" AND (LOWER(name) LIKE ").push_bind(like(text)).push(" ESCAPE '!'");
        query.push(" OR LOWER(hostname) LIKE ").push_bind(like(text)).push(" ESCAPE '!')");
    }
    match filter.standing {
        Some(AgentStanding::Heard(since)) => {
            query.push(" AND last_seen_at >= ").push_bind(since.0);
        }
        Some(AgentStanding::Silent(since)) => {
            query.push(format_args!(" AND NOT ({NEVER_CAME}) AND COALESCE(last_seen_at, 0) < "));
            query.push_bind(since.0);
        }
        Some(AgentStanding::Awaited(now)) => {
            query.push(format_args!(" AND {NEVER_CAME} AND activation_expires_at > "));
            query.push_bind(now.0);
        }
        Some(AgentStanding::Lapsed(now)) => {
            query
                .push(format_args!(" AND {NEVER_CAME} AND COALESCE(activation_expires_at, 0) <= "));
            query.push_bind(now.0);
        }
        None => {}
    }
}

const COLUMNS: &str = "id, name, hostname, version, platform, status, last_seen_at, activation_expires_at, \
     created_at, (SELECT count(*) FROM endpoints WHERE agent_id = agents.id AND gone_at IS NULL) AS endpoints";

impl Tx {
    /// Agents that the filter shows. Endpoints are counted for those of the page alone.
    pub async fn agents(
        &mut self,
        filter: &AgentFilter,
        sort: AgentSort,
        page: &Rows,
    ) -> Result<Vec<AgentRecord>, StoreError> {
        let select =
            format!("SELECT {COLUMNS} FROM (SELECT * FROM agents WHERE removed_at IS NULL");
        let whole = Rows { beyond: None, ..page.clone() };
        Ok(on!(self, |conn| {
            let mut query = QueryBuilder::new(select);
            push_filter(&mut query, filter);
            push_rows!(query, sort.column(), "id", page);
            query.push(") AS agents WHERE 1 = 1");
            push_rows!(query, sort.column(), "id", &whole);
            query.build_query_as().fetch_all(&mut *conn).await?
        }))
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
                 platform = $6, status = 'active', name = coalesce($8, name) \
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
            .bind(who.name)
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

    /// Takes an agent's tokens away; its endpoints are gone with it.
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
        on!(self, |conn| {
            sqlx::query(
                "UPDATE endpoints SET next_auto_renew_at = NULL, gone_at = coalesce(gone_at, $2) \
                 WHERE agent_id = $1",
            )
            .bind(id.0)
            .bind(now.0)
            .execute(&mut *conn)
            .await?;
        });
        Ok(gone.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;
    use crate::samples::NOW;
    use crate::testing::databases;

    /// Five agents: `a` and `e` are heard of, `b` is silent, `c` may come, `d` never came.
    async fn five(store: &Store) {
        let made: Result<(), StoreError> = store
            .write(|tx| {
                Box::pin(async move {
                    for (name, seen, until) in [
                        ("a", Some(0), 0),
                        ("b", Some(-600), 0),
                        ("c", None, 60),
                        ("d", None, -60),
                        ("e", Some(-10), 0),
                        ("gone", Some(0), 0),
                    ] {
                        let until = NOW.plus_seconds(until);
                        let id = tx.insert_agent(name, name, until, NOW).await?;
                        if let Some(seen) = seen {
                            let who = Enrollment {
                                activation_hash: name,
                                attempt_hash: "attempt",
                                token_hash: name,
                                name: None,
                                hostname: &format!("Host-{name}.example.com"),
                                version: "1",
                                platform: "linux",
                            };
                            tx.enroll_agent(&who, NOW.plus_seconds(-1)).await?;
                            tx.touch_agent(id, None, NOW.plus_seconds(seen)).await?;
                        }
                        if name == "gone" {
                            tx.remove_agent(id, NOW).await?;
                        }
                    }
                    Ok(())
                })
            })
            .await;
        made.unwrap();
    }

    async fn names(tx: &mut Tx, filter: &AgentFilter, sort: AgentSort, page: &Rows) -> String {
        let found = tx.agents(filter, sort, page).await.unwrap();
        found.into_iter().map(|agent| agent.name).collect()
    }

    #[tokio::test]
    async fn agents_are_filtered_by_how_they_stand_and_by_text() {
        for database in databases().await {
            five(&database.store).await;
            let mut tx = database.store.reader().await.unwrap();
            let page = Rows { beyond: None, descending: false, limit: 10 };
            let since = NOW.plus_seconds(-300);
            for (standing, found) in [
                (None, "abcde"),
                (Some(AgentStanding::Heard(since)), "ae"),
                (Some(AgentStanding::Silent(since)), "b"),
                (Some(AgentStanding::Awaited(NOW)), "c"),
                (Some(AgentStanding::Lapsed(NOW)), "d"),
            ] {
                let filter = AgentFilter { text: None, standing };
                let names = names(&mut tx, &filter, AgentSort::Name, &page).await;
                assert_eq!(names, found, "{} {standing:?}", database.kind);
            }
            for (text, found) in [("B", "b"), ("host-A", "a"), ("host_a", "")] {
                let filter = AgentFilter { text: Some(text.to_owned()), standing: None };
                let names = names(&mut tx, &filter, AgentSort::Name, &page).await;
                assert_eq!(names, found, "{} {text}", database.kind);
            }
        }
    }

    #[tokio::test]
    async fn every_sort_walks_over_all_agents_once_both_ways() {
        for database in databases().await {
            five(&database.store).await;
            let mut tx = database.store.reader().await.unwrap();
            let all = AgentFilter::default();
            for (sort, order) in [
                (AgentSort::Name, "abcde"),
                (AgentSort::Host, "cdabe"),
                (AgentSort::LastSeen, "cdbea"),
            ] {
                for descending in [false, true] {
                    let mut walked = String::new();
                    let mut page = Rows { beyond: None, descending, limit: 2 };
                    loop {
                        let found = tx.agents(&all, sort, &page).await.unwrap();
                        let Some(last) = found.last() else { break };
                        page.beyond = Some((sort.key(last), last.id));
                        walked.extend(found.into_iter().map(|agent| agent.name));
                    }
                    let order: String =
                        if descending { order.chars().rev().collect() } else { order.to_owned() };
                    assert_eq!(walked, order, "{} {sort:?} {descending}", database.kind);
                }
            }
        }
    }
}
