//! Orders: one, and an account's list (RFC 8555 sections 7.1.2.1, 7.1.3 and 7.4).

use axum::extract::{Query, State};
use axum::http::StatusCode;
use domain::AcmeOrderId;
use domain::model::acme::{AcmeOrder, AcmeOrderStatus};
use serde_json::{Value, json};

use super::{Answer, id};
use crate::AcmeServer;
use crate::problem::{Problem, fault_json};
use crate::reply::{Reply, with_optional};
use crate::request::{Fetch, InPath};

/// Seconds until a poll is worth it, while an order is being issued.
const SOON: u64 = 3;
/// The same while it waits for a reviewer. acme.sh gives up on more than 600.
const HELD: u64 = 60;

/// The order object.
pub fn show(server: &AcmeServer, order: &AcmeOrder) -> Value {
    let urls = server.urls();
    let authorizations: Vec<String> =
        order.authorizations.iter().map(|id| urls.authorization(*id)).collect();
    let json = json!({
        "status": order.status,
        "expires": order.expires_at.rfc3339(),
        "identifiers": order.identifiers,
        "profile": order.profile,
        "authorizations": authorizations,
        "finalize": urls.finalize(order.id),
    });
    let has_certificate = order.status == AcmeOrderStatus::Valid && order.certificate.is_some();
    with_optional(
        json,
        [
            ("replaces", order.replaces.as_ref().map(|certificate| json!(certificate))),
            ("error", order.error.as_ref().map(fault_json)),
            ("certificate", has_certificate.then(|| json!(urls.certificate(order.id, 0)))),
        ],
    )
}

/// An order as an answer, with its URL, and with the time of the next poll while it is processed.
pub fn answer(server: &AcmeServer, order: &AcmeOrder, status: StatusCode) -> Reply {
    let pause = match order.status {
        AcmeOrderStatus::Processing if order.request.is_some() || order.waits => Some(HELD),
        AcmeOrderStatus::Processing => Some(SOON),
        _ => None,
    };
    Reply::json(status, &show(server, order))
        .location(&server.urls().order(order.id))
        .retry_after(pause)
}

pub async fn post(
    State(server): State<AcmeServer>,
    InPath(path): InPath<String>,
    Fetch { account }: Fetch,
) -> Answer {
    let order = AcmeOrderId(id(&path, "order")?);
    let mut order = server.desk().order(&account, order).await?;
    if order.status == AcmeOrderStatus::Processing && !order.waits {
        order = server.desk().settle(order.id).await?;
    }
    Ok(answer(&server, &order, StatusCode::OK))
}

pub async fn list(
    State(server): State<AcmeServer>,
    InPath(path): InPath<String>,
    Query(query): Query<Vec<(String, String)>>,
    Fetch { account }: Fetch,
) -> Answer {
    if id(&path, "account")? != account.id.0 {
        return Err(Problem::not_found("account"));
    }
    let cursor = query.iter().find(|(name, _)| name == "cursor");
    let cursor = cursor.map(|(_, value)| id(value, "page")).transpose()?.map(AcmeOrderId);
    let (orders, next) = server.desk().orders(&account, cursor).await?;
    let urls: Vec<String> = orders.into_iter().map(|order| server.urls().order(order)).collect();
    let reply = Reply::json(StatusCode::OK, &json!({ "orders": urls }));
    Ok(match next {
        Some(next) => reply.link("next", &server.urls().orders(account.id, Some(next))),
        None => reply,
    })
}
