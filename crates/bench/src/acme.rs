//! Part "acme": whole issuances a second, on an empty and on a large database, beside Pebble.

use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::Terms;
use crate::account::Credential;
use crate::http::{Connection, Request, Target};
use crate::issuance::{Client, Directory, Wanted};
use crate::measure::{Times, Usage, each, memory, rate};
use crate::pebble::Pebble;
use crate::portal::{Portal, Running};

const DIRECTORY: &str = "/mpki/api/v1/acme/v2/directory";
const ORGANIZATION: &str = "Bench Ltd";
const DOMAIN: &str = "bench-orders.example";

/// More certificates than these are not asked for in a second of a measurement.
const MOST_EACH_SECOND: u64 = 1_500;

/// Names that each client of Pebble uses again and again, so that they are pre-validated.
const REUSED: usize = 20;

/// An ACME server under test.
struct Subject {
    label: String,
    target: Target,
    directory: Directory,
    credential: Option<Credential>,
    process: u32,
    /// Whether names are ordered once only; otherwise each client has [`REUSED`] names.
    fresh_names: bool,
    /// Goes into names, so that no two measurements share any.
    run: u32,
}

/// Runs the part.
pub async fn run(
    terms: &Terms,
    rounds: u32,
    clients: &[usize],
    empty_only: bool,
) -> anyhow::Result<()> {
    let (empty, _empty) = certdeck(terms, "Certdeck, empty", "acme-empty", 0).await?;
    let mut subjects = vec![empty];
    if empty_only {
        return table(terms, rounds, clients, &[false], &mut subjects).await;
    }
    let large = format!("Certdeck, {} orders", terms.orders);
    let (large, _large) = certdeck(terms, &large, "acme-large", terms.orders).await?;
    subjects.push(large);
    let pebble = if Pebble::is_installed() {
        Some(Pebble::start(&terms.data.join("pebble"), terms.server_core).await?)
    } else {
        println!("Pebble is not installed (Debian: apt-get install pebble); it is left out.\n");
        None
    };
    if let Some(pebble) = &pebble {
        let (target, process) = (pebble.target.clone(), pebble.process());
        subjects
            .push(subject("Pebble, names validated before", target, process, None, "/dir").await?);
    }
    for one in &subjects {
        let (resident, anonymous) = memory(one.process)?;
        println!("{}: {resident} MiB resident at rest ({anonymous} MiB of its own)", one.label);
    }
    nonces(terms, &subjects).await?;
    table(terms, rounds, clients, &[false, true], &mut subjects).await?;
    println!();
    for one in &subjects {
        let (resident, anonymous) = memory(one.process)?;
        println!("{}: {resident} MiB resident at the end ({anonymous} MiB of its own)", one.label);
    }
    Ok(())
}

/// Issuances by the servers in turns.
async fn table(
    terms: &Terms,
    rounds: u32,
    clients: &[usize],
    connections: &[bool],
    subjects: &mut [Subject],
) -> anyhow::Result<()> {
    println!(
        "\n| server | clients | connection | orders/s | p50 ms | p95 ms | p99 ms | server CPU ms/order | requests/order | server core | load core | failed |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|");
    for _ in 0..rounds {
        for &reconnect in connections {
            for &clients in clients {
                for subject in subjects.iter_mut() {
                    orders(terms, subject, clients, reconnect).await?;
                }
            }
        }
    }
    Ok(())
}

/// A Certdeck whose organization may have certificates under one validated domain.
async fn certdeck(
    terms: &Terms,
    label: &str,
    folder: &str,
    orders: u64,
) -> anyhow::Result<(Subject, Running)> {
    let folder = terms.data.join(format!("{folder}-{orders}"));
    let portal = Portal::new(&terms.certdeck, folder, terms.server_core)?;
    if !portal.folder().join("credential.json").exists() {
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
        let url = [
            "acme-url",
            "create",
            "--name",
            "bench",
            "--product",
            "ssl_plus",
            "--organization",
            ORGANIZATION,
            "--json",
        ];
        let made = portal.run(&url)?;
        if orders > 0 {
            portal.run(&["seed", "--orders", &orders.to_string()])?;
        }
        std::fs::write(portal.folder().join("credential.json"), made)?;
    }
    let root = portal.run(&["ca", "export-root"])?;
    let made = std::fs::read_to_string(portal.folder().join("credential.json"))?;
    let made: serde_json::Value = serde_json::from_str(&made)?;
    let text = |name: &str| made[name].as_str().map(str::to_owned).context("no credential");
    let credential = Credential { kid: text("eab_kid")?, hmac_key: text("eab_hmac_key")? };
    let running = portal.serve(&[])?;
    let target = Target::tls(running.tls, &root)?;
    let subject = subject(label, target, running.process(), Some(credential), DIRECTORY).await?;
    Ok((subject, running))
}

async fn subject(
    label: &str,
    target: Target,
    process: u32,
    credential: Option<Credential>,
    directory: &str,
) -> anyhow::Result<Subject> {
    Ok(Subject {
        label: label.to_owned(),
        directory: Directory::read(&target, directory).await?,
        fresh_names: credential.is_some(),
        // No name of an earlier run of this program.
        run: std::process::id().wrapping_mul(1_000),
        target,
        credential,
        process,
    })
}

/// Orders by so many clients at once, as a row.
async fn orders(
    terms: &Terms,
    subject: &mut Subject,
    clients: usize,
    reconnect: bool,
) -> anyhow::Result<()> {
    subject.run = subject.run.wrapping_add(1);
    let most = usize::try_from(terms.seconds * MOST_EACH_SECOND)? / clients + 1;
    let mut ready = Vec::new();
    for number in 0..clients {
        let mut client =
            Client::register(&subject.target, &subject.directory, subject.credential.as_ref())
                .await?;
        let count = if subject.fresh_names { most } else { REUSED };
        let names = (0..count).map(|at| format!("r{}-c{number}-{at}.{DOMAIN}", subject.run));
        let wanted = names.map(Wanted::new).collect::<anyhow::Result<Vec<_>>>()?;
        if !subject.fresh_names {
            for one in &wanted {
                client.issue(one).await?;
            }
        }
        client.requests = 0;
        ready.push((client, wanted));
    }
    let (server, own) = (Usage::of(subject.process)?, Usage::of(std::process::id())?);
    let end = Instant::now() + terms.time();
    let works: Vec<_> = ready
        .into_iter()
        .map(|(client, wanted)| tokio::spawn(one_client(client, wanted, most, reconnect, end)))
        .collect();
    let mut times = Times::default();
    for work in works {
        times.join(work.await?);
    }
    let (cpu, wall) = server.until_now()?;
    let (own_cpu, _) = own.until_now()?;
    row(subject, clients, reconnect, &mut times, [cpu, own_cpu, wall]);
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "counts of requests")]
fn row(subject: &Subject, clients: usize, reconnect: bool, times: &mut Times, used: [Duration; 3]) {
    let [cpu, own_cpu, wall] = used;
    let connection = if reconnect { "new for each order" } else { "kept" };
    let busy = |cpu: Duration| 100.0 * cpu.as_secs_f64() / wall.as_secs_f64();
    println!(
        "| {} | {clients} | {connection} | {:.0} | {} | {:.2} | {:.1} | {:.0} % | {:.0} % | {} |",
        subject.label,
        rate(times.count(), wall),
        times.columns(),
        each(cpu, times.count()),
        times.requests as f64 / times.count().max(1) as f64,
        busy(cpu),
        busy(own_cpu),
        times.failures.len(),
    );
    if let Some(first) = times.failures.first() {
        eprintln!("first failure: {first}");
    }
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
async fn nonces(terms: &Terms, subjects: &[Subject]) -> anyhow::Result<()> {
    println!(
        "\n| server | newNonce/s at 32 clients | server CPU µs each | server core | load core |"
    );
    println!("|---|---|---|---|---|");
    for subject in subjects {
        let (server, own) = (Usage::of(subject.process)?, Usage::of(std::process::id())?);
        let end = Instant::now() + terms.time();
        let works: Vec<_> = (0..32)
            .map(|_| {
                let (target, path) = (subject.target.clone(), subject.directory.new_nonce.clone());
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
        let ((cpu, wall), (own_cpu, _)) = (server.until_now()?, own.until_now()?);
        let busy = |cpu: Duration| 100.0 * cpu.as_secs_f64() / wall.as_secs_f64();
        println!(
            "| {} | {:.0} | {:.1} | {:.0} % | {:.0} % |",
            subject.label,
            rate(count, wall),
            each(cpu, count) * 1e3,
            busy(cpu),
            busy(own_cpu)
        );
    }
    Ok(())
}
