//! A host with a real nginx, many servers on it, and the agent as a process of its own.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use rcgen::{CertificateParams, KeyPair};
use tokio::process::Child;

use crate::nginx::{BINARY, Nginx};
use crate::portal::{Portal, aborted, kill, process};

pub struct Host {
    // Stopped before its folder goes: fields are dropped in this order.
    pub nginx: Nginx,
    child: Option<Child>,
    folder: tempfile::TempDir,
    /// A server for each case: its name and where it listens.
    pub servers: Vec<(String, SocketAddr)>,
}

fn program() -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_certdeck")).with_file_name("certdeck-agent");
    assert!(path.exists(), "build the agent first: cargo build -p certdeck-agent");
    path
}

fn self_signed(name: &str, certificate: &Path, key: &Path) {
    let pair = KeyPair::generate().unwrap();
    let made = CertificateParams::new([name.to_owned()]).unwrap().self_signed(&pair).unwrap();
    std::fs::write(certificate, made.pem()).unwrap();
    std::fs::write(key, pair.serialize_pem()).unwrap();
}

impl Host {
    /// Starts nginx with `count` servers, each with a certificate of its own making.
    pub async fn start(count: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tls = folder.path().join("tls");
        std::fs::create_dir(&tls).unwrap();
        // Bound all at once, so that no two are the same.
        let ports: Vec<TcpListener> =
            (0..count).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap()).collect();
        let mut servers = Vec::new();
        let mut sites = String::new();
        for (number, port) in ports.iter().enumerate() {
            let (name, address) =
                (format!("case-{number}.example.com"), port.local_addr().unwrap());
            self_signed(&name, &tls.join(format!("{name}.pem")), &tls.join(format!("{name}.key")));
            write!(
                sites,
                "server {{ listen {address} ssl; server_name {name};
                    ssl_certificate tls/{name}.pem; ssl_certificate_key tls/{name}.key; }}\n"
            )
            .unwrap();
            servers.push((name, address));
        }
        drop(ports);
        let nginx = Nginx::start(folder.path(), &sites, servers[0].1).await;
        Self { nginx, child: None, folder, servers }
    }

    /// What the agent is told about the portal and the host.
    pub fn configure(&self, portal: &Portal, activation: &str) {
        let (here, url) = (self.folder.path().display(), &portal.url);
        let text = format!(
            "server = '{url}'\nname = 'host'\ntoken_file = '{here}/token'\nstate_dir = '{here}/state'\n\
             [nginx]\nbinary = '{BINARY}'\nconfig_file = '{here}/nginx.conf'\nprefix = '{here}'\n"
        );
        std::fs::write(self.folder.path().join("agent.toml"), text).unwrap();
        std::fs::write(self.folder.path().join("token"), format!("{activation}\n")).unwrap();
    }

    /// Starts the agent, to end at `fault`.
    pub fn start_agent(&mut self, fault: &str) {
        let mut command = process(&program());
        command.args(["run", "--config"]).arg(self.folder.path().join("agent.toml"));
        self.child = Some(command.env("CERTDECK_FAULT", fault).spawn().unwrap());
    }

    pub async fn kill_agent(&mut self) {
        kill(&mut self.child).await;
    }

    pub async fn agent_aborted(&mut self, point: &str) {
        aborted(&mut self.child, point).await;
    }
}
