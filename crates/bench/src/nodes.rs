//! Part "postgres": issuance through one node and through two, and pages, on PostgreSQL.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};

use crate::account::Credential;
use crate::acme::{DIRECTORY, Measured, Subject, prepare};
use crate::http::Target;
use crate::measure::{Usage, each, rate};
use crate::portal::{Portal, Running};
use crate::postgres::Cluster;
use crate::quota::Quota;
use crate::targets::{Figure, Findings, Group};
use crate::{Terms, pages};

/// The portal's public name, the same on all nodes.
const HOST: &str = "portal.test";

/// The size of the large database that the targets are for.
const ORDERS: u64 = 300_000;

const NO_GROUP: &str = "No control group can be made: nodes with a part of a core are left out; run as root to have them.";

/// Counts what statements take.
const LIBRARY: &str = "pg_stat_statements";

/// So many nodes, each with a part of a core in percent, or all on one whole core.
#[derive(Debug, Clone, Copy)]
struct Setup {
    nodes: usize,
    share: Option<u32>,
}

/// A node that runs, and then its group, which can be removed when nothing runs in it.
struct Node {
    _running: Running,
    _group: Option<Quota>,
}

/// A database with a portal, and its credential.
struct Site<'a> {
    cluster: &'a Cluster,
    database: &'static str,
    portal: Portal,
    credential: Credential,
    root: String,
}

/// Runs the part.
pub async fn run(
    terms: &Terms,
    rounds: u32,
    clients: &[usize],
    share: u32,
    statements: bool,
) -> anyhow::Result<()> {
    let Some(cluster) = Cluster::start(if statements { LIBRARY } else { "" })? else {
        println!(
            "PostgreSQL is not installed (Debian: apt-get install postgresql); it is left out.\n"
        );
        return Ok(());
    };
    println!("PostgreSQL {}", cluster.version()?);
    let site = Site::new(terms, &cluster, "bench_empty", false)?;
    if statements {
        return site.statements(terms, clients.first().copied().unwrap_or(1)).await;
    }
    let mut findings = Findings::default();
    site.issuances(terms, rounds, clients, share, &mut findings).await?;
    if terms.orders == 0 {
        return findings.conclude(terms, &[Group::Nodes], 0);
    }
    println!();
    let site = Site::new(terms, &cluster, "bench_large", true)?;
    let sql = format!("SELECT pg_database_size('{}') >> 20", site.database);
    println!("the database has {} MiB", cluster.ask(site.database, &sql)?);
    pages::tables(terms, &site.portal, Some(cluster.process()), &mut findings).await?;
    site.issuances(terms, rounds, clients, share, &mut findings).await?;
    findings.conclude(terms, &[Group::Pages, Group::Nodes], ORDERS)
}

impl<'a> Site<'a> {
    /// A new one: empty, or with the demonstration and many orders.
    fn new(
        terms: &Terms,
        cluster: &'a Cluster,
        database: &'static str,
        large: bool,
    ) -> anyhow::Result<Self> {
        let folder = terms.data.join(database);
        // The database is a new one: so must be the master key.
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        let url = cluster.create(database)?;
        let portal = Portal::new(&terms.certdeck, folder, terms.server_core)?
            .with("CERTDECK_DATABASE_URL", &url);
        if large {
            pages::load(terms, &portal)?;
        }
        let credential = Credential::read(&prepare(&portal)?)?;
        let root = portal.run(&["ca", "export-root"])?;
        Ok(Self { cluster, database, portal, credential, root })
    }

    /// Issuances by one node and by two in turns.
    async fn issuances(
        &self,
        terms: &Terms,
        rounds: u32,
        clients: &[usize],
        share: u32,
        findings: &mut Findings,
    ) -> anyhow::Result<()> {
        println!(
            "\n| nodes | CPU for the nodes | clients | orders/s | p50 ms | p95 ms | p99 ms | nodes' CPU ms/order | PostgreSQL CPU ms/order | nodes' core | PostgreSQL core | load core | failed |"
        );
        println!("|{}", "---|".repeat(13));
        let mut setups = vec![Setup { nodes: 1, share: None }, Setup { nodes: 2, share: None }];
        match Quota::new("certdeck-bench", share) {
            Ok(_) => setups.extend([1, 2].map(|nodes| Setup { nodes, share: Some(share) })),
            Err(error) => {
                eprintln!("no control group can be made ({error})");
                findings.leave_out(NO_GROUP);
            }
        }
        for _ in 0..rounds {
            for &clients in clients {
                let mut alone = None;
                for &setup in &setups {
                    let rate = self.orders(terms, setup, clients).await?;
                    match (setup.share, setup.nodes, alone) {
                        (Some(_), 1, _) => alone = Some(rate),
                        (Some(_), _, Some(alone)) => findings.add(Figure::TwoNodes, rate / alone),
                        _ => {}
                    }
                }
            }
        }
        Ok(())
    }

    /// Starts nodes.
    async fn start(&self, setup: Setup) -> anyhow::Result<(Subject, Vec<Node>)> {
        let portal = self.portal.clone().with("CERTDECK_BASE_URL", &format!("https://{HOST}"));
        let (mut nodes, mut targets) = (Vec::new(), Vec::new());
        for number in 0..setup.nodes {
            let running = portal.serve(&[])?;
            let group = match setup.share {
                Some(share) => Some(Quota::new(&format!("certdeck-bench-{number}"), share)?),
                None => None,
            };
            if let Some(group) = &group {
                group.hold(running.process())?;
            }
            targets.push((Target::tls(running.tls, &self.root)?.named(HOST), running.process()));
            nodes.push(Node { _running: running, _group: group });
        }
        let credential = Some(self.credential.clone());
        let subject = Subject::new(self.database, targets, credential, DIRECTORY).await?;
        Ok((subject, nodes))
    }

    /// Issuances in one setup, as a row. Requests take turns on the nodes, so what one has begun
    /// another one goes on with; no request may fail, and all certificates are in the database.
    /// Answers the orders a second.
    async fn orders(&self, terms: &Terms, setup: Setup, clients: usize) -> anyhow::Result<f64> {
        let (subject, _nodes) = self.start(setup).await?;
        let before = self.certificates()?;
        let database = Usage::with_children(self.cluster.process())?;
        let mut measured = subject.orders(terms, clients, false).await?;
        let database = database.until_now()?.0;
        row(setup, clients, &mut measured, database);
        let issued = measured.times.count();
        if let Some(failure) = measured.times.failures.first() {
            bail!("{} orders failed, the first so: {failure}", measured.times.failures.len());
        }
        let kept = self.certificates()? - before;
        ensure!(
            kept == issued,
            "{issued} certificates were issued, and {kept} are in the database"
        );
        Ok(measured.rate())
    }

    /// What PostgreSQL runs for an order, as a table.
    async fn statements(&self, terms: &Terms, clients: usize) -> anyhow::Result<()> {
        let (subject, _nodes) = self.start(Setup { nodes: 1, share: None }).await?;
        self.cluster.ask(self.database, &format!("CREATE EXTENSION {LIBRARY}"))?;
        let before = self.cluster.ask(self.database, "SELECT pg_current_wal_lsn() - '0/0'")?;
        self.cluster.ask(self.database, "SELECT pg_stat_statements_reset()")?;
        let measured = subject.orders(terms, clients, false).await?;
        measured.tell_failure();
        let count = measured.times.count().max(1);
        println!(
            "{count} orders by {clients} clients; each:\n\n| calls | ms | rows | statement |\n|---|---|---|---|"
        );
        let rows = format!(
            "SELECT format('| %s | %s | %s | `%s` |', round(calls / {count}.0, 2), \
             round((total_exec_time / {count})::numeric, 3), round(rows / {count}.0, 2), \
             left(regexp_replace(query, '\\s+', ' ', 'g'), 150)) \
             FROM pg_stat_statements WHERE calls >= {count} / 50.0 ORDER BY total_exec_time DESC"
        );
        println!("{}", self.cluster.ask(self.database, &rows)?);
        let all = format!(
            "SELECT format('%s statements, %s ms, %s bytes of WAL', round(sum(calls) / {count}, 1), \
             round((sum(total_exec_time) / {count})::numeric, 2), \
             round((pg_current_wal_lsn() - '0/0' - {before}) / {count})) FROM pg_stat_statements"
        );
        println!("\nall together: {}", self.cluster.ask(self.database, &all)?);
        Ok(())
    }

    fn certificates(&self) -> anyhow::Result<usize> {
        let count = self.cluster.ask(self.database, "SELECT count(*) FROM certificates")?;
        count.parse().context("no number of certificates")
    }
}

fn row(setup: Setup, clients: usize, measured: &mut Measured, database: Duration) {
    let count = measured.times.count();
    let share = match setup.share {
        None => "one core for all".to_owned(),
        Some(share) => format!("{share} % of a core each"),
    };
    println!(
        "| {} | {share} | {clients} | {:.0} | {} | {:.2} | {:.2} | {:.0} % | {:.0} % | {:.0} % | {} |",
        setup.nodes,
        rate(count, measured.wall),
        measured.times.columns(),
        each(measured.server, count),
        each(database, count),
        measured.core(measured.server),
        measured.core(database),
        measured.core(measured.load),
        measured.times.failures.len(),
    );
}
