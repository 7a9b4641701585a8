//! Certificates of orders, and what has become of them.

mod keys;

use domain::model::{
    Certificate, CertificateKind, CertificateStatus, KeyType, RevocationReason, Serial,
};
use domain::{
    AcmeAccountId, CertificateId, EndpointId, Name, NameSet, OrderNumber, RequestId, Timestamp,
    UserId,
};

use crate::one_text::{self, OfValues as _, row};
use crate::value::{from_json, names_key, parse, parse_opt, to_json};
use crate::{StoreError, Tx, on};

/// A certificate to be inserted.
#[derive(Debug, Clone)]
pub struct NewCertificate {
    /// The order that it belongs to.
    pub order: OrderNumber,
    /// What it is to the order.
    pub kind: CertificateKind,
    /// Its serial number.
    pub serial: Serial,
    /// Its common name.
    pub common_name: Name,
    /// Its names, the common name counted in.
    pub names: NameSet,
    /// Start of validity.
    pub not_before: Timestamp,
    /// Its last valid second.
    pub not_after: Timestamp,
    /// What has become of it: imported history may be revoked already.
    pub status: CertificateStatus,
    /// The id of the authority that issued it; none for imported history.
    pub issuer: Option<String>,
    /// PEM, without the chain; none for imported history without it.
    pub pem: Option<String>,
    /// SHA-256 of the DER, lower-case hex.
    pub fingerprint_sha256: Option<String>,
    /// SHA-256 of the `SubjectPublicKeyInfo`, lower-case hex.
    pub spki_sha256: Option<String>,
    /// Its key's type.
    pub key_type: Option<KeyType>,
    /// The request that it came of.
    pub request: Option<RequestId>,
    /// The person who asked.
    pub requester: Option<UserId>,
    /// The ACME account that asked.
    pub acme_account: Option<AcmeAccountId>,
    /// The endpoint that it is for.
    pub endpoint: Option<EndpointId>,
    /// When it was issued.
    pub issued_at: Timestamp,
}

/// A certificate with what the order's page shows beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateRecord {
    /// The certificate.
    pub certificate: Certificate,
    /// The id of the authority that issued it.
    pub issuer: Option<String>,
    /// PEM, without the chain.
    pub pem: Option<String>,
    /// SHA-256 of the DER, lower-case hex.
    pub fingerprint_sha256: Option<String>,
    /// SHA-256 of the `SubjectPublicKeyInfo`, lower-case hex.
    pub spki_sha256: Option<String>,
    /// Its key's type.
    pub key_type: Option<KeyType>,
    /// The request that it came of.
    pub request: Option<RequestId>,
    /// The person who asked.
    pub requester: Option<UserId>,
    /// The ACME account that asked.
    pub acme_account: Option<AcmeAccountId>,
    /// The endpoint that it is for.
    pub endpoint: Option<EndpointId>,
    /// When it was issued.
    pub issued_at: Timestamp,
}

/// A revoked certificate, as a CRL lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevokedCertificate {
    /// Its serial number.
    pub serial: Serial,
    /// Why.
    pub reason: RevocationReason,
    /// When.
    pub at: Timestamp,
}

const RECORD: &str = "id, order_number, kind, serial, common_name, names, not_before, not_after, \
     status, revocation_due_at, revocation_reason, revoked_at, issuer_id, pem, \
     fingerprint_sha256, spki_sha256, key_type, request_id, requester_id, acme_account_id, \
     endpoint_id, issued_at";

row! {
    #[derive(sqlx::FromRow)]
    pub(crate) struct CertificateRow of "certificates" {
        id: i64,
        order_number: i64,
        kind: String,
        serial: String,
        common_name: String,
        names: String,
        not_before: i64,
        not_after: i64,
        status: String,
        revocation_due_at: Option<i64>,
        revocation_reason: Option<String>,
        revoked_at: Option<i64>,
    }
}

#[derive(sqlx::FromRow)]
struct RecordRow {
    #[sqlx(flatten)]
    base: CertificateRow,
    issuer_id: Option<String>,
    pem: Option<String>,
    fingerprint_sha256: Option<String>,
    spki_sha256: Option<String>,
    key_type: Option<String>,
    request_id: Option<i64>,
    requester_id: Option<i64>,
    acme_account_id: Option<i64>,
    endpoint_id: Option<i64>,
    issued_at: i64,
}

#[derive(sqlx::FromRow)]
struct RevokedRow {
    serial: String,
    revocation_reason: Option<String>,
    revoked_at: Option<i64>,
}

impl CertificateRow {
    fn status(&self) -> Result<CertificateStatus, StoreError> {
        let unreadable =
            || StoreError::corrupt(format_args!("certificates.status is {:?}", self.status));
        match self.status.as_str() {
            "issued" => Ok(CertificateStatus::Issued),
            "revocation_pending" => self
                .revocation_due_at
                .map(|due| CertificateStatus::RevocationPending { due: Timestamp(due) })
                .ok_or_else(unreadable),
            "revoked" => Ok(CertificateStatus::Revoked {
                reason: reason(self.revocation_reason.as_deref())?,
                at: self.revoked_at.map(Timestamp).ok_or_else(unreadable)?,
            }),
            _ => Err(unreadable()),
        }
    }
}

fn reason(text: Option<&str>) -> Result<RevocationReason, StoreError> {
    Ok(parse_opt("certificates.revocation_reason", text)?.unwrap_or(RevocationReason::Unspecified))
}

impl TryFrom<CertificateRow> for Certificate {
    type Error = StoreError;
    fn try_from(row: CertificateRow) -> Result<Self, StoreError> {
        Ok(Self {
            status: row.status()?,
            id: CertificateId(row.id),
            order: OrderNumber(row.order_number),
            kind: parse("certificates.kind", &row.kind)?,
            serial: Serial(row.serial),
            common_name: parse("certificates.common_name", &row.common_name)?,
            names: from_json("certificates.names", &row.names)?,
            not_before: Timestamp(row.not_before),
            not_after: Timestamp(row.not_after),
        })
    }
}

/// The statement for certificates without their bytes; `from` stands behind the columns.
fn certificates(from: &str) -> sqlx::AssertSqlSafe<String> {
    sqlx::AssertSqlSafe(CertificateRow::columns().select(from))
}

impl TryFrom<RecordRow> for CertificateRecord {
    type Error = StoreError;
    fn try_from(row: RecordRow) -> Result<Self, StoreError> {
        Ok(Self {
            certificate: row.base.try_into()?,
            issuer: row.issuer_id,
            pem: row.pem,
            fingerprint_sha256: row.fingerprint_sha256,
            spki_sha256: row.spki_sha256,
            key_type: parse_opt("certificates.key_type", row.key_type.as_deref())?,
            request: row.request_id.map(RequestId),
            requester: row.requester_id.map(UserId),
            acme_account: row.acme_account_id.map(AcmeAccountId),
            endpoint: row.endpoint_id.map(EndpointId),
            issued_at: Timestamp(row.issued_at),
        })
    }
}

/// The status columns: status, due, reason, revoked at.
type StatusColumns = (&'static str, Option<i64>, Option<&'static str>, Option<i64>);

const fn status_columns(status: CertificateStatus) -> StatusColumns {
    let code = status.as_str();
    match status {
        CertificateStatus::Issued => (code, None, None, None),
        CertificateStatus::RevocationPending { due } => {
            (code, Some(due.0), Some(RevocationReason::Superseded.as_str()), None)
        }
        CertificateStatus::Revoked { reason, at } => {
            (code, None, Some(reason.as_str()), Some(at.0))
        }
    }
}

/// Whether the key with this SHA-256 is known to be compromised: to everybody, or because this ACME
/// account says so.
macro_rules! compromised {
    ($spki_sha256:literal, $account:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM certificates WHERE revocation_reason = 'key_compromise' \
             AND spki_sha256 = ",
            $spki_sha256,
            " AND (NOT compromise_claimed OR acme_account_id = ",
            $account,
            "))"
        )
    };
}
pub(crate) use compromised;

impl Tx {
    /// Inserts a certificate; none where its key is known to be compromised
    /// ([`Tx::key_is_compromised`]), unless it was `promised` when that was not known yet.
    /// [`StoreError::Unique`] where its serial is on record already.
    pub async fn insert_certificate(
        &mut self,
        new: &NewCertificate,
        promised: bool,
    ) -> Result<Option<CertificateId>, StoreError> {
        let names = to_json("certificates.names", &new.names)?;
        let (status, due, reason, revoked) = status_columns(new.status);
        let id: Option<i64> = on!(self, |conn| {
            sqlx::query_scalar(concat!(
                "INSERT INTO certificates (order_number, kind, serial, common_name, names, \
                 names_key, not_before, not_after, status, revocation_due_at, revocation_reason, \
                 revoked_at, issuer_id, pem, fingerprint_sha256, spki_sha256, key_type, \
                 request_id, requester_id, acme_account_id, endpoint_id, issued_at, created_at) \
                 SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, \
                 $17, $18, $19, $20, $21, $22, $22 WHERE $23 OR NOT ",
                compromised!("$16", "$20"),
                " RETURNING id",
            ))
            .bind(new.order.0)
            .bind(new.kind.as_str())
            .bind(&new.serial.0)
            .bind(new.common_name.as_str())
            .bind(&names)
            .bind(names_key(&new.names))
            .bind(new.not_before.0)
            .bind(new.not_after.0)
            .bind(status)
            .bind(due)
            .bind(reason)
            .bind(revoked)
            .bind(new.issuer.as_deref())
            .bind(new.pem.as_deref())
            .bind(new.fingerprint_sha256.as_deref())
            .bind(new.spki_sha256.as_deref())
            .bind(new.key_type.map(KeyType::as_str))
            .bind(new.request.map(|id| id.0))
            .bind(new.requester.map(|id| id.0))
            .bind(new.acme_account.map(|id| id.0))
            .bind(new.endpoint.map(|id| id.0))
            .bind(new.issued_at.0)
            .bind(promised)
            .fetch_optional(&mut *conn)
            .await?
        });
        Ok(id.map(CertificateId))
    }

    /// The certificates of an order, oldest first.
    pub async fn certificates_of_order(
        &mut self,
        number: OrderNumber,
    ) -> Result<Vec<Certificate>, StoreError> {
        let sql = certificates("FROM certificates WHERE order_number = $1 ORDER BY id");
        let texts =
            on!(self, |conn| sqlx::query_as(sql).bind(number.0).fetch_all(&mut *conn).await?);
        one_text::made_of::<CertificateRow, _>(texts)
    }

    /// The certificates of an order with their bytes, oldest first.
    pub async fn certificate_records_of_order(
        &mut self,
        number: OrderNumber,
    ) -> Result<Vec<CertificateRecord>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!(
            "SELECT {RECORD} FROM certificates WHERE order_number = $1 ORDER BY id"
        ));
        let rows: Vec<RecordRow> =
            on!(self, |conn| sqlx::query_as(sql).bind(number.0).fetch_all(&mut *conn).await?);
        rows.into_iter().map(CertificateRecord::try_from).collect()
    }

    async fn certificate_where(
        &mut self,
        condition: &'static str,
        value: &str,
    ) -> Result<Option<CertificateRecord>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!(
            "SELECT {RECORD} FROM certificates WHERE {condition} ORDER BY id LIMIT 1"
        ));
        let row: Option<RecordRow> =
            on!(self, |conn| sqlx::query_as(sql).bind(value).fetch_optional(&mut *conn).await?);
        row.map(CertificateRecord::try_from).transpose()
    }

    /// One certificate.
    pub async fn certificate(
        &mut self,
        id: CertificateId,
    ) -> Result<Option<CertificateRecord>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!("SELECT {RECORD} FROM certificates WHERE id = $1"));
        let row: Option<RecordRow> =
            on!(self, |conn| sqlx::query_as(sql).bind(id.0).fetch_optional(&mut *conn).await?);
        row.map(CertificateRecord::try_from).transpose()
    }

    /// The certificate with this serial.
    pub async fn certificate_by_serial(
        &mut self,
        serial: &Serial,
    ) -> Result<Option<CertificateRecord>, StoreError> {
        self.certificate_where("serial = $1", &serial.0).await
    }

    /// Those of the certificates with these serials, one at least, that this authority issued.
    pub async fn certificates_of_issuer(
        &mut self,
        issuer: &str,
        serials: &[&Serial],
    ) -> Result<Vec<Certificate>, StoreError> {
        let places: Vec<String> =
            (2..=serials.len() + 1).map(|place| format!("${place}")).collect();
        let sql = certificates(&format!(
            "FROM certificates WHERE issuer_id = $1 AND serial IN ({})",
            places.join(", ")
        ));
        let texts = on!(self, |conn| {
            let mut query = sqlx::query_as(sql).bind(issuer);
            for serial in serials {
                query = query.bind(&serial.0);
            }
            query.fetch_all(&mut *conn).await?
        });
        one_text::made_of::<CertificateRow, _>(texts)
    }

    /// The certificate whose DER has this SHA-256, in lower-case hex.
    pub async fn certificate_by_fingerprint(
        &mut self,
        sha256: &str,
    ) -> Result<Option<CertificateRecord>, StoreError> {
        self.certificate_where("fingerprint_sha256 = $1", sha256).await
    }

    /// Writes a certificate's new state; false where it was revoked already (a revocation is
    /// never taken back). With a revocation its issuer's CRL is outdated.
    pub async fn set_certificate_status(
        &mut self,
        id: CertificateId,
        status: CertificateStatus,
    ) -> Result<bool, StoreError> {
        let (code, due, reason, revoked) = status_columns(status);
        let changed = on!(self, |conn| {
            sqlx::query(
                "UPDATE certificates SET status = $2, revocation_due_at = $3, \
                 revocation_reason = $4, revoked_at = $5 WHERE id = $1 AND status <> 'revoked'",
            )
            .bind(id.0)
            .bind(code)
            .bind(due)
            .bind(reason)
            .bind(revoked)
            .execute(&mut *conn)
            .await?
            .rows_affected()
        });
        if changed == 1 && matches!(status, CertificateStatus::Revoked { .. }) {
            self.outdate_crl(id).await?;
        }
        Ok(changed == 1)
    }

    /// Marks the list of a certificate's issuer as outdated.
    async fn outdate_crl(&mut self, id: CertificateId) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query(
                "UPDATE authorities SET crl_outdated = TRUE \
                 WHERE id = (SELECT issuer_id FROM certificates WHERE id = $1)",
            )
            .bind(id.0)
            .execute(&mut *conn)
            .await?;
        });
        Ok(())
    }

    /// Certificates whose announced revocation is due, at most `limit`.
    pub async fn due_revocations(
        &mut self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Certificate>, StoreError> {
        let sql = certificates(
            "FROM certificates WHERE status = 'revocation_pending' \
             AND revocation_due_at <= $1 ORDER BY revocation_due_at LIMIT $2",
        );
        let texts = on!(self, |conn| {
            sqlx::query_as(sql).bind(now.0).bind(i64::from(limit)).fetch_all(&mut *conn).await?
        });
        one_text::made_of::<CertificateRow, _>(texts)
    }

    /// The revoked certificates of an issuer that had not expired at `since`, for the CRL that this
    /// transaction makes. Waits for the revocations that are being written; those that come later
    /// find the CRL outdated.
    pub async fn revoked_for_crl(
        &mut self,
        issuer: &str,
        since: Timestamp,
    ) -> Result<Vec<RevokedCertificate>, StoreError> {
        on!(self, |conn| {
            sqlx::query("UPDATE authorities SET crl_outdated = FALSE WHERE id = $1")
                .bind(issuer)
                .execute(&mut *conn)
                .await?;
        });
        let rows: Vec<RevokedRow> = on!(self, |conn| {
            sqlx::query_as(
                "SELECT serial, revocation_reason, revoked_at FROM certificates \
                 WHERE status = 'revoked' AND issuer_id = $1 AND not_after >= $2",
            )
            .bind(issuer)
            .bind(since.0)
            .fetch_all(&mut *conn)
            .await?
        });
        rows.into_iter()
            .map(|row| {
                Ok(RevokedCertificate {
                    serial: Serial(row.serial),
                    reason: reason(row.revocation_reason.as_deref())?,
                    at: row.revoked_at.map(Timestamp).ok_or(StoreError::NotFound)?,
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
