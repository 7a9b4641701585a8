//! The list of requests as CSV.

use axum::extract::RawQuery;
use axum::response::Response;
use lifecycle::lists::Key;
use lifecycle::orders::RequestRecord;

use super::api::RequestRow;
use super::api::reading::{filter, listing};
use super::list::kind_label;
use crate::desk::Desk;
use crate::fault::PortalError;
use crate::pages::csv::{Csv, all_rows, exported};

/// `/certificates/requests.csv`.
pub async fn requests(desk: Desk, RawQuery(query): RawQuery) -> Response {
    exported("requests", export(desk, &query.unwrap_or_default()).await)
}

async fn export(desk: Desk, query: &str) -> Result<Csv, PortalError> {
    let listing = listing(query);
    let mut csv = Csv::new(&[
        "Request",
        "Type",
        "Status",
        "Order ID",
        "Common name",
        "Requester",
        "Asked",
        "Reviewer",
        "Decided",
    ]);
    let Some(filter) = filter(&desk, &listing).await? else { return Ok(csv) };
    let key = |record: &RequestRecord| (Key::Number(record.request.id.0), record.request.id.0);
    let rows = all_rows((), listing.sort.descending, key, |page| {
        let (desk, filter) = (desk.clone(), filter.clone());
        async move { desk.lifecycle.requests(&desk.actor(), filter, &page).await }
    });
    for row in rows.await?.into_iter().map(RequestRow::from) {
        csv.line([
            row.id.to_string(),
            kind_label(&row.kind).to_owned(),
            row.state,
            row.order.to_string(),
            row.common_name.unwrap_or_default(),
            row.requester.unwrap_or_default(),
            row.asked_at.rfc3339(),
            row.reviewer.unwrap_or_default(),
            row.decided_at.map(domain::Timestamp::rfc3339).unwrap_or_default(),
        ]);
    }
    Ok(csv)
}
