//! The built site: styles, scripts, WASM, each compressed at build time. A release has it in the
//! binary; a debug build reads it from the folder.
//!
//! File names hold a digest of their contents, so browsers may keep them for ever.

use app::context::Site;
use axum::extract::Path;
use axum::response::{IntoResponse as _, Response};
use http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderValue, StatusCode};
use rust_embed::Embed;
use serde::Deserialize;

#[derive(Debug, Embed)]
#[folder = "../target/site"]
struct Files;

#[derive(Debug, Deserialize)]
struct Manifest {
    script: String,
    style: String,
}

/// The names of the built files. Where the site was not built, pages work without styles and
/// scripts, and the log says how to build it.
pub(crate) fn site() -> Site {
    let manifest = Files::get("manifest.json")
        .and_then(|file| serde_json::from_slice::<Manifest>(&file.data).ok());
    let Some(manifest) = manifest else {
        tracing::warn!(
            "the site is not built: pages come without styles; run `make site`, then start this again (a release: build it again)"
        );
        return Site { script: None, style: None };
    };
    Site { script: Some(manifest.script), style: Some(format!("/pkg/{}", manifest.style)) }
}

/// Answers `/pkg/{file}` with the smallest form that the browser reads.
pub(crate) async fn serve(Path(file): Path<String>, headers: HeaderMap) -> Response {
    let Some(kind) = content_type(&file) else { return StatusCode::NOT_FOUND.into_response() };
    let accepted =
        headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    for (coding, ending) in [("br", ".br"), ("gzip", ".gz"), ("", "")] {
        if !coding.is_empty() && !accepts(accepted, coding) {
            continue;
        }
        if let Some(found) = Files::get(&format!("pkg/{file}{ending}")) {
            return answer(found.data.into_owned(), kind, coding);
        }
    }
    StatusCode::NOT_FOUND.into_response()
}

fn answer(bytes: Vec<u8>, kind: &'static str, coding: &'static str) -> Response {
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if !coding.is_empty() {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    response
}

/// Only what the site is made of: the compressed forms are not files of their own.
fn content_type(file: &str) -> Option<&'static str> {
    match file.rsplit_once('.')?.1 {
        "css" => Some("text/css; charset=utf-8"),
        "js" => Some("text/javascript; charset=utf-8"),
        "wasm" => Some("application/wasm"),
        _ => None,
    }
}

/// Whether `Accept-Encoding` (RFC 9110 section 12.5.3) names `coding` without refusing it by `q=0`.
fn accepts(header: &str, coding: &str) -> bool {
    header.split(',').any(|entry| {
        let mut parts = entry.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(coding));
        let refused = parts.any(|part| {
            part.strip_prefix("q=")
                .and_then(|q| q.trim().parse::<f32>().ok())
                .is_some_and(|q| q <= 0.0)
        });
        named && !refused
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browser_says_what_it_reads() {
        assert!(accepts("gzip, deflate, br, zstd", "br"));
        assert!(accepts("gzip;q=0.5, BR", "br"));
        assert!(!accepts("gzip, br;q=0", "br"));
        assert!(!accepts("", "gzip"));
    }

    #[tokio::test]
    async fn nothing_but_the_site_is_served() {
        for file in ["../Cargo.toml", "certdeck.css.br", "manifest.json", "certdeck-0.js"] {
            let response = serve(Path(file.to_owned()), HeaderMap::new()).await;
            assert_eq!(response.status(), StatusCode::NOT_FOUND, "{file}");
        }
    }
}
