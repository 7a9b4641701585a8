//! Real TLS servers on loopback ports, one for each endpoint of the demonstration. Like other
//! servers they read their certificate when they start and when they are told to: by a change of
//! the file `reload`, which the agent's reload command touches.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::catalogue::ENDPOINTS;

/// The ports that are tried first, so that they are the same every time.
const FIRST_PORT: u16 = 8441;
/// A slow client is not waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// A listener's files.
#[derive(Debug, Clone)]
pub struct Files {
    /// Certificate and chain.
    pub fullchain: PathBuf,
    /// Private key.
    pub key: PathBuf,
    /// Touched to have both read again.
    pub reload: PathBuf,
}

#[derive(Debug)]
struct Listener {
    name: &'static str,
    socket: TcpListener,
    address: SocketAddr,
    files: Files,
}

/// All listeners, bound and not yet started.
#[derive(Debug)]
pub struct Listeners(Vec<Listener>);

impl Listeners {
    /// Binds a port for each endpoint: the same ones as last time where they are free, else
    /// `FIRST_PORT` and up where `fixed`, else whatever the system gives.
    pub fn bind(folder: &Path, fixed: bool) -> anyhow::Result<Self> {
        let mut listeners = Vec::with_capacity(ENDPOINTS.len());
        for (index, (name, _)) in ENDPOINTS.iter().enumerate() {
            let dir = folder.join(name);
            std::fs::create_dir_all(&dir)
                .with_context(|| format!("cannot make {}", dir.display()))?;
            let remembered = std::fs::read_to_string(dir.join("port"))
                .ok()
                .and_then(|text| text.trim().parse().ok());
            let usual = u16::try_from(index).ok().filter(|_| fixed).map(|index| FIRST_PORT + index);
            let socket = [remembered, usual, Some(0)]
                .into_iter()
                .flatten()
                .find_map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok())
                .context("cannot listen on any loopback port")?;
            socket.set_nonblocking(true)?;
            let address = socket.local_addr()?;
            std::fs::write(dir.join("port"), address.port().to_string())?;
            let files = Files {
                fullchain: dir.join("fullchain.pem"),
                key: dir.join("key.pem"),
                reload: dir.join("reload"),
            };
            listeners.push(Listener { name, socket, address, files });
        }
        Ok(Self(listeners))
    }

    /// Name, address and files of each.
    pub fn sites(&self) -> impl Iterator<Item = (&'static str, SocketAddr, &Files)> {
        self.0.iter().map(|listener| (listener.name, listener.address, &listener.files))
    }

    /// Serves until `stop`.
    pub fn start(self, work: &mut JoinSet<()>, stop: &CancellationToken) {
        for listener in self.0 {
            let stop = stop.clone();
            work.spawn(async move {
                let name = listener.name;
                let served = async { serve(listener).await };
                tokio::select! {
                    () = stop.cancelled() => {}
                    outcome = served => if let Err(error) = outcome {
                        tracing::error!(%error, name, "a listener of the demonstration ended");
                    }
                }
            });
        }
    }
}

async fn serve(listener: Listener) -> anyhow::Result<()> {
    let current = Arc::new(Current::new(listener.files.clone()));
    let resolver: Arc<dyn ResolvesServerCert> = current.clone();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let socket = tokio::net::TcpListener::from_std(listener.socket)?;
    loop {
        let (stream, _) = socket.accept().await?;
        current.read_again_if_told();
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            // A client that breaks off, or that asks where there is no certificate, gets no more.
            let _ = tokio::time::timeout(PATIENCE, greet(acceptor, stream, listener.name)).await;
        });
    }
}

async fn greet(acceptor: TlsAcceptor, stream: TcpStream, name: &str) -> std::io::Result<()> {
    let mut tls = acceptor.accept(stream).await?;
    let mut request = [0_u8; 2048];
    let _ = tls.read(&mut request).await?;
    let body = format!("{name}: a server of the demonstration.\n");
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    tls.write_all(head.as_bytes()).await?;
    tls.write_all(body.as_bytes()).await?;
    tls.shutdown().await
}

/// The certificate that is served now.
#[derive(Debug)]
struct Current {
    files: Files,
    state: RwLock<(Option<SystemTime>, Option<Arc<CertifiedKey>>)>,
}

impl Current {
    fn new(files: Files) -> Self {
        let state = RwLock::new((stamp(&files), load(&files)));
        Self { files, state }
    }

    fn read_again_if_told(&self) {
        let told = stamp(&self.files);
        let unchanged = self.state.read().is_ok_and(|state| state.0 == told);
        if unchanged {
            return;
        }
        if let Ok(mut state) = self.state.write() {
            *state = (told, load(&self.files));
        }
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.state.read().ok().and_then(|state| state.1.clone())
    }
}

fn stamp(files: &Files) -> Option<SystemTime> {
    std::fs::metadata(&files.reload).and_then(|metadata| metadata.modified()).ok()
}

fn load(files: &Files) -> Option<Arc<CertifiedKey>> {
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_file_iter(&files.fullchain).ok()?.collect::<Result<_, _>>().ok()?;
    let key = PrivateKeyDer::from_pem_file(&files.key).ok()?;
    let key = aws_lc_rs::sign::any_supported_type(&key).ok()?;
    Some(Arc::new(CertifiedKey::new(chain, key)))
}
