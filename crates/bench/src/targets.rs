//! What docs/BENCHMARKS.md wants, as data, and what a run says to it.

use anyhow::ensure;

use crate::Terms;

/// Shorter measurements decide nothing: the first seconds are another machine's.
const SECONDS: u64 = 10;

/// What is measured. Several values are the same thing measured again, or for other requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    ListRate,
    ListP95,
    PageBytes,
    NameRate,
    NameP95,
    PartRate,
    PartP95,
    WizardP95,
    WizardPartP95,
    RestMemory,
    AgainstPebble,
    AgainstPebbleAnew,
    OrderCpu,
    OrderP99,
    Nonces,
    LargeAgainstEmpty,
    IssuingMemory,
    Detection,
    TwoNodes,
}

/// The part of the program that measures it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Lists and searches.
    Pages,
    /// Issuance on SQLite.
    Acme,
    /// Issuance by several nodes.
    Nodes,
}

/// Which of several values is judged.
#[derive(Debug, Clone, Copy)]
enum Judged {
    /// That in the middle: the same was measured several times.
    Median,
    /// The worst: all requests are to be as good.
    Worst,
}

/// What a value has to be.
#[derive(Debug, Clone, Copy)]
enum Bound {
    AtLeast(f64),
    AtMost(f64),
    MoreThan(f64),
    Below(f64),
}

impl Bound {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(bound) => value >= bound,
            Self::AtMost(bound) => value <= bound,
            Self::MoreThan(bound) => value > bound,
            Self::Below(bound) => value < bound,
        }
    }

    fn words(self) -> String {
        match self {
            Self::AtLeast(bound) => format!("at least {bound}"),
            Self::AtMost(bound) => format!("at most {bound}"),
            Self::MoreThan(bound) => format!("more than {bound}"),
            Self::Below(bound) => format!("below {bound}"),
        }
    }

    /// The worst of values; none where there are none.
    fn worst(self, values: &[f64]) -> Option<f64> {
        let worse: fn(f64, f64) -> f64 = match self {
            Self::AtLeast(_) | Self::MoreThan(_) => f64::min,
            Self::AtMost(_) | Self::Below(_) => f64::max,
        };
        values.iter().copied().reduce(worse)
    }
}

/// One line of the table of targets.
struct Target {
    figure: Figure,
    group: Group,
    what: &'static str,
    bound: Bound,
    unit: &'static str,
    judged: Judged,
}

const fn target(
    (figure, group): (Figure, Group),
    what: &'static str,
    bound: Bound,
    unit: &'static str,
    judged: Judged,
) -> Target {
    Target { figure, group, what, bound, unit, judged }
}

/// The targets of docs/BENCHMARKS.md.
const TARGETS: [Target; 19] = {
    use Bound::{AtLeast, AtMost, Below, MoreThan};
    use Figure as F;
    use Group::{Acme, Nodes, Pages};
    use Judged::{Median, Worst};
    [
        target((F::ListRate, Pages), "list pages of 50 rows", AtLeast(1_000.0), "/s", Worst),
        target((F::ListP95, Pages), "list pages, p95", Below(20.0), "ms", Worst),
        target(
            (F::PageBytes, Pages),
            "a page before compression",
            AtMost(60_000.0),
            "bytes",
            Worst,
        ),
        target(
            (F::NameRate, Pages),
            "list by whole names and beginnings",
            AtLeast(1_000.0),
            "/s",
            Worst,
        ),
        target(
            (F::NameP95, Pages),
            "list by whole names and beginnings, p95",
            Below(20.0),
            "ms",
            Worst,
        ),
        target((F::PartRate, Pages), "list by parts of names", AtLeast(1_000.0), "/s", Worst),
        target((F::PartP95, Pages), "list by parts of names, p95", Below(20.0), "ms", Worst),
        target(
            (F::WizardP95, Pages),
            "wizard's search, whole names and beginnings, p95",
            Below(10.0),
            "ms",
            Worst,
        ),
        target(
            (F::WizardPartP95, Pages),
            "wizard's search, parts of names, p95",
            Below(30.0),
            "ms",
            Worst,
        ),
        target((F::RestMemory, Pages), "memory at rest", Below(100.0), "MB", Worst),
        target(
            (F::AgainstPebble, Acme),
            "issuance at 32 clients against Pebble",
            AtLeast(2.0),
            "times",
            Median,
        ),
        target(
            (F::AgainstPebbleAnew, Acme),
            "the same with a new connection for each order",
            AtLeast(1.5),
            "times",
            Median,
        ),
        target(
            (F::OrderCpu, Acme),
            "server CPU of an order, 32 clients",
            AtMost(2.0),
            "ms",
            Median,
        ),
        target((F::OrderP99, Acme), "issuance at 8 clients, p99", AtMost(35.0), "ms", Median),
        target((F::Nonces, Acme), "newNonce", AtLeast(50_000.0), "/s", Median),
        target(
            (F::LargeAgainstEmpty, Acme),
            "rate on the large database against the empty one, 32 clients",
            AtLeast(0.8),
            "times",
            Median,
        ),
        target((F::IssuingMemory, Acme), "memory after issuance", Below(200.0), "MB", Worst),
        target((F::Detection, Acme), "auto-detection that finds an order", Below(1.0), "ms", Worst),
        target(
            (F::TwoNodes, Nodes),
            "two nodes against one, each with the same part of a core",
            MoreThan(1.0),
            "times",
            Median,
        ),
    ]
};

/// What a run has found.
#[derive(Debug, Default)]
pub struct Findings {
    values: Vec<(Figure, f64)>,
    /// Why something was not measured.
    left_out: Vec<&'static str>,
}

impl Findings {
    /// A value.
    pub fn add(&mut self, figure: Figure, value: f64) {
        self.values.push((figure, value));
    }

    /// Memory in MiB, as MB.
    pub fn add_memory(&mut self, figure: Figure, mebibytes: u64) {
        #[expect(clippy::cast_precision_loss, reason = "some thousands")]
        self.add(figure, mebibytes as f64 * 1.048_576);
    }

    /// Something can't be measured here.
    pub fn leave_out(&mut self, why: &'static str) {
        self.left_out.push(why);
    }

    fn judged(&self, target: &Target) -> Option<f64> {
        let mut values: Vec<f64> = self
            .values
            .iter()
            .filter(|(figure, _)| *figure == target.figure)
            .map(|(_, value)| *value)
            .collect();
        match target.judged {
            Judged::Worst => target.bound.worst(&values),
            Judged::Median => {
                values.sort_unstable_by(f64::total_cmp);
                // Of an even number the worse one of the two in the middle.
                let half = values.len() / 2;
                let middle = values.get(
                    values.len().saturating_sub(1) / 2..=half.min(values.len().saturating_sub(1)),
                );
                target.bound.worst(middle?)
            }
        }
    }

    /// A line for each target of the groups, and how many were missed.
    fn lines(&self, groups: &[Group]) -> (Vec<String>, usize) {
        let mut missed = 0;
        let of_groups = TARGETS.iter().filter(|target| groups.contains(&target.group));
        let lines = of_groups.map(|target| {
            let (what, wanted, unit) = (target.what, target.bound.words(), target.unit);
            let (found, verdict) = match self.judged(target) {
                None => ("-".to_owned(), "not measured"),
                Some(value) if target.bound.is_met(value) => (format!("{value:.2} {unit}"), "met"),
                Some(value) => {
                    missed += 1;
                    (format!("{value:.2} {unit}"), "**missed**")
                }
            };
            format!("| {what} | {wanted} {unit} | {found} | {verdict} |")
        });
        let lines = lines.collect();
        (lines, missed)
    }

    /// Prints the targets of the groups beside what was found; fails where one is missed and the run
    /// was long and large enough to tell. `orders` is the size that the targets are for.
    pub fn conclude(&self, terms: &Terms, groups: &[Group], orders: u64) -> anyhow::Result<()> {
        let (lines, missed) = self.lines(groups);
        println!("\n| target | wanted | found | |\n|---|---|---|---|");
        for line in lines {
            println!("{line}");
        }
        for why in &self.left_out {
            println!("\n{why}");
        }
        if terms.seconds < SECONDS || terms.orders < orders {
            println!(
                "\nThis run is a small one ({} s each, {} orders; the targets are for {SECONDS} s and {orders} orders): it decides nothing.",
                terms.seconds, terms.orders
            );
            return Ok(());
        }
        ensure!(missed == 0, "{missed} of the targets above are missed");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn terms(seconds: u64, orders: u64) -> Terms {
        Terms { certdeck: PathBuf::new(), data: PathBuf::new(), orders, seconds, server_core: 0 }
    }

    fn of(values: &[f64], figure: Figure) -> Findings {
        let mut findings = Findings::default();
        for value in values {
            findings.add(figure, *value);
        }
        findings
    }

    #[test]
    fn a_missed_target_fails_a_whole_run_and_no_small_one() {
        let missed = of(&[1_500.0, 999.0], Figure::ListRate);
        assert!(missed.conclude(&terms(10, 100), &[Group::Pages], 100).is_err());
        missed.conclude(&terms(9, 100), &[Group::Pages], 100).unwrap();
        missed.conclude(&terms(10, 99), &[Group::Pages], 100).unwrap();
        missed.conclude(&terms(10, 100), &[Group::Acme], 100).unwrap();
        let met = of(&[1_500.0, 1_000.0], Figure::ListRate);
        met.conclude(&terms(10, 100), &[Group::Pages], 100).unwrap();
    }

    #[test]
    fn several_values_are_judged_by_their_median_or_their_worst() {
        for (values, figure, missed) in [
            (&[1.0, 2.5, 2.1][..], Figure::AgainstPebble, 0),
            (&[1.9, 2.5], Figure::AgainstPebble, 1),
            (&[2.5], Figure::AgainstPebble, 0),
            (&[1.9, 2.5, 1.8], Figure::AgainstPebble, 1),
            (&[34.0, 90.0, 35.0], Figure::OrderP99, 0),
            (&[34.0, 36.0], Figure::OrderP99, 1),
            (&[10.0, 20.0], Figure::ListP95, 1),
            (&[1.0], Figure::TwoNodes, 1),
            (&[], Figure::Nonces, 0),
        ] {
            let findings = of(values, figure);
            let all = [Group::Pages, Group::Acme, Group::Nodes];
            assert_eq!(findings.lines(&all).1, missed, "{values:?} of {figure:?}");
        }
    }

    #[test]
    fn each_figure_has_one_target() {
        for (at, one) in TARGETS.iter().enumerate() {
            assert!(TARGETS.iter().skip(at + 1).all(|other| other.figure != one.figure));
        }
    }
}
