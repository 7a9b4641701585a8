//! The very first start, and what a browser needs first.

use http::{StatusCode, header};

use super::portal::{Running, certdeck, client};

const PASSWORD: &str = "harbour violet anvil";

#[tokio::test]
async fn the_first_start_prints_a_link_that_makes_one_administrator() {
    let folder = tempfile::tempdir().unwrap();
    let mut portal = Running::serve(certdeck(folder.path(), &["serve"])).await;
    portal.line_with("No one can sign in yet.").await;
    let token = portal.line_with(&format!("{}/set-up/", portal.url)).await;
    let (client, url) = (client(), portal.url.clone());
    let page = client.get(format!("{url}/set-up/{token}")).send().await.unwrap();
    assert_eq!(page.status(), StatusCode::OK);
    assert!(page.text().await.unwrap().contains("administrator"));
    let send = async |path: &str, form: String| {
        let request = client
            .post(format!("{url}{path}"))
            .header(header::ORIGIN, &url)
            .header(header::ACCEPT, "text/html")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        request.body(form).send().await.unwrap()
    };
    let password = PASSWORD.replace(' ', "+");
    let set_up = |email: &str| format!("token={token}&email={email}&name=Ada&password={password}");
    let made = send("/api/set-up/administrator", set_up("ada%40example.com")).await;
    assert_eq!(made.status(), StatusCode::SEE_OTHER, "{made:?}");
    let cookie = made.headers()[header::SET_COOKIE].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let people = client.get(format!("{url}/account/users")).header(header::COOKIE, &cookie);
    let people = people.send().await.unwrap();
    assert_eq!(people.status(), StatusCode::OK, "an administrator's page");
    assert!(people.text().await.unwrap().contains("ada@example.com"));

    send("/api/set-up/administrator", set_up("eve%40example.com")).await;
    let sign_in = |email: &str| format!("email={email}&password={password}&next=%2F");
    let signed_in = async |email: &str| {
        let answer = send("/api/session/sign-in", sign_in(email)).await;
        answer.headers().get_all(header::SET_COOKIE).iter().any(|cookie| {
            cookie.to_str().unwrap().split_once('=').is_some_and(|(name, _)| name == "certdeck")
        })
    };
    assert!(signed_in("ada%40example.com").await);
    assert!(!signed_in("eve%40example.com").await, "the link was good once");

    portal.terminate().await;
    assert_eq!(portal.code().await, Some(0));
    let again = Running::serve(certdeck(folder.path(), &["serve"])).await;
    again.terminate().await;
    assert_eq!(again.rest().await, Vec::<String>::new(), "no second link");
}

#[tokio::test]
async fn a_built_file_comes_compressed_and_may_be_kept_for_ever() {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/site/manifest.json");
    if !std::path::Path::new(manifest).exists() {
        eprintln!("not looked at: the site is not built (`cargo run -p xtask -- site`)");
        return;
    }
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
