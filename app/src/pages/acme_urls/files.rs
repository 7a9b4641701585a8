//! The list of ACME Directory URLs as CSV.

use axum::extract::RawQuery;
use axum::response::Response;
use lifecycle::acme::AcmeUrlLine;

use super::read_form::{filter, listing, row, sort};
use crate::desk::{Desk, May};
use crate::fault::PortalError;
use crate::pages::csv::{Csv, all_rows, exported};

/// `/automation/acme-urls.csv`.
pub async fn acme_urls(desk: Desk, RawQuery(query): RawQuery) -> Response {
    exported("acme-directory-urls", export(desk, &query.unwrap_or_default()).await)
}

async fn export(desk: Desk, query: &str) -> Result<Csv, PortalError> {
    desk.check(May::Automate)?;
    let listing = listing(query);
    let sort = sort(&listing);
    let mut csv = Csv::new(&[
        "Name",
        "KID",
        "Product",
        "Organization",
        "Status",
        "Accounts",
        "Last used",
        "Orders",
        "Created",
    ]);
    let Some(filter) = filter(&desk, &listing).await? else { return Ok(csv) };
    let key = |line: &AcmeUrlLine| (sort.key(line), line.record.url.id.0);
    let rows = all_rows(sort, listing.sort.descending, key, |page| {
        let (desk, filter) = (desk.clone(), filter.clone());
        async move { desk.lifecycle.acme_url_list(&desk.actor(), &filter, &page).await }
    });
    for line in rows.await? {
        let row = row(line);
        csv.line([
            row.url.name,
            row.kid.unwrap_or_default(),
            row.product,
            row.organization,
            if row.revoked_at.is_some() { "Revoked" } else { "Active" }.to_owned(),
            super::list::count(row.accounts),
            row.last_used_at.map(domain::Timestamp::rfc3339).unwrap_or_default(),
            super::list::count(row.orders),
            row.created_at.rfc3339(),
        ]);
    }
    Ok(csv)
}
