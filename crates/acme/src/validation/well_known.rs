//! A file that a host serves under a well-known path (RFC 8615): fetched from port 80, redirects
//! followed as far as they stay on the ports of HTTP and HTTPS.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use domain::DnsName;
use domain::model::acme::{Identifier, IdentifierKind};
use reqwest::header::LOCATION;
use reqwest::{StatusCode, Url};

use super::reach::first_of_each;
use super::{Failure, Reach, Record, tls};

/// Redirects that are followed.
const MOST_HOPS: usize = 10;
/// Bytes of a body that are read: what is looked for has fewer than 200.
const BODY: usize = 1_024;
/// Addresses of each family that are tried: they share the time that connecting may take.
const TRIED: usize = 3;
const CONNECT: Duration = Duration::from_secs(5);
const WHOLE: Duration = Duration::from_secs(10);

/// What one request came to.
enum Hop {
    Body(Vec<u8>),
    Redirect(Url),
}

impl Reach<'_> {
    /// The first bytes of the file at `path` of `host`. For its finder's eyes only: it may be a
    /// page of an internal server.
    pub async fn file(
        &self,
        host: &Identifier,
        path: &str,
        record: &mut Record,
    ) -> Result<Vec<u8>, Failure> {
        let authority = match host.address() {
            Some(IpAddr::V6(address)) => format!("[{address}]"),
            _ => host.value.clone(),
        };
        let port = match self.config.http01_port {
            80 => String::new(),
            port => format!(":{port}"),
        };
        let mut url = Url::parse(&format!("http://{authority}{port}{path}"))
            .map_err(|_| Failure::last("connection", "The identifier makes no URL."))?;
        for _ in 0..=MOST_HOPS {
            self.check_target(&url, host)?;
            if record.urls.contains(&url.to_string()) {
                return Err(Failure::again("connection", "The redirects go in a circle."));
            }
            record.urls.push(url.to_string());
            match self.hop(&url, record).await? {
                Hop::Redirect(next) => url = next,
                Hop::Body(body) => return Ok(body),
            }
        }
        Err(Failure::again("connection", format!("There are more than {MOST_HOPS} redirects.")))
    }

    /// Only HTTP and HTTPS on their own ports, and only hosts that are DNS names; an address only
    /// where it is the host asked for.
    fn check_target(&self, url: &Url, asked: &Identifier) -> Result<(), Failure> {
        let refused = |words: &str| Err(Failure::again("connection", words.to_owned()));
        if !matches!(url.scheme(), "http" | "https") {
            return refused("A redirect leads to another scheme than http and https.");
        }
        let ports = [80, 443, self.config.http01_port, self.config.tlsalpn01_port];
        if !url.port_or_known_default().is_some_and(|port| ports.contains(&port)) {
            return refused("A redirect leads to another port than 80 and 443.");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refused("A redirect holds a user name or password.");
        }
        let is_asked = asked.kind == IdentifierKind::Ip && bare_host(url) == asked.value;
        if !is_asked && DnsName::parse(&bare_host(url)).is_err() {
            return refused("A redirect leads to a host that is not a domain name.");
        }
        Ok(())
    }

    async fn hop(&self, url: &Url, record: &mut Record) -> Result<Hop, Failure> {
        let host = bare_host(url);
        let addresses = self.addresses(&host, record).await?;
        let client = client(&host, &addresses)?;
        let unreachable = |error: reqwest::Error| {
            tracing::debug!(%error, host, "a file could not be fetched");
            let tls = url.scheme() == "https" && !error.is_connect() && !error.is_timeout();
            let code = if tls { "tls" } else { "connection" };
            Failure::again(code, format!("{host} could not be reached over {}.", url.scheme()))
        };
        let response = client.get(url.clone()).send().await.map_err(unreachable)?;
        match response.status() {
            StatusCode::OK => Ok(Hop::Body(read(response).await)),
            StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT => {
                let target = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
                let target = target
                    .filter(|target| target.len() <= 2_000)
                    .and_then(|target| url.join(target).ok());
                target.map(Hop::Redirect).ok_or_else(|| {
                    Failure::again(
                        "connection",
                        format!("{host} answered with a redirect that can't be followed."),
                    )
                })
            }
            status => {
                let words =
                    format!("{host} answered with the status {} instead of 200.", status.as_u16());
                Err(Failure::again("incorrectResponse", words))
            }
        }
    }
}

fn bare_host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    host.trim_start_matches('[').trim_end_matches(']').to_owned()
}

/// A client for one request, which goes to the addresses that were judged and nowhere else.
fn client(host: &str, addresses: &[IpAddr]) -> Result<reqwest::Client, Failure> {
    let pinned: Vec<SocketAddr> =
        first_of_each(addresses, TRIED).map(|address| SocketAddr::new(address, 0)).collect();
    let unbuilt = || Failure::again("connection", "The validation could not be started.");
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .resolve_to_addrs(host, &pinned)
        .connect_timeout(CONNECT)
        .timeout(WHOLE)
        .user_agent("Certdeck validation")
        // RFC 8555 section 8.3: the certificate that a redirect meets is not looked at.
        .tls_backend_preconfigured(tls::unverified(Vec::new()).ok_or_else(unbuilt)?)
        .build()
        .map_err(|error| {
            tracing::error!(%error, "no HTTP client for validation");
            unbuilt()
        })
}

async fn read(mut response: reqwest::Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() > BODY {
            break;
        }
    }
    body.truncate(BODY);
    body
}
