//! Moving ACME orders on, from state to state (RFC 8555 section 7.1.6), and those that are due.

use domain::model::acme::{AcmeOrder, AcmeOrderStatus, Fault};
use domain::{
    AcmeAccountId, AcmeOrderId, CertificateId, NameSet, OrderNumber, RequestId, Timestamp,
};

use super::orders::{Row, columns, renewal_is_held, waits};
use crate::value::{names_key, parse, to_json};
use crate::{StoreError, Tx, on};

/// A finalize of an order.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    /// The order.
    pub order: AcmeOrderId,
    /// Whose it must be.
    pub account: AcmeAccountId,
    /// The CSR in DER.
    pub csr: &'a [u8],
    /// What the CSR asks for: the order's names, all of them and no others.
    pub names: &'a NameSet,
    /// RFC 7638, of the CSR's key, where accounts can have such a key.
    pub thumbprint: Option<&'a str>,
    /// When.
    pub at: Timestamp,
}

/// What a finalize came to, as far as it is known.
#[derive(Debug, Clone, Default)]
pub struct AcmeOrderOutcome {
    /// The portal's order that it made or acts on.
    pub order_number: Option<OrderNumber>,
    /// The request that it made.
    pub request: Option<RequestId>,
    /// How the action was chosen, as JSON.
    pub explanation: Option<String>,
    /// The certificate, with which the order is valid.
    pub certificate: Option<CertificateId>,
}

/// The authorizations of the order `$1` that are not valid at a moment.
macro_rules! not_valid_at {
    ($moment:literal) => {
        concat!(
            " FROM acme_order_authorizations l JOIN acme_authorizations a ON a.id = l.authorization_id \
             WHERE l.acme_order_id = $1 AND (a.status <> 'valid' OR a.expires_at <= ",
            $moment,
            ")"
        )
    };
}

/// The order `$1` of the account `$2`, where it can be finalized.
macro_rules! claimable {
    () => {
        concat!(
            "SELECT ",
            columns!(),
            " FROM acme_orders WHERE id = $1 AND account_id = $2 AND status = 'ready' \
             AND expires_at > $3 AND names_key = $5 AND NOT EXISTS (SELECT 1",
            not_valid_at!("$3"),
            ") AND NOT EXISTS (SELECT 1 FROM acme_accounts WHERE thumbprint = $4)"
        )
    };
}

impl Tx {
    /// An account's order that can be finalized, its row locked. None where it is not ready or its
    /// time is over, where it has other names, where [`Tx::unauthorized_identifier`] has one to name,
    /// or where an account has the CSR's key. [`Tx::note_acme_outcome`] then takes it on.
    pub async fn claim_acme_order(
        &mut self,
        claim: Claim<'_>,
    ) -> Result<Option<AcmeOrder>, StoreError> {
        let sql =
            if self.is_postgres() { concat!(claimable!(), " FOR UPDATE") } else { claimable!() };
        let row: Option<Row> = on!(self, |conn| {
            sqlx::query_as(sql)
                .bind(claim.order.0)
                .bind(claim.account.0)
                .bind(claim.at.0)
                .bind(claim.thumbprint)
                .bind(names_key(claim.names))
                .fetch_optional(&mut *conn)
                .await?
        });
        row.map(Row::order).transpose()
    }

    /// Keeps what a finalize decided: the order is processing, or valid where its certificate is
    /// there. `claim` is what took it from ready, where that was just now.
    pub async fn note_acme_outcome(
        &mut self,
        id: AcmeOrderId,
        claim: Option<Claim<'_>>,
        outcome: &AcmeOrderOutcome,
    ) -> Result<(), StoreError> {
        on!(self, |conn| {
            sqlx::query(
                "UPDATE acme_orders SET order_number = COALESCE($2, order_number), \
                 request_id = COALESCE($3, request_id), explanation = COALESCE($4, explanation), \
                 certificate_id = COALESCE($5, certificate_id), \
                 csr_der = COALESCE($6, csr_der), \
                 finalize_claimed_at = COALESCE($7, finalize_claimed_at), \
                 status = CASE WHEN $5 IS NULL THEN 'processing' ELSE 'valid' END WHERE id = $1",
            )
            .bind(id.0)
            .bind(outcome.order_number.map(|number| number.0))
            .bind(outcome.request.map(|request| request.0))
            .bind(outcome.explanation.as_deref())
            .bind(outcome.certificate.map(|id| id.0))
            .bind(claim.map(|claim| claim.csr))
            .bind(claim.map(|claim| claim.at.0))
            .execute(&mut *conn)
            .await?;
        });
        Ok(())
    }

    /// Gives a processing order its certificate; false where it is not processing.
    pub async fn complete_acme_order(
        &mut self,
        id: AcmeOrderId,
        certificate: CertificateId,
    ) -> Result<bool, StoreError> {
        let changed = on!(self, |conn| {
            sqlx::query("UPDATE acme_orders SET status = 'valid', certificate_id = $2 WHERE id = $1 AND status = 'processing'")
                .bind(id.0)
                .bind(certificate.0)
                .execute(&mut *conn)
                .await?
                .rows_affected()
        });
        Ok(changed > 0)
    }

    /// Ends an order that nobody has finalized yet, with an error, at `at`; false where it is past
    /// that.
    pub async fn fail_open_acme_order(
        &mut self,
        id: AcmeOrderId,
        fault: &Fault,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.fail_from(id, fault, at, ["pending", "ready"]).await
    }

    /// Ends an order that is being issued or waits for a reviewer, with an error, at `at`; false
    /// where it is not.
    pub async fn fail_processing_acme_order(
        &mut self,
        id: AcmeOrderId,
        fault: &Fault,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.fail_from(id, fault, at, ["processing", "processing"]).await
    }

    async fn fail_from(
        &mut self,
        id: AcmeOrderId,
        fault: &Fault,
        at: Timestamp,
        [one, other]: [&str; 2],
    ) -> Result<bool, StoreError> {
        let error = to_json("acme_orders.error", fault)?;
        let changed = on!(self, |conn| {
            sqlx::query(
                "UPDATE acme_orders SET status = 'invalid', error = $2, ended_at = $5 \
                 WHERE id = $1 AND status IN ($3, $4)",
            )
            .bind(id.0)
            .bind(&error)
            .bind(one)
            .bind(other)
            .bind(at.0)
            .execute(&mut *conn)
            .await?
            .rows_affected()
        });
        Ok(changed > 0)
    }

    /// Makes a pending order ready if all its authorizations are valid now; false where not.
    /// The caller holds the order's lock.
    pub async fn promote_acme_order(
        &mut self,
        id: AcmeOrderId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = on!(self, |conn| {
            sqlx::query(concat!(
                "UPDATE acme_orders SET status = 'ready' \
                     WHERE id = $1 AND status = 'pending' AND NOT EXISTS (SELECT 1",
                not_valid_at!("$2"),
                ")"
            ))
            .bind(id.0)
            .bind(now.0)
            .execute(&mut *conn)
            .await?
            .rows_affected()
        });
        Ok(changed > 0)
    }

    /// One of an order's identifiers whose authorization is not valid now; none where all are.
    pub async fn unauthorized_identifier(
        &mut self,
        id: AcmeOrderId,
        now: Timestamp,
    ) -> Result<Option<String>, StoreError> {
        Ok(on!(self, |conn| {
            sqlx::query_scalar(concat!(
                "SELECT a.identifier_value",
                not_valid_at!("$2"),
                " LIMIT 1"
            ))
            .bind(id.0)
            .bind(now.0)
            .fetch_optional(&mut *conn)
            .await?
        }))
    }

    /// The pending and ready orders that need an authorization.
    pub async fn open_orders_of_authorization(
        &mut self,
        authorization: i64,
    ) -> Result<Vec<AcmeOrderId>, StoreError> {
        let ids: Vec<i64> = on!(self, |conn| {
            sqlx::query_scalar(
                "SELECT o.id FROM acme_order_authorizations l JOIN acme_orders o ON o.id = l.acme_order_id \
                 WHERE l.authorization_id = $1 AND o.status IN ('pending', 'ready') ORDER BY o.id",
            )
            .bind(authorization)
            .fetch_all(&mut *conn)
            .await?
        });
        Ok(ids.into_iter().map(AcmeOrderId).collect())
    }

    /// Pending and ready orders whose time is over, and behind them processing ones of before
    /// `claimed`, oldest first, at most `limit`. Those that wait for a reviewer since `asked` or later
    /// are left out, whoever asked for what they wait for.
    pub async fn stale_acme_orders(
        &mut self,
        now: Timestamp,
        claimed: Timestamp,
        asked: Timestamp,
        limit: i64,
    ) -> Result<Vec<(AcmeOrderId, AcmeOrderStatus)>, StoreError> {
        let rows: Vec<(i64, String)> = on!(self, |conn| {
            // The open states are named before all else: without, SQLite reads all orders.
            sqlx::query_as(concat!(
                "SELECT id, status FROM acme_orders WHERE status IN ('pending', 'ready', 'processing') \
                 AND ((status IN ('pending', 'ready') AND expires_at <= $1) \
                 OR (status = 'processing' AND finalize_claimed_at <= $2 \
                 AND NOT (", waits!(), " AND finalize_claimed_at >= $3) AND NOT EXISTS \
                 (SELECT 1 FROM requests r WHERE r.id = acme_orders.request_id AND r.status = 'pending' \
                 AND r.created_at >= $3))) \
                 ORDER BY CASE status WHEN 'processing' THEN 1 ELSE 0 END, id LIMIT $4",
            ))
            .bind(now.0)
            .bind(claimed.0)
            .bind(asked.0)
            .bind(limit)
            .fetch_all(&mut *conn)
            .await?
        });
        rows.into_iter()
            .map(|(id, status)| Ok((AcmeOrderId(id), parse("acme_orders.status", &status)?)))
            .collect()
    }
}
