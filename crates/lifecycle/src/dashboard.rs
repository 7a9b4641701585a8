//! The dashboard: what ends soon, what waits for somebody, what was issued.

use domain::model::OrderStatus;
use domain::{Days, Timestamp};
pub use store::dashboard::DayCount;
pub use store::endpoints::EndpointRecord;
use store::endpoints::{EndpointFilter, EndpointSort};
pub use store::orders::OrderRecord;
use store::orders::{OrderFilter, OrderSort};
use store::requests::RequestFilter;
pub use store::requests::RequestRecord;

use crate::automation::moment;
use crate::lists::PageOf;
use crate::orders::own_only;
use crate::{Actor, Lifecycle, Result};

/// Days to expiry that are counted together, both included; none has no end.
pub const SPANS: [(i64, Option<i64>); 7] = [
    (0, Some(7)),
    (8, Some(30)),
    (31, Some(60)),
    (61, Some(90)),
    (91, Some(180)),
    (181, Some(365)),
    (366, None),
];
/// What is called expiring soon.
pub const SOON: Days = Days(90);
/// Days of which certificates are counted, today included.
const HISTORY: Days = Days(13);
/// Rows of each short list.
const ROWS: u16 = 8;
/// Orders whose certificate ends within some days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    /// From this day on.
    pub from: i64,
    /// To this day; none for all later ones.
    pub to: Option<i64>,
    /// How many; at most [`store::dashboard::MOST`].
    pub orders: u64,
}

/// What the dashboard shows.
#[derive(Debug, Clone)]
pub struct Dashboard {
    /// Orders that are not renewed, by the days that are left.
    pub ending: Vec<Ending>,
    /// The next ones of them, within [`SOON`].
    pub expiring: Vec<OrderRecord>,
    /// How many requests wait for a reviewer.
    pub waiting: u64,
    /// The newest of them.
    pub requests: Vec<RequestRecord>,
    /// Certificates issued in the last two weeks by day (UTC) and who asked.
    pub issued: Vec<DayCount>,
    /// The first endpoints that need action: automation waits for a person, or what is in place is
    /// no good.
    pub trouble: Vec<EndpointRecord>,
    /// How many there are, as many as the list shows.
    pub needing_action: u64,
}

impl Lifecycle {
    /// The dashboard as `actor` sees it: Limited Users see what is their own, and no automation.
    pub async fn dashboard(&self, actor: &Actor) -> Result<Dashboard> {
        let now = self.clock().now();
        let requests =
            RequestFilter { status: Some("pending".to_owned()), ..RequestFilter::default() };
        let newest = PageOf { descending: true, ..PageOf::first((), ROWS) };
        let requests = self.requests(actor, requests, &newest).await?.rows;
        let own = own_only(actor);
        let mut tx = self.store().reader().await?;
        let mut ending = Vec::new();
        for (from, to) in SPANS {
            let until = to.map_or(Timestamp(i64::MAX), |to| now.plus(Days(to + 1)));
            let orders = tx.count_ending(now.plus(Days(from)), until, own).await?;
            ending.push(Ending { from, to, orders });
        }
        let today = now.plus_seconds(-now.0.rem_euclid(domain::time::DAY));
        let issued = tx.count_issued(today.minus(HISTORY), own).await?;
        let waiting = tx.count_waiting(own).await?;
        let wanted =
            EndpointFilter { needs_action: true, moment: moment(now), ..EndpointFilter::default() };
        let needing_action = if own.is_some() { 0 } else { tx.count_endpoints(&wanted).await? };
        drop(tx);
        let trouble = if own.is_some() { Vec::new() } else { self.trouble(actor, wanted).await? };
        Ok(Dashboard {
            ending,
            expiring: self.expiring(actor, now).await?,
            waiting,
            requests,
            issued,
            trouble,
            needing_action,
        })
    }

    async fn expiring(&self, actor: &Actor, now: Timestamp) -> Result<Vec<OrderRecord>> {
        let filter = OrderFilter {
            status: Some(OrderStatus::Issued),
            renewed: Some(false),
            ends_from: Some(now),
            ends_until: Some(now.plus(Days(SOON.0 + 1)).plus_seconds(-1)),
            ..OrderFilter::default()
        };
        Ok(self.orders(actor, filter, &PageOf::first(OrderSort::CertificateEnd, ROWS)).await?.rows)
    }

    async fn trouble(&self, actor: &Actor, wanted: EndpointFilter) -> Result<Vec<EndpointRecord>> {
        let page = self.endpoints(actor, wanted, EndpointSort::Address, false, None, ROWS).await?;
        Ok(page.rows)
    }
}

#[cfg(test)]
mod tests {
    use domain::model::Role;

    use super::*;
    use crate::testing::issuing::shops;

    #[tokio::test]
    async fn an_empty_portal_has_an_empty_dashboard() {
        for shop in shops().await {
            let shown = shop.dashboard(&Actor::Operator).await.unwrap();
            assert_eq!(shown.ending.len(), SPANS.len());
            assert!(shown.ending.iter().all(|span| span.orders == 0));
            assert!(
                shown.expiring.is_empty() && shown.requests.is_empty() && shown.trouble.is_empty()
            );
        }
    }

    #[tokio::test]
    async fn an_order_is_counted_by_its_days_left_and_shown_when_it_ends_soon() {
        for shop in shops().await {
            shop.sell("ssl_plus", "www.example.com").await;
            let shown = shop.dashboard(&Actor::Operator).await.unwrap();
            let counted: Vec<Ending> =
                shown.ending.into_iter().filter(|span| span.orders > 0).collect();
            assert_eq!(counted, [Ending { from: 181, to: Some(365), orders: 1 }]);
            assert!(shown.expiring.is_empty());
            assert_eq!(shown.issued.iter().map(|day| day.certificates).sum::<u64>(), 1);
            shop.clock().advance(Days(150));
            let later = shop.dashboard(&Actor::Operator).await.unwrap();
            assert_eq!(later.expiring.len(), 1);
            assert!(later.issued.is_empty(), "only the last two weeks are shown");
        }
    }

    #[tokio::test]
    async fn a_plan_is_counted_and_shown_by_its_certificate() {
        for shop in shops().await {
            shop.sell_with("ssl_plus", "www.example.com", Some(3)).await;
            shop.clock().advance(Days(150));
            let shown = shop.dashboard(&Actor::Operator).await.unwrap();
            let soon = |span: &Ending| span.to.is_some_and(|to| to <= SOON.0);
            let counted: u64 =
                shown.ending.iter().filter(|span| soon(span)).map(|span| span.orders).sum();
            assert_eq!((counted, shown.expiring.len()), (1, 1), "{:?}", shown.ending);
        }
    }

    #[tokio::test]
    async fn limited_users_see_no_automation() {
        for shop in shops().await {
            let person = shop.person("lim@example.com", Role::Limited).await;
            let shown = shop.dashboard(&Actor::Person(person)).await.unwrap();
            assert_eq!((shown.waiting, shown.trouble.len()), (0, 0));
        }
    }

    #[test]
    fn the_spans_leave_no_day_out() {
        for (earlier, later) in SPANS.iter().zip(SPANS.iter().skip(1)) {
            assert_eq!(earlier.1.map(|to| to + 1), Some(later.0));
        }
    }
}
