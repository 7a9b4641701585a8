//! `GET /order/certificate/{id}` and its duplicates.

use axum::Json;
use axum::extract::Path;
use domain::OrderNumber;
use domain::model::{CertificateKind, CertificateStatus, KeyType};
use lifecycle::orders::{CertificateRecord, OrderDetail, thumbprint};
use serde_json::{Value, json};

use super::caller::Caller;
use super::dates::{day, moment};
use super::error::{ApiError, ApiResult};
use super::fields::put;
use super::order_list::{dns_names, view};
use super::requests::brief;

/// An order's number in a path.
pub(super) fn order_number(text: &str) -> ApiResult<OrderNumber> {
    text.parse().map_err(|_| ApiError::no_such("order"))
}

/// `GET /order/certificate/{id}`.
pub(super) async fn order(caller: Caller, Path(id): Path<String>) -> ApiResult {
    let detail = caller.desk.order(&caller.actor(), order_number(&id)?).await?;
    let now = caller.desk.clock().now();
    let mut body = view(&detail.record, &detail.organization, None, now);
    if let Some(primary) = primary(&detail) {
        let mut certificate = certificate(&detail, primary);
        let days = primary.certificate.not_after.days_left(now);
        put(&mut certificate, "days_remaining", json!(days.max(0)));
        put(&mut body, "certificate", certificate);
    }
    put(&mut body, "requests", detail.requests.iter().map(brief).collect());
    put(&mut body, "renewed_by_order_id", json!(detail.record.order.renewed_by));
    put(&mut body, "notes", notes(detail.record.note.as_deref()));
    if let Some(name) = &detail.record.requester_name {
        put(&mut body, "user", json!({"id": detail.record.order.requester, "name": name}));
    }
    Ok(Json(body))
}

/// An order has one note, the requester's words.
fn notes(note: Option<&str>) -> Value {
    note.into_iter().map(|text| json!({"id": 1, "text": text})).collect()
}

/// The newest reissue, else the original.
pub(super) fn primary(detail: &OrderDetail) -> Option<&CertificateRecord> {
    let newest =
        |kind| detail.certificates.iter().rev().find(move |record| record.certificate.kind == kind);
    newest(CertificateKind::Reissue).or_else(|| newest(CertificateKind::Original))
}

/// `GET /order/certificate/{id}/duplicate`: the duplicates alone, oldest first.
pub(super) async fn duplicates(caller: Caller, Path(id): Path<String>) -> ApiResult {
    of_kind(&caller, &id, CertificateKind::Duplicate).await
}

/// `GET /order/certificate/{id}/reissue`: the reissues alone, oldest first.
pub(super) async fn reissues(caller: Caller, Path(id): Path<String>) -> ApiResult {
    of_kind(&caller, &id, CertificateKind::Reissue).await
}

async fn of_kind(caller: &Caller, id: &str, kind: CertificateKind) -> ApiResult {
    let detail = caller.desk.order(&caller.actor(), order_number(id)?).await?;
    let certificates = detail.certificates.iter().filter(|one| one.certificate.kind == kind);
    let certificates: Vec<Value> = certificates
        .enumerate()
        .map(|(at, record)| {
            let mut view = certificate(&detail, record);
            put(&mut view, "sub_id", json!(format!("{:03}", at + 1)));
            view
        })
        .collect();
    Ok(Json(json!({"certificates": certificates})))
}

/// One certificate.
fn certificate(detail: &OrderDetail, record: &CertificateRecord) -> Value {
    let one = &record.certificate;
    // A request that waited for a reviewer has its CSR on record.
    let request = detail.requests.iter().find(|request| Some(request.request.id) == record.request);
    let requester = record.requester.map(|id| json!({"id": id, "name": detail.people.get(&id)}));
    let mut view = json!({
        "id": one.id,
        "order_id": one.order,
        "kind": one.kind,
        "serial_number": one.serial.0.to_uppercase(),
        "sha256_fingerprint": record.fingerprint_sha256,
        "common_name": one.common_name,
        "dns_names": dns_names(&one.common_name, &one.names),
        "status": one.status.as_str(),
        "date_created": moment(record.issued_at),
        "valid_from": day(one.not_before),
        "valid_till": day(one.not_after),
        "valid_from_datetime": moment(one.not_before),
        "valid_till_datetime": moment(one.not_after),
        "key_type": record.key_type,
        "key_size": record.key_type.map(KeyType::bits),
        "signature_hash": detail.record.order.signature_hash,
        "thumbprint": record.pem.as_deref().and_then(thumbprint),
        "csr": request.and_then(|request| request.wish.csr_pem.as_deref()),
        "requester": requester,
    });
    match one.status {
        CertificateStatus::Issued => {}
        CertificateStatus::RevocationPending { due } => {
            put(&mut view, "revocation_due", json!(moment(due)));
        }
        CertificateStatus::Revoked { reason, at } => {
            put(&mut view, "date_revoked", json!(moment(at)));
            put(&mut view, "revocation_reason", json!(reason));
        }
    }
    view
}
