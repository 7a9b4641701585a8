//! Organizations and domains.

use axum::Json;
use axum::extract::Path;
use domain::model::Organization;
use domain::{DomainId, OrganizationId, Timestamp};
use lifecycle::organizations::{DomainRecord, PlaceFilter};
use serde_json::{Value, json};

use super::caller::Caller;
use super::dates::{day, moment};
use super::error::{ApiError, ApiResult};
use super::fields::put;
use super::listing::Listed;

/// `GET /organization`.
pub(super) async fn organizations(caller: Caller, mut listed: Listed) -> ApiResult {
    let filter = PlaceFilter { text: listed.take("name"), ..PlaceFilter::default() };
    listed.nothing_left()?;
    let (desk, actor) = (&caller.desk, caller.actor());
    let found = desk.organizations_from(&actor, &filter, listed.limit, listed.offset).await?;
    let now = desk.clock().now();
    let rows: Vec<Value> = found.rows.iter().map(|row| view(row, now)).collect();
    Ok(Json(json!({"organizations": rows, "page": listed.page(found.total)})))
}

/// `GET /organization/{id}`.
pub(super) async fn organization(caller: Caller, Path(id): Path<String>) -> ApiResult {
    let id = id.parse().map_err(|_| ApiError::no_such("organization"))?;
    let found = caller.desk.organization(&caller.actor(), OrganizationId(id)).await?;
    Ok(Json(view(&found, caller.desk.clock().now())))
}

fn view(organization: &Organization, now: Timestamp) -> Value {
    let validations: Vec<Value> = organization
        .validated_until
        .map(|until| {
            let status = if now <= until { "active" } else { "expired" };
            json!({"type": "ov", "name": "OV", "status": status, "validated_until": moment(until)})
        })
        .into_iter()
        .collect();
    json!({
        "id": organization.id,
        "name": organization.name,
        "display_name": organization.name,
        "country": organization.country,
        "status": "active",
        "is_active": true,
        "validations": validations,
    })
}

/// `GET /domain`.
pub(super) async fn domains(caller: Caller, mut listed: Listed) -> ApiResult {
    let filter = PlaceFilter {
        text: listed.take("name"),
        organization: listed.take_read("organization_id")?,
        validation: None,
    };
    listed.nothing_left()?;
    let (desk, actor) = (&caller.desk, caller.actor());
    let found = desk.domains_from(&actor, &filter, listed.limit, listed.offset).await?;
    let now = desk.clock().now();
    let rows: Vec<Value> = found.rows.iter().map(|row| domain_view(row, now)).collect();
    Ok(Json(json!({"domains": rows, "page": listed.page(found.total)})))
}

/// `GET /domain/{id}`.
pub(super) async fn domain(caller: Caller, Path(id): Path<String>) -> ApiResult {
    let id = id.parse().map_err(|_| ApiError::no_such("domain"))?;
    let found = caller.desk.domain(&caller.actor(), DomainId(id)).await?;
    Ok(Json(domain_view(&found, caller.desk.clock().now())))
}

fn domain_view(record: &DomainRecord, now: Timestamp) -> Value {
    let until = record.domain.validated_until;
    let current = record.domain.is_validated(now);
    let mut view = json!({
        "id": record.domain.id,
        "name": record.domain.name,
        "is_active": true,
        "status": if current { "active" } else { "pending" },
        "date_created": moment(record.created_at),
        "organization": {"id": record.domain.organization, "name": record.organization_name},
        "dcv_method": record.domain.proof,
    });
    if let Some(until) = until {
        put(&mut view, "dcv_expiration", json!({"ov": day(until)}));
    }
    view
}
