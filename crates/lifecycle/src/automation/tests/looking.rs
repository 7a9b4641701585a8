//! What a handshake showed, and what follows from one that showed nothing.

use domain::Days;
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

/// A server that restarts has lost nothing, however often the agent looks meanwhile: only handshakes
/// that fail for an hour, one after the other, say that the certificate is missing.
#[tokio::test]
async fn handshakes_that_fail_for_a_while_are_not_a_missing_certificate() {
    for yard in yards().await {
        let manager = yard.somebody(Role::Manager).await;
        let (record, _) = yard.renewed(&manager, true).await;
        let order = Some(record.certificate.order);
        let planned = shown(&yard, 1).await.next_auto_renew_at;
        assert!(planned.is_some());

        yard.refuse(1);
        for _ in ["once", "again at once"] {
            let missed = shown(&yard, 1).await;
            assert_eq!(missed.probe_error.as_deref(), Some("no connection"));
            assert_eq!((missed.issuer_kind, missed.order), (ServedIssuer::Ours, order));
            assert_eq!(missed.next_auto_renew_at, planned);
            assert_eq!(yard.run_due_auto_renewals().await.unwrap(), 0);
        }
        yard.endpoint_of(1, Some(served(&record))).await;
        yard.clock().advance(Days(1));
        yard.refuse(1);
        assert_eq!(shown(&yard, 1).await.issuer_kind, ServedIssuer::Ours, "in a row they count");
        yard.clock().advance(Days(1));
        let twice = shown(&yard, 1).await;
        assert_eq!((twice.issuer_kind, twice.order), (ServedIssuer::None, order));
        assert_eq!(yard.run_due_auto_renewals().await.unwrap(), 1);
    }
}
