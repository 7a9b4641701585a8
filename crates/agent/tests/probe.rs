//! What a look at an endpoint says where there is nothing to see.

mod common;

use std::sync::Arc;
use std::time::Duration;

use agent_api::Token;
use certdeck_agent::{AgentConfig, EndpointConfig, ProbeError, check, probe};
use common::{LOOPBACK, free_address, self_signed};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

const LIMIT: Duration = Duration::from_secs(20);

#[tokio::test]
async fn nobody_listens() {
    let error = probe(free_address(), None, LIMIT).await.unwrap_err();
    assert!(matches!(error, ProbeError::Connect { .. }), "{error}");
}

#[tokio::test]
async fn something_other_than_tls_answers() {
    let listener = TcpListener::bind((LOOPBACK, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").await.unwrap();
    });
    let error = probe(address, Some("www.example.test"), LIMIT).await.unwrap_err();
    assert!(matches!(error, ProbeError::Handshake { .. }), "{error}");
}

#[tokio::test]
async fn nothing_answers() {
    let listener = TcpListener::bind((LOOPBACK, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let error = probe(address, None, Duration::from_millis(100)).await.unwrap_err();
    assert!(matches!(error, ProbeError::TooLong { .. }), "{error}");
}

#[tokio::test]
async fn a_name_that_cannot_be_asked_for() {
    let error = probe(free_address(), Some("not a name"), LIMIT).await.unwrap_err();
    assert!(matches!(error, ProbeError::ServerName(_)), "{error}");
}

#[tokio::test]
async fn what_drops_one_handshake_is_looked_at_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let (fullchain, key) = (file("fullchain.pem"), file("key.pem"));
    self_signed("www.example.test", &fullchain, &key);
    let chain = vec![CertificateDer::from_pem_file(&fullchain).unwrap()];
    let private = PrivateKeyDer::from_pem_file(&key).unwrap();
    let listener = TcpListener::bind((LOOPBACK, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let endpoint = EndpointConfig::new("www", address, fullchain, key);
    let nowhere = AgentConfig::new("https://portal.test", Token::new("none"), file("state"));
    let config = AgentConfig { endpoints: vec![endpoint], ..nowhere };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .unwrap();
    let accepting = tokio::spawn(async move {
        drop(listener.accept().await.unwrap());
        let (stream, _) = listener.accept().await.unwrap();
        TlsAcceptor::from(Arc::new(server)).accept(stream).await.unwrap();
    });
    let sights = check(&config).await.unwrap();
    let seen = sights.first().unwrap().served.as_ref().unwrap();
    accepting.await.unwrap();
    assert_eq!(seen.common_name, "rcgen self signed cert");
}
