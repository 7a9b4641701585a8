//! (ssr) What the browser sent and what it is told: cookies, flash notices, redirects.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::header::{COOKIE, HOST, LOCATION, SET_COOKIE, USER_AGENT};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, StatusCode, Uri};
use leptos::prelude::{use_context, with_context};
use leptos_axum::ResponseOptions;

use crate::query::{decode, encode};

/// Whether people reach the portal by https; the HTTP layer puts it into the request's extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Secure(pub bool);

/// The portal's cookies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cookie {
    /// The session's token.
    Session,
    /// A notice for the next page.
    Flash,
    /// A secret for the next page, which shows it once.
    Once,
    /// `light`, `dark` or `auto`.
    Theme,
}

impl Cookie {
    /// The cookie's name. On https the prefix `__Host-` keeps other hosts of the domain from
    /// setting it (RFC 6265bis section 4.1.3.2).
    pub const fn name(self, secure: Secure) -> &'static str {
        match (self, secure.0) {
            (Self::Session, true) => "__Host-certdeck",
            (Self::Session, false) => "certdeck",
            (Self::Flash, true) => "__Host-certdeck-flash",
            (Self::Flash, false) => "certdeck-flash",
            (Self::Once, true) => "__Host-certdeck-once",
            (Self::Once, false) => "certdeck-once",
            (Self::Theme, _) => "certdeck-theme",
        }
    }

    /// The value that the browser sent.
    pub fn read(self, headers: &HeaderMap, secure: Secure) -> Option<String> {
        let name = self.name(secure);
        let pairs = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        pairs.flat_map(|value| value.split(';')).find_map(|pair| {
            let (key, value) = pair.trim().split_once('=')?;
            (key == name).then(|| decode(value))
        })
    }

    /// Its value in a request that the HTTP layer has seen.
    pub fn of(self, parts: &Parts) -> Option<String> {
        self.read(&parts.headers, secure(parts))
    }

    /// The `Set-Cookie` value; without `max_age` (seconds) it lasts as long as the browser runs.
    pub fn write(self, secure: Secure, value: &str, max_age: Option<u64>) -> Option<HeaderValue> {
        let mut cookie = format!("{}={}; Path=/; SameSite=Lax", self.name(secure), encode(value));
        if self != Self::Theme {
            cookie.push_str("; HttpOnly");
        }
        if secure.0 {
            cookie.push_str("; Secure");
        }
        if let Some(seconds) = max_age {
            cookie.extend(["; Max-Age=", &seconds.to_string()]);
        }
        HeaderValue::from_str(&cookie).ok()
    }
}

/// What `read` finds in the request being answered; it is only lent, since a copy of all its headers
/// and extensions costs a page more than most of what is looked for. `read` must not use the context,
/// which is locked meanwhile.
pub fn of_request<T>(read: impl FnOnce(&Parts) -> T) -> Option<T> {
    with_context(read)
}

/// What the HTTP layer left for pages in the extensions of the request being answered.
pub fn extension<T: Clone + Send + Sync + 'static>() -> Option<T> {
    of_request(|parts| parts.extensions.get().cloned()).flatten()
}

/// Where a request comes from.
#[derive(Debug, Clone, Default)]
pub struct Visitor {
    /// The client's address; the HTTP layer puts it into the request's extensions.
    pub address: Option<IpAddr>,
    /// What the browser says it is.
    pub user_agent: String,
}

/// Where the request being answered comes from.
pub fn visitor() -> Visitor {
    let visitor = of_request(|parts| {
        let agent = parts.headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
        Visitor {
            address: parts.extensions.get::<ClientAddress>().map(|client| client.0),
            user_agent: agent.unwrap_or_default().to_owned(),
        }
    });
    visitor.unwrap_or_default()
}

/// The client's address, as the HTTP layer sees it.
#[derive(Debug, Clone, Copy)]
pub struct ClientAddress(pub IpAddr);

/// The portal's public URL as configured, without a slash at its end; the HTTP layer puts it into
/// the request's extensions.
#[derive(Debug, Clone)]
pub struct BaseUrl(pub Arc<str>);

/// The public URL of `path`: at the configured base URL, whatever host the browser asked.
pub fn public(path: &str) -> String {
    extension::<BaseUrl>().map_or_else(|| absolute(path), |base| format!("{}{path}", base.0))
}

fn secure(parts: &Parts) -> Secure {
    parts.extensions.get::<Secure>().copied().unwrap_or(Secure(false))
}

/// A cookie of the request being answered.
pub fn cookie(cookie: Cookie) -> Option<String> {
    of_request(|parts| cookie.of(parts)).flatten()
}

/// Sends a cookie along with the answer; `None` removes it.
pub fn set_cookie(cookie: Cookie, value: Option<&str>, max_age: Option<u64>) {
    let (Some(secure), Some(response)) = (of_request(secure), use_context::<ResponseOptions>())
    else {
        return;
    };
    let max_age = if value.is_some() { max_age } else { Some(0) };
    if let Some(header) = cookie.write(secure, value.unwrap_or_default(), max_age) {
        response.append_header(SET_COOKIE, header);
    }
}

/// A notice that the next page shows once.
pub fn flash(message: &str) {
    set_cookie(Cookie::Flash, Some(message), Some(60));
}

/// The notice for this page, taken from the browser.
pub fn take_flash() -> Option<String> {
    let message = cookie(Cookie::Flash).filter(|message| !message.is_empty())?;
    set_cookie(Cookie::Flash, None, None);
    Some(message.chars().take(500).collect())
}

/// Hands a secret that was just made over to the next page.
pub fn hand_over(secret: &str) {
    set_cookie(Cookie::Once, Some(secret), Some(60));
}

/// The secret for this page, taken from the browser.
pub fn take_over() -> Option<String> {
    let secret = cookie(Cookie::Once).filter(|secret| !secret.is_empty())?;
    set_cookie(Cookie::Once, None, None);
    Some(secret.chars().take(1_000).collect())
}

/// Lets the browser in: its cookie from now on holds `token`. The session that it had ends: the browser
/// forgets it, and nobody could end it any more.
pub async fn sign_in(
    lifecycle: &lifecycle::Lifecycle,
    token: &lifecycle::sessions::SessionToken,
) -> Result<(), lifecycle::LifecycleError> {
    if let Some(before) = crate::desk::SignedIn::current() {
        lifecycle.sign_out(&before.person, &before.token).await?;
    }
    let age = lifecycle::sessions::ABSOLUTE_SECONDS.unsigned_abs();
    set_cookie(Cookie::Session, Some(token.reveal()), Some(age));
    Ok(())
}

/// The host that a request was sent to, with its port. HTTP/2 has it in the URI and seldom in a
/// header (RFC 9113 section 8.3.1).
pub fn host<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> Option<&'a str> {
    let named = headers.get(HOST).and_then(|host| host.to_str().ok());
    named.or_else(|| uri.authority().map(Authority::as_str))
}

/// The URL of `path` at the host that this request was sent to.
pub fn absolute(path: &str) -> String {
    let url = of_request(|parts| {
        let host = host(&parts.headers, &parts.uri).unwrap_or("localhost");
        let scheme = if secure(parts).0 { "https" } else { "http" };
        format!("{scheme}://{host}{path}")
    });
    url.unwrap_or_else(|| path.to_owned())
}

/// Instead of this page, or after a form did its work: the page to see next.
pub fn redirect(path: &str) {
    let (Some(response), Ok(location)) =
        (use_context::<ResponseOptions>(), HeaderValue::from_str(path))
    else {
        return;
    };
    response.insert_header(LOCATION, location);
    response.set_status(StatusCode::SEE_OTHER);
}

/// The status of the page being made.
pub fn set_status(status: u16) {
    if let (Some(response), Ok(status)) =
        (use_context::<ResponseOptions>(), StatusCode::from_u16(status))
    {
        response.set_status(status);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_in_a_header_or_in_the_uri() {
        let (relative, absolute) =
            (Uri::from_static("/x"), Uri::from_static("https://portal.test:3443/x"));
        let mut headers = HeaderMap::new();
        assert_eq!(host(&headers, &relative), None);
        assert_eq!(host(&headers, &absolute), Some("portal.test:3443"), "HTTP/2");
        headers.insert(HOST, HeaderValue::from_static("other.test"));
        assert_eq!(host(&headers, &relative), Some("other.test"));
        assert_eq!(host(&headers, &absolute), Some("other.test"));
    }

    #[test]
    fn session_cookies_are_out_of_reach_for_scripts_and_other_hosts() {
        let header = Cookie::Session.write(Secure(true), "t0k=n", Some(60)).unwrap();
        let text = header.to_str().unwrap();
        assert_eq!(
            text,
            "__Host-certdeck=t0k%3Dn; Path=/; SameSite=Lax; HttpOnly; Secure; Max-Age=60"
        );
        let mut headers = HeaderMap::new();
        headers.insert(
            COOKIE,
            HeaderValue::from_static("a=b; __Host-certdeck=t0k%3Dn; certdeck=other"),
        );
        assert_eq!(Cookie::Session.read(&headers, Secure(true)).as_deref(), Some("t0k=n"));
        assert_eq!(Cookie::Session.read(&headers, Secure(false)).as_deref(), Some("other"));
    }
}
