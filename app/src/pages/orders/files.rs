//! The list of orders as CSV, and certificates as files.

use axum::body::Body;
use axum::extract::{Path, RawQuery};
use axum::response::{IntoResponse as _, Response};
use domain::CertificateId;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use lifecycle::orders::{Download, OrderSort, listed_key};

use super::api::OrderRow;
use super::badges::{origin_label, product_name, status_label};
use super::list::read::{filter, listing, page, sort};
use crate::desk::Desk;
use crate::fault::PortalError;
use crate::pages::csv::{Csv, MOST_ROWS, all_rows, exported, refused};
use crate::query::Query;

/// `/certificates/orders.csv`.
pub async fn orders(desk: Desk, RawQuery(query): RawQuery) -> Response {
    exported("orders", export(desk, &query.unwrap_or_default()).await)
}

async fn export(desk: Desk, query: &str) -> Result<Csv, PortalError> {
    let mut csv = Csv::new(&[
        "Order ID",
        "Status",
        "Common name",
        "Product",
        "Organization",
        "Valid till",
        "Originals",
        "Reissues",
        "Duplicates",
        "Renewed by",
        "Origin",
        "Requester",
        "Ordered",
        "Certificate till",
    ]);
    for row in rows(&desk, query).await? {
        csv.line(line(row));
    }
    Ok(csv)
}

async fn rows(desk: &Desk, query: &str) -> Result<Vec<OrderRow>, PortalError> {
    let listing = listing(query);
    if listing.filter("name").is_some() {
        return found(desk, query).await;
    }
    let Some(filter) = filter(desk, &listing).await? else { return Ok(Vec::new()) };
    let sort: OrderSort = sort(&listing);
    let orders = all_rows(
        sort,
        listing.sort.descending,
        |order| listed_key(sort, order),
        |page| {
            let (desk, filter) = (desk.clone(), filter.clone());
            async move { desk.lifecycle.listed_orders(&desk.actor(), filter, &page).await }
        },
    );
    Ok(orders.await?.into_iter().map(OrderRow::of).collect())
}

/// All pages of a search by name.
async fn found(desk: &Desk, query: &str) -> Result<Vec<OrderRow>, PortalError> {
    let mut query = Query::parse(query).without("after").without("before").with("size", 100);
    let mut rows = Vec::new();
    loop {
        let found = page(desk, query.href("").trim_start_matches('?')).await?;
        rows.extend(found.rows);
        match found.next {
            Some(next) if rows.len() < MOST_ROWS => query = query.with("after", next),
            _ => return Ok(rows),
        }
    }
}

fn line(row: OrderRow) -> [String; 14] {
    let [originals, reissues, duplicates] = row.certificates.map(|count| count.to_string());
    [
        row.number.to_string(),
        status_label(row.status).to_owned(),
        row.common_name,
        product_name(&row.product),
        row.organization_name,
        row.valid_till.map(domain::Timestamp::rfc3339).unwrap_or_default(),
        originals,
        reissues,
        duplicates,
        row.renewed_by.map(|number| number.to_string()).unwrap_or_default(),
        origin_label(row.origin).to_owned(),
        row.requester.unwrap_or_default(),
        row.ordered_at.rfc3339(),
        row.certificate_till.map(domain::Timestamp::rfc3339).unwrap_or_default(),
    ]
}

/// A certificate as a file.
pub async fn certificate(desk: Desk, Path((id, format)): Path<(i64, String)>) -> Response {
    match read(&desk, CertificateId(id), &format).await {
        Ok(download) => answer(download),
        Err(error) => refused(&error).into_response(),
    }
}

async fn read(desk: &Desk, id: CertificateId, format: &str) -> Result<Download, PortalError> {
    Ok(desk.lifecycle.download(&desk.actor(), id, format.parse()?).await?)
}

fn answer(download: Download) -> Response {
    let mut response = Response::new(Body::from(download.bytes));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(download.content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let disposition =
        HeaderValue::from_str(&format!("attachment; filename=\"{}\"", download.file_name));
    headers.extend(disposition.ok().map(|value| (CONTENT_DISPOSITION, value)));
    response
}
