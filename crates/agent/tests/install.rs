//! The agent against a real nginx: found, reported, installed, verified, and taken back.

#![expect(clippy::unwrap_used, reason = "a fault in the set-up is the test's failure")]

mod common;

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use agent_api::{InstallAbility, Stage, Token};
use certdeck_agent::{AgentConfig, AgentError, CommandLine, EndpointConfig, run, run_once};
use common::nginx::{Nginx, served};
use common::portal::{ACTIVATION, TestPortal};
use common::{LOOPBACK, file_names, free_address, quick, self_signed};
use domain::model::KeyType;

const NAME: &str = "www.example.test";

/// An nginx with one TLS server, and an agent that finds it.
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
            "server {{ listen {address} ssl; server_name {NAME} example.test;
                ssl_certificate tls/full.pem; ssl_certificate_key tls/key.pem; }}"
        );
        let nginx = Nginx::start(dir.path(), &site, address).await;
        Self { nginx, dir, address, portal: TestPortal::start().await }
    }

    fn tls(&self) -> PathBuf {
        self.dir.path().join("tls")
    }

    fn config(&self) -> AgentConfig {
        AgentConfig {
            name: Some("test host".to_owned()),
            nginx: Some(self.nginx.config()),
            timing: quick(),
            ..AgentConfig::new(
                self.portal.url(),
                Token::new(ACTIVATION),
                self.dir.path().join("state"),
            )
        }
    }

    /// Another endpoint with the same files.
    fn endpoint(&self, address: SocketAddr) -> EndpointConfig {
        EndpointConfig::new(
            "other",
            address,
            self.tls().join("full.pem"),
            self.tls().join("key.pem"),
        )
    }

    fn order(&self, key_type: KeyType) -> domain::EventId {
        self.portal.order(self.address, Some(NAME), "www.example.test example.test", key_type)
    }

    /// Nothing of an event is left on the host.
    fn assert_clean(&self) {
        let left: Vec<_> =
            file_names(&self.tls()).into_iter().filter(|name| name.starts_with('.')).collect();
        assert_eq!(left, Vec::<String>::new());
        assert_eq!(file_names(&self.dir.path().join("state/events")), Vec::<String>::new());
    }
}

#[tokio::test]
async fn an_endpoint_that_does_not_answer_keeps_the_agent_from_nothing() {
    let host = Host::start().await;
    let silent = tokio::net::TcpListener::bind((LOOPBACK, 0)).await.unwrap();
    let mut config = host.config();
    config.endpoints = vec![host.endpoint(silent.local_addr().unwrap())];
    config.timing.handshake = Duration::from_hours(1);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let agent = tokio::spawn(run(config, async { stopped.await.unwrap() }));
    let waiting = silent.accept().await.unwrap();
    for _ in 0..3 {
        let done = host.portal.end_of(host.order(KeyType::EcP256)).await;
        assert!(done.verified.is_some(), "{done:?}");
    }
    assert!(host.portal.endpoints().is_empty(), "it is still waited for");
    let again = silent.into_std().unwrap().accept().unwrap_err();
    assert_eq!(again.kind(), std::io::ErrorKind::WouldBlock, "the wait does not begin anew");
    drop(waiting);
    stop.send(()).unwrap();
    agent.await.unwrap().unwrap();
}

#[tokio::test]
async fn what_shows_no_certificate_is_looked_at_again_before_long() {
    let host = Host::start().await;
    let mut config = host.config();
    // Nobody else can have its port, and it does not listen.
    let deaf = tokio::net::TcpSocket::new_v4().unwrap();
    deaf.bind(SocketAddr::from((LOOPBACK, 0))).unwrap();
    config.endpoints = vec![host.endpoint(deaf.local_addr().unwrap())];
    config.timing.missed_again = Duration::from_millis(10);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let agent = tokio::spawn(run(config, async { stopped.await.unwrap() }));
    host.portal.reports(4).await;
    let missed = host.portal.endpoints().iter().filter(|one| one.probe_error.is_some()).count();
    assert_eq!(missed, 1);
    stop.send(()).unwrap();
    agent.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_certificate_goes_from_key_to_handshake() {
    let host = Host::start().await;
    let before = served(host.address, NAME).await;
    let event = host.order(KeyType::EcP384);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let agent = tokio::spawn(run(host.config(), async { stopped.await.unwrap() }));

    let end = host.portal.end_of(event).await;
    assert!(end.installed && end.failed.is_none(), "{:?}", end.failed);
    let issued = end.issued.unwrap();
    let after = served(host.address, NAME).await;
    assert_eq!(after.serial, issued.serial);
    assert_ne!(after.serial, before.serial);
    assert_eq!(end.verified.unwrap(), after.chain_pem);
    assert_eq!(after.chain_pem.matches("BEGIN CERTIFICATE").count(), 2, "the chain is served too");

    // The report that follows the event shows the new certificate.
    host.portal
        .reported(|endpoints| {
            endpoints.iter().any(|one| one.chain_pem.as_deref() == Some(&after.chain_pem))
        })
        .await;
    let [endpoint] = <[_; 1]>::try_from(host.portal.endpoints()).unwrap();
    assert_eq!(endpoint.chain_pem.as_deref(), Some(after.chain_pem.as_str()));
    assert_eq!(endpoint.names, [NAME, "example.test"]);
    assert_eq!(endpoint.install, InstallAbility::Automatic);
    assert_eq!(endpoint.software.unwrap().name, "nginx");

    stop.send(()).unwrap();
    agent.await.unwrap().unwrap();
    host.assert_clean();
    let key = std::fs::metadata(host.tls().join("key.pem")).unwrap().permissions().mode();
    assert_eq!(key & 0o007, 0, "the key is not readable by everybody");
    assert_eq!(
        file_names(&host.tls()),
        ["full.pem", "full.pem.certdeck-old", "key.pem", "key.pem.certdeck-old"]
    );
}

#[tokio::test]
async fn a_failing_configuration_test_brings_the_old_files_back() {
    let host = Host::start().await;
    let before = served(host.address, NAME).await;
    let key = std::fs::read(host.tls().join("key.pem")).unwrap();
    let event = host.order(KeyType::EcP256);
    host.nginx.break_configuration();
    run_once(host.config()).await.unwrap();

    let failed = host.portal.event(event).failed.unwrap();
    assert_eq!(failed.stage, Stage::ConfigTest);
    assert!(failed.rolled_back && failed.may_retry);
    assert!(failed.cause.contains("no_such_directive"), "{}", failed.cause);
    assert!(failed.cause.contains("serves what it served before"), "{}", failed.cause);
    assert!(failed.solution.contains("retry"), "{}", failed.solution);
    assert_eq!(served(host.address, NAME).await.serial, before.serial);
    assert_eq!(std::fs::read(host.tls().join("key.pem")).unwrap(), key);
    host.assert_clean();
    host.nginx.mend_configuration();
    assert!(host.nginx.accepts_its_files());
}

#[tokio::test]
async fn a_reload_that_does_not_take_is_found_by_handshake() {
    let host = Host::start().await;
    let before = served(host.address, NAME).await;
    let event = host.order(KeyType::EcP256);
    let mut config = host.config();
    let nothing = CommandLine::new(vec!["true".to_owned()]);
    config.nginx.as_mut().unwrap().reload_command = nothing;
    run_once(config).await.unwrap();

    let end = host.portal.event(event);
    assert!(end.installed);
    let failed = end.failed.unwrap();
    assert_eq!(failed.stage, Stage::Verify);
    assert!(failed.rolled_back);
    assert!(failed.cause.contains(&before.serial.0), "{}", failed.cause);
    assert!(failed.solution.contains("Verify on the website"), "{}", failed.solution);
    host.assert_clean();
    assert!(host.nginx.accepts_its_files());
}

/// What does not serve is taken back whether or not the portal is there to be told.
#[tokio::test]
async fn a_portal_that_is_away_keeps_nothing_from_being_taken_back() {
    let host = Host::start().await;
    let key = std::fs::read(host.tls().join("key.pem")).unwrap();
    let event = host.order(KeyType::EcP256);
    host.portal.go_away_after_handing_out(event);
    let mut config = host.config();
    config.nginx.as_mut().unwrap().reload_command = CommandLine::new(vec!["true".to_owned()]);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let agent = tokio::spawn(run(config, async { stopped.await.unwrap() }));
    let page = host.dir.path().join(format!("state/events/{event}.json"));
    let taken_back = async {
        while !std::fs::read_to_string(&page).is_ok_and(|page| page.contains("rolled_back")) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), taken_back).await.unwrap();
    assert_eq!(std::fs::read(host.tls().join("key.pem")).unwrap(), key);
    assert!(!host.portal.event(event).installed, "nobody was told yet");

    host.portal.go_away(0);
    let failed = host.portal.end_of(event).await.failed.unwrap();
    assert_eq!((failed.stage, failed.rolled_back), (Stage::Verify, true));
    stop.send(()).unwrap();
    agent.await.unwrap().unwrap();
    host.assert_clean();
}

#[tokio::test]
async fn a_reload_that_fails_brings_the_old_files_back() {
    let host = Host::start().await;
    let event = host.order(KeyType::Rsa2048);
    let mut config = host.config();
    config.nginx.as_mut().unwrap().reload_command = CommandLine::new(vec!["false".to_owned()]);
    run_once(config).await.unwrap();
    let failed = host.portal.event(event).failed.unwrap();
    assert_eq!((failed.stage, failed.rolled_back), (Stage::Reload, true));
    host.assert_clean();
}

/// A command of the shell, which no configuration file can say so.
fn shell(script: &str) -> Option<CommandLine> {
    CommandLine::new(["sh", "-c", script].map(str::to_owned).to_vec())
}

#[tokio::test]
async fn a_server_that_is_down_after_the_undo_is_not_called_as_before() {
    let host = Host::start().await;
    let key = std::fs::read(host.tls().join("key.pem")).unwrap();
    let event = host.order(KeyType::EcP256);
    let mut config = host.config();
    let stop = format!("kill -TERM $(cat {}); exit 1", host.dir.path().join("nginx.pid").display());
    config.nginx.as_mut().unwrap().reload_command = shell(&stop);
    run_once(config.clone()).await.unwrap();
    let failed = host.portal.event(event).failed.unwrap();
    assert_eq!((failed.stage, failed.rolled_back), (Stage::Reload, false));
    assert!(failed.cause.contains("no longer shows a certificate"), "{}", failed.cause);
    assert_eq!(std::fs::read(host.tls().join("key.pem")).unwrap(), key);
    host.assert_clean();

    // What was down before the installation can't be expected to answer after it.
    let event = host.order(KeyType::EcP256);
    run_once(config).await.unwrap();
    let failed = host.portal.event(event).failed.unwrap();
    assert!(failed.rolled_back, "{}", failed.cause);
    assert!(failed.cause.contains("no certificate, as before"), "{}", failed.cause);
}

#[tokio::test]
async fn a_reload_that_fails_in_the_undo_too_is_found_by_handshake() {
    let host = Host::start().await;
    let key = std::fs::read(host.tls().join("key.pem")).unwrap();
    let event = host.order(KeyType::EcP256);
    let mut config = host.config();
    // The first call takes and is called a failure once the new certificate is served; the second,
    // of the undo, does nothing.
    let (dir, address) = (host.dir.path().display(), host.address);
    let script = format!(
        "cd {dir}; test -e called && exit 1; touch called; kill -HUP $(cat nginx.pid)
         print() {{ openssl x509 -noout -fingerprint \"$@\"; }}
         shown() {{ openssl s_client -connect {address} -servername {NAME} </dev/null 2>&1 | print; }}
         until test \"$(shown)\" = \"$(print -in tls/full.pem)\"; do sleep 0.1; done; exit 1"
    );
    config.nginx.as_mut().unwrap().reload_command = shell(&script);
    run_once(config).await.unwrap();
    let end = host.portal.event(event);
    let failed = end.failed.unwrap();
    assert_eq!((failed.stage, failed.rolled_back), (Stage::Reload, false));
    assert!(failed.cause.contains("still serves the new certificate"), "{}", failed.cause);
    assert_eq!(served(host.address, NAME).await.serial, end.issued.unwrap().serial);
    assert_eq!(std::fs::read(host.tls().join("key.pem")).unwrap(), key);
    host.assert_clean();
}

#[tokio::test]
async fn a_lost_key_is_reported_and_nothing_is_touched() {
    let host = Host::start().await;
    let key = std::fs::read(host.tls().join("key.pem")).unwrap();
    let event = host.order(KeyType::EcP256);
    host.portal.issue_without_asking(event);
    run_once(host.config()).await.unwrap();
    let failed = host.portal.event(event).failed.unwrap();
    assert_eq!(std::fs::read(host.tls().join("key.pem")).unwrap(), key);
    assert_eq!((failed.stage, failed.rolled_back), (Stage::Key, true));
    assert!(failed.cause.ends_with("Nothing was changed on the host."), "{}", failed.cause);
    host.assert_clean();
}

#[tokio::test]
async fn an_endpoint_of_the_file_is_managed_and_unknown_ones_are_refused() {
    let host = Host::start().await;
    let tls = host.tls();
    let mut config = host.config();
    config.nginx = None;
    let words = [common::nginx::BINARY.to_owned(), "-s".to_owned(), "reload".to_owned()];
    let reload = words.into_iter().chain(common::nginx::arguments(host.dir.path()));
    config.endpoints = vec![EndpointConfig {
        server_name: Some(NAME.to_owned()),
        reload_command: CommandLine::new(reload.collect()),
        ..EndpointConfig::new("by hand", host.address, tls.join("full.pem"), tls.join("key.pem"))
    }];
    let known = host.order(KeyType::EcP256);
    let look = host.portal.probe(host.address, Some(NAME));
    let unknown = host.portal.order(free_address(), None, NAME, KeyType::EcP256);
    run_once(config).await.unwrap();
    let end = host.portal.event(known);
    assert!(end.failed.is_none(), "{:?}", end.failed);
    assert_eq!(served(host.address, NAME).await.serial, end.issued.unwrap().serial);
    assert!(host.portal.event(look).verified.unwrap().contains("BEGIN CERTIFICATE"));
    let failed = host.portal.event(unknown).failed.unwrap();
    assert!(!failed.may_retry && failed.cause.contains("no longer"), "{}", failed.cause);
}

#[tokio::test]
async fn enrolls_once_over_tls_with_a_private_root_and_lost_answers() {
    let host = Host::start().await;
    let front = tempfile::tempdir().unwrap();
    let (full, key) = (front.path().join("full.pem"), front.path().join("key.pem"));
    host.portal.issue_for_loopback(&full, &key);
    let address = free_address();
    let proxy = format!(
        "server {{ listen {address} ssl; ssl_certificate full.pem; ssl_certificate_key key.pem;
            location / {{ proxy_pass http://{}; }} }}",
        host.portal.address
    );
    let _front = Nginx::start(front.path(), &proxy, address).await;
    let roots = front.path().join("roots.pem");
    std::fs::write(&roots, host.portal.authority_pem()).unwrap();

    let mut config = host.config();
    config.server = format!("https://{address}");
    config.ca_file = Some(roots);
    host.portal.go_away(1);
    run_once(config.clone()).await.unwrap();
    let identity = config.state_dir.join("identity.json");
    assert_eq!(std::fs::metadata(&identity).unwrap().permissions().mode() & 0o777, 0o600);
    let first = std::fs::read(&identity).unwrap();
    assert_eq!(host.portal.endpoints().len(), 1);

    // The portal may move to another port of its host.
    config.server = host.portal.url();
    // The activation token is not needed any more, and a used one enrolls nobody else.
    config.activation_token = None;
    run_once(config.clone()).await.unwrap();
    assert_eq!(std::fs::read(&identity).unwrap(), first);
    config.activation_token = Some(Token::new(ACTIVATION));
    config.state_dir = host.dir.path().join("other");
    assert!(matches!(run_once(config.clone()).await, Err(AgentError::Portal(_))));
    config.activation_token = None;
    config.state_dir = host.dir.path().join("third");
    assert!(matches!(run_once(config).await, Err(AgentError::NoToken)));
}

#[tokio::test]
async fn two_agents_do_not_share_a_state_folder() {
    let host = Host::start().await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let agent = tokio::spawn(run(host.config(), async { stopped.await.unwrap() }));
    host.portal.reports(1).await;
    assert!(matches!(run_once(host.config()).await, Err(AgentError::AlreadyRuns(_))));
    stop.send(()).unwrap();
    agent.await.unwrap().unwrap();
}

#[tokio::test]
async fn what_was_prepared_for_a_canceled_event_is_removed() {
    let host = Host::start().await;
    let event = host.order(KeyType::EcP256);
    host.portal.hold(event);
    run_once(host.config()).await.unwrap();
    let ending = format!("-{event}.key");
    let names = file_names(&host.tls());
    let name = names.iter().find(|name| name.ends_with(&ending)).expect("the key waits");
    let pending = host.tls().join(name);
    assert_eq!(std::fs::metadata(&pending).unwrap().permissions().mode() & 0o777, 0o600);
    let sent = host.portal.event(event).csrs;
    // As if the agent had been killed between writing a key and noting it.
    let stray = host.tls().join(name.replace(&ending, "-4711.key"));
    // Those of another agent, and of one that knew only the event's number.
    let others = [".certdeck-9-01234567-4711.key", ".certdeck-4711.key"];
    let others = others.map(|name| host.tls().join(name));
    for path in others.iter().chain([&stray]) {
        std::fs::write(path, "stray").unwrap();
    }

    run_once(host.config()).await.unwrap();
    assert!(host.portal.event(event).csrs.iter().all(|csr| *csr == sent[0]), "the same CSR again");
    assert!(pending.exists() && !stray.exists());
    for other in others {
        std::fs::remove_file(other).expect("another agent's key is not touched");
    }
    host.portal.cancel(event);
    run_once(host.config()).await.unwrap();
    host.assert_clean();
}

#[tokio::test]
async fn an_unreadable_configuration_does_not_report_endpoints_as_gone() {
    let host = Host::start().await;
    run_once(host.config()).await.unwrap();
    assert_eq!(host.portal.endpoints().len(), 1);
    std::fs::write(host.dir.path().join("sites/half.conf"), "server {").unwrap();
    let event = host.order(KeyType::EcP256);
    run_once(host.config()).await.unwrap();
    assert_eq!(host.portal.endpoints().len(), 1);
    let failed = host.portal.event(event).failed.unwrap();
    assert!(failed.cause.contains("half.conf:1"), "{}", failed.cause);
}

#[tokio::test]
async fn a_later_try_installs_the_same_certificate_with_the_same_key() {
    let host = Host::start().await;
    let event = host.order(KeyType::EcP256);
    host.portal.retry_once(event);
    host.nginx.break_configuration();
    run_once(host.config()).await.unwrap();
    let first = host.portal.event(event);
    assert!(first.failed.is_none() && first.verified.is_none());
    host.nginx.mend_configuration();
    host.portal.release(event);
    run_once(host.config()).await.unwrap();
    let end = host.portal.event(event);
    assert!(end.verified.is_some(), "{:?}", end.failed);
    assert_eq!(end.issued.unwrap().serial, first.issued.unwrap().serial);
    assert!(end.csrs.iter().all(|csr| *csr == end.csrs[0]));
    host.assert_clean();
}

#[tokio::test]
async fn check_prints_what_would_be_managed_and_changes_nothing() {
    let host = Host::start().await;
    let file = host.dir.path().join("agent.toml");
    let folder = host.dir.path().display();
    let binary = common::nginx::BINARY;
    let text = format!("[nginx]\nbinary = '{binary}'\nconfig_file = '{folder}/nginx.conf'\n");
    std::fs::write(&file, text).unwrap();
    let check = tokio::process::Command::new(env!("CARGO_BIN_EXE_certdeck-agent"))
        .args(["check", "--config"])
        .arg(&file)
        .output();
    let output = check.await.unwrap();
    assert!(output.status.success());
    let printed = String::from_utf8(output.stdout).unwrap();
    let serial = served(host.address, NAME).await.serial.0;
    for part in [&host.address.to_string(), NAME, &serial, "tls/key.pem", "-s reload -c"] {
        assert!(printed.contains(part), "{part} in {printed}");
    }
    assert!(!host.dir.path().join("state").exists());
}
