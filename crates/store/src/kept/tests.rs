//! What is kept is never older than the database.

use domain::model::DomainProof;
use domain::{DnsName, OrganizationId, Timestamp};
use sqlx::Connection;

use crate::audit::{AuditFilter, NewAuditRow};
use crate::keyset::Rows;
use crate::samples::{NOW, organizations};
use crate::testing::{TestDatabase, databases, sqlite};
use crate::{Store, StoreError, Tx};

const FIRST: OrganizationId = OrganizationId(1);

/// What the writer takes the first organization's validation for.
async fn validation(store: &Store) -> Option<Timestamp> {
    let found = store.write(|tx| Box::pin(async move { tx.organization(FIRST).await }));
    found.await.unwrap().unwrap().validated_until
}

async fn validate(tx: &mut Tx, until: i64) -> Result<(), StoreError> {
    tx.set_organization_validation(FIRST, Some(Timestamp(until))).await
}

#[tokio::test]
async fn the_writers_own_change_shows_at_once() {
    for TestDatabase { kind, store, .. } in databases().await {
        organizations(&store, 1).await;
        assert_eq!(validation(&store).await, None, "{kind}");
        let within = store.write(|tx| {
            Box::pin(async move {
                tx.organization(FIRST).await?;
                validate(tx, 5).await?;
                tx.organization(FIRST).await
            })
        });
        let within: Option<_> = within.await.unwrap();
        assert_eq!(within.unwrap().validated_until, Some(Timestamp(5)), "{kind}");
        assert_eq!(validation(&store).await, Some(Timestamp(5)), "{kind}");
    }
}

#[tokio::test]
async fn what_an_undone_work_has_read_is_forgotten() {
    for TestDatabase { kind, store, .. } in databases().await {
        organizations(&store, 1).await;
        let undone = store.write(|tx| {
            Box::pin(async move {
                validate(tx, 5).await?;
                tx.organization(FIRST).await?;
                Err::<(), _>(StoreError::NotFound)
            })
        });
        // One group: the second work begins where the first was undone.
        let (undone, seen) = tokio::join!(undone, validation(&store));
        assert!(undone.is_err(), "{kind}");
        assert_eq!(seen, None, "{kind}");
        assert_eq!(validation(&store).await, None, "{kind}");
    }
}

#[tokio::test]
async fn another_connections_change_shows_in_the_next_group() {
    let database = sqlite().await;
    organizations(&database.store, 1).await;
    assert_eq!(validation(&database.store).await, None);
    let mut other = sqlx::SqliteConnection::connect(&database.url).await.unwrap();
    sqlx::query("UPDATE organizations SET validated_until = 7").execute(&mut other).await.unwrap();
    assert_eq!(validation(&database.store).await, Some(Timestamp(7)));
}

#[tokio::test]
async fn domains_are_found_among_the_kept_ones() {
    for TestDatabase { kind, store, .. } in databases().await {
        organizations(&store, 2).await;
        for (organization, name) in [(1, "example.com"), (1, "example.net"), (2, "example.org")] {
            let name = DnsName::parse(name).unwrap();
            add(&store, OrganizationId(organization), name).await;
        }
        for _ in 0..2 {
            let found = store.write(|tx| {
                Box::pin(async move {
                    let wanted = ["www.example.com", "example.com", "example.org", "com"];
                    tx.domains_named(FIRST, &wanted).await
                })
            });
            let found: Vec<_> = found.await.unwrap();
            let names: Vec<&str> = found.iter().map(|domain| domain.name.as_str()).collect();
            assert_eq!(names, ["example.com"], "{kind}");
        }
    }
}

#[tokio::test]
async fn a_domains_proof_is_kept_with_it_and_goes_with_its_validation() {
    for TestDatabase { kind, store, .. } in databases().await {
        organizations(&store, 1).await;
        add(&store, FIRST, DnsName::parse("example.com").unwrap()).await;
        for validation in [
            Some((NOW, DomainProof::HttpFile)),
            Some((NOW, DomainProof::DnsTxt)),
            None,
            Some((NOW, DomainProof::Administrator)),
        ] {
            let found = store.write(move |tx| {
                Box::pin(async move {
                    let held = tx.domains_named(FIRST, &["example.com"]).await?;
                    tx.set_domain_validation(held[0].id, validation).await?;
                    tx.domains_named(FIRST, &["example.com"]).await
                })
            });
            let found: Vec<_> = found.await.unwrap();
            let read = store.reader().await.unwrap().domain(found[0].id).await.unwrap().unwrap();
            for domain in [&found[0], &read.domain] {
                assert_eq!(domain.validated_until.zip(domain.proof), validation, "{kind}");
            }
        }
    }
}

async fn add(store: &Store, organization: OrganizationId, name: DnsName) {
    let added = store.write(move |tx| {
        Box::pin(async move { tx.insert_domain(organization, &name, "token", NOW).await })
    });
    assert!(added.await.unwrap().is_some());
}

async fn act(store: &Store, action: &'static str, fails: bool) -> Result<(), StoreError> {
    let work = store.write(move |tx| {
        Box::pin(async move {
            let row = NewAuditRow {
                at: NOW,
                actor_kind: "operator",
                actor_id: None,
                actor_name: "operator".to_owned(),
                address: None,
                action,
                resource_kind: "order",
                resource_id: "1".to_owned(),
                old: None,
                new: None,
                description: String::new(),
            };
            tx.insert_audit(row).await?;
            if fails { Err(StoreError::NotFound) } else { Ok(()) }
        })
    });
    work.await
}

#[tokio::test]
async fn acts_are_on_record_with_their_works_and_only_those() {
    for TestDatabase { kind, store, .. } in databases().await {
        let (one, two, three, four) = tokio::join!(
            act(&store, "first", false),
            act(&store, "undone", true),
            act(&store, "second", false),
            act(&store, "undone", true),
        );
        assert!(one.is_ok() && two.is_err() && three.is_ok() && four.is_err(), "{kind}");
        act(&store, "third", false).await.unwrap();
        let page = Rows { beyond: None, descending: false, limit: 10 };
        let mut tx = store.reader().await.unwrap();
        let rows = tx.audit_page(&AuditFilter::default(), &page).await.unwrap();
        let mut acts: Vec<&str> = rows.iter().map(|row| row.action.as_str()).collect();
        // PostgreSQL's transactions run side by side.
        acts.sort_unstable();
        assert_eq!(acts, ["first", "second", "third"], "{kind}");
    }
}
