//! `certdeck worker`, beside or without a portal.

use std::net::SocketAddr;

use domain::model::AcmeUrl;
use domain::model::acme::{
    Authorization, AuthorizationStatus, ChallengeKind, ChallengeStatus, Identifier, IdentifierKind,
};
use domain::{AcmeUrlId, ProductId, Timestamp};
use store::StoreError;
use store::acme::{NewAcmeAccount, NewAcmeUrlRow, NewAuthorization, NewChallenge};
use store::testing::{TestDatabase, postgres};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, UdpSocket};

use super::portal::{PATIENCE, Running, certdeck, client, outcome};

#[tokio::test]
async fn a_worker_does_the_background_work() {
    let Some(database) = postgres().await else { return };
    database
        .execute(
            "INSERT INTO one_time_links (token_hash, created_at, expires_at) VALUES ('old', 1, 2)",
        )
        .await
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut command = certdeck(folder.path(), &["worker"]);
    command.env("CERTDECK_DATABASE_URL", &database.url);
    command.env("CERTDECK_BASE_URL", "https://certs.example.test");
    let mut worker = Running::spawn(command);
    worker.line_with("working").await;
    let swept = async {
        while database.store.reader().await.unwrap().link("old").await.unwrap().is_some() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, swept).await.unwrap();
    worker.terminate().await;
    assert_eq!(worker.code().await, Some(0));
}

#[tokio::test]
async fn a_worker_that_still_opens_its_database_ends_when_asked() {
    // Takes connections and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("postgres://nobody@{}/none", silent.local_addr().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let mut command = certdeck(folder.path(), &["worker"]);
    command.env("CERTDECK_DATABASE_URL", url);
    let worker = Running::spawn(command);
    let _connection = silent.accept().await.unwrap();
    worker.terminate().await;
    assert_eq!(worker.code().await, Some(0));
}

/// A DNS server that has every name on 127.0.0.1, and only certs.example.test may issue for it.
async fn dns() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 1_024];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            let _ = socket.send_to(&answer(&buffer[..length]), from).await;
        }
    });
    address
}

/// RFC 1035 section 4.1: the question again, and the record for A (1) or CAA (257).
fn answer(query: &[u8]) -> Vec<u8> {
    let mut end = 12;
    while query[end] != 0 {
        end += 1 + usize::from(query[end]);
    }
    let question = &query[12..end + 5];
    let caa = [&[0, 5][..], b"issue", b"certs.example.test"].concat();
    let data: &[u8] = match query[end + 1..end + 3] {
        [0, 1] => &[127, 0, 0, 1],
        [1, 1] => &caa,
        _ => &[],
    };
    let answers = u8::from(!data.is_empty());
    let mut answer = [&query[..2], &[0x81, 0x80, 0, 1, 0, answers, 0, 0, 0, 0], question].concat();
    if answers == 1 {
        answer.extend([0xc0, 12]);
        answer.extend(&query[end + 1..end + 5]);
        answer.extend([0, 0, 0, 1, 0, u8::try_from(data.len()).unwrap()]);
        answer.extend(data);
    }
    answer
}

/// A web server with the key authorization on every page.
async fn web() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                let mut line = String::new();
                while stream.read_line(&mut line).await? > 2 {
                    line.clear();
                }
                let page = format!(
                    "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{KEY}",
                    KEY.len()
                );
                stream.write_all(page.as_bytes()).await
            });
        }
    });
    port
}

const KEY: &str = "token.thumbprint";

/// An answered challenge, as a client leaves it behind; its authorization.
async fn answered(database: &TestDatabase) -> i64 {
    let now = Timestamp(1);
    let write = database.store.write(move |tx| {
        Box::pin(async move {
            let organization = tx.insert_organization("Example", "DE", None, now).await?.unwrap();
            let url = AcmeUrl {
                id: AcmeUrlId(0),
                name: "one".to_owned(),
                product: ProductId::from("ssl_dv_geotrust"),
                organization,
                coverage_years: None,
                validity_days: None,
                key_types: Vec::new(),
                allowed_domains: Vec::new(),
                may_renew: true,
                may_reissue: true,
                may_duplicate: false,
                duplicate_automatically: false,
            };
            let url = NewAcmeUrlRow { url, created_at: now, created_by: None };
            let url = tx.insert_acme_url(&url).await?;
            let account = NewAcmeAccount {
                url,
                kid: "kid".to_owned(),
                thumbprint: "thumbprint".to_owned(),
                jwk: "{}".to_owned(),
                contacts: Vec::new(),
                terms_agreed_at: None,
                created_at: now,
                address: None,
            };
            let account = tx.insert_acme_account(&account).await?.unwrap();
            let (kind, value) = (IdentifierKind::Dns, "www.shop.test".to_owned());
            let authorization = NewAuthorization {
                account,
                identifier: Identifier { kind, value },
                wildcard: false,
                status: AuthorizationStatus::Pending,
                expires_at: Timestamp(i64::from(u32::MAX)),
                prevalidated: false,
                without_order: false,
                created_at: now,
                challenges: vec![NewChallenge {
                    kind: ChallengeKind::Http01,
                    token: "token".to_owned(),
                    status: ChallengeStatus::Pending,
                }],
            };
            let authorization = tx.insert_authorization(authorization).await?;
            let challenge = authorization.challenges[0].id;
            tx.claim_challenge(challenge, KEY).await?;
            tx.insert_validation_job(challenge, url, now).await?;
            Ok::<_, StoreError>(authorization.id)
        })
    });
    write.await.unwrap()
}

/// What becomes of an authorization.
async fn decided(database: &TestDatabase, id: i64) -> Authorization {
    let deciding = async {
        loop {
            let mut tx = database.store.reader().await.unwrap();
            let found = tx.authorization(id).await.unwrap().unwrap();
            if found.status != AuthorizationStatus::Pending {
                return found;
            }
            drop(tx);
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, deciding).await.unwrap()
}

/// A worker judges CAA by the name that a portal on the same database is configured with, whatever
/// machine it runs on.
#[tokio::test]
async fn a_worker_judges_caa_by_the_public_url_of_the_other_nodes() {
    let Some(database) = postgres().await else { return };
    let (resolver, port) = (dns().await.to_string(), web().await.to_string());
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let process = |folder: &std::path::Path, words: &[&str]| {
        let mut command = certdeck(folder, words);
        command
            .env("CERTDECK_DATABASE_URL", &database.url)
            .env("CERTDECK_MASTER_KEY_FILE", here.path().join("master.key"))
            .env("CERTDECK_DNS_RESOLVER", &resolver)
            .env("CERTDECK_ACME_HTTP01_PORT", &port)
            .env("CERTDECK_VALIDATION_ALLOW", "127.0.0.0/8");
        command
    };
    let mut portal = process(here.path(), &["serve"]);
    portal.env("CERTDECK_BASE_URL", "https://certs.example.test/");
    let portal = Running::serve(portal).await;
    portal.terminate().await;
    assert_eq!(portal.code().await, Some(0));
    let authorization = answered(&database).await;
    let mut worker = Running::spawn(process(there.path(), &["worker"]));
    worker.line_with("working").await;
    let decided = decided(&database, authorization).await;
    assert_eq!(decided.status, AuthorizationStatus::Valid, "{:?}", decided.challenges);
    worker.terminate().await;
    assert_eq!(worker.code().await, Some(0));
    // Another portal goes by it as well.
    let portal = Running::serve(process(there.path(), &["serve"])).await;
    let directory = format!("{}/mpki/api/v1/acme/v2/directory", portal.url);
    let directory = client().get(directory).send().await.unwrap().text().await.unwrap();
    assert!(directory.contains("https://certs.example.test/mpki"), "{directory}");
    portal.terminate().await;
    assert_eq!(portal.code().await, Some(0));
}

#[tokio::test]
async fn a_worker_that_knows_no_public_url_says_so() {
    let Some(database) = postgres().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut command = certdeck(folder.path(), &["worker"]);
    command.env("CERTDECK_DATABASE_URL", &database.url);
    let refused = outcome(command).await;
    assert!(!refused.status.success());
    let words = String::from_utf8(refused.stderr).unwrap();
    assert!(words.contains("Set CERTDECK_BASE_URL"), "{words}");
}
