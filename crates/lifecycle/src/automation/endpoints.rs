//! What agents find on their hosts, and the list of it.

use domain::model::{AutoRenew, EndpointStatus, ServedIssuer};
use domain::rules::profile::renewal_lifetime;
use domain::rules::{auto_renew_at, goes_on, is_lost, may_come_back};
use domain::{AgentId, EndpointId, NameSet, ProfileId, Timestamp};
use serde_json::{Value, json};
use store::Tx;
use store::endpoints::{
    EndpointFilter, EndpointKey, EndpointProbe, EndpointRecord, EndpointReport, EndpointSort,
    Moment, Served,
};
use store::events::{EventFilter, EventRecord};

use super::agents::{lock_agent, require_manager, require_person};
use super::gone::{Gone, check_there, compare};
use super::resolve::{names_held, order_to_renew};
use super::schedule::check_renewal;
use crate::audit::{AuditEntry, record};
use crate::lists::PageOf;
use crate::{Actor, Lifecycle, LifecycleError, Result};

/// An agent that was silent for this long, in seconds, is in error.
pub(super) const SILENT_SECONDS: i64 = 300;
/// Events shown on an endpoint's page.
const HISTORY: u16 = 50;

/// What an agent reports of one endpoint.
#[derive(Debug, Clone)]
pub struct EndpointFound {
    /// Address, software, and whether the agent can install there.
    pub report: EndpointReport,
    /// What a handshake showed; none where it showed no certificate.
    pub chain: Option<ReadChain>,
    /// Why the handshake failed.
    pub probe_error: Option<String>,
}

/// A served chain, read.
#[derive(Debug, Clone)]
pub struct ReadChain {
    /// The leaf's facts and the chain.
    pub served: Served,
    /// SHA-256 of the leaf, lower-case hex.
    pub fingerprint: String,
}

/// One page of the list.
#[derive(Debug, Clone)]
pub struct EndpointPage {
    /// The rows.
    pub rows: Vec<EndpointRecord>,
    /// Where the next page begins; none on the last.
    pub next: Option<EndpointKey>,
}

/// An endpoint with its history.
#[derive(Debug, Clone)]
pub struct EndpointDetail {
    /// The endpoint.
    pub endpoint: EndpointRecord,
    /// Its newest events, newest first.
    pub events: Vec<EventRecord>,
    /// Why nothing is done there any more; none while it is there.
    pub gone: Option<Gone>,
}

impl Lifecycle {
    /// Takes in an agent's report, which is whole: what an earlier one had and this one has not is no
    /// longer there. Answers the endpoints' ids in its order.
    pub async fn report_endpoints(
        &self,
        agent: AgentId,
        found: Vec<EndpointFound>,
    ) -> Result<Vec<EndpointId>> {
        let now = self.clock().now();
        self.store()
            .write(move |tx| {
                Box::pin(async move {
                    lock_agent(tx, agent).await?;
                    if tx.agent(agent).await?.is_none_or(|agent| agent.is_removed()) {
                        return Err(LifecycleError::SignedOut);
                    }
                    let mut ids = Vec::with_capacity(found.len());
                    for one in found {
                        let id = tx.report_endpoint(agent, &one.report, now).await?;
                        keep_probe(tx, id, one.chain, one.probe_error, now).await?;
                        ids.push(id);
                    }
                    compare(tx, now, agent, &ids).await?;
                    Ok::<_, LifecycleError>(ids)
                })
            })
            .await
    }

    /// One page of endpoints.
    pub async fn endpoints(
        &self,
        actor: &Actor,
        mut filter: EndpointFilter,
        sort: EndpointSort,
        descending: bool,
        after: Option<EndpointKey>,
        size: u16,
    ) -> Result<EndpointPage> {
        require_person(actor)?;
        let now = self.clock().now();
        let size = usize::from(size.clamp(1, 500));
        let limit = i64::try_from(size + 1).unwrap_or(501);
        filter.moment = moment(now);
        let mut tx = self.store().reader().await?;
        let mut rows = tx.endpoints(&filter, sort, descending, after.as_ref(), limit).await?;
        let more = rows.len() > size;
        rows.truncate(size);
        let next = rows.last().filter(|_| more).map(|last| sort.key(last));
        for row in &mut rows {
            show_silence(row, now);
        }
        Ok(EndpointPage { rows, next })
    }

    /// One endpoint.
    pub async fn endpoint(&self, actor: &Actor, id: EndpointId) -> Result<EndpointRecord> {
        require_person(actor)?;
        let mut tx = self.store().reader().await?;
        let mut endpoint =
            tx.endpoint(id).await?.ok_or(LifecycleError::NotFound { what: "endpoint" })?;
        show_silence(&mut endpoint, self.clock().now());
        Ok(endpoint)
    }

    /// One endpoint with its history.
    pub async fn endpoint_detail(&self, actor: &Actor, id: EndpointId) -> Result<EndpointDetail> {
        let endpoint = self.endpoint(actor, id).await?;
        let mut tx = self.store().reader().await?;
        let filter = EventFilter { endpoint: Some(id), ..EventFilter::default() };
        let newest = PageOf { descending: true, ..PageOf::first((), HISTORY) };
        let events = newest.slice(tx.events(&filter, &newest.rows()).await?).rows;
        Ok(EndpointDetail { gone: Gone::of(&endpoint), endpoint, events })
    }

    /// Switches auto-renew of endpoints on, in the actor's name, or off. All or nothing.
    pub async fn set_auto_renew(
        &self,
        actor: &Actor,
        endpoints: Vec<EndpointId>,
        profile: Option<ProfileId>,
        renew: Option<AutoRenew>,
        auto_replace: bool,
    ) -> Result<()> {
        require_manager(actor, "Changing auto-renew")?;
        if endpoints.len() > domain::rules::automation::MAX_BULK {
            return Err(LifecycleError::field("endpoints", "Select at most 500 endpoints."));
        }
        let (now, actor) = (self.clock().now(), actor.clone());
        self.store()
            .write(move |tx| {
                Box::pin(async move {
                    for id in endpoints {
                        let renew = renew.as_ref();
                        let one = Switch { profile, renew, auto_replace, requested: None };
                        check_switch(tx, now, id, one).await?;
                        switch_auto_renew(tx, now, &actor, id, one).await?;
                    }
                    Ok(())
                })
            })
            .await
    }
}

/// What auto-renew shall be on an endpoint.
#[derive(Debug, Clone, Copy)]
pub(super) struct Switch<'a> {
    pub profile: Option<ProfileId>,
    pub renew: Option<&'a AutoRenew>,
    pub auto_replace: bool,
    /// The names of what is requested with it; none where it is on for what is in place.
    pub requested: Option<&'a NameSet>,
}

/// Auto-renew needs a profile, and must not be due again as soon as it has renewed.
async fn check_switch(tx: &mut Tx, now: Timestamp, id: EndpointId, to: Switch<'_>) -> Result<()> {
    let Some(renew) = to.renew else { return Ok(()) };
    let endpoint = tx.endpoint(id).await?.ok_or(LifecycleError::NotFound { what: "endpoint" })?;
    check_there(&endpoint)?;
    let profile = to.profile.or(endpoint.profile).ok_or_else(|| {
        LifecycleError::field("profile", "Choose the automation profile that auto-renew uses.")
    })?;
    let profile = tx.profile(profile).await?.ok_or_else(|| {
        LifecycleError::field("profile", "There is no such profile. Choose another one.")
    })?;
    let order = order_to_renew(tx, &endpoint).await?.filter(goes_on);
    let order = order.as_ref().map(|file| &file.order);
    check_renewal(Some(renew), renewal_lifetime(order, &profile.profile, now))
}

/// Switches auto-renew of one endpoint, with the audit entry.
pub(super) async fn switch_auto_renew(
    tx: &mut Tx,
    now: Timestamp,
    actor: &Actor,
    id: EndpointId,
    to: Switch<'_>,
) -> Result<()> {
    let endpoint = tx.endpoint(id).await?.ok_or(LifecycleError::NotFound { what: "endpoint" })?;
    let owner = actor.person().map(|person| person.user.id).filter(|_| to.renew.is_some());
    let auto_replace = to.auto_replace && to.renew.is_some();
    // What is overdue is due now: whoever switches it on again after a refusal or a failure wants
    // it to try again, and each due moment makes one event only.
    let next = next_auto_renew(endpoint.served.as_ref(), to.renew)?.map(|at| at.max(now));
    tx.set_endpoint_auto_renew(id, to.renew, to.profile, owner, auto_replace, next).await?;
    if to.renew.is_some() {
        let in_place = match to.requested {
            Some(_) => None,
            None => names_held(tx, &endpoint).await?,
        };
        tx.set_auto_renew_names(id, to.requested.or(in_place.as_ref())).await?;
    }
    let resumed = to.renew.is_some() && endpoint.status.needs_a_person();
    let status = match (endpoint.status, to.renew) {
        (EndpointStatus::Configured | EndpointStatus::Renewed, Some(_)) => {
            EndpointStatus::AutoRenewScheduled
        }
        _ if resumed => EndpointStatus::AutoRenewScheduled,
        (EndpointStatus::AutoRenewScheduled, None) => EndpointStatus::Configured,
        (other, _) => other,
    };
    let cause = endpoint.cause.as_deref().filter(|_| !resumed);
    let solution = endpoint.solution.as_deref().filter(|_| !resumed);
    tx.set_endpoint_status(id, status, None, cause, solution).await?;
    // Off, a profile that is set is the one to suggest next time: the event's entry names it.
    let Some(changed) = tx.endpoint(id).await? else { return Ok(()) };
    let (old, new) = (renewal(&endpoint), renewal(&changed));
    let said = match (old.is_null(), new.is_null()) {
        _ if old == new => return Ok(()),
        (true, _) => "Auto-renew was switched on.",
        (_, true) => "Auto-renew was switched off.",
        _ => "Auto-renew was changed.",
    };
    let entry = AuditEntry::new("endpoint.auto_renew", "endpoint", id, said).changing(old, new);
    record(tx, now, actor, entry).await
}

/// What the audit log keeps of auto-renew; null where it is off.
fn renewal(endpoint: &EndpointRecord) -> Value {
    endpoint.auto_renew.as_ref().map_or(Value::Null, |renew| {
        json!({
            "auto_renew": renew, "auto_replace": endpoint.auto_replace, "profile": endpoint.profile,
            "owner": endpoint.auto_renew_user, "names": endpoint.auto_renew_names,
            "status": endpoint.status,
            "next": endpoint.next_auto_renew_at.map(Timestamp::rfc3339),
        })
    })
}

/// When auto-renew acts on an endpoint: by the certificate that it serves.
pub(super) fn next_auto_renew(
    served: Option<&Served>,
    renew: Option<&AutoRenew>,
) -> Result<Option<Timestamp>> {
    let (Some(renew), Some(served)) = (renew, served) else { return Ok(None) };
    Ok(Some(auto_renew_at(served.not_after, renew)?))
}

/// Keeps what a handshake showed: whose certificate it is, and when it is due. One that failed may have
/// met a server that restarts: what was in place is gone only when they go on to ([`may_come_back`]).
pub(super) async fn keep_probe(
    tx: &mut Tx,
    id: EndpointId,
    chain: Option<ReadChain>,
    error: Option<String>,
    now: Timestamp,
) -> Result<()> {
    let mut probe = EndpointProbe {
        issuer_kind: ServedIssuer::None,
        served: None,
        certificate: None,
        order: None,
        error,
        at: now,
    };
    let Some(endpoint) = tx.endpoint(id).await? else { return Ok(()) };
    let missed_since = endpoint.missed_since.unwrap_or(now);
    let may_be_there = probe.error.is_some() && may_come_back(missed_since, now);
    let ours = if let Some(chain) = chain {
        let ours = tx.certificate_by_fingerprint(&chain.fingerprint).await?;
        probe.issuer_kind = if ours.is_some() { ServedIssuer::Ours } else { ServedIssuer::Other };
        probe.served = Some(chain.served);
        probe.certificate = ours.as_ref().map(|record| record.certificate.id);
        probe.order = ours.as_ref().map(|record| record.certificate.order);
        ours
    } else {
        // Ours was there and is missing: what it was is what a reissue goes by.
        (probe.certificate, probe.order) = (endpoint.certificate, endpoint.order);
        if may_be_there && endpoint.served.is_some() {
            (probe.issuer_kind, probe.served) = (endpoint.issuer_kind, endpoint.served);
            return Ok(tx.set_endpoint_probe(id, &probe).await?);
        }
        match endpoint.certificate {
            Some(certificate) => tx.certificate(certificate).await?,
            None => None,
        }
    };
    tx.set_endpoint_probe(id, &probe).await?;
    let lost = is_lost(probe.issuer_kind, ours.as_ref().map(|record| &record.certificate));
    let Some(renew) = &endpoint.auto_renew else { return Ok(()) };
    let next = if lost && endpoint.auto_replace {
        Some(now)
    } else {
        next_auto_renew(probe.served.as_ref(), Some(renew))?
    };
    // What a reviewer refused, or what failed, is not begun again with each report.
    let next = next.filter(|at| *at > now || !endpoint.status.needs_a_person());
    if next != endpoint.next_auto_renew_at && endpoint.next_auto_renew_at.is_none_or(|at| at > now)
    {
        tx.set_next_auto_renew(id, next).await?;
    }
    Ok(())
}

/// What filters of endpoints go by.
pub(crate) const fn moment(now: Timestamp) -> Moment {
    Moment { now, unheard_before: now.plus_seconds(-SILENT_SECONDS) }
}

/// An agent that is silent can't do what is planned: its endpoints say so.
pub(super) fn show_silence(endpoint: &mut EndpointRecord, now: Timestamp) {
    let there = endpoint.gone_at.is_none();
    let silent =
        there && endpoint.agent_seen_at.is_none_or(|seen| now.seconds_since(seen) > SILENT_SECONDS);
    if silent && endpoint.status.waits_for_the_agent() {
        endpoint.status = EndpointStatus::AgentError;
        endpoint.cause = Some(format!(
            "The agent {:?} has not been heard of for more than five minutes.",
            endpoint.agent_name
        ));
        endpoint.solution =
            Some("Start the agent on its host and check that it can reach this portal; the work then goes on by itself.".to_owned());
    }
}
