//! `certdeck ca …`

use anyhow::Context as _;
use lifecycle::{Clock, MasterKey};

use super::OPERATOR;
use crate::cli::CaCommand;
use crate::config::Config;
use crate::{opening, output};

/// Carries the command out.
pub async fn ca(config: &Config, command: CaCommand) -> anyhow::Result<()> {
    match command {
        CaCommand::ExportRoot => {
            let desk = opening::issuing_desk(config, Clock::system()).await?;
            output::text_as_it_is(desk.root_pem()?)?;
        }
        CaCommand::Import { key, chain } => {
            let read = |file: &std::path::Path| {
                std::fs::read_to_string(file)
                    .with_context(|| format!("cannot read {}", file.display()))
            };
            let (key, chain) = (read(&key)?, read(&chain)?);
            let master = MasterKey::load_or_create(&config.master_key_file())?;
            let desk = opening::desk(config, Clock::system()).await?;
            let id = desk.bring_in_authority(&OPERATOR, &master, &key, &chain).await?;
            output::line(format_args!("The portal issues with {id} from its next start on."))?;
        }
    }
    Ok(())
}
