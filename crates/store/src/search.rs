//! Search by typed-in names: orders whose common name or SAN is, begins with, ends with or holds
//! what was typed.
//!
//! Every kind of search walks an index in the order in which it answers, and looks at a bounded
//! number of names for one page: no search reads or counts the whole table.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::str::FromStr;

use domain::model::{OrderStatus, Origin};
use domain::{DnsName, OrderNumber, OrganizationId, ProductId, UserId};
use sqlx::{AssertSqlSafe, QueryBuilder};

use crate::orders::{OrderRecord, OrderRow};
use crate::value::backwards;
use crate::{StoreError, Tx, on};

/// The longest text that is searched for: no name is longer.
pub const LONGEST_TEXT: usize = 253;

/// Trigrams need three characters.
const SHORTEST_SUBSTRING: usize = 3;

/// Names that one step reads, and steps of one page: a filter that drops almost everything ends
/// with a short page and a cursor, not with a scan.
const STEP: usize = 500;
const STEPS: usize = 12;

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
    /// beginning, `"www.example.com"` or `*.example.com` for the very name, all else for names
    /// that hold the text. Shorter texts than three characters look for the beginning. None where
    /// no name can match.
    pub fn typed(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(quoted) = text.strip_prefix('"') {
            let name = DnsName::parse(quoted.trim_end_matches('"')).ok()?;
            return Some(Self::Exact(name.into()));
        }
        let text = ascii(text)?;
        if text.starts_with("*.") && DnsName::parse(&text).is_ok() {
            return Some(Self::Exact(text));
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
        if text.is_ascii() { text.to_ascii_lowercase() } else { DnsName::parse(text).ok()?.into() };
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'*');
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

#[derive(sqlx::FromRow)]
struct Hit {
    id: i64,
    order_number: i64,
    name: String,
}

/// One condition on a name: a column of `order_names`, an operator, a text.
type Condition = (&'static str, &'static str, String);

impl NameQuery {
    fn conditions(&self) -> Vec<Condition> {
        let range = |column, start: String| {
            // Names are ASCII without control characters.
            let end = format!("{start}\u{7f}");
            vec![(column, ">=", start), (column, "<", end)]
        };
        match self {
            Self::Exact(name) => vec![("name", "=", name.clone())],
            Self::Prefix(prefix) => range("name", prefix.clone()),
            Self::Suffix(suffix) => range("reversed", backwards(suffix)),
            Self::Substring(text) => vec![("name", "LIKE", format!("%{text}%"))],
        }
    }

    /// The text that the answer is sorted by; none for latest first.
    const fn sorted_by(&self) -> Option<&'static str> {
        match self {
            Self::Exact(_) | Self::Substring(_) => None,
            Self::Prefix(_) => Some("name"),
            Self::Suffix(_) => Some("reversed"),
        }
    }

    fn cursor(&self, hit: &Hit) -> SearchCursor {
        let text = match self {
            Self::Exact(_) | Self::Substring(_) => String::new(),
            Self::Prefix(_) => hit.name.clone(),
            Self::Suffix(_) => backwards(&hit.name),
        };
        SearchCursor { text, id: hit.id }
    }

    /// The statement that walks the names after a position, with its texts. `$1` is the position's
    /// id. An order with several matching names is met once, at the first of them.
    fn statement(
        &self,
        trigram_table: bool,
        after: Option<&SearchCursor>,
        step: usize,
    ) -> (String, Vec<String>) {
        let conditions = self.conditions();
        let test = |alias: &str, conditions: &[Condition]| {
            let tests = conditions.iter().enumerate();
            tests
                .map(|(at, (column, op, _))| format!("{alias}.{column} {op} ${}", at + 2))
                .collect::<Vec<_>>()
                .join(" AND ")
        };
        let substring = matches!(self, Self::Substring(_));
        let mut sql = String::from("SELECT n.id, n.order_number, n.name FROM ");
        // SQLite's trigram index is a table of its own, which can be walked backwards.
        let (walked, id) = if substring && trigram_table {
            sql.push_str("order_names_fts f CROSS JOIN order_names n ON n.id = f.rowid WHERE ");
            ("f", "f.rowid")
        } else {
            sql.push_str("order_names n WHERE ");
            ("n", "n.id")
        };
        sql.push_str(&test(walked, &conditions));
        let mut texts: Vec<String> = conditions.iter().map(|(_, _, text)| text.clone()).collect();
        let (earlier, order) = match self.sorted_by() {
            None => {
                let _ = write!(sql, " AND {id} < $1");
                ("m.id > n.id".to_owned(), format!("{id} DESC"))
            }
            Some(column) => {
                texts.push(after.map_or_else(String::new, |after| after.text.clone()));
                let _ = write!(sql, " AND (n.{column}, n.id) > (${}, $1)", texts.len() + 1);
                (format!("(m.{column}, m.id) < (n.{column}, n.id)"), format!("n.{column}, n.id"))
            }
        };
        if !matches!(self, Self::Exact(_)) {
            let same = test("m", &conditions);
            let _ = write!(
                sql,
                " AND NOT EXISTS (SELECT 1 FROM order_names m \
                 WHERE m.order_number = n.order_number AND {same} AND {earlier})"
            );
        }
        let _ = write!(sql, " ORDER BY {order} LIMIT {step}");
        (sql, texts)
    }
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
        let mut orders = Vec::new();
        let mut cursor = after.cloned();
        // Without a filter each name that is met gives an order.
        let step = if *filter == SearchFilter::default() { limit.min(STEP) + 1 } else { STEP };
        for _ in 0..STEPS {
            let hits = self.name_hits(query, cursor.as_ref(), step).await?;
            let exhausted = hits.len() < step;
            let mut records = self.filtered_orders(&hits, filter).await?;
            for hit in hits {
                if let Some(record) = records.remove(&hit.order_number) {
                    if orders.len() == limit {
                        return Ok(FoundPage { orders, next: cursor });
                    }
                    orders.push((record, hit.name.clone()));
                }
                cursor = Some(query.cursor(&hit));
            }
            if exhausted {
                return Ok(FoundPage { orders, next: None });
            }
        }
        Ok(FoundPage { orders, next: cursor })
    }

    async fn name_hits(
        &mut self,
        query: &NameQuery,
        after: Option<&SearchCursor>,
        step: usize,
    ) -> Result<Vec<Hit>, StoreError> {
        let (sql, texts) = query.statement(!self.is_postgres(), after, step);
        let beginning = if query.sorted_by().is_some() { 0 } else { i64::MAX };
        let id = after.map_or(beginning, |after| after.id);
        Ok(on!(self, |conn| {
            // Planned for this very text: how many names match decides which index is best.
            let mut statement = sqlx::query_as(AssertSqlSafe(sql)).persistent(false).bind(id);
            for text in texts {
                statement = statement.bind(text);
            }
            statement.fetch_all(&mut *conn).await?
        }))
    }

    async fn filtered_orders(
        &mut self,
        hits: &[Hit],
        filter: &SearchFilter,
    ) -> Result<BTreeMap<i64, OrderRecord>, StoreError> {
        if hits.is_empty() {
            return Ok(BTreeMap::new());
        }
        let rows: Vec<OrderRow> = on!(self, |conn| {
            let mut sql = QueryBuilder::new("SELECT * FROM orders WHERE number IN (");
            let mut numbers = sql.separated(", ");
            for hit in hits {
                numbers.push_bind(hit.order_number);
            }
            sql.push(")");
            if let Some(organization) = filter.organization {
                sql.push(" AND organization_id = ").push_bind(organization.0);
            }
            if let Some(product) = &filter.product {
                sql.push(" AND product_id = ").push_bind(product.0.clone());
            }
            if let Some(status) = filter.status {
                sql.push(" AND status = ").push_bind(status.as_str());
            }
            if let Some(origin) = filter.origin {
                sql.push(" AND origin = ").push_bind(origin.as_str());
            }
            if let Some(requester) = filter.requester {
                sql.push(" AND requester_id = ").push_bind(requester.0);
            }
            sql.build_query_as().persistent(false).fetch_all(&mut *conn).await?
        });
        let records = rows.into_iter().map(|row| {
            let record = OrderRecord::try_from(row)?;
            Ok((record.order.number.0, record))
        });
        records.collect()
    }
}

#[cfg(test)]
mod tests;
