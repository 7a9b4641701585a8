//! `serve --demo`: its way back to the start, and what it does not touch.

use http::{StatusCode, header};
use store::testing::databases;

use super::portal::{Running, certdeck, client, outcome, page, printed, sign_in};

#[tokio::test]
async fn the_command_puts_the_demonstration_back_to_its_start() {
    let folder = tempfile::tempdir().unwrap();
    let mut portal = Running::serve(certdeck(folder.path(), &["serve", "--demo"])).await;
    portal.line_with("sign in with:").await;
    let setting = ["settings", "get", "approval_step"];
    let first = printed(folder.path(), &setting).await;
    printed(folder.path(), &["settings", "set", "approval_step", "skip"]).await;
    printed(folder.path(), &["org", "add", "Ours", "--country", "DE"]).await;
    assert_ne!(printed(folder.path(), &setting).await, first);
    let orders = printed(folder.path(), &["order", "list"]).await;
    let url = portal.url.clone();
    let said = printed(folder.path(), &["demo", "reset"]).await;
    assert!(said.contains("goes back to its start"), "{said}");
    portal.listening().await;
    assert_eq!(portal.url, url, "on the same port");
    assert_eq!(printed(folder.path(), &setting).await, first);
    assert_eq!(
        printed(folder.path(), &["order", "list"]).await.lines().count(),
        orders.lines().count()
    );
    let taken = printed(folder.path(), &["org", "add", "Ours", "--country", "DE"]).await;
    assert!(!taken.is_empty(), "the organization is gone");
    // A stranger's request does nothing.
    let reset = client().post(format!("{url}/demo/reset"));
    assert_eq!(reset.send().await.unwrap().status(), StatusCode::FORBIDDEN);
    portal.terminate().await;
    assert_eq!(portal.code().await, Some(0));
}

#[tokio::test]
async fn the_sign_in_of_each_role_is_printed_and_opens_the_portal() {
    let folder = tempfile::tempdir().unwrap();
    let mut portal = Running::serve(certdeck(folder.path(), &["serve", "--demo"])).await;
    portal.line_with("sign in with:").await;
    for wanted in ["Administrator", "Manager", "Standard User", "Limited User"] {
        let line = portal.line_with("  ").await;
        let words: Vec<&str> = line.split_whitespace().collect();
        let [email, password, role @ ..] = words.as_slice() else { panic!("{line:?}") };
        assert_eq!(role.join(" "), wanted);
        assert!(sign_in(&portal.url, email, password).await.is_some(), "{line}");
    }
    portal.terminate().await;
    assert_eq!(portal.code().await, Some(0));
}

#[tokio::test]
async fn on_postgresql_the_command_says_why_there_is_no_way_back() {
    for database in databases().await.into_iter().filter(|one| one.kind == "postgres") {
        let folder = tempfile::tempdir().unwrap();
        let on_it = |words: &[&str]| {
            let mut command = certdeck(folder.path(), words);
            command.env("CERTDECK_DATABASE_URL", &database.url);
            command
        };
        let mut portal = Running::serve(on_it(&["serve", "--demo"])).await;
        portal.line_with("sign in with:").await;
        let refused = outcome(on_it(&["demo", "reset"])).await;
        let said = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(1), "{said}");
        assert!(said.contains("on SQLite only"), "{said}");
        let url = &portal.url;
        let session = sign_in(url, "admin@example.com", "demo-administrator").await.unwrap();
        let (_, shown) = page(url, "/certificates/orders", &session).await;
        assert!(shown.contains("on SQLite only") && !shown.contains("Back to the start"));
        let pressed = client()
            .post(format!("{url}/api/demo/reset"))
            .header(header::ORIGIN, url)
            .header(header::COOKIE, session);
        assert_eq!(pressed.send().await.unwrap().status(), StatusCode::CONFLICT);
        portal.terminate().await;
        assert_eq!(portal.code().await, Some(0));
    }
}

#[tokio::test]
async fn an_emptied_database_has_an_agent_again() {
    let folder = tempfile::tempdir().unwrap();
    let first = Running::serve(certdeck(folder.path(), &["serve", "--demo"])).await;
    first.terminate().await;
    assert_eq!(first.code().await, Some(0));
    for ending in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(folder.path().join(format!("certdeck.sqlite{ending}")));
    }
    // The agent's identity of the first database is still there.
    assert!(folder.path().join("demo/agent").exists());
    let mut command = certdeck(folder.path(), &["serve", "--demo"]);
    command.env("RUST_LOG", "warn").stderr(std::process::Stdio::piped());
    let mut again = Running::spawn(command);
    let mut log = again.stderr();
    again.listening().await;
    again.terminate().await;
    let mut said = String::new();
    while let Some(line) = log.next_line().await.unwrap() {
        said.push_str(&line);
    }
    assert!(!said.contains("has not reported its endpoints"), "{said}");
    assert_eq!(again.code().await, Some(0));
}
