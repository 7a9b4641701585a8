//! Orders as `certdeck order list|show --json` prints them and `certdeck import orders` reads
//! them. Fields may be added, never renamed.

use domain::model::{
    CertificateKind, CertificateStatus, Coverage, OrderStatus, Origin, RevocationReason, Serial,
};
use domain::{Name, NameSet, OrderNumber, ProductId, Timestamp};
use serde::{Deserialize, Serialize};
use store::certificates::CertificateRecord;

use super::{OrderDetail, OrderFilter, OrderSort};
use crate::lists::{Key, PageOf};
use crate::{Actor, Lifecycle, Result};

/// An order with its certificates. Times are RFC 3339 in UTC, serials lower-case hex.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderView {
    /// Its number.
    pub number: OrderNumber,
    /// The product's id.
    pub product: ProductId,
    /// The organization's name.
    pub organization: String,
    /// The common name.
    pub common_name: Name,
    /// The names, the common name among them.
    pub sans: NameSet,
    /// Where it stands.
    pub status: OrderStatus,
    /// The door that it came through.
    pub origin: Origin,
    /// When it was asked for.
    #[serde(with = "rfc3339")]
    pub ordered_at: Timestamp,
    /// Years of a multi-year plan; none otherwise.
    pub coverage_years: Option<u8>,
    /// Until when the order is good: the plan's end, else the primary certificate's.
    #[serde(with = "rfc3339_opt", default)]
    pub coverage_ends_at: Option<Timestamp>,
    /// The order that it renews.
    pub renews: Option<OrderNumber>,
    /// The order that renewed it.
    pub renewed_by: Option<OrderNumber>,
    /// Its certificates, oldest first.
    pub certificates: Vec<CertificateView>,
}

/// One certificate of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateView {
    /// What it is to the order.
    pub kind: CertificateKind,
    /// Its serial number.
    pub serial: Serial,
    /// Its common name.
    pub common_name: Name,
    /// Its names, the common name among them.
    pub sans: NameSet,
    /// First second of validity.
    #[serde(with = "rfc3339")]
    pub not_before: Timestamp,
    /// Last second of validity.
    #[serde(with = "rfc3339")]
    pub not_after: Timestamp,
    /// `issued`, `revocation_pending` or `revoked`.
    pub status: String,
    /// When an announced revocation is due.
    #[serde(with = "rfc3339_opt", default, skip_serializing_if = "Option::is_none")]
    pub revocation_due_at: Option<Timestamp>,
    /// When it was revoked.
    #[serde(with = "rfc3339_opt", default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
    /// Why it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revocation_reason: Option<RevocationReason>,
    /// The certificate in PEM; none for imported history without it.
    pub pem: Option<String>,
}

impl From<&OrderDetail> for OrderView {
    fn from(detail: &OrderDetail) -> Self {
        let order = &detail.record.order;
        Self {
            number: order.number,
            product: order.product.clone(),
            organization: detail.organization.clone(),
            common_name: order.common_name.clone(),
            sans: order.names.clone(),
            status: order.status,
            origin: order.origin,
            ordered_at: order.ordered_at,
            coverage_years: match order.coverage {
                Coverage::MultiYear { years, .. } => Some(years),
                Coverage::Single => None,
            },
            coverage_ends_at: detail.record.valid_till,
            renews: order.renews,
            renewed_by: order.renewed_by,
            certificates: detail.certificates.iter().map(CertificateView::from).collect(),
        }
    }
}

impl From<&CertificateRecord> for CertificateView {
    fn from(record: &CertificateRecord) -> Self {
        let one = &record.certificate;
        let mut view = Self {
            kind: one.kind,
            serial: one.serial.clone(),
            common_name: one.common_name.clone(),
            sans: one.names.clone(),
            not_before: one.not_before,
            not_after: one.not_after,
            status: one.status.as_str().to_owned(),
            revocation_due_at: None,
            revoked_at: None,
            revocation_reason: None,
            pem: record.pem.clone(),
        };
        match one.status {
            CertificateStatus::Issued => {}
            CertificateStatus::RevocationPending { due } => view.revocation_due_at = Some(due),
            CertificateStatus::Revoked { reason, at } => {
                view.revoked_at = Some(at);
                view.revocation_reason = Some(reason);
            }
        }
        view
    }
}

impl Lifecycle {
    /// One order as JSON has it.
    pub async fn order_view(&self, actor: &Actor, number: OrderNumber) -> Result<OrderView> {
        Ok(OrderView::from(&self.order(actor, number).await?))
    }

    /// A piece of all orders by number, behind `after`; empty at the end.
    pub async fn order_views(
        &self,
        actor: &Actor,
        after: Option<OrderNumber>,
        size: u32,
    ) -> Result<Vec<OrderView>> {
        let page = PageOf {
            beyond: after.map(|number| (Key::Number(number.0), number.0)),
            ..PageOf::first(OrderSort::Number, u16::try_from(size).unwrap_or(1_000))
        };
        let rows = self.orders(actor, OrderFilter::default(), &page).await?.rows;
        let mut views = Vec::with_capacity(rows.len());
        for row in rows {
            views.push(self.order_view(actor, row.order.number).await?);
        }
        Ok(views)
    }
}

/// Moments as RFC 3339 in UTC.
mod rfc3339 {
    use domain::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
    pub fn serialize<S: Serializer>(moment: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&moment.rfc3339())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(from)?;
        Timestamp::parse_rfc3339(&text).ok_or_else(|| {
            D::Error::custom("a time must be RFC 3339, such as 2026-11-22T08:30:00Z")
        })
    }
}

/// Moments that may be absent.
mod rfc3339_opt {
    use domain::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[expect(clippy::ref_option, reason = "the signature that serde calls")]
    pub fn serialize<S: Serializer>(moment: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
        match moment {
            Some(moment) => to.serialize_str(&moment.rfc3339()),
            None => to.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
        let Some(text) = Option::<String>::deserialize(from)? else { return Ok(None) };
        Timestamp::parse_rfc3339(&text).map(Some).ok_or_else(|| {
            D::Error::custom("a time must be RFC 3339, such as 2026-11-22T08:30:00Z")
        })
    }
}
