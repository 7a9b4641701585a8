//! Writing orders: the row, and one row for each name, for search, in one go.

use domain::model::{Coverage, KeyType, Order, OrderStatus, Origin, SignatureHash};
use domain::{
    AcmeAccountId, AcmeUrlId, Days, Name, NameSet, OrderNumber, OrganizationId, ProductId,
    ProfileId, Timestamp, UserId,
};

use crate::tx::{listed, with_rows};
use crate::value::{names_key, reversed, to_json};
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
    pub common_name: Name,
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
    /// The last second of its first certificate, where that is put on record in the same
    /// transaction: the order is as [`Tx::count_certificate`] would leave it.
    pub certificate_until: Option<Timestamp>,
}

impl NewOrder {
    /// The order as it is once it is inserted.
    fn order(&self, number: OrderNumber) -> Order {
        Order {
            number,
            organization: self.organization,
            product: self.product.clone(),
            common_name: self.common_name.clone(),
            names: self.names.clone(),
            status: self.status,
            origin: self.origin,
            coverage: self.coverage,
            ordered_at: self.ordered_at,
            issued_at: self.issued_at,
            renews: self.renews,
            renewed_by: None,
            auto_renew: self.auto_renew,
            validity_days: self.validity_days,
            key_type: self.key_type,
            signature_hash: self.signature_hash,
            acme_url: self.acme_url,
            requester: self.requester,
        }
    }
}

macro_rules! order_columns {
    () => {
        "organization_id, product_id, common_name, names, names_key, status, origin, \
         coverage_years, coverage_ends_at, ordered_at, issued_at, renews, auto_renew, \
         validity_days, key_type, signature_hash, acme_url_id, acme_account_id, profile_id, \
         requester_id, requester_name, idempotency_key, note, primary_not_after, valid_till, \
         certificates_count"
    };
}

macro_rules! order_values {
    () => {
        "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, \
         $20, $21, $22, $23, $24, $25, $26"
    };
}

macro_rules! insert {
    () => {
        concat!(
            "INSERT INTO orders (",
            order_columns!(),
            ") VALUES (",
            order_values!(),
            ") ON CONFLICT (idempotency_key) DO NOTHING"
        )
    };
}

macro_rules! insert_numbered {
    () => {
        concat!(
            "INSERT INTO orders (",
            order_columns!(),
            ", number) VALUES (",
            order_values!(),
            ", $28)"
        )
    };
}

/// A row for each of some names, each with its reverse; the other columns come from here.
macro_rules! names_listed {
    ($number:expr, $common_name:literal, $organization:literal, $product:literal, $ordered_at:literal) => {
        concat!(
            "INSERT INTO order_names (order_number, name, reversed, is_common_name, \
             organization_id, product_id, ordered_at) SELECT ",
            $number,
            ", value ->> 0, value ->> 1, value ->> 0 = ",
            $common_name,
            ", ",
            $organization,
            ", ",
            $product,
            ", ",
            $ordered_at,
            " FROM "
        )
    };
}

/// The names of an order that is being inserted.
macro_rules! names {
    ($number:expr) => {
        names_listed!($number, "$3", "$1", "$2", "$10")
    };
}

/// Binds what all texts share.
macro_rules! bind_order {
    ($sql:expr, $new:expr, $names:expr, $rows:expr) => {{
        let (new, names, rows): (&NewOrder, &str, &str) = ($new, $names, $rows);
        sqlx::query_scalar($sql)
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
            .bind(new.certificate_until.map(|until| until.0))
            .bind(new.certificate_until.map(|until| new.coverage.ends().unwrap_or(until).0))
            .bind(i64::from(new.certificate_until.is_some()))
            .bind(rows)
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
    pub async fn insert_order(&mut self, new: &NewOrder) -> Result<Option<Order>, StoreError> {
        let names = to_json("orders.names", &new.names)?;
        let rows = name_rows(&new.names)?;
        self.order_is_new();
        let number: Option<i64> = match new.number {
            None => {
                let sql = with_rows!(self, insert, "number", names, "$27", "order_number");
                on!(self, |conn| {
                    bind_order!(sql, new, &names, &rows).fetch_optional(&mut *conn).await?
                })
            }
            Some(number) => {
                let sql = with_rows!(self, insert_numbered, "number", names, "$27", "order_number");
                on!(self, |conn| {
                    bind_order!(sql, new, &names, &rows)
                        .bind(number.0)
                        .fetch_optional(&mut *conn)
                        .await?
                })
            }
        };
        Ok(number.map(|number| new.order(OrderNumber(number))))
    }

    /// Gives an order the names of its newest reissue, for lists and search.
    pub async fn set_order_names(
        &mut self,
        order: &Order,
        common_name: &Name,
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
        let rows = name_rows(names)?;
        let sql = if self.is_postgres() {
            concat!(names_listed!("$1", "$2", "$3", "$4", "$5"), listed!(postgres, "$6"))
        } else {
            concat!(names_listed!("$1", "$2", "$3", "$4", "$5"), listed!(sqlite, "$6"))
        };
        on!(self, |conn| {
            sqlx::query(sql)
                .bind(order.number.0)
                .bind(common_name.as_str())
                .bind(order.organization.0)
                .bind(order.product.as_str())
                .bind(order.ordered_at.0)
                .bind(&rows)
                .execute(&mut *conn)
                .await?;
        });
        Ok(())
    }
}

/// The names as [`listed!`] gives them: each with its reverse.
fn name_rows(names: &NameSet) -> Result<String, StoreError> {
    let rows: Vec<_> = names.iter().map(|name| (name.as_str(), reversed(name))).collect();
    to_json("order_names", &rows)
}
