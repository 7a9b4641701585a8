//! Requests and their review.

use std::sync::Arc;

use domain::{Days, RequestId};
use lifecycle::order_new::NewOrderForm;
use lifecycle::{AuthorityOptions, Door, Issuer, MasterKey, Outcome, Person};

use super::*;

/// Ada in front of a portal that can issue.
async fn at_an_authority() -> Browser {
    let mut browser = Browser::signed_in().await;
    let master = Arc::new(MasterKey::from_bytes(&[7; 32]).unwrap());
    let start = browser.desk.clock().now().minus(Days(1));
    let options = AuthorityOptions::new("Test", "DE", start);
    let issuer = Issuer::open(browser.desk.store(), master, "http://portal.test", options).await;
    browser.desk = browser.desk.with_issuer(issuer.unwrap());
    browser.router = router(browser.desk.clone(), WebOptions { tls: false, base_url: None });
    browser
}

fn csr(name: &str) -> String {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.serialize_request(&key).unwrap().pem().unwrap()
}

/// A Standard User's request, which waits.
async fn held(desk: &Lifecycle) -> RequestId {
    let operator = Actor::Operator;
    let organization = desk.add_organization(&operator, "Example GmbH", "DE", true).await.unwrap();
    desk.add_domain(&operator, "example.com", organization, true).await.unwrap();
    let jane = NewUser {
        email: "jane@example.com".to_owned(),
        name: "Jane".to_owned(),
        role: Role::Standard,
        password: None,
    };
    let jane = desk.add_user(&operator, jane).await.unwrap();
    let user = desk.user(&operator, jane).await.unwrap().user;
    let jane = Person { role: user.role, user, door: Door::Portal, address: None };
    let form = NewOrderForm {
        product: "ssl_plus".to_owned(),
        organization: organization.to_string(),
        csr: csr("www.example.com"),
        ..NewOrderForm::default()
    };
    match desk.request_new(&Actor::Person(jane), &form).await.unwrap() {
        Outcome::Held { request, .. } => request,
        other => panic!("not held: {other:?}"),
    }
}

#[tokio::test]
async fn an_approval_is_for_the_key_that_the_page_showed() {
    let mut browser = at_an_authority().await;
    let id = held(&browser.desk).await.to_string();
    let own = format!("/certificates/requests/{id}");
    let key = value_of(&browser.get(&own).await, "seen_key");
    assert_eq!(key.len(), 64, "{key}");
    let review = |seen: &str| {
        form(&[("id", &id), ("decision", "approve"), ("seen_key", seen), ("__page", &own)])
    };
    let (portal, action) = ("http://portal.test", "/api/requests/review");
    let page = browser.post(action, portal, &review(&"0".repeat(64))).await;
    assert_eq!(page.status, StatusCode::CONFLICT, "{}", page.text);
    assert!(page.text.contains("another key while you had it open"), "{}", page.text);
    assert_eq!(value_of(&page, "seen_key"), key, "sent again, it is approved");
    let page = browser.post(action, portal, &review(&key)).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    assert!(page.location.starts_with("/certificates/orders/"), "{}", page.location);
}
