//! Server functions, for islands and for plain forms.
//!
//! A form that the server function refuses is answered with its own page, rendered again with the
//! failure and with everything that was typed (status 4xx). Nothing travels in the URL, so long
//! texts such as CSRs come back too, and nothing typed lands in logs or in the history. A form
//! that did its work is answered with 303, to wherever the server function redirects.
//!
//! A form that is too large to be carried out is read nevertheless, up to a limit: where a field of
//! it is longer than any may be, the page comes back with all others and the fault at that one.
//!
//! A form that was sent without a session is answered with the sign-in page, which carries it: the
//! answer to the sign-in is the form's own page, filled in. Nothing of it is kept here, and
//! nothing is done before its sender sends it again.

use app::browser::{Cookie, Secure, host};
use app::context;
use app::desk::SignedIn;
use app::fault::{FieldFault, PortalError, Submitted};
use app::kit::{CARRIED_FIELD, PAGE_FIELD};
use app::pages::session::api::SignIn;
use app::pages::users::api::{ChoosePassword, SetUpAdministrator};
use app::paths;
use app::query::Query;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::header::{
    ACCEPT, ALLOW, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, LOCATION, REFERER, SET_COOKIE,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use leptos::server_fn::ServerFn as _;
use leptos::server_fn::error::{FromServerFnError as _, SERVER_FN_ERROR_HEADER};

use super::{FORM_LIMIT, READ_LIMIT, Web, identify, plain};

/// The largest sign-in form, in bytes: another one that it carries is escaped twice.
pub(super) const CARRIED_LIMIT: usize = 5 * FORM_LIMIT;
/// The longest field of a form that is too large as a whole, in bytes.
const FIELD_LIMIT: usize = 128 * 1024;
/// Forms that are filled in before anybody is signed in.
const OPEN: [&str; 3] = [SignIn::PATH, SetUpAdministrator::PATH, ChoosePassword::PATH];
/// The largest answer of a server function that is looked at, in bytes.
const ANSWER_LIMIT: usize = 1024 * 1024;

/// Runs the server function that the path names.
pub(super) async fn server_function(State(web): State<Web>, request: Request) -> Response {
    if *request.method() != Method::POST {
        let mut response = plain::page(
            StatusCode::METHOD_NOT_ALLOWED,
            "Nothing to see here",
            "This address is where forms are sent. Go back to the page with the form.",
        );
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
        return response;
    }
    let from_form = request
        .headers()
        .get(ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"));
    let (parts, body) = request.into_parts();
    let may_carry = parts.uri.path() == SignIn::PATH;
    let Ok(bytes) = to_bytes(body, READ_LIMIT).await else { return too_large() };
    let fields = fields_of(&bytes);
    let carries = may_carry && fields.has(CARRIED_FIELD) && bytes.len() <= CARRIED_LIMIT;
    let (fields, answer) = if bytes.len() <= FORM_LIMIT || carries {
        (fields, web.call(parts.clone(), bytes).await)
    } else {
        let (fields, long) = fields.shortened(FIELD_LIMIT);
        if long.is_empty() || long.iter().any(|name| name == CARRIED_FIELD) {
            return too_large();
        }
        (fields, Answer::failed(too_long(&parts, &long)))
    };
    if from_form { web.after_form(parts, fields, answer).await } else { answer.into_response() }
}

fn too_large() -> Response {
    plain::page(
        StatusCode::PAYLOAD_TOO_LARGE,
        "Too much at once",
        "What you sent is larger than 256 kB, so nothing was done. Go back and shorten it.",
    )
}

/// Why a form with such fields was not carried out; whoever is not signed in is told so first.
fn too_long(parts: &Parts, fields: &[String]) -> PortalError {
    let signed_in = parts.extensions.get::<SignedIn>().is_some();
    if !signed_in && !OPEN.contains(&parts.uri.path()) {
        return PortalError::SignedOut;
    }
    let fault = |field: &String| FieldFault {
        field: field.clone(),
        message:
            "This is longer than 128 kB, which no field takes, so nothing was done and it is left \
                  out here. All else is as you entered it: enter this one again, shorter."
                .to_owned(),
    };
    PortalError::Invalid(fields.iter().map(fault).collect())
}

/// What a server function said.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    failure: Option<PortalError>,
}

impl Answer {
    /// As a server function that fails answers.
    fn failed(error: PortalError) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(SERVER_FN_ERROR_HEADER, HeaderValue::from_static("form"));
        Self { status: StatusCode::OK, headers, body: error.ser(), failure: Some(error) }
    }

    fn into_response(self) -> Response {
        let status = self.failure.as_ref().map_or(self.status, status_of);
        (status, self.headers, self.body).into_response()
    }
}

fn status_of(error: &PortalError) -> StatusCode {
    StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

impl Web {
    async fn call(&self, mut parts: Parts, bytes: Bytes) -> Answer {
        // Server functions redirect forms by themselves, with the failure in the URL; asked for
        // JSON they leave both to us.
        parts.headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let lifecycle = self.lifecycle.clone();
        let context = move || context::provide(&lifecycle);
        let request = Request::from_parts(parts, Body::from(bytes));
        let response =
            leptos_axum::handle_server_fns_with_context(context, request).await.into_response();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, ANSWER_LIMIT).await.unwrap_or_default();
        let failed = parts.headers.contains_key(SERVER_FN_ERROR_HEADER);
        let failure = match (failed, parts.status) {
            (true, _) => Some(PortalError::de(body.clone())),
            (false, StatusCode::BAD_REQUEST) => {
                Some(PortalError::Unreadable("There is no such form.".to_owned()))
            }
            (false, _) => None,
        };
        Answer { status: parts.status, headers: parts.headers, body, failure }
    }

    async fn after_form(&self, parts: Parts, fields: Query, answer: Answer) -> Response {
        let page = page_of(&parts, &fields);
        let action = parts.uri.path().to_owned();
        let mut response = match answer.failure {
            None => {
                if let Some(form) = carried(&action, &fields) {
                    self.carried_on(parts, form, &answer.headers).await
                } else {
                    let next = answer.headers.get(LOCATION).cloned();
                    see_other(next.or_else(|| HeaderValue::from_str(&page).ok()))
                }
            }
            Some(error) => {
                let page = if error == PortalError::SignedOut {
                    Query::default().with("next", &page).href(&paths::sign_in())
                } else {
                    page
                };
                self.page_again(parts, &page, Submitted { action, fields, error: Some(error) })
                    .await
            }
        };
        for cookie in answer.headers.get_all(SET_COOKIE) {
            response.headers_mut().append(SET_COOKIE, cookie.clone());
        }
        response
    }

    /// The page of a form that was carried over the sign-in that was just done.
    async fn carried_on(&self, mut parts: Parts, form: Submitted, answer: &HeaderMap) -> Response {
        let page = page_of(&parts, &form.fields);
        let secure = parts.extensions.get().copied().unwrap_or(Secure(false));
        let token = Cookie::Session.read(&cookies_set(answer), secure);
        match identify::signed_in(self, token, &mut parts.extensions).await {
            Ok(()) => self.page_again(parts, &page, form).await,
            Err(response) => response,
        }
    }

    /// The page that the form stands on, with what was typed.
    async fn page_again(&self, mut parts: Parts, page: &str, form: Submitted) -> Response {
        let status = form.error.as_ref().map_or(StatusCode::OK, status_of);
        parts.extensions.insert(form);
        parts.method = Method::GET;
        let host = host(&parts.headers, &parts.uri).and_then(|host| host.parse().ok());
        if let Some(host) = host {
            parts.headers.insert(HOST, host);
        }
        parts.uri = page.parse().unwrap_or_else(|_| Uri::from_static("/"));
        parts.headers.remove(CONTENT_LENGTH);
        parts.headers.remove(CONTENT_TYPE);
        let mut response = self.render(Request::from_parts(parts, Body::empty())).await;
        if response.status() == StatusCode::OK {
            *response.status_mut() = status;
        }
        response
    }
}

fn fields_of(form: &Bytes) -> Query {
    Query::parse(&String::from_utf8_lossy(form))
}

/// The form that a sign-in carries.
fn carried(action: &str, fields: &Query) -> Option<Submitted> {
    fields.get(CARRIED_FIELD).filter(|_| action == SignIn::PATH).and_then(Submitted::carried)
}

/// The cookies that an answer sets, as the browser will send them.
fn cookies_set(answer: &HeaderMap) -> HeaderMap {
    let pair = |cookie: &HeaderValue| {
        let pair = cookie.to_str().ok()?.split(';').next()?;
        HeaderValue::from_str(pair).ok()
    };
    answer.get_all(SET_COOKIE).iter().filter_map(pair).map(|pair| (COOKIE, pair)).collect()
}

/// The page that a form says it stands on, else the one that the browser names; ours only.
fn page_of(parts: &Parts, fields: &Query) -> String {
    let named = fields.get(PAGE_FIELD).map(str::to_owned);
    let referer = || {
        let uri: Uri = parts.headers.get(REFERER)?.to_str().ok()?.parse().ok()?;
        uri.path_and_query().map(ToString::to_string)
    };
    named.or_else(referer).map_or_else(paths::dashboard, |page| paths::local(&page))
}

fn see_other(location: Option<HeaderValue>) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    response
        .headers_mut()
        .insert(LOCATION, location.unwrap_or_else(|| HeaderValue::from_static("/")));
    response
}
