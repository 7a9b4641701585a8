//! Failures in words: what happened, why, and what a person can do.

use std::fmt::Display;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use agent_api::{FailedReport, Stage, clip};
use domain::model::Serial;
use serde::{Deserialize, Serialize};

use crate::probe::{ProbeError, Served};

/// How the host is after a failure, by what was looked at.
#[derive(Debug)]
pub(crate) enum Aftermath {
    /// Nothing of it was changed.
    Untouched,
    /// The old files are back, and a handshake shows what it showed before.
    AsBefore,
    /// The old files are back, and a handshake shows another certificate of them.
    Restored(Serial),
    /// The old files are back, and no handshake shows a certificate, before the installation neither.
    StillSilent(ProbeError),
    /// The old files are back, and the server that showed a certificate before shows none.
    Silent(ProbeError),
    /// The old files are back, and the server shows the new certificate still.
    StillNew,
    /// The old files are not back.
    Damaged(std::io::Error),
}

impl Aftermath {
    const fn is_as_before(&self) -> bool {
        match self {
            Self::Untouched | Self::AsBefore | Self::Restored(_) | Self::StillSilent(_) => true,
            Self::Silent(_) | Self::StillNew | Self::Damaged(_) => false,
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Untouched => "Nothing was changed on the host.".to_owned(),
            Self::AsBefore => "The endpoint serves what it served before.".to_owned(),
            Self::Restored(serial) => {
                format!("The old files are back; the endpoint serves serial {serial}.")
            }
            Self::StillSilent(error) => format!(
                "The old files are back; the endpoint shows no certificate, as before: {error}."
            ),
            Self::Silent(error) => format!(
                "The old files are back, but the endpoint no longer shows a certificate: {error}. \
                 Look at the server now."
            ),
            Self::StillNew => "The old files are back, but the endpoint still serves the new \
                               certificate: look at the server now."
                .to_owned(),
            Self::Damaged(error) => {
                format!("The old files could not be put back ({error}): look at the server now.")
            }
        }
    }
}

/// Why an event's step failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failure {
    stage: Stage,
    cause: String,
    solution: String,
    may_retry: bool,
}

impl Failure {
    fn new(stage: Stage, cause: String, solution: impl Into<String>) -> Self {
        Self { stage, cause, solution: solution.into(), may_retry: true }
    }

    /// The same try would fail again: a person must do something first.
    fn for_good(self) -> Self {
        Self { may_retry: false, ..self }
    }

    /// The failure as it is reported, with how the host is now.
    pub(crate) fn report(self, now: &Aftermath) -> FailedReport {
        FailedReport {
            stage: self.stage,
            cause: clip(&format!("{} {}", self.cause, now.words())),
            solution: clip(&self.solution),
            rolled_back: now.is_as_before(),
            may_retry: self.may_retry,
        }
    }

    pub(crate) fn unknown_endpoint(address: SocketAddr, server_name: Option<&str>) -> Self {
        Self::new(
            Stage::Install,
            format!(
                "{} is no longer in the configuration that the agent reads.",
                place(address, server_name)
            ),
            "Add the endpoint to the server's or the agent's configuration and retry, or cancel \
             this request.",
        )
        .for_good()
    }

    pub(crate) fn undiscovered(error: &dyn std::error::Error) -> Self {
        Self::new(
            Stage::Install,
            format!("The agent could not read which endpoints the host has: {}.", chain(error)),
            "Correct the configuration, try it with `certdeck-agent check` on the host, then retry.",
        )
    }

    pub(crate) fn manual(reason: &str) -> Self {
        Self::new(
            Stage::Install,
            format!("The agent cannot install on this endpoint. {reason}"),
            "Submit a manual request and install the certificate by hand, or change the \
             configuration as said and retry.",
        )
        .for_good()
    }

    pub(crate) fn unknown_step(version: &str) -> Self {
        Self::new(
            Stage::Other,
            format!(
                "The portal asked for a step that this agent, version {version}, does not know."
            ),
            "Update the agent on the host, then retry.",
        )
        .for_good()
    }

    pub(crate) fn key(folder: &Path, error: &dyn Display) -> Self {
        Self::new(
            Stage::Key,
            format!("The private key could not be made or kept on the host: {error}."),
            format!(
                "Check that {} exists, has free space, and may be written by the agent, then retry.",
                folder.display()
            ),
        )
    }

    pub(crate) fn key_lost(path: &Path) -> Self {
        Self::new(
            Stage::Key,
            format!(
                "The private key made for this request is no longer on the host ({}).",
                path.display()
            ),
            "Retry: a new key and a new request will be made.",
        )
        .for_good()
    }

    pub(crate) fn csr_refused(message: &str) -> Self {
        Self::new(
            Stage::Csr,
            format!("The portal refused the certificate signing request: {message}"),
            "Check the profile's key type and the names, then retry.",
        )
    }

    pub(crate) fn misfit(cause: &str) -> Self {
        Self::new(
            Stage::Install,
            format!("The certificate was not installed: {cause}."),
            "Retry. If it happens again, cancel this request and make a new one.",
        )
        .for_good()
    }

    pub(crate) fn state(error: &dyn Display) -> Self {
        Self::new(
            Stage::Install,
            format!("The agent could not write down what it was about to do: {error}."),
            "Check free space and permissions of the agent's state folder, then retry.",
        )
    }

    pub(crate) fn files(error: &dyn Display) -> Self {
        Self::new(
            Stage::Install,
            format!("The new files could not be put in place: {error}."),
            "Check that the folders of the certificate and key files exist, have free space, and \
             may be written by the agent, then retry.",
        )
    }

    pub(crate) fn config_test(error: &dyn Display) -> Self {
        Self::new(
            Stage::ConfigTest,
            format!(
                "The server's own configuration test failed with the new files in place: {error}."
            ),
            "Correct the server's configuration where the output points, run the same command on \
             the host until it succeeds, then retry.",
        )
    }

    pub(crate) fn reload(error: &dyn Display) -> Self {
        Self::new(
            Stage::Reload,
            format!("The server could not be told to read the new files: {error}."),
            "Check that the server runs and that the agent's user may run this command, then retry.",
        )
    }

    pub(crate) fn not_served(
        address: SocketAddr,
        server_name: Option<&str>,
        expected: &Serial,
        seen: &Result<Served, ProbeError>,
        waited: Duration,
    ) -> Self {
        let place = place(address, server_name);
        let seen = match seen {
            Ok(served) => format!("it still served serial {}", served.serial),
            Err(error) => error.to_string(),
        };
        Self::new(
            Stage::Verify,
            format!(
                "Post-install validation was not successful: {place} did not serve the new \
                 certificate (serial {expected}) within {} seconds after the reload; {seen}.",
                waited.as_secs()
            ),
            "Check that the reload command belongs to the server at this address and that no \
             other file or proxy answers for it. Verify on the website, and cancel this request \
             if the certificate is installed there; otherwise retry.",
        )
    }

    pub(crate) fn not_seen(
        address: SocketAddr,
        server_name: Option<&str>,
        error: &ProbeError,
    ) -> Self {
        Self::new(
            Stage::Verify,
            format!("{} could not be looked at: {error}.", place(address, server_name)),
            "Check that the server runs and listens there, then retry.",
        )
    }
}

fn place(address: SocketAddr, server_name: Option<&str>) -> String {
    match server_name {
        Some(name) => format!("{address} ({name})"),
        None => address.to_string(),
    }
}

/// An error with all its causes on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let words = cause.to_string();
        // Some errors repeat their cause in their own words.
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        source = cause.source();
    }
    text
}
