//! Agents: activated once by a token that an administrator saw, then known by a bearer token.

use domain::model::Role;
use domain::{AgentId, Timestamp};
use serde_json::json;
use store::Tx;
use store::agents::{AgentFilter, AgentRecord, AgentSort, Enrollment};

use super::gone::Gone;
use super::intervene::give_up;
use crate::audit::{AuditEntry, record};
use crate::lists::{MEANT_AMONG, PageOf, Slice, meant};
use crate::sessions::{SecretToken, token_hash};
use crate::{Actor, Lifecycle, LifecycleError, Result};

/// An activation token is good for this long, in seconds.
const ACTIVATION_SECONDS: i64 = 24 * 3_600;
/// The last call is noted at most this often, in seconds.
const TOUCH_SECONDS: i64 = 15;

/// A new agent with its one-time token.
#[derive(Debug, Clone)]
pub struct Activation {
    /// The agent.
    pub agent: AgentId,
    /// Shown this once.
    pub token: SecretToken,
    /// Until when it may be used.
    pub expires: Timestamp,
}

/// What an agent says when it enrolls.
#[derive(Debug, Clone)]
pub struct Enroll {
    /// The activation token.
    pub activation_token: String,
    /// A random text of this attempt.
    pub attempt: String,
    /// The name that its configuration gives it; empty or the host's where that gives none.
    pub name: String,
    /// The host's own name.
    pub hostname: String,
    /// The agent's version.
    pub version: String,
    /// Operating system and processor.
    pub platform: String,
}

/// An agent's id with its bearer token.
#[derive(Debug, Clone)]
pub struct AgentKey {
    /// The agent.
    pub agent: AgentId,
    /// Its bearer token.
    pub token: SecretToken,
}

impl Lifecycle {
    /// Makes an agent known and answers its activation token.
    pub async fn add_agent(&self, actor: &Actor, name: &str) -> Result<Activation> {
        require_manager(actor, "Adding an agent")?;
        let name = name.trim().to_owned();
        if !is_name(&name) {
            return Err(LifecycleError::field(
                "name",
                "Enter a name in one line of 1 to 100 characters, such as the host's.",
            ));
        }
        let now = self.clock().now();
        let expires = now.plus_seconds(ACTIVATION_SECONDS);
        let token = SecretToken::random("cdat_")?;
        let (hash, actor) = (token.hash(), actor.clone());
        let agent = self
            .store()
            .write(move |tx| {
                Box::pin(async move {
                    let agent = tx.insert_agent(&name, &hash, expires, now).await?;
                    let said = format!("Agent {name:?} was added; its activation token was shown.");
                    record(tx, now, &actor, AuditEntry::new("agent.added", "agent", agent, said))
                        .await?;
                    Ok::<_, LifecycleError>(agent)
                })
            })
            .await?;
        Ok(Activation { agent, token, expires })
    }

    /// Exchanges an activation token for a bearer token.
    pub async fn enroll_agent(&self, enroll: Enroll) -> Result<AgentKey> {
        let now = self.clock().now();
        let token = SecretToken::random("cdak_")?;
        let token_hash_text = token.hash();
        // The name that an administrator chose stays, unless the host's administrator chose one.
        let name = Some(enroll.name.trim()).filter(|name| *name != enroll.hostname);
        let name = name.filter(|name| is_name(name)).map(str::to_owned);
        let agent = self
            .store()
            .write(move |tx| {
                Box::pin(async move {
                    let who = Enrollment {
                        activation_hash: &token_hash(&enroll.activation_token),
                        attempt_hash: &token_hash(&enroll.attempt),
                        token_hash: &token_hash_text,
                        name: name.as_deref(),
                        hostname: &enroll.hostname,
                        version: &enroll.version,
                        platform: &enroll.platform,
                    };
                    let agent =
                        tx.enroll_agent(&who, now).await?.ok_or(LifecycleError::SignedOut)?;
                    let entry =
                        AuditEntry::new("agent.enrolled", "agent", agent, "The agent signed on.")
                            .changing(
                                json!(null),
                                json!({"hostname": enroll.hostname, "version": enroll.version}),
                            );
                    record(tx, now, &Actor::Worker { on_behalf_of: None }, entry).await?;
                    Ok::<_, LifecycleError>(agent)
                })
            })
            .await?;
        Ok(AgentKey { agent, token })
    }

    /// The agent that holds `token`; notes that it was heard of.
    pub async fn authenticate_agent(&self, token: &str, version: Option<&str>) -> Result<AgentId> {
        if token.len() > 200 {
            return Err(LifecycleError::SignedOut);
        }
        let now = self.clock().now();
        let found = self.store().reader().await?.agent_by_token(&token_hash(token)).await?;
        let (agent, seen) = found.ok_or(LifecycleError::SignedOut)?;
        if seen.is_none_or(|seen| now.seconds_since(seen).abs() >= TOUCH_SECONDS) {
            let version = version.map(str::to_owned);
            self.store()
                .write(move |tx| {
                    Box::pin(async move {
                        Ok::<_, LifecycleError>(
                            tx.touch_agent(agent, version.as_deref(), now).await?,
                        )
                    })
                })
                .await?;
        }
        Ok(agent)
    }

    /// A page of agents.
    pub async fn agents(
        &self,
        actor: &Actor,
        filter: &AgentFilter,
        page: &PageOf<AgentSort>,
    ) -> Result<Slice<AgentRecord>> {
        require_person(actor)?;
        let mut tx = self.store().reader().await?;
        Ok(page.slice(tx.agents(filter, page.sort, &page.rows()).await?))
    }

    /// The agent that a filter means: by its number, else by its name or its host's; none where no
    /// agent or several may be meant.
    pub async fn agent_meant(&self, actor: &Actor, text: &str) -> Result<Option<AgentRecord>> {
        require_person(actor)?;
        let mut tx = self.store().reader().await?;
        if let Ok(id) = text.trim().parse()
            && let Some(agent) = tx.agent(AgentId(id)).await?
        {
            return Ok(Some(agent));
        }
        let filter = AgentFilter { text: Some(text.trim().to_owned()), standing: None };
        let page = PageOf::first(AgentSort::Name, MEANT_AMONG);
        let found = tx.agents(&filter, page.sort, &page.rows()).await?;
        Ok(meant(found, text, |agent| {
            std::iter::once(&agent.name).chain(&agent.hostname).collect()
        }))
    }

    /// One agent.
    pub async fn agent(&self, actor: &Actor, id: AgentId) -> Result<AgentRecord> {
        require_person(actor)?;
        let found = self.store().reader().await?.agent(id).await?;
        found.ok_or(LifecycleError::NotFound { what: "agent" })
    }

    /// Takes an agent's access away; its endpoints leave the list, their history stays. What it
    /// had to do nobody does any more.
    pub async fn remove_agent(&self, actor: &Actor, id: AgentId) -> Result<()> {
        require_manager(actor, "Removing an agent")?;
        let (now, actor) = (self.clock().now(), actor.clone());
        self.store()
            .write(move |tx| {
                Box::pin(async move {
                    lock_agent(tx, id).await?;
                    if !tx.remove_agent(id, now).await? {
                        return Err(LifecycleError::NotFound { what: "agent" });
                    }
                    for event in tx.open_events_of_agent(id).await? {
                        give_up(tx, now, &actor, event, Gone::removed(now)).await?;
                    }
                    record(
                        tx,
                        now,
                        &actor,
                        AuditEntry::new("agent.removed", "agent", id, "The agent was removed."),
                    )
                    .await
                })
            })
            .await
    }
}

/// Nobody reports, or removes it, at the same moment.
pub(super) async fn lock_agent(tx: &mut Tx, id: AgentId) -> Result<()> {
    Ok(tx.lock(&format!("agent:{id}")).await?)
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && domain::is_line(name, 100)
}

/// Administrators and Managers run automation.
pub(super) fn require_manager(actor: &Actor, what: &'static str) -> Result<()> {
    match actor.role() {
        Some(role) if role.is_approver() => Ok(()),
        Some(_) => Err(LifecycleError::Forbidden { what, needs: Role::Manager.label() }),
        None => Err(LifecycleError::SignedOut),
    }
}

/// Anybody who is signed in, but Limited Users, who see their own orders only.
pub(super) fn require_person(actor: &Actor) -> Result<()> {
    match actor.role() {
        Some(Role::Limited) => {
            Err(LifecycleError::Forbidden { what: "Automation", needs: Role::Standard.label() })
        }
        Some(_) => Ok(()),
        None => Err(LifecycleError::SignedOut),
    }
}
