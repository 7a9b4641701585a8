//! Pages of automation.

use domain::model::{EndpointAction, KeyType, Profile, SignatureHash};
use domain::{AgentId, EndpointId, NameSet, ProductId, ProfileId};
use lifecycle::automation::{
    EndpointFound, EndpointReport, Enroll, Install, Obtain, ProfileForm, ScheduleForm,
};

use super::*;

/// An agent whose host has these ports; the first endpoint.
async fn report(desk: &Lifecycle, agent: AgentId, ports: &[u16]) -> Option<EndpointId> {
    report_at(desk, agent, "192.0.2.7", ports).await
}

/// The same at another address.
async fn report_at(
    desk: &Lifecycle,
    agent: AgentId,
    ip: &str,
    ports: &[u16],
) -> Option<EndpointId> {
    let found = ports.iter().map(|port| {
        let report = EndpointReport {
            ip: ip.to_owned(),
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

/// Where the link with this text leads; none where it is not there.
fn link(page: &Page, text: &str) -> Option<String> {
    let (before, _) = page.text.split_once(&format!("{text}<"))?;
    let (before, _) = before.rsplit_once("class=\"button\"")?;
    let (_, tag) = before.rsplit_once('<')?;
    let href = tag.strip_prefix("a href=\"")?;
    Some(href.split('"').next()?.replace("&amp;", "&"))
}

/// The ports of the rows, from the top.
fn ports(page: &Page) -> Vec<u16> {
    let rows = page.text.split("aria-label=\"Select 192.0.2.7:").skip(1);
    rows.map(|row| row.split('"').next().unwrap().parse().unwrap()).collect()
}

#[tokio::test]
async fn the_pages_of_automated_ips_show_each_row_once_in_every_sort_and_back_again() {
    let mut browser = Browser::signed_in().await;
    let agent = agent(&browser.desk).await;
    // Reported in no order.
    let reported: Vec<u16> = (0..60).map(|at| 8000 + at * 17 % 60).collect();
    report(&browser.desk, agent, &reported).await;
    let rising: Vec<u16> = (8000..8060).collect();
    for sort in ["address", "-address", "name", "-name", "expires", "-expires"] {
        let mut page = browser.get(&format!("/automation/endpoints?sort={sort}")).await;
        let mut pages = vec![ports(&page)];
        while let Some(next) = link(&page, "Next") {
            page = browser.get(&next).await;
            pages.push(ports(&page));
            assert!(pages.len() < 5, "{sort}: pages without end");
        }
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [25, 25, 10], "{sort}");
        let mut all = pages.concat();
        if sort.ends_with("address") {
            let mut wanted = rising.clone();
            if sort.starts_with('-') {
                wanted.reverse();
            }
            assert_eq!(all, wanted, "{sort}");
        }
        all.sort_unstable();
        assert_eq!(all, rising, "{sort}");
        for wanted in pages.iter().rev().skip(1) {
            page = browser.get(&link(&page, "Previous").unwrap()).await;
            assert_eq!(ports(&page), *wanted, "{sort}: back");
        }
        assert_eq!(link(&page, "Previous"), None, "{sort}: the first page");
    }
}

#[tokio::test]
async fn an_ipv6_address_is_found_by_the_list_and_by_the_search_above_every_page() {
    let mut browser = Browser::signed_in().await;
    let agent = agent(&browser.desk).await;
    let id = report_at(&browser.desk, agent, "2001:db8::1", &[443]).await.unwrap();
    let row = format!("href=\"/automation/endpoints/{id}\"");
    for (typed, found) in [
        ("[2001:db8::1]:443", true),
        ("[2001:db8::1]", true),
        ("2001:DB8::1", true),
        ("[2001:db8::2]:443", false),
    ] {
        for (path, field) in [("/automation/endpoints", "text"), ("/search", "q")] {
            let url = Query::default().with(field, typed).href(path);
            let page = browser.get(&url).await;
            assert_eq!(page.status, StatusCode::OK, "{url}");
            assert_eq!(page.text.contains(&row), found, "{url}: {}", page.text);
        }
    }
}
