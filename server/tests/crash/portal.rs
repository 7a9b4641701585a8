//! A portal as a process of its own, with a database that the test looks into.

use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use std::time::Duration;

use domain::model::{KeyType, Role};
use domain::{OrderNumber, OrganizationId, Timestamp};
use lifecycle::accounts::NewUser;
use lifecycle::{Actor, Clock, Door, Lifecycle, Person};
use store::certificates::CertificateRecord;
use store::orders::{OrderFilter, OrderSort};
use store::testing::{TestDatabase, databases};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// How long anything may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_mins(1);
/// The points of an issuance.
pub const ISSUE_POINTS: [&str; 3] = ["issue.after_plan", "issue.after_sign", "issue.after_store"];
/// `SIGABRT`, by which a process ends at its fault point.
const ABORTED: i32 = 6;

pub struct Portal {
    pub kind: &'static str,
    /// The test's own view of the database.
    pub desk: Lifecycle,
    pub organization: OrganizationId,
    pub admin: Actor,
    pub url: String,
    folder: tempfile::TempDir,
    database: TestDatabase,
    pub authority_key: KeyType,
    child: Option<Child>,
}

/// A process of the project without the test's own settings.
pub fn process(program: &std::path::Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CERTDECK_")) {
        command.env_remove(name);
    }
    command.env("RUST_LOG", "error").stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// As `kill -9`.
pub async fn kill(child: &mut Option<Child>) {
    if let Some(mut child) = child.take() {
        child.start_kill().unwrap();
        child.wait().await.unwrap();
    }
}

/// Waits until the process ended at its fault point.
pub async fn aborted(child: &mut Option<Child>, point: &str) {
    let mut child = child.take().unwrap();
    let ended = tokio::time::timeout(PATIENCE, child.wait()).await;
    let status = ended.unwrap_or_else(|_| panic!("{point} was not reached")).unwrap();
    assert_eq!(status.signal(), Some(ABORTED), "{point} was not reached");
}

impl Portal {
    /// One on each database, with an organization that may have certificates, and not running.
    pub async fn all() -> Vec<Self> {
        let mut portals = Vec::new();
        for database in databases().await {
            portals.push(Self::new(database).await);
        }
        portals
    }

    /// The same with authorities whose signatures stand between two transactions.
    pub async fn all_signing_slowly() -> Vec<Self> {
        let mut portals = Self::all().await;
        for portal in &mut portals {
            portal.authority_key = KeyType::Rsa2048;
        }
        portals
    }

    async fn new(database: TestDatabase) -> Self {
        let desk = Lifecycle::new(database.store.clone(), Clock::system());
        let by = &Actor::Operator;
        desk.settings_set(by, "approval_step", "skip").await.unwrap();
        let organization = desk.add_organization(by, "Example Corp", "US", true).await.unwrap();
        desk.set_organization_details(by, organization, "Lehi", "123").await.unwrap();
        desk.add_domain(by, "example.com", organization, true).await.unwrap();
        let new = NewUser {
            email: "ada@example.com".into(),
            name: String::new(),
            role: Role::Administrator,
            password: None,
        };
        let id = desk.add_user(by, new).await.unwrap();
        let user = desk.user(by, id).await.unwrap().user;
        let person = Person { user, role: Role::Administrator, door: Door::Portal, address: None };
        Self {
            kind: database.kind,
            desk,
            organization,
            admin: Actor::Person(person),
            url: String::new(),
            folder: tempfile::tempdir().unwrap(),
            database,
            authority_key: KeyType::EcP256,
            child: None,
        }
    }

    fn certdeck(&self) -> Command {
        let mut command = process(env!("CARGO_BIN_EXE_certdeck").as_ref());
        command
            .env("CERTDECK_DATA_DIR", self.folder.path())
            .env("CERTDECK_DATABASE_URL", &self.database.url)
            .env("CERTDECK_AUTHORITY_KEY", self.authority_key.as_str());
        command
    }

    /// Starts it, to end at `fault`; again at the same address as before.
    pub async fn start(&mut self, fault: &str) {
        let address = self.url.strip_prefix("http://").unwrap_or("127.0.0.1:0");
        let mut child = self
            .certdeck()
            .arg("serve")
            .env("CERTDECK_LISTEN", address)
            .env("CERTDECK_TLS_LISTEN", "off")
            .env("CERTDECK_FAULT", fault)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = tokio::time::timeout(PATIENCE, lines.next_line()).await;
        let line = first.unwrap().unwrap().unwrap_or_else(|| panic!("the portal did not start"));
        line.strip_prefix("listening on ").unwrap().clone_into(&mut self.url);
        // What it prints besides must not fill its pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        self.child = Some(child);
    }

    pub async fn command(&self, words: &[&str]) -> String {
        let output = self.certdeck().args(words).output().await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    pub async fn kill(&mut self) {
        kill(&mut self.child).await;
    }

    pub async fn aborted(&mut self, point: &str) {
        aborted(&mut self.child, point).await;
    }

    /// On PostgreSQL a start leaves what others reserved in the last two minutes alone: those pass.
    pub async fn let_two_minutes_pass(&self) {
        self.database
            .execute("UPDATE issuances SET created_at = created_at - 121 WHERE state = 'reserved'")
            .await
            .unwrap();
    }

    pub async fn certificates(&self, order: OrderNumber) -> Vec<CertificateRecord> {
        let mut tx = self.database.store.reader().await.unwrap();
        tx.certificate_records_of_order(order).await.unwrap()
    }

    /// The certificate of the newest order.
    pub async fn newest_pem(&self) -> String {
        let mut tx = self.database.store.reader().await.unwrap();
        let filter = OrderFilter::default();
        let orders = tx.orders_page(&filter, OrderSort::Number, true, None, 1).await.unwrap();
        let records = tx.certificate_records_of_order(orders[0].order.number).await.unwrap();
        records[0].pem.clone().unwrap()
    }

    /// Of all orders there are `count`, each with one certificate, and nothing is half done.
    pub async fn assert_one_certificate_each(&self, count: usize, case: &str) {
        let mut tx = self.database.store.reader().await.unwrap();
        let open = tx.open_issuances(Timestamp(i64::MAX), 100).await.unwrap();
        assert!(open.is_empty(), "{case}: left open");
        let filter = OrderFilter::default();
        let orders = tx.orders_page(&filter, OrderSort::Number, false, None, 1000).await.unwrap();
        assert_eq!(orders.len(), count, "{case}: orders lost or doubled");
        for row in orders {
            let certificates = tx.certificates_of_order(row.order.number).await.unwrap();
            assert_eq!(certificates.len(), 1, "{case}: certificates of {}", row.order.number);
        }
    }
}
