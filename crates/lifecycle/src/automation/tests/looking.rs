//! What a handshake showed, and what follows from one that showed nothing.

use domain::model::{EndpointStatus, Role};

use super::{Yard, renewing, yards};
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
