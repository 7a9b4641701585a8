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

#[tokio::test]
async fn after_a_refusal_the_keyboard_is_where_it_says_why() {
    let mut browser = Browser::open(false).await;
    let page = browser.get("/sign-in").await;
    assert!(tag(&page, &["name=\"email\""]).contains("autofocus"));
    let page = browser.sign_in("a wrong guess", "/").await;
    assert!(!tag(&page, &["name=\"email\""]).contains("autofocus"), "one place at a time");
    let notice = tag(&page, &["role=\"alert\""]);
    assert!(notice.contains("autofocus") && notice.contains("tabindex=\"-1\""), "{notice}");

    browser.sign_in(PASSWORD, "/").await;
    browser.cookies.clear();
    let form = form(&[("name", "Ours"), ("country", "DE")]);
    let page = browser.post("/api/organizations/add", PORTAL, &form).await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    assert!(!tag(&page, &["name=\"email\""]).contains("autofocus"));
    assert!(tag(&page, &["role=\"alert\""]).contains("autofocus"), "why the session has ended");
}

#[tokio::test]
async fn faults_are_tied_to_boxes_and_groups() {
    let mut browser = Browser::signed_in().await;
    let organization = organization(&mut browser).await;
    let fields = [
        ("name", "web"),
        ("product", "ssl_plus"),
        ("organization", &*organization),
        ("duplicate_automatically", "on"),
        ("__page", "/automation/acme-urls/new"),
    ];
    let page = browser.post("/api/acme-urls/add", PORTAL, &form(&fields)).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", page.text);
    let field = tag(&page, &["name=\"duplicate_automatically\""]);
    assert!(field.contains("aria-invalid=\"true\""), "{field}");
    assert!(field.contains("add-duplicate_automatically-fault"), "{field}");
}

#[tokio::test]
async fn a_fault_without_a_field_on_the_page_is_no_dead_link() {
    let mut browser = Browser::signed_in().await;
    let fields = [("name", "Ours"), ("country", "DE"), ("elsewhere", &*"x".repeat(1_000_000))];
    let fields = [fields.as_slice(), &[("__page", "/certificates/organizations/new")]].concat();
    let page = browser.post("/api/organizations/add", PORTAL, &form(&fields)).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.text.contains("longer than 128 kB"), "{}", page.text);
    assert!(!page.text.contains("#add-elsewhere"), "{}", page.text);
}
