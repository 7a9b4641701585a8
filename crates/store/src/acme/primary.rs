//! An order with its primary certificate alone: what the rules of detection look at. An order may
//! have thousands of duplicates, and reading them would cost each request.

use std::collections::HashMap;

use domain::model::{CertificateKind, OrderFile, OrderStatus};
use domain::{CertificateId, OrderNumber};

use crate::value::parse;
use crate::{StoreError, Tx, on};

impl Tx {
    /// The orders that renewed `first`, one after the other to the end, with their states: read at
    /// once, since a chain grows for years.
    pub async fn renewals_of(
        &mut self,
        first: OrderNumber,
    ) -> Result<Vec<(OrderNumber, OrderStatus)>, StoreError> {
        // UNION drops what was met before, so that bad data can't make a circle of it.
        let rows: Vec<(i64, String, Option<i64>)> = on!(self, |conn| {
            sqlx::query_as(
                "WITH RECURSIVE chain (number, status, renewed_by) AS (\
                 SELECT number, status, renewed_by FROM orders WHERE number = $1 UNION \
                 SELECT o.number, o.status, o.renewed_by FROM chain c JOIN orders o ON o.number = c.renewed_by) \
                 SELECT number, status, renewed_by FROM chain",
            )
            .bind(first.0)
            .fetch_all(&mut *conn)
            .await?
        });
        let mut links: HashMap<i64, (String, Option<i64>)> =
            rows.into_iter().map(|(number, status, next)| (number, (status, next))).collect();
        let mut next = links.remove(&first.0).and_then(|(_, next)| next);
        let mut chain = Vec::with_capacity(links.len());
        while let Some((number, (status, after))) =
            next.and_then(|number| Some((number, links.remove(&number)?)))
        {
            chain.push((OrderNumber(number), parse("orders.status", &status)?));
            next = after;
        }
        Ok(chain)
    }

    /// An order with its original and, where there is one, its newest reissue; without duplicates.
    pub async fn primary_file(
        &mut self,
        number: OrderNumber,
    ) -> Result<Option<OrderFile>, StoreError> {
        let Some(record) = self.order_record(number).await? else { return Ok(None) };
        let mut certificates = Vec::new();
        for (kind, there) in [
            (CertificateKind::Original, record.certificates > 0),
            (CertificateKind::Reissue, record.reissues > 0),
        ] {
            if !there {
                continue;
            }
            let id: Option<i64> = on!(self, |conn| {
                sqlx::query_scalar(match kind {
                    CertificateKind::Original => {
                        "SELECT id FROM certificates WHERE order_number = $1 AND kind = $2 ORDER BY id LIMIT 1"
                    }
                    _ => "SELECT id FROM certificates WHERE order_number = $1 AND kind = $2 ORDER BY id DESC LIMIT 1",
                })
                .bind(number.0)
                .bind(kind.as_str())
                .fetch_optional(&mut *conn)
                .await?
            });
            if let Some(id) = id {
                certificates.extend(
                    self.certificate(CertificateId(id)).await?.map(|found| found.certificate),
                );
            }
        }
        Ok(Some(OrderFile { order: record.order, certificates }))
    }
}
