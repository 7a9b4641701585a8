//! Lists as programs page through them: from any place on, until a total.

use domain::OrderNumber;
use domain::model::Serial;
use store::Tx;
use store::orders::{OrderFilter, OrderRecord, OrderSort};
use store::requests::{RequestFilter, RequestRecord};
use store::search::{NameQuery, SearchFilter};

use super::ends::{List, Row};
use super::{MAX_FOUND, ROUNDS, Wanted, check_reader, own_only, row_key, wanted};
use crate::lists::{Key, PageOf, Slice};
use crate::{Actor, Lifecycle, Result};

/// Pages of a search that are read for what a text means. A page may show few of the many names that
/// it looked at, as to somebody who sees only their own orders: some 25,000 for each.
const MOST_PAGES: usize = 3;

/// Rows of a list, and how many it has in all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// How many there are in the whole list.
    pub total: u64,
}

impl<T> Counted<T> {
    /// The total of a list that ends with these rows, the first of them at `skip`; none where it does
    /// not end, or `skip` is behind its end: then it must be counted.
    fn known_total(slice: &Slice<T>, skip: u64) -> Option<u64> {
        let ends_here = !slice.after && (skip == 0 || !slice.rows.is_empty());
        ends_here.then(|| skip + slice.rows.len() as u64)
    }
}

/// The row right before a place of a list, found by passing over all before it.
async fn row_before(tx: &mut Tx, list: &List, place: u64) -> Result<Option<Row>> {
    let number = tx.order_at(&list.filter, list.sort, list.descending, place - 1).await?;
    let Some(number) = number else { return Ok(None) };
    Ok(tx.order_record(number).await?.map(|record| row_key(list.sort, &record)))
}

impl Lifecycle {
    /// Orders from the place `skip` on.
    pub async fn orders_from(
        &self,
        actor: &Actor,
        filter: &OrderFilter,
        page: &PageOf<OrderSort>,
        skip: u64,
    ) -> Result<Counted<OrderRecord>> {
        let Wanted { filter, descending, .. } = wanted(actor, filter.clone(), page)?;
        let (list, now) = (List { filter, sort: page.sort, descending }, self.clock().now());
        let mut tx = self.store().reader().await?;
        let mut page = page.clone();
        if skip > 0 {
            page.beyond = match self.inner.ends.before(&list, skip, now) {
                Some(known) => Some(known),
                None => row_before(&mut tx, &list, skip).await?,
            };
            if page.beyond.is_none() {
                let total = tx.count_orders(&list.filter, list.sort).await?;
                return Ok(Counted { rows: Vec::new(), total });
            }
        }
        let Wanted { after, limit, .. } = wanted(actor, list.filter.clone(), &page)?;
        let rows = tx.orders_page(&list.filter, list.sort, descending, after.as_ref(), limit);
        let slice = page.slice(rows.await?);
        if let Some(end) = slice.rows.last().filter(|_| slice.after) {
            let place = skip + slice.rows.len() as u64;
            self.inner.ends.note(&list, place, row_key(list.sort, end), now);
        }
        let total = match Counted::known_total(&slice, skip) {
            Some(total) => total,
            None => tx.count_orders(&list.filter, list.sort).await?,
        };
        Ok(Counted { rows: slice.rows, total })
    }

    /// Requests from the place `skip` on.
    pub async fn requests_from(
        &self,
        actor: &Actor,
        filter: RequestFilter,
        page: &PageOf<()>,
        skip: u64,
    ) -> Result<Counted<RequestRecord>> {
        check_reader(actor)?;
        let filter = RequestFilter { requester: own_only(actor).or(filter.requester), ..filter };
        let mut tx = self.store().reader().await?;
        let mut page = page.clone();
        if let Some(before) = skip.checked_sub(1) {
            let Some(last) = tx.request_at(&filter, page.descending, before).await? else {
                let total = tx.count_requests(&filter).await?;
                return Ok(Counted { rows: Vec::new(), total });
            };
            page.beyond = Some((Key::Number(last.0), last.0));
        }
        let slice = page.slice(tx.requests_page(&filter, &page.rows()).await?);
        let total = match Counted::known_total(&slice, skip) {
            Some(total) => total,
            None => tx.count_requests(&filter).await?,
        };
        Ok(Counted { rows: slice.rows, total })
    }

    /// The order with a certificate of this serial, that the reader may see.
    pub async fn order_of_serial(
        &self,
        actor: &Actor,
        serial: &str,
    ) -> Result<Option<OrderNumber>> {
        check_reader(actor)?;
        let Some(serial) = Serial::parse(serial) else { return Ok(None) };
        let found = self.store().reader().await?.certificate_by_serial(&serial).await?;
        match found {
            Some(record) => {
                let order = self.order_of_certificate(actor, record.certificate.id).await;
                Ok(order.ok())
            }
            None => Ok(None),
        }
    }

    /// The orders that a typed text may mean: by number, serial or fingerprint, or by names that hold
    /// it. None where those are more than 1,000, or in more names than are looked through: then
    /// nobody meant them all.
    pub async fn orders_meant(
        &self,
        actor: &Actor,
        text: &str,
    ) -> Result<Option<Vec<OrderNumber>>> {
        self.meant_within(actor, text, MOST_PAGES).await
    }

    /// The same, with so many pages of a search at most.
    async fn meant_within(
        &self,
        actor: &Actor,
        text: &str,
        pages: usize,
    ) -> Result<Option<Vec<OrderNumber>>> {
        let mut numbers: Vec<OrderNumber> =
            self.find_order(actor, text).await?.into_iter().collect();
        let Some(query) = NameQuery::typed(text) else { return Ok(Some(numbers)) };
        let filter = SearchFilter { requester: own_only(actor), ..SearchFilter::default() };
        let mut after = None;
        for _ in 0..pages {
            let after_that = after.as_ref();
            let page =
                self.search_rounds(actor, &query, &filter, after_that, MAX_FOUND, ROUNDS).await?;
            numbers.extend(page.orders.iter().map(|(order, _)| order.number));
            numbers.sort_unstable();
            numbers.dedup();
            if numbers.len() > MAX_FOUND as usize {
                return Ok(None);
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(Some(numbers)),
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests;
