//! The list of organizations as CSV.

use axum::extract::RawQuery;
use axum::response::Response;
use domain::model::Organization;

use super::api::{filter, listing, sort};
use crate::desk::{Desk, May};
use crate::fault::PortalError;
use crate::pages::csv::{Csv, all_rows, exported};

/// `/certificates/organizations.csv`.
pub async fn organizations(desk: Desk, RawQuery(query): RawQuery) -> Response {
    exported("organizations", export(desk, &query.unwrap_or_default()).await)
}

async fn export(desk: Desk, query: &str) -> Result<Csv, PortalError> {
    desk.check(May::SeeAll)?;
    let listing = listing(crate::paths::ORGANIZATIONS, query);
    let (sort, filter) = (sort(&listing), filter(&listing, desk.now));
    let key = |organization: &Organization| (sort.of_organization(organization), organization.id.0);
    let rows = all_rows(sort, listing.sort.descending, key, |page| {
        let (desk, filter) = (desk.clone(), filter.clone());
        async move { desk.lifecycle.organizations(&desk.actor(), filter, &page).await }
    });
    let mut csv = Csv::new(&["Name", "Country", "Town", "Registration number", "Validated until"]);
    for organization in rows.await? {
        let until =
            organization.validated_until.map(domain::Timestamp::rfc3339).unwrap_or_default();
        csv.line([
            organization.name,
            organization.country,
            organization.locality.unwrap_or_default(),
            organization.registration_number.unwrap_or_default(),
            until,
        ]);
    }
    Ok(csv)
}
