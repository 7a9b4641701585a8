//! `GET /order/certificate`: the list of orders.

use std::collections::HashMap;

use axum::Json;
use domain::model::{Certificate, Coverage, Origin};
use domain::{CertificateId, Name, NameSet, OrderNumber, OrganizationId, ProductId, Timestamp};
use lifecycle::LifecycleError;
use lifecycle::lists::PageOf;
use lifecycle::orders::{OrderFilter, OrderRecord, OrderSort};
use serde_json::{Value, json};

use super::account::{container, product_reference};
use super::caller::Caller;
use super::dates::{day, moment, read_day};
use super::error::{ApiError, ApiResult};
use super::fields::put;
use super::listing::Listed;

/// What was asked for, read.
struct Asked {
    filter: OrderFilter,
    sort: OrderSort,
    descending: bool,
}

/// `GET /order/certificate`.
pub(super) async fn orders(caller: Caller, mut listed: Listed) -> ApiResult {
    let (desk, actor) = (&caller.desk, caller.actor());
    let Asked { filter, sort, descending } = read(&caller, &mut listed).await?;
    let page = PageOf { descending, ..PageOf::first(sort, listed.limit) };
    let found = desk.orders_from(&actor, &filter, &page, listed.offset).await?;
    let numbers: Vec<OrderNumber> = found.rows.iter().map(|row| row.order.number).collect();
    let primaries = desk.primary_certificates(&actor, &numbers).await?;
    let now = desk.clock().now();
    let mut names = Names::default();
    let mut views = Vec::with_capacity(found.rows.len());
    for row in &found.rows {
        let organization = names.of(&caller, row.order.organization).await?;
        views.push(view(row, &organization, primaries.get(&row.order.number), now));
    }
    Ok(Json(json!({"orders": views, "page": listed.page(found.total)})))
}

async fn read(caller: &Caller, listed: &mut Listed) -> ApiResult<Asked> {
    let common_name: Option<Name> = listed.take_read("common_name")?;
    let mut filter = OrderFilter {
        status: listed.take_read("status")?,
        product: listed.take("product_name_id").map(ProductId),
        organization: listed.take_read("organization_id")?,
        origin: listed.take_read::<Origin>("origin")?,
        requester: listed.take_read("user_id")?,
        has_duplicates: flag(listed, "has_duplicates")?,
        renewed: flag(listed, "is_renewed")?,
        number: listed.take_read("id")?,
        name: listed.take_read("domain_name")?.or_else(|| common_name.clone()),
        common_name,
        ..OrderFilter::default()
    };
    if let Some(range) = listed.take("valid_till") {
        (filter.valid_from, filter.valid_until) = read_range("valid_till", &range)?;
    }
    if let Some(range) = listed.take("date_created") {
        (filter.ordered_from, filter.ordered_until) = read_range("date_created", &range)?;
    }
    filter.numbers = meant(caller, listed).await?;
    listed.nothing_left()?;
    let descending = listed.sort.is_empty() || listed.sort.starts_with('-');
    let sort = match listed.sort.trim_start_matches(['-', '+', ' ']) {
        "" | "id" => OrderSort::Number,
        "date_created" => OrderSort::OrderedAt,
        "valid_till" => OrderSort::ValidTill,
        "common_name" => OrderSort::CommonName,
        _ => {
            return Err(ApiError::bad(
                "invalid_sort",
                "sort is id, date_created, valid_till or common_name, with - in front for descending.",
            ));
        }
    };
    Ok(Asked { filter, sort, descending })
}

/// The orders that serial, certificate and search mean, all of them together; none where nothing of
/// these was asked.
async fn meant(caller: &Caller, listed: &mut Listed) -> ApiResult<Option<Vec<OrderNumber>>> {
    let (desk, actor) = (&caller.desk, caller.actor());
    let mut meant: Option<Vec<OrderNumber>> = None;
    let mut narrow = |found: Vec<OrderNumber>| {
        meant = Some(match meant.take() {
            None => found,
            Some(known) => known.into_iter().filter(|one| found.contains(one)).collect(),
        });
    };
    if let Some(serial) = listed.take("serial_number") {
        narrow(desk.order_of_serial(&actor, &serial).await?.into_iter().collect());
    }
    if let Some(id) = listed.take_read::<CertificateId>("certificate_id")? {
        match desk.order_of_certificate(&actor, id).await {
            Ok(order) => narrow(vec![order]),
            Err(LifecycleError::NotFound { .. }) => narrow(Vec::new()),
            Err(error) => return Err(error.into()),
        }
    }
    if let Some(text) = listed.take("search") {
        let found = desk.orders_meant(&actor, &text).await?;
        narrow(found.ok_or_else(|| {
            ApiError::bad(
                "invalid_filter",
                "filters[search] finds more than 1000 orders, or looks through too many names: search \
                 for more of the name, or use filters[common_name] or filters[domain_name].",
            )
        })?);
    }
    Ok(meant)
}

fn flag(listed: &mut Listed, name: &str) -> Result<Option<bool>, ApiError> {
    match listed.take(name).as_deref() {
        None => Ok(None),
        Some("1" | "true") => Ok(Some(true)),
        Some("0" | "false") => Ok(Some(false)),
        Some(_) => {
            Err(ApiError::bad("invalid_filter", format!("filters[{name}] is true or false.")))
        }
    }
}

/// `>2026-01-01`, `<2026-12-31`, `2026-01-01...2026-12-31`, or one day.
fn read_range(name: &str, text: &str) -> Result<(Option<Timestamp>, Option<Timestamp>), ApiError> {
    let wrong = || {
        ApiError::bad(
            "invalid_filter",
            format!("filters[{name}] is <2026-12-31, >2026-01-01 or 2026-01-01...2026-12-31."),
        )
    };
    let read = |text: &str| read_day(text).ok_or_else(wrong);
    let end = |text: &str| Ok::<_, ApiError>(read(text)?.plus_seconds(domain::time::DAY - 1));
    let text = text.trim().trim_start_matches('=');
    if let Some(rest) = text.strip_prefix('>') {
        return Ok((Some(read(rest.trim_start_matches('='))?), None));
    }
    if let Some(rest) = text.strip_prefix('<') {
        return Ok((None, Some(end(rest.trim_start_matches('='))?)));
    }
    let (from, until) = text.split_once("...").unwrap_or((text, text));
    Ok((Some(read(from)?), Some(end(until)?)))
}

/// Organizations' names, each read once for an answer.
#[derive(Default)]
pub(super) struct Names(HashMap<OrganizationId, String>);

impl Names {
    pub(super) async fn of(&mut self, caller: &Caller, id: OrganizationId) -> ApiResult<String> {
        if let Some(name) = self.0.get(&id) {
            return Ok(name.clone());
        }
        let name = caller.desk.organization_name(id).await?;
        self.0.insert(id, name.clone());
        Ok(name)
    }
}

/// Names without the common name's second mention, the common name first.
pub(super) fn dns_names(common_name: &Name, names: &NameSet) -> Vec<String> {
    let others = names.iter().filter(|name| *name != common_name);
    std::iter::once(common_name).chain(others).map(ToString::to_string).collect()
}

/// What list and detail share.
pub(super) fn view(
    record: &OrderRecord,
    organization: &str,
    primary: Option<&Certificate>,
    now: Timestamp,
) -> Value {
    let order = &record.order;
    let years = match order.coverage {
        Coverage::MultiYear { years, .. } => years,
        Coverage::Single => 1,
    };
    let mut certificate = json!({
        "common_name": order.common_name,
        "dns_names": dns_names(&order.common_name, &order.names),
        "signature_hash": order.signature_hash,
    });
    // Of a plan each certificate ends long before the order.
    if let Some(one) = primary {
        put(&mut certificate, "id", json!(one.id));
        put(&mut certificate, "serial_number", json!(one.serial.0.to_uppercase()));
        put(&mut certificate, "valid_from", json!(day(one.not_before)));
        put(&mut certificate, "valid_till", json!(day(one.not_after)));
        put(&mut certificate, "days_remaining", json!(one.not_after.days_left(now).max(0)));
    }
    json!({
        "id": order.number,
        "certificate": certificate,
        "status": order.status,
        "is_renewed": order.renewed_by.is_some(),
        "is_renewal": order.renews.is_some(),
        // Clients that read it as a number have no null.
        "renewed_order_id": order.renews.map_or(0, |renewed| renewed.0),
        "date_created": moment(order.ordered_at),
        "organization": {"id": order.organization, "name": organization},
        "container": container(),
        "validity_years": years,
        "order_valid_till": record.valid_till.map(day),
        "is_multi_year_plan": if order.coverage.is_multi_year() { "1" } else { "0" },
        "auto_renew": u8::from(order.auto_renew),
        "product": product_reference(order.product.as_str()),
        "product_name_id": order.product,
        "has_duplicates": record.duplicates > 0,
        "origin": order.origin,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_days() {
        let shown = |text: &str| {
            let (from, until) = read_range("valid_till", text).unwrap();
            (from.map(moment).unwrap_or_default(), until.map(moment).unwrap_or_default())
        };
        assert_eq!(shown("<2026-12-31"), (String::new(), "2026-12-31T23:59:59+00:00".to_owned()));
        assert_eq!(shown(">2026-01-01"), ("2026-01-01T00:00:00+00:00".to_owned(), String::new()));
        let both = ("2026-01-01T00:00:00+00:00".to_owned(), "2026-02-01T23:59:59+00:00".to_owned());
        assert_eq!(shown("2026-01-01...2026-02-01"), both);
        assert_eq!(shown("=2026-01-01...2026-02-01"), both);
        assert!(read_range("valid_till", "soon").is_err());
    }
}
