//! What a look at an endpoint says where there is nothing to see.

mod common;

use std::time::Duration;

use certdeck_agent::{ProbeError, probe};
use common::{LOOPBACK, free_address};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

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
