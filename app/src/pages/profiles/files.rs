//! The list of profiles as CSV.

use axum::extract::RawQuery;
use axum::response::Response;

use lifecycle::automation::ProfileView;

use super::list::{coverage, renewal, validity};
use super::read_form::row;
use super::reading::{filter, listing, sort};
use crate::desk::{Desk, May};
use crate::fault::PortalError;
use crate::pages::csv::{Csv, all_rows, exported};

/// `/automation/profiles.csv`.
pub async fn profiles(desk: Desk, RawQuery(query): RawQuery) -> Response {
    exported("profiles", export(desk, &query.unwrap_or_default()).await)
}

async fn export(desk: Desk, query: &str) -> Result<Csv, PortalError> {
    desk.check(May::SeeAll)?;
    let listing = listing(query);
    let (sort, filter) = (sort(&listing), filter(&listing));
    let key = |view: &ProfileView| (view.key(sort), view.profile.id.0);
    let profiles = all_rows(sort, listing.sort.descending, key, |page| {
        let (desk, filter) = (desk.clone(), filter.clone());
        async move { desk.lifecycle.profile_list(&desk.actor(), &filter, &page).await }
    });
    let mut csv = Csv::new(&[
        "Name",
        "Default",
        "State",
        "Product",
        "Organization",
        "Order coverage",
        "Validity",
        "Key",
        "Duplicates",
        "Auto-renew",
        "Saved",
    ]);
    let yes = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    for view in profiles.await? {
        let row = row(view);
        let profile = row.profile;
        csv.line([
            profile.name.clone(),
            yes(profile.is_default),
            row.state.label().to_owned(),
            row.product,
            row.organization,
            coverage(profile.coverage_years),
            validity(&profile),
            profile.key_type.label().to_owned(),
            yes(profile.allow_duplicates),
            renewal(&profile),
            row.updated_at.rfc3339(),
        ]);
    }
    Ok(csv)
}
