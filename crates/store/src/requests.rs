//! Requests: what was asked for, and where its approval stands.

use domain::model::{
    Approval, KeyType, Request, RequestKind, RevocationReason, RevocationTarget, SignatureHash,
};
use domain::{
    CertificateId, Days, Name, NameSet, OrderNumber, OrganizationId, ProductId, RequestId,
    Timestamp, UserId,
};
use sqlx::QueryBuilder;

use crate::keyset::Rows;
use crate::value::{from_json, parse, parse_opt, small, to_json};
use crate::{StoreError, Tx, on};

/// What was asked for, in words of the request's own, so that it can be carried out later.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// The product.
    pub product: Option<ProductId>,
    /// The organization.
    pub organization: Option<OrganizationId>,
    /// The common name.
    pub common_name: Option<Name>,
    /// The names, the common name counted in.
    pub names: Option<NameSet>,
    /// The CSR in PEM.
    pub csr_pem: Option<String>,
    /// SHA-256 of the CSR's `SubjectPublicKeyInfo`, lower-case hex.
    pub spki_sha256: Option<String>,
    /// Years of a multi-year plan.
    pub coverage_years: Option<u8>,
    /// Validity, where it is not the product's longest.
    pub validity_days: Option<Days>,
    /// Subject key.
    pub key_type: Option<KeyType>,
    /// Signature hash.
    pub signature_hash: Option<SignatureHash>,
}

/// A request to be inserted.
#[derive(Debug, Clone)]
pub struct NewRequest {
    /// What is asked for.
    pub kind: RequestKind,
    /// The order that it made or acts on.
    pub order: OrderNumber,
    /// What a revocation takes back, and why.
    pub revocation: Option<(RevocationTarget, RevocationReason)>,
    /// Who asks.
    pub requester: Option<UserId>,
    /// The requester's name.
    pub requester_name: Option<String>,
    /// Pending, or approved where no reviewer is needed.
    pub approval: Approval,
    /// When.
    pub created_at: Timestamp,
    /// The requester's words to the reviewer.
    pub comment: Option<String>,
    /// The code of the rule that wants an approval.
    pub held_because: Option<String>,
    /// The details.
    pub wish: Wish,
    /// Whatever else the kind needs, as JSON.
    pub payload: String,
    /// At most one request has this key.
    pub idempotency_key: Option<String>,
}

/// A request with all its details.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRecord {
    /// The request.
    pub request: Request,
    /// The requester's name.
    pub requester_name: Option<String>,
    /// The reviewer's name.
    pub reviewer_name: Option<String>,
    /// The requester's words to the reviewer.
    pub comment: Option<String>,
    /// The reviewer's words.
    pub note: Option<String>,
    /// The code of the rule that wanted an approval.
    pub held_because: Option<String>,
    /// The details.
    pub wish: Wish,
    /// Whatever else the kind needs, as JSON.
    pub payload: String,
    /// The certificate that came of it.
    pub issued_certificate: Option<CertificateId>,
}

/// Which requests a list shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestFilter {
    /// Only in this state: `pending`, `approved`, `rejected`, `canceled`.
    pub status: Option<String>,
    /// Only of this kind.
    pub kind: Option<RequestKind>,
    /// Only by this person.
    pub requester: Option<UserId>,
    /// Only about this order.
    pub order: Option<OrderNumber>,
}

#[derive(sqlx::FromRow)]
struct RequestRow {
    id: i64,
    kind: String,
    status: String,
    order_number: Option<i64>,
    certificate_id: Option<i64>,
    requester_id: Option<i64>,
    requester_name: Option<String>,
    reviewer_id: Option<i64>,
    reviewer_name: Option<String>,
    created_at: i64,
    decided_at: Option<i64>,
    comment: Option<String>,
    note: Option<String>,
    held_because: Option<String>,
    product_id: Option<String>,
    organization_id: Option<i64>,
    common_name: Option<String>,
    names: Option<String>,
    csr_pem: Option<String>,
    spki_sha256: Option<String>,
    coverage_years: Option<i64>,
    validity_days: Option<i64>,
    key_type: Option<String>,
    signature_hash: Option<String>,
    revocation_reason: Option<String>,
    payload: String,
    issued_certificate_id: Option<i64>,
}

impl RequestRow {
    fn approval(&self) -> Result<Approval, StoreError> {
        let unreadable =
            || StoreError::corrupt(format_args!("requests.status is {:?}", self.status));
        let at = self.decided_at.map(Timestamp);
        Ok(match self.status.as_str() {
            "pending" => Approval::Pending,
            "approved" => Approval::Approved {
                by: self.reviewer_id.map(UserId),
                at: at.ok_or_else(unreadable)?,
            },
            "rejected" => Approval::Rejected {
                by: self.reviewer_id.map(UserId).ok_or_else(unreadable)?,
                at: at.ok_or_else(unreadable)?,
                reason: self.note.clone().unwrap_or_default(),
            },
            "canceled" => Approval::Canceled { at: at.ok_or_else(unreadable)? },
            _ => return Err(unreadable()),
        })
    }

    fn revocation(&self) -> Result<Option<(RevocationTarget, RevocationReason)>, StoreError> {
        let reason = parse_opt("requests.revocation_reason", self.revocation_reason.as_deref())?;
        let target = match self.certificate_id {
            Some(id) => RevocationTarget::Certificate { id: CertificateId(id) },
            None => RevocationTarget::Order,
        };
        Ok(reason.map(|reason| (target, reason)))
    }
}

impl TryFrom<RequestRow> for RequestRecord {
    type Error = StoreError;
    fn try_from(row: RequestRow) -> Result<Self, StoreError> {
        let request = Request {
            id: RequestId(row.id),
            kind: parse("requests.kind", &row.kind)?,
            order: row.order_number.map(OrderNumber).ok_or(StoreError::NotFound)?,
            requester: row.requester_id.map(UserId),
            approval: row.approval()?,
            created_at: Timestamp(row.created_at),
            revocation: row.revocation()?,
        };
        let years = row.coverage_years.map(|years| small("requests.coverage_years", years));
        let wish = Wish {
            product: row.product_id.map(ProductId),
            organization: row.organization_id.map(OrganizationId),
            common_name: parse_opt("requests.common_name", row.common_name.as_deref())?,
            names: row.names.map(|json| from_json("requests.names", &json)).transpose()?,
            csr_pem: row.csr_pem,
            spki_sha256: row.spki_sha256,
            coverage_years: years.transpose()?,
            validity_days: row.validity_days.map(Days),
            key_type: parse_opt("requests.key_type", row.key_type.as_deref())?,
            signature_hash: parse_opt("requests.signature_hash", row.signature_hash.as_deref())?,
        };
        Ok(Self {
            request,
            requester_name: row.requester_name,
            reviewer_name: row.reviewer_name,
            comment: row.comment,
            note: row.note,
            held_because: row.held_because,
            wish,
            payload: row.payload,
            issued_certificate: row.issued_certificate_id.map(CertificateId),
        })
    }
}

/// Columns of an approval: reviewer, moment, reason.
fn approval_columns(approval: &Approval) -> (Option<i64>, Option<i64>, Option<&str>) {
    match approval {
        Approval::Pending => (None, None, None),
        Approval::Approved { by, at } => (by.map(|id| id.0), Some(at.0), None),
        Approval::Rejected { by, at, reason } => (Some(by.0), Some(at.0), Some(reason)),
        Approval::Canceled { at } => (None, Some(at.0), None),
    }
}

const INSERT: &str = "INSERT INTO requests (kind, status, order_number, certificate_id, \
     requester_id, requester_name, reviewer_id, created_at, decided_at, comment, held_because, \
     product_id, organization_id, common_name, names, csr_pem, spki_sha256, coverage_years, \
     validity_days, key_type, signature_hash, revocation_reason, payload, idempotency_key) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, \
     $19, $20, $21, $22, $23, $24) ON CONFLICT (idempotency_key) DO NOTHING RETURNING id";

/// Appends the filter.
macro_rules! push_filter {
    ($query:expr, $filter:expr) => {{
        let (query, filter): (_, &RequestFilter) = (&mut $query, $filter);
        query.push(" WHERE order_number IS NOT NULL");
        if let Some(status) = &filter.status {
            query.push(" AND status = ").push_bind(status.clone());
        }
        if let Some(kind) = filter.kind {
            query.push(" AND kind = ").push_bind(kind.as_str());
        }
        if let Some(requester) = filter.requester {
            query.push(" AND requester_id = ").push_bind(requester.0);
        }
        if let Some(order) = filter.order {
            query.push(" AND order_number = ").push_bind(order.0);
        }
    }};
}

impl Tx {
    /// Inserts a request. None where its idempotency key is taken ([`Tx::request_by_key`] finds
    /// the first one).
    pub async fn insert_request(
        &mut self,
        new: &NewRequest,
    ) -> Result<Option<RequestId>, StoreError> {
        let (reviewer, decided_at, _) = approval_columns(&new.approval);
        let certificate = match new.revocation {
            Some((RevocationTarget::Certificate { id }, _)) => Some(id.0),
            _ => None,
        };
        let wish = &new.wish;
        let names =
            wish.names.as_ref().map(|names| to_json("requests.names", names)).transpose()?;
        let id: Option<i64> = on!(self, |conn| {
            sqlx::query_scalar(INSERT)
                .bind(new.kind.as_str())
                .bind(new.approval.as_str())
                .bind(new.order.0)
                .bind(certificate)
                .bind(new.requester.map(|id| id.0))
                .bind(new.requester_name.as_deref())
                .bind(reviewer)
                .bind(new.created_at.0)
                .bind(decided_at)
                .bind(new.comment.as_deref())
                .bind(new.held_because.as_deref())
                .bind(wish.product.as_ref().map(ProductId::as_str))
                .bind(wish.organization.map(|id| id.0))
                .bind(wish.common_name.as_ref().map(Name::as_str))
                .bind(names.as_deref())
                .bind(wish.csr_pem.as_deref())
                .bind(wish.spki_sha256.as_deref())
                .bind(wish.coverage_years.map(i64::from))
                .bind(wish.validity_days.map(|days| days.0))
                .bind(wish.key_type.map(KeyType::as_str))
                .bind(wish.signature_hash.map(SignatureHash::as_str))
                .bind(new.revocation.map(|(_, reason)| reason.as_str()))
                .bind(&new.payload)
                .bind(new.idempotency_key.as_deref())
                .fetch_optional(&mut *conn)
                .await?
        });
        Ok(id.map(RequestId))
    }

    /// One request.
    pub async fn request(&mut self, id: RequestId) -> Result<Option<RequestRecord>, StoreError> {
        let row: Option<RequestRow> = on!(self, |conn| {
            sqlx::query_as("SELECT * FROM requests WHERE id = $1")
                .bind(id.0)
                .fetch_optional(&mut *conn)
                .await?
        });
        row.map(RequestRecord::try_from).transpose()
    }

    /// The request with this idempotency key.
    pub async fn request_by_key(&mut self, key: &str) -> Result<Option<RequestRecord>, StoreError> {
        let row: Option<RequestRow> = on!(self, |conn| {
            sqlx::query_as("SELECT * FROM requests WHERE idempotency_key = $1")
                .bind(key)
                .fetch_optional(&mut *conn)
                .await?
        });
        row.map(RequestRecord::try_from).transpose()
    }

    /// Writes a reviewer's or the requester's decision; false where the request was decided
    /// before.
    pub async fn decide_request(
        &mut self,
        id: RequestId,
        approval: &Approval,
        by_name: Option<&str>,
        note: Option<&str>,
    ) -> Result<bool, StoreError> {
        let (reviewer, at, reason) = approval_columns(approval);
        let changed = on!(self, |conn| {
            sqlx::query(
                "UPDATE requests SET status = $2, reviewer_id = $3, reviewer_name = $4, \
                 decided_at = $5, note = $6 WHERE id = $1 AND status = 'pending'",
            )
            .bind(id.0)
            .bind(approval.as_str())
            .bind(reviewer)
            .bind(by_name)
            .bind(at)
            .bind(reason.or(note))
            .execute(&mut *conn)
            .await?
            .rows_affected()
        });
        Ok(changed == 1)
    }

    /// Puts another CSR, for the same names, in the place of the one that a request holds, and its
    /// kind of key with it, also on the order that the request would have issued; false where the
    /// request was decided before.
    pub async fn replace_request_csr(
        &mut self,
        id: RequestId,
        csr_pem: &str,
        spki_sha256: &str,
        key_type: Option<KeyType>,
    ) -> Result<bool, StoreError> {
        let changed = on!(self, |conn| {
            let changed = sqlx::query(
                "UPDATE requests SET csr_pem = $2, spki_sha256 = $3, key_type = $4 \
                 WHERE id = $1 AND status = 'pending'",
            )
            .bind(id.0)
            .bind(csr_pem)
            .bind(spki_sha256)
            .bind(key_type.map(KeyType::as_str))
            .execute(&mut *conn)
            .await?
            .rows_affected();
            if changed == 1 {
                sqlx::query(
                    "UPDATE orders SET key_type = coalesce($2, key_type) WHERE status = 'pending' \
                     AND number = (SELECT order_number FROM requests WHERE id = $1)",
                )
                .bind(id.0)
                .bind(key_type.map(KeyType::as_str))
                .execute(&mut *conn)
                .await?;
            }
            changed
        });
        Ok(changed == 1)
    }

    /// Notes the certificate that came of a request.
    pub async fn set_request_certificate(
        &mut self,
        id: RequestId,
        certificate: CertificateId,
    ) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query("UPDATE requests SET issued_certificate_id = $2 WHERE id = $1")
                .bind(id.0)
                .bind(certificate.0)
                .execute(&mut *conn)
                .await?;
        });
        Ok(())
    }

    /// One page of requests, sorted by id.
    pub async fn requests_page(
        &mut self,
        filter: &RequestFilter,
        rows: &Rows,
    ) -> Result<Vec<RequestRecord>, StoreError> {
        let rows: Vec<RequestRow> = on!(self, |conn| {
            let mut query = QueryBuilder::new("SELECT * FROM requests");
            push_filter!(query, filter);
            let (mark, direction) = if rows.descending { (" < ", " DESC") } else { (" > ", "") };
            if let Some((_, beyond)) = &rows.beyond {
                query.push(" AND id").push(mark).push_bind(*beyond);
            }
            query.push(" ORDER BY id").push(direction);
            query.push(format_args!(" LIMIT {}", rows.limit));
            query.build_query_as().fetch_all(&mut *conn).await?
        });
        rows.into_iter().map(RequestRecord::try_from).collect()
    }

    /// The request at this place of the list, the first one at 0; those before it are not read.
    pub async fn request_at(
        &mut self,
        filter: &RequestFilter,
        descending: bool,
        place: u64,
    ) -> Result<Option<RequestId>, StoreError> {
        let id: Option<i64> = on!(self, |conn| {
            let mut query = QueryBuilder::new("SELECT id FROM requests");
            push_filter!(query, filter);
            query.push(" ORDER BY id").push(if descending { " DESC" } else { "" });
            query.push(format_args!(" LIMIT 1 OFFSET {place}"));
            query.build_query_scalar().fetch_optional(&mut *conn).await?
        });
        Ok(id.map(RequestId))
    }

    /// How many requests the filter lets through.
    pub async fn count_requests(&mut self, filter: &RequestFilter) -> Result<u64, StoreError> {
        let count: i64 = on!(self, |conn| {
            let mut query = QueryBuilder::new("SELECT count(*) FROM requests");
            push_filter!(query, filter);
            query.build_query_scalar().fetch_one(&mut *conn).await?
        });
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// The requests about an order, newest first.
    pub async fn requests_of_order(
        &mut self,
        order: OrderNumber,
    ) -> Result<Vec<RequestRecord>, StoreError> {
        let filter = RequestFilter { order: Some(order), ..RequestFilter::default() };
        let rows = Rows { beyond: None, descending: true, limit: 500 };
        self.requests_page(&filter, &rows).await
    }
}
