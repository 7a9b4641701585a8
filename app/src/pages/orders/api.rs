//! Orders as their pages show them.

use domain::model::{CertificateKind, CertificateStatus, KeyType, OrderStatus, Origin};
use domain::rules::Explanation;
use domain::{
    CertificateId, EndpointId, NameSet, OrderNumber, OrganizationId, ProductId, RequestId,
    Timestamp,
};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::fault::PortalError;
use crate::pages::paged::Paged;

/// Keys that the list is sorted by.
pub const SORTS: [&str; 4] = ["-number", "ordered", "expires", "name"];

/// An order in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRow {
    /// Its number.
    pub number: OrderNumber,
    /// Where it stands.
    pub status: OrderStatus,
    /// The common name.
    pub common_name: String,
    /// How many names there are besides.
    pub more_names: usize,
    /// The name that was searched for and found, where it is another one.
    pub found: Option<String>,
    /// What was bought.
    pub product: ProductId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// Whose it is, by name.
    pub organization_name: String,
    /// Until when it is good.
    pub valid_till: Option<Timestamp>,
    /// Until when its primary certificate is: in a multi-year plan, not as long.
    pub certificate_till: Option<Timestamp>,
    /// How many originals, reissues and duplicates.
    pub certificates: [i64; 3],
    /// The order that renewed it.
    pub renewed_by: Option<OrderNumber>,
    /// The door.
    pub origin: Origin,
    /// Who asked.
    pub requester: Option<String>,
    /// When.
    pub ordered_at: Timestamp,
}

/// One certificate of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateRow {
    /// Its id.
    pub id: CertificateId,
    /// What it is to the order.
    pub kind: CertificateKind,
    /// Its serial number.
    pub serial: String,
    /// Its fingerprint.
    pub fingerprint: Option<String>,
    /// Its common name.
    pub common_name: String,
    /// Its names.
    pub names: NameSet,
    /// First second of validity.
    pub not_before: Timestamp,
    /// Last second of validity.
    pub not_after: Timestamp,
    /// What has become of it.
    pub status: CertificateStatus,
    /// Its key.
    pub key: Option<KeyType>,
    /// The endpoints that serve it, with their addresses.
    pub installed: Vec<(EndpointId, String)>,
    /// Who asked for it.
    pub requester: String,
    /// Whether it can be downloaded.
    pub has_file: bool,
}

/// A request about an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestLine {
    /// Its id.
    pub id: RequestId,
    /// What was asked for.
    pub kind: String,
    /// Where it stands.
    pub state: String,
    /// Who asked.
    pub requester: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// An order in a chain of renewals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KinView {
    /// Its number.
    pub number: OrderNumber,
    /// Where it stands and until when it is good, where the reader may see it.
    pub state: Option<(OrderStatus, Option<Timestamp>)>,
}

/// A decision with its moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExplainedLine {
    /// When it was asked for.
    pub at: Timestamp,
    /// `acme` or `automation`.
    pub door: String,
    /// The reasons.
    pub explanation: Explanation,
}

/// The certificate actions: none where offered, else the refusal's words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionsView {
    /// "Request duplicate".
    pub duplicate: Option<String>,
    /// "Reissue certificate".
    pub reissue: Option<String>,
    /// "Renew certificate".
    pub renew: Option<String>,
    /// "Revoke certificate".
    pub revoke: Option<String>,
}

/// An order with all that its page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderDetail {
    /// The order as in the list.
    pub row: OrderRow,
    /// Its names.
    pub names: NameSet,
    /// Years of a multi-year plan.
    pub coverage_years: Option<u8>,
    /// The order that it renews.
    pub renews: Option<OrderNumber>,
    /// The requester's words.
    pub note: Option<String>,
    /// Its certificates, oldest first.
    pub certificates: Vec<CertificateRow>,
    /// The chain of renewals, oldest first.
    pub lineage: Vec<KinView>,
    /// Requests about it, newest first.
    pub requests: Vec<RequestLine>,
    /// Decisions, newest first.
    pub explanations: Vec<ExplainedLine>,
    /// What can be done.
    pub actions: ActionsView,
    /// Whether duplicates take extra names (rule D6).
    pub duplicate_takes_names: bool,
    /// A token for a form on the page.
    pub form_token: String,
}

/// A page of orders.
#[server(prefix = "/api", endpoint = "orders/list")]
pub async fn orders(query: String) -> Result<Paged<OrderRow>, PortalError> {
    let desk = crate::desk::Desk::open()?;
    super::list::read::page(&desk, &query).await
}

/// One order.
#[server(prefix = "/api", endpoint = "orders/one")]
pub async fn order(number: i64) -> Result<OrderDetail, PortalError> {
    let desk = crate::desk::Desk::open()?;
    let detail = desk.lifecycle.order(&desk.actor(), OrderNumber(number)).await?;
    Ok(OrderDetail::from(detail))
}

#[cfg(feature = "ssr")]
mod reading {
    use std::collections::BTreeMap;

    use domain::model::{CertificateKind, Coverage};
    use domain::{Product, Refusal, UserId};
    use lifecycle::orders::{
        Actions, CertificateRecord, Installed, ListedOrder, OrderDetail as Detail, RequestRecord,
    };

    use super::{
        ActionsView, CertificateRow, ExplainedLine, KinView, OrderDetail, OrderRow, RequestLine,
    };

    use crate::kit::NONE;
    use crate::pages::endpoints::address;

    impl OrderRow {
        /// A row.
        pub(crate) fn of(order: ListedOrder) -> Self {
            let others = order.reissues + order.duplicates;
            Self {
                number: order.number,
                status: order.status,
                common_name: order.common_name,
                more_names: order.names.saturating_sub(1),
                found: None,
                product: order.product,
                organization: order.organization,
                organization_name: order.organization_name,
                valid_till: order.valid_till,
                certificate_till: order.certificate_till,
                certificates: [order.certificates - others, order.reissues, order.duplicates],
                renewed_by: order.renewed_by,
                origin: order.origin,
                requester: order.requester_name,
                ordered_at: order.ordered_at,
            }
        }
    }

    impl From<Detail> for OrderDetail {
        fn from(detail: Detail) -> Self {
            let order = detail.record.order.clone();
            let product = Product::find(order.product.as_str());
            let requester = detail.record.requester_name.clone();
            let note = detail.record.note.clone();
            let (people, installed) = (detail.people, detail.installed);
            let row = OrderRow::of(ListedOrder::of(detail.record, detail.organization));
            Self {
                names: order.names,
                coverage_years: match order.coverage {
                    Coverage::MultiYear { years, .. } => Some(years),
                    Coverage::Single => None,
                },
                renews: order.renews,
                note,
                certificates: detail
                    .certificates
                    .into_iter()
                    .map(|one| certificate(one, &people, requester.as_deref(), &installed))
                    .collect(),
                lineage: detail
                    .lineage
                    .into_iter()
                    .map(|one| KinView { number: one.number, state: one.state })
                    .collect(),
                requests: detail.requests.into_iter().map(request).collect(),
                explanations: detail
                    .explanations
                    .into_iter()
                    .map(|one| ExplainedLine {
                        at: one.at,
                        door: one.door,
                        explanation: one.explanation,
                    })
                    .collect(),
                actions: actions(detail.actions),
                duplicate_takes_names: product
                    .is_some_and(|product| product.duplicate_may_add_names),
                form_token: lifecycle::ask::form_token(),
                row,
            }
        }
    }

    /// `people` are the names of those who asked. A first certificate without one was asked for by
    /// whoever placed the order: the operator, or history does not tell.
    fn certificate(
        record: CertificateRecord,
        people: &BTreeMap<UserId, String>,
        order_requester: Option<&str>,
        installed: &[Installed],
    ) -> CertificateRow {
        let name = record.requester.and_then(|user| people.get(&user)).cloned();
        let first = record.certificate.kind == CertificateKind::Original;
        let requester = match (record.acme_account, name) {
            (Some(account), _) => format!("ACME account {account}"),
            (None, Some(name)) => name,
            (None, None) => order_requester.filter(|_| first).unwrap_or(NONE).to_owned(),
        };
        let one = record.certificate;
        let places = installed.iter().filter(|place| place.certificate == one.id);
        let installed = places.map(|place| (place.endpoint, address(&place.ip, place.port)));
        let installed = installed.collect();
        CertificateRow {
            id: one.id,
            kind: one.kind,
            serial: one.serial.0,
            fingerprint: record.fingerprint_sha256,
            common_name: one.common_name.to_string(),
            names: one.names,
            not_before: one.not_before,
            not_after: one.not_after,
            status: one.status,
            key: record.key_type,
            installed,
            requester,
            has_file: record.pem.is_some(),
        }
    }

    fn request(record: RequestRecord) -> RequestLine {
        RequestLine {
            id: record.request.id,
            kind: record.request.kind.as_str().to_owned(),
            state: record.request.approval.as_str().to_owned(),
            requester: record.requester_name,
            at: record.request.created_at,
        }
    }

    fn actions(actions: Actions) -> ActionsView {
        let words = |refused: Result<(), Refusal>| refused.err().map(|refusal| refusal.message);
        ActionsView {
            duplicate: words(actions.duplicate),
            reissue: words(actions.reissue),
            renew: words(actions.renew),
            revoke: words(actions.revoke),
        }
    }
}
