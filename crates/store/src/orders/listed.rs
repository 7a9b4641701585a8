//! An order as lists show it: less than half of its columns, and its organization's name with it,
//! so that a page of a list is one statement.

use domain::model::{OrderStatus, Origin};
use domain::{OrderNumber, OrganizationId, ProductId, Timestamp};
use serde::Deserialize as _;
use serde::de::IgnoredAny;

use super::list::Piece;
use super::{OrderFilter, OrderKey, OrderRecord, OrderSort};
use crate::one_text::{self, Column, OfValues, Value, columns_once, row};
use crate::value::{from_json, parse};
use crate::{StoreError, Tx};

/// An order as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedOrder {
    /// Its number.
    pub number: OrderNumber,
    /// Whose it is.
    pub organization: OrganizationId,
    /// Whose it is, by name.
    pub organization_name: String,
    /// What was bought.
    pub product: ProductId,
    /// The common name.
    pub common_name: String,
    /// How many names there are, the common name counted in.
    pub names: usize,
    /// Where it stands.
    pub status: OrderStatus,
    /// The door it came through.
    pub origin: Origin,
    /// When it was asked for.
    pub ordered_at: Timestamp,
    /// Until when it is good.
    pub valid_till: Option<Timestamp>,
    /// Until when its primary certificate is: of a multi-year plan not as long.
    pub certificate_till: Option<Timestamp>,
    /// The order that renewed it.
    pub renewed_by: Option<OrderNumber>,
    /// The requester's name at that time.
    pub requester_name: Option<String>,
    /// All certificates.
    pub certificates: i64,
    /// Reissues among them.
    pub reissues: i64,
    /// Duplicates among them.
    pub duplicates: i64,
}

/// A row of a list.
pub(crate) struct ListedRow {
    order: ListedColumns,
    organization_name: Option<String>,
    requester_name: Option<String>,
}

row! {
    /// What of it is in `orders` as it is.
    struct ListedColumns of "orders" {
        number: i64,
        organization_id: i64,
        product_id: String,
        common_name: String,
        names: String,
        status: String,
        origin: String,
        ordered_at: i64,
        valid_till: Option<i64>,
        primary_not_after: Option<i64>,
        renewed_by: Option<i64>,
        certificates_count: i64,
        reissues_count: i64,
        duplicates_count: i64,
    }
}

impl OfValues for ListedRow {
    const OF: &str = ListedColumns::OF;

    fn each_column() -> Vec<Column> {
        let organization = Column::of::<Option<String>>("organization_name")
            .from("(SELECT g.name FROM organizations g WHERE g.id = orders.organization_id)");
        let requester = Column::of::<Option<String>>("requester_name");
        [ListedColumns::each_column(), vec![organization.written(), requester.written()]].concat()
    }

    columns_once!(ListedRow);

    fn of_values<'a>(values: &mut impl Iterator<Item = &'a str>) -> Option<Self> {
        Some(Self {
            order: ListedColumns::of_values(values)?,
            organization_name: Value::of_text(values.next()?)?,
            requester_name: Value::of_text(values.next()?)?,
        })
    }
}

impl ListedRow {
    /// All its names as a JSON array, whose texts have no escapes.
    pub(crate) fn names_as_json(&self) -> &str {
        &self.order.names
    }

    /// All its names.
    pub(crate) fn names(&self) -> Result<Vec<String>, StoreError> {
        from_json("orders.names", &self.order.names)
    }
}

impl TryFrom<ListedRow> for ListedOrder {
    type Error = StoreError;
    fn try_from(listed: ListedRow) -> Result<Self, StoreError> {
        let row = listed.order;
        Ok(Self {
            number: OrderNumber(row.number),
            organization: OrganizationId(row.organization_id),
            organization_name: listed.organization_name.unwrap_or_default(),
            product: ProductId(row.product_id),
            common_name: row.common_name,
            names: how_many(&row.names)?,
            status: parse("orders.status", &row.status)?,
            origin: parse("orders.origin", &row.origin)?,
            ordered_at: Timestamp(row.ordered_at),
            valid_till: row.valid_till.map(Timestamp),
            certificate_till: row.primary_not_after.map(Timestamp),
            renewed_by: row.renewed_by.map(OrderNumber),
            requester_name: listed.requester_name.filter(|name| !name.is_empty()),
            certificates: row.certificates_count,
            reissues: row.reissues_count,
            duplicates: row.duplicates_count,
        })
    }
}

impl ListedOrder {
    /// The same from all that is known of an order.
    pub fn of(record: OrderRecord, organization_name: String) -> Self {
        let order = record.order;
        Self {
            number: order.number,
            organization: order.organization,
            organization_name,
            product: order.product,
            common_name: order.common_name.into(),
            names: order.names.len(),
            status: order.status,
            origin: order.origin,
            ordered_at: order.ordered_at,
            valid_till: record.valid_till,
            certificate_till: record.certificate_till,
            renewed_by: order.renewed_by,
            requester_name: record.requester_name,
            certificates: record.certificates,
            reissues: record.reissues,
            duplicates: record.duplicates,
        }
    }
}

/// The length of a JSON array.
fn how_many(names: &str) -> Result<usize, StoreError> {
    let mut json = serde_json::Deserializer::from_str(names);
    let names = Vec::<IgnoredAny>::deserialize(&mut json)
        .map_err(|_| StoreError::corrupt("orders.names is no JSON array"))?;
    Ok(names.len())
}

impl OrderSort {
    /// The key of a row under this sort.
    pub fn listed_key(self, order: &ListedOrder) -> OrderKey {
        let ends = (order.valid_till, order.certificate_till);
        self.key_of(order.number, order.ordered_at, ends, &order.common_name)
    }
}

impl Tx {
    /// One page of orders as lists show them: see [`Self::orders_page`].
    pub async fn listed_orders_page(
        &mut self,
        filter: &OrderFilter,
        sort: OrderSort,
        descending: bool,
        after: Option<&OrderKey>,
        limit: u32,
    ) -> Result<Vec<ListedOrder>, StoreError> {
        let piece = Piece { after, skip: 0, limit };
        let key = |one: &ListedOrder| sort.listed_key(one);
        let read = one_text::made_of::<ListedRow, _>;
        self.page_of(ListedRow::columns(), filter, sort, descending, piece, read, key).await
    }
}
