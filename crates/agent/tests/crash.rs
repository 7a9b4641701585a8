//! A kill at every fault point, as by a power cut, then a restart: the event ends as if nothing
//! had happened, with one certificate, and nothing is left behind.

#![cfg(debug_assertions)]
#![expect(clippy::unwrap_used, reason = "a fault in the set-up is the test's failure")]

mod common;

use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use certdeck_agent::faults::POINTS;
use common::nginx::{Nginx, served};
use common::portal::{ACTIVATION, TestPortal};
use common::{file_names, free_address, self_signed};
use domain::model::KeyType;

const NAME: &str = "www.example.test";
const ABORTED: i32 = 6;

struct Host {
    // Stopped before its folder goes: fields are dropped in this order.
    nginx: Nginx,
    dir: tempfile::TempDir,
    address: SocketAddr,
    portal: TestPortal,
}

impl Host {
    async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let address = free_address();
        let tls = dir.path().join("tls");
        std::fs::create_dir(&tls).unwrap();
        self_signed(NAME, &tls.join("full.pem"), &tls.join("key.pem"));
        let site = format!(
            "server {{ listen {address} ssl; server_name {NAME};
                ssl_certificate tls/full.pem; ssl_certificate_key tls/key.pem; }}"
        );
        let nginx = Nginx::start(dir.path(), &site, address).await;
        let host = Self { nginx, dir, address, portal: TestPortal::start().await };
        host.write_configuration();
        host
    }

    fn write_configuration(&self) {
        let folder = self.dir.path().display();
        let text = format!(
            "server = '{}'\nname = 'crashing'\ntoken_file = '{folder}/token'\n\
             state_dir = '{folder}/state'\n[nginx]\nbinary = '{}'\n\
             config_file = '{folder}/nginx.conf'\nprefix = '{folder}'\n",
            self.portal.url(),
            common::nginx::BINARY,
        );
        std::fs::write(self.dir.path().join("agent.toml"), text).unwrap();
        std::fs::write(self.dir.path().join("token"), format!("{ACTIVATION}\n")).unwrap();
    }

    async fn agent(&self, fault: &str) -> ExitStatus {
        tokio::process::Command::new(env!("CARGO_BIN_EXE_certdeck-agent"))
            .args(["run", "--once", "--config"])
            .arg(self.dir.path().join("agent.toml"))
            .env("CERTDECK_FAULT", fault)
            .env("RUST_LOG", "error")
            .kill_on_drop(true)
            .status()
            .await
            .unwrap()
    }

    fn assert_clean(&self, point: &str) {
        let left: Vec<_> = file_names(&self.dir.path().join("tls"))
            .into_iter()
            .filter(|name| name.starts_with('.'))
            .collect();
        assert_eq!(left, Vec::<String>::new(), "{point}");
        let pages = file_names(&self.dir.path().join("state/events"));
        assert_eq!(pages, Vec::<String>::new(), "{point}");
    }
}

fn points(undo: bool) -> impl Iterator<Item = &'static str> {
    let begin = POINTS.iter().position(|point| *point == "before_undo").unwrap();
    let (install, taking_back) = POINTS.split_at(begin);
    (if undo { taking_back } else { install }).iter().copied()
}

#[tokio::test]
async fn an_installation_is_finished_after_a_kill_at_any_point() {
    let host = Host::start().await;
    for point in points(false) {
        let event = host.portal.order(host.address, Some(NAME), NAME, KeyType::EcP256);
        assert_eq!(host.agent(point).await.signal(), Some(ABORTED), "{point} was not reached");
        assert!(host.agent("").await.success(), "{point}");
        let end = host.portal.event(event);
        assert!(end.verified.is_some() && end.failed.is_none(), "{point}: {:?}", end.failed);
        let issued = end.issued.unwrap();
        assert_eq!(served(host.address, NAME).await.serial, issued.serial, "{point}");
        assert!(end.csrs.windows(2).all(|two| two[0] == two[1]), "{point}: one key, one CSR");
        assert!(host.nginx.accepts_its_files(), "{point}: the key fits the certificate");
        host.assert_clean(point);
    }
}

#[tokio::test]
async fn a_failed_installation_is_taken_back_after_a_kill_at_any_point() {
    let host = Host::start().await;
    let before = served(host.address, NAME).await;
    for point in points(true).chain(["after_first_rename", "after_rename"]) {
        let event = host.portal.order(host.address, Some(NAME), NAME, KeyType::EcP256);
        host.nginx.break_configuration();
        assert_eq!(host.agent(point).await.signal(), Some(ABORTED), "{point} was not reached");
        assert!(host.agent("").await.success(), "{point}");
        let failed = host.portal.event(event).failed.unwrap();
        assert!(failed.rolled_back, "{point}: {}", failed.cause);
        assert_eq!(served(host.address, NAME).await.serial, before.serial, "{point}");
        host.nginx.mend_configuration();
        assert!(host.nginx.accepts_its_files(), "{point}: the old key fits the old certificate");
        host.assert_clean(point);
    }
}

#[tokio::test]
async fn a_stop_signal_ends_a_waiting_agent_well() {
    let host = Host::start().await;
    let mut agent = tokio::process::Command::new(env!("CARGO_BIN_EXE_certdeck-agent"))
        .args(["run", "--config"])
        .arg(host.dir.path().join("agent.toml"))
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    host.portal.reports(1).await;
    let pid = agent.id().unwrap().to_string();
    let kill = tokio::process::Command::new("kill").args(["-TERM", &pid]).status();
    assert!(kill.await.unwrap().success());
    let ended = tokio::time::timeout(std::time::Duration::from_secs(20), agent.wait()).await;
    assert!(ended.unwrap().unwrap().success());
}

#[tokio::test]
async fn no_secret_is_logged_or_noted() {
    let host = Host::start().await;
    let event = host.portal.order(host.address, Some(NAME), NAME, KeyType::EcP256);
    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_certdeck-agent"))
        .args(["run", "--once", "--config"])
        .arg(host.dir.path().join("agent.toml"))
        // Kept in the journal with everything that was prepared.
        .env("CERTDECK_FAULT", "after_verify")
        .env("RUST_LOG", "trace")
        .output()
        .await
        .unwrap();
    let logged = String::from_utf8_lossy(&output.stderr);
    assert!(logged.contains("task"), "the log is on");
    let page = host.dir.path().join(format!("state/events/{event}.json"));
    let noted = std::fs::read_to_string(page).unwrap();
    assert!(noted.contains("BEGIN CERTIFICATE"));
    for secret in ["PRIVATE KEY", ACTIVATION, "bearer-"] {
        assert!(!logged.contains(secret), "{secret} is in the log");
        assert!(!noted.contains(secret), "{secret} is in the journal");
    }
}
