//! A temporary PostgreSQL cluster, as Debian's package would run it: its standard settings, every
//! commit on disk. It is watched by a shell that holds the other end of a pipe: when this program
//! is gone, however it ended, so is the cluster.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, ensure};

/// Starts a cluster, prints its folder and its first process when it answers, and ends it at the
/// end of standard input. Not under `/tmp`, which may be in memory. It may run on all cores, as
/// this program itself may not.
const WATCH: &str = r#"
set -e
dir=$(mktemp -d /var/tmp/certdeck-bench.XXXXXX)
trap 'rm -rf "$dir"' EXIT
"$1/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C >"$dir/log" 2>&1 \
    || { cat "$dir/log" >&2; exit 1; }
taskset -c 0-1023 "$1/postgres" -D "$dir/data" -k "$dir" -c listen_addresses= -c fsync=on -c synchronous_commit=on \
    -c shared_preload_libraries="$2" </dev/null >>"$dir/log" 2>&1 &
server=$!
until "$1/pg_isready" -q -h "$dir"; do
    kill -0 $server || { cat "$dir/log" >&2; exit 1; }
    sleep 0.05
done
echo "$server $dir"
cat >/dev/null || true
kill -INT $server
wait $server || true
"#;

/// A running cluster; it ends when this is dropped.
#[derive(Debug)]
pub struct Cluster {
    programs: PathBuf,
    watcher: Child,
    process: u32,
    folder: String,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.watcher.stdin.take());
        let _ = self.watcher.wait();
    }
}

impl Cluster {
    /// Starts one with these libraries (none: `""`); none where PostgreSQL is not installed.
    pub fn start(libraries: &str) -> anyhow::Result<Option<Self>> {
        let Some(programs) = programs() else { return Ok(None) };
        // PostgreSQL refuses to run as root: then as the user that its package made.
        let mut command = if std::fs::metadata("/proc/self")?.uid() == 0 {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "--", "sh"]);
            command
        } else {
            Command::new("sh")
        };
        command.args(["-c", WATCH, "sh"]).arg(&programs).arg(libraries).current_dir("/");
        // A group of its own: an interrupt at the terminal must not end the watcher before it has tidied up.
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut watcher = command.spawn().context("the PostgreSQL cluster does not start")?;
        let mut line = String::new();
        let output = watcher.stdout.take().context("no output")?;
        BufReader::new(output).read_line(&mut line)?;
        let (process, folder) =
            line.trim_end().split_once(' ').context("the PostgreSQL cluster did not start")?;
        Ok(Some(Self { programs, watcher, process: process.parse()?, folder: folder.to_owned() }))
    }

    /// Its first process, the parent of all others.
    pub const fn process(&self) -> u32 {
        self.process
    }

    /// Makes an empty database; answers its URL.
    pub fn create(&self, database: &str) -> anyhow::Result<String> {
        self.ask("postgres", &format!("CREATE DATABASE {database}"))?;
        Ok(format!("postgres://postgres@{}/{database}", self.folder.replace('/', "%2F")))
    }

    /// Runs a statement; answers the first column of its rows.
    pub fn ask(&self, database: &str, sql: &str) -> anyhow::Result<String> {
        let output = Command::new(self.programs.join("psql"))
            .args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-h", &self.folder, "-U", "postgres"])
            .args(["-c", sql, database])
            .stderr(Stdio::inherit())
            .output()?;
        ensure!(output.status.success(), "psql: {sql} failed");
        Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
    }

    /// The server's version.
    pub fn version(&self) -> anyhow::Result<String> {
        self.ask("postgres", "SHOW server_version")
    }
}

/// The folder of the newest installed server's programs.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir(Path::new("/usr/lib/postgresql")).ok()?;
    let folders = versions.filter_map(|entry| {
        let entry = entry.ok()?;
        let version: u32 = entry.file_name().to_str()?.parse().ok()?;
        let folder = entry.path().join("bin");
        folder.join("initdb").exists().then_some((version, folder))
    });
    folders.max().map(|(_, folder)| folder)
}
