//! The list of API keys as CSV.

use axum::extract::RawQuery;
use axum::response::Response;
use lifecycle::api_keys::ApiKey;

use super::api::{filter, listing, sort};
use crate::desk::Desk;
use crate::fault::PortalError;
use crate::pages::csv::{Csv, all_rows, exported};

/// `/account/api-keys.csv`.
pub async fn api_keys(desk: Desk, RawQuery(query): RawQuery) -> Response {
    exported("api-keys", export(desk, &query.unwrap_or_default()).await)
}

async fn export(desk: Desk, query: &str) -> Result<Csv, PortalError> {
    let listing = listing(query);
    let (sort, filter) = (sort(&listing), filter(&listing));
    let key = |key: &ApiKey| (sort.key(key), key.id.0);
    let rows = all_rows(sort, listing.sort.descending, key, |page| {
        let (desk, filter) = (desk.clone(), filter.clone());
        async move { desk.lifecycle.api_keys(&desk.actor(), &filter, &page).await }
    });
    let mut csv = Csv::new(&["Name", "Person", "Role", "Created", "Last used", "Revoked"]);
    let shown =
        |at: Option<domain::Timestamp>| at.map(domain::Timestamp::rfc3339).unwrap_or_default();
    for key in rows.await? {
        csv.line([
            key.name,
            key.email,
            key.role.map(|role| role.as_str().to_owned()).unwrap_or_default(),
            key.created_at.rfc3339(),
            shown(key.last_used_at),
            shown(key.revoked_at),
        ]);
    }
    Ok(csv)
}
