//! Commands as processes of their own, as scripts run them.

#![expect(clippy::unwrap_used, reason = "a fault in the set-up is the test's failure")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

fn certdeck(folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_certdeck"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CERTDECK_")) {
        command.env_remove(name);
    }
    command.env("CERTDECK_DATA_DIR", folder).env("RUST_LOG", "off").args(words);
    command
}

fn printed(folder: &Path, words: &[&str]) -> String {
    let output = certdeck(folder, words).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn seeding_again_goes_on_behind_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let done = printed(folder.path(), &["seed", "--orders", "300", "--seed", "7"]);
        assert_eq!(done, "Loaded 300 orders.\n");
    }
    assert_eq!(printed(folder.path(), &["order", "list"]).lines().count(), 600);
}

#[test]
fn a_list_whose_reader_has_seen_enough_ends_quietly() {
    let folder = tempfile::tempdir().unwrap();
    // More than a pipe holds.
    printed(folder.path(), &["seed", "--orders", "3000", "--seed", "7"]);
    for words in [&["order", "list"][..], &["order", "list", "--json"]] {
        let mut child = certdeck(folder.path(), words)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{words:?}");
        assert!(output.status.success(), "{words:?}");
    }
}
