//! An order with its primary certificate alone: what the rules of detection look at. An order may
//! have thousands of duplicates, and reading them would cost each request.

use domain::model::{CertificateKind, OrderFile};
use domain::{CertificateId, OrderNumber};

use crate::{StoreError, Tx, on};

impl Tx {
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
