//! The arrows between the crates of the workspace go down only (docs/ARCHITECTURE.md).

#![expect(clippy::unwrap_used, reason = "a test's own reading of manifests")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Who may depend on whom, by dependency name. What is not listed may not.
const ARROWS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("store", &["domain"]),
    ("ca", &["domain"]),
    ("lifecycle", &["store", "ca", "domain"]),
    ("app", &["lifecycle", "domain"]),
    ("frontend", &["app"]),
    ("acme", &["lifecycle", "domain"]),
    ("agent-api", &["domain"]),
    ("agent", &["agent-api", "domain"]),
    ("automation", &["agent-api", "lifecycle", "domain"]),
    // The agent as a library: `serve --demo` runs the real one in the same process.
    ("server", &["app", "acme", "automation", "agent", "agent-api", "lifecycle", "domain"]),
    ("bench", &[]),
    ("xtask", &[]),
];

fn manifest(folder: &Path) -> toml::Table {
    std::fs::read_to_string(folder.join("Cargo.toml")).unwrap().parse().unwrap()
}

fn dependencies(manifest: &toml::Table) -> BTreeSet<String> {
    manifest
        .get("dependencies")
        .and_then(toml::Value::as_table)
        .map(|table| table.keys().cloned().collect())
        .unwrap_or_default()
}

#[test]
fn arrows_go_down_only() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut rooms: BTreeMap<String, std::path::PathBuf> = ["app", "frontend", "server"]
        .into_iter()
        .map(|name| (name.to_owned(), root.join(name)))
        .collect();
    for entry in std::fs::read_dir(root.join("crates")).unwrap() {
        let path = entry.unwrap().path();
        if path.join("Cargo.toml").exists() {
            rooms.insert(path.file_name().unwrap().to_str().unwrap().to_owned(), path);
        }
    }
    let allowed: BTreeMap<&str, BTreeSet<&str>> =
        ARROWS.iter().map(|(from, to)| (*from, to.iter().copied().collect())).collect();
    assert_eq!(
        rooms.keys().map(String::as_str).collect::<BTreeSet<_>>(),
        allowed.keys().copied().collect(),
        "a room was added or removed: say here what it may depend on"
    );
    for (room, path) in &rooms {
        let own: BTreeSet<String> = dependencies(&manifest(path))
            .into_iter()
            .filter(|name| rooms.contains_key(name))
            .collect();
        let wrong: Vec<&String> =
            own.iter().filter(|name| !allowed[room.as_str()].contains(name.as_str())).collect();
        assert!(wrong.is_empty(), "{room} must not depend on {wrong:?}");
    }
}
