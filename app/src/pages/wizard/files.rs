//! Names as one types, for the search of orders to duplicate.

use axum::Json;
use axum::extract::RawQuery;
use axum::response::{IntoResponse as _, Response};
use lifecycle::orders::{NameQuery, SearchFilter};

use crate::desk::{Desk, May};
use crate::fault::PortalError;
use crate::pages::csv::refused;
use crate::query::Query;

/// Names suggested at most.
const MOST: u32 = 10;

/// `/automation/endpoints/{id}/request/names?q=`: a JSON list. Of several names the last one, which
/// is being typed, is completed.
pub async fn names(desk: Desk, RawQuery(query): RawQuery) -> Response {
    let typed = Query::parse(&query.unwrap_or_default()).get("q").unwrap_or_default().to_owned();
    match suggest(&desk, &typed).await {
        Ok(names) => Json(names).into_response(),
        Err(error) => refused(&error).into_response(),
    }
}

async fn suggest(desk: &Desk, typed: &str) -> Result<Vec<String>, PortalError> {
    desk.check(May::SeeAll)?;
    let start = typed.rfind([',', ' ', ';']).map_or(0, |at| at + 1);
    let (before, last) = typed.split_at(start);
    let Some(query) = NameQuery::typed(last) else { return Ok(Vec::new()) };
    let found = desk
        .lifecycle
        .search_orders(&desk.actor(), &query, SearchFilter::default(), None, MOST)
        .await?;
    // Several orders may hold the same name.
    let mut names: Vec<String> = Vec::new();
    for (_, name) in found.orders {
        let whole = format!("{before}{name}");
        if !names.contains(&whole) {
            names.push(whole);
        }
    }
    Ok(names)
}
