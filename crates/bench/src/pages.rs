//! Part "pages": what people ask lists and searches, on a portal with many orders.

use std::time::{Duration, Instant};

use crate::Terms;
use crate::http::Target;
use crate::measure::{Times, Usage, each, memory, rate};
use crate::portal::Portal;
use crate::screens::{Mix, Session, Sought, lists, searches};
use crate::targets::{Figure, Findings, Group};

const CLIENTS: usize = 8;

/// The size that the targets are for.
const ORDERS: u64 = 1_000_000;

/// What browsers accept.
const BROWSER: &str = "gzip, deflate, br";

/// Runs the part.
pub async fn run(terms: &Terms) -> anyhow::Result<()> {
    let folder = terms.data.join(format!("pages-{}", terms.orders));
    let portal = Portal::new(&terms.certdeck, folder, terms.server_core)?;
    let done = portal.folder().join("loaded");
    if !done.exists() {
        load(terms, &portal)?;
        std::fs::write(done, "")?;
    }
    let mut findings = Findings::default();
    tables(terms, &portal, None, &mut findings).await?;
    findings.conclude(terms, &[Group::Pages], ORDERS)
}

/// Measures on a loaded portal. A database of its own is told apart by the process that it began
/// with.
pub async fn tables(
    terms: &Terms,
    portal: &Portal,
    database: Option<u32>,
    findings: &mut Findings,
) -> anyhow::Result<()> {
    let running = portal.serve(&[])?;
    let (resident, anonymous) = memory(running.process())?;
    findings.add_memory(Figure::RestMemory, resident);
    println!(
        "at rest with {} orders: {resident} MiB resident ({anonymous} MiB of its own)",
        terms.orders
    );
    let session = Session::sign_in(&Target::plain(running.plain)).await?;
    let lists = lists(&session).await?;
    let searches = searches(&session).await?;
    println!(
        "\n| requests | coding | pages/s | p50 ms | p95 ms | p99 ms | server CPU ms/page |{} bytes, mean | bytes, most | load core | failed |",
        if database.is_some() { " PostgreSQL CPU ms/page |" } else { "" }
    );
    println!("|{}", "---|".repeat(if database.is_some() { 12 } else { 11 }));
    let under = Under { server: running.process(), database };
    for mix in &lists {
        let seen = measure(terms, &session, under, mix, "identity").await?;
        seen.note(mix.sought, findings);
        findings.add(Figure::PageBytes, seen.largest);
    }
    for mix in &lists {
        measure(terms, &session, under, mix, BROWSER).await?;
    }
    for mix in &searches {
        let seen = measure(terms, &session, under, mix, "identity").await?;
        seen.note(mix.sought, findings);
    }
    println!("\nThe slowest of all, one client, best of five:\n\n| ms | URL |\n|---|---|");
    for (taken, path) in
        slowest(&session, lists.iter().chain(&searches)).await?.into_iter().take(12)
    {
        println!("| {:.2} | `{path}` |", taken.as_secs_f64() * 1e3);
    }
    let (resident, anonymous) = memory(running.process())?;
    println!("\nafter the load: {resident} MiB resident ({anonymous} MiB of its own)");
    Ok(())
}

/// The processes under test.
#[derive(Debug, Clone, Copy)]
struct Under {
    server: u32,
    /// PostgreSQL's first.
    database: Option<u32>,
}

/// The demonstration's people, profiles and endpoints, and then many orders of its organizations.
pub fn load(terms: &Terms, portal: &Portal) -> anyhow::Result<()> {
    drop(portal.serve(&["--demo"])?);
    portal.run(&["settings", "set", "approval_step", "skip"])?;
    portal.run(&["settings", "set", "duplicates_in_automation", "on"])?;
    let start = Instant::now();
    portal.run(&["seed", "--orders", &terms.orders.to_string()])?;
    println!("loading {} orders took {:.0} s", terms.orders, start.elapsed().as_secs_f64());
    Ok(())
}

/// What a row shows that a target is for.
struct Seen {
    rate: f64,
    p95: f64,
    /// The largest page's bytes.
    largest: f64,
}

impl Seen {
    fn note(&self, sought: Sought, findings: &mut Findings) {
        let (rate, p95) = match sought {
            Sought::List => (Some(Figure::ListRate), Figure::ListP95),
            Sought::Name => (Some(Figure::NameRate), Figure::NameP95),
            Sought::Part => (Some(Figure::PartRate), Figure::PartP95),
            Sought::Wizard => (None, Figure::WizardP95),
            Sought::WizardPart => (None, Figure::WizardPartP95),
        };
        if let Some(rate) = rate {
            findings.add(rate, self.rate);
        }
        findings.add(p95, self.p95);
    }
}

/// One mix by eight clients, as a row.
async fn measure(
    terms: &Terms,
    session: &Session,
    under: Under,
    mix: &Mix,
    coding: &'static str,
) -> anyhow::Result<Seen> {
    let (server, own) = (Usage::of(under.server)?, Usage::of(std::process::id())?);
    let database = under.database.map(Usage::with_children).transpose()?;
    let end = Instant::now() + terms.time();
    let works: Vec<_> = (0..CLIENTS)
        .map(|number| {
            // Each begins elsewhere.
            let skipped = mix.paths.len() * number / CLIENTS;
            let paths: Vec<String> =
                mix.paths.iter().cycle().skip(skipped).take(mix.paths.len()).cloned().collect();
            tokio::spawn(one_client(session.clone(), paths, coding, end))
        })
        .collect();
    let (mut times, mut bytes, mut most) = (Times::default(), 0, 0);
    for work in works {
        let (seen, sum, largest) = work.await?;
        times.join(seen);
        bytes += sum;
        most = most.max(largest);
    }
    let ((cpu, wall), (own_cpu, _)) = (server.until_now()?, own.until_now()?);
    let database = match database {
        Some(usage) => format!(" {:.2} |", each(usage.until_now()?.0, times.count())),
        None => String::new(),
    };
    println!(
        "| {} | {} | {:.0} | {} | {:.2} |{database} {} | {most} | {:.0} % | {} |",
        mix.label,
        if coding == BROWSER { "as browsers" } else { "none" },
        rate(times.count(), wall),
        times.columns(),
        each(cpu, times.count()),
        bytes / times.count().max(1),
        100.0 * own_cpu.as_secs_f64() / wall.as_secs_f64(),
        times.failures.len(),
    );
    if let Some(first) = times.failures.first() {
        eprintln!("first failure: {first}");
    }
    #[expect(clippy::cast_precision_loss, reason = "a page has some thousands")]
    let largest = most as f64;
    Ok(Seen { rate: rate(times.count(), wall), p95: times.percentile(0.95), largest })
}

/// Answers times, and the sum and the largest of the bodies in bytes.
async fn one_client(
    session: Session,
    paths: Vec<String>,
    coding: &str,
    end: Instant,
) -> (Times, usize, usize) {
    let (mut times, mut bytes, mut most) = (Times::default(), 0, 0);
    let outcome = async {
        let mut connection = session.connect().await?;
        for path in paths.iter().cycle() {
            let start = Instant::now();
            if start >= end {
                break;
            }
            let answer = session.get(&mut connection, path, coding).await?;
            times.add(start.elapsed());
            bytes += answer.body.len();
            most = most.max(answer.body.len());
        }
        Ok::<_, anyhow::Error>(())
    };
    if let Err(error) = outcome.await {
        times.failures.push(format!("{error:#}"));
    }
    (times, bytes, most)
}

/// All URLs with their best times, the slowest first.
async fn slowest(
    session: &Session,
    mixes: impl Iterator<Item = &Mix>,
) -> anyhow::Result<Vec<(Duration, String)>> {
    let mut connection = session.connect().await?;
    let mut all = Vec::new();
    for path in mixes.flat_map(|mix| &mix.paths) {
        let mut best = Duration::MAX;
        for _ in 0..5 {
            let start = Instant::now();
            session.get(&mut connection, path, "identity").await?;
            best = best.min(start.elapsed());
        }
        all.push((best, path.clone()));
    }
    all.sort_unstable_by(|one, other| other.cmp(one));
    Ok(all)
}
