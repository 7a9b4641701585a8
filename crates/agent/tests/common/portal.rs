//! A portal that keeps to the agents' protocol: hands out steps, signs CSRs, takes reports, and
//! answers repeated calls as before.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use agent_api::{
    CsrReport, EndpointsAnswer, EndpointsReport, EnrollAnswer, EnrollRequest, ErrorBody, ErrorCode,
    EventAnswer, FailedReport, FoundEndpoint, InstalledReport, PollAnswer, PollRequest, Step, Task,
    TaskEndpoint, Token, VerifiedReport, paths,
};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use domain::model::{KeyType, Serial};
use domain::{AgentId, EndpointId, EventId, Name, NameSet};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, PublicKeyData, SanType,
    SerialNumber,
};
use tokio::sync::Notify;
use x509_parser::prelude::GeneralName;
use x509_parser::prelude::{FromDer, ParsedExtension, X509CertificationRequest};

pub const ACTIVATION: &str = "activate-me-once";

#[derive(Clone)]
pub struct TestPortal {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    inner: Mutex<Inner>,
    changed: Notify,
    authority: Issuer<'static, KeyPair>,
    authority_pem: String,
}

#[derive(Default)]
struct Inner {
    /// Calls that are answered 503 before any is answered well.
    away: usize,
    /// The event after whose certificate it goes away.
    away_after: Option<EventId>,
    enrolled: Option<(Token, Token)>,
    endpoints: Vec<FoundEndpoint>,
    reports: usize,
    events: BTreeMap<EventId, Event>,
    issued: u64,
}

/// What has become of an event.
#[derive(Debug, Clone)]
pub struct Event {
    address: SocketAddr,
    server_name: Option<String>,
    names: NameSet,
    key_type: KeyType,
    probe: bool,
    held: bool,
    retries: usize,
    pub csrs: Vec<String>,
    pub issued: Option<Issued>,
    pub installed: bool,
    pub verified: Option<String>,
    pub failed: Option<FailedReport>,
}

#[derive(Debug, Clone)]
pub struct Issued {
    pub leaf_pem: String,
    pub serial: Serial,
}

impl Event {
    fn is_over(&self) -> bool {
        self.verified.is_some() || self.failed.is_some()
    }
}

/// The public key of a CSR, to be put into a certificate.
struct Requested {
    bits: Vec<u8>,
    algorithm: &'static rcgen::SignatureAlgorithm,
}

impl PublicKeyData for Requested {
    fn der_bytes(&self) -> &[u8] {
        &self.bits
    }
    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        self.algorithm
    }
}

impl TestPortal {
    pub async fn start() -> Self {
        let (authority, authority_pem) = authority();
        let inner = Mutex::default();
        let shared = Arc::new(Shared { inner, changed: Notify::new(), authority, authority_pem });
        let listener = tokio::net::TcpListener::bind((super::LOOPBACK, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .route(paths::ENROLL, post(enroll))
            .route(paths::ENDPOINTS, post(endpoints))
            .route(paths::POLL, post(poll))
            .route(paths::EVENT_CSR, post(csr))
            .route(paths::EVENT_INSTALLED, post(installed))
            .route(paths::EVENT_VERIFIED, post(verified))
            .route(paths::EVENT_FAILED, post(failed))
            .with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, shared }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn authority_pem(&self) -> &str {
        &self.shared.authority_pem
    }

    /// Issues a certificate for `127.0.0.1`, for a server of the test itself.
    pub fn issue_for_loopback(&self, fullchain: &std::path::Path, key: &std::path::Path) {
        let pair = KeyPair::generate().unwrap();
        let params = CertificateParams::new([super::LOOPBACK.to_string()]).unwrap();
        let certificate = params.signed_by(&pair, &self.shared.authority).unwrap();
        std::fs::write(fullchain, certificate.pem()).unwrap();
        std::fs::write(key, pair.serialize_pem()).unwrap();
    }

    /// Answers nothing well any more once the event's certificate was handed out.
    pub fn go_away_after_handing_out(&self, event: EventId) {
        self.shared.inner.lock().unwrap().away_after = Some(event);
    }

    /// Answers the next `calls` calls with 503.
    pub fn go_away(&self, calls: usize) {
        self.shared.inner.lock().unwrap().away = calls;
    }

    /// A new event: a certificate for `names`, the first being the common name.
    pub fn order(
        &self,
        address: SocketAddr,
        name: Option<&str>,
        names: &str,
        key: KeyType,
    ) -> EventId {
        self.add(address, name, names, key, false)
    }

    /// A new event: a look at what is served.
    pub fn probe(&self, address: SocketAddr, name: Option<&str>) -> EventId {
        self.add(address, name, "unused.test", KeyType::EcP256, true)
    }

    fn add(
        &self,
        address: SocketAddr,
        name: Option<&str>,
        names: &str,
        key: KeyType,
        probe: bool,
    ) -> EventId {
        let mut inner = self.shared.inner.lock().unwrap();
        let event = EventId(i64::try_from(inner.events.len()).unwrap() + 1);
        inner.events.insert(
            event,
            Event {
                address,
                server_name: name.map(str::to_owned),
                names: NameSet::parse_list(names).unwrap(),
                key_type: key,
                probe,
                held: false,
                retries: 0,
                csrs: Vec::new(),
                issued: None,
                installed: false,
                verified: None,
                failed: None,
            },
        );
        self.shared.changed.notify_waiters();
        event
    }

    /// Issues for a key of the portal's own, as if the agent had sent a CSR and lost its key.
    pub fn issue_without_asking(&self, event: EventId) {
        let key = KeyPair::generate().unwrap();
        let csr = CertificateParams::default().serialize_request(&key).unwrap().pem().unwrap();
        let issued = self.shared.sign(&csr, 4_000);
        self.shared.inner.lock().unwrap().events.get_mut(&event).unwrap().issued = Some(issued);
    }

    /// The certificate waits for an approval.
    pub fn hold(&self, event: EventId) {
        self.shared.inner.lock().unwrap().events.get_mut(&event).unwrap().held = true;
    }

    /// The event's first failure that may be retried is not its end: it waits to be released.
    pub fn retry_once(&self, event: EventId) {
        self.shared.inner.lock().unwrap().events.get_mut(&event).unwrap().retries = 1;
    }

    /// The event goes on.
    pub fn release(&self, event: EventId) {
        self.shared.inner.lock().unwrap().events.get_mut(&event).unwrap().held = false;
    }

    /// Cancels the event.
    pub fn cancel(&self, event: EventId) {
        self.shared.inner.lock().unwrap().events.remove(&event);
    }

    pub fn event(&self, event: EventId) -> Event {
        self.shared.inner.lock().unwrap().events[&event].clone()
    }

    pub fn endpoints(&self) -> Vec<FoundEndpoint> {
        self.shared.inner.lock().unwrap().endpoints.clone()
    }

    /// Waits for the event's end.
    pub async fn end_of(&self, event: EventId) -> Event {
        self.wait(|inner| inner.events[&event].is_over()).await;
        self.event(event)
    }

    /// Waits for `count` reports of endpoints since the start.
    pub async fn reports(&self, count: usize) {
        self.wait(|inner| inner.reports >= count).await;
    }

    /// Waits for a report like this.
    pub async fn reported(&self, until: impl Fn(&[FoundEndpoint]) -> bool) {
        self.wait(|inner| until(&inner.endpoints)).await;
    }

    async fn wait(&self, until: impl Fn(&Inner) -> bool) {
        let waiting = async {
            loop {
                let changed = self.shared.changed.notified();
                if until(&self.shared.inner.lock().unwrap()) {
                    return;
                }
                changed.await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), waiting).await.expect("nothing came");
    }
}

fn authority() -> (Issuer<'static, KeyPair>, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "Test authority");
    let pem = params.self_signed(&key).unwrap().pem();
    (Issuer::new(params, key), pem)
}

type Answer<T> = Result<Json<T>, Response>;

fn refuse(status: StatusCode, code: ErrorCode) -> Response {
    (status, Json(ErrorBody { code, message: format!("the test's portal says {status}") }))
        .into_response()
}

impl Shared {
    fn here(&self) -> Result<(), Response> {
        let mut inner = self.inner.lock().unwrap();
        if inner.away == 0 {
            return Ok(());
        }
        inner.away -= 1;
        Err((StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "0")], "away").into_response())
    }

    fn authorize(&self, headers: &HeaderMap) -> Result<(), Response> {
        self.here()?;
        let inner = self.inner.lock().unwrap();
        let given = headers.get("authorization").and_then(|value| value.to_str().ok());
        let wanted = inner.enrolled.as_ref().map(|(_, token)| format!("Bearer {}", token.expose()));
        if given.is_some() && given == wanted.as_deref() {
            Ok(())
        } else {
            Err(refuse(StatusCode::UNAUTHORIZED, ErrorCode::Unauthorized))
        }
    }

    fn change<T>(&self, event: i64, act: impl FnOnce(&mut Event) -> T) -> Result<T, Response> {
        let mut inner = self.inner.lock().unwrap();
        let found = inner.events.get_mut(&EventId(event));
        let found = found.ok_or_else(|| refuse(StatusCode::NOT_FOUND, ErrorCode::EventOver))?;
        let result = act(found);
        self.changed.notify_waiters();
        Ok(result)
    }

    fn sign(&self, csr_pem: &str, number: u64) -> Issued {
        let der = pem::parse(csr_pem).unwrap();
        let (_, csr) = X509CertificationRequest::from_der(der.contents()).unwrap();
        let info = &csr.certification_request_info;
        let bits = info.subject_pki.subject_public_key.data.to_vec();
        // An uncompressed P-256 point has 65 bytes, a P-384 one 97.
        let algorithm = match bits.len() {
            65 => &rcgen::PKCS_ECDSA_P256_SHA256,
            97 => &rcgen::PKCS_ECDSA_P384_SHA384,
            _ => &rcgen::PKCS_RSA_SHA256,
        };
        let mut params = CertificateParams::default();
        for extension in csr.requested_extensions().into_iter().flatten() {
            if let ParsedExtension::SubjectAlternativeName(names) = extension {
                for name in &names.general_names {
                    if let GeneralName::DNSName(name) = name {
                        params
                            .subject_alt_names
                            .push(SanType::DnsName((*name).try_into().unwrap()));
                    }
                }
            }
        }
        let bytes = [&[0x80][..], &number.to_be_bytes()].concat();
        params.serial_number = Some(SerialNumber::from_slice(&bytes));
        let certificate =
            params.signed_by(&Requested { bits, algorithm }, &self.authority).unwrap();
        Issued { leaf_pem: certificate.pem(), serial: Serial::from_bytes(&bytes) }
    }
}

async fn enroll(
    State(shared): State<Arc<Shared>>,
    Json(request): Json<EnrollRequest>,
) -> Answer<EnrollAnswer> {
    shared.here()?;
    let mut inner = shared.inner.lock().unwrap();
    let used = inner.enrolled.as_ref().is_some_and(|(attempt, _)| *attempt != request.attempt);
    if used || request.activation_token.expose() != ACTIVATION {
        return Err(refuse(StatusCode::UNAUTHORIZED, ErrorCode::Unauthorized));
    }
    let token = Token::new(format!("bearer-{}", request.attempt.expose()));
    inner.enrolled = Some((request.attempt, token.clone()));
    Ok(Json(EnrollAnswer { agent_id: AgentId(1), token }))
}

async fn endpoints(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(report): Json<EndpointsReport>,
) -> Answer<EndpointsAnswer> {
    shared.authorize(&headers)?;
    let mut inner = shared.inner.lock().unwrap();
    let ids = (1..).take(report.endpoints.len()).map(EndpointId).collect();
    inner.endpoints = report.endpoints;
    inner.reports += 1;
    shared.changed.notify_waiters();
    Ok(Json(EndpointsAnswer { endpoints: ids }))
}

async fn poll(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(request): Json<PollRequest>,
) -> Answer<PollAnswer> {
    shared.authorize(&headers)?;
    let end = tokio::time::Instant::now() + Duration::from_secs(request.wait_seconds.into());
    loop {
        let changed = shared.changed.notified();
        let task = next_task(&shared);
        if task.is_some() || tokio::time::timeout_at(end, changed).await.is_err() {
            return Ok(Json(PollAnswer { task }));
        }
    }
}

fn next_task(shared: &Shared) -> Option<Task> {
    let mut inner = shared.inner.lock().unwrap();
    let inner = &mut *inner;
    let (&event_id, event) = inner.events.iter().find(|(_, event)| {
        let waits = event.held && event.issued.is_some();
        !event.is_over() && !waits
    })?;
    let step = match &event.issued {
        _ if event.probe => Step::Probe,
        None => Step::MakeCsr {
            common_name: first(&event.names),
            names: event.names.clone(),
            key_type: event.key_type,
        },
        Some(issued) => {
            if inner.away_after == Some(event_id) {
                inner.away = usize::MAX;
            }
            Step::Install {
                leaf_pem: issued.leaf_pem.clone(),
                chain_pem: shared.authority_pem.clone(),
                expected_serial: issued.serial.clone(),
            }
        }
    };
    Some(Task {
        event_id,
        lease_until: agent_api::no_end(),
        endpoint: TaskEndpoint {
            id: EndpointId(1),
            ip: event.address.ip(),
            port: event.address.port(),
            server_name: event.server_name.clone(),
        },
        step,
    })
}

fn first(names: &NameSet) -> Name {
    names.iter().next().unwrap().clone()
}

async fn csr(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Path(event): Path<i64>,
    Json(report): Json<CsrReport>,
) -> Answer<EventAnswer> {
    shared.authorize(&headers)?;
    let number = {
        let mut inner = shared.inner.lock().unwrap();
        inner.issued += 1;
        inner.issued
    };
    shared.change(event, |event| {
        if event.is_over() {
            return Err(refuse(StatusCode::GONE, ErrorCode::EventOver));
        }
        if event.issued.is_none() {
            event.issued = Some(shared.sign(&report.csr_pem, number));
        }
        event.csrs.push(report.csr_pem);
        Ok(())
    })??;
    Ok(Json(EventAnswer::default()))
}

async fn installed(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Path(event): Path<i64>,
    Json(_): Json<InstalledReport>,
) -> Answer<EventAnswer> {
    shared.authorize(&headers)?;
    shared.change(event, |event| event.installed = true)?;
    Ok(Json(EventAnswer::default()))
}

async fn verified(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Path(event): Path<i64>,
    Json(report): Json<VerifiedReport>,
) -> Answer<EventAnswer> {
    shared.authorize(&headers)?;
    shared.change(event, |event| event.verified = Some(report.chain_pem))?;
    Ok(Json(EventAnswer::default()))
}

async fn failed(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Path(event): Path<i64>,
    Json(report): Json<FailedReport>,
) -> Answer<EventAnswer> {
    shared.authorize(&headers)?;
    shared.change(event, |event| {
        if report.may_retry && event.retries > 0 {
            event.retries -= 1;
            event.held = true;
        } else {
            event.failed = Some(report);
        }
    })?;
    Ok(Json(EventAnswer::default()))
}
