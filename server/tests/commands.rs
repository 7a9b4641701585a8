//! Commands as processes of their own, as scripts run them.

#![expect(clippy::unwrap_used, reason = "a fault in the set-up is the test's failure")]

use std::os::unix::fs::PermissionsExt as _;
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
fn whoever_has_read_enough_ends_a_command_quietly() {
    let folder = tempfile::tempdir().unwrap();
    // More than a pipe holds.
    printed(folder.path(), &["seed", "--orders", "3000", "--seed", "7"]);
    let list = printed(folder.path(), &["order", "list"]);
    let number = list.split_whitespace().next().unwrap();
    for words in [
        &["order", "list"][..],
        &["order", "list", "--json"],
        &["order", "show", number],
        &["order", "show", number, "--json"],
        &["product", "list", "--json"],
        &["ca", "export-root"],
        &["settings", "get", "approval_step"],
        &["doctor"],
    ] {
        let mut child = certdeck(folder.path(), words)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Nobody reads, from the first byte on.
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{words:?}");
        assert!(output.status.success(), "{words:?}");
    }
}

/// What a command says that fails: one line, and its exit code.
fn refusal(folder: &Path, words: &[&str]) -> (Option<i32>, String) {
    let output = certdeck(folder, words).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn what_is_not_there_is_named_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    for (words, said) in [
        (
            &["order", "show", "999"][..],
            "certdeck: there is no order \"999\": `certdeck order list`",
        ),
        (
            &["token", "create", "--user", "a@b.test", "--name", "x"],
            "there is no person \"a@b.test\"",
        ),
        (
            &["domain", "add", "a.test", "--org", "None"],
            "there is no organization \"None\": add it",
        ),
        (
            &["acme", "explain", "--url-name", "w", "--name", "www.a.test"],
            "there is no ACME Directory URL \"w\"",
        ),
    ] {
        let (code, line) = refusal(folder.path(), words);
        assert!(line.contains(said), "{line}");
        assert_eq!((code, line.lines().count()), (Some(1), 1), "{line}");
    }
    let (code, words) =
        refusal(folder.path(), &["user", "add", "a@b.test", "--role", "king", "--password-stdin"]);
    assert_eq!(code, Some(2));
    assert!(words.contains("administrator, manager, standard, limited"), "{words}");
}

#[test]
fn what_show_prints_is_what_import_reads() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    printed(from.path(), &["org", "add", "Ours", "--country", "DE", "--validated"]);
    printed(from.path(), &["seed", "--orders", "40", "--seed", "7"]);
    let all = printed(from.path(), &["order", "list", "--json"]);
    let all: Vec<serde_json::Value> = serde_json::from_str(&all).unwrap();
    let mut lines = String::new();
    for order in &all {
        let shown =
            printed(from.path(), &["order", "show", &order["number"].to_string(), "--json"]);
        assert_eq!(shown.lines().count(), 1, "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), *order);
        lines.push_str(&shown);
    }
    let file = to.path().join("orders.ndjson");
    std::fs::write(&file, &lines).unwrap();
    printed(to.path(), &["org", "add", "Ours", "--country", "DE", "--validated"]);
    let words = ["import", "orders", file.to_str().unwrap()];
    assert_eq!(printed(to.path(), &words), "Imported 40 orders.\n");
    let again = printed(to.path(), &["order", "list", "--json"]);
    assert_eq!(serde_json::from_str::<Vec<serde_json::Value>>(&again).unwrap(), all);

    std::fs::write(&file, "\n{\"number\":1}\n").unwrap();
    let (code, said) = refusal(to.path(), &words);
    assert_eq!(code, Some(1));
    assert!(said.starts_with("line 2: not an order") && said.contains(" at column "), "{said}");
    assert!(!said.contains("line 1"), "{said}");
}

#[test]
fn nothing_is_backed_up_where_no_database_is() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let file = folder.path().join("backup");
    let backup = ["backup", file.to_str().unwrap()];
    let (code, said) = refusal(&data, &backup);
    assert_eq!(code, Some(1));
    assert!(
        said.starts_with("certdeck: there is no database ") && said.contains("CERTDECK_DATA_DIR")
    );
    assert!(!file.exists() && !data.exists());
    printed(&data, &["migrate"]);
    printed(&data, &backup);
    let elsewhere = folder.path().join("elsewhere");
    printed(&elsewhere, &["restore", file.to_str().unwrap()]);
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&elsewhere), 0o700);
    assert_eq!(mode(&elsewhere.join("certdeck.sqlite")), 0o600);
}

#[test]
fn a_worker_on_sqlite_makes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (code, said) = refusal(&data, &["worker"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("needs PostgreSQL"), "{said}");
    assert!(!data.exists());
}

#[test]
fn the_demonstration_is_an_option_like_the_others() {
    let folder = tempfile::tempdir().unwrap();
    printed(folder.path(), &["org", "add", "Ours", "--country", "DE", "--validated"]);
    let file = folder.path().join("certdeck.toml");
    let toml = "demo = true\nclock = \"+1d\"\nlisten = \"127.0.0.1:0\"\ntls_listen = \"off\"\n";
    std::fs::write(&file, toml).unwrap();
    let config = ["--config", file.to_str().unwrap()];
    // A moved clock is refused either way, and the words tell which.
    let (demonstration, none) = ("has data of its own", "`serve --demo` only");
    let (code, said) = refusal(folder.path(), &[&config[..], &["serve"]].concat());
    assert_eq!(code, Some(1));
    assert!(said.contains(demonstration) && said.contains("CERTDECK_CLOCK"), "{said}");
    // The variable wins over the file, and the command line over both.
    for (value, options, words) in [
        ("1", &["serve"][..], demonstration),
        ("true", &["serve"], demonstration),
        ("0", &["serve"], none),
        ("false", &["serve"], none),
        ("false", &["serve", "--demo"], demonstration),
        ("true", &["serve", "--demo=false"], none),
    ] {
        let output = certdeck(folder.path(), &[&config[..], options].concat())
            .env("CERTDECK_DEMO", value)
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(words), "{value} {options:?}: {said}");
    }
}

#[test]
fn moments_and_plans_that_there_are_not_are_wrong_usage() {
    let folder = tempfile::tempdir().unwrap();
    let explain = ["acme", "explain", "--url-name", "w", "--name", "www.a.test", "--at", "today"];
    let url = ["acme-url", "create", "--name", "w", "--product", "ssl_plus", "--organization", "o"];
    let (code, said) = refusal(folder.path(), &explain);
    assert!(code == Some(2) && said.contains("2027-01-01T00:00:00Z"), "{said}");
    let (code, said) = refusal(folder.path(), &[&url[..], &["--coverage-years", "7"]].concat());
    assert_eq!(code, Some(2), "{said}");
}

#[test]
fn a_look_at_an_installation_makes_no_authority() {
    let folder = tempfile::tempdir().unwrap();
    printed(folder.path(), &["migrate"]);
    let said = printed(folder.path(), &["doctor"]);
    assert!(said.contains("authority     will be made"), "{said}");
    assert!(said.contains("MB are free"), "{said}");
    assert!(said.contains("ok      configuration can be used"), "{said}");
    let off = ["--listen", "off", "--tls-listen", "off", "doctor"];
    let output = certdeck(folder.path(), &off).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("MEND    configuration both listeners are off"), "{said}");
    let key = folder.path().join("master.key");
    assert!(!key.exists());
    printed(folder.path(), &["ca", "export-root"]);
    assert!(printed(folder.path(), &["doctor"]).contains("authority     can sign"));
    std::fs::rename(&key, folder.path().join("elsewhere")).unwrap();
    let (code, _) = refusal(folder.path(), &["doctor"]);
    assert_eq!(code, Some(1));
    assert!(!key.exists(), "another key would hide the loss");
}

#[test]
fn values_that_do_not_read_are_wrong_usage_and_in_the_file_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("certdeck.toml");
    for (option, value) in [
        ("listen", "here"),
        ("tls-listen", "127.0.0.1"),
        ("metrics-listen", "on"),
        ("base-url", "ftp://a.test"),
        ("authority-url", "portal.test"),
        ("validation-allow", "lan"),
        ("trusted-proxies", "10.0.0.0/33"),
        ("clock", "tomorrow"),
    ] {
        let (code, said) =
            refusal(folder.path(), &[&format!("--{option}"), value, "product", "list"]);
        assert_eq!(code, Some(2), "{option}: {said}");
        let words = format!("error: invalid value '{value}' for '--{option} <");
        assert!(said.starts_with(&words), "{said}");
        let line = format!("{} = \"{value}\"\n", option.replace('-', "_"));
        std::fs::write(&file, line).unwrap();
        let (code, said) =
            refusal(folder.path(), &["--config", file.to_str().unwrap(), "product", "list"]);
        assert_eq!(code, Some(1), "{option}: {said}");
        assert!(said.starts_with("certdeck: ") && said.contains(value), "{said}");
    }
    let off = printed(folder.path(), &["--listen", "off", "product", "list"]);
    assert!(off.contains("ssl_plus"), "{off}");
}

#[test]
fn each_line_of_a_batch_has_its_answer() {
    let folder = tempfile::tempdir().unwrap();
    printed(folder.path(), &["org", "add", "Ours", "--country", "DE", "--validated"]);
    let url = ["acme-url", "create", "--name", "web", "--product", "ssl_plus"];
    printed(folder.path(), &[&url[..], &["--organization", "Ours"]].concat());
    let file = folder.path().join("questions");
    let good = r#"{"url_name":"web","names":["www.example.com"]}"#;
    let ask = |lines: &[&[u8]]| {
        std::fs::write(&file, lines.join(&b'\n')).unwrap();
        let words = ["acme", "explain", "--batch", file.to_str().unwrap()];
        let output = certdeck(folder.path(), &words).output().unwrap();
        let answers: Vec<serde_json::Value> = String::from_utf8(output.stdout)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        (output.status.code(), answers, String::from_utf8(output.stderr).unwrap())
    };
    let (code, answers, said) = ask(&[
        good.as_bytes(),
        b"certbot",
        b"",
        b"\xff\xfe",
        br#"{"url_name":"web"}"#,
        br#"{"url_name":"other","names":["www.example.com"]}"#,
        br#"{"url_name":"web","names":["https://www.example.com"]}"#,
        br#"{"url_name":"web","names":["www.example.com"],"at":"today"}"#,
        br#"{"url_name":"web","names":["www.example.com"],"action":"revoke"}"#,
        good.as_bytes(),
    ]);
    assert_eq!(code, Some(1));
    assert!(said.starts_with("certdeck: 6 of 9 lines could not be read"), "{said}");
    assert_eq!(answers.len(), 9);
    assert_eq!(answers[0]["action"], "enroll");
    assert_eq!(answers[8], answers[0]);
    assert!(answers[7]["refusal"]["code"].is_string(), "a rule's no is an answer: {}", answers[7]);
    let words = ["at column", "at column", "names", "\"other\"", "https://", "\"today\""];
    for ((answer, line), words) in answers[1..7].iter().zip([2, 4, 5, 6, 7, 8]).zip(words) {
        assert_eq!(answer["error"]["line"], line, "{answer}");
        assert!(answer["error"]["message"].as_str().unwrap().contains(words), "{answer}");
    }
    let (code, answers, said) = ask(&[good.as_bytes()]);
    assert_eq!((code, answers.len(), said.as_str()), (Some(0), 1, ""));
}

#[test]
fn the_catalogue_tells_each_products_abilities() {
    let folder = tempfile::tempdir().unwrap();
    let all = printed(folder.path(), &["product", "list", "--json"]);
    let all: Vec<serde_json::Value> = serde_json::from_str(&all).unwrap();
    let one = |id: &str| all.iter().find(|one| one["id"] == id).unwrap().clone();
    assert_eq!(
        one("private_ssl_wildcard"),
        serde_json::json!({
            "id": "private_ssl_wildcard", "name": "Private SSL Wildcard", "validation": "private",
            "wildcard": true, "additional_names_allowed": true, "duplicates_allowed": true,
            "duplicate_may_add_names": true, "multi_year": false, "max_days": 825,
        })
    );
    assert_eq!(one("ssl_plus")["max_days"], 398);
    let adding: Vec<_> = all.iter().filter(|one| one["duplicate_may_add_names"] == true).collect();
    assert_eq!(adding.len(), 2, "rule D6: {adding:?}");
}

/// An order of an ACME client of January 2026, with 200 days, in a new folder with a URL for it.
fn folder_with_an_order() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    printed(path, &["org", "add", "Ours", "--country", "DE", "--validated"]);
    printed(path, &["domain", "add", "example.com", "--org", "Ours", "--validated"]);
    let url = ["acme-url", "create", "--name", "web", "--product", "ssl_plus"];
    printed(path, &[&url[..], &["--organization", "Ours"]].concat());
    let names = ["www.example.com", "example.com"];
    let (from, till) = ("2026-01-01T00:00:00Z", "2026-07-19T23:59:59Z");
    let order = serde_json::json!({
        "number": 4711, "product": "ssl_plus", "organization": "Ours", "common_name": names[0],
        "sans": names, "status": "issued", "origin": "acme", "ordered_at": from,
        "coverage_years": null, "coverage_ends_at": till, "renews": null, "renewed_by": null,
        "certificates": [{
            "kind": "original", "serial": "01ab", "common_name": names[0], "sans": names,
            "not_before": from, "not_after": till, "status": "issued", "pem": null,
        }],
    });
    let file = path.join("order.ndjson");
    std::fs::write(&file, order.to_string()).unwrap();
    printed(path, &["import", "orders", file.to_str().unwrap()]);
    folder
}

/// Each option of the dry run counts, and the answer has the shape that scripts read.
#[test]
fn a_dry_run_goes_by_each_of_its_options() {
    let folder = folder_with_an_order();
    let explain = |options: &[&str]| -> serde_json::Value {
        let names = ["--name", "www.example.com", "--name", "example.com", "--json"];
        let words = [&["acme", "explain", "--url-name", "web"], &names[..], options].concat();
        serde_json::from_str(&printed(folder.path(), &words)).unwrap()
    };
    let (early, window) = (["--at", "2026-03-01T12:00:00Z"], ["--at", "2026-07-10T12:00:00Z"]);
    let duplicate = explain(&early);
    assert_eq!((&duplicate["action"], &duplicate["order"]), (&"duplicate".into(), &4711.into()));
    assert_eq!(duplicate["candidates"][0]["order"], 4711, "{duplicate}");
    assert!(
        duplicate["candidates"][0]["kept"] == true && duplicate["candidates"][0]["why"].is_string()
    );
    assert!(duplicate["window"]["kind"].is_string() && duplicate["window"]["opens_at"].is_string());
    assert_eq!(explain(&window)["action"], "renew");
    let other_name = explain(&[&early[..], &["--cn", "example.com"]].concat());
    assert_eq!((&other_name["action"], &other_name["order"]), (&"enroll".into(), &().into()));
    let enroll = explain(&[&early[..], &["--action", "enroll"]].concat());
    assert_eq!(enroll["action"], "enroll");
    let at_will = ["--action", "duplicate", "--order", "4711"];
    assert_eq!(explain(&[&early[..], &at_will].concat())["order"], 4711);
    let elsewhere = explain(&[&early[..], &["--action", "duplicate", "--order", "4712"]].concat());
    for part in ["rule", "code", "message"] {
        assert!(elsewhere["refusal"][part].is_string(), "{elsewhere}");
    }
}
