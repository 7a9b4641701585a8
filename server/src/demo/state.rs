//! Whose a database is, and whether its filling was broken off: the demonstration never mixes with
//! data of others, and is never half there.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use domain::OrderNumber;
use lifecycle::accounts::{AccountFilter, AccountSort};
use lifecycle::lists::PageOf;
use lifecycle::organizations::{PlaceFilter, PlaceSort};
use lifecycle::{Actor, Lifecycle, LifecycleError};

use super::catalogue::ORDERS;
use super::reset;
use crate::config::Config;

/// There while a database is being filled; it holds which one.
const MARK: &str = "filling";

/// What a database holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// Nothing yet.
    Nothing,
    /// The demonstration.
    Demonstration,
    /// What others put there.
    Others,
}

/// What the database holds.
pub(super) async fn holds(desk: &Lifecycle) -> anyhow::Result<Holds> {
    // People and organizations may go, orders never do. The last one is placed when all others are.
    if let Some(last) = ORDERS.last() {
        match desk.order(&Actor::Operator, OrderNumber(last.number)).await {
            Ok(detail) if detail.record.order.common_name.as_str() == last.common_name => {
                return Ok(Holds::Demonstration);
            }
            Ok(_) | Err(LifecycleError::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let anybody = PageOf::first(AccountSort::default(), 1);
    let anybody = desk.users(&Actor::Operator, AccountFilter::default(), &anybody).await?;
    let any_place = PageOf::first(PlaceSort::Name, 1);
    let any_place =
        desk.organizations(&Actor::Operator, PlaceFilter::default(), &any_place).await?;
    let nothing = anybody.rows.is_empty() && any_place.rows.is_empty();
    Ok(if nothing { Holds::Nothing } else { Holds::Others })
}

fn mark(config: &Config) -> PathBuf {
    config.data_dir.join("demo").join(MARK)
}

/// The database as the mark names it: never with the password of a PostgreSQL user.
fn named(config: &Config) -> String {
    if config.is_postgres() { "postgres".to_owned() } else { config.database_url() }
}

/// A filling begins.
pub(super) fn begin_filling(config: &Config) -> anyhow::Result<()> {
    let file = mark(config);
    std::fs::write(&file, named(config)).with_context(|| format!("cannot write {}", file.display()))
}

/// The filling is done; or what is half there is no demonstration any more.
pub fn end_filling(config: &Config) -> anyhow::Result<()> {
    remove(&mark(config))
}

/// Whether a filling of this database was broken off.
pub(super) fn is_unfinished(config: &Config) -> bool {
    std::fs::read_to_string(mark(config)).is_ok_and(|text| text == named(config))
}

/// Takes away what a filling left that was broken off. To be called before the database is opened.
pub fn clear_unfinished(config: &Config) -> anyhow::Result<()> {
    if !is_unfinished(config) || config.is_postgres() {
        return Ok(());
    }
    tracing::info!("the demonstration was filled by half: it is filled anew");
    reset::clear(config)?;
    end_filling(config)
}

fn remove(file: &Path) -> anyhow::Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", file.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use lifecycle::{Clock, Store, StoreOptions};

    use super::*;

    fn config() -> (tempfile::TempDir, Config) {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::in_folder(folder.path(), None);
        std::fs::create_dir(folder.path().join("demo")).unwrap();
        (folder, config)
    }

    async fn desk(config: &Config) -> Lifecycle {
        let store = Store::open(&config.database_url(), StoreOptions::default()).await.unwrap();
        store.migrate().await.unwrap();
        Lifecycle::new(store, Clock::system())
    }

    #[tokio::test]
    async fn people_or_organizations_are_somebodys_data() {
        let (_folder, config) = config();
        let desk = desk(&config).await;
        assert_eq!(holds(&desk).await.unwrap(), Holds::Nothing);
        desk.add_organization(&Actor::Operator, "Ours", "DE", true).await.unwrap();
        assert_eq!(holds(&desk).await.unwrap(), Holds::Others);
    }

    #[tokio::test]
    async fn what_was_filled_by_half_is_taken_away_and_nothing_else() {
        let (folder, config) = config();
        let first = desk(&config).await;
        begin_filling(&config).unwrap();
        first.add_organization(&Actor::Operator, "Example Corp", "US", true).await.unwrap();
        first.store().close().await;
        let other = Config::in_folder(folder.path(), Some("sqlite:///elsewhere.db"));
        assert!(!is_unfinished(&other), "another database is not the one that was filled");
        clear_unfinished(&config).unwrap();
        assert!(!is_unfinished(&config));
        let again = desk(&config).await;
        assert_eq!(holds(&again).await.unwrap(), Holds::Nothing);
        again.add_organization(&Actor::Operator, "Ours", "DE", true).await.unwrap();
        clear_unfinished(&config).unwrap();
        assert_eq!(holds(&again).await.unwrap(), Holds::Others);
    }
}
