//! Figures for Prometheus, on a listener of their own: never on the one that people reach.

use std::sync::OnceLock;
use std::time::Instant;

use anyhow::Context as _;
use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use axum::routing::get;
use http::Method;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Listen};

const REQUESTS: &str = "certdeck_http_requests_total";
const SECONDS: &str = "certdeck_http_request_seconds";
/// Upper bounds of the histogram's buckets, in seconds.
const BUCKETS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// Serves `/metrics` until `stop`, where a listener is configured.
pub async fn start(
    config: &Config,
    work: &mut JoinSet<()>,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let Some(Listen::On(address)) = config.metrics_listen else { return Ok(()) };
    let handle = handle()?;
    let listener = tokio::net::TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address} for metrics: choose another address")
    })?;
    crate::output::announce(format_args!("metrics on http://{}/metrics", listener.local_addr()?));
    let router = Router::new().route("/metrics", get(render)).with_state(handle);
    let stop = stop.clone().cancelled_owned();
    work.spawn(async move {
        if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stop).await {
            tracing::error!(%error, "the metrics listener ended");
        }
    });
    Ok(())
}

/// The process's figures. A portal that begins anew in it (the demonstration) goes on counting.
fn handle() -> anyhow::Result<PrometheusHandle> {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    if let Some(handle) = HANDLE.get() {
        return Ok(handle.clone());
    }
    let handle = PrometheusBuilder::new().set_buckets(BUCKETS)?.install_recorder()?;
    metrics::describe_counter!(REQUESTS, "HTTP requests by route, method and status");
    metrics::describe_histogram!(SECONDS, metrics::Unit::Seconds, "Time to the answer's head");
    Ok(HANDLE.get_or_init(|| handle).clone())
}

async fn render(State(handle): State<PrometheusHandle>) -> String {
    handle.run_upkeep();
    handle.render()
}

/// The method's name. Anybody can make names up, and each would be a row of figures for ever.
fn known(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

/// Counts a request by its route's pattern, never by its path: paths hold numbers and names.
pub async fn count(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "page".to_owned(), |path| path.as_str().to_owned());
    let method = known(request.method());
    let response = next.run(request).await;
    let status = response.status().as_str().to_owned();
    metrics::counter!(REQUESTS, "route" => route.clone(), "method" => method, "status" => status)
        .increment(1);
    metrics::histogram!(SECONDS, "route" => route).record(started.elapsed().as_secs_f64());
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_that_somebody_made_up_share_a_row() {
        assert_eq!(known(&Method::POST), "POST");
        assert_eq!(known(&Method::from_bytes(b"MADE-UP-17").unwrap()), "other");
    }
}
