//! Back to the start: a button for administrators and `certdeck demo reset`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::post;
use http::{StatusCode, header};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::Notify;

use crate::cli::DemoCommand;
use crate::config::Config;

/// Holds the secret by which the command proves that it may read the data folder.
const TOKEN_FILE: &str = "reset-token";
const PATH: &str = "/demo/reset";
/// Why there is no way back on PostgreSQL: others may have tables in that database.
const NOT_ON_POSTGRES: &str =
    "It goes back to its start on SQLite only. Empty the database and start the portal again.";

/// The wish to go back to the start, and who may utter it.
#[derive(Debug, Clone)]
pub struct Reset {
    wanted: Arc<Notify>,
    token: Arc<str>,
    possible: bool,
}

impl Reset {
    /// Makes the command's secret anew.
    pub fn new(config: &Config) -> anyhow::Result<Self> {
        use std::io::Write as _;
        use std::os::unix::fs::OpenOptionsExt as _;
        let folder = config.data_dir.join("demo");
        let token = lifecycle::sessions::SecretToken::random("")?;
        let mut file = std::fs::OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(folder.join(TOKEN_FILE))
            .context("cannot write the demonstration's reset token")?;
        file.write_all(token.reveal().as_bytes())?;
        let possible = !config.is_postgres();
        Ok(Self { wanted: Arc::new(Notify::new()), token: token.reveal().into(), possible })
    }

    /// Waits until somebody wants the start back.
    pub async fn wanted(&self) {
        self.wanted.notified().await;
    }

    /// The command's route. The button is a form of the portal that asks for an administrator.
    pub fn router(&self) -> Router {
        Router::new().route(PATH, post(reset)).with_state(self.clone())
    }

    /// The button on the screens, which ask for an administrator.
    pub fn button(&self) -> app::demo::ResetButton {
        if !self.possible {
            return app::demo::ResetButton::missing(NOT_ON_POSTGRES);
        }
        let wanted = Arc::clone(&self.wanted);
        app::demo::ResetButton::new(move || wanted.notify_one())
    }
}

/// Takes everything of the demonstration away but its ports.
pub fn clear(config: &Config) -> anyhow::Result<()> {
    let file = lifecycle::upkeep::database_file(&config.database_url()).context(NOT_ON_POSTGRES)?;
    for ending in ["", "-wal", "-shm"] {
        remove(&PathBuf::from(format!("{}{ending}", file.display())))?;
    }
    let demo = config.data_dir.join("demo");
    remove_folder(&demo.join("agent"))?;
    for entry in std::fs::read_dir(&demo)? {
        let folder = entry?.path();
        for name in ["fullchain.pem", "key.pem", "reload"] {
            remove(&folder.join(name))?;
        }
    }
    Ok(())
}

fn remove(file: &Path) -> anyhow::Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if !missing(&error) => {
            Err(error).with_context(|| format!("cannot remove {}", file.display()))
        }
        _ => Ok(()),
    }
}

/// Takes a folder away with all that is in it.
pub(super) fn remove_folder(folder: &Path) -> anyhow::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if !missing(&error) => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

fn missing(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}

async fn reset(State(reset): State<Reset>, request: Request) -> Response {
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let expected = format!("Bearer {}", reset.token);
    if given != Some(expected.as_str()) {
        return (
            StatusCode::FORBIDDEN,
            "Run `certdeck demo reset` on this machine, with this data folder.\n",
        )
            .into_response();
    }
    if !reset.possible {
        return (StatusCode::CONFLICT, NOT_ON_POSTGRES).into_response();
    }
    reset.wanted.notify_one();
    Redirect::to("/").into_response()
}

/// TLS with a portal under this root alone.
fn trusting(root: &Path) -> anyhow::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let read = CertificateDer::from_pem_file(root);
    roots.add(read.with_context(|| format!("cannot read {}", root.display()))?)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// `certdeck demo …`
pub async fn command(config: &Config, command: &DemoCommand) -> anyhow::Result<()> {
    let DemoCommand::Reset = command;
    let file = config.data_dir.join("demo").join(TOKEN_FILE);
    let token = std::fs::read_to_string(&file).with_context(|| {
        format!("no demonstration runs on this data folder ({} can't be read)", file.display())
    })?;
    let root = config.data_dir.join("demo").join("root.pem");
    let url = format!("{}{PATH}", crate::opening::base_url_here(config));
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(trusting(&root)?)
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(10))
        .build()?;
    let answer = client
        .post(&url)
        .bearer_auth(token.trim())
        .send()
        .await
        .with_context(|| format!("cannot reach the portal at {url}"))?;
    let status = answer.status();
    if status == StatusCode::CONFLICT {
        anyhow::bail!("this demonstration can't be put back: {}", answer.text().await?);
    }
    anyhow::ensure!(status.is_redirection(), "the portal answered {status}");
    crate::output::announce(format_args!(
        "The demonstration goes back to its start; it is there again in a few seconds."
    ));
    Ok(())
}
