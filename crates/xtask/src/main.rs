//! Tasks of the repository that are more than a line of shell: `cargo run -p xtask -- site`.

mod site;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(about = "Tasks of the repository")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Build the browser's part into target/site: WASM, scripts, styles, hashed and compressed
    Site {
        /// Fail where WASM or styles are larger than the project allows itself
        #[arg(long)]
        check_budget: bool,
        /// Only the styles; scripts and WASM stay as the last build left them
        #[arg(long)]
        styles: bool,
    },
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().task {
        Task::Site { check_budget, styles } => site::build(check_budget, styles),
    }
}
