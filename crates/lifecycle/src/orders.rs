//! Reading orders, certificates and requests, as far as the reader may see them.

pub(crate) mod find;
pub mod import;
pub mod view;

use ca::bundle::{self, Depth};
use domain::model::{Role, Serial};
use domain::{CertificateId, OrderNumber, RequestId};
use store::Tx;
use store::certificates::CertificateRecord;
use store::orders::{OrderFilter, OrderKey, OrderRecord, OrderSort};
use store::requests::{RequestFilter, RequestRecord};
use store::search::{FoundPage, NameQuery, SearchCursor, SearchFilter};

use crate::authority::failed;
use crate::place::check_visible;
use crate::{Actor, Lifecycle, LifecycleError, Result};

/// Most rows on one page, or in one piece of an export.
pub const MAX_PAGE: u32 = 1_000;

/// An order with all that its page shows.
#[derive(Debug, Clone)]
pub struct OrderDetail {
    /// The order.
    pub record: OrderRecord,
    /// The organization's name.
    pub organization: String,
    /// Its certificates, oldest first.
    pub certificates: Vec<CertificateRecord>,
    /// The whole chain of renewals, oldest first, with this order among them.
    pub lineage: Vec<OrderNumber>,
    /// The requests about it, newest first.
    pub requests: Vec<RequestRecord>,
}

/// In what form a certificate is downloaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DownloadFormat {
    /// The certificate alone, PEM.
    Leaf,
    /// With the intermediates, PEM.
    Chain,
    /// With the root as well, PEM.
    ChainAndRoot,
    /// PKCS#7 in PEM (`.p7b`).
    Pkcs7,
}

/// A file to be downloaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Download {
    /// Its name.
    pub file_name: String,
    /// Its media type.
    pub content_type: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl std::str::FromStr for DownloadFormat {
    type Err = LifecycleError;
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "leaf" => Ok(Self::Leaf),
            "chain" => Ok(Self::Chain),
            "full" => Ok(Self::ChainAndRoot),
            "pkcs7" => Ok(Self::Pkcs7),
            _ => Err(LifecycleError::field("format", "Choose leaf, chain, full or pkcs7.")),
        }
    }
}

/// Limited Users see what is their own.
fn own_only(actor: &Actor) -> Option<domain::UserId> {
    actor.person().filter(|person| person.role == Role::Limited).map(|person| person.user.id)
}

/// Lists are for people: an ACME client sees what its own protocol shows it.
fn check_reader(actor: &Actor) -> Result<()> {
    match actor {
        Actor::Acme { .. } => Err(LifecycleError::NotFound { what: "list" }),
        _ => Ok(()),
    }
}

impl Lifecycle {
    /// One page of orders and where the next one begins.
    pub async fn orders(
        &self,
        actor: &Actor,
        filter: OrderFilter,
        sort: OrderSort,
        descending: bool,
        after: Option<&OrderKey>,
        size: u32,
    ) -> Result<(Vec<OrderRecord>, Option<OrderKey>)> {
        check_reader(actor)?;
        let filter = OrderFilter { requester: own_only(actor).or(filter.requester), ..filter };
        let size = size.clamp(1, MAX_PAGE);
        let mut tx = self.store().reader().await?;
        let mut rows = tx.orders_page(&filter, sort, descending, after, size + 1).await?;
        let kept = usize::try_from(size).unwrap_or(usize::MAX);
        let more = rows.len() > kept;
        rows.truncate(kept);
        let next = rows.last().filter(|_| more).map(|last| sort.key(last));
        Ok((rows, next))
    }

    /// Orders by a typed common name or SAN: whole, beginning, end or part of it.
    pub async fn search_orders(
        &self,
        actor: &Actor,
        query: &NameQuery,
        filter: SearchFilter,
        after: Option<&SearchCursor>,
        size: u32,
    ) -> Result<FoundPage> {
        check_reader(actor)?;
        let filter = SearchFilter { requester: own_only(actor).or(filter.requester), ..filter };
        let size = usize::try_from(size.clamp(1, MAX_PAGE)).unwrap_or(1);
        Ok(self.store().reader().await?.search_orders(query, &filter, after, size).await?)
    }

    /// One order with all that its page shows.
    pub async fn order(&self, actor: &Actor, number: OrderNumber) -> Result<OrderDetail> {
        check_reader(actor)?;
        let mut tx = self.store().reader().await?;
        let record = tx.order_record(number).await?;
        let record = record.ok_or(LifecycleError::NotFound { what: "order" })?;
        check_visible(actor, &record.order)?;
        let organization = tx.organization(record.order.organization).await?;
        Ok(OrderDetail {
            organization: organization.map(|found| found.name).unwrap_or_default(),
            certificates: tx.certificate_records_of_order(number).await?,
            lineage: find::lineage(&mut tx, &record.order).await?,
            requests: tx.requests_of_order(number).await?,
            record,
        })
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

    /// One page of requests, newest first, and where the next one begins.
    pub async fn requests(
        &self,
        actor: &Actor,
        filter: RequestFilter,
        before: Option<RequestId>,
        size: u32,
    ) -> Result<(Vec<RequestRecord>, Option<RequestId>)> {
        check_reader(actor)?;
        let filter = RequestFilter { requester: own_only(actor).or(filter.requester), ..filter };
        let size = size.clamp(1, MAX_PAGE);
        let mut rows =
            self.store().reader().await?.requests_page(&filter, before, size + 1).await?;
        let kept = usize::try_from(size).unwrap_or(usize::MAX);
        let more = rows.len() > kept;
        rows.truncate(kept);
        let next = rows.last().filter(|_| more).map(|last| last.request.id);
        Ok((rows, next))
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

    /// A certificate as a file.
    pub async fn download(
        &self,
        actor: &Actor,
        id: CertificateId,
        format: DownloadFormat,
    ) -> Result<Download> {
        check_reader(actor)?;
        let mut tx = self.store().reader().await?;
        let missing = || LifecycleError::NotFound { what: "certificate" };
        let record = tx.certificate(id).await?.ok_or_else(missing)?;
        let order = tx.order(record.certificate.order).await?.ok_or_else(missing)?;
        check_visible(actor, &order)?;
        drop(tx);
        let pem = record.pem.ok_or(LifecycleError::NotFound { what: "certificate text" })?;
        let authority = self.issuer()?.authority();
        let name = record.certificate.common_name.as_str().replace('*', "star");
        let pem_of = |depth| bundle::pem(&pem, authority, depth).into_bytes();
        let (bytes, ending, content_type) = match format {
            DownloadFormat::Leaf => (pem_of(Depth::Leaf), ".pem", "application/x-pem-file"),
            DownloadFormat::Chain => (pem_of(Depth::Chain), "-chain.pem", "application/x-pem-file"),
            DownloadFormat::ChainAndRoot => {
                (pem_of(Depth::ChainAndRoot), "-full.pem", "application/x-pem-file")
            }
            DownloadFormat::Pkcs7 => {
                let text = bundle::pkcs7_pem(&pem, authority).map_err(failed)?;
                (text.into_bytes(), ".p7b", "application/x-pkcs7-certificates")
            }
        };
        Ok(Download { file_name: format!("{name}{ending}"), content_type, bytes })
    }
}

/// What the text may name: 12345 is an order's number, and may be a serial's digits as well.
async fn meant(tx: &mut Tx, text: &str) -> Result<Vec<OrderNumber>> {
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
