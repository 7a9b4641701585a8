//! Loading many orders at once: history from another system, or synthetic load.
//!
//! All or nothing, in one transaction of its own. SQLite takes multi-row inserts and builds its
//! indexes anew where that is faster; PostgreSQL takes `COPY`. Nothing is decided or checked here
//! but what the schema checks.

use domain::Timestamp;
use domain::model::{
    Certificate, CertificateKind, CertificateStatus, Coverage, KeyType, OrderFile,
};
use sqlx::{Connection, PgConnection};

use self::rows::{AUDIT_LOG, CERTIFICATES, Cell, NAMES, ORDERS, Table, copy_text};
use crate::audit::NewAuditRow;
use crate::open::Backend;
use crate::value::{names_key, reversed, to_json};
use crate::{Store, StoreError};

mod rows;
mod sqlite;

/// Orders that are sent to the database together.
const CHUNK: usize = 2000;

/// An order with its certificates as it is loaded. The certificates' ids are given by the
/// database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadedOrder {
    /// The order and its certificates, oldest first.
    pub file: OrderFile,
    /// What is known of each certificate besides, in the same order; may be shorter.
    pub documents: Vec<Document>,
    /// Who asked for it, as text: they need not exist here.
    pub requester_name: Option<String>,
    /// The requester's words.
    pub note: Option<String>,
}

/// A loaded certificate itself; history may lack it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Document {
    /// PEM.
    pub pem: Option<String>,
    /// SHA-256 of the DER, lower-case hex.
    pub fingerprint_sha256: Option<String>,
    /// SHA-256 of the subject public key info, lower-case hex.
    pub spki_sha256: Option<String>,
    /// The subject key.
    pub key_type: Option<KeyType>,
}

/// Rows that wait to be sent.
#[derive(Debug, Default)]
struct Pending {
    orders: Vec<Vec<Cell>>,
    names: Vec<Vec<Cell>>,
    certificates: Vec<Vec<Cell>>,
}

/// Where rows go.
enum Target<'c> {
    Sqlite(&'c mut sqlx::SqliteConnection),
    Postgres(&'c mut PgConnection),
}

impl Store {
    /// Loads `orders`, about `expected` of them, and answers how many. `progress` is told the
    /// count from time to time. Their organizations must exist. A taken order number or serial is
    /// [`StoreError::Unique`], and nothing is loaded. With `entry` in the audit log: both or neither.
    ///
    /// On SQLite all other writers wait until it is done.
    pub async fn load_orders<I>(
        &self,
        orders: I,
        expected: u64,
        now: Timestamp,
        entry: Option<NewAuditRow>,
        mut progress: impl FnMut(u64) + Send,
    ) -> Result<u64, StoreError>
    where
        I: IntoIterator<Item = LoadedOrder> + Send,
        I::IntoIter: Send,
    {
        let orders = orders.into_iter();
        match self.backend() {
            Backend::Sqlite { options, .. } => {
                // Half a gigabyte of cache: sorted index builds read every loaded row again.
                let roomy = options.as_ref().clone().pragma("cache_size", "-524288");
                let mut connection = sqlx::SqliteConnection::connect_with(&roomy).await?;
                let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
                let set_aside = sqlite::set_indexes_aside(&mut transaction, expected).await?;
                let target = Target::Sqlite(&mut transaction);
                let loaded = load(target, orders, now, entry, &mut progress).await?;
                sqlite::build_indexes(&mut transaction, set_aside).await?;
                transaction.commit().await?;
                // What is loaded stays loaded, whatever becomes of this.
                if let Err(error) = sqlite::gather_statistics(&mut connection).await {
                    not_analyzed(&error);
                }
                if let Err(error) = connection.close().await {
                    tracing::warn!(error = ?error, "the connection of a load could not be closed");
                }
                Ok(loaded)
            }
            Backend::Postgres { writers, .. } => {
                let mut transaction = writers.begin().await?;
                let target = Target::Postgres(&mut transaction);
                let loaded = load(target, orders, now, entry, &mut progress).await?;
                advance_numbers(&mut transaction).await?;
                transaction.commit().await?;
                // What is loaded stays loaded, whatever becomes of this.
                if let Err(error) = vacuum(writers).await {
                    not_analyzed(&error);
                }
                Ok(loaded)
            }
        }
    }
}

/// What PostgreSQL would do by itself some minutes later: indexes are then read without a look at
/// each row's page.
async fn vacuum(writers: &sqlx::PgPool) -> Result<(), StoreError> {
    let mut connection = writers.acquire().await?;
    sqlx::query("VACUUM (ANALYZE) orders, order_names, certificates")
        .execute(&mut *connection)
        .await?;
    Ok(())
}

fn not_analyzed(error: &StoreError) {
    tracing::warn!(error = ?error, "the database's statistics could not be gathered after a load; lists may be slow for some minutes");
}

async fn load(
    mut target: Target<'_>,
    orders: impl Iterator<Item = LoadedOrder> + Send,
    now: Timestamp,
    entry: Option<NewAuditRow>,
    progress: &mut (impl FnMut(u64) + Send),
) -> Result<u64, StoreError> {
    let mut pending = Pending::default();
    let mut loaded = 0;
    for order in orders {
        pending.add(&order, now)?;
        loaded += 1;
        if pending.orders.len() == CHUNK {
            target.send(&mut pending).await?;
            progress(loaded);
        }
    }
    target.send(&mut pending).await?;
    if let Some(entry) = entry {
        target.insert(&AUDIT_LOG, vec![audit_row(&entry)]).await?;
    }
    progress(loaded);
    Ok(loaded)
}

fn audit_row(entry: &NewAuditRow) -> Vec<Cell> {
    vec![
        entry.at.0.into(),
        entry.actor_kind.into(),
        entry.actor_id.into(),
        entry.actor_name.as_str().into(),
        entry.address.as_deref().into(),
        entry.action.into(),
        entry.resource_kind.into(),
        entry.resource_id.as_str().into(),
        entry.old.as_deref().into(),
        entry.new.as_deref().into(),
        entry.description.as_str().into(),
    ]
}

impl Target<'_> {
    async fn send(&mut self, pending: &mut Pending) -> Result<(), StoreError> {
        self.insert(&ORDERS, std::mem::take(&mut pending.orders)).await?;
        self.insert(&NAMES, std::mem::take(&mut pending.names)).await?;
        self.insert(&CERTIFICATES, std::mem::take(&mut pending.certificates)).await
    }

    async fn insert(&mut self, table: &Table, rows: Vec<Vec<Cell>>) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(connection) => sqlite::insert(connection, table, rows).await,
            Self::Postgres(connection) => {
                let sql = format!("COPY {} ({}) FROM STDIN", table.name, table.columns.join(", "));
                let mut copy = connection.copy_in_raw(&sql).await?;
                copy.send(copy_text(&rows).into_bytes()).await?;
                copy.finish().await?;
                Ok(())
            }
        }
    }
}

impl Pending {
    fn add(&mut self, loaded: &LoadedOrder, now: Timestamp) -> Result<(), StoreError> {
        let OrderFile { order, certificates } = &loaded.file;
        self.orders.push(order_row(loaded)?);
        for name in order.names.iter() {
            self.names.push(vec![
                order.number.0.into(),
                name.as_str().into(),
                reversed(name).into(),
                Cell::Bool(*name == order.common_name),
                order.organization.0.into(),
                order.product.as_str().into(),
                order.ordered_at.0.into(),
            ]);
        }
        let none = Document::default();
        for (at, certificate) in certificates.iter().enumerate() {
            let document = loaded.documents.get(at).unwrap_or(&none);
            let row = certificate_row(certificate, document, now)?;
            self.certificates.push(row);
        }
        Ok(())
    }
}

fn certificate_row(
    certificate: &Certificate,
    document: &Document,
    now: Timestamp,
) -> Result<Vec<Cell>, StoreError> {
    let (due, reason, revoked) = match certificate.status {
        CertificateStatus::Issued => (None, None, None),
        CertificateStatus::RevocationPending { due } => (Some(due.0), None, None),
        CertificateStatus::Revoked { reason, at } => (None, Some(reason.as_str()), Some(at.0)),
    };
    Ok(vec![
        certificate.order.0.into(),
        certificate.kind.as_str().into(),
        certificate.serial.0.as_str().into(),
        certificate.common_name.as_str().into(),
        to_json("certificates.names", &certificate.names)?.into(),
        names_key(&certificate.names).into(),
        certificate.not_before.0.into(),
        certificate.not_after.0.into(),
        certificate.status.as_str().into(),
        due.into(),
        reason.into(),
        revoked.into(),
        document.pem.as_deref().into(),
        document.fingerprint_sha256.as_deref().into(),
        document.spki_sha256.as_deref().into(),
        document.key_type.map(KeyType::as_str).into(),
        certificate.not_before.0.into(),
        now.0.into(),
    ])
}

fn order_row(loaded: &LoadedOrder) -> Result<Vec<Cell>, StoreError> {
    let OrderFile { order, certificates } = &loaded.file;
    let (years, ends) = match order.coverage {
        Coverage::Single => (None, None),
        Coverage::MultiYear { years, ends } => (Some(i64::from(years)), Some(ends.0)),
    };
    let of_kind = |kind| certificates.iter().filter(|certificate| certificate.kind == kind).count();
    Ok(vec![
        order.number.0.into(),
        order.organization.0.into(),
        order.product.as_str().into(),
        order.common_name.as_str().into(),
        to_json("orders.names", &order.names)?.into(),
        names_key(&order.names).into(),
        order.status.as_str().into(),
        order.origin.as_str().into(),
        years.into(),
        ends.into(),
        order.ordered_at.0.into(),
        order.issued_at.map(|at| at.0).into(),
        loaded.file.valid_till().map(|at| at.0).into(),
        loaded.file.primary().map(|primary| primary.not_after.0).into(),
        order.renews.map(|number| number.0).into(),
        order.renewed_by.map(|number| number.0).into(),
        Cell::Bool(order.auto_renew),
        order.validity_days.map(|days| days.0).into(),
        order.key_type.as_str().into(),
        order.signature_hash.as_str().into(),
        order.acme_url.map(|id| id.0).into(),
        order.requester.map(|id| id.0).into(),
        loaded.requester_name.as_deref().into(),
        certificates.len().into(),
        of_kind(CertificateKind::Reissue).into(),
        of_kind(CertificateKind::Duplicate).into(),
        loaded.note.as_deref().into(),
    ])
}

/// Makes the next number follow the loaded ones, as SQLite does by itself.
async fn advance_numbers(connection: &mut PgConnection) -> Result<(), StoreError> {
    sqlx::query(
        "SELECT setval(pg_get_serial_sequence('orders', 'number'), max(number)) FROM orders \
         HAVING max(number) > (SELECT last_value FROM orders_number_seq)",
    )
    .execute(connection)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests;
