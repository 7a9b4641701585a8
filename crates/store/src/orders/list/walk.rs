//! Which index one page of orders is read along.
//!
//! `SQLite` keeps no statistics that tell a rare value from a common one, and no plan for each
//! value: left to itself it walks an organization's third of a million orders for the three that
//! are pending. PostgreSQL takes what is filtered by and what is sorted by for independent: it
//! walks past all that expire before the first order of a product with a longer lifetime. So the
//! walk is chosen here, by what is known of the columns.
//!
//! `SQLite` is told the index's name. PostgreSQL can't be told; but where the list is sorted by the
//! filter's column first, and that is held to one value by two bounds, not by an equality, no
//! other index has the list's order.
//!
//! What ends within some days is read along each of the days, in one index, and merged: `SQLite`
//! merges as many lists as there are days, PostgreSQL takes the page's rows of each day, by a plan that it
//! makes once for all of them.

use domain::Timestamp;
use domain::model::OrderStatus;
use domain::time::DAY;

use super::{OrderFilter, OrderSort, Piece};

/// The way through the orders.
#[derive(Debug, Clone, Copy)]
pub(super) enum Walk {
    /// As the database's planner thinks: by number, or where few orders can match.
    Planned,
    /// Along an index which gives the orders as the list sorts them.
    Along(Index),
    /// Through all that match in an index, which has what the list sorts by: the page's numbers
    /// are picked before any order is read.
    Through(Index),
    /// Along the days of a window at once: an index has the orders of each day as the list sorts
    /// them, and they are merged until the page is full.
    ByDay(Days),
}

/// Days on which certificates end, counted from 1 January 1970 (UTC).
#[derive(Debug, Clone, Copy)]
pub(super) struct Days {
    index: &'static str,
    /// What the index sorts the orders of a day by.
    keys: &'static str,
    first: i64,
    last: i64,
    /// For so many days the statement is made.
    places: usize,
    /// Whether the statement is worth the memory that it takes in `SQLite`, 4 KiB for each place in
    /// each connection: only where few others differ from it.
    kept: bool,
}

impl Days {
    /// Numbers of places, so that not each number of days is a statement of its own. What lists offer
    /// (up to 7, 30, 60 and 90 days left) begins and ends in the midst of a day. More days are looked
    /// through in one piece.
    const PLACES: [usize; 4] = [9, 32, 62, 92];

    /// Statements of more places are not kept.
    const KEPT: usize = 32;

    /// Fills the places that are left: no certificate ends on it.
    const NO_DAY: i64 = -1;

    /// The days on which certificates of the filter's window end, where there is an index by day for
    /// the sort.
    fn of(filter: &OrderFilter, sort: OrderSort) -> Option<Self> {
        let (index, keys) = match sort {
            OrderSort::Number => ("orders_by_end_day", "number"),
            OrderSort::OrderedAt => ("orders_by_end_day_ordered", "ordered_at, number"),
            OrderSort::ValidTill | OrderSort::CommonName | OrderSort::CertificateEnd => {
                return None;
            }
        };
        let day = |at: Timestamp| at.0.div_euclid(DAY);
        let (first, last) = (day(filter.ends_from?), day(filter.ends_until?));
        // Before 1970 SQL's division would round to the other day.
        if first < 0 || last < first {
            return None;
        }
        let days = usize::try_from(last - first).ok()?.checked_add(1)?;
        let places = Self::PLACES.into_iter().find(|places| *places >= days)?;
        let plain = filter.has_duplicates.is_none() && filter.renewed.is_none();
        Some(Self { index, keys, first, last, places, kept: plain && places <= Self::KEPT })
    }

    fn each(self) -> impl Iterator<Item = i64> {
        (self.first..=self.last).chain(std::iter::repeat(Self::NO_DAY)).take(self.places)
    }

    /// One list of those of each day, in PostgreSQL. The filter's window is to keep out the days of the
    /// places that are left.
    fn in_one(self) -> List {
        let Self { keys, places, .. } = self;
        let beginning = format!(
            "SELECT {keys} FROM generate_series(0, {}) AS days (later) \
             CROSS JOIN LATERAL (SELECT {keys} FROM orders WHERE TRUE",
            places.saturating_sub(1)
        );
        List { beginning, day: Some(Day { number: self.first, around: ["later + ", ""] }) }
    }
}

/// A list of orders, before its filter.
#[derive(Debug)]
pub(super) struct List {
    pub(super) beginning: String,
    /// Only those whose certificate ends on this day.
    pub(super) day: Option<Day>,
}

/// A day on which certificates end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Day {
    pub(super) number: i64,
    /// What stands around the number in SQL.
    pub(super) around: [&'static str; 2],
}

/// An index of the orders, and the filter whose column it begins with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Index {
    name: &'static str,
    leads: Option<Column>,
}

/// A column that a filter holds to one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Status,
    Product,
    Organization,
    Origin,
}

impl Column {
    pub(super) const ALL: [Self; 4] =
        [Self::Status, Self::Product, Self::Organization, Self::Origin];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Product => "product_id",
            Self::Organization => "organization_id",
            Self::Origin => "origin",
        }
    }

    /// Whether the filter names a value.
    pub(super) const fn is_in(self, filter: &OrderFilter) -> bool {
        match self {
            Self::Status => filter.status.is_some(),
            Self::Product => filter.product.is_some(),
            Self::Organization => filter.organization.is_some(),
            Self::Origin => filter.origin.is_some(),
        }
    }
}

/// The indexes of one filter, in the order of [`OrderSort`].
#[derive(Debug, PartialEq, Eq)]
struct Indexes {
    leads: Option<Column>,
    names: [&'static str; 4],
}

const ALL: Indexes = Indexes {
    leads: None,
    names: ["", "orders_by_ordered", "orders_by_valid_till", "orders_by_common_name"],
};
/// They hold all states but issued.
const STATUS: Indexes = Indexes {
    leads: Some(Column::Status),
    names: [
        "orders_by_status",
        "orders_by_status_ordered",
        "orders_by_status_valid_till",
        "orders_by_status_common_name",
    ],
};
const PRODUCT: Indexes = Indexes {
    leads: Some(Column::Product),
    names: [
        "orders_by_product",
        "orders_by_product_ordered",
        "orders_by_product_valid_till",
        "orders_by_product_common_name",
    ],
};
const ORGANIZATION: Indexes = Indexes {
    leads: Some(Column::Organization),
    names: [
        "orders_by_organization",
        "orders_by_organization_ordered",
        "orders_by_organization_valid_till",
        "orders_by_organization_common_name",
    ],
};
const ORIGIN: Indexes = Indexes {
    leads: Some(Column::Origin),
    names: [
        "orders_by_origin",
        "orders_by_origin_ordered",
        "orders_by_origin_valid_till",
        "orders_by_origin_common_name",
    ],
};
const WITH_DUPLICATES: Indexes = Indexes {
    leads: None,
    names: [
        "orders_with_duplicates",
        "orders_with_duplicates_ordered",
        "orders_with_duplicates_valid_till",
        "orders_with_duplicates_common_name",
    ],
};
const RENEWED: Indexes = Indexes {
    leads: None,
    names: [
        "orders_renewed",
        "orders_renewed_ordered",
        "orders_renewed_valid_till",
        "orders_by_common_name",
    ],
};

/// Multi-year plans by the end of their certificate.
const PLANS: Index = Index { name: "orders_plans_by_certificate", leads: None };

const fn of(indexes: &Indexes, sort: OrderSort) -> Index {
    let [number, ordered_at, valid_till, common_name] = indexes.names;
    let name = match sort {
        OrderSort::Number => number,
        OrderSort::OrderedAt => ordered_at,
        // Plans have an index of their own for that, all others are good until then.
        OrderSort::ValidTill | OrderSort::CertificateEnd => valid_till,
        OrderSort::CommonName => common_name,
    };
    Index { name, leads: indexes.leads }
}

impl Walk {
    /// The statement before the lists that the page is picked from.
    pub(super) fn beginning(self, columns: &str) -> String {
        let by_number = format!("SELECT {columns} FROM orders WHERE number IN (");
        match self {
            Self::Planned | Self::Along(_) => String::new(),
            Self::Through(_) => by_number,
            Self::ByDay(_) => by_number + "SELECT number FROM (",
        }
    }

    /// The lists that the page is picked from: one, or one for each day.
    pub(super) fn lists(self, columns: &str, postgres: bool) -> Vec<List> {
        let list = |columns: &str, index: &str, day| {
            let told = !postgres && !index.is_empty();
            let by = if told { format!(" INDEXED BY {index}") } else { String::new() };
            List { beginning: format!("SELECT {columns} FROM orders{by} WHERE TRUE"), day }
        };
        match self {
            Self::Planned => vec![list(columns, "", None)],
            Self::Along(index) => vec![list(columns, index.name, None)],
            Self::Through(index) => vec![list("number", index.name, None)],
            Self::ByDay(days) if postgres => vec![days.in_one()],
            Self::ByDay(days) => {
                // A subquery, or SQLite might plan for each day anew.
                let day = |number| Day { number, around: ["(SELECT ", ")"] };
                days.each().map(|number| list(days.keys, days.index, Some(day(number)))).collect()
            }
        }
    }

    /// Whether the statement is kept until it comes again.
    pub(super) const fn is_kept(self, postgres: bool) -> bool {
        match self {
            Self::ByDay(days) => postgres || days.kept,
            Self::Planned | Self::Along(_) | Self::Through(_) => true,
        }
    }

    /// The statement behind the lists, whose rows are `shown` in this order.
    pub(super) fn end(
        self,
        ordered: &str,
        piece: Piece<'_>,
        shown: &str,
        postgres: bool,
    ) -> String {
        let page = format!("{ordered}{}", piece.limits());
        match self {
            Self::Planned | Self::Along(_) => page,
            Self::Through(_) => format!("{page}){shown}"),
            Self::ByDay(_) if postgres => {
                format!("{ordered}{}) AS day{page}) AS days){shown}", piece.limit_of_all())
            }
            Self::ByDay(_) => format!("{page})){shown}"),
        }
    }

    /// The column that PostgreSQL is to sort by first, between two bounds.
    pub(super) const fn leads(self) -> Option<Column> {
        match self {
            Self::Along(index) => index.leads,
            Self::Planned | Self::Through(_) | Self::ByDay(_) => None,
        }
    }

    /// What rows are compared by on this way.
    pub(super) fn keys(self, sort: OrderSort, postgres: bool) -> Vec<String> {
        let columns = sort.columns().iter();
        match self {
            // A sum is in no index: PostgreSQL then can't walk along the list, past all that
            // don't match.
            Self::Through(_) if postgres => columns
                .map(|column| match *column {
                    "common_name" => format!("{column} || ''"),
                    _ => format!("{column} + 0"),
                })
                .collect(),
            _ if postgres => {
                let leads = self.leads().map(Column::name);
                leads.iter().chain(columns).map(|column| (*column).to_owned()).collect()
            }
            _ => columns.map(|column| (*column).to_owned()).collect(),
        }
    }

    /// The way for a list under `filter`, sorted by `sort`.
    pub(super) fn of(filter: &OrderFilter, sort: OrderSort) -> Self {
        if Self::is_found(filter) {
            return Self::Planned;
        }
        if let Some(walk) = Self::to_all_that_end(filter, sort) {
            return walk;
        }
        if sort == OrderSort::CertificateEnd {
            return Self::Along(PLANS);
        }
        // Few are plans.
        if filter.ends_until.is_some() {
            return Self::Through(PLANS);
        }
        let indexes = Self::narrowest(filter);
        // What expires soon was ordered at about the same time: by number or age it stands
        // together, far from the list's beginning. By name it is spread evenly.
        let window = filter.valid_until.is_some();
        let ordered = matches!(sort, OrderSort::Number | OrderSort::OrderedAt);
        if window && ordered && indexes != &WITH_DUPLICATES {
            let indexes = if indexes == &RENEWED { &ALL } else { indexes };
            return Self::Through(of(indexes, OrderSort::ValidTill));
        }
        // So does what was ordered in some days.
        if filter.ordered_from.or(filter.ordered_until).is_some() {
            return match sort {
                OrderSort::Number => Self::Through(of(indexes, OrderSort::OrderedAt)),
                OrderSort::OrderedAt => Self::Along(of(indexes, sort)),
                OrderSort::ValidTill | OrderSort::CommonName | OrderSort::CertificateEnd => {
                    Self::Planned
                }
            };
        }
        match of(indexes, sort) {
            Index { name: "", .. } => Self::Planned,
            // How many orders are in a window is what PostgreSQL knows best.
            index if window && sort == OrderSort::CommonName => {
                Self::Along(Index { leads: None, ..index })
            }
            index => Self::Along(index),
        }
    }

    /// The way to what ends in the filter's window, where plans and other orders are not read apart.
    pub(super) fn to_all_that_end(filter: &OrderFilter, sort: OrderSort) -> Option<Self> {
        let narrower = ![&ALL, &RENEWED].contains(&Self::narrowest(filter));
        let ordered = filter.ordered_from.or(filter.ordered_until).is_some();
        let apart = filter.plan.is_some();
        if narrower || ordered || apart || Self::is_found(filter) {
            return None;
        }
        if sort == OrderSort::CommonName && filter.ends_from.or(filter.ends_until).is_some() {
            return Some(Self::Along(of(&ALL, sort)));
        }
        Days::of(filter, sort).map(Self::ByDay)
    }

    /// Whether the database's planner finds the orders best: by a filter that lets few through, or by
    /// names, which have a table of their own.
    const fn is_found(filter: &OrderFilter) -> bool {
        filter.is_narrow() || filter.below.is_some() || filter.name_prefix.is_some()
    }

    /// The indexes of the filter that lets the fewest through, as far as that is known: hardly any
    /// order is in another state than issued, few have duplicates, and all the rest depends on
    /// whose portal this is.
    fn narrowest(filter: &OrderFilter) -> &'static Indexes {
        let issued = filter.status == Some(OrderStatus::Issued);
        if filter.status.is_some() && !issued {
            return &STATUS;
        }
        if filter.has_duplicates == Some(true) {
            return &WITH_DUPLICATES;
        }
        if filter.organization.is_some() {
            return &ORGANIZATION;
        }
        if filter.product.is_some() {
            return &PRODUCT;
        }
        if filter.renewed == Some(true) {
            return &RENEWED;
        }
        if filter.origin.is_some() {
            return &ORIGIN;
        }
        &ALL
    }
}
