use domain::model::ServedIssuer;

use super::*;
use crate::Store;
use crate::agents::{AgentFilter, AgentSort};
use crate::keyset::Rows;
use crate::samples::{NOW, load, order};
use crate::testing::{databases, databases_at};

fn report(port: u16) -> EndpointReport {
    EndpointReport {
        ip: "192.0.2.7".to_owned(),
        port,
        server_name: String::new(),
        software: None,
        alias: None,
        manual_reason: None,
    }
}

/// An agent with endpoints on these ports that serve the certificate of order 1.
async fn agent(store: &Store, name: &'static str, ports: &'static [u16]) -> AgentId {
    let made: Result<AgentId, StoreError> = store
        .write(move |tx| {
            Box::pin(async move {
                let agent = tx.insert_agent(name, name, NOW, NOW).await?;
                let certificate = tx.certificates_of_order(OrderNumber(1)).await?.remove(0);
                for port in ports {
                    let id = tx.report_endpoint(agent, &report(*port), NOW).await?;
                    let probe = EndpointProbe {
                        issuer_kind: ServedIssuer::Ours,
                        served: Some(Served {
                            chain_pem: String::new(),
                            serial: certificate.serial.clone(),
                            issuer: String::new(),
                            common_name: Some(certificate.common_name.clone()),
                            names: certificate.names.clone(),
                            not_before: certificate.not_before,
                            not_after: certificate.not_after,
                        }),
                        certificate: Some(certificate.id),
                        order: Some(certificate.order),
                        error: None,
                        at: NOW,
                    };
                    tx.set_endpoint_probe(id, &probe).await?;
                    tx.set_next_auto_renew(id, Some(NOW)).await?;
                }
                Ok(agent)
            })
        })
        .await;
    made.unwrap()
}

/// The ports of the list, which are as many as are counted; with `filter`.
async fn listed(tx: &mut Tx, filter: &EndpointFilter) -> Vec<u16> {
    let mut walked = Vec::new();
    for sort in [EndpointSort::Address, EndpointSort::CommonName, EndpointSort::Expires] {
        let rows = tx.endpoints(filter, sort, false, None, 50).await.unwrap();
        walked = rows.iter().map(|row| row.port).collect();
        assert_eq!(tx.count_endpoints(filter).await.unwrap(), walked.len() as u64);
    }
    walked
}

#[tokio::test]
async fn what_is_gone_is_in_no_list_and_no_count() {
    for database in databases().await {
        load(&database.store, vec![order(1, 1, "ssl_plus", &["a.example"])]).await;
        let stays = agent(&database.store, "stays", &[1, 2]).await;
        let leaves = agent(&database.store, "leaves", &[3]).await;
        let all = EndpointFilter::default();
        let of = EndpointFilter { agent: Some(stays), ..all.clone() };
        let also = EndpointFilter { also_gone: true, ..all.clone() };
        let gone = |since| {
            database.store.write(move |tx| {
                Box::pin(async move {
                    let (id, _) = tx.endpoints_of_agent(stays).await?[0];
                    tx.set_endpoint_gone(id, since).await
                })
            })
        };
        let mut tx = database.store.reader().await.unwrap();
        assert_eq!(listed(&mut tx, &all).await, [1, 2, 3], "{}", database.kind);

        gone(Some(NOW)).await.unwrap();
        let left: Result<bool, StoreError> = database
            .store
            .write(move |tx| Box::pin(async move { tx.remove_agent(leaves, NOW).await }))
            .await;
        assert!(left.unwrap());
        assert_eq!(listed(&mut tx, &all).await, [2], "{}", database.kind);
        assert_eq!(listed(&mut tx, &of).await, [2]);
        assert_eq!(listed(&mut tx, &also).await, [1, 2, 3]);
        let installed = tx.installed(OrderNumber(1)).await.unwrap();
        assert_eq!(installed.iter().map(|place| place.port).collect::<Vec<_>>(), [2]);
        let page = Rows { beyond: None, descending: false, limit: 10 };
        let agents = tx.agents(&AgentFilter::default(), AgentSort::Name, &page).await.unwrap();
        assert_eq!(agents[0].endpoints, 1);
        assert_eq!(tx.auto_renew_due(NOW, 10).await.unwrap().len(), 2, "not of removed agents");
        let known = tx.endpoints_of_agent(leaves).await.unwrap();
        let record = tx.endpoint(known[0].0).await.unwrap().unwrap();
        assert_eq!((record.gone_at, record.agent_removed), (Some(NOW), true));

        gone(None).await.unwrap();
        assert_eq!(listed(&mut tx, &of).await, [1, 2], "{}", database.kind);
    }
}

/// Endpoints as version 20 kept them: one that serves something, one whose certificate is missing, one
/// where nothing ever was, all with auto-renew; and one without.
const ROWS_OF_VERSION_20: [&str; 5] = [
    "INSERT INTO organizations (id, name, country, created_at) VALUES (7, 'Ours', 'US', 1)",
    "INSERT INTO orders (number, organization_id, product_id, common_name, names, names_key, status, \
     origin, ordered_at, key_type, signature_hash) VALUES \
     (5, 7, 'ssl_plus', 'b.test', '[\"b.test\"]', 'k', 'issued', 'portal', 5, 'ec_p256', 'sha256')",
    "INSERT INTO certificates (id, order_number, kind, serial, common_name, names, names_key, \
     not_before, not_after, status, issued_at, created_at) VALUES \
     (9, 5, 'original', '0a', 'b.test', '[\"b.test\"]', 'k', 1, 2, 'issued', 1, 1)",
    "INSERT INTO agents (id, name, status, created_at) VALUES (1, 'a', 'active', 1)",
    "INSERT INTO endpoints (id, agent_id, ip, port, status, auto_renew, served_names, certificate_id, \
     created_at) VALUES (1, 1, '192.0.2.7', 1, 'configured', TRUE, '[\"a.test\"]', 9, 1), \
     (2, 1, '192.0.2.7', 2, 'configured', TRUE, NULL, 9, 1), \
     (3, 1, '192.0.2.7', 3, 'configured', TRUE, NULL, NULL, 1), \
     (4, 1, '192.0.2.7', 4, 'configured', FALSE, '[\"a.test\"]', 9, 1)",
];

/// What was in place when auto-renew got names of its own is what it goes on with.
#[tokio::test]
async fn auto_renew_of_an_earlier_version_gets_the_names_of_what_is_in_place() {
    for database in databases_at(20).await.unwrap() {
        for row in ROWS_OF_VERSION_20 {
            database.execute(row).await.unwrap();
        }
        database.store.migrate().await.unwrap();
        let mut tx = database.store.reader().await.unwrap();
        for (id, names) in [(1, Some("a.test")), (2, Some("b.test")), (3, None), (4, None)] {
            let found = tx.endpoint(EndpointId(id)).await.unwrap().unwrap().auto_renew_names;
            let wanted = names.map(|names| NameSet::parse_list(names).unwrap());
            assert_eq!(found, wanted, "{}: endpoint {id}", database.kind);
        }
    }
}
