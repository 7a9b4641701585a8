//! The issuance cycle: a serial is reserved and the plan stored before anything is signed. The plan
//! is kept until its certificate is on record.

use domain::model::{CertificateKind, Serial};
use domain::{AcmeAccountId, IssuanceId, OrderNumber, RequestId, Timestamp};

use crate::certificates::compromised;
use crate::value::parse;
use crate::{StoreError, Tx, on};

/// A plan to be reserved.
#[derive(Debug, Clone)]
pub struct NewIssuance {
    /// The serial that will be signed.
    pub serial: Serial,
    /// The request that it is for.
    pub request: Option<RequestId>,
    /// The order that it is for.
    pub order: OrderNumber,
    /// What the certificate will be to the order.
    pub kind: CertificateKind,
    /// The plan as JSON.
    pub plan: String,
    /// SHA-256 of the public key, in lower-case hex.
    pub spki_sha256: String,
    /// The ACME account that asked.
    pub acme_account: Option<AcmeAccountId>,
    /// At most one issuance has this key.
    pub idempotency_key: Option<String>,
}

/// A reserved issuance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuance {
    /// Its id.
    pub id: IssuanceId,
    /// The reserved serial.
    pub serial: Serial,
    /// The request that it is for.
    pub request: Option<RequestId>,
    /// The order that it is for.
    pub order: OrderNumber,
    /// What the certificate will be to the order.
    pub kind: CertificateKind,
    /// The plan as JSON; empty where the state is `issued`.
    pub plan: String,
    /// `reserved`, `issued` or `void`.
    pub state: String,
    /// When it was reserved.
    pub created_at: Timestamp,
}

#[derive(sqlx::FromRow)]
struct IssuanceRow {
    id: i64,
    serial: String,
    request_id: Option<i64>,
    order_number: i64,
    kind: String,
    plan: String,
    state: String,
    created_at: i64,
}

impl TryFrom<IssuanceRow> for Issuance {
    type Error = StoreError;
    fn try_from(row: IssuanceRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: IssuanceId(row.id),
            serial: Serial(row.serial),
            request: row.request_id.map(RequestId),
            order: OrderNumber(row.order_number),
            kind: parse("issuances.kind", &row.kind)?,
            plan: row.plan,
            state: row.state,
            created_at: Timestamp(row.created_at),
        })
    }
}

const COLUMNS: &str = "id, serial, request_id, order_number, kind, plan, state, created_at";

impl Tx {
    /// Reserves a serial with its plan. None where the idempotency key is taken
    /// ([`Tx::issuance_by_key`] finds it), or the public key is known to be compromised
    /// ([`Tx::key_is_compromised`]).
    pub async fn reserve_issuance(
        &mut self,
        new: &NewIssuance,
        now: Timestamp,
    ) -> Result<Option<IssuanceId>, StoreError> {
        let id: Option<i64> = on!(self, |conn| {
            sqlx::query_scalar(concat!(
                "INSERT INTO issuances (serial, request_id, order_number, kind, plan, state, \
                 idempotency_key, created_at) SELECT $1, $2, $3, $4, $5, 'reserved', $6, $7 WHERE NOT ",
                compromised!("$8", "$9"),
                " ON CONFLICT (idempotency_key) DO NOTHING RETURNING id",
            ))
            .bind(&new.serial.0)
            .bind(new.request.map(|id| id.0))
            .bind(new.order.0)
            .bind(new.kind.as_str())
            .bind(&new.plan)
            .bind(new.idempotency_key.as_deref())
            .bind(now.0)
            .bind(&new.spki_sha256)
            .bind(new.acme_account.map(|id| id.0))
            .fetch_optional(&mut *conn)
            .await?
        });
        Ok(id.map(IssuanceId))
    }

    /// The issuance with this idempotency key.
    pub async fn issuance_by_key(&mut self, key: &str) -> Result<Option<Issuance>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM issuances WHERE idempotency_key = $1"
        ));
        let row: Option<IssuanceRow> =
            on!(self, |conn| sqlx::query_as(sql).bind(key).fetch_optional(&mut *conn).await?);
        row.map(Issuance::try_from).transpose()
    }

    /// The idempotency key that begins with `claim` and `#`, where an issuance or a held request has
    /// one.
    pub async fn key_of_claim(&mut self, claim: &str) -> Result<Option<String>, StoreError> {
        // The next character behind `#` bounds all that begins so: both columns are sorted by bytes.
        let (from, until) = (format!("{claim}#"), format!("{claim}$"));
        Ok(on!(self, |conn| {
            sqlx::query_scalar(
                "SELECT idempotency_key FROM issuances WHERE idempotency_key >= $1 AND idempotency_key < $2 \
                 UNION ALL SELECT idempotency_key FROM requests \
                 WHERE idempotency_key >= $1 AND idempotency_key < $2 LIMIT 1",
            )
            .bind(from)
            .bind(until)
            .fetch_optional(&mut *conn)
            .await?
        }))
    }

    /// Whether an issuance or a held request has this idempotency key.
    pub async fn key_was_used(&mut self, key: &str) -> Result<bool, StoreError> {
        Ok(on!(self, |conn| {
            sqlx::query_scalar(
                "SELECT EXISTS (SELECT 1 FROM issuances WHERE idempotency_key = $1) \
                 OR EXISTS (SELECT 1 FROM requests WHERE idempotency_key = $1)",
            )
            .bind(key)
            .fetch_one(&mut *conn)
            .await?
        }))
    }

    /// Issuances that were reserved at `before` or earlier and not finished, oldest first.
    pub async fn open_issuances(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<Issuance>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM issuances WHERE state = 'reserved' AND created_at <= $1 \
             ORDER BY id LIMIT $2"
        ));
        let rows: Vec<IssuanceRow> = on!(self, |conn| {
            sqlx::query_as(sql).bind(before.0).bind(i64::from(limit)).fetch_all(&mut *conn).await?
        });
        rows.into_iter().map(Issuance::try_from).collect()
    }

    /// Whether an order waits for a signature.
    pub async fn order_has_open_issuance(
        &mut self,
        order: OrderNumber,
    ) -> Result<bool, StoreError> {
        let id: Option<i64> = on!(self, |conn| {
            sqlx::query_scalar(
                "SELECT id FROM issuances WHERE order_number = $1 AND state = 'reserved' LIMIT 1",
            )
            .bind(order.0)
            .fetch_optional(&mut *conn)
            .await?
        });
        Ok(id.is_some())
    }

    /// The plans of an order's reissues that wait for a signature.
    pub async fn open_reissues(&mut self, order: OrderNumber) -> Result<Vec<String>, StoreError> {
        Ok(on!(self, |conn| {
            sqlx::query_scalar(
                "SELECT plan FROM issuances WHERE order_number = $1 AND state = 'reserved' \
                 AND kind = 'reissue'",
            )
            .bind(order.0)
            .fetch_all(&mut *conn)
            .await?
        }))
    }

    /// Ends a reserved issuance as `issued` or `void`; false where it was ended before.
    pub async fn finish_issuance(
        &mut self,
        id: IssuanceId,
        issued: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = on!(self, |conn| {
            sqlx::query(
                "UPDATE issuances SET state = $2, finished_at = $3, \
                 plan = CASE WHEN $2 = 'issued' THEN '' ELSE plan END \
                 WHERE id = $1 AND state = 'reserved'",
            )
            .bind(id.0)
            .bind(if issued { "issued" } else { "void" })
            .bind(now.0)
            .execute(&mut *conn)
            .await?
            .rows_affected()
        });
        Ok(changed == 1)
    }
}
