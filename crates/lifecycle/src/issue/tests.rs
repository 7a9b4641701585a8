use domain::model::Role;
use domain::rules::DuplicateNames;

use crate::testing::issuing::{refused, shops};
use crate::{Actor, Ask, What};

fn edwards_ask(what: What, name: &str) -> Ask {
    let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let pem = params.serialize_request(&key).unwrap().pem().unwrap();
    Ask::new(what, crate::ask::read_csr(pem.as_bytes()).unwrap())
}

/// Neither issued nor held for a reviewer, who could not approve it.
#[tokio::test]
async fn a_key_that_the_product_does_not_hold_is_refused_at_every_desk() {
    for shop in shops().await {
        let order = shop.sell("ssl_plus", "www.example.com").await.order;
        let standard = shop.somebody(Role::Standard).await;
        for actor in [&Actor::Operator, &standard] {
            let new = shop.new_order("ssl_plus", "www.example.com", None);
            for what in [
                What::New(Box::new(new)),
                What::Duplicate { order, names: DuplicateNames::Same },
                What::Renew { order, names: None },
            ] {
                let asked = shop.ask(actor, edwards_ask(what, "www.example.com")).await;
                assert_eq!(refused(asked), "key_only_private");
            }
        }
        let new = shop.new_order("private_ssl_plus", "www.example.com", None);
        let ask = edwards_ask(What::New(Box::new(new)), "www.example.com");
        shop.ask(&Actor::Operator, ask).await.unwrap();
    }
}
