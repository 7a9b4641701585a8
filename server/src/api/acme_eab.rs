//! `POST /key/acme-eab`: an ACME Directory URL with its credential, shown this once.

use axum::Json;
use axum::extract::State;
use domain::{Days, OrganizationId, ProductId};
use http::StatusCode;
use lifecycle::acme::NewAcmeUrl;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Api;
use super::caller::{Caller, Sent};
use super::error::{ApiError, ApiResult};
use super::loose::number;

/// The body.
#[derive(Debug, Deserialize)]
pub(super) struct NewCredential {
    name: String,
    product_name_id: String,
    #[serde(default, deserialize_with = "number")]
    organization_id: Option<OrganizationId>,
    #[serde(default, deserialize_with = "number")]
    validity_years: Option<u8>,
    #[serde(default, deserialize_with = "number")]
    validity_days: Option<u16>,
}

/// `POST /key/acme-eab`.
pub(super) async fn create(
    State(api): State<Api>,
    caller: Caller,
    Sent(wanted): Sent<NewCredential>,
) -> ApiResult<(StatusCode, Json<Value>)> {
    let product = ProductId(wanted.product_name_id);
    let organization = wanted.organization_id.ok_or_else(|| {
        ApiError::bad("invalid_organization_id", "Send the organization's id as organization_id.")
    })?;
    let new = NewAcmeUrl {
        // One year is what clients send where there is no multi-year plan.
        coverage_years: wanted.validity_years.filter(|years| *years > 1),
        validity_days: wanted.validity_days.map(|days| Days(i64::from(days))),
        ..NewAcmeUrl::permissive(&wanted.name, product, organization)
    };
    let (url, credential) = caller.desk.create_acme_url(&caller.actor(), new).await?;
    let directory = format!("{}{}/directory", api.base_url, acme::urls::PREFIX);
    let body = json!({
        "id": url.id,
        "name": url.name,
        "acme_directory_url": directory,
        "ext_act_kid": credential.kid,
        "ext_act_hmac": credential.hmac_key,
    });
    Ok((StatusCode::CREATED, Json(body)))
}
