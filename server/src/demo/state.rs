//! Whose a database is, and whether its filling was broken off: the demonstration never mixes with
//! data of others, and is never half there.

use anyhow::Context as _;
use domain::OrderNumber;
use lifecycle::accounts::{AccountFilter, AccountSort};
use lifecycle::lists::PageOf;
use lifecycle::organizations::{PlaceFilter, PlaceSort};
use lifecycle::{Actor, Clock, Lifecycle};

use super::catalogue::ORDERS;
use super::reset;
use crate::config::Config;
use crate::opening;

/// What a database holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// Nothing yet.
    Nothing,
    /// A part of the demonstration: its filling was broken off.
    Part,
    /// The demonstration.
    Demonstration,
    /// What others put there.
    Others,
}

/// What the database holds.
pub(super) async fn holds(desk: &Lifecycle) -> anyhow::Result<Holds> {
    if desk.is_filling().await? {
        return Ok(Holds::Part);
    }
    // People and organizations may go, orders never do. The last one is placed when all others are.
    if let Some(last) = ORDERS.last() {
        let order = desk.store().reader().await?.order(OrderNumber(last.number)).await?;
        if order.is_some_and(|order| order.common_name.as_str() == last.common_name) {
            return Ok(Holds::Demonstration);
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

/// Opens the database and looks whose it is, before anything is done with it. Where a
/// demonstration is `wanted`, answers whether there is to be one: not beside data of others, which
/// keep real time.
pub async fn open(
    config: &Config,
    clock: Clock,
    wanted: bool,
) -> anyhow::Result<(Lifecycle, bool)> {
    let desk = opening::desk(config, clock.clone()).await?;
    let refusal = match holds(&desk).await? {
        Holds::Part if !wanted => {
            "this database holds a part of the demonstration, whose passwords everybody knows, as its filling was \
             broken off: fill it anew with `serve --demo`, or name an empty database"
        }
        Holds::Part => {
            desk.store().close().await;
            clear_part(config).await?;
            return Ok((opening::desk(config, clock).await?, true));
        }
        Holds::Others if wanted && config.clock.is_some() => {
            "this database has data of its own, and CERTDECK_CLOCK moves the clock of a demonstration only: take it \
             away, or name an empty database"
        }
        Holds::Others if wanted => {
            tracing::warn!("this database has data of its own: no demonstration data was added");
            return Ok((desk, false));
        }
        Holds::Others | Holds::Nothing | Holds::Demonstration => return Ok((desk, wanted)),
    };
    desk.store().close().await;
    anyhow::bail!(refusal)
}

/// Takes away what a filling left that was broken off.
async fn clear_part(config: &Config) -> anyhow::Result<()> {
    anyhow::ensure!(
        !config.is_postgres(),
        "the demonstration is in this database by half, as its filling was broken off: empty the database and start again"
    );
    // It may also be that another process is about to fill it.
    lifecycle::upkeep::check_unused(&config.database_url())
        .await
        .context("the demonstration was filled by half and can't be filled anew")?;
    tracing::info!("the demonstration was filled by half: it is filled anew");
    reset::clear(config)
}

#[cfg(test)]
mod tests {
    use lifecycle::{Store, StoreOptions};

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

    /// What is said where the desk is not opened.
    async fn refusal(config: &Config, wanted: bool) -> String {
        format!("{:#}", open(config, Clock::system(), wanted).await.unwrap_err())
    }

    #[tokio::test]
    async fn people_or_organizations_are_somebodys_data() {
        let (_folder, mut config) = config();
        let desk = desk(&config).await;
        assert_eq!(holds(&desk).await.unwrap(), Holds::Nothing);
        desk.add_organization(&Actor::Operator, "Ours", "DE", true).await.unwrap();
        assert_eq!(holds(&desk).await.unwrap(), Holds::Others);
        let (_, demonstration) = open(&config, Clock::system(), true).await.unwrap();
        assert!(!demonstration, "others' data are served as without --demo");
        config.clock = Some(crate::clock::Moved::By(40));
        let said = refusal(&config, true).await;
        assert!(said.contains("CERTDECK_CLOCK"), "{said}");
    }

    #[tokio::test]
    async fn what_was_filled_by_half_is_taken_away_and_nothing_else() {
        let (folder, config) = config();
        let first = desk(&config).await;
        first.note_filling(true).await.unwrap();
        first.add_organization(&Actor::Operator, "Example Corp", "US", true).await.unwrap();
        let said = refusal(&config, true).await;
        assert!(said.contains("is in use"), "{said}");
        first.store().close().await;
        let said = refusal(&config, false).await;
        assert!(said.contains("a part of the demonstration"), "{said}");
        // The same database under another name.
        let other = format!("sqlite://{}/demo/../certdeck.sqlite", folder.path().display());
        let other = Config::in_folder(folder.path(), Some(&other));
        let (again, demonstration) = open(&other, Clock::system(), true).await.unwrap();
        assert!(demonstration);
        assert_eq!(holds(&again).await.unwrap(), Holds::Nothing);
        again.note_filling(true).await.unwrap();
        again.store().close().await;
        // What is restored over a part is whatever was backed up.
        let ours = Config::in_folder(&folder.path().join("ours"), None);
        opening::make_data_dir(&ours.data_dir).unwrap();
        let whole = desk(&ours).await;
        whole.add_organization(&Actor::Operator, "Ours", "DE", true).await.unwrap();
        let backup = folder.path().join("whole");
        whole.store().backup(&backup).await.unwrap();
        lifecycle::upkeep::restore(&backup, &config.database_url()).await.unwrap();
        let (restored, demonstration) = open(&config, Clock::system(), true).await.unwrap();
        assert!(!demonstration);
        assert_eq!(holds(&restored).await.unwrap(), Holds::Others);
    }
}
