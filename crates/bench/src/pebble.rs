//! Let's Encrypt's test server beside ours, as Debian packages it: keeps everything in memory.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::json;

use crate::http::Target;

/// A Pebble that runs until this is dropped.
#[derive(Debug)]
pub struct Pebble {
    child: Child,
    /// Where it is.
    pub target: Target,
}

impl Drop for Pebble {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Pebble {
    /// Its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Whether `pebble` is installed.
    pub fn is_installed() -> bool {
        let found = Command::new("pebble")
            .arg("-version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        found.is_ok()
    }

    /// Starts it pinned to a core, without its sleeps, its refused nonces and real validation;
    /// authorizations that are valid are always used again, so that names can be pre-validated.
    pub async fn start(folder: &Path, core: u32) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()])?;
        let (certificate, key) = (folder.join("pebble.pem"), folder.join("pebble.key"));
        std::fs::write(&certificate, made.cert.pem())?;
        std::fs::write(&key, made.signing_key.serialize_pem())?;
        let (address, management) = (free_address()?, free_address()?);
        let config = json!({"pebble": {
            "listenAddress": address, "managementListenAddress": management,
            "certificate": certificate, "privateKey": key, "httpPort": 5002, "tlsPort": 5001,
            "ocspResponderURL": "", "externalAccountBindingRequired": false,
        }});
        let file = folder.join("pebble.json");
        std::fs::write(&file, config.to_string())?;
        let child = Command::new("taskset")
            .args(["-c", &core.to_string(), "pebble", "-config"])
            .arg(&file)
            .env("PEBBLE_VA_ALWAYS_VALID", "1")
            .env("PEBBLE_VA_NOSLEEP", "1")
            .env("PEBBLE_WFE_NONCEREJECT", "0")
            .env("PEBBLE_AUTHZREUSE", "100")
            // It writes a line for each request: into nothing, as fast as that goes.
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("pebble does not start")?;
        let pebble = Self { child, target: Target::tls(address, &made.cert.pem())? };
        for _ in 0..200 {
            if tokio::net::TcpStream::connect(address).await.is_ok() {
                return Ok(pebble);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::bail!("pebble does not listen")
    }
}

/// An address that was free just now; Pebble can't choose one itself.
fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
