//! Pages and forms as a browser without scripts sees them.

use std::net::SocketAddr;

use app::query::Query;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use domain::model::Role;
use http::header::{ACCEPT, CONTENT_TYPE, COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use http::{Request, Response, StatusCode};
use lifecycle::accounts::NewUser;
use lifecycle::{Actor, Clock, Lifecycle, Store, StoreOptions};
use tempfile::TempDir;
use tower::ServiceExt as _;

use super::{WebOptions, router};

mod automation;
mod faults;
mod forms;
mod requests;
mod roles;

const PASSWORD: &str = "harbour violet anvil";

/// A portal with one administrator, and a browser in front of it.
struct Browser {
    desk: Lifecycle,
    router: Router,
    cookies: Vec<(String, String)>,
    _folder: TempDir,
}

/// A form as a browser sends it.
fn form(fields: &[(&str, &str)]) -> String {
    let fields = fields.iter().fold(Query::default(), |all, (name, value)| all.with(name, value));
    fields.text()
}

/// What came back.
struct Page {
    status: StatusCode,
    location: String,
    cookies: Vec<String>,
    headers: http::HeaderMap,
    text: String,
}

impl Browser {
    async fn open(tls: bool) -> Self {
        Self::open_with(tls, Role::Administrator).await
    }

    /// In front of a portal where Ada has another role.
    async fn open_with(tls: bool, role: Role) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("portal.db").display());
        let store = Store::open(&url, StoreOptions::default()).await.unwrap();
        store.migrate().await.unwrap();
        let desk = Lifecycle::new(store, Clock::system());
        let ada = NewUser {
            email: "ada@example.com".to_owned(),
            name: "Ada Byron".to_owned(),
            role,
            password: Some(PASSWORD.to_owned()),
        };
        desk.add_user(&Actor::Operator, ada).await.unwrap();
        let router = router(desk.clone(), WebOptions { tls, base_url: None });
        Self { desk, router, cookies: Vec::new(), _folder: folder }
    }

    async fn signed_in() -> Self {
        let mut browser = Self::open(false).await;
        let page = browser.sign_in(PASSWORD, "/").await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
        browser
    }

    async fn get(&mut self, url: &str) -> Page {
        let request = Request::get(url).body(Body::empty()).unwrap();
        self.send(request).await
    }

    async fn post(&mut self, url: &str, origin: &str, form: &str) -> Page {
        let request = Request::post(url)
            .header(ORIGIN, origin)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form.to_owned()))
            .unwrap();
        self.send(request).await
    }

    /// As an island or a program asks.
    async fn ask(&mut self, url: &str, form: &str) -> Page {
        let request = Request::post(url)
            .header(ORIGIN, "http://portal.test")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ACCEPT, "application/json")
            .body(Body::from(form.to_owned()))
            .unwrap();
        self.send(request).await
    }

    async fn sign_in(&mut self, password: &str, next: &str) -> Page {
        let form = format!(
            "email=ada%40example.com&password={password}&next={next}&__page=%2Fsign-in%3Fnext%3D%252F"
        );
        self.post("/api/session/sign-in", "http://portal.test", &form.replace(' ', "+")).await
    }

    async fn send(&mut self, request: Request<Body>) -> Page {
        let page = self.sending(request).await;
        for cookie in &page.cookies {
            let (name, value) =
                cookie.split(';').next().and_then(|pair| pair.split_once('=')).unwrap();
            self.cookies.retain(|(known, _)| known != name);
            if !cookie.contains("Max-Age=0") {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        page
    }

    /// Sends without waiting and without keeping new cookies.
    fn sending(&self, mut request: Request<Body>) -> impl Future<Output = Page> + Send + use<> {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let headers = request.headers_mut();
        headers.insert("host", "portal.test".parse().unwrap());
        headers.entry(ACCEPT).or_insert("text/html,application/xhtml+xml".parse().unwrap());
        headers.insert(COOKIE, cookies.join("; ").parse().unwrap());
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 4000))));
        let router = self.router.clone();
        async move { Page::read(router.oneshot(request).await.unwrap()).await }
    }
}

impl Page {
    async fn read(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let text = |value: &http::HeaderValue| value.to_str().unwrap().to_owned();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        Self {
            status: parts.status,
            location: parts.headers.get(LOCATION).map(text).unwrap_or_default(),
            cookies: parts.headers.get_all(SET_COOKIE).iter().map(text).collect(),
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }
}

#[tokio::test]
async fn visitors_are_led_to_the_sign_in_page_and_back() {
    let mut browser = Browser::open(false).await;
    let page = browser.get("/certificates/orders?status=issued").await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
    assert_eq!(page.location, "/sign-in?next=%2Fcertificates%2Forders%3Fstatus%3Dissued");
    let page = browser.get(&page.location).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(
        page.text.contains(r#"name="next" value="/certificates/orders?status=issued""#),
        "{}",
        page.text
    );
    let page = browser.sign_in(PASSWORD, "%2Fcertificates%2Forders").await;
    assert_eq!(
        (page.status, page.location.as_str()),
        (StatusCode::SEE_OTHER, "/certificates/orders")
    );
    assert_eq!(browser.get("/settings/preferences").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_refused_form_comes_back_with_what_was_typed_but_no_password() {
    let mut browser = Browser::open(false).await;
    let page = browser.sign_in("wrong+guess+of+mine", "/").await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.text.contains(r#"value="ada@example.com""#), "{}", page.text);
    assert!(page.text.contains("is not right"));
    assert!(page.text.contains(r#"aria-invalid="true""#));
    assert!(!page.text.contains("wrong guess"));
    assert!(page.cookies.is_empty());
}

#[tokio::test]
async fn session_cookies_are_bound_to_the_host_where_there_is_tls() {
    let page = Browser::open(false).await.sign_in(PASSWORD, "/").await;
    let cookie = page.cookies.first().unwrap();
    assert!(
        cookie.starts_with("certdeck=")
            && cookie.contains("HttpOnly")
            && cookie.contains("SameSite=Lax")
    );
    let page = Browser::open(true).await.sign_in(PASSWORD, "/").await;
    let cookie = page.cookies.first().unwrap();
    assert!(cookie.starts_with("__Host-certdeck=") && cookie.contains("Secure"), "{cookie}");
    assert!(page.headers.contains_key("strict-transport-security"));
}

#[tokio::test]
async fn a_sign_in_leads_to_no_other_site() {
    let page = Browser::open(false).await.sign_in(PASSWORD, "https%3A%2F%2Fevil.example%2F").await;
    assert_eq!((page.status, page.location.as_str()), (StatusCode::SEE_OTHER, "/"));
}

#[tokio::test]
async fn forms_of_other_sites_do_nothing() {
    let mut browser = Browser::signed_in().await;
    let page = browser.post("/api/session/sign-out", "https://evil.example", "").await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(page.text.contains("nothing was done"));
    assert_eq!(
        browser.get("/settings/preferences").await.status,
        StatusCode::OK,
        "still signed in"
    );
}

#[tokio::test]
async fn signing_out_ends_the_session_everywhere() {
    let mut browser = Browser::signed_in().await;
    let kept = browser.cookies.clone();
    let page = browser.post("/api/session/sign-out", "http://portal.test", "__page=%2F").await;
    assert_eq!((page.status, page.location.as_str()), (StatusCode::SEE_OTHER, "/sign-in?out=1"));
    browser.cookies = kept;
    assert_eq!(
        browser.get("/settings/preferences").await.status,
        StatusCode::SEE_OTHER,
        "the old cookie opens nothing"
    );
}

#[tokio::test]
async fn signing_in_again_ends_the_session_before() {
    let mut browser = Browser::signed_in().await;
    let before = browser.cookies.clone();
    let page = browser.sign_in(PASSWORD, "/").await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    assert_eq!(browser.get("/settings/preferences").await.status, StatusCode::OK);
    browser.cookies = before;
    assert_eq!(browser.get("/settings/preferences").await.status, StatusCode::SEE_OTHER);
}

/// Also where somebody else's link is opened in the browser.
#[tokio::test]
async fn a_link_ends_the_session_before() {
    let mut browser = Browser::signed_in().await;
    let before = browser.cookies.clone();
    let jane = NewUser {
        email: "jane@example.com".to_owned(),
        name: "Jane".to_owned(),
        role: Role::Standard,
        password: None,
    };
    let jane = browser.desk.add_user(&Actor::Operator, jane).await.unwrap();
    let link = browser.desk.invite_user(&Actor::Operator, jane).await.unwrap();
    let chosen = form(&[("token", link.reveal()), ("password", "a wholly new sentence")]);
    let page = browser.post("/api/set-up/password", "http://portal.test", &chosen).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    assert!(browser.get("/account/me").await.text.contains("jane@example.com"));
    browser.cookies = before;
    assert_eq!(browser.get("/account/me").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn d5_a_saved_form_says_so_once_and_a_stale_one_comes_back() {
    let mut browser = Browser::signed_in().await;
    let form = "version=0&approval_step=skip&brand_word=Certdeck&__page=%2Fsettings%2Fpreferences";
    let page = browser.post("/api/preferences/save", "http://portal.test", form).await;
    assert_eq!(
        (page.status, page.location.as_str()),
        (StatusCode::SEE_OTHER, "/settings/preferences")
    );
    let page = browser.get("/settings/preferences").await;
    assert!(page.text.contains("Settings saved."), "{}", page.text);
    assert!(!browser.get("/settings/preferences").await.text.contains("Settings saved."));
    let stale = "version=0&approval_step=one_step&brand_word=Mine&__page=%2Fsettings%2Fpreferences";
    let page = browser.post("/api/preferences/save", "http://portal.test", stale).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(page.text.contains(r#"value="Mine""#), "what was typed is still there");
    assert!(
        page.text.contains("Approval Steps: skip (yours: one_step)"),
        "the difference is shown"
    );
}

/// The title is written by other code than the page: what people type stays text in both.
#[tokio::test]
async fn a_title_is_text_whatever_is_in_it() {
    let mut browser = Browser::signed_in().await;
    let typed = "</title><form method=post action=/api/users/role>&amp;\"'";
    let own = form(&[("name", typed), ("time_zone", "UTC"), ("__page", "/account/me")]);
    let page = browser.post("/api/users/profile", "http://portal.test", &own).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    for path in [format!("/search?{}", form(&[("q", typed)])), "/account/users/1".to_owned()] {
        let page = browser.get(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        let (_, rest) = page.text.split_once("<title>").unwrap();
        let (title, _) = rest.split_once("</title>").unwrap();
        let shown = "&lt;/title&gt;&lt;form method=post action=/api/users/role&gt;&amp;amp;&quot;&#39; · Certdeck";
        assert!(title.ends_with(shown), "{path}: {title}");
        assert!(!page.text.contains("<form method=post"), "{path}: {}", page.text);
    }
}

/// What a page's element `name` holds as its `value`, unescaped as a browser does.
fn value_of(page: &Page, name: &str) -> String {
    let at = page.text.find(&format!("name=\"{name}\" value=\"")).expect(name);
    let value = page.text[at..].split('"').nth(3).unwrap();
    value.replace("&amp;", "&").replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">")
}

#[tokio::test]
async fn what_is_kept_for_mail_says_that_none_is_sent() {
    let mut browser = Browser::signed_in().await;
    for (path, instead) in [
        ("/settings/preferences", "shows what expires in 90 days or less"),
        ("/automation/profiles/new", "show what happens to requests of this profile"),
        ("/settings/notifications", "Dashboard shows what expires"),
    ] {
        let page = browser.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(page.text.contains("Certdeck sends no mail"), "{path}: {}", page.text);
        assert!(page.text.contains(instead), "{path}: {}", page.text);
    }
}

#[tokio::test]
async fn an_account_says_how_one_signs_in() {
    let mut browser = Browser::signed_in().await;
    let page = browser.get("/account/me").await;
    assert!(page.text.contains("no second factor and no single sign-on"), "{}", page.text);
}

#[tokio::test]
async fn auto_renew_is_switched_by_its_own_words_only() {
    let mut browser = Browser::signed_in().await;
    for act in ["", "off", "renew", "auto_renew_of"] {
        // The form itself stands only where endpoints are selected.
        let page =
            browser.ask("/api/endpoints/bulk-auto-renew", &format!("act={act}&ids%5B0%5D=1")).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{act}: {}", page.text);
        assert!(page.text.contains("so nothing was changed"), "{act}: {}", page.text);
    }
}

#[tokio::test]
async fn a_request_is_decided_by_its_own_words_only() {
    let mut browser = Browser::signed_in().await;
    for decision in ["", "Reject", "approved", "yes"] {
        let form = form(&[("id", "1"), ("decision", decision)]);
        let page = browser.ask("/api/requests/review", &form).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{decision}: {}", page.text);
        assert!(page.text.contains("so nothing was done"), "{decision}: {}", page.text);
    }
    let reject = form(&[("id", "1"), ("decision", "reject"), ("note", "Not this week.")]);
    let page = browser.ask("/api/requests/review", &reject).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND, "{}", page.text);
}

#[tokio::test]
async fn forms_show_the_same_product_at_first() {
    let mut browser = Browser::signed_in().await;
    for path in ["/certificates/request", "/automation/profiles/new", "/automation/acme-urls/new"] {
        let page = browser.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(page.text.contains(r#"value="ssl_plus" selected"#), "{path}: {}", page.text);
    }
}

#[tokio::test]
async fn an_organization_has_town_and_number_where_they_were_typed() {
    let mut browser = Browser::signed_in().await;
    let form = |town: &str| {
        format!(
            "name=Ours&country=DE&locality={town}&registration_number=HRB+1234\
             &__page=%2Fcertificates%2Forganizations%2Fnew"
        )
    };
    let portal = "http://portal.test";
    let page = browser.post("/api/organizations/add", portal, &form(&"x".repeat(129))).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.text.contains("Enter at most 128 characters"), "{}", page.text);
    assert!(page.text.contains(r#"value="HRB 1234""#), "what was typed is still there");
    let page = browser.post("/api/organizations/add", portal, &form("Bonn")).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    let organization = page.location;
    let page = browser.get(&organization).await;
    assert!(page.text.contains(r#"value="Bonn""#) && page.text.contains(r#"value="HRB 1234""#));
    let csv = browser.get("/certificates/organizations.csv").await.text;
    assert!(csv.contains("Name,Country,Town,Registration number,Validated until"), "{csv}");
    assert!(csv.contains("\r\nOurs,DE,Bonn,HRB 1234,\r\n"), "{csv}");
    let id = organization.rsplit('/').next().unwrap();
    let seen = "seen_locality=Bonn&seen_registration_number=HRB+1234";
    let form = format!("id={id}&locality=Jena&registration_number=&{seen}&__page={organization}");
    let page = browser.post("/api/organizations/details", portal, &form).await;
    assert_eq!((page.status, page.location.as_str()), (StatusCode::SEE_OTHER, &*organization));
    let page = browser.get(&organization).await;
    assert!(page.text.contains(r#"value="Jena""#) && !page.text.contains("HRB"), "{}", page.text);

    let stale = form.replace("Jena", "Trier");
    let page = browser.post("/api/organizations/details", portal, &stale).await;
    assert_eq!(page.status, StatusCode::CONFLICT, "{}", page.text);
    assert!(page.text.contains("town Jena, registration number none"), "{}", page.text);
    assert!(page.text.contains(r#"value="Trier""#), "what was typed is still there");
    assert_eq!(value_of(&page, "seen_locality"), "Jena", "saved again, it is");
}

#[tokio::test]
async fn addresses_that_lead_nowhere_are_404_in_words() {
    let mut browser = Browser::signed_in().await;
    let page = browser.get("/certificates/nothing").await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert!(page.text.contains("There is no page at this address"));
    assert!(page.text.contains("Main menu"), "inside the frame");
    // Browsers resolve it before they ask.
    let unresolved = browser.get("/certificates/./orders").await;
    assert_eq!(unresolved.status, StatusCode::NOT_FOUND);
    assert_eq!(browser.get("//certificates/orders/").await.status, StatusCode::OK);
    assert_eq!(Browser::open(false).await.get("/nothing").await.status, StatusCode::NOT_FOUND);
    let page = browser
        .post("/api/nothing", "http://portal.test", "__page=%2Fsettings%2Fpreferences")
        .await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn d7_a_bulk_request_for_duplicates_is_refused_whole() {
    let mut browser = Browser::signed_in().await;
    let ids = [("ids[0]", "1"), ("ids[1]", "2"), ("names[0]", "a.test"), ("names[1]", "b.test")];
    let base = [("act", "request"), ("key", "k"), ("profile", "1"), ("install", "now")];
    let duplicate = ("obtain", "duplicate");
    for more in [&[duplicate][..], &[duplicate, ("order", "12345")], &[("order", "12345")]] {
        let fields = [&base[..], &ids, more].concat();
        let page = browser.ask("/api/endpoints/bulk-submit", &form(&fields)).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{more:?}: {}", page.text);
        assert!(page.text.contains("no duplicate certificates in bulk"), "{}", page.text);
    }
}

#[tokio::test]
async fn the_audit_log_can_be_narrowed_to_every_area() {
    let mut browser = Browser::signed_in().await;
    let page = browser.get("/account/audit-log").await;
    for area in ["orders.", "listener.", "session.", "order."] {
        assert!(page.text.contains(&format!("value=\"{area}\"")), "{area}: {}", page.text);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pages_that_are_made_at_the_same_time_share_nothing() {
    let (ada, nobody) = (Browser::signed_in().await, Browser::open(false).await);
    let paths = ["/account/users", "/settings/preferences", "/account/audit-log", "/sign-in"];
    let under_way: Vec<_> = (0..200)
        .map(|turn| {
            let path = paths[turn % paths.len()];
            let browser = if path == "/sign-in" { &nobody } else { &ada };
            let request = Request::get(path).body(Body::empty()).unwrap();
            (path, tokio::spawn(browser.sending(request)))
        })
        .collect();
    for (path, page) in under_way {
        let page = page.await.unwrap();
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert_eq!(page.text.contains("Ada Byron"), path != "/sign-in", "{path}");
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        let mut nonces = page.text.split("nonce=\"").skip(1).peekable();
        assert!(nonces.peek().is_some(), "{path}");
        for nonce in nonces {
            let nonce = nonce.split('"').next().unwrap();
            assert!(policy.contains(&format!("'nonce-{nonce}'")), "{path}: another page's nonce");
        }
    }
}

#[tokio::test]
async fn pages_let_in_no_foreign_script_and_no_frame() {
    let page = Browser::open(false).await.get("/sign-in").await;
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(
        policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
        "{policy}"
    );
    assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{policy}");
    assert_eq!(page.headers["referrer-policy"], "same-origin");
    assert_eq!(page.headers["x-content-type-options"], "nosniff");
    assert_eq!(page.headers["cache-control"], "no-store");
    assert!(!page.headers.contains_key("strict-transport-security"), "only where there is TLS");
    assert!(!page.text.contains(" style="), "the policy would drop inline styles");
}
