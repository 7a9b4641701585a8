//! (ssr) The list of profiles as its URL asks, and as CSV.

use axum::extract::RawQuery;
use axum::response::Response;

use super::api::{ProfileRow, SORTS};
use super::list::{coverage, renewal, validity};
use super::read_form::row;
use crate::desk::{Desk, May};
use crate::fault::PortalError;
use crate::kit::Listing;
use crate::pages::csv::{Csv, exported};
use crate::pages::paged::sorted;
use crate::paths;

/// All profiles that the list's filters let through.
pub(super) async fn listed(desk: &Desk, query: &str) -> Result<Vec<ProfileRow>, PortalError> {
    let listing = Listing::read(paths::PROFILES, query, &SORTS);
    let text = listing.filter("text").unwrap_or_default().to_lowercase();
    let state = listing.filter("state");
    let shown = |row: &ProfileRow| {
        let held = [&row.profile.name, &row.product, &row.organization];
        held.into_iter().any(|held| held.to_lowercase().contains(&text))
            && state.is_none_or(|state| state == row.state.label())
    };
    let rows = desk.lifecycle.profiles(&desk.actor()).await?.into_iter().map(row).filter(shown);
    Ok(sorted(rows.collect(), &listing, |row| match listing.sort.key.as_str() {
        "product" => (0, &row.product),
        "organization" => (0, &row.organization),
        "saved" => (row.updated_at.0, ""),
        _ => (0, &row.profile.name),
    }))
}

/// `/automation/profiles.csv`.
pub async fn profiles(desk: Desk, RawQuery(query): RawQuery) -> Response {
    exported("profiles", export(desk, &query.unwrap_or_default()).await)
}

async fn export(desk: Desk, query: &str) -> Result<Csv, PortalError> {
    desk.check(May::SeeAll)?;
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
    for row in listed(&desk, query).await? {
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
