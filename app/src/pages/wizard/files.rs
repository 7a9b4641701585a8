//! Names as one types, for the search of orders to duplicate.

use axum::Json;
use axum::extract::RawQuery;
use axum::response::{IntoResponse as _, Response};
use lifecycle::orders::NameQuery;

use crate::desk::{Desk, May};
use crate::fault::PortalError;
use crate::pages::csv::refused;
use crate::query::Query;

/// Names suggested at most.
const MOST: usize = 10;

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
    let names = desk.lifecycle.suggest_names(&desk.actor(), &query, MOST).await?;
    Ok(names.into_iter().map(|name| format!("{before}{name}")).collect())
}
