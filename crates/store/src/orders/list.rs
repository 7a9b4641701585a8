//! One page of orders: filters, sort and keyset, without counting or scanning.

use domain::model::{OrderStatus, Origin};
use domain::time::DAY;
use domain::{AcmeUrlId, Name, OrderNumber, OrganizationId, ProductId, Timestamp, UserId};
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, QueryBuilder};

use self::walk::{Column, Day, Walk};
use super::{OrderRecord, OrderRow};
use crate::one_text::Columns;
use crate::value::reversed;
use crate::{StoreError, Tx, on};

mod walk;

/// Which orders a list shows; what is none or empty does not filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderFilter {
    /// Only in this state.
    pub status: Option<OrderStatus>,
    /// Only of this product.
    pub product: Option<ProductId>,
    /// Only of this organization.
    pub organization: Option<OrganizationId>,
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
    /// Good until at least this moment.
    pub valid_from: Option<Timestamp>,
    /// Not good any more after this moment.
    pub valid_until: Option<Timestamp>,
    /// Whose primary certificate ends at this moment or later: of a multi-year plan that is
    /// another than the plan's end.
    pub ends_from: Option<Timestamp>,
    /// Whose primary certificate ends at this moment or before.
    pub ends_until: Option<Timestamp>,
    /// Only multi-year plans (or none).
    pub plan: Option<bool>,
    /// The order with this number, as far as the other filters let it through.
    pub number: Option<OrderNumber>,
    /// One of these.
    pub numbers: Option<Vec<OrderNumber>>,
    /// Asked for at this moment or later.
    pub ordered_from: Option<Timestamp>,
    /// Asked for at this moment or before.
    pub ordered_until: Option<Timestamp>,
    /// With exactly this common name.
    pub common_name: Option<Name>,
    /// With exactly this name as CN or SAN.
    pub name: Option<Name>,
    /// With a CN or SAN that is this domain or lies below it.
    pub below: Option<Name>,
    /// With a CN or SAN that begins so.
    pub name_prefix: Option<String>,
}

impl OrderFilter {
    /// Whether few orders can match, whatever else is asked.
    const fn is_narrow(&self) -> bool {
        self.number.is_some()
            || self.numbers.is_some()
            || self.common_name.is_some()
            || self.name.is_some()
            || self.requester.is_some()
            || self.acme_url.is_some()
    }
}

/// What a list is sorted by; the order number breaks ties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OrderSort {
    /// By number.
    #[default]
    Number,
    /// By the moment it was asked for.
    OrderedAt,
    /// By validity; orders without a certificate are left out.
    ValidTill,
    /// By common name.
    CommonName,
    /// By the end of the primary certificate; orders without one are left out.
    CertificateEnd,
}

/// The last row of the page before: where the next one begins.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum OrderKey {
    /// For [`OrderSort::Number`].
    Number(OrderNumber),
    /// For [`OrderSort::OrderedAt`], [`OrderSort::ValidTill`] and [`OrderSort::CertificateEnd`].
    Time(Timestamp, OrderNumber),
    /// For [`OrderSort::CommonName`].
    Text(String, OrderNumber),
}

impl OrderSort {
    /// What rows are compared by, the first one first.
    const fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Number => &["number"],
            Self::OrderedAt => &["ordered_at", "number"],
            Self::ValidTill => &["valid_till", "number"],
            Self::CommonName => &["common_name", "number"],
            Self::CertificateEnd => &["primary_not_after", "number"],
        }
    }

    /// The key of a row under this sort.
    pub fn key(self, record: &OrderRecord) -> OrderKey {
        let order = &record.order;
        let ends = (record.valid_till, record.certificate_till);
        self.key_of(order.number, order.ordered_at, ends, order.common_name.as_str())
    }

    pub(super) fn key_of(
        self,
        number: OrderNumber,
        ordered_at: Timestamp,
        (valid_till, certificate_till): (Option<Timestamp>, Option<Timestamp>),
        common_name: &str,
    ) -> OrderKey {
        let time = |at: Option<Timestamp>| OrderKey::Time(at.unwrap_or(Timestamp(0)), number);
        match self {
            Self::Number => OrderKey::Number(number),
            Self::OrderedAt => OrderKey::Time(ordered_at, number),
            Self::ValidTill => time(valid_till),
            Self::CommonName => OrderKey::Text(common_name.to_owned(), number),
            Self::CertificateEnd => time(certificate_till),
        }
    }
}

/// Appends the value that the filter wants in a column.
macro_rules! push_value {
    ($query:expr, $filter:expr, $column:expr) => {{
        let (query, filter): (_, &OrderFilter) = (&mut *$query, $filter);
        match $column {
            // Part of the text: where PostgreSQL plans for any state, it takes all of them for equally rare.
            Column::Status => {
                query.push(format_args!("'{}'", filter.status.map_or("", OrderStatus::as_str)))
            }
            Column::Product => query.push_bind(filter.product.as_ref().map(|id| id.0.clone())),
            Column::Organization => query.push_bind(filter.organization.map(|id| id.0)),
            Column::Origin => query.push_bind(filter.origin.map(Origin::as_str)),
        };
    }};
}

/// Appends the filter; each piece can use an index, or narrows what an index gave.
macro_rules! push_filter {
    ($query:expr, $filter:expr, $leads:expr) => {{
        let (query, filter): (_, &OrderFilter) = (&mut $query, $filter);
        for column in Column::ALL.into_iter().filter(|column| column.is_in(filter)) {
            let bounds: &[&str] = if $leads == Some(column) { &[">=", "<="] } else { &["="] };
            for compare in bounds {
                query.push(format_args!(" AND {} {compare} ", column.name()));
                push_value!(query, filter, column);
            }
        }
        if filter.status.is_some_and(|status| status != OrderStatus::Issued) {
            // Shows that an index without the issued ones will do.
            query.push(" AND status <> 'issued'");
        }
        if let Some(requester) = filter.requester {
            query.push(" AND requester_id = ").push_bind(requester.0);
        }
        if let Some(url) = filter.acme_url {
            query.push(" AND acme_url_id = ").push_bind(url.0);
        }
        if let Some(with) = filter.has_duplicates {
            query.push(if with {
                " AND duplicates_count > 0"
            } else {
                " AND duplicates_count = 0"
            });
        }
        if let Some(renewed) = filter.renewed {
            query.push(if renewed {
                " AND renewed_by IS NOT NULL"
            } else {
                " AND renewed_by IS NULL"
            });
        }
        if let Some(from) = filter.valid_from {
            query.push(" AND valid_till >= ").push_bind(from.0);
        }
        if let Some(until) = filter.valid_until {
            query.push(" AND valid_till <= ").push_bind(until.0);
        }
        if let Some(number) = filter.number {
            query.push(" AND number = ").push_bind(number.0);
        }
        match filter.numbers.as_deref() {
            None => {}
            // PostgreSQL takes no empty list.
            Some([]) => {
                query.push(" AND FALSE");
            }
            Some(numbers) => {
                let all: Vec<String> = numbers.iter().map(ToString::to_string).collect();
                query.push(format_args!(" AND number IN ({})", all.join(", ")));
            }
        }
        if let Some(from) = filter.ordered_from {
            query.push(" AND ordered_at >= ").push_bind(from.0);
        }
        if let Some(until) = filter.ordered_until {
            query.push(" AND ordered_at <= ").push_bind(until.0);
        }
        if let Some(name) = &filter.common_name {
            query.push(" AND common_name = ").push_bind(name.as_str().to_owned());
        }
    }};
}

const NAMED: &str = " AND number IN (SELECT order_number FROM order_names WHERE ";

/// Names are looked up in their own table, by index.
macro_rules! push_names {
    ($query:expr, $filter:expr) => {{
        let (query, filter): (_, &OrderFilter) = (&mut $query, $filter);
        if let Some(name) = &filter.name {
            query.push(NAMED).push("name = ").push_bind(name.as_str().to_owned()).push(")");
        }
        if let Some(prefix) = &filter.name_prefix {
            query.push(NAMED).push("name >= ").push_bind(prefix.clone());
            query.push(" AND name < ").push_bind(after_prefix(prefix)).push(")");
        }
        if let Some(below) = &filter.below {
            // Written backwards, `example.com` and all below it stand together.
            let base = reversed_base(below);
            query.push(NAMED).push("reversed = ").push_bind(base.clone());
            query.push(" OR (reversed >= ").push_bind(format!("{base}."));
            query.push(" AND reversed < ").push_bind(format!("{base}/")).push("))");
        }
    }};
}

/// Whether the primary certificate ends in the filter's window. Other orders than plans are good
/// until then.
macro_rules! push_ends {
    ($query:expr, $filter:expr) => {{
        let (query, filter): (_, &OrderFilter) = (&mut $query, $filter);
        if let Some(plan) = filter.plan {
            let not = if plan { "NOT " } else { "" };
            query.push(format_args!(" AND coverage_ends_at IS {not}NULL"));
        }
        if let Some(from) = filter.ends_from {
            query.push(" AND primary_not_after >= ").push_bind(from.0);
        }
        if let Some(until) = filter.ends_until {
            query.push(" AND primary_not_after <= ").push_bind(until.0);
        }
    }};
}

/// Goes on after a row; `keys` begin with the column `leads`, where there is one.
macro_rules! push_after {
    ($query:expr, $filter:expr, $keys:expr, $descending:expr, $leads:expr, $after:expr) => {{
        let (query, leads): (_, Option<Column>) = (&mut $query, $leads);
        let compare = if $descending { "<" } else { ">" };
        query.push(format_args!(" AND ({}) {compare} (", $keys.join(", ")));
        if let Some(column) = leads {
            push_value!(query, $filter, column);
            query.push(", ");
        }
        match $after {
            OrderKey::Number(number) => query.push_bind(number.0),
            OrderKey::Time(time, number) => query.push_bind(time.0).push(", ").push_bind(number.0),
            OrderKey::Text(text, number) => {
                query.push_bind(text.clone()).push(", ").push_bind(number.0)
            }
        };
        query.push(")");
    }};
}

/// A list that is sorted by an end has no orders without one.
macro_rules! push_sorted {
    ($query:expr, $sort:expr) => {
        match $sort {
            OrderSort::ValidTill => {
                $query.push(" AND valid_till IS NOT NULL");
            }
            OrderSort::CertificateEnd => {
                $query.push(" AND primary_not_after IS NOT NULL");
            }
            OrderSort::Number | OrderSort::OrderedAt | OrderSort::CommonName => {}
        }
    };
}

/// The lists that make up one: filtered or sorted by the certificates' ends, plans and all other
/// orders are read along an index each, where none has both. What other orders are good until is
/// that end.
fn halves(filter: &OrderFilter, sort: OrderSort) -> Vec<(OrderFilter, OrderSort)> {
    let by_ends = filter.ends_from.or(filter.ends_until).is_some();
    let apart = by_ends || sort == OrderSort::CertificateEnd;
    if !apart || Walk::to_all_that_end(filter, sort).is_some() {
        return vec![(filter.clone(), sort)];
    }
    let earlier = |one: Option<Timestamp>, other| one.into_iter().chain(other).min();
    let single = OrderFilter {
        plan: Some(false),
        valid_from: filter.valid_from.max(filter.ends_from),
        valid_until: earlier(filter.valid_until, filter.ends_until),
        ends_from: None,
        ends_until: None,
        ..filter.clone()
    };
    let plans = OrderFilter { plan: Some(true), ..filter.clone() };
    let wanted = |(half, _): &(OrderFilter, OrderSort)| {
        filter.plan.is_none_or(|plan| half.plan == Some(plan))
    };
    let of_single = if sort == OrderSort::CertificateEnd { OrderSort::ValidTill } else { sort };
    [(single, of_single), (plans, sort)].into_iter().filter(wanted).collect()
}

fn order_by<S: AsRef<str>>(keys: &[S], descending: bool) -> String {
    let direction = if descending { " DESC" } else { "" };
    let each: Vec<String> = keys.iter().map(|key| format!("{}{direction}", key.as_ref())).collect();
    format!(" ORDER BY {}", each.join(", "))
}

/// The first text that no longer begins with `prefix`: names are ASCII.
fn after_prefix(prefix: &str) -> String {
    format!("{prefix}\u{7f}")
}

fn reversed_base(name: &Name) -> String {
    let text = reversed(name);
    text.strip_suffix(".*").unwrap_or(&text).to_owned()
}

/// Which rows of a list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece<'a> {
    /// After this row.
    pub(super) after: Option<&'a OrderKey>,
    /// So many are passed over.
    pub(super) skip: u64,
    /// At most so many.
    pub(super) limit: u32,
}

impl Piece<'_> {
    /// The end of a statement that reads these rows. Numbers are part of the text: `SQLite` would
    /// plan bound ones anew each time.
    fn limits(self) -> String {
        match self.skip {
            0 => format!(" LIMIT {}", self.limit),
            skip => format!(" LIMIT {} OFFSET {skip}", self.limit),
        }
    }

    /// The same with all that are passed over.
    fn limit_of_all(self) -> String {
        format!(" LIMIT {}", self.skip.saturating_add(self.limit.into()))
    }
}

mod count;

impl Tx {
    /// One page of orders under `filter`, at most `limit`, after the row `after`.
    pub async fn orders_page(
        &mut self,
        filter: &OrderFilter,
        sort: OrderSort,
        descending: bool,
        after: Option<&OrderKey>,
        limit: u32,
    ) -> Result<Vec<OrderRecord>, StoreError> {
        let piece = Piece { after, skip: 0, limit };
        let key = |one: &OrderRecord| sort.key(one);
        let read = |rows: Vec<OrderRow>| rows.into_iter().map(TryInto::try_into).collect();
        self.page_of(&Columns::each("*"), filter, sort, descending, piece, read, key).await
    }

    /// The order at this place of the list, the first one at 0. All before it are passed over along
    /// the list's index, and none of them is read, but where plans and other orders are read apart.
    pub async fn order_at(
        &mut self,
        filter: &OrderFilter,
        sort: OrderSort,
        descending: bool,
        place: u64,
    ) -> Result<Option<OrderNumber>, StoreError> {
        if halves(filter, sort).len() > 1 {
            let most = u32::try_from(place.saturating_add(1)).unwrap_or(u32::MAX);
            let page = self.listed_orders_page(filter, sort, descending, None, most).await?;
            return Ok(page
                .get(usize::try_from(place).unwrap_or(usize::MAX))
                .map(|one| one.number));
        }
        let piece = Piece { after: None, skip: place, limit: 1 };
        let rows: Vec<(i64,)> =
            self.page_of_rows(&Columns::each("number"), filter, sort, descending, piece).await?;
        Ok(rows.first().map(|row| OrderNumber(row.0)))
    }

    /// A page of what `read` makes of rows with these columns; `key` is that of the list's sort.
    #[expect(clippy::too_many_arguments, reason = "a list has many sides")]
    pub(super) async fn page_of<R, T>(
        &mut self,
        columns: &Columns,
        filter: &OrderFilter,
        sort: OrderSort,
        descending: bool,
        piece: Piece<'_>,
        read: impl Fn(Vec<R>) -> Result<Vec<T>, StoreError>,
        key: impl Fn(&T) -> OrderKey,
    ) -> Result<Vec<T>, StoreError>
    where
        R: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let halves = halves(filter, sort);
        let apart = halves.len() > 1;
        let mut found = Vec::new();
        for (filter, sort) in halves {
            let rows = self.page_of_rows(columns, &filter, sort, descending, piece).await?;
            found.extend(read(rows)?);
        }
        if apart {
            found.sort_by_cached_key(key);
            if descending {
                found.reverse();
            }
            found.truncate(usize::try_from(piece.limit).unwrap_or(usize::MAX));
        }
        Ok(found)
    }

    /// The rows with these columns of a list that is read along one index.
    async fn page_of_rows<R>(
        &mut self,
        columns: &Columns,
        filter: &OrderFilter,
        sort: OrderSort,
        descending: bool,
        piece: Piece<'_>,
    ) -> Result<Vec<R>, StoreError>
    where
        R: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let postgres = self.is_postgres();
        let walk = Walk::of(filter, sort);
        let leads = if postgres { walk.leads() } else { None };
        let keys = walk.keys(sort, postgres);
        let ordered = order_by(&keys, descending);
        let [before, behind] = columns.around();
        let columns = columns.as_str();
        Ok(on!(self, |conn| {
            let mut query = QueryBuilder::new(before);
            query.push(walk.beginning(columns));
            for (place, list) in walk.lists(columns, postgres).iter().enumerate() {
                query.push(if place > 0 { " UNION ALL " } else { "" }).push(&list.beginning);
                if let Some(Day { number, around: [before, behind] }) = list.day {
                    query.push(format_args!(" AND primary_not_after / {DAY} = {before}"));
                    query.push_bind(number).push(behind);
                }
                push_filter!(query, filter, leads);
                push_names!(query, filter);
                push_ends!(query, filter);
                push_sorted!(query, sort);
                if let Some(after) = piece.after {
                    push_after!(query, filter, keys, descending, leads, after);
                }
            }
            query
                .push(walk.end(&ordered, piece, &order_by(sort.columns(), descending), postgres))
                .push(behind);
            let query = query.build_query_as().persistent(walk.is_kept(postgres));
            query.fetch_all(&mut *conn).await?
        }))
    }
}

#[cfg(test)]
mod tests;
