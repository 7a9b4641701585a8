//! The HTTPS listener's certificate, from the embedded authority, made anew before it expires.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum_server::tls_rustls::RustlsConfig;
use domain::{Days, DnsName, Name, NameSet, Timestamp};
use lifecycle::{Lifecycle, ListenerCertificate};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_util::sync::CancellationToken;

/// A new certificate is made when the old one has this left.
const RENEW_BEFORE: Days = Days(30);
const LOOK_EVERY: Duration = Duration::from_hours(1);

/// What the listener is reached as: the base URL's host and the listener's own address.
pub fn names(base_url: &str, address: SocketAddr) -> NameSet {
    let uri: Option<http::Uri> = base_url.parse().ok();
    let host = uri.as_ref().and_then(http::Uri::host).unwrap_or_default().trim_matches(['[', ']']);
    let own = Some(address.ip()).filter(|ip| !ip.is_unspecified());
    let addresses = own.into_iter().chain([IpAddr::V4(Ipv4Addr::LOCALHOST)]).map(Name::from);
    let named = Name::parse(host).or_else(|_| DnsName::parse_host(host).map(Name::Dns));
    named.into_iter().chain(addresses).collect()
}

/// A new certificate for the listener.
pub async fn certificate(desk: &Lifecycle, names: &NameSet) -> anyhow::Result<ListenerCertificate> {
    desk.listener_certificate(names.clone())
        .await
        .context("cannot make the HTTPS listener's certificate")
}

/// The TLS configuration with this certificate: TLS 1.2 and 1.3, HTTP/1.1 and HTTP/2.
pub fn tls_config(certificate: &ListenerCertificate) -> anyhow::Result<ServerConfig> {
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(certificate.chain_pem.as_bytes())
            .collect::<Result<_, _>>()?;
    let key = PrivateKeyDer::from_pem_slice(certificate.key_pem.as_bytes())?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// Whether a certificate that ends then is to be replaced. It is made by the real time, as TLS clients
/// go by that.
fn is_due(desk: &Lifecycle, not_after: Timestamp) -> bool {
    desk.real_now() >= not_after.minus(RENEW_BEFORE)
}

/// Replaces the certificate in good time, until `stop`.
pub async fn keep_fresh(
    desk: Lifecycle,
    names: NameSet,
    config: RustlsConfig,
    mut not_after: Timestamp,
    stop: CancellationToken,
) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        if !is_due(&desk, not_after) {
            continue;
        }
        match certificate(&desk, &names)
            .await
            .and_then(|fresh| Ok((tls_config(&fresh)?, fresh.not_after)))
        {
            Ok((tls, until)) => {
                config.reload_from_config(Arc::new(tls));
                not_after = until;
            }
            Err(error) => {
                tracing::error!(%error, "the HTTPS listener keeps its old certificate; tried again in an hour");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use lifecycle::Clock;

    use super::*;
    use crate::config::Config;
    use crate::opening;

    #[tokio::test]
    async fn a_moved_clock_makes_no_certificate_due() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::in_folder(folder.path(), None);
        let clock = Clock::ahead_by(100 * domain::time::DAY);
        let desk = opening::desk(&config, clock).await.unwrap();
        let desk = opening::with_issuer(&config, &desk, "http://a.test", true).await.unwrap();
        let made = certificate(&desk, &NameSet::parse_list("a.test").unwrap()).await.unwrap();
        assert!(!is_due(&desk, made.not_after));
        assert!(is_due(&desk, made.not_after.minus(Days(61))));
    }

    #[test]
    fn the_listener_has_the_names_that_it_is_reached_as() {
        let of = |base: &str, address: &str| {
            let names = names(base, address.parse().unwrap());
            names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(of("https://localhost:3443", "127.0.0.1:3443"), "localhost 127.0.0.1");
        assert_eq!(of("https://certdeck", "0.0.0.0:443"), "certdeck 127.0.0.1");
        assert_eq!(
            of("https://certs.example.com/x", "[::1]:443"),
            "certs.example.com 127.0.0.1 ::1"
        );
        assert_eq!(of("https://192.0.2.7", "192.0.2.7:443"), "127.0.0.1 192.0.2.7");
    }
}
