//! Orders: one row each, with one row per name for search.
//!
//! The row repeats what lists need (validity, counters), so that a list page reads one table.

mod list;
pub(crate) mod listed;
mod write;

use std::collections::HashMap;

use domain::model::{CertificateKind, Coverage, Order, OrderFile, OrderStatus};
use domain::{
    AcmeAccountId, AcmeUrlId, Days, OrderNumber, OrganizationId, ProductId, ProfileId, Timestamp,
    UserId,
};
pub use list::{OrderFilter, OrderKey, OrderSort};
pub use listed::ListedOrder;
use sqlx::AssertSqlSafe;
pub use write::NewOrder;

use crate::certificates::CertificateRow;
use crate::one_text::{self, Column, OfValues, OneText, columns_once, row};
use crate::value::{from_json, parse, places, small};
use crate::{StoreError, Tx, on};

/// An order with what lists and its page show beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRecord {
    /// The order.
    pub order: Order,
    /// The plan's end, or else the primary certificate's; none before it is issued.
    pub valid_till: Option<Timestamp>,
    /// The primary certificate's end, as [`ListedOrder::certificate_till`].
    pub certificate_till: Option<Timestamp>,
    /// The requester's name at that time.
    pub requester_name: Option<String>,
    /// The ACME account that asked.
    pub acme_account: Option<AcmeAccountId>,
    /// The automation profile it was made from.
    pub profile: Option<ProfileId>,
    /// All certificates.
    pub certificates: i64,
    /// Reissues among them.
    pub reissues: i64,
    /// Duplicates among them.
    pub duplicates: i64,
    /// The requester's words.
    pub note: Option<String>,
}

/// A stored decision.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct StoredExplanation {
    /// When it was asked for: seconds since 1970.
    pub created_at: i64,
    /// `acme` or `automation`.
    pub door: String,
    /// The explanation as JSON.
    pub explanation: String,
}

/// A row of `orders`.
#[derive(sqlx::FromRow)]
pub(crate) struct OrderRow {
    #[sqlx(flatten)]
    order: PlainRow,
    valid_till: Option<i64>,
    primary_not_after: Option<i64>,
    acme_account_id: Option<i64>,
    profile_id: Option<i64>,
    requester_name: Option<String>,
    certificates_count: i64,
    reissues_count: i64,
    duplicates_count: i64,
    note: Option<String>,
}

row! {
    /// What of it is the order itself.
    #[derive(sqlx::FromRow)]
    struct PlainRow of "orders" {
        number: i64,
        organization_id: i64,
        product_id: String,
        common_name: String,
        names: String,
        status: String,
        origin: String,
        coverage_years: Option<i64>,
        coverage_ends_at: Option<i64>,
        ordered_at: i64,
        issued_at: Option<i64>,
        renews: Option<i64>,
        renewed_by: Option<i64>,
        auto_renew: bool,
        validity_days: Option<i64>,
        key_type: String,
        signature_hash: String,
        acme_url_id: Option<i64>,
        requester_id: Option<i64>,
    }
}

/// An order with its certificates.
pub(crate) struct FileRow {
    order: PlainRow,
    certificates: Vec<CertificateRow>,
}

impl OfValues for FileRow {
    const OF: &str = PlainRow::OF;

    fn each_column() -> Vec<Column> {
        let from = "FROM certificates WHERE order_number = orders.number";
        let certificates = Column::of::<String>("certificates")
            .from(one_text::rows_within::<CertificateRow>(from, "id"));
        [PlainRow::each_column(), vec![certificates]].concat()
    }

    columns_once!(FileRow);

    fn of_values<'a>(values: &mut impl Iterator<Item = &'a str>) -> Option<Self> {
        Some(Self { order: PlainRow::of_values(values)?, certificates: one_text::within(values)? })
    }
}

impl TryFrom<FileRow> for OrderFile {
    type Error = StoreError;
    fn try_from(row: FileRow) -> Result<Self, StoreError> {
        let certificates = row.certificates.into_iter().map(TryInto::try_into);
        Ok(Self {
            order: row.order.try_into()?,
            certificates: certificates.collect::<Result<_, _>>()?,
        })
    }
}

impl TryFrom<PlainRow> for Order {
    type Error = StoreError;
    fn try_from(row: PlainRow) -> Result<Self, StoreError> {
        let coverage = match (row.coverage_years, row.coverage_ends_at) {
            (Some(years), Some(ends)) => Coverage::MultiYear {
                years: small("orders.coverage_years", years)?,
                ends: Timestamp(ends),
            },
            _ => Coverage::Single,
        };
        Ok(Self {
            number: OrderNumber(row.number),
            organization: OrganizationId(row.organization_id),
            product: ProductId(row.product_id),
            common_name: parse("orders.common_name", &row.common_name)?,
            names: from_json("orders.names", &row.names)?,
            status: parse("orders.status", &row.status)?,
            origin: parse("orders.origin", &row.origin)?,
            coverage,
            ordered_at: Timestamp(row.ordered_at),
            issued_at: row.issued_at.map(Timestamp),
            renews: row.renews.map(OrderNumber),
            renewed_by: row.renewed_by.map(OrderNumber),
            auto_renew: row.auto_renew,
            validity_days: row.validity_days.map(Days),
            key_type: parse("orders.key_type", &row.key_type)?,
            signature_hash: parse("orders.signature_hash", &row.signature_hash)?,
            acme_url: row.acme_url_id.map(AcmeUrlId),
            requester: row.requester_id.map(UserId),
        })
    }
}

impl TryFrom<OrderRow> for OrderRecord {
    type Error = StoreError;
    fn try_from(row: OrderRow) -> Result<Self, StoreError> {
        Ok(Self {
            order: row.order.try_into()?,
            valid_till: row.valid_till.map(Timestamp),
            certificate_till: row.primary_not_after.map(Timestamp),
            requester_name: row.requester_name,
            acme_account: row.acme_account_id.map(AcmeAccountId),
            profile: row.profile_id.map(ProfileId),
            certificates: row.certificates_count,
            reissues: row.reissues_count,
            duplicates: row.duplicates_count,
            note: row.note,
        })
    }
}

impl Tx {
    /// The order with this idempotency key.
    pub async fn order_by_idempotency_key(
        &mut self,
        key: &str,
    ) -> Result<Option<OrderNumber>, StoreError> {
        let number: Option<i64> = on!(self, |conn| {
            sqlx::query_scalar("SELECT number FROM orders WHERE idempotency_key = $1")
                .bind(key)
                .fetch_optional(&mut *conn)
                .await?
        });
        Ok(number.map(OrderNumber))
    }

    /// One order with what its page shows.
    pub async fn order_record(
        &mut self,
        number: OrderNumber,
    ) -> Result<Option<OrderRecord>, StoreError> {
        let row: Option<OrderRow> = on!(self, |conn| {
            sqlx::query_as("SELECT * FROM orders WHERE number = $1")
                .bind(number.0)
                .fetch_optional(&mut *conn)
                .await?
        });
        row.map(OrderRecord::try_from).transpose()
    }

    /// One order.
    pub async fn order(&mut self, number: OrderNumber) -> Result<Option<Order>, StoreError> {
        Ok(self.order_record(number).await?.map(|record| record.order))
    }

    /// One order with its certificates, oldest first.
    pub async fn order_file(
        &mut self,
        number: OrderNumber,
    ) -> Result<Option<OrderFile>, StoreError> {
        let Some(order) = self.order(number).await? else { return Ok(None) };
        let certificates = self.certificates_of_order(number).await?;
        Ok(Some(OrderFile { order, certificates }))
    }

    /// The orders with these numbers and their certificates, oldest first, in the order of the
    /// numbers.
    pub async fn order_files(
        &mut self,
        numbers: &[OrderNumber],
    ) -> Result<Vec<OrderFile>, StoreError> {
        if numbers.is_empty() {
            return Ok(Vec::new());
        }
        let (places, padded) = places(numbers);
        let sql = FileRow::columns().select(&format!("FROM orders WHERE number IN ({places})"));
        let texts: Vec<OneText> = on!(self, |conn| {
            let mut query = sqlx::query_as(AssertSqlSafe(sql));
            for number in &padded {
                query = query.bind(number.0);
            }
            query.fetch_all(&mut *conn).await?
        });
        let files: Vec<OrderFile> = one_text::made_of::<FileRow, _>(texts)?;
        let mut files: HashMap<_, _> =
            files.into_iter().map(|file| (file.number(), file)).collect();
        Ok(numbers.iter().filter_map(|number| files.remove(number)).collect())
    }

    /// Why the order's certificates were issued as they were: the decisions of its ACME orders and
    /// automation events, newest first, as stored.
    pub async fn explanations_of_order(
        &mut self,
        number: OrderNumber,
    ) -> Result<Vec<StoredExplanation>, StoreError> {
        Ok(on!(self, |conn| {
            sqlx::query_as(
                "SELECT created_at, 'acme' AS door, explanation FROM acme_orders \
                 WHERE order_number = $1 AND explanation IS NOT NULL \
                 UNION ALL SELECT created_at, 'automation' AS door, explanation FROM events \
                 WHERE order_number = $1 AND explanation IS NOT NULL \
                 ORDER BY 1 DESC LIMIT 50",
            )
            .bind(number.0)
            .fetch_all(&mut *conn)
            .await?
        }))
    }

    /// Locks an order's row for the rest of a write transaction, so that two acts on one order
    /// follow one another. On `SQLite` writers follow one another anyway.
    pub async fn lock_order(&mut self, number: OrderNumber) -> Result<(), StoreError> {
        if let Self::Postgres(session) = self {
            sqlx::query("SELECT 1 FROM orders WHERE number = $1 FOR UPDATE")
                .bind(number.0)
                .execute(&mut **session)
                .await?;
        }
        Ok(())
    }

    /// Moves an order from one state to another; false where it was not in the first.
    pub async fn move_order(
        &mut self,
        number: OrderNumber,
        from: OrderStatus,
        to: OrderStatus,
    ) -> Result<bool, StoreError> {
        let moved = on!(self, |conn| {
            sqlx::query("UPDATE orders SET status = $3 WHERE number = $1 AND status = $2")
                .bind(number.0)
                .bind(from.as_str())
                .bind(to.as_str())
                .execute(&mut *conn)
                .await?
                .rows_affected()
        });
        Ok(moved == 1)
    }

    /// Frees an order's idempotency key: a rejected or canceled renewal no longer stands in the
    /// way of the next one.
    pub async fn release_order_key(&mut self, number: OrderNumber) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query("UPDATE orders SET idempotency_key = NULL WHERE number = $1")
                .bind(number.0)
                .execute(&mut *conn)
                .await?;
        });
        Ok(())
    }

    /// Notes on `renewed` which order renewed it.
    pub async fn set_renewed_by(
        &mut self,
        renewed: OrderNumber,
        by: Option<OrderNumber>,
    ) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query("UPDATE orders SET renewed_by = $2 WHERE number = $1")
                .bind(renewed.0)
                .bind(by.map(|number| number.0))
                .execute(&mut *conn)
                .await?;
        });
        Ok(())
    }

    /// Brings an order's row up to date with a certificate that was just issued for it: status,
    /// first issue, validity and counters.
    pub async fn count_certificate(
        &mut self,
        number: OrderNumber,
        kind: CertificateKind,
        issued_at: Timestamp,
        not_after: Timestamp,
    ) -> Result<(), StoreError> {
        let becomes_primary = kind != CertificateKind::Duplicate;
        on!(self, |conn| {
            sqlx::query(
                "UPDATE orders SET \
                 status = CASE WHEN $2 AND status IN ('pending', 'reissue_pending') \
                     THEN 'issued' ELSE status END, \
                 issued_at = COALESCE(issued_at, $3), \
                 primary_not_after = CASE WHEN $2 THEN $4 ELSE primary_not_after END, \
                 valid_till = CASE WHEN $2 THEN COALESCE(coverage_ends_at, $4) ELSE valid_till END, \
                 certificates_count = certificates_count + 1, \
                 reissues_count = reissues_count + $5, \
                 duplicates_count = duplicates_count + $6 \
                 WHERE number = $1",
            )
            .bind(number.0)
            .bind(becomes_primary)
            .bind(issued_at.0)
            .bind(not_after.0)
            .bind(i64::from(kind == CertificateKind::Reissue))
            .bind(i64::from(kind == CertificateKind::Duplicate))
            .execute(&mut *conn)
            .await?;
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests;
