//! The agent's life: take its place, finish what was begun, then report and work until stopped.

use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use agent_api::{EndpointsAnswer, ErrorCode, PollAnswer, PollRequest, paths};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::check::{self, check};
use crate::client::{Portal, PortalError};
use crate::config::AgentConfig;
use crate::failure::chain;
use crate::files;
use crate::identity::{self, Known};
use crate::journal::Journal;
use crate::work::Worker;

/// The agent's version.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// After a report that could not be made.
const REPORT_AGAIN: Duration = Duration::from_mins(1);
/// Between two polls that the portal answers at once with no work.
const SHORTEST_POLL: Duration = Duration::from_secs(1);

/// The agent can't go on.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// A file of the state folder can't be used.
    #[error("{} can't be used: check its permissions and free space", .path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Two agents would work on the same files.
    #[error("another agent already runs with the state folder {}: stop it or use another folder", .0.display())]
    AlreadyRuns(PathBuf),
    /// The agent has not enrolled and has nothing to enroll with.
    #[error(
        "this agent has not enrolled yet: make an activation token under Automation > Agents and \
         give its file with --token-file"
    )]
    NoToken,
    /// The portal does not know the agent, or its address can't be used.
    #[error(transparent)]
    Portal(#[from] PortalError),
}

/// Runs the agent until `shutdown` is ready; the step in work is finished first. A later call
/// with the same state folder goes on where this one ended, also after a crash.
pub async fn run(
    config: AgentConfig,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), AgentError> {
    let stop = CancellationToken::new();
    let life = live(config, stop.clone(), false);
    tokio::pin!(life, shutdown);
    tokio::select! {
        ended = &mut life => return ended,
        () = &mut shutdown => stop.cancel(),
    }
    life.await
}

/// Reports the endpoints, does the work that waits now, and ends.
pub async fn run_once(config: AgentConfig) -> Result<(), AgentError> {
    live(config, CancellationToken::new(), true).await
}

async fn live(config: AgentConfig, stop: CancellationToken, once: bool) -> Result<(), AgentError> {
    let dir = &config.state_dir;
    let state = |source| AgentError::State { path: dir.clone(), source };
    files::create_private_folder(dir).map_err(state)?;
    let _lock = lock(dir)?;
    let journal = Journal::open(dir).map_err(state)?;
    let portal = Portal::new(&config.server, config.ca_file.as_deref(), stop)?;
    let outcome = async {
        let Known { token, mark } = identity::known(&config, &portal).await?;
        let portal = portal.authorized(token);
        let command_log = dir.join("last-command.log");
        let worker = Worker {
            config: &config,
            portal: &portal,
            journal: &journal,
            command_log: &command_log,
            mark: &mark,
        };
        serve(&worker, once).await
    };
    match outcome.await {
        Err(AgentError::Portal(PortalError::Stopped)) => Ok(()),
        ended => ended,
    }
}

/// Held while the agent runs. It is given back by its own word: to close the file is not enough while a
/// child process that is just being started has it open too.
struct Lock(std::fs::File);

impl Drop for Lock {
    fn drop(&mut self) {
        if let Err(error) = self.0.unlock() {
            tracing::warn!(%error, "the state folder's lock could not be given back");
        }
    }
}

fn lock(dir: &std::path::Path) -> Result<Lock, AgentError> {
    let path = dir.join("lock");
    let opened = std::fs::OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let file = opened.map_err(|source| AgentError::State { path: path.clone(), source })?;
    match file.try_lock() {
        Ok(()) => Ok(Lock(file)),
        Err(std::fs::TryLockError::WouldBlock) => Err(AgentError::AlreadyRuns(dir.to_owned())),
        Err(std::fs::TryLockError::Error(source)) => Err(AgentError::State { path, source }),
    }
}

async fn serve(worker: &Worker<'_>, once: bool) -> Result<(), AgentError> {
    let timing = worker.config.timing;
    let (mut resume_due, mut report_due) = (Instant::now(), Instant::now());
    loop {
        if Instant::now() >= resume_due {
            worker.resume().await?;
            resume_due = Instant::now() + timing.report_every;
        }
        if Instant::now() >= report_due {
            let pause = if report(worker).await? { timing.report_every } else { REPORT_AGAIN };
            report_due = Instant::now() + pause;
        }
        let asked = Instant::now();
        let wait = if once { 0 } else { timing.poll_wait_seconds };
        match poll(worker.portal, wait).await?.task {
            Some(task) => {
                if worker.carry_out(task).await? {
                    // Other endpoints may read the same files.
                    report_due = Instant::now();
                }
            }
            None if once => return Ok(()),
            None => {
                tokio::select! {
                    () = worker.portal.stopped() => return Ok(()),
                    () = tokio::time::sleep_until(asked + SHORTEST_POLL) => {}
                }
            }
        }
    }
}

/// Asks for work. Only here is the agent between two steps: stopping interrupts nothing else.
async fn poll(portal: &Portal, wait_seconds: u16) -> Result<PollAnswer, PortalError> {
    let request = PollRequest { version: VERSION.to_owned(), wait_seconds };
    let held = Duration::from_secs(wait_seconds.into());
    tokio::select! {
        biased;
        () = portal.stopped() => Err(PortalError::Stopped),
        answer = portal.call(paths::POLL, &request, held) => answer,
    }
}

/// Reports all endpoints; false where that has to be tried again soon. A report that lacks the
/// endpoints of an unreadable configuration is not sent: the portal would take them for removed.
async fn report(worker: &Worker<'_>) -> Result<bool, PortalError> {
    let sights = match check(worker.config).await {
        Ok(sights) => sights,
        Err(error) => {
            tracing::error!(error = chain(&error), "the endpoints can't be told; none reported");
            return Ok(false);
        }
    };
    let report = check::report(sights);
    let answer = worker.portal.call(paths::ENDPOINTS, &report, Duration::ZERO).await;
    match answer {
        Ok(EndpointsAnswer { endpoints }) => {
            tracing::info!(endpoints = endpoints.len(), "endpoints reported");
            Ok(true)
        }
        Err(PortalError::Refused(body)) if body.code != ErrorCode::Unauthorized => {
            tracing::error!(message = body.message, "the portal refused the endpoints");
            Ok(false)
        }
        Err(PortalError::TooLarge(fault)) => {
            tracing::error!(%fault, "there are more endpoints than can be reported");
            Ok(false)
        }
        Err(error) => Err(error),
    }
}
