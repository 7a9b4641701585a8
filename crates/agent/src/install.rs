//! The acts of an installation: check, put in place, test, reload, verify, take back. Each can
//! be done again from its start after a crash in its middle.

use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;

use crate::certificate::{self, Leaf};
use crate::config::Timing;
use crate::failure::{Aftermath, Failure};
use crate::files::Replacement;
use crate::journal::{Entry, Installation};
use crate::key;
use crate::probe::{ProbeError, Served, probe};
use crate::site::Material;

/// What the acts need beside the event's page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    pub timing: Timing,
    /// Where commands' output goes.
    pub command_log: &'a Path,
}

/// The first pause between two looks at a server that was reloaded; it doubles each time.
const FIRST_LOOK: Duration = Duration::from_millis(100);
/// For how long no look may show anything but what is wanted. nginx lets its old processes
/// accept connections for 100 ms and more after the new ones have begun.
const STEADY: Duration = Duration::from_millis(500);
/// The longest pause between two looks.
const SLOWEST_LOOK: Duration = Duration::from_secs(5);

/// Checks that the certificate is the announced one, that it is for the pending key, and that
/// the chain is one.
pub(crate) fn check(entry: &Entry, installation: &Installation) -> Result<(), Failure> {
    let key_pem = std::fs::read_to_string(&entry.pending_key)
        .map_err(|_| Failure::key_lost(&entry.pending_key))?;
    let ours = key::public_key(&key_pem).map_err(|_| Failure::key_lost(&entry.pending_key))?;
    let leaf = Leaf::from_pem(&installation.leaf_pem)
        .map_err(|error| Failure::misfit(&error.to_string()))?;
    certificate::read_chain(&installation.chain_pem)
        .map_err(|error| Failure::misfit(&error.to_string()))?;
    if leaf.serial != installation.serial {
        return Err(Failure::misfit(&format!(
            "its serial is {}, but {} was announced",
            leaf.serial, installation.serial
        )));
    }
    if leaf.public_key != ours {
        return Err(Failure::misfit("it is not for the key that was made for this request"));
    }
    Ok(())
}

/// Replaces the files, has the server test its configuration and read them.
pub(crate) async fn put_in_place(
    entry: &Entry,
    installation: &Installation,
    around: Surroundings<'_>,
) -> Result<(), Failure> {
    let (page, new) = (entry.clone(), installation.clone());
    blocking(move || replace(&page, &new)).await.map_err(|error| Failure::files(&error))?;
    if let Some(test) = &entry.recipe.test {
        test.run(around.timing.command, around.command_log)
            .await
            .map_err(|error| Failure::config_test(&error))?;
    }
    fault!("after_config_test");
    if let Some(reload) = &entry.recipe.reload {
        reload
            .run(around.timing.command, around.command_log)
            .await
            .map_err(|error| Failure::reload(&error))?;
    }
    fault!("after_reload");
    Ok(())
}

fn replace(entry: &Entry, installation: &Installation) -> io::Result<()> {
    let key = std::fs::read_to_string(&entry.pending_key).map_err(at(&entry.pending_key))?;
    let material =
        Material { key: &key, leaf: &installation.leaf_pem, chain: &installation.chain_pem };
    for target in entry.recipe.files.targets(material) {
        Replacement::new(&target.path, entry.event)
            .stage(&target.content, target.secret)
            .map_err(at(&target.path))?;
    }
    fault!("after_staging");
    let replacements = entry.replacements();
    for (path, replacement) in &replacements {
        replacement.back_up().map_err(at(path))?;
    }
    fault!("after_backup");
    for (path, replacement) in &replacements {
        replacement.switch().map_err(at(path))?;
        fault!("after_first_rename");
    }
    fault!("after_rename");
    Ok(())
}

/// Names the file in an error.
fn at(path: &Path) -> impl Fn(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Looks at the endpoint until it serves the new certificate.
pub(crate) async fn verify(
    entry: &Entry,
    installation: &Installation,
    around: Surroundings<'_>,
) -> Result<Served, Failure> {
    let wanted = |seen: &Result<Served, ProbeError>| {
        seen.as_ref().is_ok_and(|served| served.serial == installation.serial)
    };
    let server_name = entry.server_name.as_deref();
    match look_until(entry, around.timing, wanted).await {
        Ok(Ok(served)) => Ok(served),
        Ok(seen) | Err(seen) => Err(Failure::not_served(
            entry.address,
            server_name,
            &installation.serial,
            &seen,
            around.timing.verify,
        )),
    }
}

type Seen = Result<Served, ProbeError>;

/// Looks at the endpoint with growing pauses until every sight has been `wanted` for a while; the
/// last sight as an error where the time was over first. One sight is not enough: while a server
/// reloads, its old and new processes answer by turns.
async fn look_until(
    entry: &Entry,
    timing: Timing,
    wanted: impl Fn(&Seen) -> bool,
) -> Result<Seen, Seen> {
    let end = Instant::now() + timing.verify;
    let mut pause = FIRST_LOOK;
    let mut wanted_since: Option<Instant> = None;
    loop {
        let seen = probe(entry.address, entry.server_name.as_deref(), timing.handshake).await;
        let now = Instant::now();
        if wanted(&seen) {
            if now - *wanted_since.get_or_insert(now) >= STEADY {
                return Ok(seen);
            }
            tokio::time::sleep(FIRST_LOOK).await;
            continue;
        }
        wanted_since = None;
        if now + pause > end {
            return Err(seen);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(SLOWEST_LOOK);
    }
}

/// Puts the old files back, has the server read them, and looks at what comes of it: one that showed
/// a certificate before must show one again.
pub(crate) async fn undo(
    entry: &Entry,
    installation: &Installation,
    around: Surroundings<'_>,
) -> Aftermath {
    let (page, new) = (entry.clone(), installation.clone());
    let restored = blocking(move || restore(&page, &new)).await;
    fault!("after_restore");
    if let Some(reload) = &entry.recipe.reload {
        let outcome = reload.run(around.timing.command, around.command_log).await;
        if let Err(error) = outcome {
            tracing::warn!(event = %entry.event, %error, "reload with the old files failed");
        }
    }
    if let Err(error) = restored {
        tracing::error!(event = %entry.event, %error, "the old files could not be put back");
        return Aftermath::Damaged(error);
    }
    let before = installation.served_before.as_ref();
    let old = |seen: &Seen| match seen {
        Ok(served) => served.serial != installation.serial,
        Err(_) => before.is_none(),
    };
    match look_until(entry, around.timing, old).await {
        Ok(Ok(served)) if Some(&served.serial) == before => Aftermath::AsBefore,
        Ok(Ok(served)) => Aftermath::Restored(served.serial),
        Ok(Err(error)) => Aftermath::StillSilent(error),
        Err(Ok(_)) => Aftermath::StillNew,
        Err(Err(error)) => Aftermath::Silent(error),
    }
}

fn restore(entry: &Entry, installation: &Installation) -> io::Result<()> {
    for (path, replacement) in entry.replacements() {
        let created = installation.created.contains(&path);
        replacement.restore(created).map_err(at(&path))?;
    }
    Ok(())
}

/// Keeps the replaced files under their backup names.
pub(crate) async fn keep_backups(entry: &Entry) -> io::Result<()> {
    let page = entry.clone();
    blocking(move || {
        page.replacements().iter().try_for_each(|(_, replacement)| replacement.keep_backup())
    })
    .await
}

/// Runs file work, which waits for the disk, where it holds up nobody.
pub(crate) async fn blocking<T: Send + 'static>(
    act: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(act).await.map_err(io::Error::other)?
}
