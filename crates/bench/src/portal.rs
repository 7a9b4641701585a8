//! A Certdeck of its own: its commands, and the server pinned to one core.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, ensure};

/// A data folder and the program for it.
#[derive(Debug, Clone)]
pub struct Portal {
    program: PathBuf,
    folder: PathBuf,
    core: u32,
    /// `CERTDECK_…` variables besides the folder and the listeners.
    variables: Vec<(&'static str, String)>,
}

/// A server that runs until this is dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    /// Where it listens without TLS.
    pub plain: SocketAddr,
    /// Where it listens with TLS.
    pub tls: SocketAddr,
}

impl Running {
    /// Its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // SIGTERM, so that the database is closed well; only if that can't be sent, at once.
        let asked = Command::new("kill").arg(self.child.id().to_string()).status();
        if !asked.is_ok_and(|status| status.success()) {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

impl Portal {
    /// A portal with its data in `folder`.
    pub fn new(program: &Path, folder: PathBuf, core: u32) -> anyhow::Result<Self> {
        ensure!(program.exists(), "{} is not there: `make bench` builds it", program.display());
        std::fs::create_dir_all(&folder)?;
        Ok(Self { program: program.to_owned(), folder, core, variables: Vec::new() })
    }

    /// The same with a `CERTDECK_…` variable.
    pub fn with(mut self, variable: &'static str, value: &str) -> Self {
        self.variables.push((variable, value.to_owned()));
        self
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn command(&self, mut command: Command) -> Command {
        command
            .env("CERTDECK_DATA_DIR", &self.folder)
            .env("CERTDECK_LISTEN", "127.0.0.1:0")
            .env("CERTDECK_TLS_LISTEN", "127.0.0.1:0")
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs a command to its end; answers what it printed.
    pub fn run(&self, arguments: &[&str]) -> anyhow::Result<String> {
        self.run_with_input(arguments, "")
    }

    /// The same with something to read on standard input.
    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> anyhow::Result<String> {
        let mut command = self.command(Command::new(&self.program));
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().context("certdeck does not start")?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input.as_bytes())?;
        }
        let output = child.wait_with_output()?;
        ensure!(output.status.success(), "certdeck {} failed", arguments.join(" "));
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Starts the server; it listens when this returns. What it logs is in `serve.log`. It ends
    /// with this program, however that ends.
    pub fn serve(&self, options: &[&str]) -> anyhow::Result<Running> {
        let mut log = std::fs::OpenOptions::new();
        let log = log.create(true).append(true).open(self.folder.join("serve.log"))?;
        let mut command = self.command(Command::new("setpriv"));
        command.args(["--pdeathsig", "TERM", "taskset", "-c", &self.core.to_string()]);
        command.arg(&self.program).arg("serve").args(options);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .context("setpriv does not start: it is in Debian's util-linux")?;
        let output = child.stdout.take().context("no output")?;
        let mut lines = BufReader::new(output).lines();
        let mut address = |scheme: &str| -> anyhow::Result<SocketAddr> {
            let prefix = format!("listening on {scheme}://");
            for line in lines.by_ref() {
                if let Some(address) = line?.strip_prefix(&prefix) {
                    return Ok(address.parse()?);
                }
            }
            anyhow::bail!("certdeck ended at its start; its last words are in serve.log")
        };
        let (plain, tls) = (address("http")?, address("https")?);
        // Read on, or the server's next line would fail.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Running { child, plain, tls })
    }
}
