//! The connection to the portal: JSON over HTTPS, with tries again where that may help.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use agent_api::{Bounded, ErrorBody, ErrorCode, MAX_BODY_BYTES, OutOfBounds, Token};
use reqwest::header::{AUTHORIZATION, RETRY_AFTER};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use crate::backoff::Backoff;
use crate::failure::chain;

/// How long one call may take, beyond the time for which a poll is held open.
const CALL_LIMIT: Duration = Duration::from_secs(30);

/// How long something that the portal learns later anyway may take.
const TELL_LIMIT: Duration = Duration::from_secs(5);

/// A call to the portal did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum PortalError {
    /// The base URL can't be used.
    #[error("{url:?} is not a portal's address: {fault}")]
    Address {
        /// As given.
        url: String,
        /// What is wrong.
        fault: &'static str,
    },
    /// The file of trusted roots can't be used.
    #[error("{} holds no trusted root that can be used: give a PEM file of certificates", .path.display())]
    Roots {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The client could not be set up.
    #[error("the connection to the portal can't be set up")]
    Setup(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The portal said no; the same call again would get the same answer.
    #[error("the portal refused: {}", .0.message)]
    Refused(ErrorBody),
    /// The call is larger than the portal takes.
    #[error(transparent)]
    TooLarge(#[from] OutOfBounds),
    /// The portal can't be reached or can't answer now.
    #[error("the portal does not answer: {why}")]
    NotNow {
        /// What happened.
        why: String,
        /// When the portal wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// The agent is being stopped.
    #[error("the agent is being stopped")]
    Stopped,
}

/// The portal as an agent sees it.
#[derive(Debug, Clone)]
pub(crate) struct Portal {
    http: reqwest::Client,
    base: String,
    token: Option<Token>,
    stop: CancellationToken,
}

impl Portal {
    /// Prepares the connection; nothing is sent yet. `stop` ends waiting between tries.
    pub(crate) fn new(
        base: &str,
        ca_file: Option<&Path>,
        stop: CancellationToken,
    ) -> Result<Self, PortalError> {
        check_address(base)?;
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls(ca_file)?)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("certdeck-agent/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(10))
            .build()
            .map_err(|error| PortalError::Setup(error.into()))?;
        Ok(Self { http, base: base.trim_end_matches('/').to_owned(), token: None, stop })
    }

    /// The same connection with the agent's bearer token.
    pub(crate) fn authorized(self, token: Token) -> Self {
        Self { token: Some(token), ..self }
    }

    /// Ends when the agent is being stopped.
    pub(crate) async fn stopped(&self) {
        self.stop.cancelled().await;
    }

    /// Makes a call, again and again until the portal has said yes or no. `held` is how long the
    /// portal may take to answer on purpose.
    pub(crate) async fn call<Q, A>(
        &self,
        path: &str,
        body: &Q,
        held: Duration,
    ) -> Result<A, PortalError>
    where
        Q: Serialize + Bounded + Sync,
        A: DeserializeOwned,
    {
        body.check()?;
        let mut backoff = Backoff::new();
        loop {
            let (why, retry_after) = match self.try_once(path, body, held).await {
                Err(PortalError::NotNow { why, retry_after }) => (why, retry_after),
                settled => return settled,
            };
            let pause = backoff.pause(retry_after);
            tracing::warn!(
                path,
                why,
                again_in_ms = pause.as_millis(),
                "the portal does not answer"
            );
            tokio::select! {
                () = self.stop.cancelled() => return Err(PortalError::Stopped),
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Makes a call once, where more depends on going on than on being heard.
    pub(crate) async fn tell<Q: Serialize + Sync>(&self, path: &str, body: &Q) {
        let told = self.try_once::<Q, serde::de::IgnoredAny>(path, body, Duration::ZERO);
        match tokio::time::timeout(TELL_LIMIT, told).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!(path, why = chain(&error), "the portal was not told"),
            Err(_) => tracing::warn!(path, "the portal was not told in time"),
        }
    }

    async fn try_once<Q, A>(&self, path: &str, body: &Q, held: Duration) -> Result<A, PortalError>
    where
        Q: Serialize + Sync,
        A: DeserializeOwned,
    {
        let mut request = self.http.post(format!("{}{path}", self.base)).json(body);
        if let Some(token) = &self.token {
            let mut value =
                reqwest::header::HeaderValue::from_str(&format!("Bearer {}", token.expose()))
                    .map_err(|error| PortalError::Setup(error.into()))?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        let response =
            request.timeout(CALL_LIMIT + held).send().await.map_err(|error| not_now(&error))?;
        let status = response.status();
        let retry_after = retry_after(response.headers());
        let bytes = read_bounded(response).await?;
        if status.is_success() {
            return serde_json::from_slice(&bytes).map_err(|error| not_now(&error));
        }
        // Only the portal's own words count as a "no": a proxy's 404 page must not make the agent
        // give up an event.
        match serde_json::from_slice::<ErrorBody>(&bytes) {
            Ok(body) if !matches!(body.code, ErrorCode::TooMany | ErrorCode::Unavailable) => {
                Err(PortalError::Refused(body))
            }
            Ok(body) => Err(PortalError::NotNow { why: body.message, retry_after }),
            Err(_) => {
                Err(PortalError::NotNow { why: format!("HTTP status {status}"), retry_after })
            }
        }
    }
}

fn not_now(error: &dyn std::error::Error) -> PortalError {
    PortalError::NotNow { why: chain(error), retry_after: None }
}

async fn read_bounded(mut response: reqwest::Response) -> Result<Vec<u8>, PortalError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| not_now(&error))? {
        if bytes.len() + chunk.len() > MAX_BODY_BYTES {
            let why = format!("an answer of more than {MAX_BODY_BYTES} bytes");
            return Err(PortalError::NotNow { why, retry_after: None });
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// `Retry-After` in seconds (RFC 9110 section 10.2.3); the portal never sends a date.
fn retry_after(headers: &reqwest::header::HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// A bearer token must not travel in clear text: `https`, or `http` within this machine.
fn check_address(base: &str) -> Result<(), PortalError> {
    let fault = |fault| Err(PortalError::Address { url: base.to_owned(), fault });
    let Ok(url) = reqwest::Url::parse(base) else {
        return fault("write it as https://portal.example.com");
    };
    let host = url.host_str().unwrap_or_default();
    let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    let loopback = host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback());
    match url.scheme() {
        "https" if !host.is_empty() => Ok(()),
        "http" if loopback => Ok(()),
        "http" => fault("http is only allowed to this machine itself, use https"),
        _ => fault("write it as https://portal.example.com"),
    }
}

fn tls(ca_file: Option<&Path>) -> Result<rustls::ClientConfig, PortalError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let setup = |error: rustls::Error| PortalError::Setup(error.into());
    let builder = rustls::ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(setup)?;
    let config = match ca_file {
        Some(path) => builder.with_root_certificates(roots(path)?),
        None => builder.dangerous().with_custom_certificate_verifier(Arc::new(
            rustls_platform_verifier::Verifier::new(provider).map_err(setup)?,
        )),
    };
    Ok(config.with_no_client_auth())
}

fn roots(path: &Path) -> Result<rustls::RootCertStore, PortalError> {
    let fault = |source: Box<dyn std::error::Error + Send + Sync>| PortalError::Roots {
        path: path.to_owned(),
        source,
    };
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| fault(error.into()))? {
        let certificate = certificate.map_err(|error| fault(error.into()))?;
        roots.add(certificate).map_err(|error| fault(error.into()))?;
    }
    if roots.is_empty() {
        return Err(fault("the file holds no certificate".into()));
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_travel_only_over_https_or_within_the_machine() {
        for good in ["https://portal.example.com", "http://127.0.0.1:3000", "http://[::1]:1/x"] {
            check_address(good).unwrap();
        }
        for bad in ["http://portal.example.com", "http://10.0.0.1", "ftp://x", "portal", ""] {
            assert!(check_address(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_file_without_certificates_is_no_trust() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("roots.pem");
        std::fs::write(&path, "nothing").unwrap();
        assert!(matches!(roots(&path), Err(PortalError::Roots { .. })));
    }
}
