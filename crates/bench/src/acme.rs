//! Part "acme": whole issuances a second, on an empty and on a large database, beside Pebble.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use crate::Terms;
use crate::account::Credential;
use crate::detection;
use crate::http::{Connection, Request, Target};
use crate::issuance::{Client, Directory, Wanted};
use crate::measure::{Times, Usage, each, memory, rate};
use crate::pebble::Pebble;
use crate::portal::{Portal, Running};
use crate::targets::{Figure, Findings, Group};

/// Where Certdeck's directory is.
pub const DIRECTORY: &str = "/mpki/api/v1/acme/v2/directory";
const ORGANIZATION: &str = "Bench Ltd";
/// The organization's domain.
pub const DOMAIN: &str = "bench-orders.example";
/// The name of its ACME Directory URL.
pub const URL: &str = "bench";

/// Orders that detection is to find.
const DETECTED: usize = 200;

/// More certificates than these are not asked for in a second of a measurement.
const MOST_EACH_SECOND: u64 = 1_500;

/// The size of the large database that the targets are for.
const ORDERS: u64 = 1_000_000;

/// The numbers of clients that there are targets for.
const FEW: usize = 8;
const MANY: usize = 32;

/// Subjects by their place.
const EMPTY: usize = 0;
const LARGE: usize = 1;
/// With names that it has validated before.
const PEBBLE: usize = 2;

const NO_PEBBLE: &str =
    "Pebble is not installed (Debian: apt-get install pebble); nothing is compared with it.";

/// Another server's fault is not Certdeck's, and takes none of its figures.
const LEFT_OUT: &str = "It is left out from here on.";

/// Names that each client of Pebble uses again and again, so that they are pre-validated.
const REUSED: usize = 20;

/// Goes into names, so that no two measurements share any.
static RUN: AtomicU32 = AtomicU32::new(0);

/// An ACME server under test.
pub struct Subject {
    label: String,
    nodes: Vec<Target>,
    processes: Vec<u32>,
    directory: Directory,
    credential: Option<Credential>,
    /// Whether names are ordered once only; otherwise each client has [`REUSED`] names.
    fresh_names: bool,
}

/// What a measurement showed.
pub struct Measured {
    /// What the clients saw.
    pub times: Times,
    /// How long it took.
    pub wall: Duration,
    /// The server's CPU time, on all nodes.
    pub server: Duration,
    /// The load's.
    pub load: Duration,
}

impl Measured {
    /// A CPU time as a share of one core, in percent.
    pub fn core(&self, cpu: Duration) -> f64 {
        100.0 * cpu.as_secs_f64() / self.wall.as_secs_f64()
    }

    /// Orders a second.
    pub fn rate(&self) -> f64 {
        rate(self.times.count(), self.wall)
    }

    /// What there are targets for, with so many clients on kept connections.
    fn note(&mut self, clients: usize, findings: &mut Findings) {
        match clients {
            FEW => findings.add(Figure::OrderP99, self.times.percentile(0.99)),
            MANY => findings.add(Figure::OrderCpu, each(self.server, self.times.count())),
            _ => {}
        }
    }

    /// Says what went wrong first, where something did.
    pub fn tell_failure(&self) {
        if let Some(first) = self.times.failures.first() {
            eprintln!("first failure: {first}");
        }
    }
}

/// Runs the part.
pub async fn run(
    terms: &Terms,
    rounds: u32,
    clients: &[usize],
    empty_only: bool,
) -> anyhow::Result<()> {
    let (empty, _empty, _) = certdeck(terms, "Certdeck, empty", "acme-empty", 0).await?;
    let mut subjects = vec![empty];
    let mut findings = Findings::default();
    if empty_only {
        return table(terms, rounds, clients, &[false], &subjects, &mut findings).await;
    }
    let large = format!("Certdeck, {} orders", terms.orders);
    let (large, _large, portal) = certdeck(terms, &large, "acme-large", terms.orders).await?;
    let found = detection::run(terms, &portal, &large.issue(DETECTED).await?)?;
    findings.add(Figure::Detection, found);
    subjects.push(large);
    let mut pebbles = Vec::new();
    if Pebble::is_installed() {
        // As it comes it vouches for no domain, so that a new name is validated. One process each:
        // what one has issued slows it down.
        for (label, fresh_names) in
            [("Pebble, names validated before", false), ("Pebble, new names", true)]
        {
            let folder = terms.data.join(format!("pebble-{}", pebbles.len()));
            let pebble = Pebble::start(&folder, terms.server_core).await?;
            let nodes = vec![(pebble.target.clone(), pebble.process())];
            let subject = Subject::new(label, nodes, None, "/dir").await?;
            subjects.push(Subject { fresh_names, ..subject });
            pebbles.push(pebble);
        }
    } else {
        println!("{NO_PEBBLE}\n");
        findings.leave_out(NO_PEBBLE);
    }
    for one in &subjects {
        one.tell_memory("at rest")?;
    }
    nonces(terms, &subjects, &mut findings).await?;
    table(terms, rounds, clients, &[false, true], &subjects, &mut findings).await?;
    println!();
    for one in &subjects {
        let resident = one.tell_memory("at the end")?;
        if one.is_ours() {
            findings.add_memory(Figure::IssuingMemory, resident);
        }
    }
    findings.conclude(terms, &[Group::Acme], ORDERS)
}

/// Issuances by the servers in turns.
async fn table(
    terms: &Terms,
    rounds: u32,
    clients: &[usize],
    connections: &[bool],
    subjects: &[Subject],
    findings: &mut Findings,
) -> anyhow::Result<()> {
    println!(
        "\n| server | clients | connection | orders/s | p50 ms | p95 ms | p99 ms | server CPU ms/order | requests/order | server core | load core | failed |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|");
    let (mut failed, mut silent) = (0, BTreeSet::new());
    for _ in 0..rounds {
        for &reconnect in connections {
            for &clients in clients {
                let mut rates = BTreeMap::new();
                for (at, subject) in subjects.iter().enumerate() {
                    if silent.contains(&at) {
                        continue;
                    }
                    let mut measured = match subject.orders(terms, clients, reconnect).await {
                        Err(error) if !subject.is_ours() => {
                            eprintln!("{}: {error:#}. {LEFT_OUT}", subject.label);
                            silent.insert(at);
                            continue;
                        }
                        measured => measured?,
                    };
                    row(subject, clients, reconnect, &mut measured);
                    let failures = measured.times.failures.len();
                    if failures > 0 && !subject.is_ours() {
                        eprintln!("{}: {failures} failed. {LEFT_OUT}", subject.label);
                        silent.insert(at);
                        continue;
                    }
                    failed += failures;
                    rates.insert(at, measured.rate());
                    if at == EMPTY && !reconnect {
                        measured.note(clients, findings);
                    }
                }
                if clients == MANY {
                    compare(&rates, reconnect, findings);
                }
            }
        }
    }
    ensure!(failed == 0, "{failed} issuances failed: see the rows above");
    Ok(())
}

/// Notes the rates of one round against each other, by the subjects' places.
fn compare(rates: &BTreeMap<usize, f64>, reconnect: bool, findings: &mut Findings) {
    let Some(empty) = rates.get(&EMPTY) else { return };
    if let Some(large) = rates.get(&LARGE) {
        findings.add(Figure::LargeAgainstEmpty, large / empty);
    }
    if let Some(pebble) = rates.get(&PEBBLE) {
        let figure = if reconnect { Figure::AgainstPebbleAnew } else { Figure::AgainstPebble };
        findings.add(figure, empty / pebble);
    }
}

/// A Certdeck whose organization may have certificates under one validated domain.
async fn certdeck(
    terms: &Terms,
    label: &str,
    folder: &str,
    orders: u64,
) -> anyhow::Result<(Subject, Running, Portal)> {
    let folder = terms.data.join(format!("{folder}-{orders}"));
    if orders == 0 && folder.exists() {
        // What runs before have issued would be in it.
        std::fs::remove_dir_all(&folder)?;
    }
    let portal = Portal::new(&terms.certdeck, folder, terms.server_core)?;
    let file = portal.folder().join("credential.json");
    if !file.exists() {
        let made = prepare(&portal)?;
        if orders > 0 {
            portal.run(&["seed", "--orders", &orders.to_string()])?;
        }
        std::fs::write(&file, made)?;
    }
    let root = portal.run(&["ca", "export-root"])?;
    let credential = Credential::read(&std::fs::read_to_string(file)?)?;
    let running = portal.serve(&[])?;
    let nodes = vec![(Target::tls(running.tls, &root)?, running.process())];
    let subject = Subject::new(label, nodes, Some(credential), DIRECTORY).await?;
    Ok((subject, running, portal))
}

/// An organization with a validated domain and an ACME Directory URL; answers the URL's credential
/// as JSON.
pub fn prepare(portal: &Portal) -> anyhow::Result<String> {
    portal.run(&[
        "org",
        "add",
        ORGANIZATION,
        "--country",
        "DE",
        "--locality",
        "Berlin",
        "--validated",
    ])?;
    portal.run(&["domain", "add", DOMAIN, "--org", ORGANIZATION, "--validated"])?;
    // Requests that wait for an approval are no load.
    portal.run(&["settings", "set", "approval_step", "skip"])?;
    portal.run(&[
        "acme-url",
        "create",
        "--name",
        URL,
        "--product",
        "ssl_plus",
        "--organization",
        ORGANIZATION,
        "--json",
    ])
}

impl Subject {
    /// A server by its nodes, with their processes.
    pub async fn new(
        label: &str,
        nodes: Vec<(Target, u32)>,
        credential: Option<Credential>,
        directory: &str,
    ) -> anyhow::Result<Self> {
        let (nodes, processes): (Vec<_>, Vec<_>) = nodes.into_iter().unzip();
        let first = nodes.first().context("a server without nodes")?;
        Ok(Self {
            label: label.to_owned(),
            directory: Directory::read(first, directory).await?,
            fresh_names: credential.is_some(),
            nodes,
            processes,
            credential,
        })
    }

    /// Whether it is a Certdeck.
    const fn is_ours(&self) -> bool {
        self.credential.is_some()
    }

    /// Prints the memory of its processes; answers the most of one, in MiB.
    fn tell_memory(&self, when: &str) -> anyhow::Result<u64> {
        let mut most = 0;
        for process in &self.processes {
            let (resident, anonymous) = memory(*process)?;
            println!("{}: {resident} MiB resident {when} ({anonymous} MiB of its own)", self.label);
            most = most.max(resident);
        }
        Ok(most)
    }

    fn usage(&self) -> anyhow::Result<Vec<Usage>> {
        self.processes.iter().map(|process| Usage::of(*process)).collect()
    }

    /// Issues so many certificates, one after the other; answers their names.
    async fn issue(&self, count: usize) -> anyhow::Result<Vec<String>> {
        let mut client =
            Client::register(&self.nodes, &self.directory, self.credential.as_ref()).await?;
        let run = run_number();
        let mut names = Vec::with_capacity(count);
        for at in 0..count {
            let name = format!("r{run}-{at}.{DOMAIN}");
            client.issue(&Wanted::new(name.clone())?).await?;
            names.push(name);
        }
        Ok(names)
    }

    /// Orders by so many clients at once.
    pub async fn orders(
        &self,
        terms: &Terms,
        clients: usize,
        reconnect: bool,
    ) -> anyhow::Result<Measured> {
        let run = run_number();
        let most = usize::try_from(terms.seconds * MOST_EACH_SECOND)? / clients + 1;
        let mut ready = Vec::new();
        for number in 0..clients {
            // Each begins with another node.
            let mut nodes = self.nodes.clone();
            nodes.rotate_left(number % self.nodes.len());
            let mut client =
                Client::register(&nodes, &self.directory, self.credential.as_ref()).await?;
            let count = if self.fresh_names { most } else { REUSED };
            let names = (0..count).map(|at| format!("r{run}-c{number}-{at}.{DOMAIN}"));
            let wanted = names.map(Wanted::new).collect::<anyhow::Result<Vec<_>>>()?;
            if !self.fresh_names {
                for one in &wanted {
                    client.issue(one).await?;
                }
            }
            client.requests = 0;
            ready.push((client, wanted));
        }
        let (server, own) = (self.usage()?, Usage::of(std::process::id())?);
        let end = Instant::now() + terms.time();
        let works: Vec<_> = ready
            .into_iter()
            .map(|(client, wanted)| tokio::spawn(one_client(client, wanted, most, reconnect, end)))
            .collect();
        let mut times = Times::default();
        for work in works {
            times.join(work.await?);
        }
        let (load, wall) = own.until_now()?;
        let mut used = Duration::ZERO;
        for usage in server {
            used += usage.until_now()?.0;
        }
        Ok(Measured { times, wall, server: used, load })
    }
}

/// For names that no measurement has had before, nor an earlier run of this program.
fn run_number() -> u32 {
    std::process::id().wrapping_mul(1_000).wrapping_add(RUN.fetch_add(1, Ordering::Relaxed))
}

#[expect(clippy::cast_precision_loss, reason = "counts of requests")]
fn row(subject: &Subject, clients: usize, reconnect: bool, measured: &mut Measured) {
    let connection = if reconnect { "new for each order" } else { "kept" };
    let columns = measured.times.columns();
    let count = measured.times.count();
    println!(
        "| {} | {clients} | {connection} | {:.0} | {columns} | {:.2} | {:.1} | {:.0} % | {:.0} % | {} |",
        subject.label,
        measured.rate(),
        each(measured.server, count),
        measured.times.requests as f64 / count.max(1) as f64,
        measured.core(measured.server),
        measured.core(measured.load),
        measured.times.failures.len(),
    );
    measured.tell_failure();
}

async fn one_client(
    mut client: Client,
    wanted: Vec<Wanted>,
    most: usize,
    reconnect: bool,
    end: Instant,
) -> Times {
    let mut times = Times::default();
    for one in wanted.iter().cycle().take(most) {
        let start = Instant::now();
        if start >= end {
            break;
        }
        let outcome = async {
            if reconnect {
                client.reconnect().await?;
            }
            client.issue(one).await
        };
        match outcome.await {
            Ok(()) => times.add(start.elapsed()),
            Err(error) => {
                times.failures.push(format!("{error:#}"));
                break;
            }
        }
    }
    times.requests = client.requests;
    times
}

/// newNonce on kept connections.
async fn nonces(
    terms: &Terms,
    subjects: &[Subject],
    findings: &mut Findings,
) -> anyhow::Result<()> {
    println!(
        "\n| server | newNonce/s at 32 clients | server CPU µs each | server core | load core |"
    );
    println!("|---|---|---|---|---|");
    for subject in subjects {
        let (server, own) = (subject.usage()?, Usage::of(std::process::id())?);
        let end = Instant::now() + terms.time();
        let works: Vec<_> = (0..32)
            .map(|number| {
                let target = subject.nodes[number % subject.nodes.len()].clone();
                let path = subject.directory.new_nonce.clone();
                tokio::spawn(async move {
                    let mut connection = Connection::open(&target).await?;
                    let mut count = 0_usize;
                    while Instant::now() < end {
                        let head = Request { method: "HEAD", path: &path, ..Request::default() };
                        connection.send(head).await?.header("replay-nonce").context("no nonce")?;
                        count += 1;
                    }
                    Ok::<_, anyhow::Error>(count)
                })
            })
            .collect();
        let mut count = 0;
        for work in works {
            count += work.await??;
        }
        let (own_cpu, wall) = own.until_now()?;
        let mut cpu = Duration::ZERO;
        for usage in server {
            cpu += usage.until_now()?.0;
        }
        let busy = |cpu: Duration| 100.0 * cpu.as_secs_f64() / wall.as_secs_f64();
        println!(
            "| {} | {:.0} | {:.1} | {:.0} % | {:.0} % |",
            subject.label,
            rate(count, wall),
            each(cpu, count) * 1e3,
            busy(cpu),
            busy(own_cpu)
        );
        if subject.is_ours() {
            findings.add(Figure::Nonces, rate(count, wall));
        }
    }
    Ok(())
}
