//! Reading orders, certificates and requests, as far as the reader may see them.

mod ends;
mod files;
pub(crate) mod find;
pub mod import;
mod places;
pub mod view;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use self::ends::Ends;
pub use self::files::{ChainLink, Download, DownloadFormat, thumbprint};
pub use self::places::Counted;
use domain::model::{
    Certificate, Order, OrderFile, OrderStatus, RevocationReason, RevocationTarget, Role, Serial,
};
use domain::rules::{
    DuplicateNames, Explanation, ReissueRequest, check_not_renewed, plan_duplicate, plan_reissue,
    plan_renew, plan_revocation,
};
use domain::{CertificateId, OrderNumber, Refusal, RequestId, Timestamp, UserId};
use store::Tx;
pub use store::certificates::CertificateRecord;
pub use store::endpoints::Installed;
pub use store::orders::{ListedOrder, OrderFilter, OrderRecord, OrderSort};
use store::orders::{OrderKey, StoredExplanation};
pub use store::requests::{RequestFilter, RequestRecord};
pub use store::search::{FoundPage, NameQuery, SearchCursor, SearchFilter};

use crate::lists::{Key, PageOf, Slice};
use crate::place::check_visible;
use crate::{Actor, Lifecycle, LifecycleError, Result, authority};

/// Most rows of one search.
const MAX_FOUND: u32 = 1_000;
/// How often a search goes on for one page.
const ROUNDS: usize = 4;
/// An order with all that its page shows.
#[derive(Debug, Clone)]
pub struct OrderDetail {
    /// The order.
    pub record: OrderRecord,
    /// The organization's name.
    pub organization: String,
    /// Its certificates, oldest first.
    pub certificates: Vec<CertificateRecord>,
    /// Where they are served now.
    pub installed: Vec<Installed>,
    /// The names of the people who asked for its certificates.
    pub people: BTreeMap<UserId, String>,
    /// The whole chain of renewals, oldest first, with this order among them.
    pub lineage: Vec<Kin>,
    /// The requests about it, newest first.
    pub requests: Vec<RequestRecord>,
    /// Why its certificates were issued as they were, newest first.
    pub explanations: Vec<Explained>,
    /// Which certificate actions there are for it.
    pub actions: Actions,
}

/// An order in a chain of renewals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kin {
    /// Its number.
    pub number: OrderNumber,
    /// Where it stands and until when it is good; none where the reader may not see the order.
    pub state: Option<(OrderStatus, Option<Timestamp>)>,
}

/// A decision of automation or of the ACME server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// When it was asked for.
    pub at: Timestamp,
    /// `acme` or `automation`.
    pub door: String,
    /// The reasons.
    pub explanation: Explanation,
}

/// "Certificate actions": each is offered, or the rules' refusal says why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actions {
    /// "Request duplicate".
    pub duplicate: std::result::Result<(), Refusal>,
    /// "Reissue certificate".
    pub reissue: std::result::Result<(), Refusal>,
    /// "Renew certificate".
    pub renew: std::result::Result<(), Refusal>,
    /// "Revoke certificate".
    pub revoke: std::result::Result<(), Refusal>,
}

impl Actions {
    /// `successor` is the order that it is marked as renewed by.
    fn of(
        file: &OrderFile,
        successor: Option<&Order>,
        issuer_not_after: Timestamp,
        now: Timestamp,
    ) -> Self {
        let reissue = plan_reissue(file, &ReissueRequest::Same, issuer_not_after, now);
        let renew = check_not_renewed(&file.order, successor)
            .and_then(|()| plan_renew(file, now).map(|_| ()));
        let revoke = plan_revocation(file, RevocationTarget::Order, RevocationReason::Unspecified);
        let duplicate = plan_duplicate(file, &DuplicateNames::Same, now)
            .and_then(|plan| plan.within(issuer_not_after));
        Self {
            duplicate: duplicate.map(|_| ()),
            reissue: reissue.map(|_| ()),
            renew,
            revoke: revoke.map(|_| ()),
        }
    }
}

/// The key of an order's row in a list, for the pages around it.
pub fn row_key(sort: OrderSort, record: &OrderRecord) -> (Key, i64) {
    list_key(sort.key(record))
}

/// The same of a row with what lists show.
pub fn listed_key(sort: OrderSort, order: &ListedOrder) -> (Key, i64) {
    list_key(sort.listed_key(order))
}

fn list_key(key: OrderKey) -> (Key, i64) {
    match key {
        OrderKey::Number(number) => (Key::Number(number.0), number.0),
        OrderKey::Time(time, number) => (Key::Number(time.0), number.0),
        OrderKey::Text(text, number) => (Key::Text(text), number.0),
    }
}

fn order_key(sort: OrderSort, key: Key, number: OrderNumber) -> OrderKey {
    match (sort, key) {
        (OrderSort::Number, _) => OrderKey::Number(number),
        (OrderSort::CommonName, Key::Text(text)) => OrderKey::Text(text, number),
        (OrderSort::CommonName, Key::Number(_)) => OrderKey::Text(String::new(), number),
        (
            OrderSort::OrderedAt | OrderSort::ValidTill | OrderSort::CertificateEnd,
            Key::Number(time),
        ) => OrderKey::Time(Timestamp(time), number),
        (OrderSort::OrderedAt | OrderSort::ValidTill | OrderSort::CertificateEnd, Key::Text(_)) => {
            OrderKey::Time(Timestamp(0), number)
        }
    }
}

/// Limited Users see what is their own.
pub(crate) fn own_only(actor: &Actor) -> Option<UserId> {
    actor.person().filter(|person| person.role == Role::Limited).map(|person| person.user.id)
}

/// Lists are for people: an ACME client sees what its own protocol shows it.
fn check_reader(actor: &Actor) -> Result<()> {
    match actor {
        Actor::Acme { .. } => Err(LifecycleError::NotFound { what: "list" }),
        _ => Ok(()),
    }
}

/// What a page of a list asks the store for.
struct Wanted {
    filter: OrderFilter,
    descending: bool,
    after: Option<OrderKey>,
    limit: u32,
}

fn wanted(actor: &Actor, filter: OrderFilter, page: &PageOf<OrderSort>) -> Result<Wanted> {
    check_reader(actor)?;
    let rows = page.rows();
    Ok(Wanted {
        filter: OrderFilter { requester: own_only(actor).or(filter.requester), ..filter },
        descending: rows.descending,
        after: rows.beyond.map(|(key, number)| order_key(page.sort, key, OrderNumber(number))),
        limit: u32::try_from(rows.limit).unwrap_or(1),
    })
}

impl Lifecycle {
    /// One page of orders.
    pub async fn orders(
        &self,
        actor: &Actor,
        filter: OrderFilter,
        page: &PageOf<OrderSort>,
    ) -> Result<Slice<OrderRecord>> {
        let Wanted { filter, descending, after, limit } = wanted(actor, filter, page)?;
        let mut tx = self.store().reader().await?;
        Ok(page.slice(tx.orders_page(&filter, page.sort, descending, after.as_ref(), limit).await?))
    }

    /// The same page with what lists show of an order.
    pub async fn listed_orders(
        &self,
        actor: &Actor,
        filter: OrderFilter,
        page: &PageOf<OrderSort>,
    ) -> Result<Slice<ListedOrder>> {
        let Wanted { filter, descending, after, limit } = wanted(actor, filter, page)?;
        let mut tx = self.store().reader().await?;
        let found =
            tx.listed_orders_page(&filter, page.sort, descending, after.as_ref(), limit).await?;
        Ok(page.slice(found))
    }

    /// Orders by a typed common name or SAN: whole, beginning, end or part of it. Where a filter drops
    /// most of what is met, the search goes on for a few rounds before a page is short.
    pub async fn search_orders(
        &self,
        actor: &Actor,
        query: &NameQuery,
        filter: SearchFilter,
        after: Option<&SearchCursor>,
        size: u32,
    ) -> Result<FoundPage> {
        let filter = SearchFilter { requester: own_only(actor).or(filter.requester), ..filter };
        let rounds = if filter == SearchFilter::default() { 1 } else { ROUNDS };
        self.search_rounds(actor, query, &filter, after, size, rounds).await
    }

    /// The same in so many rounds at most, while the page is short.
    async fn search_rounds(
        &self,
        actor: &Actor,
        query: &NameQuery,
        filter: &SearchFilter,
        after: Option<&SearchCursor>,
        size: u32,
        rounds: usize,
    ) -> Result<FoundPage> {
        check_reader(actor)?;
        let size = usize::try_from(size.clamp(1, MAX_FOUND)).unwrap_or(1);
        let mut tx = self.store().reader().await?;
        let mut page = tx.search_orders(query, filter, after, size).await?;
        for _ in 1..rounds {
            let missing = size.saturating_sub(page.orders.len());
            let Some(next) = page.next.as_ref().filter(|_| missing > 0) else { break };
            let more = tx.search_orders(query, filter, Some(next), missing).await?;
            page.orders.extend(more.orders);
            page.next = more.next;
        }
        Ok(page)
    }

    /// Names that complete a typed one: of all orders, so for those who see all.
    pub async fn suggest_names(
        &self,
        actor: &Actor,
        query: &NameQuery,
        size: usize,
    ) -> Result<Vec<String>> {
        check_reader(actor)?;
        if own_only(actor).is_some() {
            return Ok(Vec::new());
        }
        Ok(self.store().reader().await?.suggest_names(query, size).await?)
    }

    /// One order with all that its page shows.
    pub async fn order(&self, actor: &Actor, number: OrderNumber) -> Result<OrderDetail> {
        check_reader(actor)?;
        let mut tx = self.store().reader().await?;
        let record = tx.order_record(number).await?;
        let record = record.ok_or(LifecycleError::NotFound { what: "order" })?;
        check_visible(actor, &record.order)?;
        let organization = tx.organization(record.order.organization).await?;
        let certificates = tx.certificate_records_of_order(number).await?;
        let file = OrderFile {
            order: record.order.clone(),
            certificates: certificates.iter().map(|one| one.certificate.clone()).collect(),
        };
        let lineage = find::lineage(&mut tx, &record).await?;
        let successor =
            lineage.iter().find(|kin| Some(kin.order.number) == record.order.renewed_by);
        let successor = successor.map(|kin| &kin.order);
        let askers = certificates.iter().filter_map(|one| one.requester).collect();
        let stored = tx.explanations_of_order(number).await?;
        Ok(OrderDetail {
            explanations: stored.into_iter().filter_map(explained).collect(),
            actions: Actions::of(&file, successor, self.issuer_end(), self.clock().now()),
            organization: organization.map(|found| found.name).unwrap_or_default(),
            people: names_of(&mut tx, askers).await?,
            certificates,
            installed: tx.installed(number).await?,
            lineage: kin(actor, &lineage),
            requests: tx.requests_of_order(number).await?,
            record,
        })
    }

    /// The issuer's end, which no certificate outlives; far off where this process can't issue.
    pub(crate) fn issuer_end(&self) -> Timestamp {
        self.issuer().map_or(Timestamp(i64::MAX), crate::Issuer::not_after)
    }

    /// The issuer's end, also where this process can't issue and another one of this database does.
    pub(crate) async fn issuer_end_in(&self, tx: &mut Tx) -> Result<Timestamp> {
        match self.issuer() {
            Ok(issuer) => Ok(issuer.not_after()),
            Err(_) => Ok(authority::end(tx).await?.unwrap_or(Timestamp(i64::MAX))),
        }
    }

    /// The order that a person means by a number, a serial or a SHA-256 fingerprint, of any of
    /// its certificates; none where there is no such order.
    pub async fn find_order(&self, actor: &Actor, text: &str) -> Result<Option<OrderNumber>> {
        check_reader(actor)?;
        let mut tx = self.store().reader().await?;
        for number in meant(&mut tx, text.trim()).await? {
            if let Some(order) = tx.order(number).await?
                && check_visible(actor, &order).is_ok()
            {
                return Ok(Some(number));
            }
        }
        Ok(None)
    }

    /// One page of requests, by id.
    pub async fn requests(
        &self,
        actor: &Actor,
        filter: RequestFilter,
        page: &PageOf<()>,
    ) -> Result<Slice<RequestRecord>> {
        check_reader(actor)?;
        let filter = RequestFilter { requester: own_only(actor).or(filter.requester), ..filter };
        let found = self.store().reader().await?.requests_page(&filter, &page.rows()).await?;
        Ok(page.slice(found))
    }

    /// One request.
    pub async fn request(&self, actor: &Actor, id: RequestId) -> Result<RequestRecord> {
        check_reader(actor)?;
        let record = self.store().reader().await?.request(id).await?;
        let own = own_only(actor);
        record
            .filter(|record| own.is_none() || record.request.requester == own)
            .ok_or(LifecycleError::NotFound { what: "request" })
    }

    /// The primary certificates of those of these orders that the reader may see and that have one.
    pub async fn primary_certificates(
        &self,
        actor: &Actor,
        orders: &[OrderNumber],
    ) -> Result<BTreeMap<OrderNumber, Certificate>> {
        check_reader(actor)?;
        let files = self.store().reader().await?.order_files(orders).await?;
        let seen = files.iter().filter(|file| check_visible(actor, &file.order).is_ok());
        Ok(seen.filter_map(|file| Some((file.number(), file.primary()?.clone()))).collect())
    }

    /// The order of a certificate that the reader may see.
    pub async fn order_of_certificate(
        &self,
        actor: &Actor,
        id: CertificateId,
    ) -> Result<OrderNumber> {
        check_reader(actor)?;
        let mut tx = self.store().reader().await?;
        let missing = || LifecycleError::NotFound { what: "certificate" };
        let record = tx.certificate(id).await?.ok_or_else(missing)?;
        let order = tx.order(record.certificate.order).await?.ok_or_else(missing)?;
        check_visible(actor, &order).map_err(|_| missing())?;
        Ok(order.number)
    }
}

async fn names_of(tx: &mut Tx, ids: BTreeSet<UserId>) -> Result<BTreeMap<UserId, String>> {
    let mut names = BTreeMap::new();
    for id in ids {
        names.extend(tx.account(id).await?.map(|account| (id, account.user.name)));
    }
    Ok(names)
}

fn kin(actor: &Actor, line: &[OrderRecord]) -> Vec<Kin> {
    let state = |record: &OrderRecord| (record.order.status, record.valid_till);
    line.iter()
        .map(|record| Kin {
            number: record.order.number,
            state: check_visible(actor, &record.order).is_ok().then(|| state(record)),
        })
        .collect()
}

fn explained(stored: StoredExplanation) -> Option<Explained> {
    let explanation = serde_json::from_str(&stored.explanation).ok()?;
    Some(Explained { at: Timestamp(stored.created_at), door: stored.door, explanation })
}

/// What the text may name: 12345 is an order's number, and may be a serial's digits as well. Serial
/// and fingerprint may be as openssl prints them, with their label: `serial=0A1B…`.
async fn meant(tx: &mut Tx, text: &str) -> Result<Vec<OrderNumber>> {
    let text = text.rsplit_once('=').map_or(text, |(_, value)| value.trim());
    let mut numbers: Vec<OrderNumber> = text.parse().ok().into_iter().collect();
    if let Some(serial) = Serial::parse(text) {
        let found = tx.certificate_by_serial(&serial).await?;
        numbers.extend(found.map(|record| record.certificate.order));
    }
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    if digits.len() == 64 {
        let found = tx.certificate_by_fingerprint(&digits.to_ascii_lowercase()).await?;
        numbers.extend(found.map(|record| record.certificate.order));
    }
    Ok(numbers)
}

#[cfg(test)]
mod tests;
