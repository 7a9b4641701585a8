//! Opens the desk that the configuration names: data folder, master key, database, authority.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use lifecycle::{AuthorityOptions, Clock, Issuer, Lifecycle, MasterKey, Store, StoreOptions};

use crate::config::Config;

/// A new authority begins this many days ago: clocks of clients may be behind.
const BACKDATED: i64 = 1;
/// The demonstration's history begins two years ago, and its authority before that.
const DEMO_BACKDATED: i64 = 800;

/// Where `serve` leaves its public URL for the commands that print URLs.
const BASE_URL_FILE: &str = "base-url";

/// The store, with its schema brought up.
pub async fn store(config: &Config) -> anyhow::Result<Store> {
    make_data_dir(&config.data_dir)?;
    let store = Store::open(&config.database_url(), StoreOptions::default())
        .await
        .context("cannot open the database")?;
    store.migrate().await.context("cannot bring the database's schema up")?;
    Ok(store)
}

/// A desk that can do all but issue.
pub async fn desk(config: &Config, clock: Clock) -> anyhow::Result<Lifecycle> {
    Ok(Lifecycle::new(store(config).await?, clock))
}

/// A desk that can issue; makes the authority at the very first start.
pub async fn issuing_desk(config: &Config, clock: Clock) -> anyhow::Result<Lifecycle> {
    let desk = desk(config, clock).await?;
    let base_url = base_url(config, &desk).await?;
    with_issuer(config, &desk, &base_url, false).await
}

/// Gives a desk the authority of its database. Its CRL and OCSP answers are found at the configured
/// address or else at `base_url`.
pub async fn with_issuer(
    config: &Config,
    desk: &Lifecycle,
    base_url: &str,
    demo_on: bool,
) -> anyhow::Result<Lifecycle> {
    let file = config.master_key_file();
    let master = MasterKey::load_or_create(&file)
        .with_context(|| format!("cannot use the master key file {}", file.display()))?;
    let not_before =
        desk.clock().now().minus(domain::Days(if demo_on { DEMO_BACKDATED } else { BACKDATED }));
    let options = AuthorityOptions {
        key: config.authority_key,
        ..AuthorityOptions::new("Certdeck", "US", not_before)
    };
    let published_at = config.authority_url.as_deref().unwrap_or(base_url);
    let issuer = Issuer::open(desk.store(), Arc::new(master), published_at, options)
        .await
        .context("cannot open the certificate authority")?;
    Ok(desk.with_issuer(issuer))
}

/// The public URL, for commands that print URLs: what is [known](known_base_url), else the HTTPS
/// listener.
pub async fn base_url(config: &Config, desk: &Lifecycle) -> anyhow::Result<String> {
    Ok(known_base_url(config, desk).await?.unwrap_or_else(|| listener_url(config)))
}

/// The public URL where it is known: [shared](shared_base_url), or what the last `serve` on this data
/// folder left.
pub async fn known_base_url(config: &Config, desk: &Lifecycle) -> anyhow::Result<Option<String>> {
    Ok(shared_base_url(config, desk).await?.or_else(|| left_base_url(config)))
}

/// The public URL that all processes on this database go by: as configured, else, on PostgreSQL, as
/// another one was.
pub async fn shared_base_url(config: &Config, desk: &Lifecycle) -> anyhow::Result<Option<String>> {
    if let Some(url) = &config.base_url {
        return Ok(Some(url.trim_end_matches('/').to_owned()));
    }
    if !config.is_postgres() {
        return Ok(None);
    }
    let url = desk.public_url().await.context("cannot read the public URL in the database")?;
    if let Some(url) = &url {
        tracing::info!(
            "CERTDECK_BASE_URL is not set; the public URL is that of other processes on this database: {url}"
        );
    }
    Ok(url)
}

/// What the last `serve` on this data folder left, for commands that open no database.
pub fn base_url_here(config: &Config) -> String {
    let configured = config.base_url.as_ref().map(|url| url.trim_end_matches('/').to_owned());
    configured.or_else(|| left_base_url(config)).unwrap_or_else(|| listener_url(config))
}

fn left_base_url(config: &Config) -> Option<String> {
    let url = std::fs::read_to_string(config.data_dir.join(BASE_URL_FILE)).ok()?;
    Some(url.trim().to_owned())
}

fn listener_url(config: &Config) -> String {
    match (config.tls_listen.address(), config.listen.address()) {
        (Some(address), _) => format!("https://{address}"),
        (None, Some(address)) => format!("http://{address}"),
        (None, None) => "https://localhost".to_owned(),
    }
}

/// Leaves a configured public URL for the other processes on a PostgreSQL database.
pub async fn leave_base_url(config: &Config, desk: &Lifecycle) -> anyhow::Result<()> {
    let Some(url) = config.base_url.as_deref().filter(|_| config.is_postgres()) else {
        return Ok(());
    };
    let url = url.trim_end_matches('/');
    let before = desk.leave_public_url(url).await.context("cannot leave the public URL")?;
    if let Some(before) = before {
        tracing::warn!(
            "CERTDECK_BASE_URL is {url}, and another process on this database had {before}: give all of them the same one and restart them"
        );
    }
    Ok(())
}

/// Leaves the public URL of this `serve` for the other commands.
pub fn remember_base_url(config: &Config, url: &str) -> anyhow::Result<()> {
    let file = config.data_dir.join(BASE_URL_FILE);
    std::fs::write(&file, url).with_context(|| format!("cannot write {}", file.display()))
}

/// Makes the data folder, for its owner alone.
pub fn make_data_dir(dir: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .with_context(|| format!("cannot make the data folder {}", dir.display()))
}
