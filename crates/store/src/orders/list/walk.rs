//! Which index one page of orders is read along.
//!
//! `SQLite` keeps no statistics that tell a rare value from a common one, and no plan for each
//! value: left to itself it walks an organization's third of a million orders for the three that
//! are pending. So the walk is chosen here, by what is known of the columns. PostgreSQL has its
//! own statistics and chooses for itself.

use domain::model::OrderStatus;

use super::{OrderFilter, OrderSort};

/// The way through the orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Walk {
    /// As the database's planner thinks: by number, or where few orders can match.
    Planned,
    /// Along the index with this name, which gives the orders as the list sorts them.
    Along(&'static str),
    /// Through all that match in the index with this name, which has what the list sorts by: the
    /// page's numbers are picked before any order is read.
    Through(&'static str),
}

/// The indexes of one filter, in the order of [`OrderSort`].
type Indexes = [&'static str; 4];

const ALL: Indexes = ["", "orders_by_ordered", "orders_by_valid_till", "orders_by_common_name"];
const STATUS: Indexes = [
    "orders_by_status",
    "orders_by_status_ordered",
    "orders_by_status_valid_till",
    "orders_by_status_common_name",
];
const PRODUCT: Indexes = [
    "orders_by_product",
    "orders_by_product_ordered",
    "orders_by_product_valid_till",
    "orders_by_product_common_name",
];
const ORGANIZATION: Indexes = [
    "orders_by_organization",
    "orders_by_organization_ordered",
    "orders_by_organization_valid_till",
    "orders_by_organization_common_name",
];
const ORIGIN: Indexes = [
    "orders_by_origin",
    "orders_by_origin_ordered",
    "orders_by_origin_valid_till",
    "orders_by_origin_common_name",
];
const WITH_DUPLICATES: Indexes = [
    "orders_with_duplicates",
    "orders_with_duplicates_ordered",
    "orders_with_duplicates_valid_till",
    "orders_with_duplicates_common_name",
];
const RENEWED: Indexes = [
    "orders_renewed",
    "orders_renewed_ordered",
    "orders_renewed_valid_till",
    "orders_by_common_name",
];

const fn of(indexes: &Indexes, sort: OrderSort) -> &'static str {
    let [number, ordered_at, valid_till, common_name] = *indexes;
    match sort {
        OrderSort::Number => number,
        OrderSort::OrderedAt => ordered_at,
        OrderSort::ValidTill => valid_till,
        OrderSort::CommonName => common_name,
    }
}

impl Walk {
    /// The statement before the filter, and what comes behind the limit, to be sorted once more.
    pub(super) fn around(self, columns: &str) -> (String, Option<&'static str>) {
        let one = |index| format!("SELECT {columns} FROM orders{index} WHERE TRUE");
        match self {
            Self::Planned => (one(String::new()), None),
            Self::Along(index) => (one(format!(" INDEXED BY {index}")), None),
            Self::Through(index) => {
                let picked = format!("SELECT number FROM orders INDEXED BY {index} WHERE TRUE");
                (format!("SELECT {columns} FROM orders WHERE number IN ({picked}"), Some(")"))
            }
        }
    }

    /// The way for a list under `filter`, sorted by `sort`.
    pub(super) fn of(filter: &OrderFilter, sort: OrderSort) -> Self {
        let named = filter.name.is_some() || filter.below.is_some() || filter.name_prefix.is_some();
        if filter.number.is_some()
            || named
            || filter.requester.is_some()
            || filter.acme_url.is_some()
        {
            return Self::Planned;
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
        match of(indexes, sort) {
            // Most are issued, but the planner takes any index of a status for narrow.
            "" if filter.status.is_some() => Self::Along(of(&STATUS, sort)),
            "" => Self::Planned,
            index => Self::Along(index),
        }
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
