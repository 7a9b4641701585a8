//! One certificate: its file, its revocation.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use domain::CertificateId;
use domain::model::RevocationTarget;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use lifecycle::orders::DownloadFormat;

use super::caller::{Caller, OnceOnly, Sent};
use super::error::{ApiError, ApiResult};
use super::orders::{Unwanted, revoked};

fn certificate_id(text: &str) -> ApiResult<CertificateId> {
    text.parse().map_err(|_| ApiError::no_such("certificate"))
}

/// `GET /certificate/{id}/download/format/{format}`.
pub(super) async fn download(
    caller: Caller,
    Path((id, format)): Path<(String, String)>,
) -> ApiResult<Response> {
    let format = match format.as_str() {
        "pem_all" => DownloadFormat::ChainAndRoot,
        "pem_noroot" => DownloadFormat::Chain,
        "pem_nointermediate" => DownloadFormat::Leaf,
        "p7b" => DownloadFormat::Pkcs7,
        "der" => DownloadFormat::Der,
        _ => {
            let message = "The format is pem_all, pem_noroot, pem_nointermediate, p7b or der.";
            return Err(ApiError::bad("invalid_format", message));
        }
    };
    let file = caller.desk.download(&caller.actor(), certificate_id(&id)?, format).await?;
    let disposition = format!("attachment; filename=\"{}\"", file.file_name);
    let headers =
        [(CONTENT_TYPE, file.content_type.to_owned()), (CONTENT_DISPOSITION, disposition)];
    Ok((headers, file.bytes).into_response())
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
