//! Times of requests, and what a process has used (proc(5)).

use std::time::{Duration, Instant};

use anyhow::Context as _;

/// Clock ticks of `/proc/PID/stat` in a second: `USER_HZ`, 100 on every Linux of today.
const TICKS: f64 = 100.0;

/// What one or more clients saw.
#[derive(Debug, Default)]
pub struct Times {
    taken: Vec<Duration>,
    /// What went wrong.
    pub failures: Vec<String>,
    /// Requests, where one act takes several.
    pub requests: u64,
}

impl Times {
    /// An act that succeeded.
    pub fn add(&mut self, taken: Duration) {
        self.taken.push(taken);
    }

    /// Takes in what another client saw.
    pub fn join(&mut self, mut other: Self) {
        self.taken.append(&mut other.taken);
        self.failures.append(&mut other.failures);
        self.requests += other.requests;
    }

    /// How many acts succeeded.
    pub fn count(&self) -> usize {
        self.taken.len()
    }

    /// The time that `share` of the acts (0 to 1) stayed within, in milliseconds.
    pub fn percentile(&mut self, share: f64) -> f64 {
        self.taken.sort_unstable();
        let last = self.taken.len().saturating_sub(1);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a place in a list of at most millions"
        )]
        let at = (last as f64 * share).ceil() as usize;
        self.taken.get(at.min(last)).map_or(0.0, |taken| taken.as_secs_f64() * 1e3)
    }

    /// `p50`, `p95` and `p99` in milliseconds, as columns.
    pub fn columns(&mut self) -> String {
        let [p50, p95, p99] = [0.50, 0.95, 0.99].map(|share| self.percentile(share));
        format!("{p50:.2} | {p95:.2} | {p99:.2}")
    }
}

/// `count` in a second.
#[expect(clippy::cast_precision_loss, reason = "counts of requests")]
pub fn rate(count: usize, within: Duration) -> f64 {
    count as f64 / within.as_secs_f64().max(f64::EPSILON)
}

/// Milliseconds of each of `count`.
#[expect(clippy::cast_precision_loss, reason = "counts of requests")]
pub fn each(total: Duration, count: usize) -> f64 {
    total.as_secs_f64() * 1e3 / (count.max(1) as f64)
}

/// What a process used between two moments.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    process: u32,
    clock: fn(u32) -> anyhow::Result<Duration>,
    cpu: Duration,
    since: Instant,
}

impl Usage {
    /// Begins to watch one process.
    pub fn of(process: u32) -> anyhow::Result<Self> {
        Self::by(process, own_time)
    }

    /// Begins to watch a process with its children, those included that end meanwhile.
    pub fn with_children(process: u32) -> anyhow::Result<Self> {
        Self::by(process, time_with_children)
    }

    fn by(process: u32, clock: fn(u32) -> anyhow::Result<Duration>) -> anyhow::Result<Self> {
        Ok(Self { process, clock, cpu: clock(process)?, since: Instant::now() })
    }

    /// CPU time and wall time since.
    pub fn until_now(&self) -> anyhow::Result<(Duration, Duration)> {
        Ok(((self.clock)(self.process)?.saturating_sub(self.cpu), self.since.elapsed()))
    }
}

/// User and system time of a process with all its threads.
fn own_time(process: u32) -> anyhow::Result<Duration> {
    let [user, system, ..] = times(process)?;
    Ok(user + system)
}

/// The same with the children, running and ended.
fn time_with_children(process: u32) -> anyhow::Result<Duration> {
    let mut sum: Duration = times(process)?.into_iter().sum();
    let children = std::fs::read_to_string(format!("/proc/{process}/task/{process}/children"))?;
    for child in children.split_whitespace() {
        // One that has ended since is in its parent's times, from the next look on.
        sum += own_time(child.parse()?).unwrap_or_default();
    }
    Ok(sum)
}

/// User and system time of a process, and of its children that have ended.
fn times(process: u32) -> anyhow::Result<[Duration; 4]> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The second field is a name in brackets, which may hold blanks.
    let (_, fields) = stat.rsplit_once(')').context("no process statistics")?;
    let mut fields = fields.split_whitespace().skip(11);
    let mut times = [Duration::ZERO; 4];
    for time in &mut times {
        let ticks: u32 = fields.next().context("no process times")?.parse()?;
        *time = Duration::from_secs_f64(f64::from(ticks) / TICKS);
    }
    Ok(times)
}

/// Memory of a process: all that is resident, and the part that is not pages of files, in MiB.
pub fn memory(process: u32) -> anyhow::Result<(u64, u64)> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = |name: &str| -> anyhow::Result<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).context("no memory")?;
        let kib: u64 = line.trim_matches([':', ' ', '\t']).trim_end_matches(" kB").parse()?;
        Ok(kib / 1024)
    };
    Ok((line("VmRSS")?, line("RssAnon")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_sorted_times() {
        let mut times = Times::default();
        for milliseconds in (1..=100).rev() {
            times.add(Duration::from_millis(milliseconds));
        }
        assert_eq!(
            [0.0, 0.5, 0.95, 1.0].map(|share| times.percentile(share).round()),
            [1.0, 51.0, 96.0, 100.0]
        );
        assert!(Times::default().percentile(0.99).abs() < f64::EPSILON);
    }

    #[test]
    fn this_process_can_be_read() {
        let own = std::process::id();
        let (resident, anonymous) = memory(own).unwrap();
        assert!(resident >= anonymous && resident > 0);
        Usage::of(own).unwrap().until_now().unwrap();
        Usage::with_children(own).unwrap().until_now().unwrap();
    }
}
