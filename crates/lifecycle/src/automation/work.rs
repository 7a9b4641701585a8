//! An event's steps, as its agent does them: CSR, installation, verification.
//!
//! Each report may come twice: a step that is done already answers as before.

use domain::model::{EndpointStatus, EventStatus, KeyType, Serial};
use domain::rules::status_after;
use domain::{AgentId, EventId, Name, NameSet, Timestamp};
use store::Tx;
use store::endpoints::EndpointRecord;
use store::events::EventRecord;

use super::endpoints::{ReadChain, keep_probe};
use crate::audit::{AuditEntry, record};
use crate::{Actor, Lifecycle, LifecycleError, Result, fault};

/// Tries of one event before a person is asked.
const MAX_ATTEMPTS: i64 = 5;
/// Pauses between tries, in seconds; the last one repeats.
const PAUSES: [i64; 4] = [30, 120, 600, 3_600];
/// Events looked at for one poll.
const AT_A_TIME: i64 = 20;

/// One step for an agent.
#[derive(Debug, Clone)]
pub struct Task {
    /// The event.
    pub event: EventId,
    /// Where.
    pub endpoint: EndpointRecord,
    /// What.
    pub step: Step,
}

/// What an agent shall do.
#[derive(Debug, Clone)]
pub enum Step {
    /// Make a private key and a CSR.
    MakeCsr {
        /// The subject's common name.
        common_name: Name,
        /// All names.
        names: NameSet,
        /// The key to make.
        key_type: KeyType,
    },
    /// Install the certificate.
    Install {
        /// The certificate, PEM.
        leaf_pem: String,
        /// The issuers without the root, PEM.
        chain_pem: String,
        /// What a handshake must show afterwards.
        serial: Serial,
    },
}

/// The part of an event that failed at the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailedStage {
    /// Key or CSR.
    Prepare,
    /// Files, configuration test or reload.
    Install,
    /// The handshake afterwards.
    Verify,
}

/// An agent's report of a failure.
#[derive(Debug, Clone)]
pub struct Failure {
    /// What was being done.
    pub stage: FailedStage,
    /// What happened, in words.
    pub cause: String,
    /// What a person can do, in words.
    pub solution: String,
    /// Whether the host is as before, as far as a handshake shows.
    pub rolled_back: bool,
    /// Whether trying again without a change on the host may help.
    pub may_retry: bool,
}

impl Lifecycle {
    /// The next step for an agent; none where nothing is due. The same one again until the agent
    /// has reported on it: it may have been killed.
    pub async fn next_task(&self, agent: AgentId) -> Result<Option<Task>> {
        let now = self.clock().now();
        let events = self.store().reader().await?.events_for_agent(agent, now, AT_A_TIME).await?;
        for event in events {
            let step = self.next_step(&event, now).await.unwrap_or_else(|error| {
                // One that can't be done keeps none of the agent's others from being done.
                tracing::error!(event = %event.id, error = ?error, "an event's next step can't be said");
                None
            });
            if let Some(step) = step {
                let endpoint = self.store().reader().await?.endpoint(event.endpoint).await?;
                let endpoint = endpoint.ok_or(LifecycleError::NotFound { what: "endpoint" })?;
                return Ok(Some(Task { event: event.id, endpoint, step }));
            }
        }
        Ok(None)
    }

    async fn next_step(&self, event: &EventRecord, now: Timestamp) -> Result<Option<Step>> {
        if let Some(certificate) = event.certificate {
            let found = self.store().reader().await?.certificate(certificate).await?;
            let found = found.ok_or(LifecycleError::NotFound { what: "certificate" })?;
            if found.certificate.is_revoked() {
                self.end_revoked(event.id, now).await?;
                return Ok(None);
            }
            let leaf_pem = found.pem.ok_or_else(|| {
                LifecycleError::Internal("an issued certificate has no PEM".to_owned())
            })?;
            // Who issued it may have been followed by another authority since.
            let issuer = self.authority_of(found.issuer.as_deref()).await?;
            return Ok(Some(Step::Install {
                leaf_pem,
                chain_pem: issuer.get().intermediates_pem().to_owned(),
                serial: found.certificate.serial,
            }));
        }
        if event.csr_pem.is_some() {
            // The CSR is there: what is missing is ours to do.
            self.issue_event(event.id).await?;
            return Ok(None);
        }
        let begun = self.begin(event.id, now).await?;
        Ok(begun.map(|event| Step::MakeCsr {
            common_name: event.common_name,
            names: event.names,
            key_type: event.profile.key_type,
        }))
    }

    /// The certificate was revoked before its agent came for it: nobody installs it any more.
    async fn end_revoked(&self, id: EventId, now: Timestamp) -> Result<()> {
        self.store()
            .write(move |tx| {
                Box::pin(async move {
                    let Some(mut event) = tx.event_for_update(id).await? else { return Ok(()) };
                    if event.finished_at.is_some() {
                        return Ok(());
                    }
                    let why = (
                        "The certificate was revoked before it was installed.",
                        "Choose \"Retry\" for another one, or request a new certificate.",
                    );
                    finish(tx, now, &mut event, EventStatus::ActionRequired, Some(why)).await
                })
            })
            .await?;
        self.event_changed(id);
        Ok(())
    }

    /// Takes in an agent's CSR and issues for it.
    pub async fn event_csr(&self, agent: AgentId, id: EventId, csr_pem: String) -> Result<()> {
        let now = self.clock().now();
        self.change_event(agent, id, move |event| {
            if event.certificate.is_none() {
                event.csr_pem = Some(csr_pem);
                event.csr_at = Some(event.csr_at.unwrap_or(now));
            }
            Ok(())
        })
        .await?;
        fault::point("event.after_csr");
        self.issue_event(id).await
    }

    /// The files are in place and the server was told to read them.
    pub async fn event_installed(&self, agent: AgentId, id: EventId) -> Result<()> {
        let now = self.clock().now();
        self.change_event(agent, id, move |event| {
            if event.certificate.is_none() {
                return Err(wrong_step());
            }
            event.installed_at = Some(event.installed_at.unwrap_or(now));
            Ok(())
        })
        .await
    }

    /// A handshake showed what the endpoint serves: the event ends well where that is its
    /// certificate.
    pub async fn event_verified(
        &self,
        agent: AgentId,
        id: EventId,
        chain: ReadChain,
    ) -> Result<()> {
        let now = self.clock().now();
        let done = self
            .store()
            .write(move |tx| Box::pin(async move { verified(tx, now, agent, id, chain).await }))
            .await;
        self.event_changed(id);
        done
    }

    /// A step failed at the agent: tried again with growing pauses where that may help.
    pub async fn event_failed(&self, agent: AgentId, id: EventId, failure: Failure) -> Result<()> {
        let now = self.clock().now();
        let done = self
            .store()
            .write(move |tx| {
                Box::pin(async move {
                    let mut event = owned(tx, agent, id).await?;
                    if event.finished_at.is_some() {
                        return Ok(());
                    }
                    let again = failure.may_retry && event.attempt + 1 < MAX_ATTEMPTS;
                    if again {
                        put_off(&mut event, &failure.cause, &failure.solution, now);
                        tx.save_event(&event).await?;
                        return Ok(());
                    }
                    let status = match failure.stage {
                        FailedStage::Prepare => EventStatus::Failed,
                        FailedStage::Install => EventStatus::InstallFailed,
                        FailedStage::Verify => EventStatus::ValidationFailed,
                    };
                    let solution = if failure.rolled_back {
                        failure.solution
                    } else {
                        format!(
                            "Look at the server first: it is not as it was. {}",
                            failure.solution
                        )
                    };
                    finish(tx, now, &mut event, status, Some((&failure.cause, &solution))).await
                })
            })
            .await;
        self.event_changed(id);
        done
    }

    /// Changes an unfinished event of `agent`'s.
    async fn change_event<F>(&self, agent: AgentId, id: EventId, change: F) -> Result<()>
    where
        F: FnOnce(&mut EventRecord) -> Result<()> + Send + 'static,
    {
        self.store()
            .write(move |tx| {
                Box::pin(async move {
                    let mut event = owned(tx, agent, id).await?;
                    if event.finished_at.is_some() {
                        return Err(LifecycleError::NotFound { what: "event" });
                    }
                    change(&mut event)?;
                    Ok::<_, LifecycleError>(tx.save_event(&event).await?)
                })
            })
            .await?;
        self.event_changed(id);
        Ok(())
    }

    /// Marks an event as begun, and answers what it is about from now on; none where it is no longer
    /// to be done.
    async fn begin(&self, id: EventId, now: Timestamp) -> Result<Option<EventRecord>> {
        if !self.recheck_event(id, now).await? {
            return Ok(None);
        }
        let begun = self
            .store()
            .write(move |tx| {
                Box::pin(async move {
                    let Some(mut event) = tx.event_for_update(id).await? else { return Ok(None) };
                    if event.finished_at.is_some()
                        || !matches!(event.status, EventStatus::Scheduled | EventStatus::InProgress)
                    {
                        return Ok(None);
                    }
                    event.status = EventStatus::InProgress;
                    tx.save_event(&event).await?;
                    tx.set_endpoint_status(
                        event.endpoint,
                        EndpointStatus::InProgress,
                        Some(id),
                        None,
                        None,
                    )
                    .await?;
                    Ok::<_, LifecycleError>(Some(event))
                })
            })
            .await?;
        self.event_changed(id);
        Ok(begun)
    }
}

async fn verified(
    tx: &mut Tx,
    now: Timestamp,
    agent: AgentId,
    id: EventId,
    chain: ReadChain,
) -> Result<()> {
    let mut event = owned(tx, agent, id).await?;
    if event.finished_at.is_some() {
        return Ok(());
    }
    let certificate = match event.certificate {
        Some(certificate) => tx.certificate(certificate).await?,
        None => None,
    };
    let certificate = certificate.ok_or_else(wrong_step)?;
    let shown = chain.fingerprint.clone();
    keep_probe(tx, event.endpoint, Some(chain), None, now).await?;
    if certificate.fingerprint_sha256.as_deref() != Some(shown.as_str()) {
        return Err(LifecycleError::Conflict {
            message: "The endpoint serves another certificate than this event's.".to_owned(),
        });
    }
    event.installed_at = Some(event.installed_at.unwrap_or(now));
    event.verified_at = Some(now);
    // Auto-renew goes on with the names that were requested.
    tx.set_auto_renew_names(event.endpoint, Some(&certificate.certificate.names)).await?;
    finish(tx, now, &mut event, EventStatus::Succeeded, None).await
}

/// Ends an event: its endpoint shows how, the audit log keeps it.
pub(super) async fn finish(
    tx: &mut Tx,
    now: Timestamp,
    event: &mut EventRecord,
    status: EventStatus,
    why: Option<(&str, &str)>,
) -> Result<()> {
    event.status = status;
    event.finished_at = Some(now);
    event.next_attempt_at = None;
    event.waits_for = None;
    event.cause = why.map(|(cause, _)| cause.to_owned());
    event.solution = why.map(|(_, solution)| solution.to_owned());
    tx.save_event(event).await?;
    let endpoint =
        tx.endpoint(event.endpoint).await?.ok_or(LifecycleError::NotFound { what: "endpoint" })?;
    let shown = match status {
        EventStatus::Canceled => status_after(endpoint.auto_renew.is_some()),
        other => other.on_endpoint(),
    };
    tx.set_endpoint_status(
        event.endpoint,
        shown,
        Some(event.id),
        event.cause.as_deref(),
        event.solution.as_deref(),
    )
    .await?;
    if endpoint.auto_renew.is_some() && status == EventStatus::Succeeded {
        let next = super::endpoints::next_auto_renew(
            endpoint.served.as_ref(),
            endpoint.auto_renew.as_ref(),
        )?;
        tx.set_next_auto_renew(endpoint.id, next).await?;
    }
    let said = format!("The event on {}:{} ended: {}.", endpoint.ip, endpoint.port, status.label());
    let mut entry = AuditEntry::new("event.ended", "event", event.id, said);
    entry.new = Some(
        serde_json::json!({"status": status, "cause": event.cause, "certificate": event.certificate, "order": event.order}),
    );
    record(tx, now, &Actor::Worker { on_behalf_of: event.requester }, entry).await
}

/// Puts the next try off, longer each time.
pub(super) fn put_off(event: &mut EventRecord, cause: &str, solution: &str, now: Timestamp) {
    let step = usize::try_from(event.attempt).unwrap_or(0).min(PAUSES.len() - 1);
    event.attempt += 1;
    event.next_attempt_at = Some(now.plus_seconds(PAUSES.get(step).copied().unwrap_or(3_600)));
    event.cause = Some(cause.to_owned());
    event.solution = Some(solution.to_owned());
}

/// Whether the tries are used up.
pub(super) const fn used_up(event: &EventRecord) -> bool {
    event.attempt + 1 >= MAX_ATTEMPTS
}

async fn owned(tx: &mut Tx, agent: AgentId, id: EventId) -> Result<EventRecord> {
    let event = tx.event_for_update(id).await?.ok_or(LifecycleError::NotFound { what: "event" })?;
    let endpoint =
        tx.endpoint(event.endpoint).await?.ok_or(LifecycleError::NotFound { what: "endpoint" })?;
    if endpoint.agent != agent {
        return Err(LifecycleError::NotFound { what: "event" });
    }
    Ok(event)
}

fn wrong_step() -> LifecycleError {
    LifecycleError::Conflict { message: "The event is not at this step.".to_owned() }
}
