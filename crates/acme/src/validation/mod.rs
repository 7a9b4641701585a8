//! Challenge validation (RFC 8555 section 8, RFC 8737, RFC 8738, RFC 8659): jobs that any process
//! may run, with retries.
//!
//! Validation asks servers that strangers name. Every address is resolved once, judged, and then
//! connected to as it is ([`reach`]); nothing that those servers send back is ever repeated to the
//! client.

mod caa;
mod dns;
mod dns01;
mod domains;
mod http01;
mod reach;
mod tls;
mod tls_alpn01;
mod well_known;

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use domain::model::acme::{ChallengeKind, Fault};
use futures::FutureExt as _;
use lifecycle::acme::{AcmeResult, ValidationOutcome, ValidationTask};
use serde::Serialize;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub(crate) use caa::Lookup;
pub(crate) use dns::Dns;
use reach::Reach;

use crate::AcmeServer;

/// The longest that one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(30);

/// How long attempts that run at the end of the process are waited for. Others are given back.
const LAST_ATTEMPTS: Duration = Duration::from_secs(5);

/// Validations that run at once in one process. Those that wait for slow servers leave the others
/// their places.
const AT_ONCE: usize = 256;

/// Validations that one look for work takes, so that several processes share them.
const BATCH: usize = 32;

/// How long the worker waits before it looks for work again, when nobody woke it.
const PAUSE: Duration = Duration::from_secs(1);

/// What an attempt looked up and met, for the record. Never holds anything of a fetched body.
#[derive(Debug, Default, Serialize)]
struct Record {
    method: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    addresses: Vec<IpAddr>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    urls: Vec<String>,
}

/// Why an attempt did not succeed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Another attempt may succeed.
    Again(Fault),
    /// Another attempt would find the same.
    Final(Fault),
}

impl Failure {
    fn again(code: &str, words: impl Into<String>) -> Self {
        Self::Again(Fault::new(code, words))
    }

    fn last(code: &str, words: impl Into<String>) -> Self {
        Self::Final(Fault::new(code, words))
    }

    /// What went wrong, in words.
    fn words(self) -> String {
        let (Self::Again(fault) | Self::Final(fault)) = self;
        fault.detail
    }
}

/// What validation works with.
struct Validator<'a> {
    reach: Reach<'a>,
    account_url: String,
}

/// Takes the validations that are due and starts them, as far as there are places; answers whether
/// there may be more. `owner` names this process in the leases.
async fn start_due(
    server: &AcmeServer,
    owner: &str,
    running: &mut JoinSet<AcmeResult<()>>,
) -> AcmeResult<bool> {
    let places = AT_ONCE.saturating_sub(running.len()).min(BATCH);
    if places == 0 {
        return Ok(false);
    }
    let tasks = server.desk().due_validations(owner, places).await?;
    let more = tasks.len() == places;
    for task in tasks {
        let server = server.clone();
        running.spawn(async move { run(&server, task).await });
    }
    Ok(more)
}

/// Runs validations until `stop`, and sweeps what is over. A failure of the database is logged; the
/// leases see to it that nothing is lost. `owner` names this process in the leases, and no other.
pub async fn run_until(server: AcmeServer, owner: String, stop: CancellationToken) {
    let mut running = JoinSet::new();
    work(&server, &owner, &mut running, &stop).await;
    let all_ended = async { while running.join_next().await.is_some() {} };
    if tokio::time::timeout(LAST_ATTEMPTS, all_ended).await.is_err() {
        running.shutdown().await;
    }
    // Else nobody would look at them before the leases end.
    if let Err(error) = server.desk().give_leases_back(&owner).await {
        tracing::warn!(%error, "validations that were under way wait until their leases end");
    }
}

async fn work(
    server: &AcmeServer,
    owner: &str,
    running: &mut JoinSet<AcmeResult<()>>,
    stop: &CancellationToken,
) {
    let mut sweep = tokio::time::interval(Duration::from_mins(1));
    while !stop.is_cancelled() {
        match start_due(server, owner, running).await {
            Ok(false) => {}
            Ok(true) => continue,
            Err(error) => tracing::warn!(%error, "validations could not be started"),
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = server.validation_wanted() => {}
            () = tokio::time::sleep(PAUSE) => {}
            Some(ended) = running.join_next() => {
                let mut next = Some(ended);
                while let Some(ended) = next {
                    if let Ok(Err(error)) = ended {
                        tracing::warn!(%error, "the outcome of a validation could not be kept");
                    }
                    next = running.try_join_next();
                }
            }
            _ = sweep.tick() => {
                if let Err(error) = server.desk().sweep().await {
                    tracing::warn!(%error, "ACME orders could not be swept");
                }
            }
        }
    }
}

async fn run(server: &AcmeServer, task: ValidationTask) -> AcmeResult<()> {
    let mut record = Record { method: task.challenge.kind.to_string(), ..Record::default() };
    let validator =
        Validator { reach: server.reach(), account_url: server.urls().account(task.account) };
    let attempt = AssertUnwindSafe(validator.attempt(&task, &mut record)).catch_unwind();
    let outcome = match tokio::time::timeout(ATTEMPT, attempt).await {
        Err(_) => Err(Failure::again("connection", "The validation took too long.")),
        // What a stranger's server sends must not stop the validation of others.
        Ok(Err(_)) => {
            Err(Failure::again("serverInternal", "The validation failed inside this server."))
        }
        Ok(Ok(found)) => found,
    };
    let outcome = match outcome {
        Ok(()) => ValidationOutcome::Valid,
        Err(Failure::Again(fault)) => ValidationOutcome::NotYet(fault),
        Err(Failure::Final(fault)) => ValidationOutcome::Refused(fault),
    };
    tracing::info!(challenge = task.challenge.id, identifier = %task.identifier.value, ?outcome, "validated");
    let record = serde_json::to_string(&record).unwrap_or_default();
    server.desk().finish_validation(task, outcome, record).await
}

impl AcmeServer {
    fn reach(&self) -> Reach<'_> {
        Reach { config: self.config(), dns: self.dns() }
    }
}

impl Validator<'_> {
    async fn attempt(&self, task: &ValidationTask, record: &mut Record) -> Result<(), Failure> {
        match task.challenge.kind {
            ChallengeKind::Http01 => self.http01(task, record).await?,
            ChallengeKind::Dns01 => self.dns01(task).await?,
            ChallengeKind::TlsAlpn01 => self.tls_alpn01(task, record).await?,
        }
        self.check_caa(task).await
    }
}
