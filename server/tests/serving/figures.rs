//! Health, figures and logs.

use std::process::Stdio;

use http::StatusCode;
use serde_json::Value;
use store::testing::databases;

use super::portal::{PATIENCE, Running, certdeck, client};

#[tokio::test]
async fn health_and_figures_are_served_and_the_log_is_json() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = certdeck(folder.path(), &["serve"]);
    command
        .env("CERTDECK_METRICS_LISTEN", "127.0.0.1:0")
        .env("CERTDECK_LOG_FORMAT", "json")
        .env("RUST_LOG", "info")
        .stderr(Stdio::piped());
    let mut portal = Running::spawn(command);
    let mut log = portal.stderr();
    let metrics = portal.line_with("metrics on ").await;
    portal.listening().await;
    let get = async |url: String| {
        let answer = client().get(url).send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    };
    for (path, said) in [("healthz", "ok\n"), ("readyz", "ready\n")] {
        assert_eq!(get(format!("{}/{path}", portal.url)).await, (StatusCode::OK, said.to_owned()));
    }
    let (status, figures) = get(metrics).await;
    assert_eq!(status, StatusCode::OK);
    let counted = r#"certdeck_http_requests_total{route="/healthz",method="GET",status="200"} 1"#;
    assert!(figures.lines().any(|line| line == counted), "{figures}");
    assert!(figures.contains(r#"certdeck_http_request_seconds_bucket{route="/readyz",le="10"} 1"#));
    let (status, _) = get(format!("{}/metrics", portal.url)).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "not where people are");

    portal.terminate().await;
    assert_eq!(portal.code().await, Some(0));
    let mut lines = 0;
    while let Some(line) = tokio::time::timeout(PATIENCE, log.next_line()).await.unwrap().unwrap() {
        let entry: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"));
        assert!(entry["level"].is_string() && entry["fields"]["message"].is_string(), "{line}");
        lines += 1;
    }
    assert!(lines > 0, "CAA's default is announced at the start");
}

#[tokio::test]
async fn a_portal_on_another_programs_schema_is_alive_and_not_ready() {
    for database in databases().await {
        let folder = tempfile::tempdir().unwrap();
        let mut command = certdeck(folder.path(), &["serve"]);
        command.env("CERTDECK_DATABASE_URL", &database.url);
        let portal = Running::serve(command).await;
        database.execute("DELETE FROM _sqlx_migrations WHERE version > 1").await.unwrap();
        let get = async |path: &str| {
            let answer = client().get(format!("{}/{path}", portal.url)).send().await.unwrap();
            (answer.status(), answer.text().await.unwrap())
        };
        assert_eq!(get("healthz").await.0, StatusCode::OK);
        let (status, said) = get("readyz").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{}", database.kind);
        assert!(said.contains("certdeck migrate"), "{}: {said}", database.kind);
    }
}
