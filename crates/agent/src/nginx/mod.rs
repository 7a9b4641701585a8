//! Finds the TLS endpoints of an nginx by reading its configuration files, as nginx itself does.
//!
//! The files are read, not `nginx -T` run: that needs a configuration that passes its test, and
//! opens nginx's log files for writing.

mod glob;
mod read;
mod servers;
mod syntax;

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use agent_api::Software;

use crate::command::CommandLine;
use crate::config::NginxConfig;
use crate::discovery::DiscoveryError;
use crate::site::{Recipe, Site};

/// The sites of the nginx that `config` describes. `local` is the address to report for servers
/// that listen on all addresses.
pub(crate) async fn sites(
    config: &NginxConfig,
    local: IpAddr,
) -> Result<Vec<Site>, DiscoveryError> {
    let about = describe(&config.binary).await;
    let config_file = match &config.config_file {
        Some(path) => path.clone(),
        None => about
            .as_ref()
            .ok()
            .and_then(|about| about.config_file.clone())
            .ok_or_else(|| DiscoveryError::NoConfigFile { binary: config.binary.clone() })?,
    };
    let software = about.map_or_else(
        |_| Software { name: "nginx".to_owned(), version: None },
        |about| about.software,
    );
    let directives = read::configuration(&config_file)?;
    let folder = config_file.parent().unwrap_or(Path::new("/"));
    let servers = servers::tls_servers(&directives, folder, local);
    let (test, reload) = commands(config, &config_file);
    Ok(servers
        .into_iter()
        .map(|server| Site {
            alias: server.alias(),
            address: server.address,
            server_name: server.server_name,
            names: server.names,
            software: Some(software.clone()),
            recipe: server.files.map(|files| Recipe {
                files,
                test: Some(test.clone()),
                reload: Some(reload.clone()),
            }),
        })
        .collect())
}

/// The test and reload commands: the configured ones, else nginx's own with the same `-c` and
/// `-p`.
fn commands(config: &NginxConfig, config_file: &Path) -> (CommandLine, CommandLine) {
    let own = |arguments: &[&str]| {
        let mut words: Vec<String> = arguments.iter().map(|&word| word.to_owned()).collect();
        words.extend(["-c".to_owned(), config_file.display().to_string()]);
        if let Some(prefix) = &config.prefix {
            words.extend(["-p".to_owned(), prefix.display().to_string()]);
        }
        CommandLine::program(config.binary.display().to_string(), words)
    };
    (
        config.test_command.clone().unwrap_or_else(|| own(&["-t", "-q"])),
        config.reload_command.clone().unwrap_or_else(|| own(&["-s", "reload"])),
    )
}

/// What `nginx -V` tells.
struct About {
    software: Software,
    config_file: Option<PathBuf>,
}

async fn describe(binary: &Path) -> std::io::Result<About> {
    let output = tokio::process::Command::new(binary)
        .arg("-V")
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true)
        .output()
        .await?;
    Ok(read_about(&String::from_utf8_lossy(&output.stderr)))
}

fn read_about(text: &str) -> About {
    let version = text
        .lines()
        .find_map(|line| line.strip_prefix("nginx version: "))
        .and_then(|rest| rest.split_whitespace().next())
        .unwrap_or("nginx");
    let config_file = text
        .split_whitespace()
        .find_map(|word| word.strip_prefix("--conf-path="))
        .map(PathBuf::from);
    About { software: crate::site::software(version), config_file }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_nginx_says_of_itself() {
        let about = read_about(
            "nginx version: nginx/1.22.1\nbuilt with OpenSSL\nconfigure arguments: \
             --prefix=/usr/share/nginx --conf-path=/etc/nginx/nginx.conf --with-debug\n",
        );
        assert_eq!(about.software.version.as_deref(), Some("1.22.1"));
        assert_eq!(about.config_file.unwrap(), Path::new("/etc/nginx/nginx.conf"));
    }
}
