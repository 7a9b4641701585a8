//! How a portal ends.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::portal::{PATIENCE, Running, certdeck};

/// Until the stream holds this text; what came so far.
async fn read_until(stream: &mut TcpStream, text: &str) -> String {
    let mut came = Vec::new();
    let all = async {
        while !String::from_utf8_lossy(&came).contains(text) {
            let read = stream.read_buf(&mut came).await.unwrap();
            assert_ne!(read, 0, "no {text:?} in {:?}", String::from_utf8_lossy(&came));
        }
    };
    tokio::time::timeout(PATIENCE, all).await.unwrap();
    String::from_utf8(came).unwrap()
}

#[tokio::test]
async fn a_request_in_flight_is_answered_and_then_the_portal_ends() {
    let folder = tempfile::tempdir().unwrap();
    let portal = Running::serve(certdeck(folder.path(), &["serve"])).await;
    let address = portal.url.strip_prefix("http://").unwrap().to_owned();
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let form = "email=nobody%40example.com&password=wrong&next=%2F";
    let head = format!(
        "POST /api/session/sign-in HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\
         Expect: 100-continue\r\n\r\n",
        form.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // The portal waits for the body.
    read_until(&mut stream, "HTTP/1.1 100").await;
    let mut idle = TcpStream::connect(&address).await.unwrap();
    let asked = format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\n\r\n");
    idle.write_all(asked.as_bytes()).await.unwrap();
    read_until(&mut idle, "\r\n\r\nok\n").await;
    portal.terminate().await;
    // It has begun to end when it hangs up where nothing is asked.
    let hung_up = tokio::time::timeout(PATIENCE, idle.read_to_end(&mut Vec::new())).await;
    assert_eq!(hung_up.unwrap().unwrap(), 0);
    stream.write_all(form.as_bytes()).await.unwrap();
    let answer = read_until(&mut stream, "HTTP/1.1 ").await;
    assert!(!answer.contains("HTTP/1.1 5"), "{answer}");
    let begun = std::time::Instant::now();
    assert_eq!(portal.code().await, Some(0));
    // The time that requests are given is 20 seconds.
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
}
