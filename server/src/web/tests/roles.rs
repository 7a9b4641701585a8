//! Who gets in where: every server function and every file, by every role.

use std::collections::BTreeSet;

use self::Visitor::{Administrator, Anonymous, Limited, Manager, Standard};
use super::*;

/// Who comes, each of whom may what the one before may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Visitor {
    Anonymous,
    Limited,
    Standard,
    Manager,
    Administrator,
}

impl Visitor {
    const ALL: [Self; 5] = [Anonymous, Limited, Standard, Manager, Administrator];

    const fn role(self) -> Option<Role> {
        match self {
            Anonymous => None,
            Limited => Some(Role::Limited),
            Standard => Some(Role::Standard),
            Manager => Some(Role::Manager),
            Administrator => Some(Role::Administrator),
        }
    }
}

/// Each server function with a form that it can read, about what is not there, and the least of
/// those who get in.
const FUNCTIONS: [(&str, &str, Visitor); 89] = [
    ("acme-urls/add", "name=web&product=ssl_plus", Manager),
    ("acme-urls/form", "", Manager),
    ("acme-urls/list", "query=", Manager),
    ("acme-urls/one", "id=999&query=", Manager),
    ("acme-urls/revoke", "id=999", Manager),
    ("acme-urls/rotate", "id=999&overlap_days=1", Manager),
    ("acme-urls/try", "url_name=x&names=a.test&cn=&action=&order=&at=", Manager),
    ("activity/cancel", "id=999&back=/", Standard),
    ("activity/list", "query=", Standard),
    ("activity/one", "id=999", Standard),
    ("activity/retry", "id=999", Standard),
    ("agents/add", "name=", Manager),
    ("agents/list", "query=", Standard),
    ("agents/one", "id=999", Standard),
    ("agents/remove", "id=999", Manager),
    ("api-keys/add", "name=&role=limited", Limited),
    ("api-keys/list", "query=", Limited),
    ("api-keys/one", "id=999", Limited),
    ("api-keys/own-role", "", Limited),
    ("api-keys/revoke", "id=999", Limited),
    ("api-keys/taken", "", Limited),
    ("audit/check", "", Administrator),
    ("audit/list", "query=", Administrator),
    ("dashboard", "", Limited),
    ("demo/reset", "", Administrator),
    ("domains/add", "name=a.test&organization=999", Administrator),
    ("domains/check-dns", "id=999", Administrator),
    ("domains/check-file", "id=999", Administrator),
    ("domains/list", "query=", Standard),
    ("domains/one", "id=999", Standard),
    ("domains/owners", "", Standard),
    ("domains/token", "id=999", Administrator),
    ("domains/validate", "id=999&valid=true", Administrator),
    (
        "endpoints/auto-renew",
        "id=999&profile=999&days_before=30&renew_time=02:00&time_zone=UTC",
        Manager,
    ),
    ("endpoints/auto-renew-off", "id=999&back=/", Manager),
    ("endpoints/bulk", "query=do%3Drenew", Manager),
    ("endpoints/bulk-auto-renew", "act=auto_renew_off", Manager),
    ("endpoints/bulk-submit", "act=renew&key=k", Manager),
    ("endpoints/list", "query=", Standard),
    ("endpoints/one", "id=999", Standard),
    ("orders/duplicate", "number=999", Limited),
    ("orders/list", "query=", Limited),
    ("orders/one", "number=999", Limited),
    ("orders/reissue", "number=999", Limited),
    ("orders/renew", "number=999", Limited),
    ("orders/revoke", "number=999", Limited),
    ("organizations/add", "name=&country=DE", Administrator),
    ("organizations/details", "id=999", Administrator),
    ("organizations/list", "query=", Standard),
    ("organizations/one", "id=999", Standard),
    ("organizations/validate", "id=999&valid=true", Administrator),
    ("preferences", "", Limited),
    ("preferences/save", "version=999", Administrator),
    ("profiles/delete", "id=999", Manager),
    ("profiles/form", "", Manager),
    ("profiles/form", "id=999", Standard),
    ("profiles/list", "query=", Standard),
    ("profiles/save", "name=&product=&key_type=&signature_hash=", Manager),
    ("request/certificate", "", Limited),
    ("request/options", "", Limited),
    ("requests/cancel", "id=999", Limited),
    ("requests/list", "query=", Limited),
    ("requests/one", "id=999", Limited),
    ("requests/review", "id=999&decision=approve", Manager),
    ("search", "text=a&after=", Limited),
    ("session/sign-in", "email=a@b.test&password=x&next=/", Anonymous),
    ("session/theme", "theme=dark&back=/", Anonymous),
    ("set-up/administrator", "token=x&email=a@b.test&name=A&password=x", Anonymous),
    ("set-up/link", "token=x", Anonymous),
    ("set-up/password", "token=x&password=x", Anonymous),
    ("users/add", "email=&name=&role=", Administrator),
    ("users/disable", "id=999&disabled=true", Administrator),
    ("users/link", "id=999", Administrator),
    ("users/list", "query=", Administrator),
    ("users/me", "", Limited),
    ("users/one", "id=999", Administrator),
    ("users/password", "current_password=x&password=y", Limited),
    ("users/profile", "name=&time_zone=UTC", Limited),
    ("users/role", "id=999&role=limited", Administrator),
    ("users/taken-link", "", Administrator),
    ("wizard/certificate", "endpoint=999&state=&obtain=new", Standard),
    ("wizard/certificate-step", "id=999&query=", Standard),
    ("wizard/frame", "id=999&query=", Standard),
    ("wizard/installation", "endpoint=999&state=&install=now", Standard),
    ("wizard/profile", "endpoint=999&state=", Standard),
    ("wizard/profile-step", "id=999&query=", Standard),
    ("wizard/review-step", "id=999&query=", Standard),
    ("wizard/submit", "endpoint=999&state=&key=k", Standard),
    // The last one: their session is over then.
    ("session/sign-out", "", Anonymous),
];

/// The same of what is answered with files and streams.
const FILES: [(&str, Visitor); 16] = [
    ("/account/api-keys.csv", Limited),
    ("/account/audit-log.csv", Administrator),
    ("/account/users.csv", Administrator),
    ("/automation/acme-urls.csv", Manager),
    ("/automation/activity.csv", Standard),
    ("/automation/activity/{id}/stream", Standard),
    ("/automation/agents.csv", Standard),
    ("/automation/endpoints.csv", Standard),
    ("/automation/endpoints/{id}/request/names", Standard),
    ("/automation/profiles.csv", Standard),
    ("/certificates/domains.csv", Standard),
    ("/certificates/files/{id}/{format}", Limited),
    ("/certificates/orders.csv", Limited),
    ("/certificates/organizations.csv", Standard),
    ("/certificates/request/csr", Limited),
    ("/certificates/requests.csv", Limited),
];

async fn visiting(visitor: Visitor) -> Browser {
    let Some(role) = visitor.role() else { return Browser::open(false).await };
    let mut browser = Browser::open_with(false, role).await;
    let page = browser.sign_in(PASSWORD, "/").await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{visitor:?}: {}", page.text);
    browser
}

fn check(page: &Page, what: &str, visitor: Visitor, least: Visitor) {
    let refusal = match visitor {
        _ if visitor >= least => None,
        Anonymous => Some(StatusCode::UNAUTHORIZED),
        _ => Some(StatusCode::FORBIDDEN),
    };
    let refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&page.status);
    let found = refused.then_some(page.status);
    assert_eq!(found, refusal, "{what} by {visitor:?}: {} {}", page.status, page.text);
    assert!(!page.text.contains("could not be read"), "{what} by {visitor:?}: {}", page.text);
}

#[tokio::test]
async fn every_server_function_lets_in_whom_it_should_and_nobody_else() {
    let known: BTreeSet<_> = FUNCTIONS.map(|(name, ..)| format!("/api/{name}")).into();
    let there = leptos::server_fn::axum::server_fn_paths();
    let there: BTreeSet<_> = there.map(|(path, _)| path.to_owned()).collect();
    assert_eq!(known, there, "each server function belongs into the table");
    for visitor in Visitor::ALL {
        let mut browser = visiting(visitor).await;
        for (name, form, least) in FUNCTIONS {
            let page = browser.ask(&format!("/api/{name}"), form).await;
            check(&page, &format!("{name}?{form}"), visitor, least);
        }
    }
}

#[tokio::test]
async fn every_file_is_for_whom_it_should_be_and_nobody_else() {
    let known: BTreeSet<_> = FILES.map(|(path, _)| path.to_owned()).into();
    let there: BTreeSet<_> = app::files::each().into_iter().map(|(path, _)| path).collect();
    assert_eq!(known, there, "each file belongs into the table");
    for visitor in Visitor::ALL {
        let mut browser = visiting(visitor).await;
        for (path, least) in FILES {
            let url = path.replace("{id}", "999").replace("{format}", "pem");
            let page = match path {
                "/certificates/request/csr" => browser.ask(&url, "no CSR").await,
                _ => browser.get(&url).await,
            };
            check(&page, path, visitor, least);
        }
    }
}
