//! `certdeck serve` and `certdeck worker`: listeners, routes, background work, and their end.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use acme::{AcmeConfig, AcmeServer};
use anyhow::Context as _;
use axum_server::Handle;
use axum_server::accept::NoDelayAcceptor;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use lifecycle::Lifecycle;
use lifecycle::acme::{AcmeDesk, AcmePolicy};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::{Caa, Config, Listen};
use crate::demo::{self, Demonstration};
use crate::http::Parts;
use crate::patience::Patient;
use crate::{clock, listener, metrics, opening};

/// Requests in flight get this long at the end.
const GRACE: Duration = Duration::from_secs(20);

/// The longest that a request's head may take to come, and a connection be idle (HTTP/1) or its
/// client not be asked whether it is still there (HTTP/2).
const HEAD_LIMIT: Duration = Duration::from_mins(1);

/// The longest head of a request over HTTP/2, in bytes: a page of the wizard has in its address what was
/// filled in so far, up to 48 KiB, and cookies come besides. HTTP/1 is read up to 400 kB.
const HEAD_BYTES: u32 = 64 * 1024;

/// A worker without it would judge CAA by a name that is not the authority's, and print other URLs.
const UNKNOWN_BASE_URL: &str = "the public URL is not known: CERTDECK_BASE_URL is not set, and no process that has it has used this database yet. \
     Set CERTDECK_BASE_URL to the same as on the other nodes, or start one of them with it first";

/// Why a portal ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// A signal.
    Stopped,
    /// The demonstration goes back to its start.
    Reset,
}

/// Serves until a signal. A demonstration that is put back to its start begins anew on the same
/// ports.
pub async fn run(config: Config, demo_on: bool) -> anyhow::Result<()> {
    let mut signals = Signals::listen()?;
    let listeners = Listeners::bind(&config)?;
    loop {
        // To fill a demonstration takes a while; what is half there then is made anew.
        let portal = tokio::select! {
            portal = Portal::open(&config, &listeners, demo_on) => portal?,
            () = signals.any() => return Ok(()),
        };
        if portal.serve(&config, &listeners, &mut signals).await? == End::Stopped {
            return Ok(());
        }
        tracing::info!("the demonstration goes back to its start");
    }
}

/// Only the background work; several of them may run on one PostgreSQL database.
pub async fn worker(config: Config) -> anyhow::Result<()> {
    // Judged before anything is opened: a database and an authority would be made first.
    anyhow::ensure!(
        config.is_postgres(),
        "a separate worker needs PostgreSQL: with SQLite `serve` does the background work itself"
    );
    let mut signals = Signals::listen()?;
    let (desk, acme) = tokio::select! {
        opened = open_worker(&config) => opened?,
        () = signals.any() => return Ok(()),
    };
    let stop = CancellationToken::new();
    let mut work = JoinSet::new();
    background(&mut work, &desk, &acme, &stop)?;
    crate::output::announce(format_args!("working"));
    signals.any().await;
    stop.cancel();
    while work.join_next().await.is_some() {}
    desk.store().close().await;
    Ok(())
}

async fn open_worker(config: &Config) -> anyhow::Result<(Lifecycle, AcmeServer)> {
    let desk = opening::desk(config, clock::from_config(config, false)?).await?;
    opening::leave_base_url(config, &desk).await?;
    let base_url = opening::known_base_url(config, &desk).await?;
    let base_url = base_url.context(UNKNOWN_BASE_URL)?;
    let desk = opening::with_issuer(config, &desk, &base_url, false).await?;
    desk.recover().await.context("cannot finish what the last run left")?;
    let acme = AcmeServer::new(desk.clone(), acme_config(config, &base_url, &desk)).await?;
    Ok((desk, acme))
}

fn background(
    work: &mut JoinSet<()>,
    desk: &Lifecycle,
    acme: &AcmeServer,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    work.spawn(automation::scheduler::run(desk.clone(), stop.clone()));
    let owner = AcmeDesk::new_lease_owner()?;
    work.spawn(acme::validation::run_until(acme.clone(), owner, stop.clone()));
    Ok(())
}

/// Whether there is a listener at all.
pub fn check_listeners(config: &Config) -> anyhow::Result<()> {
    anyhow::ensure!(
        config.listen.address().or(config.tls_listen.address()).is_some(),
        "both listeners are off: turn on CERTDECK_LISTEN or CERTDECK_TLS_LISTEN"
    );
    Ok(())
}

/// The two listeners, bound before anything else so that their ports are known.
struct Listeners {
    plain: Option<TcpListener>,
    tls: Option<TcpListener>,
}

impl Listeners {
    fn bind(config: &Config) -> anyhow::Result<Self> {
        check_listeners(config)?;
        Ok(Self { plain: bind(config.listen)?, tls: bind(config.tls_listen)? })
    }

    /// Where CRL and OCSP answers are found without TLS, as RFC 5280 section 8 wants it: whoever
    /// checks a certificate by them must not have to check another one first.
    fn plain_url(&self) -> anyhow::Result<Option<String>> {
        Ok(match &self.plain {
            Some(plain) => Some(format!("http://{}", reachable(plain.local_addr()?))),
            None => None,
        })
    }

    /// Where a browser or an ACME client finds the portal.
    fn own_url(&self) -> anyhow::Result<String> {
        Ok(match (&self.tls, &self.plain) {
            (Some(tls), _) => format!("https://{}", reachable(tls.local_addr()?)),
            (None, Some(plain)) => format!("http://{}", reachable(plain.local_addr()?)),
            (None, None) => String::new(),
        })
    }
}

fn bind(listen: Listen) -> anyhow::Result<Option<TcpListener>> {
    let Some(address) = listen.address() else { return Ok(None) };
    let listener = TcpListener::bind(address).with_context(|| {
        format!("cannot listen on {address}: choose another address or stop what uses it")
    })?;
    listener.set_nonblocking(true)?;
    Ok(Some(listener))
}

/// An unspecified address (0.0.0.0) is reached as 127.0.0.1 from here.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    address
}

/// An opened portal.
struct Portal {
    parts: Parts,
    demonstration: Option<Demonstration>,
}

impl Portal {
    async fn open(config: &Config, listeners: &Listeners, demo_on: bool) -> anyhow::Result<Self> {
        let clock = clock::from_config(config, demo_on)?;
        let (desk, demo_on) = demo::open(config, clock, demo_on).await?;
        clock::remember(config, desk.clock())?;
        opening::leave_base_url(config, &desk).await?;
        let shared = opening::shared_base_url(config, &desk).await?;
        let base_url = match &shared {
            Some(url) => url.clone(),
            None => listeners.own_url()?,
        };
        opening::remember_base_url(config, &base_url)?;
        let published_at =
            listeners.plain_url()?.filter(|_| shared.is_none()).unwrap_or_else(|| base_url.clone());
        let desk = opening::with_issuer(config, &desk, &published_at, demo_on).await?;
        desk.recover().await.context("cannot finish what the last run left")?;
        // On a clock moved by years the authority is not valid by the real time, which TLS goes by.
        let agent_url = match (&config.clock, listeners.plain_url()?) {
            (Some(_), Some(plain)) => plain,
            _ => listeners.own_url()?,
        };
        let demonstration =
            if demo_on { Some(demo::prepare(config, &desk, &agent_url).await?) } else { None };
        let acme = AcmeServer::new(desk.clone(), acme_config(config, &base_url, &desk)).await?;
        if config.caa() == Caa::Challenges && !demo_on {
            tracing::info!(
                "CAA is looked at with ACME challenges only; CERTDECK_CAA=always looks before every public certificate"
            );
        }
        let desk = desk.with_token_lookup(Arc::new(acme.clone()));
        let proxies = config.trusted_proxies.0.clone().into();
        let reset = demonstration.as_ref().map(|demonstration| demonstration.reset.clone());
        Ok(Self { parts: Parts { desk, acme, base_url, reset, proxies }, demonstration })
    }

    async fn serve(
        self,
        config: &Config,
        listeners: &Listeners,
        signals: &mut Signals,
    ) -> anyhow::Result<End> {
        let Self { parts, demonstration } = self;
        let stop = CancellationToken::new();
        let handle = Handle::new();
        let mut work = JoinSet::new();
        background(&mut work, &parts.desk, &parts.acme, &stop)?;
        metrics::start(config, &mut work, &stop).await?;
        listen(&mut work, &parts, listeners, &handle, &stop).await?;
        let begun = async {
            if let Some(demonstration) = demonstration {
                demonstration.start(&mut work, &stop);
                demo::wait_for_endpoints(&parts.desk).await?;
            }
            announce(&parts, listeners).await?;
            wanted(parts.reset.as_ref()).await;
            anyhow::Ok(End::Reset)
        };
        let end = tokio::select! {
            end = begun => end,
            () = signals.any() => Ok(End::Stopped),
        };
        stop.cancel();
        handle.graceful_shutdown(Some(GRACE));
        while work.join_next().await.is_some() {}
        parts.desk.store().close().await;
        let end = end?;
        if end == End::Reset {
            demo::clear(config)?;
        }
        Ok(end)
    }
}

async fn wanted(reset: Option<&demo::Reset>) {
    match reset {
        Some(reset) => reset.wanted().await,
        None => std::future::pending().await,
    }
}

async fn listen(
    work: &mut JoinSet<()>,
    parts: &Parts,
    listeners: &Listeners,
    handle: &Handle<SocketAddr>,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    if let Some(plain) = &listeners.plain {
        let acceptor = Patient::new(NoDelayAcceptor::new(), HEAD_LIMIT);
        let mut server =
            axum_server::from_tcp(plain.try_clone()?)?.acceptor(acceptor).handle(handle.clone());
        limit_heads(server.http_builder());
        let service = parts.router(false).into_make_service_with_connect_info::<SocketAddr>();
        work.spawn(async move { logged(server.serve(service).await) });
    }
    if let Some(tls) = &listeners.tls {
        let names = listener::names(&parts.base_url, tls.local_addr()?);
        let certificate = listener::certificate(&parts.desk, &names).await?;
        let config = RustlsConfig::from_config(Arc::new(listener::tls_config(&certificate)?));
        let fresh = listener::keep_fresh(
            parts.desk.clone(),
            names,
            config.clone(),
            certificate.not_after,
            stop.clone(),
        );
        work.spawn(fresh);
        // Without it an answer would wait behind the handshake's last packet for its receipt.
        let acceptor = RustlsAcceptor::new(config).acceptor(NoDelayAcceptor::new());
        let acceptor = Patient::new(acceptor, HEAD_LIMIT);
        let mut server =
            axum_server::from_tcp(tls.try_clone()?)?.acceptor(acceptor).handle(handle.clone());
        limit_heads(server.http_builder());
        let service = parts.router(true).into_make_service_with_connect_info::<SocketAddr>();
        work.spawn(async move { logged(server.serve(service).await) });
    }
    Ok(())
}

/// A client that never ends its request's head, or is there no more, does not keep its connection.
/// How long heads may be is said, too.
fn limit_heads(builder: &mut Builder<TokioExecutor>) {
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_LIMIT);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(HEAD_LIMIT)
        .max_header_list_size(HEAD_BYTES);
}

fn logged(outcome: std::io::Result<()>) {
    if let Err(error) = outcome {
        tracing::error!(%error, "a listener ended");
    }
}

/// Says where the portal is, for people and for programs that chose port 0.
async fn announce(parts: &Parts, listeners: &Listeners) -> anyhow::Result<()> {
    if let Some(plain) = &listeners.plain {
        crate::output::announce(format_args!("listening on http://{}", plain.local_addr()?));
    }
    if let Some(tls) = &listeners.tls {
        crate::output::announce(format_args!("listening on https://{}", tls.local_addr()?));
    }
    if parts.reset.is_some() {
        demo::print_sign_ins();
    } else if let Some(token) = parts.desk.setup_link().await? {
        crate::output::announce(format_args!(
            "No one can sign in yet. Open this link once to make the first administrator:"
        ));
        crate::output::announce(format_args!(
            "{}{}",
            parts.base_url,
            app::paths::set_up(token.reveal())
        ));
    }
    Ok(())
}

fn acme_config(config: &Config, base_url: &str, desk: &Lifecycle) -> AcmeConfig {
    AcmeConfig {
        http01_port: config.acme_http01_port,
        tlsalpn01_port: config.acme_tlsalpn01_port,
        dns_resolver: config.dns_resolver,
        caa: match config.caa() {
            Caa::Challenges => acme::Caa::Challenges,
            Caa::Always => acme::Caa::Always,
        },
        validation_allow: config.validation_allow.0.clone(),
        several_nodes: desk.store().is_postgres(),
        policy: AcmePolicy {
            reuse_seconds: i64::from(config.acme_reuse) * 60,
            ..AcmePolicy::default()
        },
        ..AcmeConfig::new(base_url)
    }
}

/// SIGTERM and Ctrl-C, from the start on: none is lost while something else is waited for.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> anyhow::Result<Self> {
        let caught = |kind| signal(kind).context("signals can't be caught");
        Ok(Self {
            terminate: caught(SignalKind::terminate())?,
            interrupt: caught(SignalKind::interrupt())?,
        })
    }

    /// Waits for any of them.
    async fn any(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::http::BODY_PAUSE;

    /// What came back on a connection on which `sent` was all, and when it ended. The clock stands
    /// still and jumps ahead where all wait: a minute passes at once.
    async fn ended_after(sent: &[u8]) -> (Vec<u8>, Duration) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let acceptor = Patient::new(NoDelayAcceptor::new(), HEAD_LIMIT);
        let mut server = axum_server::from_tcp(listener).unwrap().acceptor(acceptor);
        limit_heads(server.http_builder());
        let echo = axum::routing::post(async |body: axum::body::Bytes| body);
        let router = crate::http::limit_bodies(axum::Router::new().route("/", echo));
        let serving = tokio::spawn(server.serve(router.into_make_service()));
        let mut client = tokio::net::TcpStream::connect(address).await.unwrap();
        client.write_all(sent).await.unwrap();
        let begun = tokio::time::Instant::now();
        let mut answer = Vec::new();
        // Either way of hanging up will do.
        let _ = client.read_to_end(&mut answer).await;
        serving.abort();
        (answer, begun.elapsed())
    }

    #[tokio::test]
    async fn validations_are_reused_as_long_as_the_operator_says() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::in_folder(folder.path(), None);
        config.acme_reuse = 5;
        let desk = opening::desk(&config, lifecycle::Clock::system()).await.unwrap();
        let acme = acme_config(&config, "https://portal.test", &desk);
        assert_eq!(acme.policy.reuse_seconds, 300);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_never_comes_is_not_waited_for() {
        let half = b"GET / HTTP/1.1\r\nHost: example.com\r\nCookie: ".as_slice();
        for sent in [b"".as_slice(), half, b"PRI * HTTP".as_slice()] {
            let (answer, after) = ended_after(sent).await;
            assert!(after >= HEAD_LIMIT && after < 2 * HEAD_LIMIT, "{after:?}");
            assert!(!answer.starts_with(b"HTTP/1.1 200"), "{answer:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_is_not_waited_for() {
        let whole = b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 4\r\n\r\nbody";
        let (answer, _) = ended_after(whole).await;
        assert!(answer.starts_with(b"HTTP/1.1 200") && answer.ends_with(b"body"), "{answer:?}");
        let half = b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 9\r\n\r\nbody";
        let (answer, after) = ended_after(half).await;
        assert!(after >= BODY_PAUSE && after < HEAD_LIMIT, "{after:?}");
        assert!(answer.starts_with(b"HTTP/1.1 4"), "{}", String::from_utf8_lossy(&answer));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_is_there_no_more_is_hung_up_on() {
        // HTTP/2's preface and an empty SETTINGS frame (RFC 9113 section 3.4): no ping is answered.
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00";
        let (answer, after) = ended_after(preface).await;
        assert!(after >= HEAD_LIMIT && after < 2 * HEAD_LIMIT, "{after:?}");
        assert!(!answer.is_empty());
    }
}
