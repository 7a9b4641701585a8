//! The agent: finds the TLS endpoints of its host, reports what they serve, and installs
//! certificates on them when the portal asks.
//!
//! It only makes outgoing connections ([`agent_api`] is what is said there). Private keys are
//! made here, are written with mode 0600, and never leave the host. An installation is checked,
//! tested, switched by rename, verified by handshake, and taken back where any of it fails; a
//! journal on disk finishes or undoes what a crash interrupted.
//!
//! [`run`] is the whole agent; the `certdeck-agent` binary only reads its command line.

#[macro_use]
pub mod faults;

mod backoff;
mod certificate;
mod check;
mod client;
mod command;
pub mod config;
mod discovery;
mod failure;
mod files;
mod identity;
mod install;
mod journal;
mod key;
mod nginx;
mod probe;
mod report;
mod run;
mod site;
mod work;

pub use check::{Sight, check};
pub use client::PortalError;
pub use command::CommandLine;
pub use config::{AgentConfig, ConfigError, EndpointConfig, NginxConfig, Timing};
pub use discovery::DiscoveryError;
pub use identity::has_enrolled;
pub use probe::{ProbeError, Served, probe};
pub use run::{AgentError, run, run_once};
pub use site::{Files, Recipe, Site};
