use serde_json::json;

use super::*;
use crate::LifecycleError;
use crate::lists::Key;
use crate::testing::{Desk, desks, newest};

async fn act(desk: &Desk, number: i64) {
    desk.store()
        .write(move |tx| {
            Box::pin(async move {
                let entry = AuditEntry::new("order.issued", "order", number, "Issued")
                    .changing(json!("pending"), json!("issued"));
                record(tx, Timestamp(1_000 + number), &Actor::Operator, entry).await
            })
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn an_entry_goes_with_its_act() {
    for desk in desks().await {
        act(&desk, 1).await;
        let undone: Result<()> = desk
            .store()
            .write(|tx| {
                Box::pin(async move {
                    record(
                        tx,
                        Timestamp(5),
                        &Actor::Operator,
                        AuditEntry::new("order.issued", "order", 2, "Issued"),
                    )
                    .await?;
                    Err(LifecycleError::NotFound { what: "order" })
                })
            })
            .await;
        assert!(undone.is_err());
        let rows = newest(&desk).await;
        assert_eq!(rows.len(), 1);
        assert_eq!(
            (rows[0].resource_id.as_str(), rows[0].old.as_deref()),
            ("1", Some("\"pending\""))
        );
    }
}

#[tokio::test]
async fn pages_are_filtered_and_follow_each_other() {
    for desk in desks().await {
        for number in 1..=5 {
            act(&desk, number).await;
        }
        let page = async |filter, before: Option<i64>| {
            let beyond = before.map(|id| (Key::Number(id), id));
            let page = PageOf { descending: true, beyond, ..PageOf::first((), 2) };
            desk.audit_page(&Actor::Operator, filter, &page).await.unwrap().rows
        };
        let first = page(AuditFilter::default(), None).await;
        let second = page(AuditFilter::default(), first.last().map(|row| row.id)).await;
        let shown: Vec<&str> =
            first.iter().chain(&second).map(|row| row.resource_id.as_str()).collect();
        assert_eq!(shown, ["5", "4", "3", "2"]);
        for (filter, count) in [
            (AuditFilter { action: Some("order.".into()), ..AuditFilter::default() }, 2),
            (AuditFilter { action: Some("order.iss".into()), ..AuditFilter::default() }, 0),
            (AuditFilter { actor: Some("PERAT".into()), ..AuditFilter::default() }, 2),
            (
                AuditFilter {
                    resource_kind: Some("order".into()),
                    resource_id: Some("3".into()),
                    ..AuditFilter::default()
                },
                1,
            ),
            (AuditFilter { since: Some(Timestamp(1_005)), ..AuditFilter::default() }, 1),
            (AuditFilter { until: Some(Timestamp(1_002)), ..AuditFilter::default() }, 1),
        ] {
            assert_eq!(page(filter.clone(), None).await.len(), count, "{filter:?}");
        }
    }
}

#[tokio::test]
async fn a_sealed_log_shows_every_tampering() {
    for change in [
        "UPDATE audit_log SET description = 'Nothing' WHERE chain_position = 3",
        "UPDATE audit_log SET new_value = NULL WHERE chain_position = 3",
        "DELETE FROM audit_log WHERE chain_position = 3",
        // Cutting off the end is the change that a chain alone does not show.
        "DELETE FROM audit_log WHERE chain_position >= 3",
    ] {
        for desk in desks().await {
            for number in 1..=4 {
                act(&desk, number).await;
            }
            desk.seal_audit_to_the_end(Timestamp(2_000)).await.unwrap();
            act(&desk, 5).await;
            let intact = desk.verify_audit_chain().await.unwrap();
            assert_eq!(intact, ChainCheck::Intact { sealed: 4, waiting: 1 });
            desk.tamper(change).await;
            let found = desk.verify_audit_chain().await.unwrap();
            assert!(matches!(found, ChainCheck::Broken { position: 3, .. }), "{change}: {found:?}");
        }
    }
}

#[tokio::test]
async fn sealers_at_the_same_moment_make_one_chain() {
    for desk in desks().await {
        for number in 1..=20 {
            act(&desk, number).await;
        }
        let seal = || desk.seal_audit_to_the_end(Timestamp(2_000));
        let (a, b, c) = tokio::join!(seal(), seal(), seal());
        a.and(b).and(c).unwrap();
        assert_eq!(
            desk.verify_audit_chain().await.unwrap(),
            ChainCheck::Intact { sealed: 20, waiting: 0 }
        );
    }
}
