//! Search by typed-in names: orders whose common name or SAN is, begins with, ends with or holds
//! what was typed.
//!
//! Every kind of search walks an index in the order in which it answers, and looks at a bounded
//! number of names for one page: no search reads or counts the whole table.

use std::collections::BTreeMap;
use std::str::FromStr;

use domain::model::{OrderStatus, Origin};
use domain::{Name, OrganizationId, ProductId, UserId};
use sqlx::{AssertSqlSafe, QueryBuilder};

use self::walk::Hit;
use crate::orders::{OrderRecord, OrderRow};
use crate::{StoreError, Tx, on};

mod trigrams;
mod walk;

/// The longest text that is searched for: no name is longer.
pub const LONGEST_TEXT: usize = 253;

/// Orders of one page.
const LONGEST_PAGE: usize = 1000;

/// Trigrams need three characters.
const SHORTEST_SUBSTRING: usize = 3;

/// Names that the steps of one filtered page read: a filter that drops almost everything ends with
/// a short page and a cursor, not with a scan.
const STEPS: [usize; 4] = [400, 1200, 1600, 3000];

/// What is looked for in the names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameQuery {
    /// This very name.
    Exact(String),
    /// Names that begin so.
    Prefix(String),
    /// Names that end so.
    Suffix(String),
    /// Names that hold this.
    Substring(String),
}

impl NameQuery {
    /// Reads what a person typed: `.example.com` looks for the end, `www.` or `www*` for the
    /// beginning, `"www.example.com"`, `*.example.com` or a whole IP address for the very name,
    /// all else for names that hold the text. Shorter texts than three characters look for the beginning. None where
    /// no name can match.
    pub fn typed(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(quoted) = text.strip_prefix('"') {
            let name = Name::parse(quoted.trim_end_matches('"')).ok()?;
            return Some(Self::Exact(name.into()));
        }
        let text = ascii(text)?;
        match Name::parse(&text) {
            Ok(Name::Ip(address)) => return Some(Self::Exact(address.as_str().to_owned())),
            Ok(Name::Dns(name)) if name.is_wildcard() => return Some(Self::Exact(name.into())),
            _ => {}
        }
        if text.starts_with('.') && text.len() > 1 && !text.contains('*') {
            return Some(Self::Suffix(text));
        }
        if let Some(prefix) = text.strip_suffix('*').filter(|prefix| !prefix.is_empty()) {
            return Some(Self::Prefix(prefix.to_owned()));
        }
        if text.ends_with('.') || text.len() < SHORTEST_SUBSTRING {
            return Some(Self::Prefix(text));
        }
        Some(Self::Substring(text))
    }
}

/// Lower-case, in A-labels where it is a whole name, and nothing that names don't have.
fn ascii(text: &str) -> Option<String> {
    let text =
        if text.is_ascii() { text.to_ascii_lowercase() } else { Name::parse(text).ok()?.into() };
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'*' | b':');
    let usable = !text.is_empty() && text.len() <= LONGEST_TEXT && text.bytes().all(fits);
    usable.then_some(text)
}

/// Which of the found orders are shown; none does not filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchFilter {
    /// Only of this organization.
    pub organization: Option<OrganizationId>,
    /// Only of this product.
    pub product: Option<ProductId>,
    /// Only in this state.
    pub status: Option<OrderStatus>,
    /// Only through this door.
    pub origin: Option<Origin>,
    /// Only asked for by this person.
    pub requester: Option<UserId>,
}

/// Where the next page begins. Opaque: its text goes into a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchCursor {
    text: String,
    id: i64,
}

impl std::fmt::Display for SearchCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}~{}", self.id, self.text)
    }
}

impl FromStr for SearchCursor {
    type Err = StoreError;
    fn from_str(text: &str) -> Result<Self, StoreError> {
        let parts = text.split_once('~').and_then(|(id, text)| Some((id.parse().ok()?, text)));
        let (id, text) = parts.ok_or_else(|| StoreError::corrupt("a search link's position"))?;
        Ok(Self { id, text: text.chars().take(LONGEST_TEXT).collect() })
    }
}

/// One page of found orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundPage {
    /// The orders, each with the name that matched: by name for [`NameQuery::Prefix`] and
    /// [`NameQuery::Suffix`], else latest first. May be fewer than asked for although there are
    /// more, where a filter drops most of what matches.
    pub orders: Vec<(OrderRecord, String)>,
    /// Where to go on; none at the end.
    pub next: Option<SearchCursor>,
}

impl Tx {
    /// Orders with a name that matches `query`, each order once, at most `limit`.
    pub async fn search_orders(
        &mut self,
        query: &NameQuery,
        filter: &SearchFilter,
        after: Option<&SearchCursor>,
        limit: usize,
    ) -> Result<FoundPage, StoreError> {
        let limit = limit.min(LONGEST_PAGE);
        let mut found: Vec<Hit> = Vec::new();
        let mut next = after.cloned();
        let trigrams = match query {
            NameQuery::Substring(text) => self.rarest_trigrams(text).await?,
            _ => None,
        };
        // Without a filter each name that is met gives an order.
        let one = [limit + 1];
        let steps = if *filter == SearchFilter::default() { &one[..] } else { &STEPS[..] };
        'page: for &step in steps {
            let hits =
                self.name_hits(query, filter, trigrams.as_deref(), next.as_ref(), step).await?;
            let exhausted = hits.len() < step;
            for hit in hits {
                if hit.shown && found.len() == limit {
                    break 'page;
                }
                next = Some(query.cursor(&hit));
                if hit.shown {
                    found.push(hit);
                }
            }
            if exhausted {
                next = None;
                break;
            }
        }
        Ok(FoundPage { orders: self.orders_of(found).await?, next })
    }

    async fn name_hits(
        &mut self,
        query: &NameQuery,
        filter: &SearchFilter,
        trigrams: Option<&str>,
        after: Option<&SearchCursor>,
        step: usize,
    ) -> Result<Vec<Hit>, StoreError> {
        let (walk, mut texts) = query.walk(trigrams, after, step);
        let kept = !self.is_postgres();
        let order = match query.sorted_by() {
            Some(column) => format!("n.{column}, n.id"),
            None => "n.id DESC".to_owned(),
        };
        let sql = filter.judge(&walk, &order, &mut texts);
        let beginning = if query.sorted_by().is_some() { 0 } else { i64::MAX };
        let id = after.map_or(beginning, |after| after.id);
        Ok(on!(self, |conn| {
            // PostgreSQL plans for this very text: how many names match decides which index is
            // best. SQLite has one way for each kind of search.
            let mut statement = sqlx::query_as(AssertSqlSafe(sql)).persistent(kept).bind(id);
            for text in texts {
                statement = statement.bind(text);
            }
            statement.fetch_all(&mut *conn).await?
        }))
    }

    async fn orders_of(
        &mut self,
        hits: Vec<Hit>,
    ) -> Result<Vec<(OrderRecord, String)>, StoreError> {
        if hits.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<OrderRow> = on!(self, |conn| {
            let mut sql = QueryBuilder::new("SELECT * FROM orders WHERE number IN (");
            let mut numbers = sql.separated(", ");
            for hit in &hits {
                numbers.push_bind(hit.order_number);
            }
            sql.push(")");
            sql.build_query_as().persistent(false).fetch_all(&mut *conn).await?
        });
        let mut records = BTreeMap::new();
        for row in rows {
            let record = OrderRecord::try_from(row)?;
            records.insert(record.order.number.0, record);
        }
        let found = hits.into_iter();
        Ok(found.filter_map(|hit| Some((records.remove(&hit.order_number)?, hit.name))).collect())
    }
}

#[cfg(test)]
mod tests;
