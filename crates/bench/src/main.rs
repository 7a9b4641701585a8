//! `certdeck-bench`: load on a Certdeck of its own, over loopback, and the figures as a table.
//!
//! The server runs pinned to one core; start this program pinned to another one (`make bench`
//! does). What is measured and how to read it is in `docs/BENCHMARKS.md`.

#![allow(
    clippy::indexing_slicing,
    clippy::float_cmp,
    reason = "a load program ends at its first surprise"
)]

mod account;
mod acme;
mod detection;
mod http;
mod issuance;
mod measure;
mod nodes;
mod pages;
mod pebble;
mod portal;
mod postgres;
mod quota;
mod screens;
mod targets;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};

/// Loads a Certdeck of its own and prints what it does in which time.
#[derive(Debug, Parser)]
#[command(name = "certdeck-bench", version)]
struct Cli {
    #[command(flatten)]
    terms: Terms,
    #[command(subcommand)]
    part: Part,
}

/// What all parts need.
#[derive(Debug, clap::Args)]
struct Terms {
    /// The `certdeck` under test
    #[arg(long, value_name = "FILE", default_value = "target/release/certdeck")]
    certdeck: PathBuf,
    /// Where the databases are; a large one is loaded once and used again
    #[arg(long, value_name = "FOLDER", default_value = "target/bench")]
    data: PathBuf,
    /// Orders in the large database
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    orders: u64,
    /// Seconds of each measurement
    #[arg(long, value_name = "N", default_value_t = 10)]
    seconds: u64,
    /// The core that servers are pinned to
    #[arg(long, value_name = "CPU", default_value_t = 0)]
    server_core: u32,
}

impl Terms {
    fn time(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}

#[derive(Debug, Subcommand)]
enum Part {
    /// Lists and searches of a portal with many orders
    Pages,
    /// Whole ACME issuances, beside Pebble where it is installed
    Acme {
        /// How often the servers take turns
        #[arg(long, value_name = "N", default_value_t = 2)]
        rounds: u32,
        /// Numbers of clients at once
        #[arg(long, value_name = "N,N", value_delimiter = ',', default_values_t = [1, 8, 32])]
        clients: Vec<usize>,
        /// Only the empty Certdeck, on kept connections: for a look with a profiler
        #[arg(long)]
        empty_only: bool,
    },
    /// Issuances by one node and by two, and pages, on PostgreSQL where it is installed
    Postgres {
        /// How often the setups take turns
        #[arg(long, value_name = "N", default_value_t = 2)]
        rounds: u32,
        /// Numbers of clients at once
        #[arg(long, value_name = "N,N", value_delimiter = ',', default_values_t = [8, 32])]
        clients: Vec<usize>,
        /// What each node gets of its core, where they are compared with a part of it
        #[arg(long, value_name = "PERCENT", default_value_t = 20, value_parser = clap::value_parser!(u32).range(10..=50))]
        share: u32,
        /// Only which statements PostgreSQL runs for an order, by the first number of clients
        #[arg(long)]
        statements: bool,
    },
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    // One core is this program's; more threads would only take turns on it.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match cli.part {
            Part::Pages => pages::run(&cli.terms).await,
            Part::Acme { rounds, clients, empty_only } => {
                acme::run(&cli.terms, rounds, &clients, empty_only).await
            }
            Part::Postgres { rounds, clients, share, statements } => {
                nodes::run(&cli.terms, rounds, &clients, share, statements).await
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
