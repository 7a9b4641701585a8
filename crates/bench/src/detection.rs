//! What auto-detection takes among many orders: decisions without an issuance, by `certdeck acme
//! explain`, for names that have an order and for names that have none.

use std::fmt::Write as _;
use std::time::Instant;

use anyhow::ensure;
use serde_json::{Value, json};

use crate::Terms;
use crate::acme::{DOMAIN, URL};
use crate::measure::each;
use crate::portal::Portal;

/// Requests of each kind.
const REQUESTS: usize = 5_000;

/// Prints what it takes; answers the milliseconds of one that finds an order. The `known` names have
/// orders.
pub fn run(terms: &Terms, portal: &Portal, known: &[String]) -> anyhow::Result<f64> {
    let unknown: Vec<String> =
        (0..REQUESTS).map(|number| format!("n{number}.none.{DOMAIN}")).collect();
    let found = decide(portal, known, "duplicate")?;
    let nothing = decide(portal, &unknown, "enroll")?;
    let added = found - nothing;
    println!("\n| orders | detection that finds one, ms | that finds nothing, ms | difference |");
    println!("|---|---|---|---|");
    println!("| {} | {found:.2} | {nothing:.2} | {added:.2} |", terms.orders);
    Ok(found)
}

/// Milliseconds of each decision, which must come to `action`. The program's start is taken off.
fn decide(portal: &Portal, names: &[String], action: &str) -> anyhow::Result<f64> {
    let names: Vec<&String> = names.iter().cycle().take(REQUESTS).collect();
    let file = portal.folder().join("questions.jsonl");
    let mut taken = Vec::new();
    for some in [&names[..1], &names[..]] {
        let mut lines = String::new();
        for name in some {
            writeln!(lines, "{}", json!({"url_name": URL, "names": [name]}))?;
        }
        std::fs::write(&file, lines)?;
        let start = Instant::now();
        let answers = portal.run(&["acme", "explain", "--batch", &file.to_string_lossy()])?;
        taken.push(start.elapsed());
        for answer in answers.lines() {
            let answer: Value = serde_json::from_str(answer)?;
            ensure!(answer["action"] == action, "not {action}: {answer}");
        }
    }
    std::fs::remove_file(&file)?;
    Ok(each(taken[1].saturating_sub(taken[0]), REQUESTS - 1))
}
