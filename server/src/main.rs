//! `certdeck`: the certificate portal in one binary.

mod api;
mod assets;
mod cli;
mod clock;
mod commands;
mod config;
mod demo;
mod http;
mod listener;
mod metrics;
mod opening;
mod output;
mod patience;
mod serve;
mod telemetry;
mod web;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::Cli;
use crate::config::Config;

/// Pages and statements are many small pieces; the system's allocator takes a fifth of the time.
/// Its version 2 holds less memory than version 3 (docs/BENCHMARKS.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = Config::load(&cli.options).and_then(|config| {
        telemetry::start(config.log_format);
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(commands::run(cli.command, config))
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if output::reader_is_gone(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("certdeck: {}", one_line(&error));
            ExitCode::FAILURE
        }
    }
}

/// The error and its causes in one line, each cause once.
fn one_line(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if line.contains(&cause) {
            continue;
        }
        if !line.is_empty() {
            line.push_str(": ");
        }
        line.push_str(cause.trim_end_matches('.'));
    }
    line.replace('\n', " ")
}
