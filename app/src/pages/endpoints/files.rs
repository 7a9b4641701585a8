//! The list of endpoints as CSV.

use axum::extract::RawQuery;
use axum::response::Response;

use super::address;
use super::reading::{all, listing};
use crate::desk::{Desk, May};
use crate::fault::PortalError;
use crate::pages::csv::{Csv, MOST_ROWS, exported};
use crate::pages::orders::certificate_word;

/// `/automation/endpoints.csv`.
pub async fn endpoints(desk: Desk, RawQuery(query): RawQuery) -> Response {
    exported("automated-ips", export(desk, &query.unwrap_or_default()).await)
}

async fn export(desk: Desk, query: &str) -> Result<Csv, PortalError> {
    desk.check(May::SeeAll)?;
    let mut csv = Csv::new(&[
        "IP / Port",
        "Server name",
        "Common name",
        "Names",
        "Host",
        "Server software",
        "Issuer",
        "Order ID",
        "Expires",
        "Automation status",
        "Cause",
        "Auto-renew",
        "Certificate",
    ]);
    for (record, certificate) in all(&desk, &listing(query), MOST_ROWS).await? {
        let served = record.served.as_ref();
        csv.line([
            address(&record.ip, record.port),
            record.server_name.clone().unwrap_or_default(),
            served
                .and_then(|served| served.common_name.as_ref())
                .map(ToString::to_string)
                .unwrap_or_default(),
            served.map(|served| served.names.canonical()).unwrap_or_default(),
            record.agent_name.clone(),
            record.software.clone().unwrap_or_default(),
            served.map_or_else(|| record.issuer_kind.to_string(), |served| served.issuer.clone()),
            record.order.map(|order| order.to_string()).unwrap_or_default(),
            served.map(|served| served.not_after.rfc3339()).unwrap_or_default(),
            record.status.label().to_owned(),
            record.cause.clone().unwrap_or_default(),
            if record.auto_renew.is_some() { "on" } else { "off" }.to_owned(),
            certificate
                .filter(|_| served.is_some())
                .map(|status| certificate_word(status).to_owned())
                .unwrap_or_default(),
        ]);
    }
    Ok(csv)
}
