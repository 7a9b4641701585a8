//! One file for each group of commands. They act as the operator, who holds database and keys.

mod accounts;
mod acme;
mod ca;
mod catalogue;
mod orders;
mod upkeep;

use lifecycle::{Actor, LifecycleError};

use crate::cli::Command;
use crate::config::Config;

/// Carries the command out.
pub async fn run(command: Command, config: Config) -> anyhow::Result<()> {
    match command {
        Command::Serve(serve) => {
            let demo_on = serve.demo.unwrap_or(config.demo);
            crate::serve::run(config, demo_on).await
        }
        Command::Worker => crate::serve::worker(config).await,
        Command::Migrate => upkeep::migrate(&config).await,
        Command::Doctor => upkeep::doctor(&config).await,
        Command::Backup { file } => upkeep::backup(&config, &file).await,
        Command::Restore { file } => upkeep::restore(&config, &file).await,
        Command::Seed(seed) => upkeep::seed(&config, &seed).await,
        Command::User(command) => accounts::user(&config, command).await,
        Command::Token(command) => accounts::token(&config, command).await,
        Command::Org(command) => accounts::organization(&config, command).await,
        Command::Domain(command) => accounts::domain(&config, command).await,
        Command::Settings(command) => accounts::settings(&config, command).await,
        Command::Product(command) => catalogue::product(&command),
        Command::AcmeUrl(command) => acme::url(&config, command).await,
        Command::Acme(command) => acme::acme(&config, command).await,
        Command::Order(command) => orders::order(&config, command).await,
        Command::Import(command) => orders::import(&config, command).await,
        Command::Ca(command) => ca::ca(&config, command).await,
        Command::Demo(command) => crate::demo::command(&config, &command).await,
    }
}

/// Who acts at the command line.
const OPERATOR: Actor = Actor::Operator;

/// Names what was looked for in vain, and where such things are found.
fn named<T>(outcome: lifecycle::Result<T>, asked: &str, found: &str) -> anyhow::Result<T> {
    match outcome {
        Err(LifecycleError::NotFound { what }) => {
            Err(anyhow::anyhow!("there is no {what} {asked:?}: {found}"))
        }
        other => Ok(other?),
    }
}

/// `1 order`, `2 orders`.
fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
