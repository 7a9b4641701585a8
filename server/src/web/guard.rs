//! Cross-site request forgery: what changes something must come from a page of this portal.
//!
//! Browsers say where a request comes from (`Sec-Fetch-Site`, `Origin`); a request that says
//! nothing is not from a browser's form and is refused as well. Session cookies are `SameSite=Lax`
//! besides.

use app::browser::host;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::header::{HeaderName, ORIGIN};
use http::{HeaderMap, Method, StatusCode, Uri};

use super::plain;

/// Lets safe methods pass, and others from our own pages.
pub(super) async fn own_origin(request: Request, next: Next) -> Response {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if safe || is_own(request.headers(), request.uri()) {
        return next.run(request).await;
    }
    plain::page(
        StatusCode::FORBIDDEN,
        "Not sent from this portal",
        "What you sent did not come from a page of this portal, so nothing was done. Open the portal in a new tab \
         and try again there. Programs use the API with an API key instead.",
    )
}

fn is_own(headers: &HeaderMap, uri: &Uri) -> bool {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let fetched = text(HeaderName::from_static("sec-fetch-site"));
    let origin = text(ORIGIN).map(|origin| origin.split_once("://").map_or("", |(_, host)| host));
    let host = host(headers, uri);
    match (fetched, origin) {
        (None, None) => false,
        (fetched, origin) => {
            fetched.is_none_or(|site| site == "same-origin")
                && origin.is_none_or(|origin| Some(origin) == host)
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn sent(pairs: &[(&'static str, &'static str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        is_own(&headers, &Uri::from_static("/api/session/sign-in"))
    }

    #[test]
    fn over_http2_the_host_stands_in_the_uri() {
        let uri = Uri::from_static("https://portal:3443/api/session/sign-in");
        let from = |origin| {
            let origin = (ORIGIN, HeaderValue::from_static(origin));
            is_own(&HeaderMap::from_iter([origin]), &uri)
        };
        assert!(from("https://portal:3443"));
        assert!(!from("https://portal"), "another port");
        assert!(!from("https://portal.evil.example:3443"));
    }

    #[test]
    fn only_our_own_pages_may_send() {
        assert!(sent(&[("host", "portal:3000"), ("origin", "http://portal:3000")]));
        assert!(sent(&[("host", "portal"), ("sec-fetch-site", "same-origin")]));
        assert!(!sent(&[("host", "portal")]), "nothing said");
        assert!(!sent(&[("host", "portal"), ("origin", "null")]), "a sandboxed frame");
        assert!(!sent(&[("host", "portal"), ("origin", "https://portal.evil.example")]));
        assert!(
            !sent(&[("host", "portal"), ("sec-fetch-site", "same-site")]),
            "a neighbour of the domain"
        );
        assert!(!sent(&[
            ("host", "portal"),
            ("sec-fetch-site", "same-origin"),
            ("origin", "https://evil.example")
        ]));
        assert!(!sent(&[
            ("host", "portal"),
            ("sec-fetch-site", "cross-site"),
            ("origin", "https://portal")
        ]));
    }
}
