//! `certdeck migrate`, `doctor`, `backup`, `restore`, `seed`.

use std::io::IsTerminal as _;
use std::path::Path;

use lifecycle::{Clock, MasterKey, Store, StoreOptions};

use super::{OPERATOR, counted};
use crate::cli::Seed;
use crate::config::Config;
use crate::{opening, output};

/// `certdeck migrate`
pub async fn migrate(config: &Config) -> anyhow::Result<()> {
    opening::store(config).await?.close().await;
    output::line("The schema is up to date.")?;
    Ok(())
}

/// `certdeck backup FILE`
pub async fn backup(config: &Config, file: &Path) -> anyhow::Result<()> {
    // To open one would make it, and an empty backup would look like a good one.
    if let Some(database) = lifecycle::upkeep::missing(&config.database_url()) {
        anyhow::bail!(
            "there is no database {}, so nothing was backed up: name the installation's with CERTDECK_DATA_DIR or \
             CERTDECK_DATABASE_URL",
            database.display()
        );
    }
    let store = Store::open(&config.database_url(), StoreOptions::default()).await?;
    let bytes = store.backup(file).await?;
    store.close().await;
    output::line(format_args!(
        "Wrote {} ({bytes} bytes). It is of use only with the master key: {}",
        file.display(),
        config.master_key_file().display()
    ))?;
    Ok(())
}

/// `certdeck restore FILE`
pub async fn restore(config: &Config, file: &Path) -> anyhow::Result<()> {
    opening::make_data_dir(&config.data_dir)?;
    let restored = lifecycle::upkeep::restore(file, &config.database_url()).await?;
    output::line(format_args!("Restored {}.", restored.database.display()))?;
    if let Some(previous) = restored.previous {
        output::line(format_args!(
            "The database that was there before is kept as {}.",
            previous.display()
        ))?;
    }
    Ok(())
}

/// `certdeck seed`
pub async fn seed(config: &Config, seed: &Seed) -> anyhow::Result<()> {
    let desk = opening::desk(config, Clock::system()).await?;
    let shown = std::io::stderr().is_terminal();
    let loaded = desk
        .seed_orders(&OPERATOR, seed.orders, seed.seed, |count| {
            if shown {
                eprint!("\r{count} orders");
            }
        })
        .await?;
    if shown {
        eprintln!();
    }
    desk.store().close().await;
    output::line(format_args!("Loaded {}.", counted(loaded, "order")))?;
    Ok(())
}

/// What one check found.
struct Check {
    what: &'static str,
    outcome: Result<String, String>,
}

/// `certdeck doctor`: every check, whatever the others say.
pub async fn doctor(config: &Config) -> anyhow::Result<()> {
    let mut checks =
        vec![configuration(config), data_folder(config), disk(config), master_key(config)];
    match Store::open(&config.database_url(), StoreOptions::default()).await {
        Ok(store) => {
            checks.push(Check { what: "database", outcome: Ok("can be reached".to_owned()) });
            let current = store.schema_is_current().await.unwrap_or(false);
            let schema = if current {
                Ok("is this program's".to_owned())
            } else {
                Err("run `certdeck migrate`".to_owned())
            };
            checks.push(Check { what: "schema", outcome: schema });
            if current {
                checks.push(authority(config, &store).await);
            }
            store.close().await;
        }
        Err(error) => checks.push(Check {
            what: "database",
            outcome: Err(format!("{:#}; check CERTDECK_DATABASE_URL", anyhow::Error::from(error))),
        }),
    }
    checks.push(clock());
    let faults = checks.iter().filter(|check| check.outcome.is_err()).count();
    let faults = u64::try_from(faults).unwrap_or(u64::MAX);
    for check in checks {
        match check.outcome {
            Ok(words) => output::line(format_args!("ok      {:<13} {words}", check.what))?,
            Err(words) => output::line(format_args!("MEND    {:<13} {words}", check.what))?,
        }
    }
    anyhow::ensure!(faults == 0, "{} failed; each says what to mend", counted(faults, "check"));
    Ok(())
}

/// That every value reads was seen when it was loaded: no command runs without that.
fn configuration(config: &Config) -> Check {
    let outcome = match crate::serve::check_listeners(config) {
        Ok(()) => Ok("can be used".to_owned()),
        Err(error) => Err(error.to_string()),
    };
    Check { what: "configuration", outcome }
}

fn data_folder(config: &Config) -> Check {
    let dir = &config.data_dir;
    let probe = dir.join(".doctor");
    let outcome = match std::fs::write(&probe, b"ok").and_then(|()| std::fs::remove_file(&probe)) {
        Ok(()) => Ok(format!("{} can be written", dir.display())),
        Err(error) => Err(format!(
            "{} can't be written ({error}): make it, or give another with CERTDECK_DATA_DIR",
            dir.display()
        )),
    };
    Check { what: "data folder", outcome }
}

/// Less than this is soon full of log and backups, in bytes.
const LITTLE_SPACE: u64 = 500_000_000;

fn disk(config: &Config) -> Check {
    let outcome = match rustix::fs::statvfs(&config.data_dir) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let words = format!("{} MB are free", free / 1_000_000);
            if free < LITTLE_SPACE {
                Err(format!("{words}: make room where the data folder is"))
            } else {
                Ok(words)
            }
        }
        Err(error) => Err(format!("its free space can't be read: {error}")),
    };
    Check { what: "disk", outcome }
}

fn master_key(config: &Config) -> Check {
    let file = config.master_key_file();
    let outcome = match MasterKey::load(&file) {
        Ok(_) => Ok(format!("{} can be read", file.display())),
        Err(_) if !file.exists() => Ok("will be made at the first start".to_owned()),
        Err(error) => Err(format!("{}: {error}", file.display())),
    };
    Check { what: "master key", outcome }
}

async fn authority(config: &Config, store: &Store) -> Check {
    let what = "authority";
    // Looking must not make one: the first start does, with the options that it is given.
    let known = async { store.reader().await?.active_authorities().await };
    let file = config.master_key_file();
    match known.await {
        Ok(rows) if rows.is_empty() => {
            return Check { what, outcome: Ok("will be made at the first start".to_owned()) };
        }
        Ok(_) if !file.exists() => {
            let words = format!(
                "its keys are encrypted under the master key, and {} is not there: put it back",
                file.display()
            );
            return Check { what, outcome: Err(words) };
        }
        _ => {}
    }
    let opened = opening::issuing_desk(config, Clock::system()).await;
    let outcome = match opened.as_ref().map(|desk| desk.issuer()) {
        Ok(Ok(issuer)) => {
            let left = issuer.not_after().days_left(Clock::system().now());
            if left > 365 {
                Ok(format!("can sign for {left} more days"))
            } else {
                Err(format!("expires in {left} days: bring in another with `certdeck ca import`"))
            }
        }
        Ok(Err(error)) => Err(error.to_string()),
        Err(error) => Err(format!("{error:#}")),
    };
    Check { what, outcome }
}

fn clock() -> Check {
    // Before this program was written the clock is surely wrong.
    let sane = Clock::system().now() > domain::Timestamp(1_760_000_000);
    let now = Clock::system().now();
    Check {
        what: "clock",
        outcome: if sane {
            Ok(format!("shows {now}"))
        } else {
            Err(format!("shows {now}: set it, by NTP for one"))
        },
    }
}
