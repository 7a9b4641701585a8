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
use crate::{Terms, pages};

/// The portal's public name, the same on all nodes.
const HOST: &str = "portal.test";

/// So many nodes, each with a part of a core in percent, or all on one whole core.
#[derive(Debug, Clone, Copy)]
struct Setup {
    nodes: usize,
    share: Option<u32>,
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
pub async fn run(terms: &Terms, rounds: u32, clients: &[usize], share: u32) -> anyhow::Result<()> {
    let Some(cluster) = Cluster::start()? else {
        println!(
            "PostgreSQL is not installed (Debian: apt-get install postgresql); it is left out.\n"
        );
        return Ok(());
    };
    println!("PostgreSQL {}", cluster.version()?);
    let site = Site::new(terms, &cluster, "bench_empty")?;
    site.issuances(terms, rounds, clients, share).await?;
    if terms.orders == 0 {
        return Ok(());
    }
    println!();
    let site = Site::new(terms, &cluster, "bench_large")?;
    pages::load(terms, &site.portal)?;
    let size = format!("SELECT pg_database_size('{}') >> 20", site.database);
    println!("the database has {} MiB", cluster.ask(site.database, &size)?);
    pages::tables(terms, &site.portal, Some(cluster.process())).await?;
    site.issuances(terms, rounds, clients, share).await
}

impl<'a> Site<'a> {
    /// A new one, which is the portal's data folder too.
    fn new(terms: &Terms, cluster: &'a Cluster, database: &'static str) -> anyhow::Result<Self> {
        let folder = terms.data.join(database);
        // The database is a new one: so must be the master key.
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        let url = cluster.create(database)?;
        let portal = Portal::new(&terms.certdeck, folder, terms.server_core)?
            .with("CERTDECK_DATABASE_URL", &url);
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
    ) -> anyhow::Result<()> {
        println!(
            "\n| nodes | CPU for the nodes | clients | orders/s | p50 ms | p95 ms | p99 ms | nodes' CPU ms/order | PostgreSQL CPU ms/order | nodes' core | PostgreSQL core | load core | failed |"
        );
        println!("|{}", "---|".repeat(13));
        let mut setups = vec![Setup { nodes: 1, share: None }, Setup { nodes: 2, share: None }];
        match Quota::new("certdeck-bench", share) {
            Ok(_) => setups.extend([1, 2].map(|nodes| Setup { nodes, share: Some(share) })),
            Err(error) => eprintln!(
                "no control group can be made ({error}): nodes with a part of a core are left out; run as root to have them"
            ),
        }
        for _ in 0..rounds {
            for &clients in clients {
                for &setup in &setups {
                    self.orders(terms, setup, clients).await?;
                }
            }
        }
        Ok(())
    }

    /// Issuances in one setup, as a row. Requests take turns on the nodes, so what one has begun
    /// another one goes on with; no request may fail, and all certificates are in the database.
    async fn orders(&self, terms: &Terms, setup: Setup, clients: usize) -> anyhow::Result<()> {
        // Dropped in the opposite order: groups can be removed when nothing runs in them.
        let mut groups = Vec::new();
        let mut running: Vec<Running> = Vec::new();
        let mut nodes = Vec::new();
        let portal = self.portal.clone().with("CERTDECK_BASE_URL", &format!("https://{HOST}"));
        for number in 0..setup.nodes {
            let node = portal.serve(&[])?;
            if let Some(share) = setup.share {
                let group = Quota::new(&format!("certdeck-bench-{number}"), share)?;
                group.hold(node.process())?;
                groups.push(group);
            }
            nodes.push((Target::tls(node.tls, &self.root)?.named(HOST), node.process()));
            running.push(node);
        }
        let credential = Some(self.credential.clone());
        let subject = Subject::new(self.database, nodes, credential, DIRECTORY).await?;
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
