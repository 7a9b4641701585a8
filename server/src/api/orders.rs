//! Asking for certificates: new orders and renewals, duplicates, reissues, revocations.

use axum::Json;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use domain::OrderNumber;
use domain::model::{Approval, RevocationReason, RevocationTarget};
use http::StatusCode;
use lifecycle::duplicate::DuplicateForm;
use lifecycle::order_new::NewOrderForm;
use lifecycle::reissue::ReissueForm;
use lifecycle::renew::RenewForm;
use lifecycle::revoke::{Revocation, RevokeForm};
use lifecycle::{LifecycleError, Outcome};
use serde::Deserialize;
use serde_json::{Value, json};

use super::caller::{Caller, OnceOnly, Sent};
use super::error::{ApiError, ApiResult};
use super::fields::put;
use super::loose::given;
use super::order_view::order_number;
use super::requests::brief;
use super::wanted::{Certificate, Wanted};

fn text<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// `POST /order/certificate/{product}`; with `renewal_of_order_id` it renews that order.
pub(super) async fn new(
    caller: Caller,
    Path(product): Path<String>,
    OnceOnly(submit_token): OnceOnly,
    Sent(wanted): Sent<Wanted>,
) -> ApiResult<Response> {
    if let Some(order) = wanted.renewal_of_order_id {
        wanted.no_last_day(
            "A renewal lives as long as its product allows, with the days that were left on the order.",
        )?;
        let Certificate { common_name, dns_names, csr, .. } = wanted.certificate;
        let renewed = caller.desk.order(&caller.actor(), order).await?.record.order;
        if renewed.product.as_str() != product {
            let message = format!(
                "Order {order} is of the product {}: renew it with that one.",
                renewed.product
            );
            return Err(ApiError::bad("invalid_product", message));
        }
        let names = dns_names.join(",");
        let form = RenewForm { csr, common_name, names, note: wanted.comments, submit_token };
        let outcome = caller.desk.request_renew(&caller.actor(), order, &form).await;
        return answer(&caller, outcome.map_err(api_fields)?).await;
    }
    let coverage_years = text(wanted.plan_years());
    let (validity_days, ends_by) = (text(wanted.days()), wanted.ends_by()?);
    let Certificate { common_name, dns_names, csr, .. } = wanted.certificate;
    let form = NewOrderForm {
        product,
        organization: text(wanted.organization.and_then(|organization| organization.id)),
        csr,
        common_name,
        names: dns_names.join(","),
        coverage_years,
        validity_days,
        ends_by,
        note: wanted.comments,
        submit_token,
    };
    let outcome = caller.desk.request_new(&caller.actor(), &form).await.map_err(api_fields)?;
    answer(&caller, outcome).await
}

/// `POST /order/certificate/{id}/duplicate`.
pub(super) async fn duplicate(
    caller: Caller,
    Path(id): Path<String>,
    OnceOnly(submit_token): OnceOnly,
    Sent(wanted): Sent<Wanted>,
) -> ApiResult<Response> {
    let order = order_number(&id)?;
    wanted.no_last_day("A duplicate ends with the certificate that it is a duplicate of.")?;
    let Certificate { common_name, dns_names, csr, .. } = wanted.certificate;
    let form = DuplicateForm {
        csr,
        common_name,
        names: dns_names.join(","),
        note: wanted.comments,
        submit_token,
        ..DuplicateForm::default()
    };
    let outcome =
        caller.desk.request_duplicate(&caller.actor(), order, &form).await.map_err(api_fields)?;
    answer(&caller, outcome).await
}

/// `POST /order/certificate/{id}/reissue`.
pub(super) async fn reissue(
    caller: Caller,
    Path(id): Path<String>,
    OnceOnly(submit_token): OnceOnly,
    Sent(wanted): Sent<Wanted>,
) -> ApiResult<Response> {
    wanted.no_last_day("A reissued certificate lives as long as its order allows.")?;
    let Certificate { common_name, dns_names, csr, .. } = wanted.certificate;
    let names = dns_names.join(",");
    let (confirmed, note) = (wanted.confirm_revocation, wanted.comments);
    let form = ReissueForm { csr, common_name, names, confirmed, note, submit_token };
    let outcome = caller
        .desk
        .request_reissue(&caller.actor(), order_number(&id)?, &form)
        .await
        .map_err(api_fields)?;
    answer(&caller, outcome).await
}

/// What became of it: the order, its request and, where it was issued, the certificate.
async fn answer(caller: &Caller, outcome: Outcome) -> ApiResult<Response> {
    let mut body = json!({"id": outcome.order()});
    match &outcome {
        Outcome::Issued(issued) => {
            put(&mut body, "certificate_id", json!(issued.certificate));
            put(&mut body, "certificate_chain", chain(&issued.chain_pem));
            put(
                &mut body,
                "requests",
                match issued.request {
                    Some(id) => json!([brief(&caller.desk.request(&caller.actor(), id).await?)]),
                    None => json!([]),
                },
            );
        }
        Outcome::Held { request, .. } => {
            let record = caller.desk.request(&caller.actor(), *request).await?;
            put(&mut body, "requests", json!([brief(&record)]));
        }
        Outcome::Wait { order } => {
            let message = format!(
                "Order {order} has a renewal that is not issued yet. Ask again when it is."
            );
            return Err(ApiError::new(StatusCode::CONFLICT, "renewal_pending", message));
        }
    }
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

/// `[{"pem": …}]`, the leaf first.
fn chain(pem: &str) -> Value {
    const END: &str = "-----END CERTIFICATE-----";
    let pieces = pem.split_inclusive(END).map(str::trim).filter(|piece| piece.ends_with(END));
    pieces.map(|piece| json!({"pem": format!("{piece}\n")})).collect()
}

/// Faults name the fields of forms; the API spells some of them otherwise.
fn api_fields(error: LifecycleError) -> LifecycleError {
    let LifecycleError::Invalid(mut faults) = error else { return error };
    for fault in &mut faults {
        if matches!(fault.field.as_ref(), "names" | "extra_names") {
            fault.field = "dns_names".into();
        }
    }
    LifecycleError::Invalid(faults)
}

/// The body of a revocation.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Unwanted {
    #[serde(default, deserialize_with = "given")]
    comments: String,
    revocation_reason: Option<RevocationReason>,
}

/// `PUT /order/certificate/{id}/revoke`: the order with all its certificates.
pub(super) async fn revoke(
    caller: Caller,
    Path(id): Path<String>,
    OnceOnly(submit_token): OnceOnly,
    body: Option<Sent<Unwanted>>,
) -> ApiResult<Response> {
    let unwanted = body.map(|Sent(body)| body).unwrap_or_default();
    revoked(&caller, order_number(&id)?, RevocationTarget::Order, unwanted, submit_token).await
}

/// Asks for a revocation: 201 with the request where it waits, 204 where it is done.
pub(super) async fn revoked(
    caller: &Caller,
    order: OrderNumber,
    target: RevocationTarget,
    unwanted: Unwanted,
    submit_token: String,
) -> ApiResult<Response> {
    let reason = unwanted.revocation_reason.unwrap_or(RevocationReason::Unspecified);
    let form = RevokeForm { target, reason, note: unwanted.comments, submit_token };
    match caller.desk.request_revoke(&caller.actor(), order, &form).await? {
        Revocation::Held { request } => {
            let record = caller.desk.request(&caller.actor(), request).await?;
            debug_assert_eq!(record.request.approval, Approval::Pending);
            Ok((StatusCode::CREATED, Json(brief(&record))).into_response())
        }
        Revocation::Done { .. } => Ok(StatusCode::NO_CONTENT.into_response()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_a_list_of_certificates() {
        let pem = "-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\nBB\n-----END CERTIFICATE-----\n";
        let chain = chain(pem);
        assert_eq!(chain.as_array().unwrap().len(), 2);
        assert!(chain[1]["pem"].as_str().unwrap().starts_with("-----BEGIN CERTIFICATE-----\nBB"));
    }
}
