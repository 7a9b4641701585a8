//! Requests and their review.

use axum::Json;
use axum::extract::Path;
use domain::RequestId;
use domain::model::{Approval, RequestKind};
use http::StatusCode;
use lifecycle::lists::PageOf;
use lifecycle::orders::{RequestFilter, RequestRecord};
use serde::Deserialize;
use serde_json::{Value, json};

use super::account::product_reference;
use super::caller::{Caller, Sent};
use super::dates::moment;
use super::error::{ApiError, ApiResult};
use super::fields::put;
use super::listing::Listed;

/// `GET /request`: newest first.
pub(super) async fn requests(caller: Caller, mut listed: Listed) -> ApiResult {
    let kind = match listed.take("type").as_deref() {
        None => None,
        Some("new_request") => Some(RequestKind::New),
        Some(other) => {
            let wrong = || {
                ApiError::bad(
                    "invalid_filter",
                    "filters[type] is new_request, renew, reissue, duplicate or revoke.",
                )
            };
            Some(other.parse().map_err(|_| wrong())?)
        }
    };
    // CertCentral's word for what waits for its approval.
    let status = listed.take("status").map(|status| match status.as_str() {
        "submitted" => "pending".to_owned(),
        _ => status,
    });
    if status
        .as_deref()
        .is_some_and(|status| !["pending", "approved", "rejected", "canceled"].contains(&status))
    {
        return Err(ApiError::bad(
            "invalid_filter",
            "filters[status] is pending, approved, rejected or canceled.",
        ));
    }
    let (requester, order) = (listed.take_read("requester_id")?, listed.take_read("order_id")?);
    listed.nothing_left()?;
    let filter = RequestFilter { status, kind, requester, order };
    let newest = PageOf { descending: true, ..PageOf::first((), listed.limit) };
    let found = caller.desk.requests_from(&caller.actor(), filter, &newest, listed.offset).await?;
    let rows: Vec<Value> = found.rows.iter().map(view).collect();
    Ok(Json(json!({"requests": rows, "page": listed.page(found.total)})))
}

/// `GET /request/{id}`.
pub(super) async fn request(caller: Caller, Path(id): Path<String>) -> ApiResult {
    let record = caller.desk.request(&caller.actor(), request_id(&id)?).await?;
    Ok(Json(view(&record)))
}

/// A review.
#[derive(Debug, Deserialize)]
pub(super) struct Review {
    status: Decision,
    #[serde(default)]
    processor_comment: String,
    /// The key that the reviewer looked at; none approves whatever key there is.
    key_sha256: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Decision {
    Approved,
    Rejected,
    Canceled,
}

/// `PUT /request/{id}/status`.
pub(super) async fn set_status(
    caller: Caller,
    Path(id): Path<String>,
    Sent(review): Sent<Review>,
) -> ApiResult<StatusCode> {
    let (id, actor) = (request_id(&id)?, caller.actor());
    match review.status {
        Decision::Approved => {
            let (seen, comment) = (review.key_sha256.as_deref(), &review.processor_comment);
            caller.desk.approve_seen(&actor, id, seen, comment).await?;
        }
        Decision::Rejected => caller.desk.reject(&actor, id, &review.processor_comment).await?,
        Decision::Canceled => caller.desk.cancel(&actor, id).await?,
    }
    Ok(StatusCode::NO_CONTENT)
}

fn request_id(text: &str) -> ApiResult<RequestId> {
    text.parse().map_err(|_| ApiError::no_such("request"))
}

/// A request as orders refer to it.
pub(super) fn brief(record: &RequestRecord) -> Value {
    let request = &record.request;
    let kind = match request.kind {
        RequestKind::New => "new_request",
        other => other.as_str(),
    };
    json!({
        "id": request.id,
        "date": moment(request.created_at),
        "type": kind,
        "status": request.approval.as_str(),
        "comments": record.comment,
        "held_because": record.held_because,
    })
}

fn view(record: &RequestRecord) -> Value {
    let request = &record.request;
    let mut view = brief(record);
    put(&mut view, "requester", json!({"id": request.requester, "name": record.requester_name}));
    put(
        &mut view,
        "order",
        json!({
            "id": request.order,
            "certificate": {"common_name": record.wish.common_name, "dns_names": record.wish.names},
            "organization": {"id": record.wish.organization},
            "product": record.wish.product.as_ref().map(|product| product_reference(product.as_str())),
        }),
    );
    if let Some(key) = &record.wish.spki_sha256 {
        put(&mut view, "key_sha256", json!(key));
    }
    if let Some((_, reason)) = request.revocation {
        put(&mut view, "revocation_reason", json!(reason));
    }
    match &request.approval {
        Approval::Pending => {}
        Approval::Approved { by, at } => {
            put(&mut view, "processor", json!({"id": by, "name": record.reviewer_name}));
            put(&mut view, "date_processed", json!(moment(*at)));
            put(&mut view, "processor_comment", json!(record.note));
        }
        Approval::Rejected { by, at, reason } => {
            put(&mut view, "processor", json!({"id": by, "name": record.reviewer_name}));
            put(&mut view, "date_processed", json!(moment(*at)));
            put(&mut view, "processor_comment", json!(reason));
        }
        Approval::Canceled { at } => {
            put(&mut view, "date_processed", json!(moment(*at)));
            // Of one that nobody decided in time.
            if let Some(note) = &record.note {
                put(&mut view, "processor_comment", json!(note));
            }
        }
    }
    put(&mut view, "certificate_id", json!(record.issued_certificate));
    view
}
