//! Orders for this crate's tests, written the way a bulk load writes them.

use domain::model::{
    Certificate, CertificateKind, CertificateStatus, Coverage, KeyType, Order, OrderFile,
    OrderStatus, Origin, Serial, SignatureHash,
};
use domain::{CertificateId, Name, NameSet, OrderNumber, OrganizationId, ProductId, Timestamp};

use crate::bulk::LoadedOrder;
use crate::{Store, StoreError, on};

pub(crate) const NOW: Timestamp = Timestamp(1_800_000_000);

/// An issued order with one certificate; the first name is the common name.
pub(crate) fn order(number: i64, organization: i64, product: &str, names: &[&str]) -> LoadedOrder {
    let names: Vec<Name> = names.iter().map(|name| name.parse().unwrap()).collect();
    let common_name = names[0].clone();
    let names: NameSet = names.into_iter().collect();
    let ordered_at = Timestamp(1_700_000_000 + number);
    let certificate = Certificate {
        id: CertificateId(0),
        order: OrderNumber(number),
        kind: CertificateKind::Original,
        serial: Serial(format!("7f{number:030x}")),
        common_name: common_name.clone(),
        names: names.clone(),
        not_before: ordered_at,
        not_after: ordered_at.plus_seconds(100_000_000),
        status: CertificateStatus::Issued,
    };
    let order = Order {
        number: OrderNumber(number),
        organization: OrganizationId(organization),
        product: ProductId::from(product),
        common_name,
        names,
        status: OrderStatus::Issued,
        origin: Origin::Portal,
        coverage: Coverage::Single,
        ordered_at,
        issued_at: Some(ordered_at),
        renews: None,
        renewed_by: None,
        auto_renew: false,
        validity_days: None,
        key_type: KeyType::EcP256,
        signature_hash: SignatureHash::Sha256,
        acme_url: None,
        requester: None,
    };
    let file = OrderFile { order, certificates: vec![certificate] };
    LoadedOrder { file, documents: Vec::new(), requester_name: None, note: None }
}

/// Organizations 1 to `count`.
pub(crate) async fn organizations(store: &Store, count: i64) {
    let made: Result<(), StoreError> = store
        .write(move |tx| {
            Box::pin(async move {
                for id in 1..=count {
                    on!(&mut *tx, |conn| {
                        sqlx::query("INSERT INTO organizations (id, name, country, created_at) VALUES ($1, $2, 'DE', 0)")
                            .bind(id)
                            .bind(format!("Organization {id}"))
                            .execute(&mut *conn)
                            .await?;
                    });
                }
                Ok(())
            })
        })
        .await;
    made.unwrap();
}

/// Loads `orders` beside two organizations.
pub(crate) async fn load(store: &Store, orders: Vec<LoadedOrder>) {
    organizations(store, 2).await;
    let expected = orders.len() as u64;
    assert_eq!(store.load_orders(orders, expected, NOW, None, |_| {}).await.unwrap(), expected);
}
