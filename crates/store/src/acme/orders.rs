//! ACME orders (RFC 8555 section 7.1.3): not to be confused with the portal's orders.

use domain::model::acme::{AcmeOrder, AcmeOrderStatus, DEFAULT_PROFILE, NewAcmeOrder};
use domain::rules::{Action, DirectoryAction};
use domain::{
    AcmeAccountId, AcmeOrderId, AcmeUrlId, CertificateId, OrderNumber, RequestId, Timestamp,
};

use crate::tx::with_rows;
use crate::value::{from_json, names_key, parse, parse_opt, to_json};
use crate::{StoreError, Tx, on};

/// An ACME order to be inserted.
#[derive(Debug, Clone)]
pub struct NewAcmeOrderRow {
    /// Whose it is.
    pub account: AcmeAccountId,
    /// The ACME Directory URL that it comes through.
    pub url: AcmeUrlId,
    /// What was asked for.
    pub wanted: NewAcmeOrder,
    /// Pending, or ready where all authorizations are valid.
    pub status: AcmeOrderStatus,
    /// When it becomes invalid unless it is finished.
    pub expires_at: Timestamp,
    /// Its authorizations.
    pub authorizations: Vec<i64>,
    /// When.
    pub created_at: Timestamp,
}

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    id: i64,
    account_id: i64,
    acme_url_id: Option<i64>,
    status: String,
    identifiers: String,
    profile: Option<String>,
    replaces: Option<String>,
    action: Option<String>,
    action_order: Option<i64>,
    expires_at: i64,
    error: Option<String>,
    certificate_id: Option<i64>,
    order_number: Option<i64>,
    request_id: Option<i64>,
    explanation: Option<String>,
    finalize_claimed_at: Option<i64>,
    created_at: i64,
    waits: bool,
    /// Numbers with commas between them.
    authorizations: Option<String>,
}

fn asked(action: Option<&str>, order: Option<i64>) -> Result<Option<DirectoryAction>, StoreError> {
    let Some(action) = parse_opt::<Action>("acme_orders.action", action)? else { return Ok(None) };
    DirectoryAction::new(action, order.map(OrderNumber))
        .map(Some)
        .ok_or_else(|| StoreError::corrupt("acme_orders.action_order is absent"))
}

impl Row {
    pub(super) fn order(self) -> Result<AcmeOrder, StoreError> {
        let authorizations = self
            .authorizations
            .iter()
            .flat_map(|ids| ids.split(','))
            .map(|id| id.parse().map_err(|_| StoreError::corrupt("an authorization's number")))
            .collect::<Result<_, _>>()?;
        let url = self
            .acme_url_id
            .ok_or_else(|| StoreError::corrupt("acme_orders.acme_url_id is absent"))?;
        Ok(AcmeOrder {
            id: AcmeOrderId(self.id),
            account: AcmeAccountId(self.account_id),
            url: AcmeUrlId(url),
            status: parse("acme_orders.status", &self.status)?,
            identifiers: from_json("acme_orders.identifiers", &self.identifiers)?,
            profile: self.profile.unwrap_or_else(|| DEFAULT_PROFILE.to_owned()),
            replaces: self.replaces,
            asked: asked(self.action.as_deref(), self.action_order)?,
            expires_at: Timestamp(self.expires_at),
            error: self.error.map(|json| from_json("acme_orders.error", &json)).transpose()?,
            authorizations,
            certificate: self.certificate_id.map(CertificateId),
            order_number: self.order_number.map(OrderNumber),
            request: self.request_id.map(RequestId),
            explanation: self.explanation,
            waits: self.waits,
            claimed_at: self.finalize_claimed_at.map(Timestamp),
            created_at: Timestamp(self.created_at),
        })
    }
}

/// Whether the renewal under the order `$number` is held for a reviewer.
macro_rules! renewal_is_held {
    ($number:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM requests r WHERE r.order_number = ",
            $number,
            " AND r.status = 'pending' AND r.kind = 'renew')"
        )
    };
}

/// Whether an order waits for a renewal that is held for a reviewer, and not its own.
macro_rules! waits {
    () => {
        concat!(
            "(acme_orders.status = 'processing' AND acme_orders.request_id IS NULL AND ",
            renewal_is_held!("acme_orders.order_number"),
            ")"
        )
    };
}
pub(super) use renewal_is_held;
pub(super) use waits;

/// The columns of a [`Row`].
macro_rules! columns {
    () => {
        concat!(
            "id, account_id, acme_url_id, status, identifiers, profile, \
         replaces, action, action_order, expires_at, error, certificate_id, order_number, request_id, \
         explanation, finalize_claimed_at, created_at, ",
            waits!(),
            " AS waits, \
         (SELECT string_agg(CAST(l.authorization_id AS TEXT), ',' ORDER BY l.authorization_id) \
         FROM acme_order_authorizations l WHERE l.acme_order_id = acme_orders.id) AS authorizations"
        )
    };
}
pub(super) use columns;

macro_rules! insert {
    () => {
        "INSERT INTO acme_orders (account_id, acme_url_id, status, identifiers, names_key, profile, \
         replaces, action, action_order, expires_at, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
    };
}

/// Identifiers may share an authorization.
macro_rules! links {
    ($order:expr) => {
        concat!(
            "INSERT INTO acme_order_authorizations (acme_order_id, authorization_id) \
             SELECT DISTINCT ",
            $order,
            ", CAST(CAST(value AS TEXT) AS BIGINT) FROM "
        )
    };
}

/// `SELECT` of a [`Row`], with the given tail.
macro_rules! select {
    ($tail:literal) => {
        concat!("SELECT ", columns!(), " FROM acme_orders ", $tail)
    };
}

impl Tx {
    /// Inserts an ACME order with the links to its authorizations.
    pub async fn insert_acme_order(
        &mut self,
        new: &NewAcmeOrderRow,
    ) -> Result<AcmeOrderId, StoreError> {
        let wanted = &new.wanted;
        let identifiers = to_json("acme_orders.identifiers", &wanted.identifiers)?;
        let authorizations = to_json("acme_order_authorizations", &new.authorizations)?;
        let sql = with_rows!(self, insert, "id", links, "$12", "acme_order_id");
        let id: i64 = on!(self, |conn| {
            sqlx::query_scalar(sql)
                .bind(new.account.0)
                .bind(new.url.0)
                .bind(new.status.as_str())
                .bind(&identifiers)
                .bind(names_key(&wanted.names()))
                .bind(&wanted.profile)
                .bind(wanted.replaces.as_deref())
                .bind(wanted.asked.map(|asked| asked.action().as_str()))
                .bind(wanted.asked.and_then(DirectoryAction::order).map(|order| order.0))
                .bind(new.expires_at.0)
                .bind(new.created_at.0)
                .bind(&authorizations)
                .fetch_one(&mut *conn)
                .await?
        });
        Ok(AcmeOrderId(id))
    }

    /// One ACME order.
    pub async fn acme_order(&mut self, id: AcmeOrderId) -> Result<Option<AcmeOrder>, StoreError> {
        let row: Option<Row> = on!(self, |conn| {
            sqlx::query_as(select!("WHERE id = $1")).bind(id.0).fetch_optional(&mut *conn).await?
        });
        row.map(Row::order).transpose()
    }

    /// The order that replaces a certificate (RFC 9773 section 5), where one does: one that was
    /// finalized, whoever's it is, or else an open one of the `account`.
    pub async fn acme_order_replacing(
        &mut self,
        certificate: &str,
        account: Option<AcmeAccountId>,
    ) -> Result<Option<AcmeOrderId>, StoreError> {
        let id: Option<i64> = on!(self, |conn| {
            sqlx::query_scalar(
                "SELECT id FROM acme_orders WHERE replaces = $1 AND (status IN ('processing', 'valid') \
                 OR (status IN ('pending', 'ready') AND account_id = $2)) \
                 ORDER BY CASE WHEN status IN ('pending', 'ready') THEN 1 ELSE 0 END LIMIT 1",
            )
            .bind(certificate)
            .bind(account.map(|id| id.0))
            .fetch_optional(&mut *conn)
            .await?
        });
        Ok(id.map(AcmeOrderId))
    }

    /// The orders that wait for a reviewer, with what they wait for: of an account, of a URL, or of
    /// both.
    pub async fn held_acme_orders(
        &mut self,
        account: Option<AcmeAccountId>,
        url: Option<AcmeUrlId>,
    ) -> Result<Vec<(AcmeOrderId, RequestId)>, StoreError> {
        let rows: Vec<(i64, i64)> = on!(self, |conn| {
            sqlx::query_as(
                // For SQLite the open states are named and the plus signs set: without the former it
                // can't use their index, without the latter it takes one that holds all orders.
                "SELECT id, request_id FROM acme_orders WHERE status = 'processing' \
                 AND status IN ('pending', 'ready', 'processing') AND +request_id IS NOT NULL \
                 AND ($1 IS NULL OR +account_id = $1) \
                 AND ($2 IS NULL OR +acme_url_id = $2) \
                 ORDER BY +id",
            )
            .bind(account.map(|id| id.0))
            .bind(url.map(|id| id.0))
            .fetch_all(&mut *conn)
            .await?
        });
        Ok(rows.into_iter().map(|(id, request)| (AcmeOrderId(id), RequestId(request))).collect())
    }

    /// Whether the renewal under an order is held for a reviewer.
    pub async fn renewal_is_held(&mut self, order: OrderNumber) -> Result<bool, StoreError> {
        Ok(on!(self, |conn| {
            sqlx::query_scalar(concat!("SELECT ", renewal_is_held!("$1")))
                .bind(order.0)
                .fetch_one(&mut *conn)
                .await?
        }))
    }

    /// A page of an account's orders, newest first, from the one before `before` on; those that
    /// came to nothing are left out (RFC 8555 section 7.1.2.1).
    pub async fn acme_order_ids(
        &mut self,
        account: AcmeAccountId,
        before: Option<AcmeOrderId>,
        limit: i64,
    ) -> Result<Vec<AcmeOrderId>, StoreError> {
        let ids: Vec<i64> = on!(self, |conn| {
            sqlx::query_scalar(
                "SELECT id FROM acme_orders WHERE account_id = $1 AND id < $2 AND status <> 'invalid' \
                 ORDER BY id DESC LIMIT $3",
            )
            .bind(account.0)
            .bind(before.map_or(i64::MAX, |id| id.0))
            .bind(limit)
            .fetch_all(&mut *conn)
            .await?
        });
        Ok(ids.into_iter().map(AcmeOrderId).collect())
    }

    /// A page of a URL's orders, newest first, from the one before `before` on.
    pub async fn acme_orders_of_url(
        &mut self,
        url: AcmeUrlId,
        before: Option<AcmeOrderId>,
        limit: i64,
    ) -> Result<Vec<AcmeOrder>, StoreError> {
        let rows: Vec<Row> = on!(self, |conn| {
            sqlx::query_as(select!("WHERE acme_url_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3"))
                .bind(url.0)
                .bind(before.map_or(i64::MAX, |id| id.0))
                .bind(limit)
                .fetch_all(&mut *conn)
                .await?
        });
        rows.into_iter().map(Row::order).collect()
    }

    /// The certificate of an account's order, in PEM, and its issuer; none where it has none, or is
    /// another's.
    pub async fn acme_certificate_pem(
        &mut self,
        account: AcmeAccountId,
        id: AcmeOrderId,
    ) -> Result<Option<(String, Option<String>)>, StoreError> {
        let row: Option<(Option<String>, Option<String>)> = on!(self, |conn| {
            sqlx::query_as(
                "SELECT c.pem, c.issuer_id FROM acme_orders o JOIN certificates c ON c.id = o.certificate_id \
                 WHERE o.id = $1 AND o.account_id = $2",
            )
            .bind(id.0)
            .bind(account.0)
            .fetch_optional(&mut *conn)
            .await?
        });
        Ok(row.and_then(|(pem, issuer)| Some((pem?, issuer))))
    }

    /// Puts another CSR in the place of the one that an order was claimed with, while it is
    /// processing.
    pub async fn replace_acme_order_csr(
        &mut self,
        id: AcmeOrderId,
        csr: &[u8],
    ) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query(
                "UPDATE acme_orders SET csr_der = $2 WHERE id = $1 AND status = 'processing'",
            )
            .bind(id.0)
            .bind(csr)
            .execute(&mut *conn)
            .await?;
        });
        Ok(())
    }

    /// The CSR of an order that was claimed.
    pub async fn acme_order_csr(&mut self, id: AcmeOrderId) -> Result<Option<Vec<u8>>, StoreError> {
        let csr: Option<Option<Vec<u8>>> = on!(self, |conn| {
            sqlx::query_scalar("SELECT csr_der FROM acme_orders WHERE id = $1")
                .bind(id.0)
                .fetch_optional(&mut *conn)
                .await?
        });
        Ok(csr.flatten())
    }
}
