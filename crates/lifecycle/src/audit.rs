//! The audit log: who did what, on what, from where, with the old and the new value.
//!
//! An entry is written in the transaction of the act itself, so that there is neither an act
//! without its entry nor an entry without its act. What an agent only tells of its host (handshakes,
//! versions, that it lives) is no act; that an endpoint is gone or back is one. Entries are sealed afterwards into a hash
//! chain ([`Lifecycle::seal_audit`]): each seal is the SHA-256 of the entry's content and of the
//! seal before it, so a changed, removed or inserted entry shows. The chain has its own positions,
//! given by the one sealer, because on `PostgreSQL` entries may become visible in another order
//! than that of their ids; a late entry is sealed later and breaks nothing.

use std::fmt::Write as _;
use std::net::IpAddr;

use domain::Timestamp;
use serde_json::Value;
use store::Tx;
pub use store::audit::{AuditFilter, AuditRow};
use store::audit::{NewAuditRow, Seal};

use crate::lists::{PageOf, Slice};
use crate::{Actor, Lifecycle, Person, Result};

/// How many entries one transaction seals: some milliseconds, in which SQLite's writer does nothing
/// else.
const SEAL_BATCH: usize = 64;
/// How many entries one sealing takes at most, about.
const SEALED_AT_ONCE: usize = 500;
/// How many entries a check reads at a time.
const CHECK_BATCH: i64 = 1_000;
/// What the first entry's seal stands on.
const GENESIS: &str = "certdeck audit log 1";

/// One act, for [`record`].
#[derive(Debug, Clone)]
pub struct AuditEntry {
    /// What was done, as `order.issued` or `settings.changed`.
    pub action: &'static str,
    /// The kind of thing that it was done to: `order`, `request`, `user`.
    pub resource_kind: &'static str,
    /// Which one: its id or number.
    pub resource_id: String,
    /// How it was before, where that says something.
    pub old: Option<Value>,
    /// How it is now.
    pub new: Option<Value>,
    /// The act in a sentence.
    pub description: String,
}

impl AuditEntry {
    /// An act on `resource_kind` number `resource_id`, without values.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "ids and numbers are small, and calls read better"
    )]
    pub fn new(
        action: &'static str,
        resource_kind: &'static str,
        resource_id: impl ToString,
        description: impl Into<String>,
    ) -> Self {
        Self {
            action,
            resource_kind,
            resource_id: resource_id.to_string(),
            old: None,
            new: None,
            description: description.into(),
        }
    }

    /// The same with the old and the new value; `Value::Null` says nothing.
    #[must_use]
    pub fn changing(mut self, old: Value, new: Value) -> Self {
        self.old = Some(old).filter(|value| !value.is_null());
        self.new = Some(new).filter(|value| !value.is_null());
        self
    }
}

/// Writes `entry` into the audit log, inside the transaction of the act.
pub async fn record(tx: &mut Tx, now: Timestamp, actor: &Actor, entry: AuditEntry) -> Result<()> {
    Ok(tx.insert_audit(row(now, actor, entry)).await?)
}

/// An entry as it is written.
pub(crate) fn row(now: Timestamp, actor: &Actor, entry: AuditEntry) -> NewAuditRow {
    NewAuditRow {
        at: now,
        actor_kind: actor.kind(),
        actor_id: actor_id(actor),
        actor_name: name(actor),
        address: address(actor),
        action: entry.action,
        resource_kind: entry.resource_kind,
        resource_id: entry.resource_id,
        old: entry.old.map(|value| value.to_string()),
        new: entry.new.map(|value| value.to_string()),
        description: entry.description,
    }
}

/// Writes an act of somebody who is not signed in; `name` is what they called themselves.
pub(crate) async fn record_visitor(
    tx: &mut Tx,
    now: Timestamp,
    name: &str,
    address: Option<IpAddr>,
    entry: AuditEntry,
) -> Result<()> {
    let row = NewAuditRow {
        at: now,
        actor_kind: "visitor",
        actor_id: None,
        actor_name: name.chars().take(254).collect(),
        address: address.map(|address| address.to_string()),
        action: entry.action,
        resource_kind: entry.resource_kind,
        resource_id: entry.resource_id,
        old: None,
        new: None,
        description: entry.description,
    };
    Ok(tx.insert_audit(row).await?)
}

/// The id behind the actor: of a person, or of an ACME account.
fn actor_id(actor: &Actor) -> Option<i64> {
    match actor {
        Actor::Person(person) => Some(person.user.id.0),
        Actor::Worker { on_behalf_of } => on_behalf_of.map(|user| user.0),
        Actor::Acme { account, .. } => Some(account.0),
        Actor::Operator => None,
    }
}

fn name(actor: &Actor) -> String {
    match actor {
        Actor::Person(Person { user, .. }) if user.name == user.email => user.email.clone(),
        Actor::Person(Person { user, .. }) => format!("{} <{}>", user.name, user.email),
        Actor::Acme { account, .. } => format!("ACME account {account}"),
        Actor::Worker { .. } => "automation".to_owned(),
        Actor::Operator => "operator".to_owned(),
    }
}

fn address(actor: &Actor) -> Option<String> {
    match actor {
        Actor::Person(person) => person.address,
        Actor::Acme { address, .. } => *address,
        Actor::Worker { .. } | Actor::Operator => None,
    }
    .map(|address| address.to_string())
}

/// What a check of the chain found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChainCheck {
    /// Every sealed entry is as it was when it was sealed, and none is missing.
    Intact {
        /// How many entries are sealed.
        sealed: i64,
        /// How many newer ones wait for their seal; counted to 1,000.
        waiting: i64,
    },
    /// An entry was changed, removed or inserted.
    Broken {
        /// The position in the chain where the check failed first.
        position: i64,
        /// The entry found there; none where it is missing.
        entry: Option<i64>,
    },
}

impl Lifecycle {
    /// A page of the audit log, sorted by id.
    pub async fn audit_page(
        &self,
        actor: &Actor,
        filter: AuditFilter,
        page: &PageOf<()>,
    ) -> Result<Slice<AuditRow>> {
        crate::accounts::require_administrator(actor, "The audit log")?;
        let mut tx = self.store().reader().await?;
        Ok(page.slice(tx.audit_page(&filter, &page.rows()).await?))
    }

    /// Seals what is not sealed yet, some hundred entries at most; answers how many that were.
    pub async fn seal_audit(&self, now: Timestamp) -> Result<usize> {
        let mut sealed = 0;
        loop {
            let batch =
                self.store().write(move |tx| Box::pin(async move { seal_batch(tx, now).await }));
            let some = batch.await?;
            sealed += some;
            if some < SEAL_BATCH || sealed >= SEALED_AT_ONCE {
                return Ok(sealed);
            }
        }
    }

    /// Seals all entries that are there now.
    pub async fn seal_audit_to_the_end(&self, now: Timestamp) -> Result<()> {
        while self.seal_audit(now).await? > 0 {}
        Ok(())
    }

    /// Computes the whole chain again and compares.
    pub async fn verify_audit_chain(&self) -> Result<ChainCheck> {
        let mut previous = GENESIS.to_owned();
        let mut position = 0;
        let mut tx = self.store().reader().await?;
        // Read first: entries sealed during the check are behind it.
        let head = tx.audit_chain_head().await?;
        let mut head_holds = head.position == 0;
        loop {
            let rows = tx.sealed_audit_after(position, CHECK_BATCH).await?;
            if rows.is_empty() {
                break;
            }
            for row in &rows {
                let expected = position + 1;
                let seals = (previous.clone(), seal_of(row, expected, &previous));
                if row.position != Some(expected) || row.seals.as_ref() != Some(&seals) {
                    let entry = (row.position == Some(expected)).then_some(row.id);
                    return Ok(ChainCheck::Broken { position: expected, entry });
                }
                previous = seals.1;
                position = expected;
                head_holds |= position == head.position && previous == head.seal;
            }
        }
        // Cutting off the newest entries leaves a shorter chain that holds in itself; the head,
        // kept apart, tells.
        if !head_holds {
            return Ok(ChainCheck::Broken {
                position: position.min(head.position) + 1,
                entry: None,
            });
        }
        Ok(ChainCheck::Intact {
            sealed: position,
            waiting: tx.count_unsealed_audit(CHECK_BATCH).await?,
        })
    }
}

async fn seal_batch(tx: &mut Tx, now: Timestamp) -> Result<usize> {
    // One sealer at a time, on however many nodes.
    tx.lock("audit chain").await?;
    let head = tx.audit_chain_head().await?;
    let mut previous = if head.position == 0 { GENESIS.to_owned() } else { head.seal };
    let mut position = head.position;
    let rows = tx.unsealed_audit(i64::try_from(SEAL_BATCH).unwrap_or(i64::MAX)).await?;
    let mut seals = Vec::with_capacity(rows.len());
    for row in &rows {
        position += 1;
        let hash = seal_of(row, position, &previous);
        let previous = std::mem::replace(&mut previous, hash.clone());
        seals.push(Seal { id: row.id, position, previous, hash });
    }
    if !seals.is_empty() {
        tx.seal_audit_rows(&seals).await?;
        tx.set_audit_chain_head(position, &previous, now).await?;
    }
    Ok(seals.len())
}

/// The seal of `row` at `position`: SHA-256 over every part with its length before it, so that no
/// two contents read the same.
fn seal_of(row: &AuditRow, position: i64, previous: &str) -> String {
    let (position, id, at) = (position.to_string(), row.id.to_string(), row.at.0.to_string());
    let actor = row.actor_id.map(|id| id.to_string());
    let parts = [
        Some(previous),
        Some(&position),
        Some(&id),
        Some(&at),
        Some(&row.actor_kind),
        actor.as_deref(),
        Some(&row.actor_name),
        row.address.as_deref(),
        Some(&row.action),
        Some(&row.resource_kind),
        Some(&row.resource_id),
        row.old.as_deref(),
        row.new.as_deref(),
        Some(&row.description),
    ];
    let mut canonical = String::new();
    for part in parts {
        match part {
            Some(text) => _ = write!(canonical, "{}:{text},", text.len()),
            None => canonical.push_str("-,"),
        }
    }
    hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, canonical.as_bytes()))
}

#[cfg(test)]
mod tests;
