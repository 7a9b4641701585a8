use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::samples::NOW;

fn seed(orders: u64, seed: u64) -> Seed {
    let organizations = (1..=5).map(OrganizationId).collect();
    Seed { orders, seed, now: NOW, first_number: OrderNumber(100_000_001), organizations }
}

#[test]
fn the_same_seed_gives_the_same_orders_and_another_gives_others() {
    let orders = |number| seed(200, number).orders().collect::<Vec<_>>();
    assert_eq!(orders(1), orders(1));
    assert_ne!(orders(1), orders(2));
}

#[test]
fn exactly_as_many_as_asked_for() {
    for count in [0, 1, 3, 4, 5, 1000] {
        assert_eq!(seed(count, 3).orders().count() as u64, count);
    }
}

#[test]
fn orders_are_what_real_ones_are() {
    let seed = seed(4000, 42);
    let files: BTreeMap<OrderNumber, OrderFile> =
        seed.orders().map(|loaded| (loaded.file.order.number, loaded.file)).collect();
    let mut serials = BTreeSet::new();
    let mut last = Timestamp(0);
    for file in files.values() {
        let order = &file.order;
        assert!(order.ordered_at >= last && order.ordered_at <= NOW, "numbers follow time");
        last = order.ordered_at;
        let product = Product::find(order.product.as_str()).unwrap();
        assert_eq!(product.wildcard, order.common_name.is_wildcard());
        if let Some(renewed) = order.renews {
            let earlier = &files[&renewed].order;
            assert_eq!(earlier.renewed_by, Some(order.number));
            assert_eq!((&earlier.names, &earlier.product), (&order.names, &order.product));
        }
        for certificate in &file.certificates {
            assert!(serials.insert(certificate.serial.clone()), "serials are unique");
            assert!(certificate.not_before <= NOW);
            let lifetime = certificate.not_after.seconds_since(certificate.not_before) + 1;
            assert!(lifetime <= longest_lifetime(product, certificate.not_before).seconds());
            assert!(order.coverage.ends().is_none_or(|ends| certificate.not_after <= ends));
        }
        let has_certificate = matches!(order.status, OrderStatus::Issued | OrderStatus::Revoked);
        assert_eq!(has_certificate, file.primary().is_some());
    }
    let names: usize = files.values().map(|file| file.order.names.len()).sum();
    assert!((8_000..16_000).contains(&names), "about three names each, not {names}");
    assert!(
        files.values().any(|file| file.certificates.len() > 2),
        "some have duplicates or reissues"
    );
}
