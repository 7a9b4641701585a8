//! One file a command.

use crate::cli::Command;
use crate::config::Config;

/// Carries the command out.
pub async fn run(_command: Command, _config: Config) -> anyhow::Result<()> {
    anyhow::bail!("not assembled yet")
}
