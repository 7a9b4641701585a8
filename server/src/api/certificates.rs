//! One certificate: its file, its revocation.

use axum::Json;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use domain::CertificateId;
use domain::model::RevocationTarget;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use lifecycle::orders::DownloadFormat;
use serde_json::{Value, json};

use super::caller::{Caller, OnceOnly, Sent};
use super::error::{ApiError, ApiResult};
use super::order_view::{order_number, primary};
use super::orders::{Unwanted, revoked};

fn certificate_id(text: &str) -> ApiResult<CertificateId> {
    text.parse().map_err(|_| ApiError::no_such("certificate"))
}

/// `GET /certificate/{id}/download/format/{format}`.
pub(super) async fn download(
    caller: Caller,
    Path((id, format)): Path<(String, String)>,
) -> ApiResult<Response> {
    file(&caller, certificate_id(&id)?, &format).await
}

/// `GET /certificate/download/order/{id}/format/{format}`: the order's primary certificate.
pub(super) async fn of_order(
    caller: Caller,
    Path((id, format)): Path<(String, String)>,
) -> ApiResult<Response> {
    let detail = caller.desk.order(&caller.actor(), order_number(&id)?).await?;
    let primary = primary(&detail).ok_or_else(|| ApiError::no_such("certificate"))?;
    file(&caller, primary.certificate.id, &format).await
}

async fn file(caller: &Caller, id: CertificateId, format: &str) -> ApiResult<Response> {
    let format = match format {
        "pem_all" => DownloadFormat::ChainAndRoot,
        // The default is what servers want.
        "pem_noroot" | "pem" | "default" | "default_pem" => DownloadFormat::Chain,
        "pem_nointermediate" | "crt" => DownloadFormat::Leaf,
        "p7b" => DownloadFormat::Pkcs7,
        "der" => DownloadFormat::Der,
        _ => {
            let message = "The format is pem_all, pem_noroot (also as pem, default or default_pem), \
                           pem_nointermediate (also as crt), p7b or der.";
            return Err(ApiError::bad("invalid_format", message));
        }
    };
    let file = caller.desk.download(&caller.actor(), id, format).await?;
    let disposition = format!("attachment; filename=\"{}\"", file.file_name);
    let headers =
        [(CONTENT_TYPE, file.content_type.to_owned()), (CONTENT_DISPOSITION, disposition)];
    Ok((headers, file.bytes).into_response())
}

/// `GET /certificate/{id}/chain`: what stands above it, its issuer first.
pub(super) async fn chain(caller: Caller, Path(id): Path<String>) -> ApiResult {
    let above = caller.desk.chain_above(&caller.actor(), certificate_id(&id)?).await?;
    let intermediates: Vec<Value> = above
        .into_iter()
        .map(|one| json!({"subject_common_name": one.common_name, "pem": one.pem}))
        .collect();
    Ok(Json(json!({"intermediates": intermediates})))
}

/// `PUT /certificate/{id}/revoke`: this one alone.
pub(super) async fn revoke(
    caller: Caller,
    Path(id): Path<String>,
    OnceOnly(submit_token): OnceOnly,
    body: Option<Sent<Unwanted>>,
) -> ApiResult<Response> {
    let id = certificate_id(&id)?;
    let order = caller.desk.order_of_certificate(&caller.actor(), id).await?;
    let unwanted = body.map(|Sent(body)| body).unwrap_or_default();
    revoked(&caller, order, RevocationTarget::Certificate { id }, unwanted, submit_token).await
}
