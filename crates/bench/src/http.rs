//! HTTP/1.1 on one connection, one request at a time (RFC 9112): as little work as possible on the
//! client's side, so that the server is what is measured.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// No answer takes longer than this, or it has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// The longest answer that is read, in bytes.
const LONGEST: usize = 8 << 20;

trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

/// A server.
#[derive(Clone)]
pub struct Target {
    address: SocketAddr,
    host: String,
    tls: Option<TlsConnector>,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target")
            .field("host", &self.host)
            .field("tls", &self.tls.is_some())
            .finish_non_exhaustive()
    }
}

impl Target {
    /// A server without TLS.
    pub fn plain(address: SocketAddr) -> Self {
        Self { address, host: address.to_string(), tls: None }
    }

    /// A server whose certificate is checked by the root in `pem`. Sessions are never resumed:
    /// each connection pays for its handshake.
    pub fn tls(address: SocketAddr, pem: &str) -> anyhow::Result<Self> {
        let mut roots = RootCertStore::empty();
        for root in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            roots.add(root?)?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        let tls = Some(TlsConnector::from(Arc::new(config)));
        Ok(Self { address, host: address.to_string(), tls })
    }

    /// The same server under its public name, as behind a load balancer.
    pub fn named(self, host: &str) -> Self {
        Self { host: host.to_owned(), ..self }
    }

    /// `https://127.0.0.1:1234`
    pub fn origin(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.host)
    }
}

/// What is sent.
#[derive(Debug, Clone, Copy, Default)]
pub struct Request<'a> {
    /// `GET`, `HEAD` or `POST`.
    pub method: &'a str,
    /// Path and query.
    pub path: &'a str,
    /// Headers besides `Host` and `Content-Length`.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body.
    pub body: &'a [u8],
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    head: String,
    /// The body, as sent.
    pub body: Vec<u8>,
}

impl Answer {
    /// The value of the first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.split("\r\n").skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// An open connection.
pub struct Connection {
    wire: Box<dyn Wire>,
    host: String,
    /// Bytes that were received and not yet taken.
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects, with a whole handshake where the target speaks TLS.
    pub async fn open(target: &Target) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(target.address).await.context("cannot connect")?;
        stream.set_nodelay(true)?;
        let wire: Box<dyn Wire> = match &target.tls {
            None => Box::new(stream),
            Some(tls) => {
                let name = ServerName::from(target.address.ip());
                Box::new(tls.connect(name, stream).await.context("the TLS handshake failed")?)
            }
        };
        Ok(Self { wire, host: target.host.clone(), buffer: Vec::with_capacity(1 << 16) })
    }

    /// Sends a request and reads the whole answer.
    pub async fn send(&mut self, request: Request<'_>) -> anyhow::Result<Answer> {
        tokio::time::timeout(PATIENCE, self.exchange(request)).await.context("no answer in time")?
    }

    async fn exchange(&mut self, request: Request<'_>) -> anyhow::Result<Answer> {
        let Request { method, path, headers, body } = request;
        let mut sent = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\n", self.host);
        for (name, value) in headers {
            sent.extend([name, ": ", value, "\r\n"]);
        }
        if method == "POST" {
            sent.extend(["content-length: ", &body.len().to_string(), "\r\n"]);
        }
        sent.push_str("\r\n");
        let mut sent = sent.into_bytes();
        sent.extend_from_slice(body);
        self.wire.write_all(&sent).await?;
        self.wire.flush().await?;
        let head = String::from_utf8(self.take_through(b"\r\n\r\n").await?)?;
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        let mut answer = Answer { status: status.context("no status")?, head, body: Vec::new() };
        if method != "HEAD" && answer.status != 204 {
            answer.body = self.body(&answer).await?;
        }
        Ok(answer)
    }

    async fn body(&mut self, answer: &Answer) -> anyhow::Result<Vec<u8>> {
        if let Some(length) = answer.header("content-length") {
            return self.take(length.parse()?).await;
        }
        let chunked = answer.header("transfer-encoding").is_some_and(|coding| coding == "chunked");
        ensure!(chunked, "an answer without a length");
        let mut body = Vec::new();
        loop {
            let line = String::from_utf8(self.take_through(b"\r\n").await?)?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).context("a chunk without a size")?;
            let mut chunk = self.take(size.saturating_add(2)).await?;
            if size == 0 {
                return Ok(body);
            }
            chunk.truncate(size);
            body.append(&mut chunk);
        }
    }

    async fn take(&mut self, length: usize) -> anyhow::Result<Vec<u8>> {
        ensure!(length <= LONGEST, "an answer of {length} bytes");
        while self.buffer.len() < length {
            self.receive().await?;
        }
        Ok(self.buffer.drain(..length).collect())
    }

    async fn take_through(&mut self, end: &[u8]) -> anyhow::Result<Vec<u8>> {
        let mut searched = 0;
        loop {
            let unseen = self.buffer.get(searched..).unwrap_or_default();
            if let Some(at) = unseen.windows(end.len()).position(|window| window == end) {
                return Ok(self.buffer.drain(..searched + at + end.len()).collect());
            }
            searched = self.buffer.len().saturating_sub(end.len() - 1);
            ensure!(self.buffer.len() <= LONGEST, "an answer without an end");
            self.receive().await?;
        }
    }

    async fn receive(&mut self) -> anyhow::Result<()> {
        if self.wire.read_buf(&mut self.buffer).await? == 0 {
            bail!("the server closed the connection");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    async fn answered(bytes: &'static [u8]) -> anyhow::Result<Answer> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await?;
            let mut asked = [0; 1024];
            let _ = stream.read(&mut asked).await?;
            // In two pieces, as networks do.
            let (first, second) = bytes.split_at(bytes.len() / 2);
            stream.write_all(first).await?;
            stream.flush().await?;
            tokio::task::yield_now().await;
            stream.write_all(second).await
        });
        let mut connection = Connection::open(&Target::plain(address)).await?;
        let answer =
            connection.send(Request { method: "GET", path: "/", ..Request::default() }).await;
        server.await??;
        answer
    }

    #[tokio::test]
    async fn bodies_are_read_by_length_and_by_chunks() {
        let answer =
            answered(b"HTTP/1.1 200 OK\r\nReplay-Nonce: abc\r\ncontent-length: 5\r\n\r\nhello")
                .await
                .unwrap();
        assert_eq!((answer.status, answer.text().as_str()), (200, "hello"));
        assert_eq!(answer.header("replay-nonce"), Some("abc"));
        let answer = answered(
            b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1;x=y\r\n!\r\n0\r\n\r\n",
        )
        .await
        .unwrap();
        assert_eq!((answer.status, answer.text().as_str()), (404, "hello!"));
    }

    #[tokio::test]
    async fn an_answer_that_stops_is_an_error() {
        assert!(answered(b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhello").await.is_err());
    }
}
