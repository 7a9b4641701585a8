//! The audit log as CSV.

use axum::extract::RawQuery;
use axum::response::Response;
use lifecycle::audit::AuditRow;
use lifecycle::lists::Key;

use super::api::{filter, kind_in_words, listing};
use crate::desk::{Desk, May};
use crate::fault::PortalError;
use crate::pages::csv::{Csv, all_rows, exported};

/// `/account/audit-log.csv`.
pub async fn audit_log(desk: Desk, RawQuery(query): RawQuery) -> Response {
    exported("audit-log", export(desk, &query.unwrap_or_default()).await)
}

async fn export(desk: Desk, query: &str) -> Result<Csv, PortalError> {
    desk.check(May::Administer)?;
    let listing = listing(query);
    let filter = filter(&listing, &desk.person.user.time_zone);
    let rows = all_rows(
        (),
        listing.sort.descending,
        |row: &AuditRow| (Key::Number(row.id), row.id),
        |page| {
            let (desk, filter) = (desk.clone(), filter.clone());
            async move { desk.lifecycle.audit_page(&desk.actor(), filter, &page).await }
        },
    );
    let mut csv = Csv::new(&[
        "Id",
        "Time (UTC)",
        "Kind of actor",
        "Who",
        "From",
        "Action",
        "Resource",
        "Number or id",
        "What happened",
        "Old",
        "New",
        "Position",
        "Seal",
    ]);
    for row in rows.await? {
        csv.line([
            row.id.to_string(),
            row.at.rfc3339(),
            kind_in_words(&row.actor_kind).to_owned(),
            row.actor_name,
            row.address.unwrap_or_default(),
            row.action,
            row.resource_kind,
            row.resource_id,
            row.description,
            row.old.unwrap_or_default(),
            row.new.unwrap_or_default(),
            row.position.map(|position| position.to_string()).unwrap_or_default(),
            row.seals.map(|(_, seal)| seal).unwrap_or_default(),
        ]);
    }
    Ok(csv)
}
