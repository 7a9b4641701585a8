//! Forms: those that a sign-in carries over, and those that are too large.

use http::StatusCode;

use super::super::forms::CARRIED_LIMIT;
use super::super::{FORM_LIMIT, READ_LIMIT};
use super::*;

#[tokio::test]
async fn forms_are_bounded() {
    let mut browser = Browser::open(false).await;
    let carried = |size| format!("__carried={}", "x".repeat(size));
    let add = "/api/organizations/add";
    let sign_in = "/api/session/sign-in";
    for (path, form, fits) in [
        (add, "x".repeat(FORM_LIMIT), true),
        (add, carried(FORM_LIMIT), false),
        (add, "x".repeat(READ_LIMIT + 1), false),
        // No field is too long, all together are.
        (add, "x=y&".repeat(FORM_LIMIT / 4 + 1), false),
        (sign_in, "x".repeat(FORM_LIMIT + 1), false),
        // It carries others, escaped twice.
        (sign_in, carried(FORM_LIMIT), true),
        (sign_in, carried(CARRIED_LIMIT), false),
    ] {
        let status = browser.post(path, "http://portal.test", &form).await.status;
        assert_eq!(status != StatusCode::PAYLOAD_TOO_LARGE, fits, "{path} {}", form.len());
    }
}

#[tokio::test]
async fn a_megabyte_in_a_field_is_a_fault_there_and_all_else_stays_as_it_was_typed() {
    let mut browser = Browser::signed_in().await;
    let large = "x".repeat(1_000_000);
    let fields = [
        ("name", "Our & Co"),
        ("country", "DE"),
        ("locality", &large),
        ("__page", "/certificates/organizations/new"),
    ];
    let portal = "http://portal.test";
    let page = browser.post("/api/organizations/add", portal, &form(&fields)).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", page.text);
    assert!(page.text.len() < 100_000, "the megabyte is not sent back: {}", page.text.len());
    assert!(page.text.contains("longer than 128 kB"), "{}", page.text);
    assert!(page.text.contains("add-locality-fault"), "at its field: {}", page.text);
    assert_eq!(value_of(&page, "name"), "Our & Co");
    let list = browser.get("/certificates/organizations").await;
    assert!(!list.text.contains("Our &amp; Co"), "nothing was done");

    // As an island asks.
    let answer = browser.ask("/api/organizations/add", &form(&fields)).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text);
    assert!(answer.text.contains("\"field\":\"locality\""), "{}", answer.text);

    browser.cookies.clear();
    let page = browser.post("/api/organizations/add", portal, &form(&fields)).await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    assert!(value_of(&page, "__carried").contains("Our"), "all else goes over the sign-in");
}

#[tokio::test]
async fn a_form_without_a_session_comes_back_filled_in_after_signing_in() {
    let mut browser = Browser::signed_in().await;
    browser.cookies.clear();
    let portal = "http://portal.test";
    let typed = "name=%22Ours%22+%26+%3CCo%3E&country=DE&locality=&password=mine&__page=%2Fcertificates%2Forganizations%2Fnew";
    let page = browser.post("/api/organizations/add", portal, typed).await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    assert!(page.text.contains("Your session has ended"), "{}", page.text);
    assert!(!page.text.contains("mine"), "no password is carried");
    assert_eq!(value_of(&page, "next"), "/certificates/organizations/new");

    let sign_in = |page: &Page, password: &str| {
        form(&[
            ("email", "ada@example.com"),
            ("password", password),
            ("next", "/certificates/organizations/new"),
            ("__page", "/sign-in?next=%2Fcertificates%2Forganizations%2Fnew"),
            ("__carried", &value_of(page, "__carried")),
        ])
    };
    let page = browser.post("/api/session/sign-in", portal, &sign_in(&page, "a wrong guess")).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = browser.post("/api/session/sign-in", portal, &sign_in(&page, PASSWORD)).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    assert!(page.text.contains("You are signed in again"), "{}", page.text);
    assert!(page.text.contains("Add organization") && page.text.contains("Ada Byron"));
    assert_eq!(value_of(&page, "name"), "\"Ours\" & <Co>");
    assert!(page.text.contains(r#"value="DE""#));
    let list = browser.get("/certificates/organizations").await;
    assert!(!list.text.contains("Ours"), "nothing was done before it is sent again");
    let sent = browser.post("/api/organizations/add", portal, typed).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn settings_that_changed_meanwhile_are_seen_after_signing_in_too() {
    let mut browser = Browser::signed_in().await;
    let portal = "http://portal.test";
    let stale = "version=0&approval_step=one_step&brand_word=Mine&__page=%2Fsettings%2Fpreferences";
    let kept = std::mem::take(&mut browser.cookies);
    let page = browser.post("/api/preferences/save", portal, stale).await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    let carried = value_of(&page, "__carried");
    browser.cookies = kept;
    let other = "version=0&approval_step=skip&brand_word=Theirs&__page=%2Fsettings%2Fpreferences";
    assert_eq!(
        browser.post("/api/preferences/save", portal, other).await.status,
        StatusCode::SEE_OTHER
    );
    browser.cookies.clear();
    let fields = [("email", "ada@example.com"), ("password", PASSWORD), ("next", "/")];
    let sign_in = form(&[fields.as_slice(), &[("__carried", carried.as_str())]].concat());
    let page = browser.post("/api/session/sign-in", portal, &sign_in).await;
    assert_eq!(value_of(&page, "version"), "0", "the version that was typed into");
    assert!(page.text.contains(r#"value="Mine""#));
}

#[tokio::test]
async fn a_form_that_a_sign_in_carries_leads_to_no_other_site() {
    let mut browser = Browser::open(false).await;
    let carried = "/api/organizations/add?__page=https%3A%2F%2Fevil.example%2F";
    let fields = [("email", "ada@example.com"), ("password", PASSWORD), ("next", "/")];
    let sign_in = form(&[fields.as_slice(), &[("__carried", carried)]].concat());
    let page = browser.post("/api/session/sign-in", "http://portal.test", &sign_in).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("<h1>Dashboard</h1>"), "{}", page.text);
}
