//! The binary `certdeck-agent`: reads the command line and runs the library.

use std::io::{ErrorKind, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use certdeck_agent as agent;
use certdeck_agent::config::{AgentConfig, ConfigFile, DEFAULT_STATE_DIR, read_token};
use clap::{Args, Parser, Subcommand};
use tracing_subscriber::EnvFilter;

/// Installs certificates of a Certdeck portal on this host's TLS servers.
#[derive(Parser)]
#[command(version, name = "certdeck-agent")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Reports this host's endpoints and does the portal's work until it is stopped.
    Run(RunOptions),
    /// Prints what the agent would manage and what is served there now. Changes nothing.
    Check {
        /// Configuration file (TOML).
        #[arg(long, env = "CERTDECK_AGENT_CONFIG")]
        config: PathBuf,
    },
}

#[derive(Args)]
struct RunOptions {
    /// Configuration file (TOML).
    #[arg(long, env = "CERTDECK_AGENT_CONFIG")]
    config: PathBuf,
    /// The portal's address, as `https://portal.example.com`.
    #[arg(long, env = "CERTDECK_AGENT_SERVER")]
    server: Option<String>,
    /// File with the one-time activation token; needed until the agent has enrolled.
    #[arg(long, env = "CERTDECK_AGENT_TOKEN_FILE")]
    token_file: Option<PathBuf>,
    /// Folder for the agent's identity and journal [default: /var/lib/certdeck-agent].
    #[arg(long, env = "CERTDECK_AGENT_STATE_DIR")]
    state_dir: Option<PathBuf>,
    /// PEM file with the roots to trust for the portal instead of the system's.
    #[arg(long, env = "CERTDECK_AGENT_CA_FILE")]
    ca_file: Option<PathBuf>,
    /// The agent's name on the portal's screens [default: the one that it was added with].
    #[arg(long, env = "CERTDECK_AGENT_NAME")]
    name: Option<String>,
    /// Report, do the work that waits now, and end.
    #[arg(long)]
    once: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // Files and journals are read without colours.
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    let outcome = match cli.command {
        Command::Run(options) => run(options).await,
        Command::Check { config } => check(config).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One line, also of a fault in a file that is shown with its place.
            let words = format!("{error:#}").split_whitespace().collect::<Vec<_>>().join(" ");
            eprintln!("certdeck-agent: {words}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: RunOptions) -> anyhow::Result<()> {
    let file = ConfigFile::read(&options.config)?;
    let server = options
        .server
        .or(file.server)
        .context("which portal? Give its address with --server, or as `server` in the file")?;
    let state_dir = options.state_dir.or(file.state_dir);
    let token_file = options.token_file.or(file.token_file);
    let config = AgentConfig {
        server,
        activation_token: token(token_file.as_deref())?,
        ca_file: options.ca_file.or(file.ca_file),
        name: options.name.or(file.name),
        state_dir: state_dir.unwrap_or_else(|| DEFAULT_STATE_DIR.into()),
        endpoints: file.endpoints,
        nginx: file.nginx,
        timing: agent::Timing::default(),
    };
    let outcome = if options.once {
        agent::run_once(config).await
    } else {
        agent::run(config, stop_signal()?).await
    };
    outcome.map_err(|error| with_token_file(error, token_file.as_deref()))
}

/// Names the token's file where the agent found nothing in it to enroll with.
fn with_token_file(error: agent::AgentError, token_file: Option<&Path>) -> anyhow::Error {
    match (error, token_file) {
        (agent::AgentError::NoToken, Some(path)) => {
            let fault = if path.exists() { "is empty" } else { "does not exist" };
            anyhow::anyhow!(
                "this agent has not enrolled yet, and its token file {} {fault}: make an activation \
                 token under Automation > Agents, save it in that file and start the agent again",
                path.display()
            )
        }
        (error, _) => error.into(),
    }
}

/// The activation token. Its file may be removed once the agent has enrolled.
fn token(file: Option<&Path>) -> anyhow::Result<Option<agent_api::Token>> {
    match file {
        Some(path) if path.exists() => {
            Ok(Some(read_token(path)?).filter(|token| !token.expose().is_empty()))
        }
        _ => Ok(None),
    }
}

fn stop_signal() -> anyhow::Result<impl Future<Output = ()> + Send> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping after the step in work");
    })
}

async fn check(path: PathBuf) -> anyhow::Result<()> {
    let file = ConfigFile::read(&path)?;
    let config = AgentConfig {
        server: file.server.unwrap_or_default(),
        activation_token: None,
        ca_file: None,
        name: None,
        state_dir: PathBuf::new(),
        endpoints: file.endpoints,
        nginx: file.nginx,
        timing: agent::Timing::default(),
    };
    let sights = agent::check(&config).await?;
    let count = match sights.len() {
        1 => "1 endpoint".to_owned(),
        count => format!("{count} endpoints"),
    };
    let text: String = sights.iter().map(ToString::to_string).collect();
    match writeln!(std::io::stdout().lock(), "{text}{count}") {
        // Whoever reads has seen enough, as `| head` has.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        outcome => Ok(outcome?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_token_file_that_holds_nothing_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("agent.toml"), "").unwrap();
        std::fs::write(at("empty"), "\n").unwrap();
        let run = |token_file: Option<PathBuf>| {
            run(RunOptions {
                config: at("agent.toml"),
                server: Some("https://portal.test".to_owned()),
                token_file,
                state_dir: Some(at("state")),
                ca_file: None,
                name: None,
                once: true,
            })
        };
        for (file, fault) in [("missing", "does not exist"), ("empty", "is empty")] {
            let said = run(Some(at(file))).await.unwrap_err().to_string();
            let named = format!("token file {} {fault}", at(file).display());
            assert!(said.contains(&named) && said.contains("Automation > Agents"), "{said}");
        }
        let said = run(None).await.unwrap_err().to_string();
        assert!(said.contains("--token-file"), "{said}");
    }
}
