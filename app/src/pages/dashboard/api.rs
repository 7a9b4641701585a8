//! What the dashboard shows.

use domain::model::{EndpointStatus, RequestKind};
use domain::{EndpointId, OrderNumber, RequestId, Timestamp};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::fault::PortalError;

/// Everything on the page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DashboardView {
    /// Orders by days left.
    pub ending: Vec<EndingView>,
    /// The next ones to expire.
    pub expiring: Vec<ExpiringView>,
    /// How many requests wait.
    pub waiting: u64,
    /// The newest of them.
    pub requests: Vec<WaitingView>,
    /// The last two weeks, oldest day first, with the days on which nothing was ordered.
    pub days: Vec<DayView>,
    /// Endpoints that wait for a person.
    pub trouble: Vec<TroubleView>,
    /// How many endpoints need action: as many as the list shows so.
    pub needing_action: u64,
    /// Whether this person sees automation.
    pub shows_automation: bool,
    /// Whether this person reviews requests.
    pub may_review: bool,
}

/// Orders that end within some days, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndingView {
    /// From this day on.
    pub from: i64,
    /// To this day.
    pub to: Option<i64>,
    /// How many.
    pub orders: u64,
}

/// An order that expires soon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpiringView {
    /// The order.
    pub number: OrderNumber,
    /// Its common name.
    pub common_name: String,
    /// Its product's name.
    pub product: String,
    /// Until when it is good.
    pub valid_till: Timestamp,
}

/// A request that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingView {
    /// The request.
    pub id: RequestId,
    /// What is asked.
    pub kind: RequestKind,
    /// The order it is about.
    pub order: OrderNumber,
    /// The name it is about.
    pub common_name: Option<String>,
    /// Who asks.
    pub requester: Option<String>,
    /// Since when.
    pub created_at: Timestamp,
}

/// What was ordered on one day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayView {
    /// Seconds since 1970 of the day's beginning, in UTC.
    pub day: i64,
    /// On the screens or through the JSON API.
    pub portal: u64,
    /// By the automation worker.
    pub automation: u64,
    /// By ACME clients.
    pub acme: u64,
}

/// An endpoint that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TroubleView {
    /// The endpoint.
    pub id: EndpointId,
    /// IP and port.
    pub address: String,
    /// The name that it serves.
    pub name: Option<String>,
    /// What is wrong.
    pub status: EndpointStatus,
}

/// The dashboard of the signed-in person.
#[server(prefix = "/api", endpoint = "dashboard")]
pub async fn dashboard() -> Result<DashboardView, PortalError> {
    use crate::desk::{Desk, May};

    let desk = Desk::open()?;
    let shown = desk.lifecycle.dashboard(&desk.actor()).await?;
    Ok(DashboardView {
        ending: shown
            .ending
            .iter()
            .map(|span| EndingView { from: span.from, to: span.to, orders: span.orders })
            .collect(),
        expiring: shown.expiring.into_iter().filter_map(reading::expiring).collect(),
        waiting: shown.waiting,
        requests: shown.requests.into_iter().map(reading::waiting).collect(),
        days: reading::days(&shown.ordered, desk.now),
        trouble: shown.trouble.into_iter().map(reading::trouble).collect(),
        needing_action: shown.needing_action,
        shows_automation: desk.may(May::SeeAll),
        may_review: desk.may(May::Review),
    })
}

#[cfg(feature = "ssr")]
mod reading {
    use domain::Product;
    use domain::model::Origin;
    use domain::time::DAY;
    use lifecycle::dashboard::{DayCount, EndpointRecord, OrderRecord, RequestRecord};

    use super::{DayView, ExpiringView, Timestamp, TroubleView, WaitingView};

    /// Days shown.
    const DAYS: i64 = 14;

    pub(super) fn expiring(record: OrderRecord) -> Option<ExpiringView> {
        let product = record.order.product.as_str();
        Some(ExpiringView {
            number: record.order.number,
            common_name: record.order.common_name.to_string(),
            product: Product::find(product).map_or(product, |found| found.name).to_owned(),
            valid_till: record.valid_till?,
        })
    }

    pub(super) fn waiting(record: RequestRecord) -> WaitingView {
        WaitingView {
            id: record.request.id,
            kind: record.request.kind,
            order: record.request.order,
            common_name: record.wish.common_name.map(|name| name.to_string()),
            requester: record.requester_name,
            created_at: record.request.created_at,
        }
    }

    pub(super) fn trouble(record: EndpointRecord) -> TroubleView {
        TroubleView {
            id: record.id,
            address: crate::pages::endpoints::address(&record.ip, record.port),
            name: record
                .served
                .and_then(|served| served.name().map(ToString::to_string))
                .or(record.server_name),
            status: record.status,
        }
    }

    pub(super) fn days(counts: &[DayCount], now: Timestamp) -> Vec<DayView> {
        let today = now.0 - now.0.rem_euclid(DAY);
        (0..DAYS)
            .rev()
            .map(|back| {
                let day = today - back * DAY;
                let through = |origin: Origin| {
                    counts
                        .iter()
                        .filter(|count| count.day.0 == day && count.origin == origin)
                        .map(|count| count.orders)
                        .sum()
                };
                DayView {
                    day,
                    portal: through(Origin::Portal),
                    automation: through(Origin::Automation),
                    acme: through(Origin::Acme),
                }
            })
            .collect()
    }
}
