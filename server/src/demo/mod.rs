//! `serve --demo`: the same organizations, people, orders and endpoints every time, relative to
//! the clock; real TLS listeners on loopback ports; and the real agent that manages them.

mod catalogue;
mod client;
mod data;
mod listeners;
mod reset;
mod state;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use agent::{AgentConfig, CommandLine, EndpointConfig, Timing};
use agent_api::Token;
use anyhow::Context as _;
use domain::model::Role;
use lifecycle::automation::{AgentFilter, AgentSort};
use lifecycle::lists::PageOf;
use lifecycle::{Actor, Lifecycle};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
pub use reset::{Reset, clear, command};
use state::Holds;
pub use state::open;

/// The sign-ins; everybody's password is `demo-` and the role.
const PEOPLE: &[(&str, &str, Role)] = &[
    ("admin@example.com", "Ada Admin", Role::Administrator),
    ("manager@example.com", "Max Manager", Role::Manager),
    ("standard@example.com", "Stella Standard", Role::Standard),
    ("limited@example.com", "Liam Limited", Role::Limited),
];

/// The agent's name on screens.
const AGENT: &str = "demo-host";

fn password(role: Role) -> String {
    format!("demo-{role}")
}

/// Prints who can sign in, and how.
pub fn print_sign_ins() {
    crate::output::announce(format_args!("sign in with:"));
    for (email, _, role) in PEOPLE {
        crate::output::announce(format_args!(
            "  {:<22} {:<20} {}",
            email,
            password(*role),
            role.label()
        ));
    }
}

/// The demonstration beside the portal.
#[derive(Debug)]
pub struct Demonstration {
    listeners: listeners::Listeners,
    agent: AgentConfig,
    /// The way back to the start.
    pub reset: Reset,
}

/// Fills the database that [`open`] opened where it is empty, and binds the listeners.
pub async fn prepare(
    config: &Config,
    desk: &Lifecycle,
    server: &str,
) -> anyhow::Result<Demonstration> {
    let folder = config.data_dir.join("demo");
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make {}", folder.display()))?;
    let fixed = config.listen.address().is_some_and(|address| address.port() != 0);
    let listeners = listeners::Listeners::bind(&folder, fixed)?;
    let agent_folder = folder.join("agent");
    if state::holds(desk).await? == Holds::Nothing {
        // An agent of another database has an identity that nobody knows here.
        reset::remove_folder(&agent_folder)?;
        desk.note_filling(true).await?;
        data::fill(desk, &listeners).await.context("cannot make the demonstration data")?;
        desk.note_filling(false).await?;
    }
    let token = if agent::has_enrolled(&agent_folder) { None } else { Some(activate(desk).await?) };
    let root = folder.join("root.pem");
    std::fs::write(&root, desk.root_pem()?)
        .with_context(|| format!("cannot write {}", root.display()))?;
    let agent = agent_config(&folder, server, root, token, &listeners)?;
    Ok(Demonstration { listeners, agent, reset: Reset::new(config)? })
}

/// A token for the agent that is to come, in the place of one that never came or lost its identity.
async fn activate(desk: &Lifecycle) -> anyhow::Result<Token> {
    let filter = AgentFilter { text: Some(AGENT.to_owned()), standing: None };
    let page = PageOf::first(AgentSort::Name, 100);
    for known in desk.agents(&Actor::Operator, &filter, &page).await?.rows {
        if known.name == AGENT {
            desk.remove_agent(&Actor::Operator, known.agent_id()).await?;
        }
    }
    let activation = desk.add_agent(&Actor::Operator, AGENT).await?;
    Ok(Token::new(activation.token.reveal()))
}

impl Demonstration {
    /// Runs listeners and agent until `stop`.
    pub fn start(self, work: &mut JoinSet<()>, stop: &CancellationToken) {
        self.listeners.start(work, stop);
        let (agent, stop) = (self.agent, stop.clone());
        work.spawn(async move {
            if let Err(error) = agent::run(agent, stop.cancelled_owned()).await {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the demonstration's agent ended"
                );
            }
        });
    }
}

/// Waits until the agent has reported what it found, so that the first page is not empty.
pub async fn wait_for_endpoints(desk: &Lifecycle) -> anyhow::Result<()> {
    let enough = catalogue::ENDPOINTS.len();
    for _ in 0..150 {
        let page = desk
            .endpoints(
                &Actor::Operator,
                lifecycle::automation::EndpointFilter::default(),
                lifecycle::automation::EndpointSort::Address,
                false,
                None,
                100,
            )
            .await?;
        if page.rows.len() >= enough {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tracing::warn!("the demonstration's agent has not reported its endpoints yet");
    Ok(())
}

fn agent_config(
    folder: &Path,
    server: &str,
    root: PathBuf,
    token: Option<Token>,
    listeners: &listeners::Listeners,
) -> anyhow::Result<AgentConfig> {
    let endpoints = listeners
        .sites()
        .map(|(name, address, files)| endpoint(name, address, files))
        .collect::<anyhow::Result<_>>()?;
    Ok(AgentConfig {
        server: server.to_owned(),
        activation_token: token,
        ca_file: Some(root),
        name: Some(AGENT.to_owned()),
        state_dir: folder.join("agent"),
        endpoints,
        nginx: None,
        timing: Timing { report_every: Duration::from_mins(1), ..Timing::default() },
    })
}

fn endpoint(
    name: &str,
    address: SocketAddr,
    files: &listeners::Files,
) -> anyhow::Result<EndpointConfig> {
    let reload = vec!["touch".to_owned(), files.reload.display().to_string()];
    Ok(EndpointConfig {
        name: name.to_owned(),
        address,
        server_name: None,
        certificate_file: None,
        chain_file: None,
        fullchain_file: Some(files.fullchain.clone()),
        key_file: Some(files.key.clone()),
        combined_file: None,
        test_command: None,
        reload_command: Some(CommandLine::new(reload).context("a command needs a program")?),
        software: Some("demo-tls 1.0".to_owned()),
    })
}
