//! The very first start, and what a browser needs first.

use http::{StatusCode, header};

use super::portal::{Running, certdeck, client, page, send_form, session_of, sign_in};

const PASSWORD: &str = "harbour violet anvil";

#[tokio::test]
async fn the_first_start_prints_a_link_that_makes_one_administrator() {
    let folder = tempfile::tempdir().unwrap();
    let mut portal = Running::serve(certdeck(folder.path(), &["serve"])).await;
    portal.line_with("No one can sign in yet.").await;
    let token = portal.line_with(&format!("{}/set-up/", portal.url)).await;
    let url = portal.url.clone();
    let (status, form) = page(&url, &format!("/set-up/{token}"), "").await;
    assert_eq!(status, StatusCode::OK);
    assert!(form.contains("administrator"));
    let password = PASSWORD.replace(' ', "+");
    let set_up = async |email: &str| {
        let form = format!("token={token}&email={email}&name=Ada&password={password}");
        send_form(&url, "/api/set-up/administrator", &form).await
    };
    let made = set_up("ada%40example.com").await;
    assert_eq!(made.status(), StatusCode::SEE_OTHER, "{made:?}");
    let (status, people) = page(&url, "/account/users", &session_of(&made).unwrap()).await;
    assert_eq!(status, StatusCode::OK, "an administrator's page");
    assert!(people.contains("ada@example.com"));

    assert_eq!(session_of(&set_up("eve%40example.com").await), None, "the link was good once");
    assert!(sign_in(&url, "ada@example.com", PASSWORD).await.is_some());
    assert_eq!(sign_in(&url, "eve@example.com", PASSWORD).await, None);

    portal.terminate().await;
    assert_eq!(portal.code().await, Some(0));
    let again = Running::serve(certdeck(folder.path(), &["serve"])).await;
    again.terminate().await;
    assert_eq!(again.rest().await, Vec::<String>::new(), "no second link");
}

#[tokio::test]
async fn a_built_file_comes_compressed_and_may_be_kept_for_ever() {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/site/manifest.json");
    assert!(
        std::path::Path::new(manifest).exists(),
        "the site is not built: `cargo run -p xtask -- site`, then this again"
    );
    let folder = tempfile::tempdir().unwrap();
    let portal = Running::serve(certdeck(folder.path(), &["serve"])).await;
    let page = client().get(format!("{}/sign-in", portal.url)).send().await.unwrap();
    let page = page.text().await.unwrap();
    let style = page.split('"').find(|text| text.starts_with("/pkg/") && text.contains(".css"));
    let style = format!("{}{}", portal.url, style.unwrap());
    let get = |accepted: &'static str| {
        client().get(&style).header(header::ACCEPT_ENCODING, accepted).send()
    };
    let file = get("gzip, deflate, br, zstd").await.unwrap();
    let headers = file.headers();
    assert_eq!(file.status(), StatusCode::OK);
    assert_eq!(headers[header::CONTENT_ENCODING], "br");
    assert_eq!(headers[header::CACHE_CONTROL], "public, max-age=31536000, immutable");
    assert_eq!(headers[header::VARY], "accept-encoding");
    let plain = get("identity").await.unwrap();
    assert!(plain.headers().get(header::CONTENT_ENCODING).is_none());
    let (short, long) = (file.bytes().await.unwrap(), plain.bytes().await.unwrap());
    assert!(!short.is_empty() && short.len() < long.len() / 2);
}
