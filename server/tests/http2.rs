//! A browser at the portal's own HTTPS listener: it speaks HTTP/2 there, without a `Host` header.

#![expect(clippy::unwrap_used, reason = "a fault in the set-up is the test's failure")]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use http::{Request, StatusCode, Version, header};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

const PASSWORD: &str = "harbour violet anvil";

fn certdeck(folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_certdeck"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CERTDECK_")) {
        command.env_remove(name);
    }
    command
        .env("CERTDECK_DATA_DIR", folder)
        .env("CERTDECK_LISTEN", "off")
        .env("CERTDECK_TLS_LISTEN", "127.0.0.1:0")
        .env("RUST_LOG", "off")
        .args(words);
    command
}

fn add_person(folder: &Path) {
    let words = ["user", "add", "ada@example.com", "--role", "administrator", "--password-stdin"];
    let mut child =
        certdeck(folder, &words).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

/// A connection as a browser makes it: the portal's root is trusted, HTTP/2 is asked for.
async fn connect(address: &str, root: &[u8]) -> SendRequest<Full<Bytes>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(root).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
    let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

async fn sign_in(
    sender: &mut SendRequest<Full<Bytes>>,
    address: &str,
    origin: &str,
) -> http::Response<Incoming> {
    let form = format!("email=ada%40example.com&password={}&next=%2F", PASSWORD.replace(' ', "+"));
    let request = Request::post(format!("https://{address}/api/session/sign-in"))
        .header(header::ORIGIN, origin)
        .header("sec-fetch-site", "same-origin")
        .header(header::ACCEPT, "text/html")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Full::from(form))
        .unwrap();
    sender.send_request(request).await.unwrap()
}

#[tokio::test]
async fn a_person_signs_in_over_http2() {
    let folder = tempfile::tempdir().unwrap();
    add_person(folder.path());
    let root = certdeck(folder.path(), &["ca", "export-root"]).output().unwrap().stdout;
    let mut serving = tokio::process::Command::from(certdeck(folder.path(), &["serve"]));
    let mut serving = serving.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut lines = BufReader::new(serving.stdout.take().unwrap()).lines();
    let line = lines.next_line().await.unwrap().unwrap();
    let address = line.strip_prefix("listening on https://").unwrap();

    let mut sender = connect(address, &root).await;
    let answer = sign_in(&mut sender, address, &format!("https://{address}")).await;
    assert_eq!((answer.status(), answer.version()), (StatusCode::SEE_OTHER, Version::HTTP_2));
    let cookie = answer.headers().get(header::SET_COOKIE).unwrap().to_str().unwrap();
    assert!(cookie.starts_with("__Host-certdeck=") && cookie.contains("; Secure"), "{cookie}");

    let page = Request::get(format!("https://{address}/certificates/orders"))
        .header(header::COOKIE, cookie.split(';').next().unwrap())
        .body(Full::default())
        .unwrap();
    assert_eq!(sender.send_request(page).await.unwrap().status(), StatusCode::OK);

    // A page of the wizard has in its address what was filled in so far.
    let long = Request::get(format!("https://{address}/sign-in?x={}", "x".repeat(48 * 1024)));
    let page = sender.send_request(long.body(Full::default()).unwrap()).await.unwrap();
    assert_eq!(page.status(), StatusCode::OK);

    let foreign = sign_in(&mut sender, address, "https://evil.example").await;
    assert_eq!(foreign.status(), StatusCode::FORBIDDEN);
}
