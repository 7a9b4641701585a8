//! What the dashboard shows.

use domain::model::RequestKind;
use domain::{OrderNumber, RequestId, Timestamp};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::fault::PortalError;
use crate::pages::endpoints::api::EndpointRow;

/// Everything on the page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DashboardView {
    /// Orders by the days that their certificates have left.
    pub ending: Vec<EndingView>,
    /// The next ones to expire.
    pub expiring: Vec<ExpiringView>,
    /// How many requests wait.
    pub waiting: u64,
    /// The newest of them.
    pub requests: Vec<WaitingView>,
    /// The last two weeks, oldest day first, with the days on which nothing was issued.
    pub days: Vec<DayView>,
    /// The first endpoints that need action.
    pub trouble: Vec<EndpointRow>,
    /// How many there are: as many as the list shows so.
    pub needing_action: u64,
    /// Whether this person sees automation.
    pub shows_automation: bool,
    /// Whether this person reviews requests.
    pub may_review: bool,
}

/// Orders whose certificates end within some days, both included.
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
    /// Until when its certificate is good.
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

/// What was issued on one day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayView {
    /// Seconds since 1970 of the day's beginning, in UTC.
    pub day: i64,
    /// On the screens, or at the command line of the server.
    pub portal: u64,
    /// Through the JSON API.
    pub api: u64,
    /// By the automation worker.
    pub automation: u64,
    /// By ACME clients.
    pub acme: u64,
}

/// The dashboard of the signed-in person.
#[server(prefix = "/api", endpoint = "dashboard")]
pub async fn dashboard() -> Result<DashboardView, PortalError> {
    use crate::desk::{Desk, May};

    let desk = Desk::open()?;
    let shown = desk.lifecycle.dashboard(&desk.actor()).await?;
    // Not everybody may ask what can be done about endpoints.
    let trouble = if shown.trouble.is_empty() {
        Vec::new()
    } else {
        crate::pages::endpoints::reading::rows(&desk, shown.trouble).await?
    };
    Ok(DashboardView {
        ending: shown
            .ending
            .iter()
            .map(|span| EndingView { from: span.from, to: span.to, orders: span.orders })
            .collect(),
        expiring: shown.expiring.into_iter().filter_map(reading::expiring).collect(),
        waiting: shown.waiting,
        requests: shown.requests.into_iter().map(reading::waiting).collect(),
        days: reading::days(&shown.issued, desk.now),
        trouble,
        needing_action: shown.needing_action,
        shows_automation: desk.may(May::SeeAll),
        may_review: desk.may(May::Review),
    })
}

#[cfg(feature = "ssr")]
mod reading {
    use domain::Product;
    use domain::time::DAY;
    use lifecycle::dashboard::{DayCount, OrderRecord, RequestRecord};

    use super::{DayView, ExpiringView, Timestamp, WaitingView};

    /// Days shown.
    const DAYS: i64 = 14;

    pub(super) fn expiring(record: OrderRecord) -> Option<ExpiringView> {
        let product = record.order.product.as_str();
        Some(ExpiringView {
            number: record.order.number,
            common_name: record.order.common_name.to_string(),
            product: Product::find(product).map_or(product, |found| found.name).to_owned(),
            valid_till: record.certificate_till?,
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

    pub(super) fn days(counts: &[DayCount], now: Timestamp) -> Vec<DayView> {
        let today = now.0 - now.0.rem_euclid(DAY);
        (0..DAYS)
            .rev()
            .map(|back| {
                let day = today - back * DAY;
                let mut view = DayView { day, ..DayView::default() };
                for count in counts.iter().filter(|count| count.day.0 == day) {
                    *door(&mut view, &count.actor_kind) += count.certificates;
                }
                view
            })
            .collect()
    }

    /// The door that a kind of actor comes through.
    const fn door<'a>(day: &'a mut DayView, actor_kind: &str) -> &'a mut u64 {
        match actor_kind.as_bytes() {
            b"api_key" => &mut day.api,
            b"worker" => &mut day.automation,
            b"acme_account" => &mut day.acme,
            _ => &mut day.portal,
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn there_are_four_doors_each_day() {
            let now = Timestamp(1_800_000_000);
            let kinds = ["person", "operator", "api_key", "acme_account", "worker"];
            let count = |kind: &str| DayCount {
                day: Timestamp(now.0 - now.0.rem_euclid(DAY)),
                actor_kind: kind.to_owned(),
                certificates: 2,
            };
            let shown = days(&kinds.map(count), now);
            let today = shown.last().unwrap();
            assert_eq!((today.portal, today.api, today.acme, today.automation), (4, 2, 2, 2));
            assert_eq!(shown.len(), 14, "the days without any are there too");
        }
    }
}
