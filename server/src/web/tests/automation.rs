//! Pages of automation.

use domain::model::{EndpointAction, KeyType, Profile, SignatureHash};
use domain::{AgentId, EndpointId, NameSet, ProductId, ProfileId};
use lifecycle::automation::{
    EndpointFound, EndpointReport, Enroll, Install, Obtain, ProfileForm, ScheduleForm,
};

use super::*;

/// An agent whose host has these ports; the first endpoint.
async fn report(desk: &Lifecycle, agent: AgentId, ports: &[u16]) -> Option<EndpointId> {
    let found = ports.iter().map(|port| {
        let report = EndpointReport {
            ip: "192.0.2.7".to_owned(),
            port: *port,
            server_name: String::new(),
            software: None,
            alias: None,
            manual_reason: None,
        };
        EndpointFound { report, chain: None, probe_error: None }
    });
    desk.report_endpoints(agent, found.collect()).await.unwrap().first().copied()
}

async fn agent(desk: &Lifecycle) -> AgentId {
    let activation = desk.add_agent(&Actor::Operator, "web-1").await.unwrap();
    let enroll = Enroll {
        activation_token: activation.token.reveal().to_owned(),
        attempt: "once".to_owned(),
        name: String::new(),
        hostname: "web-1".to_owned(),
        version: "1".to_owned(),
        platform: "linux".to_owned(),
    };
    desk.enroll_agent(enroll).await.unwrap().agent
}

/// A request for a certificate on an endpoint, by a profile of its own.
async fn request(desk: &Lifecycle, endpoint: EndpointId) {
    let operator = Actor::Operator;
    let organization = desk.add_organization(&operator, "Example GmbH", "DE", true).await.unwrap();
    desk.add_domain(&operator, "example.com", organization, true).await.unwrap();
    let profile = Profile {
        id: ProfileId(0),
        name: "Usual".to_owned(),
        product: ProductId::from("ssl_plus"),
        organization,
        coverage_years: None,
        validity_days: None,
        ends_by: None,
        key_type: KeyType::EcP256,
        signature_hash: SignatureHash::Sha256,
        auto_renew: None,
        is_default: false,
        allow_duplicates: true,
        emails: Vec::new(),
    };
    let form = ProfileForm { profile, version: None, update_scheduled: false };
    let form = ScheduleForm {
        endpoint,
        action: EndpointAction::Request,
        profile: desk.save_profile(&operator, form).await.unwrap(),
        obtain: Obtain::New {
            common_name: None,
            names: NameSet::parse_list("www.example.com").unwrap(),
        },
        install: Install::Now,
        auto_renew: None,
        auto_replace: false,
        emails: Vec::new(),
        note: None,
        idempotency_key: "page".to_owned(),
    };
    desk.schedule(&operator, form).await.unwrap();
}

#[tokio::test]
async fn an_endpoint_that_is_gone_is_in_no_list_and_its_page_says_why() {
    let mut browser = Browser::signed_in().await;
    let agent = agent(&browser.desk).await;
    let id = report(&browser.desk, agent, &[8443]).await.unwrap();
    request(&browser.desk, id).await;
    let own = format!("/automation/endpoints/{id}");
    let page = browser.get(&own).await;
    assert!(page.text.contains("Enable auto-renew"), "{}", page.text);

    report(&browser.desk, agent, &[]).await;
    let list = browser.get("/automation/endpoints").await;
    assert!(!list.text.contains("192.0.2.7:8443"), "{}", list.text);
    let page = browser.get(&own).await;
    assert_eq!(page.status, StatusCode::OK);
    for said in ["No longer there", "no longer finds this endpoint", "What to do"] {
        assert!(page.text.contains(said), "{said}: {}", page.text);
    }
    assert!(!page.text.contains("Enable auto-renew"), "{}", page.text);

    // Its events are told with its address.
    for url in ["/automation/activity", "/automation/activity.csv", "/automation/activity/1"] {
        let page = browser.get(url).await;
        assert!(page.text.contains("192.0.2.7:8443"), "{url}: {}", page.text);
    }
}
