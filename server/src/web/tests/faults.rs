//! What a refusal says, and where: at its field, to screen readers too, and first of all.

use super::*;

const PORTAL: &str = "http://portal.test";

/// The tag that has all of `pieces`.
fn tag<'a>(page: &'a Page, pieces: &[&str]) -> &'a str {
    let found = page.text.split('<').find(|tag| pieces.iter().all(|piece| tag.contains(piece)));
    found.unwrap_or_else(|| panic!("no tag with {pieces:?}: {}", page.text))
}

/// The number of an organization that is there.
async fn organization(browser: &mut Browser) -> String {
    let ours = form(&[("name", "Ours"), ("country", "DE")]);
    let added = browser.post("/api/organizations/add", PORTAL, &ours).await;
    added.location.rsplit('/').next().unwrap().to_owned()
}

async fn profile(browser: &mut Browser, more: &[(&str, &str)]) -> Page {
    let organization = organization(browser).await;
    let fields = [
        ("name", "Web"),
        ("product", "ssl_plus"),
        ("organization", &*organization),
        ("key_type", "ec_p256"),
        ("signature_hash", "sha256"),
        ("__page", "/automation/profiles/new"),
    ];
    browser.post("/api/profiles/save", PORTAL, &form(&[&fields, more].concat())).await
}

#[tokio::test]
async fn the_validity_of_a_profile_is_refused_at_its_field() {
    let mut browser = Browser::signed_in().await;
    let page = profile(&mut browser, &[("validity", "days"), ("validity_amount", "9999")]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", page.text);
    let field = tag(&page, &["name=\"validity_amount\""]);
    assert!(field.contains("aria-invalid=\"true\"") && field.contains("value=\"9999\""), "{field}");
    assert!(page.text.contains("<a href=\"#save-validity_amount\">"), "{}", page.text);
}

#[tokio::test]
async fn a_profile_has_so_many_addresses_and_no_more() {
    let mut browser = Browser::signed_in().await;
    let all = |count| vec!["ops@example.com"; count].join(" ");
    let page = profile(&mut browser, &[("emails", &all(21))]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", page.text);
    assert!(tag(&page, &["name=\"emails\""]).contains("aria-invalid=\"true\""));
    assert!(page.text.contains("at most 20 e-mail addresses"), "{}", page.text);
}
