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

use domain::model::OrderStatus;

use super::{OrderFilter, OrderSort};

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
    /// The statement before the filter.
    pub(super) fn beginning(self, columns: &str, postgres: bool) -> String {
        let by = |index: Index| {
            if postgres { String::new() } else { format!(" INDEXED BY {}", index.name) }
        };
        match self {
            Self::Planned => format!("SELECT {columns} FROM orders WHERE TRUE"),
            Self::Along(index) => format!("SELECT {columns} FROM orders{} WHERE TRUE", by(index)),
            Self::Through(index) => format!(
                "SELECT {columns} FROM orders \
                 WHERE number IN (SELECT number FROM orders{} WHERE TRUE",
                by(index)
            ),
        }
    }

    /// The column that PostgreSQL is to sort by first, between two bounds.
    pub(super) const fn leads(self) -> Option<Column> {
        match self {
            Self::Along(index) => index.leads,
            Self::Planned | Self::Through(_) => None,
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
        let named = filter.name.is_some() || filter.below.is_some() || filter.name_prefix.is_some();
        if filter.number.is_some()
            || filter.numbers.is_some()
            || filter.common_name.is_some()
            || named
            || filter.requester.is_some()
            || filter.acme_url.is_some()
        {
            return Self::Planned;
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
