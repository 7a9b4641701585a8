//! Who sends a request, from where, and whether by https.

use std::net::SocketAddr;
use std::sync::Arc;

use app::browser::{BaseUrl, ClientAddress, Cookie, Secure, host};
use app::desk::SignedIn;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{Extensions, HeaderMap, StatusCode, Uri};

use super::{Web, WebOptions, plain};

/// Whether the browser speaks https to us: by this listener, or by a proxy that ends TLS and
/// passes the public host name on.
pub(super) fn is_secure(options: &WebOptions, headers: &HeaderMap, uri: &Uri) -> bool {
    let host = host(headers, uri);
    let public = options.base_url.as_deref().and_then(|url| url.strip_prefix("https://"));
    let public_host = public.and_then(|rest| rest.split('/').next());
    options.tls || (host.is_some() && host == public_host)
}

/// Looks the session up once and leaves the person in the request's extensions.
pub(super) async fn person(State(web): State<Web>, mut request: Request, next: Next) -> Response {
    let secure = Secure(is_secure(&web.options, request.headers(), request.uri()));
    let connection = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let address = connection.map(|ConnectInfo(address)| address.ip().to_canonical());
    let token = Cookie::Session.read(request.headers(), secure);
    let extensions = request.extensions_mut();
    extensions.insert(secure);
    extensions.insert(web.lifecycle.clone());
    if let Some(url) = &web.options.base_url {
        extensions.insert(BaseUrl(url.trim_end_matches('/').into()));
    }
    if let Some(address) = address {
        extensions.insert(ClientAddress(address));
    }
    match signed_in(&web, token, extensions).await {
        Ok(()) => next.run(request).await,
        Err(response) => response,
    }
}

/// Leaves whose session `token` is in the extensions; fails with the page that says why it can't
/// be known.
pub(super) async fn signed_in(
    web: &Web,
    token: Option<String>,
    extensions: &mut Extensions,
) -> Result<(), Response> {
    let Some(token) = token.filter(|token| !token.is_empty()) else { return Ok(()) };
    let address = extensions.get::<ClientAddress>().map(|client| client.0);
    match web.lifecycle.session(&token, address).await {
        Ok(Some(person)) => {
            extensions.insert(SignedIn { person: Arc::new(person), token: token.into() });
            Ok(())
        }
        Ok(None) => Ok(()),
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "a session could not be read"
            );
            Err(plain::page(
                StatusCode::SERVICE_UNAVAILABLE,
                "The portal is not ready",
                "Its database does not answer. Try again in a minute; nothing was changed.",
            ))
        }
    }
}
