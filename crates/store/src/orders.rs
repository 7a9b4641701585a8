//! Orders: one row each, with one row per name for search.
//!
//! The row repeats what lists need (validity, counters), so that a list page reads one table.

mod list;

use domain::model::{
    CertificateKind, Coverage, KeyType, Order, OrderFile, OrderStatus, Origin, SignatureHash,
};
use domain::{
    AcmeAccountId, AcmeUrlId, Days, DnsName, NameSet, OrderNumber, OrganizationId, ProductId,
    ProfileId, Timestamp, UserId,
};
pub use list::{OrderFilter, OrderKey, OrderSort};

use crate::value::{from_json, names_key, parse, reversed, small, to_json};
use crate::{StoreError, Tx, on};

/// An order to be inserted.
#[derive(Debug, Clone)]
pub struct NewOrder {
    /// The number, where it is not given by the database: imported history.
    pub number: Option<OrderNumber>,
    /// Whose it is.
    pub organization: OrganizationId,
    /// What is bought.
    pub product: ProductId,
    /// The common name.
    pub common_name: DnsName,
    /// The names, the common name counted in.
    pub names: NameSet,
    /// Where it stands.
    pub status: OrderStatus,
    /// The door.
    pub origin: Origin,
    /// How long it is good for.
    pub coverage: Coverage,
    /// When it was asked for.
    pub ordered_at: Timestamp,
    /// When its first certificate was issued.
    pub issued_at: Option<Timestamp>,
    /// The order that it renews.
    pub renews: Option<OrderNumber>,
    /// Whether it renews itself.
    pub auto_renew: bool,
    /// Validity asked for.
    pub validity_days: Option<Days>,
    /// Subject key asked for.
    pub key_type: KeyType,
    /// Signature hash asked for.
    pub signature_hash: SignatureHash,
    /// The ACME Directory URL it came through.
    pub acme_url: Option<AcmeUrlId>,
    /// The ACME account that asked.
    pub acme_account: Option<AcmeAccountId>,
    /// The automation profile it was made from.
    pub profile: Option<ProfileId>,
    /// The person who asked.
    pub requester: Option<UserId>,
    /// The requester's name at that time.
    pub requester_name: Option<String>,
    /// At most one order has this key: a double submit finds the first one.
    pub idempotency_key: Option<String>,
    /// The requester's words.
    pub note: Option<String>,
}

/// An order with what lists and its page show beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRecord {
    /// The order.
    pub order: Order,
    /// The plan's end, or else the primary certificate's; none before it is issued.
    pub valid_till: Option<Timestamp>,
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

#[derive(sqlx::FromRow)]
pub(crate) struct OrderRow {
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
    valid_till: Option<i64>,
    renews: Option<i64>,
    renewed_by: Option<i64>,
    auto_renew: bool,
    validity_days: Option<i64>,
    key_type: String,
    signature_hash: String,
    acme_url_id: Option<i64>,
    acme_account_id: Option<i64>,
    profile_id: Option<i64>,
    requester_id: Option<i64>,
    requester_name: Option<String>,
    certificates_count: i64,
    reissues_count: i64,
    duplicates_count: i64,
    note: Option<String>,
}

impl TryFrom<OrderRow> for OrderRecord {
    type Error = StoreError;
    fn try_from(row: OrderRow) -> Result<Self, StoreError> {
        let coverage = match (row.coverage_years, row.coverage_ends_at) {
            (Some(years), Some(ends)) => Coverage::MultiYear {
                years: small("orders.coverage_years", years)?,
                ends: Timestamp(ends),
            },
            _ => Coverage::Single,
        };
        let order = Order {
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
        };
        Ok(Self {
            order,
            valid_till: row.valid_till.map(Timestamp),
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

macro_rules! order_columns {
    () => {
        "organization_id, product_id, common_name, names, names_key, status, origin, \
         coverage_years, coverage_ends_at, ordered_at, issued_at, renews, auto_renew, \
         validity_days, key_type, signature_hash, acme_url_id, acme_account_id, profile_id, \
         requester_id, requester_name, idempotency_key, note"
    };
}

macro_rules! order_values {
    () => {
        "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, \
         $20, $21, $22, $23"
    };
}

const INSERT: &str = concat!(
    "INSERT INTO orders (",
    order_columns!(),
    ") VALUES (",
    order_values!(),
    ") \
     ON CONFLICT (idempotency_key) DO NOTHING RETURNING number"
);

const INSERT_NUMBERED: &str = concat!(
    "INSERT INTO orders (",
    order_columns!(),
    ", number) VALUES (",
    order_values!(),
    ", $24) \
     RETURNING number"
);

/// Binds what [`INSERT`] and [`INSERT_NUMBERED`] share.
macro_rules! bind_order {
    ($query:expr, $new:expr, $names:expr) => {{
        let (new, names): (&NewOrder, &str) = ($new, $names);
        $query
            .bind(new.organization.0)
            .bind(new.product.as_str())
            .bind(new.common_name.as_str())
            .bind(names)
            .bind(names_key(&new.names))
            .bind(new.status.as_str())
            .bind(new.origin.as_str())
            .bind(coverage_years(new.coverage))
            .bind(new.coverage.ends().map(|ends| ends.0))
            .bind(new.ordered_at.0)
            .bind(new.issued_at.map(|at| at.0))
            .bind(new.renews.map(|number| number.0))
            .bind(new.auto_renew)
            .bind(new.validity_days.map(|days| days.0))
            .bind(new.key_type.as_str())
            .bind(new.signature_hash.as_str())
            .bind(new.acme_url.map(|id| id.0))
            .bind(new.acme_account.map(|id| id.0))
            .bind(new.profile.map(|id| id.0))
            .bind(new.requester.map(|id| id.0))
            .bind(new.requester_name.as_deref())
            .bind(new.idempotency_key.as_deref())
            .bind(new.note.as_deref())
    }};
}

fn coverage_years(coverage: Coverage) -> Option<i64> {
    match coverage {
        Coverage::Single => None,
        Coverage::MultiYear { years, .. } => Some(i64::from(years)),
    }
}

impl Tx {
    /// Inserts an order with its names. None where an order with the same idempotency key is
    /// there already ([`Tx::order_by_idempotency_key`] finds it).
    pub async fn insert_order(
        &mut self,
        new: &NewOrder,
    ) -> Result<Option<OrderNumber>, StoreError> {
        let names = to_json("orders.names", &new.names)?;
        let number: Option<i64> = match new.number {
            None => on!(self, |conn| {
                bind_order!(sqlx::query_scalar(INSERT), new, &names)
                    .fetch_optional(&mut *conn)
                    .await?
            }),
            Some(number) => Some(on!(self, |conn| {
                bind_order!(sqlx::query_scalar(INSERT_NUMBERED), new, &names)
                    .bind(number.0)
                    .fetch_one(&mut *conn)
                    .await?
            })),
        };
        let Some(number) = number.map(OrderNumber) else { return Ok(None) };
        self.insert_order_names(&NamesOf {
            number,
            common_name: &new.common_name,
            names: &new.names,
            organization: new.organization,
            product: &new.product,
            ordered_at: new.ordered_at,
        })
        .await?;
        Ok(Some(number))
    }

    async fn insert_order_names(&mut self, of: &NamesOf<'_>) -> Result<(), StoreError> {
        on!(self, |conn| {
            for name in of.names.iter() {
                sqlx::query(
                    "INSERT INTO order_names (order_number, name, reversed, is_common_name, \
                     organization_id, product_id, ordered_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
                )
                .bind(of.number.0)
                .bind(name.as_str())
                .bind(reversed(name))
                .bind(name == of.common_name)
                .bind(of.organization.0)
                .bind(of.product.as_str())
                .bind(of.ordered_at.0)
                .execute(&mut *conn)
                .await?;
            }
        });
        Ok(())
    }

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
    /// follow one another; false where there is no such order. (On `SQLite` writers follow one
    /// another anyway.)
    pub async fn lock_order(&mut self, number: OrderNumber) -> Result<bool, StoreError> {
        let touched = on!(self, |conn| {
            sqlx::query("UPDATE orders SET status = status WHERE number = $1")
                .bind(number.0)
                .execute(&mut *conn)
                .await?
                .rows_affected()
        });
        Ok(touched == 1)
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

    /// Switches an order's auto-renew.
    pub async fn set_order_auto_renew(
        &mut self,
        number: OrderNumber,
        on: bool,
    ) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query("UPDATE orders SET auto_renew = $2 WHERE number = $1")
                .bind(number.0)
                .bind(on)
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

    /// Gives an order the names of its newest reissue, for lists and search.
    pub async fn set_order_names(
        &mut self,
        order: &Order,
        common_name: &DnsName,
        names: &NameSet,
    ) -> Result<(), StoreError> {
        let json = to_json("orders.names", names)?;
        on!(self, |conn| {
            sqlx::query(
                "UPDATE orders SET common_name = $2, names = $3, names_key = $4 WHERE number = $1",
            )
            .bind(order.number.0)
            .bind(common_name.as_str())
            .bind(&json)
            .bind(names_key(names))
            .execute(&mut *conn)
            .await?;
            sqlx::query("DELETE FROM order_names WHERE order_number = $1")
                .bind(order.number.0)
                .execute(&mut *conn)
                .await?;
        });
        self.insert_order_names(&NamesOf {
            number: order.number,
            common_name,
            names,
            organization: order.organization,
            product: &order.product,
            ordered_at: order.ordered_at,
        })
        .await
    }
}

/// An order's names with what search repeats beside each.
struct NamesOf<'a> {
    number: OrderNumber,
    common_name: &'a DnsName,
    names: &'a NameSet,
    organization: OrganizationId,
    product: &'a ProductId,
    ordered_at: Timestamp,
}

#[cfg(test)]
mod tests;
