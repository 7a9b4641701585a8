//! `GET /order/certificate`: the list of orders.

use std::collections::HashMap;

use axum::Json;
use domain::model::{Coverage, Origin};
use domain::{Name, NameSet, OrderNumber, OrganizationId, ProductId, Timestamp};
use lifecycle::lists::PageOf;
use lifecycle::orders::{OrderFilter, OrderRecord, OrderSort, row_key};
use serde_json::{Value, json};

use super::account::product_reference;
use super::caller::Caller;
use super::dates::{day, moment, read_day};
use super::error::{ApiError, ApiResult};
use super::fields::put;
use super::listing::Listed;

/// What was asked for, read.
struct Asked {
    filter: OrderFilter,
    /// Exactly this common name: the index knows CN and SANs together.
    common_name: Option<Name>,
    sort: OrderSort,
    descending: bool,
}

/// `GET /order/certificate`.
pub(super) async fn orders(caller: Caller, mut listed: Listed) -> ApiResult {
    let asked = read(&caller, &mut listed).await?;
    let rows = match asked {
        Some(asked) => collect(&caller, &listed, asked).await?,
        None => Vec::new(),
    };
    let (rows, page) = listed.cut(rows);
    let now = caller.desk.clock().now();
    let mut names = Names::default();
    let mut views = Vec::with_capacity(rows.len());
    let numbers: Vec<OrderNumber> = rows.iter().map(|row| row.order.number).collect();
    let certificates = caller.desk.primary_certificates(&caller.actor(), &numbers).await?;
    for row in &rows {
        let organization = names.of(&caller, row.order.organization).await?;
        let mut view = view(row, &organization, now);
        if let (Some(id), Some(certificate)) =
            (certificates.get(&row.order.number), view.get_mut("certificate"))
        {
            put(certificate, "id", json!(id));
        }
        views.push(view);
    }
    Ok(Json(json!({"orders": views, "page": page})))
}

/// None where the filters name an order that is not there.
async fn read(caller: &Caller, listed: &mut Listed) -> ApiResult<Option<Asked>> {
    let common_name: Option<Name> = listed.take_read("common_name")?;
    let name = listed.take_read("domain_name")?.or_else(|| common_name.clone());
    let mut filter = OrderFilter {
        status: listed.take_read("status")?,
        product: listed.take("product_name_id").map(ProductId),
        organization: listed.take_read("organization_id")?,
        origin: listed.take_read::<Origin>("origin")?,
        requester: listed.take_read("user_id")?,
        has_duplicates: flag(listed, "has_duplicates")?,
        renewed: flag(listed, "is_renewed")?,
        number: listed.take_read("id")?,
        name,
        ..OrderFilter::default()
    };
    if let Some(range) = listed.take("valid_till") {
        (filter.valid_from, filter.valid_until) = read_range(&range)?;
    }
    let found = match listed.take("serial_number").or_else(|| listed.take("search")) {
        Some(text) => Some(caller.desk.find_order(&caller.actor(), &text).await?),
        None => None,
    };
    listed.nothing_left()?;
    match found {
        Some(None) => return Ok(None),
        Some(Some(number)) if filter.number.is_some_and(|wanted| wanted != number) => {
            return Ok(None);
        }
        Some(Some(number)) => filter.number = Some(number),
        None => {}
    }
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
    Ok(Some(Asked { filter, common_name, sort, descending }))
}

async fn collect(caller: &Caller, listed: &Listed, asked: Asked) -> ApiResult<Vec<OrderRecord>> {
    let Asked { filter, common_name, sort, descending } = asked;
    let first = PageOf { descending, ..PageOf::first(sort, 1) };
    let keep =
        |row: &OrderRecord| common_name.as_ref().is_none_or(|name| row.order.common_name == *name);
    let read = |page| {
        let (caller, filter) = (caller.clone(), filter.clone());
        async move { caller.desk.orders(&caller.actor(), filter, &page).await }
    };
    listed.gather(first, |row| row_key(sort, row), keep, read).await
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
fn read_range(text: &str) -> Result<(Option<Timestamp>, Option<Timestamp>), ApiError> {
    let wrong = || {
        ApiError::bad(
            "invalid_filter",
            "filters[valid_till] is <2026-12-31, >2026-01-01 or 2026-01-01...2026-12-31.",
        )
    };
    let read = |text: &str| read_day(text).ok_or_else(wrong);
    let end = |text: &str| Ok::<_, ApiError>(read(text)?.plus_seconds(domain::time::DAY - 1));
    let text = text.trim();
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
pub(super) fn view(record: &OrderRecord, organization: &str, now: Timestamp) -> Value {
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
    if let Some(till) = record.valid_till {
        put(&mut certificate, "valid_till", json!(day(till)));
        put(&mut certificate, "days_remaining", json!(till.days_left(now).max(0)));
    }
    json!({
        "id": order.number,
        "certificate": certificate,
        "status": order.status,
        "is_renewed": order.renewed_by.is_some(),
        "is_renewal": order.renews.is_some(),
        "renewed_order_id": order.renews,
        "date_created": moment(order.ordered_at),
        "organization": {"id": order.organization, "name": organization},
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
            let (from, until) = read_range(text).unwrap();
            (from.map(moment).unwrap_or_default(), until.map(moment).unwrap_or_default())
        };
        assert_eq!(shown("<2026-12-31"), (String::new(), "2026-12-31T23:59:59+00:00".to_owned()));
        assert_eq!(shown(">2026-01-01"), ("2026-01-01T00:00:00+00:00".to_owned(), String::new()));
        let both = ("2026-01-01T00:00:00+00:00".to_owned(), "2026-02-01T23:59:59+00:00".to_owned());
        assert_eq!(shown("2026-01-01...2026-02-01"), both);
        assert!(read_range("soon").is_err());
    }
}
