use super::*;
use crate::authorities::AuthorityRow;
use crate::samples::{NOW, load, order};
use crate::testing::{TestDatabase, databases};

#[tokio::test]
async fn certificates_are_found_by_serials_where_their_issuer_is_the_one_asked() {
    for TestDatabase { kind, store, .. } in databases().await {
        let orders: Vec<_> =
            (1..=3).map(|number| order(number, 1, "ssl_plus", &["www.example.com"])).collect();
        let serials: Vec<Serial> =
            orders.iter().map(|order| order.file.certificates[0].serial.clone()).collect();
        load(&store, orders).await;
        let issued: Result<(), StoreError> = store
            .write(|tx| {
                Box::pin(async move {
                    let authority = AuthorityRow {
                        id: "ca".to_owned(),
                        kind: "intermediate".to_owned(),
                        certificate_pem: String::new(),
                        sealed_key: None,
                        active: true,
                    };
                    tx.insert_authority(&authority, NOW).await?;
                    on!(&mut *tx, |conn| {
                        sqlx::query(
                            "UPDATE certificates SET issuer_id = 'ca' WHERE order_number < 3",
                        )
                        .execute(&mut *conn)
                        .await?;
                    });
                    Ok(())
                })
            })
            .await;
        issued.unwrap();
        let mut tx = store.reader().await.unwrap();
        let unknown = Serial("0badcafe".to_owned());
        let asked = [&serials[2], &serials[1], &unknown, &serials[0], &serials[1]];
        let mut found = tx.certificates_of_issuer("ca", &asked).await.unwrap();
        found.sort_unstable_by_key(|one| one.order);
        let found: Vec<Serial> = found.into_iter().map(|one| one.serial).collect();
        assert_eq!(found, serials[..2], "{kind}");
        assert!(tx.certificates_of_issuer("other", &asked).await.unwrap().is_empty(), "{kind}");
    }
}
