//! A portal as a process of its own, with a database that the test looks into.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use domain::model::{KeyType, Order, OrderStatus, Profile, Role, SignatureHash};
use domain::{Days, OrderNumber, OrganizationId, ProductId, ProfileId, Timestamp};
use lifecycle::accounts::NewUser;
use lifecycle::audit::AuditFilter;
use lifecycle::automation::ProfileForm;
use lifecycle::lists::PageOf;
use lifecycle::{Actor, Clock, Door, Lifecycle, Person};
use store::Tx;
use store::certificates::CertificateRecord;
use store::orders::{OrderFilter, OrderSort};
use store::testing::{TestDatabase, databases};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// How long anything may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_mins(1);
/// The points of an issuance once it was decided.
pub const ISSUE_POINTS: [&str; 3] = ["issue.after_plan", "issue.after_sign", "issue.after_store"];
/// `SIGABRT`, by which a process ends at its fault point.
const ABORTED: i32 = 6;

pub struct Portal {
    pub kind: &'static str,
    /// The test's own view of the database.
    pub desk: Lifecycle,
    pub organization: OrganizationId,
    pub admin: Actor,
    /// Somebody whose requests are always reviewed.
    pub standard: Actor,
    pub url: String,
    folder: tempfile::TempDir,
    database: TestDatabase,
    pub authority_key: KeyType,
    child: Option<Child>,
}

/// Looks again and again until something is there.
pub async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < end, "{what}: still not so");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The test's own work on each database, side by side.
pub async fn on_each(portals: Vec<Portal>, test: impl AsyncFn(Portal)) {
    let mut portals = portals.into_iter();
    match (portals.next(), portals.next()) {
        (Some(one), Some(other)) => {
            tokio::join!(test(one), test(other));
        }
        (Some(one), None) => test(one).await,
        _ => panic!("no database"),
    }
}

/// A client over plain HTTP. The portal ends again and again: no connection is kept.
pub fn client() -> reqwest::Client {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap()
}

/// A CSR for these names, with a key of its own.
pub fn csr(names: &[&str]) -> rcgen::CertificateSigningRequest {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = rcgen::CertificateParams::new(names).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.serialize_request(&rcgen::KeyPair::generate().unwrap()).unwrap()
}

async fn person(desk: &Lifecycle, email: &str, role: Role) -> Actor {
    let new = NewUser { email: email.to_owned(), name: String::new(), role, password: None };
    let id = desk.add_user(&Actor::Operator, new).await.unwrap();
    let user = desk.user(&Actor::Operator, id).await.unwrap().user;
    Actor::Person(Person { user, role, door: Door::Portal, address: None })
}

/// What automation asks for.
pub async fn profile(portal: &Portal, validity_days: Option<Days>) -> ProfileId {
    let profile = Profile {
        id: ProfileId(0),
        name: "Standard SSL".to_owned(),
        product: ProductId::from("ssl_plus"),
        organization: portal.organization,
        coverage_years: None,
        validity_days,
        ends_by: None,
        key_type: KeyType::EcP256,
        signature_hash: SignatureHash::Sha256,
        auto_renew: None,
        is_default: false,
        allow_duplicates: true,
        emails: Vec::new(),
    };
    let form = ProfileForm { profile, version: None, update_scheduled: false };
    portal.desk.save_profile(&Actor::Operator, form).await.unwrap()
}

async fn reserved(tx: &mut Tx) -> BTreeSet<String> {
    let open = tx.open_issuances(Timestamp(i64::MAX), 100).await.unwrap();
    open.into_iter().map(|issuance| issuance.serial.0).collect()
}

/// All orders with their certificates.
async fn files(tx: &mut Tx) -> Vec<(Order, Vec<CertificateRecord>)> {
    let filter = OrderFilter::default();
    let orders = tx.orders_page(&filter, OrderSort::Number, false, None, 1_000).await.unwrap();
    let mut files = Vec::new();
    for row in orders {
        let records = tx.certificate_records_of_order(row.order.number).await.unwrap();
        files.push((row.order, records));
    }
    files
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
        let admin = person(&desk, "ada@example.com", Role::Administrator).await;
        let standard = person(&desk, "sam@example.com", Role::Standard).await;
        Self {
            kind: database.kind,
            desk,
            organization,
            admin,
            standard,
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

    fn spawn(&self, fault: &str) -> Child {
        let address = self.url.strip_prefix("http://").unwrap_or("127.0.0.1:0");
        self.certdeck()
            .arg("serve")
            .env("CERTDECK_LISTEN", address)
            .env("CERTDECK_TLS_LISTEN", "off")
            .env("CERTDECK_FAULT", fault)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Starts it, to end at `point` before it listens.
    pub async fn end_at_start(&mut self, point: &str) {
        self.child = Some(self.spawn(point));
        self.aborted(point).await;
    }

    /// Starts it, to end at `fault`; again at the same address as before.
    pub async fn start(&mut self, fault: &str) {
        let mut child = self.spawn(fault);
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

    /// Runs one statement past all that the desk checks: time passes, for one.
    pub async fn execute(&self, sql: &'static str) {
        self.database.execute(sql).await.unwrap();
    }

    /// On PostgreSQL a start leaves what others reserved in the last two minutes alone: those pass.
    pub async fn let_two_minutes_pass(&self) {
        self.execute("UPDATE issuances SET created_at = created_at - 121 WHERE state = 'reserved'")
            .await;
    }

    /// Whether somebody has still to look for certificates of compromised keys.
    pub async fn has_key_job(&self) -> bool {
        let mut tx = self.database.store.reader().await.unwrap();
        tx.key_job_is_due(Timestamp(i64::MAX)).await.unwrap()
    }

    pub async fn certificates(&self, order: OrderNumber) -> Vec<CertificateRecord> {
        let mut tx = self.database.store.reader().await.unwrap();
        tx.certificate_records_of_order(order).await.unwrap()
    }

    /// How often the audit log has this action.
    pub async fn audited(&self, action: &str) -> usize {
        let filter = AuditFilter { action: Some(action.to_owned()), ..AuditFilter::default() };
        let page = PageOf::first((), 1_000);
        self.desk.audit_page(&Actor::Operator, filter, &page).await.unwrap().rows.len()
    }

    /// The serials that are on record or reserved: these will be on record, and no other ones.
    pub async fn promised(&self) -> BTreeSet<String> {
        let mut tx = self.database.store.reader().await.unwrap();
        let mut all = reserved(&mut tx).await;
        let files = files(&mut tx).await;
        let records = files.into_iter().flat_map(|(_, records)| records);
        all.extend(records.map(|one| one.certificate.serial.0));
        all
    }

    /// All certificates by their serials. Nothing is half done: no serial is only reserved, no order
    /// lacks its certificate but those that wait for a reviewer, and the audit log has each
    /// certificate once.
    pub async fn on_record(&self, case: &str) -> BTreeMap<String, CertificateRecord> {
        let mut tx = self.database.store.reader().await.unwrap();
        assert!(reserved(&mut tx).await.is_empty(), "{case}: left open");
        let mut all = BTreeMap::new();
        for (order, records) in files(&mut tx).await {
            let waits = order.status == OrderStatus::Pending;
            assert_eq!(records.is_empty(), waits, "{case}: order {}", order.number);
            all.extend(records.into_iter().map(|one| (one.certificate.serial.0.clone(), one)));
        }
        drop(tx);
        assert_eq!(self.audited("certificate.issued").await, all.len(), "{case}: audit log");
        all
    }
}
