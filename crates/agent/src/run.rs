//! The agent's life: take its place, finish what was begun, then report and work until stopped.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use agent_api::{EndpointsAnswer, ErrorCode, PollAnswer, PollRequest, paths};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::check::{self, Sight, check};
use crate::client::{Portal, PortalError};
use crate::config::{AgentConfig, Timing};
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
        if once { serve_once(&worker).await } else { serve(&worker).await }
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

/// Reports, and does the work that waits now.
async fn serve_once(worker: &Worker<'_>) -> Result<(), AgentError> {
    worker.resume().await?;
    report(worker).await?;
    while let Some(task) = poll(worker.portal, 0).await?.task {
        if worker.carry_out(task).await? {
            report(worker).await?;
        }
    }
    Ok(())
}

async fn serve(worker: &Worker<'_>) -> Result<(), AgentError> {
    let timing = worker.config.timing;
    worker.resume().await?;
    let mut resume_due = Instant::now() + timing.report_every;
    let changed = Notify::new();
    // Beside the work: many endpoints that don't answer take minutes to look at.
    let mut reporting = pin!(keep_reporting(worker, &changed));
    loop {
        if Instant::now() >= resume_due {
            worker.resume().await?;
            resume_due = Instant::now() + timing.report_every;
            changed.notify_one();
        }
        let asked = Instant::now();
        let answer = tokio::select! {
            answer = poll(worker.portal, timing.poll_wait_seconds) => answer?,
            ended = &mut reporting => match ended? {},
        };
        if let Some(task) = answer.task {
            if worker.carry_out(task).await? {
                // Other endpoints may read the same files.
                changed.notify_one();
            }
            continue;
        }
        tokio::select! {
            () = worker.portal.stopped() => return Ok(()),
            ended = &mut reporting => match ended? {},
            () = tokio::time::sleep_until(asked + SHORTEST_POLL) => {}
        }
    }
}

/// Reports now and from time to time, and anew once something has `changed`: what was seen before that
/// is not reported any more, but for what is missed. Ends where the agent has to.
async fn keep_reporting(worker: &Worker<'_>, changed: &Notify) -> Result<Infallible, PortalError> {
    let timing = worker.config.timing;
    let mut pauses = Pauses::new(timing);
    loop {
        let mut sights = see(worker.config).await;
        let told = loop {
            tokio::select! {
                biased;
                () = changed.notified() => {
                    pauses = Pauses::new(timing);
                    // Not all: changes that come one after the other would put the report off for ever.
                    sights = match sights {
                        Some(sights) => Some(check::look_again(worker.config, sights).await),
                        None => None,
                    };
                }
                told = tell(worker.portal, sights.as_deref()) => break told?,
            }
        };
        tokio::select! {
            () = changed.notified() => pauses = Pauses::new(timing),
            () = tokio::time::sleep(pauses.behind(told)) => {}
        }
    }
}

/// What a report has told; none of it where that has to be tried again soon.
type Told = Option<Missed>;

/// The endpoints that showed no certificate, by address and server name.
type Missed = BTreeSet<(SocketAddr, Option<String>)>;

/// The pauses between reports: what is missed is looked at again soon, and then less and less often.
struct Pauses {
    timing: Timing,
    missed: Missed,
    again: Duration,
}

impl Pauses {
    const fn new(timing: Timing) -> Self {
        Self { timing, missed: Missed::new(), again: timing.missed_again }
    }

    /// The pause behind a report.
    fn behind(&mut self, told: Told) -> Duration {
        let Some(missed) = told else { return REPORT_AGAIN };
        let more = !missed.is_subset(&self.missed);
        self.again = if more { self.timing.missed_again } else { self.again.saturating_mul(2) };
        self.missed = missed;
        let longest = self.timing.report_every;
        if self.missed.is_empty() { longest } else { self.again.min(longest) }
    }
}

/// Asks for work. Only here is the agent between two steps: stopping interrupts nothing else but a report.
async fn poll(portal: &Portal, wait_seconds: u16) -> Result<PollAnswer, PortalError> {
    let request = PollRequest { version: VERSION.to_owned(), wait_seconds };
    let held = Duration::from_secs(wait_seconds.into());
    tokio::select! {
        biased;
        () = portal.stopped() => Err(PortalError::Stopped),
        answer = portal.call(paths::POLL, &request, held) => answer,
    }
}

/// Reports all endpoints.
async fn report(worker: &Worker<'_>) -> Result<Told, PortalError> {
    tell(worker.portal, see(worker.config).await.as_deref()).await
}

/// Looks at all endpoints; none where the configuration can't be read.
async fn see(config: &AgentConfig) -> Option<Vec<Sight>> {
    let seen = check(config).await;
    seen.inspect_err(|error| {
        tracing::error!(error = chain(error), "the endpoints can't be told; none reported");
    })
    .ok()
}

/// Sends a report. One that lacks the endpoints of an unreadable configuration is not sent: the portal
/// would take them for removed.
async fn tell(portal: &Portal, sights: Option<&[Sight]>) -> Result<Told, PortalError> {
    let Some(sights) = sights else { return Ok(None) };
    let missed = sights.iter().filter(|sight| sight.served.is_err());
    let missed = missed.map(|sight| (sight.site.address, sight.site.server_name.clone())).collect();
    match portal.call(paths::ENDPOINTS, &check::report(sights), Duration::ZERO).await {
        Ok(EndpointsAnswer { endpoints }) => {
            tracing::info!(endpoints = endpoints.len(), "endpoints reported");
            Ok(Some(missed))
        }
        Err(PortalError::Refused(body)) if body.code != ErrorCode::Unauthorized => {
            tracing::error!(message = body.message, "the portal refused the endpoints");
            Ok(None)
        }
        Err(PortalError::TooLarge(fault)) => {
            tracing::error!(%fault, "there are more endpoints than can be reported");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missed_is_looked_at_soon_and_then_less_and_less_often() {
        let timing = Timing::default();
        let mut pauses = Pauses::new(timing);
        let missed = |ports: &[u16]| {
            let one = |port: &u16| (SocketAddr::from(([192, 0, 2, 1], *port)), None);
            Some(ports.iter().map(one).collect::<Missed>())
        };
        let minutes = [5, 10, 20, 40, 80, 160, 320, 360, 360].map(Duration::from_mins);
        for pause in minutes {
            assert_eq!(pauses.behind(missed(&[443])), pause);
        }
        assert_eq!(pauses.behind(missed(&[443, 8443])), timing.missed_again, "another one");
        assert_eq!(pauses.behind(None), REPORT_AGAIN);
        assert_eq!(pauses.behind(missed(&[443])), Duration::from_mins(10), "one is back");
        assert_eq!(pauses.behind(missed(&[])), timing.report_every);
        assert_eq!(pauses.behind(missed(&[443])), timing.missed_again, "missed once more");
    }
}
