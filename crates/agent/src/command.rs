//! Test and reload commands, run without a shell.

use std::fmt;
use std::io::Read;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How much of a command's output is kept for the report, in bytes.
const OUTPUT_KEPT: u64 = 1500;

/// A program with its arguments. In TOML a list of texts, or one text that is split at spaces;
/// no shell reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Words", into = "Vec<String>")]
pub struct CommandLine(Vec<String>);

#[derive(Deserialize)]
#[serde(untagged)]
enum Words {
    Line(String),
    List(Vec<String>),
}

impl TryFrom<Words> for CommandLine {
    type Error = &'static str;

    fn try_from(words: Words) -> Result<Self, Self::Error> {
        let words = match words {
            Words::Line(line) => line.split_whitespace().map(str::to_owned).collect(),
            Words::List(list) => list,
        };
        Self::new(words).ok_or("a command needs at least a program")
    }
}

impl From<CommandLine> for Vec<String> {
    fn from(line: CommandLine) -> Self {
        line.0
    }
}

impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

/// A command did not end with exit status 0.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    /// It could not be started.
    #[error("`{command}` could not be started: {source}")]
    Start { command: CommandLine, source: std::io::Error },
    /// It was stopped.
    #[error("`{command}` did not end within {} seconds and was stopped", .limit.as_secs())]
    TooLong { command: CommandLine, limit: Duration },
    /// It said no.
    #[error("`{command}` failed ({status}): {output}")]
    Failed { command: CommandLine, status: std::process::ExitStatus, output: String },
}

impl CommandLine {
    /// A command line; none without a program.
    pub fn new(words: Vec<String>) -> Option<Self> {
        words.first().is_some_and(|program| !program.is_empty()).then_some(Self(words))
    }

    /// A program with its arguments.
    pub(crate) fn program(program: String, arguments: Vec<String>) -> Self {
        Self(std::iter::once(program).chain(arguments).collect())
    }

    /// Program and arguments.
    pub fn argv(&self) -> &[String] {
        &self.0
    }

    /// Runs the command to its end. Its output goes to the file `log`, not to a pipe: a daemon
    /// that the command starts may keep it open.
    pub(crate) async fn run(&self, limit: Duration, log: &Path) -> Result<(), CommandError> {
        let start = |source| CommandError::Start { command: self.clone(), source };
        let output = crate::files::create_private(log).map_err(start)?;
        let (program, arguments) = self.0.split_first().ok_or_else(|| {
            start(std::io::Error::new(std::io::ErrorKind::InvalidInput, "no program"))
        })?;
        let mut child = tokio::process::Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(output.try_clone().map_err(start)?)
            .stderr(output)
            .kill_on_drop(true)
            .spawn()
            .map_err(start)?;
        let status = tokio::time::timeout(limit, child.wait())
            .await
            .map_err(|_| CommandError::TooLong { command: self.clone(), limit })?
            .map_err(start)?;
        if status.success() {
            return Ok(());
        }
        Err(CommandError::Failed { command: self.clone(), status, output: read_start(log) })
    }
}

/// The beginning of a command's output, on one line.
fn read_start(log: &Path) -> String {
    let mut bytes = Vec::new();
    if let Ok(file) = std::fs::File::open(log) {
        // What can't be read is only missing from the words of a failure.
        let _ = file.take(OUTPUT_KEPT).read_to_end(&mut bytes);
    }
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.is_empty() { "no output".to_owned() } else { lines.join("; ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(words: &[&str]) -> CommandLine {
        CommandLine::new(words.iter().map(|&word| word.to_owned()).collect()).unwrap()
    }

    #[tokio::test]
    async fn a_failing_command_says_what_it_printed() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        let limit = Duration::from_secs(20);
        command(&["true"]).run(limit, &log).await.unwrap();
        let error = command(&["ls", "/no/such/place"]).run(limit, &log).await.unwrap_err();
        assert!(error.to_string().contains("/no/such/place"), "{error}");
        let missing = command(&["/no/such/program"]).run(limit, &log).await;
        assert!(matches!(missing, Err(CommandError::Start { .. })));
    }

    #[tokio::test]
    async fn a_command_that_hangs_is_stopped() {
        let dir = tempfile::tempdir().unwrap();
        let slow = command(&["sleep", "1000"]);
        let ended = slow.run(Duration::from_millis(50), &dir.path().join("log")).await;
        assert!(matches!(ended, Err(CommandError::TooLong { .. })));
    }
}
