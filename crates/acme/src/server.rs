//! The server: what all requests share, and the routes.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, head, post};
use futures::FutureExt;
use lifecycle::acme::AcmeDesk;
use lifecycle::caa::CaaGuard;
use lifecycle::{Lifecycle, LifecycleError};
use tokio::sync::Notify;

use crate::config::{AcmeConfig, Caa};
use crate::endpoints::{
    account, authorization, certificate, challenge, directory, finalize, key_change, new_account,
    new_authz, new_nonce, new_order, orders, renewal_info, revoke_cert, terms,
};
use crate::nonce::Nonces;
use crate::problem::{Kind, Problem};
use crate::urls::{PREFIX, Urls};
use crate::validation::{Dns, Lookup};

const REPLAY_NONCE: HeaderName = HeaderName::from_static("replay-nonce");

/// ACME clients in browsers are welcome (RFC 8555 section 6.1): nothing here rests on cookies.
const SHARED: [(HeaderName, &str); 2] = [
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    (header::ACCESS_CONTROL_EXPOSE_HEADERS, "Replay-Nonce, Link, Location, Retry-After"),
];

/// The answer to a browser that asks before it sends: JWS are no simple requests.
const PREFLIGHT: (StatusCode, [(HeaderName, &str); 4]) = (
    StatusCode::NO_CONTENT,
    [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, POST"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "Content-Type"),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
    ],
);

/// The ACME server. Cheap to clone.
#[derive(Debug, Clone)]
pub struct AcmeServer {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    desk: AcmeDesk,
    config: AcmeConfig,
    urls: Urls,
    /// The `Link` to the directory that answers have.
    index: Option<HeaderValue>,
    nonces: Nonces,
    dns: Dns,
    answered: Notify,
}

impl AcmeServer {
    /// A server on this desk. Fails where there is no randomness or no DNS resolver, or where the
    /// nodes' shared secret can't be read.
    pub async fn new(lifecycle: Lifecycle, config: AcmeConfig) -> lifecycle::Result<Self> {
        let internal = |words: String| LifecycleError::Internal(words);
        let dns = Dns::new(config.dns_resolver)
            .map_err(|error| internal(format!("no DNS resolver: {error}")))?;
        let urls = Urls::new(&config.base_url);
        if config.caa == Caa::Always {
            let lookup = Box::new(Lookup { dns: dns.clone(), urls: urls.clone() });
            let guard = CaaGuard::new(config.caa_identity.clone(), lookup);
            lifecycle.issuer()?.look_at_caa(guard);
        }
        let desk = AcmeDesk::new(lifecycle, config.policy.clone());
        let nonces = if config.several_nodes {
            Nonces::for_nodes(&desk.shared_secret().await?)
        } else {
            Nonces::for_one_process().map_err(|_| internal("no random numbers".to_owned()))?
        };
        let index = HeaderValue::from_str(&format!("<{}>;rel=\"index\"", urls.directory())).ok();
        Ok(Self {
            inner: Arc::new(Inner {
                desk,
                config,
                urls,
                index,
                nonces,
                dns,
                answered: Notify::new(),
            }),
        })
    }

    /// The use cases.
    pub fn desk(&self) -> &AcmeDesk {
        &self.inner.desk
    }

    /// The surroundings.
    pub fn config(&self) -> &AcmeConfig {
        &self.inner.config
    }

    pub(crate) fn urls(&self) -> &Urls {
        &self.inner.urls
    }

    pub(crate) fn dns(&self) -> &Dns {
        &self.inner.dns
    }

    pub(crate) fn nonces(&self) -> &Nonces {
        &self.inner.nonces
    }

    /// A fresh nonce.
    pub(crate) fn nonce(&self) -> String {
        self.inner.nonces.issue(self.inner.desk.clock().now())
    }

    /// A challenge was answered: there is a validation to run.
    pub(crate) fn wake_validation(&self) {
        self.inner.answered.notify_one();
    }

    /// Waits until a challenge is answered in this process.
    pub(crate) async fn validation_wanted(&self) {
        self.inner.answered.notified().await;
    }
}

/// The resources by their paths below [`PREFIX`].
fn resources() -> [(&'static str, MethodRouter<AcmeServer>); 19] {
    [
        ("/directory", get(directory::get).post(directory::post)),
        ("/directory/{*asked}", get(directory::get_alias).post(directory::post_alias)),
        ("/terms", get(terms::get)),
        ("/new-nonce", head(new_nonce::head).get(new_nonce::get).post(new_nonce::post)),
        ("/new-account", post(new_account::post)),
        ("/account/{id}", post(account::post)),
        ("/account/{id}/orders", post(orders::list)),
        ("/key-change", post(key_change::post)),
        ("/new-order", post(new_order::post)),
        ("/new-order/{*asked}", post(new_order::post_alias)),
        ("/new-authz", post(new_authz::post)),
        ("/order/{id}", post(orders::post)),
        ("/order/{id}/finalize", post(finalize::post)),
        ("/authz/{id}", post(authorization::post)),
        ("/challenge/{id}", post(challenge::post)),
        ("/certificate/{id}", post(certificate::post)),
        ("/certificate/{id}/{chain}", post(certificate::post_alternate)),
        ("/revoke-cert", post(revoke_cert::post)),
        ("/renewal-info/{certificate}", get(renewal_info::get)),
    ]
}

/// The paths of all resources, for tests that leave none out.
#[doc(hidden)]
pub fn paths() -> impl Iterator<Item = &'static str> {
    resources().into_iter().map(|(path, _)| path)
}

/// The routes, below [`PREFIX`]: to be merged into the process's router.
pub fn router(server: AcmeServer) -> Router {
    let routes = resources()
        .into_iter()
        .fold(Router::new(), |routes, (path, methods)| routes.route(path, methods))
        .fallback(|| async {
            Problem::malformed("There is no such resource. Start at the directory.")
                .with_status(StatusCode::NOT_FOUND)
        })
        .method_not_allowed_fallback(not_allowed)
        .layer(from_fn_with_state(server.clone(), frame))
        .with_state(server);
    Router::new().nest(PREFIX, routes)
}

/// Whether a browser asks what a page of another origin may send.
fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

async fn not_allowed() -> Problem {
    Problem::malformed("This resource does not take this method. Read resources by POST-as-GET (RFC 8555 section 6.3).")
        .with_status(StatusCode::METHOD_NOT_ALLOWED)
}

/// What every answer has: a fresh nonce after a POST, the link to the directory, no caching, leave for
/// the pages of other origins to read it; and a problem document where a handler panicked.
async fn frame(State(server): State<AcmeServer>, request: Request, next: Next) -> Response {
    if is_preflight(&request) {
        return PREFLIGHT.into_response();
    }
    let posted = request.method() == Method::POST;
    let is_directory = request.uri().path().split('/').nth(1) == Some("directory");
    let mut response = match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(_) => Problem::new(
            Kind::ServerInternal,
            "The server failed on this request. Nothing was changed.",
        )
        .into_response(),
    };
    let nonce = posted.then(|| server.nonce());
    let headers = response.headers_mut();
    if let Some(nonce) = nonce.and_then(|nonce| HeaderValue::from_str(&nonce).ok()) {
        headers.insert(REPLAY_NONCE, nonce);
    }
    if let Some(index) = server.inner.index.as_ref().filter(|_| !is_directory) {
        headers.append(header::LINK, index.clone());
    }
    for (name, value) in SHARED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
