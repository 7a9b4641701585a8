//! Carries out the portal's tasks, and what a crash interrupted.
//!
//! An event's [`State`] is written down before each act, and [`Worker::finish`] goes on from
//! whatever state it finds: after a task, and after a restart, alike.

use std::net::SocketAddr;
use std::path::Path;

use agent_api::{CsrReport, FailedReport, InstalledReport, Step, Task, VerifiedReport, paths};
use domain::EventId;

use crate::client::{Portal, PortalError};
use crate::config::AgentConfig;
use crate::discovery;
use crate::failure::{Aftermath, Failure};
use crate::files;
use crate::install::{self, Surroundings, blocking};
use crate::journal::{CsrWish, Entry, Installation, Journal, State};
use crate::key;
use crate::probe::probe;
use crate::report::Reply;
use crate::site::Recipe;

/// Works on one task at a time.
#[derive(Debug)]
pub(crate) struct Worker<'a> {
    pub config: &'a AgentConfig,
    pub portal: &'a Portal,
    pub journal: &'a Journal,
    pub command_log: &'a Path,
    /// The agent's mark, in the names of what it leaves beside others' files.
    pub mark: &'a str,
}

impl Worker<'_> {
    /// Does what `task` asks, to its end; true where what is served may have changed. Only the
    /// portal can make this fail: everything that goes wrong on the host is reported as the
    /// event's failure.
    pub(crate) async fn carry_out(&self, task: Task) -> Result<bool, PortalError> {
        let event = task.event_id;
        let address = SocketAddr::new(task.endpoint.ip, task.endpoint.port);
        let server_name = task.endpoint.server_name;
        tracing::info!(%event, %address, step = step_name(&task.step), "task");
        let outcome = match task.step {
            Step::MakeCsr { common_name, names, key_type } => {
                let wish = CsrWish { common_name, names, key_type };
                self.make_csr(event, address, server_name, wish).await
            }
            Step::Install { leaf_pem, chain_pem, expected_serial } => {
                let serial = expected_serial;
                let (created, served_before) = (Vec::new(), None);
                let installation =
                    Installation { leaf_pem, chain_pem, serial, created, served_before };
                self.begin_install(event, address, server_name, installation).await
            }
            Step::Probe => self.look(address, server_name.as_deref()).await.map(Next::Verified),
            Step::Unknown => Err(Failure::unknown_step(crate::run::VERSION)),
        };
        match outcome {
            Ok(Next::SendCsr(entry)) => self.send_csr(*entry).await?,
            Ok(Next::Install(entry)) => {
                self.finish(*entry).await?;
                return Ok(true);
            }
            Ok(Next::Verified(report)) => {
                self.portal.report(event, paths::EVENT_VERIFIED, &report).await?;
            }
            Err(failure) => {
                // Nothing of the host was changed yet.
                self.portal
                    .report(event, paths::EVENT_FAILED, &failure.report(&Aftermath::Untouched))
                    .await?;
                self.settle(event).await?;
            }
        }
        Ok(false)
    }

    /// Goes on with what an earlier run of the agent left in the journal. Sending a CSR again
    /// shows whether its event was canceled meanwhile. Removes pending keys that no page knows.
    pub(crate) async fn resume(&self) -> Result<(), PortalError> {
        let events = self.journal.events().unwrap_or_else(|error| {
            tracing::error!(%error, "the journal can't be read");
            Vec::new()
        });
        let known = events.into_iter().filter_map(|event| self.journal.load(event));
        let (awaited, begun): (Vec<Entry>, Vec<Entry>) =
            known.partition(|entry| entry.state == State::CsrMade);
        // First what the host is in the middle of: a portal that is away must not keep it there.
        for entry in begun.into_iter().chain(awaited) {
            tracing::info!(event = %entry.event, "going on with an event of the journal");
            match entry.state {
                State::CsrMade => self.send_csr(entry).await?,
                _ => self.finish(entry).await?,
            }
        }
        self.sweep().await;
        Ok(())
    }

    async fn make_csr(
        &self,
        event: EventId,
        address: SocketAddr,
        server_name: Option<String>,
        wish: CsrWish,
    ) -> Result<Next, Failure> {
        let known = self.journal.load(event).filter(|known| {
            known.wish == wish && known.state == State::CsrMade && known.pending_key.exists()
        });
        if let Some(known) = known {
            return Ok(Next::SendCsr(Box::new(known)));
        }
        let recipe = self.recipe(address, server_name.as_deref()).await?;
        let pending_key = files::pending_key(recipe.files.key_file(), self.mark, event);
        let folder = pending_key.parent().unwrap_or(Path::new("/")).to_owned();
        let (names, place) = (wish.clone(), pending_key.clone());
        let csr_pem = blocking(move || {
            let made = key::make(&names.common_name, &names.names, names.key_type)
                .map_err(std::io::Error::other)?;
            files::write_private(&place, made.key_pem.as_bytes())?;
            Ok(made.csr_pem)
        })
        .await
        .map_err(|error| Failure::key(&folder, &error))?;
        fault!("after_key_written");
        let state = State::CsrMade;
        let entry =
            Entry { event, address, server_name, recipe, pending_key, wish, csr_pem, state };
        self.journal.save(&entry).map_err(|error| Failure::state(&error))?;
        fault!("after_csr_noted");
        Ok(Next::SendCsr(Box::new(entry)))
    }

    async fn send_csr(&self, entry: Entry) -> Result<(), PortalError> {
        let report = CsrReport { csr_pem: entry.csr_pem };
        match self.portal.report(entry.event, paths::EVENT_CSR, &report).await? {
            Reply::Taken | Reply::OtherStep => {
                fault!("after_csr_sent");
            }
            Reply::Over => self.forget(entry.event),
            Reply::Invalid(message) => {
                let failed = Failure::csr_refused(&message).report(&Aftermath::Untouched);
                self.portal.report(entry.event, paths::EVENT_FAILED, &failed).await?;
                self.forget(entry.event);
            }
        }
        Ok(())
    }

    /// Checks a certificate and notes that its installation begins.
    async fn begin_install(
        &self,
        event: EventId,
        address: SocketAddr,
        server_name: Option<String>,
        mut installation: Installation,
    ) -> Result<Next, Failure> {
        let recipe = self.recipe(address, server_name.as_deref()).await?;
        let mut entry = self.journal.load(event).ok_or_else(|| {
            Failure::key_lost(&files::pending_key(recipe.files.key_file(), self.mark, event))
        })?;
        // The configuration may have changed since the key was made.
        entry.recipe = recipe;
        install::check(&entry, &installation)?;
        installation.created =
            entry.recipe.files.paths().into_iter().filter(|path| !path.exists()).collect();
        let seen = probe(address, server_name.as_deref(), self.config.timing.handshake).await;
        installation.served_before = seen.ok().map(|served| served.serial);
        entry.state = State::Installing { installation };
        self.journal.save(&entry).map_err(|error| Failure::state(&error))?;
        fault!("before_install");
        Ok(Next::Install(Box::new(entry)))
    }

    /// Goes from state to state until the event's end is reported.
    async fn finish(&self, mut entry: Entry) -> Result<(), PortalError> {
        while let Some(next) = self.advance(&entry).await? {
            entry.state = next;
            if let Err(error) = self.journal.save(&entry) {
                // Going on is safe: after a crash the last act that was noted is done again.
                tracing::error!(event = %entry.event, %error, "the journal can't be written");
            }
        }
        if matches!(entry.state, State::Failed { .. }) {
            return self.settle(entry.event).await;
        }
        self.forget(entry.event);
        Ok(())
    }

    /// After a failure: the portal may send the same certificate again later, so its key is kept
    /// while the event goes on. Sending the CSR again shows whether it does.
    async fn settle(&self, event: EventId) -> Result<(), PortalError> {
        let known = self.journal.load(event).filter(|entry| entry.pending_key.exists());
        let Some(mut entry) = known else {
            self.forget(event);
            return Ok(());
        };
        entry.state = State::CsrMade;
        if let Err(error) = self.journal.save(&entry) {
            tracing::error!(%event, %error, "the journal can't be written");
        }
        self.send_csr(entry).await
    }

    /// Does what `entry`'s state asks for and tells the next state; none at the end.
    async fn advance(&self, entry: &Entry) -> Result<Option<State>, PortalError> {
        let around = Surroundings { timing: self.config.timing, command_log: self.command_log };
        Ok(match entry.state.clone() {
            // No way leads here from the states below.
            State::CsrMade => None,
            State::Installing { installation } => {
                Some(match install::put_in_place(entry, &installation, around).await {
                    Ok(()) => State::Installed { installation },
                    Err(failure) => State::Undoing { installation, failure },
                })
            }
            State::Installed { installation } => {
                // Whether it serves, and has to be taken back, must not wait for a portal that is
                // away; that it was installed is in the report of the end too.
                let report = InstalledReport { serial: installation.serial.clone() };
                let path = paths::for_event(paths::EVENT_INSTALLED, entry.event);
                self.portal.tell(&path, &report).await;
                fault!("after_installed_sent");
                Some(match install::verify(entry, &installation, around).await {
                    Ok(served) => State::Verified { installation, chain_pem: served.chain_pem },
                    Err(failure) => State::Undoing { installation, failure },
                })
            }
            State::Verified { chain_pem, .. } => {
                fault!("after_verify");
                let report = VerifiedReport { chain_pem };
                self.portal.report(entry.event, paths::EVENT_VERIFIED, &report).await?;
                fault!("after_verified_sent");
                if let Err(error) = install::keep_backups(entry).await {
                    tracing::warn!(event = %entry.event, %error, "backups could not be kept");
                }
                fault!("after_backups_kept");
                None
            }
            State::Undoing { installation, failure } => {
                fault!("before_undo");
                let now = install::undo(entry, &installation, around).await;
                fault!("after_undo");
                Some(State::Failed { report: failure.report(&now) })
            }
            State::Failed { report } => {
                self.portal.report(entry.event, paths::EVENT_FAILED, &report).await?;
                fault!("after_failed_sent");
                log_failure(entry.event, &report);
                None
            }
        })
    }

    /// Removes the event's pending key and its page, in this order: the page knows the key.
    fn forget(&self, event: EventId) {
        let key = self.journal.load(event).map(|entry| entry.pending_key);
        let removed = key.map_or(Ok(()), |path| files::remove(&path));
        if let Err(error) = removed.and_then(|()| self.journal.remove(event)) {
            tracing::error!(%event, %error, "what is left of the event can't be removed");
        }
    }

    /// Removes this agent's pending keys of events that the journal does not know: it was killed between
    /// writing a key and noting it. Another agent may keep its own in the same folders.
    async fn sweep(&self) {
        let Ok(sites) = discovery::sites(self.config).await else { return };
        let keys = sites.iter().filter_map(|site| site.recipe.as_ref().ok());
        for folder in keys.filter_map(|recipe| recipe.files.key_file().parent()) {
            let Ok(files) = std::fs::read_dir(folder) else { continue };
            for file in files.flatten() {
                let name = file.file_name();
                let event =
                    name.to_str().and_then(|name| files::event_of_pending_key(self.mark, name));
                if event.is_some_and(|event| !self.journal.knows(event)) {
                    // A key that stays is harmless: it was never used.
                    let _ = files::remove(&file.path());
                }
            }
        }
    }

    /// How certificates are installed on the endpoint now.
    async fn recipe(&self, address: SocketAddr, name: Option<&str>) -> Result<Recipe, Failure> {
        let sites =
            discovery::sites(self.config).await.map_err(|error| Failure::undiscovered(&error))?;
        sites
            .into_iter()
            .find(|site| site.address == address && site.server_name.as_deref() == name)
            .ok_or_else(|| Failure::unknown_endpoint(address, name))?
            .recipe
            .map_err(|reason| Failure::manual(&reason))
    }

    async fn look(
        &self,
        address: SocketAddr,
        name: Option<&str>,
    ) -> Result<VerifiedReport, Failure> {
        probe(address, name, self.config.timing.handshake)
            .await
            .map(|served| VerifiedReport { chain_pem: served.chain_pem })
            .map_err(|error| Failure::not_seen(address, name, &error))
    }
}

/// What follows the first part of a task.
enum Next {
    SendCsr(Box<Entry>),
    Install(Box<Entry>),
    Verified(VerifiedReport),
}

fn log_failure(event: EventId, report: &FailedReport) {
    tracing::warn!(%event, stage = ?report.stage, cause = report.cause, "the event failed");
}

const fn step_name(step: &Step) -> &'static str {
    match step {
        Step::MakeCsr { .. } => "make a CSR",
        Step::Install { .. } => "install",
        Step::Probe => "probe",
        Step::Unknown => "unknown",
    }
}
