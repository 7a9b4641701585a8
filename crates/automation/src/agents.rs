//! The calls of agents (`agent-api`, version 1): outgoing from them, incoming here.

use std::time::Duration;

use agent_api::poll::MAX_WAIT_SECONDS;
use agent_api::{
    Bounded, CsrReport, EndpointsAnswer, EndpointsReport, EnrollAnswer, EnrollRequest, EventAnswer,
    FailedReport, FoundEndpoint, InstallAbility, InstalledReport, PollAnswer, PollRequest, Stage,
    Step, Task, TaskEndpoint, Token, VerifiedReport, paths,
};
use axum::extract::{DefaultBodyLimit, FromRequest, Path, Request, State};
use axum::routing::post;
use axum::{Json, Router};
use domain::{AgentId, EventId};
use http::{HeaderMap, StatusCode, header};
use lifecycle::Lifecycle;
use lifecycle::automation::{self, EndpointFound, EndpointReport, Enroll, FailedStage, Failure};
use serde::de::DeserializeOwned;

use crate::chain::read_chain;
use crate::fault::Fault;

/// A poll looks for work at least this often: work made by another node gives no signal here.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// The routes under `/agent/v1`.
pub fn router(lifecycle: Lifecycle) -> Router {
    Router::new()
        .route(paths::ENROLL, post(enroll))
        .route(paths::ENDPOINTS, post(endpoints))
        .route(paths::POLL, post(poll))
        .route(paths::EVENT_CSR, post(csr))
        .route(paths::EVENT_INSTALLED, post(installed))
        .route(paths::EVENT_VERIFIED, post(verified))
        .route(paths::EVENT_FAILED, post(failed))
        .layer(DefaultBodyLimit::max(agent_api::MAX_BODY_BYTES))
        .with_state(lifecycle)
}

type Answer<T> = Result<Json<T>, Fault>;

/// A call's JSON body within its bounds.
struct Call<T>(T);

impl<S: Send + Sync, T: DeserializeOwned + Bounded> FromRequest<S> for Call<T> {
    type Rejection = Fault;
    async fn from_request(request: Request, state: &S) -> Result<Self, Fault> {
        let Json(body): Json<T> =
            Json::from_request(request, state).await.map_err(|rejection| {
                Fault::new(rejection.status(), agent_api::ErrorCode::Invalid, rejection.body_text())
            })?;
        body.check().map_err(|bounds| Fault::invalid(bounds.to_string()))?;
        Ok(Self(body))
    }
}

async fn authorize(
    lifecycle: &Lifecycle,
    headers: &HeaderMap,
    version: Option<&str>,
) -> Result<AgentId, Fault> {
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .ok_or_else(Fault::unauthorized)?;
    Ok(lifecycle.authenticate_agent(token, version).await?)
}

async fn enroll(
    State(lifecycle): State<Lifecycle>,
    Call(call): Call<EnrollRequest>,
) -> Answer<EnrollAnswer> {
    let key = lifecycle
        .enroll_agent(Enroll {
            activation_token: call.activation_token.expose().to_owned(),
            attempt: call.attempt.expose().to_owned(),
            name: call.name,
            hostname: call.hostname,
            version: call.version,
            platform: call.platform,
        })
        .await?;
    Ok(Json(EnrollAnswer { agent_id: key.agent, token: Token::new(key.token.reveal()) }))
}

async fn endpoints(
    State(lifecycle): State<Lifecycle>,
    headers: HeaderMap,
    Call(call): Call<EndpointsReport>,
) -> Answer<EndpointsAnswer> {
    let agent = authorize(&lifecycle, &headers, None).await?;
    let found = call.endpoints.into_iter().map(endpoint_found).collect();
    Ok(Json(EndpointsAnswer { endpoints: lifecycle.report_endpoints(agent, found).await? }))
}

fn endpoint_found(found: FoundEndpoint) -> EndpointFound {
    let (chain, unreadable) = match found.chain_pem.as_deref().map(read_chain) {
        None => (None, None),
        Some(Ok(chain)) => (Some(chain), None),
        Some(Err(error)) => (None, Some(error.to_string())),
    };
    EndpointFound {
        report: EndpointReport {
            ip: found.ip.to_string(),
            port: found.port,
            server_name: found.server_name.unwrap_or_default(),
            software: found.software.map(|software| match software.version {
                Some(version) => format!("{} {version}", software.name),
                None => software.name,
            }),
            alias: Some(found.alias).filter(|alias| !alias.is_empty()),
            manual_reason: match found.install {
                InstallAbility::Automatic => None,
                InstallAbility::Manual { reason } => Some(reason),
            },
        },
        chain,
        probe_error: unreadable.or(found.probe_error),
    }
}

async fn poll(
    State(lifecycle): State<Lifecycle>,
    headers: HeaderMap,
    Call(call): Call<PollRequest>,
) -> Answer<PollAnswer> {
    let agent = authorize(&lifecycle, &headers, Some(&call.version)).await?;
    let wait = Duration::from_secs(u64::from(call.wait_seconds.min(MAX_WAIT_SECONDS)));
    let deadline = tokio::time::Instant::now() + wait;
    loop {
        // Listen before looking, so that work which comes in between is not missed.
        let woken = lifecycle.new_work();
        tokio::pin!(woken);
        if let Some(task) = lifecycle.next_task(agent).await? {
            return Ok(Json(PollAnswer { task: Some(wire_task(task)?) }));
        }
        let pause = (tokio::time::Instant::now() + LOOK_AGAIN).min(deadline);
        if tokio::time::timeout_at(pause, woken).await.is_err()
            && tokio::time::Instant::now() >= deadline
        {
            return Ok(Json(PollAnswer { task: None }));
        }
    }
}

fn wire_task(task: automation::Task) -> Result<Task, Fault> {
    let unreadable = || {
        Fault::new(
            StatusCode::SERVICE_UNAVAILABLE,
            agent_api::ErrorCode::Unavailable,
            "The endpoint's address can't be read.",
        )
    };
    Ok(Task {
        event_id: task.event,
        lease_until: agent_api::no_end(),
        endpoint: TaskEndpoint {
            id: task.endpoint.id,
            ip: task.endpoint.ip.parse().map_err(|_| unreadable())?,
            port: task.endpoint.port,
            server_name: task.endpoint.server_name,
        },
        step: match task.step {
            automation::Step::MakeCsr { common_name, names, key_type } => {
                Step::MakeCsr { common_name, names, key_type }
            }
            automation::Step::Install { leaf_pem, chain_pem, serial } => {
                Step::Install { leaf_pem, chain_pem, expected_serial: serial }
            }
        },
    })
}

async fn csr(
    State(lifecycle): State<Lifecycle>,
    Path(id): Path<i64>,
    headers: HeaderMap,
    Call(call): Call<CsrReport>,
) -> Answer<EventAnswer> {
    let agent = authorize(&lifecycle, &headers, None).await?;
    lifecycle.event_csr(agent, EventId(id), call.csr_pem).await?;
    Ok(Json(EventAnswer::default()))
}

async fn installed(
    State(lifecycle): State<Lifecycle>,
    Path(id): Path<i64>,
    headers: HeaderMap,
    Call(_): Call<InstalledReport>,
) -> Answer<EventAnswer> {
    let agent = authorize(&lifecycle, &headers, None).await?;
    lifecycle.event_installed(agent, EventId(id)).await?;
    Ok(Json(EventAnswer::default()))
}

async fn verified(
    State(lifecycle): State<Lifecycle>,
    Path(id): Path<i64>,
    headers: HeaderMap,
    Call(call): Call<VerifiedReport>,
) -> Answer<EventAnswer> {
    let agent = authorize(&lifecycle, &headers, None).await?;
    let chain = read_chain(&call.chain_pem).map_err(|error| Fault::invalid(error.to_string()))?;
    lifecycle.event_verified(agent, EventId(id), chain).await?;
    Ok(Json(EventAnswer::default()))
}

async fn failed(
    State(lifecycle): State<Lifecycle>,
    Path(id): Path<i64>,
    headers: HeaderMap,
    Call(call): Call<FailedReport>,
) -> Answer<EventAnswer> {
    let agent = authorize(&lifecycle, &headers, None).await?;
    let failure = Failure {
        stage: match call.stage {
            Stage::Key | Stage::Csr => FailedStage::Prepare,
            Stage::Install | Stage::ConfigTest | Stage::Reload | Stage::Other => {
                FailedStage::Install
            }
            Stage::Verify => FailedStage::Verify,
        },
        cause: call.cause,
        solution: call.solution,
        rolled_back: call.rolled_back,
        may_retry: call.may_retry,
    };
    lifecycle.event_failed(agent, EventId(id), failure).await?;
    Ok(Json(EventAnswer::default()))
}
