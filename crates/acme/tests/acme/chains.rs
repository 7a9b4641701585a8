//! Orders that stand behind many others.

use domain::Days;
use domain::rules::Action;
use lifecycle::Actor;
use lifecycle::renew::RenewForm;

use crate::client::{csr, csr_with_key};
use crate::detection::{newest, pem};
use crate::house::houses;

/// A stored URL stays right for years: an order number stands for its chain, however long.
#[tokio::test]
async fn a2_a_chain_of_renewals_is_followed_to_its_end() {
    for house in houses().await {
        let client = house.client("one", "ssl_plus").await;
        let names = ["www.example.com"];
        client.issue("new-order", &names).await;
        let (first, _, _) = newest(&house).await;
        let form = RenewForm { csr: pem(&csr(&names, None)), ..Default::default() };
        let mut last = first;
        for _ in 0..101 {
            let renewed = house.desk.request_renew(&Actor::Operator, last, &form).await;
            last = renewed.unwrap().order();
        }
        for path in [format!("new-order/renew/{first}"), "new-order".to_owned()] {
            client.issue(&path, &names).await;
            let (order, action, explanation) = newest(&house).await;
            assert_eq!((order, action), (last, Action::Duplicate), "{path}: {explanation}");
        }
        house.clock.advance(Days(190));
        client.issue(&format!("new-order/renew/{first}"), &names).await;
        let (order, action, _) = newest(&house).await;
        assert_eq!(action, Action::Renew, "on {}", house.kind);
        assert!(order != first && order != last);
    }
}

/// A4: the common name must be the order's, so that others with the same names stand in nobody's way.
#[tokio::test]
async fn a4_a_common_name_is_found_behind_many_others() {
    for house in houses().await {
        let client = house.client("one", "ssl_multi_domain").await;
        let (a, b) = ("a.example.com", "b.example.com");
        client.issue("new-order/enroll", &[b, a]).await;
        let (wanted, _, _) = newest(&house).await;
        house.clock.advance(Days(1));
        for _ in 0..20 {
            client.issue("new-order/enroll", &[a, b]).await;
        }
        let order = client.order(&[a, b]).await.expect(201).json();
        let key = rcgen::KeyPair::generate().unwrap();
        client.finalize(&order, &csr_with_key(&[a, b], Some(b), &key)).await.expect(200);
        let (order, action, explanation) = newest(&house).await;
        assert_eq!((order, action), (wanted, Action::Duplicate), "{explanation}");
    }
}
