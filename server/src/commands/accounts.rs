//! `certdeck user`, `token`, `org`, `domain`, `settings`.

use std::io::Read as _;

use anyhow::Context as _;
use lifecycle::Clock;
use lifecycle::accounts::NewUser;
use lifecycle::organizations::NewOrganization;

use super::{OPERATOR, named};
use crate::cli::{DomainCommand, OrgCommand, SettingsCommand, TokenCommand, UserCommand};
use crate::config::Config;
use crate::{opening, output};

/// `certdeck user …`
pub async fn user(config: &Config, command: UserCommand) -> anyhow::Result<()> {
    let UserCommand::Add { email, role, name, password_stdin: _ } = command;
    let mut password = String::new();
    std::io::stdin()
        .take(4_096)
        .read_to_string(&mut password)
        .context("cannot read the password from standard input")?;
    let password = password.trim_end_matches(['\r', '\n']).to_owned();
    let name = name.unwrap_or_else(|| email.split('@').next().unwrap_or_default().to_owned());
    let desk = opening::desk(config, Clock::system()).await?;
    let new = NewUser { email: email.clone(), name, role, password: Some(password) };
    desk.add_user(&OPERATOR, new).await?;
    output::line(format_args!("Added {email} as {}.", role.label()))?;
    Ok(())
}

/// `certdeck token …`
pub async fn token(config: &Config, command: TokenCommand) -> anyhow::Result<()> {
    let TokenCommand::Create { user, name } = command;
    let desk = opening::desk(config, Clock::system()).await?;
    let account = desk.user_by_email(&OPERATOR, &user).await;
    let account = named(account, &user, "Account > Users shows who there is")?;
    let (_, key) = desk.create_api_key(&OPERATOR, account.user.id, &name, None).await?;
    output::line(key.reveal())?;
    Ok(())
}

/// `certdeck org …`
pub async fn organization(config: &Config, command: OrgCommand) -> anyhow::Result<()> {
    let OrgCommand::Add { name, country, locality, registration_number, validated } = command;
    let desk = opening::desk(config, Clock::system()).await?;
    let new = NewOrganization { name, country, locality, registration_number, validated };
    let id = desk.add_new_organization(&OPERATOR, &new).await?;
    output::line(format_args!("Added organization {id}: {}.", new.name))?;
    Ok(())
}

/// `certdeck domain …`
pub async fn domain(config: &Config, command: DomainCommand) -> anyhow::Result<()> {
    let DomainCommand::Add { name, org, validated } = command;
    let desk = opening::desk(config, Clock::system()).await?;
    let organization = desk.organization_by_name(&org).await;
    let organization = named(organization, &org, "add it with `certdeck org add`")?;
    let id = desk.add_domain(&OPERATOR, &name, organization.id, validated).await?;
    output::line(format_args!("Added domain {id}: {name}."))?;
    Ok(())
}

/// `certdeck settings …`
pub async fn settings(config: &Config, command: SettingsCommand) -> anyhow::Result<()> {
    let desk = opening::desk(config, Clock::system()).await?;
    match command {
        SettingsCommand::Get { key } => {
            output::line(desk.settings_get(&key).await?)?;
        }
        SettingsCommand::Set { key, value } => {
            desk.settings_set(&OPERATOR, &key, &value).await?;
            output::line(format_args!("{key} = {}", desk.settings_get(&key).await?))?;
        }
    }
    Ok(())
}
