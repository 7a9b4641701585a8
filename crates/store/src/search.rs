//! Search by typed-in names: orders whose common name or SAN is, begins with, ends with or holds
//! what was typed.
//!
//! A search goes one or more ways, one after the other: what is most likely meant comes first. Each
//! walks an index in the order in which it answers, and looks at a bounded number of names for one
//! page: no search reads or counts the whole table.

use std::str::FromStr;

use domain::model::{OrderStatus, Origin};
use domain::{AcmeUrlId, Name, OrderNumber, OrganizationId, ProductId, Timestamp, UserId};
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, FromRow};

use self::found::Found;
use self::trigrams::Lookup;
use self::walk::{Each, Names, Statement, Walk};
use self::windows::MOST_WINDOWS;
use crate::one_text::{self, OfValues as _};
use crate::orders::ListedOrder;
use crate::{StoreError, Tx, on};

mod found;
mod suggest;
mod trigrams;
mod walk;
mod windows;

pub(crate) use trigrams::Trigrams;

/// The longest text that is searched for: no name is longer.
pub const LONGEST_TEXT: usize = 253;

/// Orders of one page.
const LONGEST_PAGE: usize = 1000;

/// Trigrams need three characters.
const SHORTEST_SUBSTRING: usize = 3;

/// Names that are looked at for one page with a filter, or where orders have many such names: what
/// drops almost everything ends with a short page and a cursor, not with a scan.
const FILTERED: usize = 6200;

/// The same of orders, which have some three names each.
const FILTERED_ORDERS: usize = 2000;

/// Orders of SQLite's trigram index that may hold a text and are looked at for one page.
const LOOKED_AT: usize = 1300;

/// The same where they are read one beside the other: the latest of all orders, or what
/// PostgreSQL's index gives in all windows together.
const LOOKED_AT_TOGETHER: usize = 5000;

/// How many names or orders are looked at for a page on which so many orders are wanted; none where
/// each name that is met counts as one.
fn bound(walk: Walk, lookup: &Lookup, filter: &SearchFilter, each: Each) -> Option<usize> {
    match (walk, lookup) {
        (Walk::Inside, _) if *filter != SearchFilter::default() => Some(FILTERED_ORDERS),
        (Walk::Inside, Lookup::Fts(_)) => Some(LOOKED_AT),
        (Walk::Inside, Lookup::Gin(..)) => Some(LOOKED_AT_TOGETHER / MOST_WINDOWS),
        (Walk::Inside, Lookup::Latest) => Some(LOOKED_AT_TOGETHER),
        _ if *filter != SearchFilter::default() || each == Each::Order => Some(FILTERED),
        (Walk::Whole | Walk::Beginning | Walk::End, _) => None,
    }
}

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
    /// Only through this ACME Directory URL.
    pub acme_url: Option<AcmeUrlId>,
    /// Only with (or without) duplicates.
    pub has_duplicates: Option<bool>,
    /// Only renewed (or not renewed) ones.
    pub renewed: Option<bool>,
    /// Whose primary certificate ends at this moment or later.
    pub ends_from: Option<Timestamp>,
    /// Whose primary certificate ends at this moment or before.
    pub ends_until: Option<Timestamp>,
    /// Valid until this moment or before.
    pub valid_until: Option<Timestamp>,
    /// The order with this number.
    pub number: Option<OrderNumber>,
}

/// Where the next page begins. Opaque: its text goes into a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchCursor {
    /// Which of the search's walks.
    walk: usize,
    id: i64,
    text: String,
}

impl SearchCursor {
    fn beginning_of(walk: usize) -> Self {
        Self { walk, id: i64::MAX, text: String::new() }
    }
}

impl std::fmt::Display for SearchCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}~{}~{}", self.walk, self.id, self.text)
    }
}

impl FromStr for SearchCursor {
    type Err = StoreError;
    fn from_str(text: &str) -> Result<Self, StoreError> {
        let mut parts = text.splitn(3, '~');
        let mut part =
            || parts.next().ok_or_else(|| StoreError::corrupt("a search link's position"));
        let bad = |_| StoreError::corrupt("a search link's position");
        Ok(Self {
            walk: part()?.parse().map_err(bad)?,
            id: part()?.parse().map_err(bad)?,
            text: part()?.chars().take(LONGEST_TEXT).collect(),
        })
    }
}

/// One page of found orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundPage {
    /// The orders, each with the name that matched: those with this very name first, latest first;
    /// then those with a name that begins so (or ends so, for [`NameQuery::Suffix`]), by name; then
    /// those with a name that holds the text, latest first. May be fewer than asked for although
    /// there are more, where most of what was looked at is not shown.
    pub orders: Vec<(ListedOrder, String)>,
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
        if let Some(number) = filter.number {
            let found = self.found(query.within(number, filter), 0).await?;
            let orders = found.into_iter().map(|one| one.named(Walk::Whole, query.text()));
            return Ok(FoundPage { orders: orders.collect::<Result<_, _>>()?, next: None });
        }
        let mut orders = Vec::new();
        let beginning = SearchCursor::beginning_of(0);
        let next =
            self.walk_on(query, filter, after.unwrap_or(&beginning), limit, &mut orders).await?;
        Ok(FoundPage { orders, next })
    }

    /// Finds at most `limit` orders, and where to go on.
    async fn walk_on(
        &mut self,
        query: &NameQuery,
        filter: &SearchFilter,
        after: &SearchCursor,
        limit: usize,
        orders: &mut Vec<(ListedOrder, String)>,
    ) -> Result<Option<SearchCursor>, StoreError> {
        let mut at = after.clone();
        let text = query.text();
        // Few orders have two names that begin so, and whether one has is seen when it is read. Only
        // where that leaves the page short the index is asked for each name.
        let mut each = Each::Name;
        // With a filter one window, the largest, has all that is looked at.
        let filtered = *filter != SearchFilter::default();
        let mut looked = if filtered { MOST_WINDOWS - 1 } else { 0 };
        while let Some(&walk) = query.walks().get(at.walk) {
            let lookup = match walk {
                Walk::Inside => self.lookup(text, at.id, looked).await?,
                Walk::Whole | Walk::Beginning | Walk::End => Lookup::Latest,
            };
            // One more, to know whether there is another page.
            let wanted = limit.saturating_sub(orders.len()) + 1;
            let bound = bound(walk, &lookup, filter, each);
            let names = Names { walk, text, after: &at, lookup: &lookup, each };
            let mut found = self.found(names.hits(filter, bound, wanted), at.id).await?;
            found.sort_by_cached_key(|one| walk.place(one, text));
            let ended = found.last().filter(|one| one.last).map(|one| walk.behind(&at, &one.hit));
            found.retain(|one| one.matches);
            let full = found.len() == wanted;
            let mut last = None;
            for one in found {
                let met = one.was_met(walk, text)?;
                if !met && orders.len() == limit {
                    return Ok(Some(last.unwrap_or(at)));
                }
                last = Some(walk.behind(&at, &one.hit));
                if !met {
                    orders.push(one.named(walk, text)?);
                }
            }
            if ended.is_some() {
                return Ok(ended);
            }
            (at, each) = match (last, lookup.behind()) {
                (Some(last), _) if full => (last, Each::Order),
                (_, Some(id)) => {
                    looked += 1;
                    (SearchCursor { id, ..at }, Each::Name)
                }
                _ => (SearchCursor::beginning_of(at.walk + 1), Each::Name),
            };
            if looked == MOST_WINDOWS {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    /// Orders with the names that were hit.
    async fn found(&mut self, statement: Statement, id: i64) -> Result<Vec<Found>, StoreError> {
        let sql = Found::columns().select(&format!(
            "FROM ({}) n CROSS JOIN orders WHERE orders.number = n.order_number",
            statement.sql
        ));
        one_text::rows(self.rows(Statement { sql, ..statement }, id).await?)
    }

    async fn rows<R>(&mut self, statement: Statement, id: i64) -> Result<Vec<R>, StoreError>
    where
        R: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        Ok(on!(self, |conn| {
            let mut query = sqlx::query_as(AssertSqlSafe(statement.sql)).bind(id);
            for text in statement.texts {
                query = query.bind(text);
            }
            query.fetch_all(&mut *conn).await?
        }))
    }
}

#[cfg(test)]
mod tests;
