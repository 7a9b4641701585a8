//! Looks at what an endpoint serves, by a TLS handshake that trusts everybody.
//!
//! Nothing is sent over such a connection: it exists to see the certificates.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::model::Serial;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::net::TcpStream;

use crate::certificate::{self, Leaf};

/// What an endpoint served in a handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// All certificates as served, leaf first, PEM.
    pub chain_pem: String,
    /// The leaf's serial.
    pub serial: Serial,
    /// The leaf's common name; empty where it has none.
    pub common_name: String,
    /// The last second of the leaf's validity.
    pub not_after: domain::Timestamp,
}

/// Why no certificate was seen.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// No TCP connection.
    #[error("no connection to {address}: {source}")]
    Connect {
        /// The endpoint's address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Nothing came in time.
    #[error("{address} did not complete a TLS handshake within {} seconds", .limit.as_secs_f32())]
    TooLong {
        /// The endpoint's address.
        address: SocketAddr,
        /// How long was waited.
        limit: Duration,
    },
    /// Not TLS, or none that the agent speaks (TLS 1.2 and 1.3).
    #[error("no TLS 1.2 or 1.3 handshake with {address}: {source}")]
    Handshake {
        /// The endpoint's address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The server name can't be sent.
    #[error("{0:?} is not a name that a TLS handshake can ask for")]
    ServerName(String),
    /// The served certificate can't be read.
    #[error("{0} serves something that is not an X.509 certificate")]
    Certificate(SocketAddr),
    /// The TLS library refused its own settings.
    #[error("TLS can't be set up: {0}")]
    Tls(#[from] rustls::Error),
}

/// Makes a handshake with `address`, asking for `server_name` where there is one, and tells what
/// was served. An endpoint that shows its certificate and then refuses the handshake (because it
/// wants a client's certificate) counts as seen.
pub async fn probe(
    address: SocketAddr,
    server_name: Option<&str>,
    limit: Duration,
) -> Result<Served, ProbeError> {
    let recorder = Arc::new(Recorder::new());
    let handshake = shake_hands(address, server_name, recorder.clone());
    let outcome = match tokio::time::timeout(limit, handshake).await {
        Ok(outcome) => outcome,
        Err(_) => Err(ProbeError::TooLong { address, limit }),
    };
    let chain = recorder.take();
    match (chain.first(), outcome) {
        (Some(first), _) => {
            let leaf = Leaf::from_der(first).map_err(|_| ProbeError::Certificate(address))?;
            Ok(Served {
                chain_pem: certificate::write_chain(&chain),
                serial: leaf.serial,
                common_name: leaf.common_name,
                not_after: leaf.not_after,
            })
        }
        (None, Err(error)) => Err(error),
        (None, Ok(())) => Err(ProbeError::Certificate(address)),
    }
}

async fn shake_hands(
    address: SocketAddr,
    server_name: Option<&str>,
    recorder: Arc<Recorder>,
) -> Result<(), ProbeError> {
    let name = match server_name {
        Some(text) => ServerName::try_from(text.to_owned())
            .map_err(|_| ProbeError::ServerName(text.to_owned()))?,
        None => ServerName::IpAddress(address.ip().into()),
    };
    let config = ClientConfig::builder_with_provider(recorder.provider.clone())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(recorder)
        .with_no_client_auth();
    let stream = TcpStream::connect(address)
        .await
        .map_err(|source| ProbeError::Connect { address, source })?;
    tokio_rustls::TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .map(drop)
        .map_err(|source| ProbeError::Handshake { address, source })
}

/// Accepts any certificate and keeps the chain.
#[derive(Debug)]
struct Recorder {
    provider: Arc<CryptoProvider>,
    chain: Mutex<Vec<CertificateDer<'static>>>,
}

impl Recorder {
    fn new() -> Self {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        Self { provider, chain: Mutex::default() }
    }

    fn take(&self) -> Vec<CertificateDer<'static>> {
        self.chain.lock().map(|mut chain| std::mem::take(&mut *chain)).unwrap_or_default()
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if let Ok(mut chain) = self.chain.lock() {
            let served = std::iter::once(end_entity).chain(intermediates);
            *chain = served.map(|der| der.clone().into_owned()).collect();
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
