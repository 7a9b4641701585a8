//! What global search finds.

use domain::model::EndpointStatus;
use domain::{EndpointId, OrderNumber, Timestamp};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::fault::PortalError;

/// Everything that matches.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The order with this number, or whose certificate has this serial or fingerprint.
    pub meant: Option<OrderNumber>,
    /// Orders with matching names.
    pub orders: Vec<FoundOrder>,
    /// Where more orders begin.
    pub next: Option<String>,
    /// Endpoints with a matching address, name or order.
    pub endpoints: Vec<FoundEndpoint>,
}

/// An order with a matching name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundOrder {
    /// The order.
    pub number: OrderNumber,
    /// Its common name.
    pub common_name: String,
    /// The name that matched.
    pub matched: String,
    /// Its product's name.
    pub product: String,
    /// Until when it is good.
    pub valid_till: Option<Timestamp>,
}

/// An endpoint that matches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundEndpoint {
    /// The endpoint.
    pub id: EndpointId,
    /// IP and port.
    pub address: String,
    /// The name that it serves.
    pub name: Option<String>,
    /// Its agent.
    pub agent: String,
    /// Its automation status.
    pub status: EndpointStatus,
}

/// What is looked for, as long as the longest name at most.
pub(super) fn bounded(text: &str) -> String {
    text.trim().chars().take(253).collect()
}

/// What `text` means: an order at once, else all that matches; `after` is the last page's `next`.
#[server(prefix = "/api", endpoint = "search")]
pub async fn search(text: String, after: String) -> Result<Found, PortalError> {
    use lifecycle::automation::{EndpointFilter, EndpointSort};
    use lifecycle::orders::{NameQuery, SearchFilter};

    use crate::desk::{Desk, May};

    /// Rows of a page.
    const ROWS: u16 = 25;

    let desk = Desk::open()?;
    let actor = desk.actor();
    let text = bounded(&text);
    if let Some(number) = desk.lifecycle.find_order(&actor, &text).await? {
        return Ok(Found { meant: Some(number), ..Found::default() });
    }
    // Endpoints are shown beside the first page of orders.
    let first_page = after.is_empty();
    let mut found = Found::default();
    if let Some(query) = NameQuery::typed(&text) {
        let after = after.parse().ok();
        let page = desk
            .lifecycle
            .search_orders(&actor, &query, SearchFilter::default(), after.as_ref(), u32::from(ROWS))
            .await?;
        found.next = page.next.map(|next| next.to_string());
        found.orders = page.orders.into_iter().map(reading::order).collect();
    }
    if desk.may(May::SeeAll) && first_page {
        let filter = EndpointFilter { text: Some(text), ..EndpointFilter::default() };
        let page = desk
            .lifecycle
            .endpoints(&actor, filter, EndpointSort::Address, false, None, ROWS)
            .await?;
        found.endpoints = page.rows.into_iter().map(reading::endpoint).collect();
    }
    Ok(found)
}

#[cfg(feature = "ssr")]
mod reading {
    use domain::Product;
    use lifecycle::dashboard::EndpointRecord;
    use lifecycle::orders::ListedOrder;

    use super::{FoundEndpoint, FoundOrder};

    pub(super) fn order((order, matched): (ListedOrder, String)) -> FoundOrder {
        let product = order.product.as_str();
        FoundOrder {
            number: order.number,
            common_name: order.common_name,
            matched,
            product: Product::find(product).map_or(product, |found| found.name).to_owned(),
            valid_till: order.valid_till,
        }
    }

    pub(super) fn endpoint(record: EndpointRecord) -> FoundEndpoint {
        FoundEndpoint {
            id: record.id,
            address: crate::pages::endpoints::address(&record.ip, record.port),
            name: record
                .served
                .and_then(|served| served.name().map(ToString::to_string))
                .or(record.server_name),
            agent: record.agent_name,
            status: record.status,
        }
    }
}
