//! The list of domains as CSV.

use axum::extract::RawQuery;
use axum::response::Response;
use domain::model::DomainProof;
use lifecycle::organizations::DomainRecord;

use super::api::filter;
use crate::desk::{Desk, May};
use crate::fault::PortalError;
use crate::pages::csv::{Csv, all_rows, exported};
use crate::pages::organizations::api::{listing, sort};

/// `/certificates/domains.csv`.
pub async fn domains(desk: Desk, RawQuery(query): RawQuery) -> Response {
    exported("domains", export(desk, &query.unwrap_or_default()).await)
}

async fn export(desk: Desk, query: &str) -> Result<Csv, PortalError> {
    desk.check(May::SeeAll)?;
    let listing = listing(crate::paths::DOMAINS, query);
    let sort = sort(&listing);
    let mut csv = Csv::new(&["Domain", "Organization", "Validated until", "Method", "Covers"]);
    let Some(filter) = filter(&desk, &listing).await? else { return Ok(csv) };
    let key = |record: &DomainRecord| (sort.of_domain(record), record.domain.id.0);
    let rows = all_rows(sort, listing.sort.descending, key, |page| {
        let (desk, filter) = (desk.clone(), filter.clone());
        async move { desk.lifecycle.domains(&desk.actor(), filter, &page).await }
    });
    for record in rows.await? {
        let until =
            record.domain.validated_until.map(domain::Timestamp::rfc3339).unwrap_or_default();
        let proof = record.domain.proof;
        csv.line([
            record.domain.name.to_string(),
            record.organization_name,
            until,
            proof.map(DomainProof::as_str).unwrap_or_default().to_owned(),
            proof.map(|_| super::coverage(proof)).unwrap_or_default().to_owned(),
        ]);
    }
    Ok(csv)
}
