//! What validation asks, on loopback: a DNS server, web servers, TLS servers.

use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::IntoResponse;
use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, AAAA, CAA, CNAME, TXT};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};

type Question = (String, RecordType);

#[derive(Default)]
struct Records {
    here: HashMap<Question, Vec<RData>>,
    /// What is answered once only, before all else.
    at_first: HashMap<Question, Vec<RData>>,
    asked: Vec<Question>,
}

type Zone = Arc<Mutex<Records>>;

/// A DNS server with every name on 127.0.0.1 that has no record of its own.
#[derive(Clone)]
pub struct Dns {
    pub address: SocketAddr,
    zone: Zone,
}

impl Dns {
    pub async fn start() -> Self {
        let (socket, listener) = loop {
            let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
            let address = socket.local_addr().unwrap();
            if let Ok(listener) = tokio::net::TcpListener::bind(address).await {
                break (socket, listener);
            }
        };
        let dns = Self { address: socket.local_addr().unwrap(), zone: Zone::default() };
        let zone = Arc::clone(&dns.zone);
        tokio::spawn(async move {
            let mut buffer = [0; 4096];
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                let Ok(query) = Message::from_vec(&buffer[..length]) else { continue };
                let mut response = answer(&query, &zone);
                if response.to_vec().unwrap().len() > 512 {
                    response.answers.clear();
                    response.metadata.truncation = true;
                }
                let _ = socket.send_to(&response.to_vec().unwrap(), from).await;
            }
        });
        let zone = Arc::clone(&dns.zone);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(over_tcp(stream, Arc::clone(&zone)));
            }
        });
        dns
    }

    fn set(&self, name: &str, kind: RecordType, values: Vec<RData>) {
        self.zone.lock().unwrap().here.insert((name.to_owned(), kind), values);
    }

    pub fn txt(&self, name: &str, values: &[&str]) {
        let values =
            values.iter().map(|value| RData::TXT(TXT::new(vec![(*value).to_owned()]))).collect();
        self.set(name, RecordType::TXT, values);
    }

    pub fn cname(&self, name: &str, target: &str) {
        let target = Name::from_ascii(format!("{target}.")).unwrap();
        self.set(name, RecordType::CNAME, vec![RData::CNAME(CNAME(target))]);
    }

    pub fn caa(&self, name: &str, tag: &str, value: &str) {
        self.caa_set(name, &[(tag, value)]);
    }

    pub fn caa_set(&self, name: &str, records: &[(&str, &str)]) {
        let record = |(tag, value): &(&str, &str)| {
            let mut caa = CAA::new_issue(false, None, Vec::new());
            caa.tag = (*tag).to_owned();
            caa.value = value.as_bytes().to_vec();
            RData::CAA(caa)
        };
        self.set(name, RecordType::CAA, records.iter().map(record).collect());
    }

    /// A record that whoever does not know its tag must not pass over.
    pub fn critical_caa(&self, name: &str, tag: &str) {
        let mut caa = CAA::new_issue(true, None, Vec::new());
        caa.tag = tag.to_owned();
        self.set(name, RecordType::CAA, vec![RData::CAA(caa)]);
    }

    pub fn address(&self, name: &str, address: [u8; 4]) {
        self.set(name, RecordType::A, vec![RData::A(A(Ipv4Addr::from(address)))]);
    }

    pub fn address_of_six(&self, name: &str, address: Ipv6Addr) {
        self.set(name, RecordType::AAAA, vec![RData::AAAA(AAAA(address))]);
    }

    /// The first question for the address has this answer, later ones have another.
    pub fn address_at_first(&self, name: &str, address: [u8; 4]) {
        let values = vec![RData::A(A(Ipv4Addr::from(address)))];
        self.zone.lock().unwrap().at_first.insert((name.to_owned(), RecordType::A), values);
    }

    /// How often a name was asked for.
    pub fn times_asked(&self, name: &str, kind: RecordType) -> usize {
        let zone = self.zone.lock().unwrap();
        zone.asked.iter().filter(|(asked, of)| asked == name && *of == kind).count()
    }
}

/// What does not fit into a datagram is asked for again here (RFC 7766 section 8).
async fn over_tcp(mut stream: tokio::net::TcpStream, zone: Zone) -> std::io::Result<()> {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    loop {
        let length = stream.read_u16().await?;
        let mut query = vec![0; usize::from(length)];
        stream.read_exact(&mut query).await?;
        let Ok(query) = Message::from_vec(&query) else { return Ok(()) };
        let response = answer(&query, &zone).to_vec().unwrap();
        stream.write_u16(u16::try_from(response.len()).unwrap()).await?;
        stream.write_all(&response).await?;
    }
}

fn answer(query: &Message, zone: &Zone) -> Message {
    let mut response = Message::response(query.metadata.id, query.metadata.op_code);
    response.metadata.recursion_desired = true;
    response.metadata.recursion_available = true;
    response.add_queries(query.queries.iter().cloned());
    let Some(question) = query.queries.first() else { return response };
    let name = question.name().to_ascii().trim_end_matches('.').to_ascii_lowercase();
    let mut zone = zone.lock().unwrap();
    let asked = (name.clone(), question.query_type());
    zone.asked.push(asked.clone());
    let at_first = zone.at_first.remove(&asked);
    let found = |kind| zone.here.get(&(name.clone(), kind)).cloned();
    let values = at_first.or_else(|| found(asked.1)).or_else(|| found(RecordType::CNAME));
    let values = match (values, question.query_type()) {
        (Some(values), _) => values,
        (None, RecordType::A) => vec![RData::A(A(Ipv4Addr::LOCALHOST))],
        _ => Vec::new(),
    };
    if name.ends_with("servfail.test") && question.query_type() == RecordType::CAA {
        response.metadata.response_code = ResponseCode::ServFail;
        return response;
    }
    for value in values {
        response.add_answer(Record::from_rdata(question.name().clone(), 1, value));
    }
    response
}

type Pages = Arc<Mutex<HashMap<String, (u16, Option<String>, String)>>>;

/// A web server; pages are found by host and path.
#[derive(Clone)]
pub struct Web {
    pub port: u16,
    pages: Pages,
    pub asked: Arc<Mutex<Vec<String>>>,
}

impl Web {
    pub async fn start() -> Self {
        Self::start_on("127.0.0.1").await
    }

    pub async fn start_on(address: &str) -> Self {
        Self::start_at(address, 0).await
    }

    pub async fn start_at(address: &str, port: u16) -> Self {
        let address: std::net::IpAddr = address.parse().unwrap();
        let listener = tokio::net::TcpListener::bind((address, port)).await.unwrap();
        let web = Self {
            port: listener.local_addr().unwrap().port(),
            pages: Pages::default(),
            asked: Arc::default(),
        };
        let (pages, asked) = (Arc::clone(&web.pages), Arc::clone(&web.asked));
        let app = axum::Router::new().fallback(move |headers: HeaderMap, uri: Uri| {
            let host = headers
                .get("host")
                .and_then(|host| host.to_str().ok())
                .unwrap_or_default()
                .to_owned();
            let (name, _port) = host.rsplit_once(':').unwrap_or((&host, ""));
            let key = format!("{name}{}", uri.path());
            asked.lock().unwrap().push(key.clone());
            let page = pages.lock().unwrap().get(&key).cloned();
            async move {
                let (status, location, body) =
                    page.unwrap_or((404, None, "SECRET INTERNAL PAGE".to_owned()));
                let mut headers = HeaderMap::new();
                if let Some(location) = location {
                    headers.insert("location", location.parse().unwrap());
                }
                (StatusCode::from_u16(status).unwrap(), headers, body).into_response()
            }
        });
        tokio::spawn(async move { axum::serve(listener, app).await });
        web
    }

    pub fn page(&self, place: &str, body: &str) {
        self.pages.lock().unwrap().insert(place.to_owned(), (200, None, body.to_owned()));
    }

    pub fn answer(&self, place: &str, status: u16, location: &str) {
        self.pages
            .lock()
            .unwrap()
            .insert(place.to_owned(), (status, Some(location.to_owned()), "moved".to_owned()));
    }
}

/// A web server with one page, over https.
pub fn serve_https(
    listener: tokio::net::TcpListener,
    certificate: &rcgen::Certificate,
    key: &rcgen::KeyPair,
    page: &str,
) -> tokio::task::JoinHandle<()> {
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
    let acceptor = acceptor(None, certificate, key, b"http/1.1");
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{page}", page.len());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, answer) = (acceptor.clone(), answer.clone());
            tokio::spawn(async move {
                let mut stream = BufReader::new(acceptor.accept(stream).await?);
                let mut line = String::new();
                while stream.read_line(&mut line).await? > 2 {
                    line.clear();
                }
                stream.write_all(answer.as_bytes()).await?;
                stream.shutdown().await
            });
        }
    })
}

pub fn serve_tls(
    listener: tokio::net::TcpListener,
    certificate: &rcgen::Certificate,
    key: &rcgen::KeyPair,
    alpn: &[u8],
) {
    serve_tls_as(None, listener, certificate, key, alpn);
}

/// Shows the certificate only to those who ask for a server name.
#[derive(Debug)]
struct Named(Option<String>, Arc<rustls::sign::CertifiedKey>);

impl rustls::server::ResolvesServerCert for Named {
    fn resolve(
        &self,
        hello: rustls::server::ClientHello<'_>,
    ) -> Option<Arc<rustls::sign::CertifiedKey>> {
        let asked = self.0.is_none() || self.0.as_deref() == hello.server_name();
        asked.then(|| Arc::clone(&self.1))
    }
}

pub fn serve_tls_as(
    name: Option<&str>,
    listener: tokio::net::TcpListener,
    certificate: &rcgen::Certificate,
    key: &rcgen::KeyPair,
    alpn: &[u8],
) {
    let acceptor = acceptor(name, certificate, key, alpn);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move { acceptor.accept(stream).await.map(drop) });
        }
    });
}

fn acceptor(
    name: Option<&str>,
    certificate: &rcgen::Certificate,
    key: &rcgen::KeyPair,
    alpn: &[u8],
) -> tokio_rustls::TlsAcceptor {
    use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let key = provider.key_provider.load_private_key(key).unwrap();
    // Not checked here: a challenge certificate has a critical extension that no verifier knows.
    let certified = rustls::sign::CertifiedKey::new(vec![certificate.der().clone()], key);
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Named(name.map(ToOwned::to_owned), Arc::new(certified))));
    config.alpn_protocols = vec![alpn.to_vec()];
    tokio_rustls::TlsAcceptor::from(Arc::new(config))
}
