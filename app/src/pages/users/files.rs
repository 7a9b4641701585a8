//! The list of people as CSV.

use axum::extract::RawQuery;
use axum::response::Response;

use super::api::{filter, listing, sort};
use crate::desk::{Desk, May};
use crate::pages::csv::{Csv, all_rows, exported};

/// `/account/users.csv`.
pub async fn users(desk: Desk, RawQuery(query): RawQuery) -> Response {
    exported("users", export(desk, &query.unwrap_or_default()).await)
}

async fn export(desk: Desk, query: &str) -> Result<Csv, crate::fault::PortalError> {
    desk.check(May::Administer)?;
    let listing = listing(query);
    let (sort, filter) = (sort(&listing), filter(&listing));
    let key = |account: &lifecycle::accounts::Account| (sort.key(account), account.user.id.0);
    let accounts = all_rows(sort, listing.sort.descending, key, |page| {
        let (desk, filter) = (desk.clone(), filter.clone());
        async move { desk.lifecycle.users(&desk.actor(), filter, &page).await }
    });
    let mut csv =
        Csv::new(&["Name", "E-mail", "Role", "Disabled", "Time zone", "Added", "Last sign-in"]);
    for account in accounts.await? {
        csv.line([
            account.user.name,
            account.user.email,
            account.user.role.as_str().to_owned(),
            account.user.disabled.to_string(),
            account.user.time_zone,
            account.created_at.rfc3339(),
            account.last_sign_in_at.map(domain::Timestamp::rfc3339).unwrap_or_default(),
        ]);
    }
    Ok(csv)
}
