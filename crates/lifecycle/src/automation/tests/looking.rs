//! What a handshake showed, and what follows from one that showed nothing.

use domain::model::{EndpointStatus, Role, ServedIssuer};

use super::{Yard, renewing, served, yards};
use crate::Actor;
use crate::automation::EndpointRecord;

async fn shown(yard: &Yard, port: u16) -> EndpointRecord {
    let id = yard.report().await[&port];
    yard.shop.endpoint(&Actor::Operator, id).await.unwrap()
}

/// "Auto-replace" is about what was there: where nothing ever was, auto-renew waits for the first
/// certificate.
#[tokio::test]
async fn auto_replace_has_nothing_to_replace_where_nothing_was() {
    for yard in yards().await {
        let manager = yard.somebody(Role::Manager).await;
        let endpoint = yard.endpoint(1, None).await;
        let (profile, on) = (Some(yard.profile), Some(renewing(30)));
        yard.set_auto_renew(&manager, vec![endpoint], profile, on, true).await.unwrap();
        for _ in ["one report", "the next"] {
            assert_eq!(shown(&yard, 1).await.next_auto_renew_at, None);
            assert_eq!(yard.run_due_auto_renewals().await.unwrap(), 0);
        }
        assert_ne!(shown(&yard, 1).await.status, EndpointStatus::ActionRequired);
    }
}

/// A server that restarts at the moment of a report has lost nothing: only the second handshake in a
/// row that fails says that the certificate is missing.
#[tokio::test]
async fn one_failed_handshake_is_not_a_missing_certificate() {
    for yard in yards().await {
        let manager = yard.somebody(Role::Manager).await;
        let (record, _) = yard.renewed(&manager, true).await;
        let order = Some(record.certificate.order);
        let planned = shown(&yard, 1).await.next_auto_renew_at;
        assert!(planned.is_some());

        yard.refuse(1);
        let once = shown(&yard, 1).await;
        assert_eq!(once.probe_error.as_deref(), Some("no connection"));
        assert_eq!((once.issuer_kind, once.order), (ServedIssuer::Ours, order));
        assert_eq!(once.next_auto_renew_at, planned);
        assert_eq!(yard.run_due_auto_renewals().await.unwrap(), 0);

        yard.endpoint_of(1, Some(served(&record))).await;
        yard.refuse(1);
        assert_eq!(shown(&yard, 1).await.issuer_kind, ServedIssuer::Ours, "in a row they count");
        let twice = shown(&yard, 1).await;
        assert_eq!((twice.issuer_kind, twice.order), (ServedIssuer::None, order));
        assert_eq!(yard.run_due_auto_renewals().await.unwrap(), 1);
    }
}
