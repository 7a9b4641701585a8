//! Events from schedule to verification, on both databases, with the agent's part played by hand.

mod choosing;
mod differing;
mod explaining;
mod failing;
mod gone;
mod listing;
mod looking;
mod profiles;
mod refusing;
mod renewing;
mod replacing;
mod stopping;
mod switching;
mod taken_over;
mod waiting;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use domain::model::{
    AutoRenew, CertificateKind, EndpointAction, EventStatus, KeyType, Profile, SignatureHash,
};
use domain::{AgentId, Days, EndpointId, EventId, NameSet, OrderNumber, ProductId, ProfileId};
use store::certificates::CertificateRecord;
use store::endpoints::{EndpointReport, Served};

use super::{
    EndpointFound, Enroll, Install, Obtain, ProfileForm, ReadChain, ScheduleForm, Step, Task,
};
use crate::Actor;
use crate::testing::issuing::{Shop, csr_pem, names, shops};

/// A shop with an agent and profiles.
struct Yard {
    shop: Shop,
    agent: AgentId,
    profile: ProfileId,
    /// What each port of the agent's host serves.
    host: Mutex<BTreeMap<u16, Option<ReadChain>>>,
    /// Ports where handshakes fail.
    refusing: Mutex<BTreeSet<u16>>,
}

impl std::ops::Deref for Yard {
    type Target = Shop;
    fn deref(&self) -> &Shop {
        &self.shop
    }
}

/// A yard on each database; duplicates are offered in Automation.
async fn yards() -> Vec<Yard> {
    let mut yards = Vec::new();
    for shop in shops().await {
        shop.set("approval_step", "skip").await;
        shop.set("duplicates_in_automation", "on").await;
        let activation = shop.add_agent(&Actor::Operator, "host-1").await.unwrap();
        let enroll = Enroll {
            activation_token: activation.token.reveal().to_owned(),
            attempt: "once".to_owned(),
            name: String::new(),
            hostname: "host-1".to_owned(),
            version: "1".to_owned(),
            platform: "linux".to_owned(),
        };
        let key = shop.enroll_agent(enroll).await.unwrap();
        let profile = profile(&shop, "ssl_plus", "Standard SSL").await;
        yards.push(Yard {
            agent: key.agent,
            shop,
            profile,
            host: Mutex::default(),
            refusing: Mutex::default(),
        });
    }
    yards
}

async fn profile(shop: &Shop, product: &str, name: &str) -> ProfileId {
    let profile = Profile {
        id: ProfileId(0),
        name: name.to_owned(),
        product: ProductId::from(product),
        organization: shop.organization,
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
    shop.save_profile(&Actor::Operator, form).await.unwrap()
}

fn renewing(days: i64) -> AutoRenew {
    AutoRenew { days_before: Days(days), minute_of_day: 120, time_zone: "UTC".to_owned() }
}

fn served(record: &CertificateRecord) -> ReadChain {
    let one = &record.certificate;
    ReadChain {
        fingerprint: record.fingerprint_sha256.clone().unwrap(),
        served: Served {
            chain_pem: record.pem.clone().unwrap(),
            serial: one.serial.clone(),
            issuer: "Test".to_owned(),
            common_name: Some(one.common_name.clone()),
            names: one.names.clone(),
            not_before: one.not_before,
            not_after: one.not_after,
        },
    }
}

impl Yard {
    /// An endpoint that serves a certificate of `order`, or nothing.
    async fn endpoint(&self, port: u16, serves: Option<&CertificateRecord>) -> EndpointId {
        self.endpoint_of(port, serves.map(served)).await
    }

    /// An endpoint that serves this.
    async fn endpoint_of(&self, port: u16, chain: Option<ReadChain>) -> EndpointId {
        self.host.lock().unwrap().insert(port, chain);
        self.refusing.lock().unwrap().remove(&port);
        self.report().await[&port]
    }

    /// Handshakes fail there from now on.
    fn refuse(&self, port: u16) {
        self.refusing.lock().unwrap().insert(port);
    }

    /// The host has no such endpoint any more.
    async fn take_away(&self, port: u16) {
        self.host.lock().unwrap().remove(&port).unwrap();
        self.report().await;
    }

    /// The agent reports all that its host has.
    async fn report(&self) -> BTreeMap<u16, EndpointId> {
        let host = self.host.lock().unwrap().clone();
        let refusing = self.refusing.lock().unwrap().clone();
        let found = host.iter().map(|(port, chain)| {
            let report = EndpointReport {
                ip: "127.0.0.1".to_owned(),
                port: *port,
                server_name: String::new(),
                software: None,
                alias: None,
                manual_reason: None,
            };
            let fails = refusing.contains(port);
            EndpointFound {
                report,
                chain: chain.clone().filter(|_| !fails),
                probe_error: fails.then(|| "no connection".to_owned()),
            }
        });
        let ids = self.report_endpoints(self.agent, found.collect()).await.unwrap();
        host.into_keys().zip(ids).collect()
    }

    /// A certificate in place at endpoint 1, which is renewed 30 days before its end, and replaced
    /// where it is lost, if wanted so.
    async fn renewed(&self, manager: &Actor, replace: bool) -> (CertificateRecord, EndpointId) {
        let sold = self.sell("ssl_plus", "www.example.com").await;
        let record = self.certificates(sold.order).await.remove(0);
        let endpoint = self.endpoint(1, Some(&record)).await;
        let (profile, on) = (Some(self.profile), Some(renewing(30)));
        self.set_auto_renew(manager, vec![endpoint], profile, on, replace).await.unwrap();
        (record, endpoint)
    }

    async fn certificates(&self, order: OrderNumber) -> Vec<CertificateRecord> {
        self.store().reader().await.unwrap().certificate_records_of_order(order).await.unwrap()
    }

    fn form(&self, endpoint: EndpointId, action: EndpointAction, obtain: Obtain) -> ScheduleForm {
        ScheduleForm {
            endpoint,
            action,
            profile: self.profile,
            obtain,
            install: Install::Now,
            auto_renew: None,
            auto_replace: false,
            emails: Vec::new(),
            note: None,
            idempotency_key: format!("page-{endpoint}"),
        }
    }

    fn duplicate(&self, endpoint: EndpointId, order: OrderNumber) -> ScheduleForm {
        let obtain = Obtain::Duplicate { order, extra_names: NameSet::default() };
        self.form(endpoint, EndpointAction::Request, obtain)
    }

    fn fresh(&self, endpoint: EndpointId, text: &str) -> ScheduleForm {
        let obtain = Obtain::New { common_name: None, names: names(text) };
        self.form(endpoint, EndpointAction::Request, obtain)
    }

    /// The agent's next step, which must be a CSR; sends one.
    async fn send_csr(&self) -> EventId {
        let task = self.next_task(self.agent).await.unwrap().expect("a CSR is wanted");
        self.answer_csr(&task).await;
        task.event
    }

    async fn answer_csr(&self, task: &Task) {
        let Step::MakeCsr { common_name, names, .. } = &task.step else {
            panic!("{:?}", task.step)
        };
        let rest = names.iter().filter(|name| *name != common_name).map(ToString::to_string);
        let text: Vec<String> = std::iter::once(common_name.to_string()).chain(rest).collect();
        self.event_csr(self.agent, task.event, csr_pem(&text.join(" "))).await.unwrap();
    }

    /// The agent's next step, which must be an installation; does it.
    async fn install(&self) -> CertificateRecord {
        let task =
            self.next_task(self.agent).await.unwrap().expect("a certificate is to be installed");
        let Step::Install { serial, .. } = &task.step else { panic!("{:?}", task.step) };
        let record = self
            .store()
            .reader()
            .await
            .unwrap()
            .certificate_by_serial(serial)
            .await
            .unwrap()
            .unwrap();
        self.event_installed(self.agent, task.event).await.unwrap();
        self.host.lock().unwrap().insert(task.endpoint.port, Some(served(&record)));
        self.event_verified(self.agent, task.event, served(&record)).await.unwrap();
        record
    }

    async fn status(&self, event: EventId) -> EventStatus {
        self.event(&Actor::Operator, event).await.unwrap().event.status
    }

    async fn request_of(&self, event: EventId) -> domain::RequestId {
        self.event(&Actor::Operator, event).await.unwrap().event.request.unwrap()
    }

    async fn cause(&self, event: EventId) -> String {
        self.event(&Actor::Operator, event).await.unwrap().event.cause.unwrap_or_default()
    }
}

#[tokio::test]
async fn a_profiles_last_second_is_kept_whenever_it_is_used() {
    for mut yard in yards().await {
        let admin = yard.somebody(domain::model::Role::Administrator).await;
        let end = yard.clock().now().plus(Days(25)).plus_seconds(4_000);
        let mut profile = yard.profile(&admin, yard.profile).await.unwrap().profile;
        (profile.id, profile.name, profile.ends_by) = (ProfileId(0), "Until".to_owned(), Some(end));
        let form = ProfileForm { profile, version: None, update_scheduled: false };
        yard.profile = yard.save_profile(&admin, form).await.unwrap();
        yard.clock().advance(Days(3));
        let endpoint = yard.endpoint(8443, None).await;
        let form = yard.fresh(endpoint, "www.example.com");
        assert_eq!(yard.preview(&admin, &form).await.unwrap().valid_till, Some(end));
        yard.schedule(&admin, form).await.unwrap();
        yard.send_csr().await;
        assert_eq!(yard.install().await.certificate.not_after, end);
    }
}

/// The main job: rules D1, D2, D8 and D11 hold for what the wizard's last page leads to.
#[tokio::test]
async fn a_duplicate_goes_from_the_wizard_to_the_endpoint() {
    for yard in yards().await {
        let admin = yard.somebody(domain::model::Role::Administrator).await;
        let original = yard.sell("ssl_plus", "www.example.com example.com").await;
        let endpoint = yard.endpoint(8443, None).await;
        let event = yard.schedule(&admin, yard.duplicate(endpoint, original.order)).await.unwrap();
        assert_eq!(yard.status(event).await, EventStatus::Scheduled);
        assert_eq!(yard.send_csr().await, event);
        let installed = yard.install().await.certificate;
        assert_eq!(yard.status(event).await, EventStatus::Succeeded);
        assert_eq!(installed.order, original.order);
        assert_eq!(installed.kind, CertificateKind::Duplicate);
        assert_eq!(installed.not_after, original.not_after);
        let file = yard.file(original.order).await;
        assert!(file.certificates.iter().all(|one| !one.is_revoked()));
        assert_eq!(file.certificates.len(), 2);
        let detail = yard.shop.endpoint_detail(&Actor::Operator, endpoint).await.unwrap();
        assert_eq!(detail.endpoint.order, Some(original.order));
        let places = yard.order(&Actor::Operator, original.order).await.unwrap().installed;
        assert_eq!(places.len(), 1);
        assert_eq!((places[0].certificate, places[0].endpoint), (installed.id, endpoint));
        assert!(yard.next_task(yard.agent).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_double_submit_makes_one_event_and_a_second_wish_is_refused() {
    for yard in yards().await {
        let endpoint = yard.endpoint(8443, None).await;
        let form = yard.fresh(endpoint, "new.example.com");
        let (first, second) = tokio::join!(
            yard.schedule(&Actor::Operator, form.clone()),
            yard.schedule(&Actor::Operator, form.clone())
        );
        let page = crate::lists::PageOf::first((), 10);
        let events = yard
            .events(&Actor::Operator, crate::automation::EventFilter::default(), &page)
            .await
            .unwrap()
            .rows;
        assert_eq!(events.len(), 1);
        assert_eq!(first.unwrap(), second.unwrap(), "the second finds the first one's event");
        assert_eq!(yard.schedule(&Actor::Operator, form.clone()).await.unwrap(), events[0].id);
        let other = ScheduleForm { idempotency_key: "another page".to_owned(), ..form };
        assert!(yard.schedule(&Actor::Operator, other).await.is_err());
    }
}

#[tokio::test]
async fn an_agent_touches_its_own_events_only() {
    for yard in yards().await {
        let endpoint = yard.endpoint(8443, None).await;
        let event =
            yard.schedule(&Actor::Operator, yard.fresh(endpoint, "new.example.com")).await.unwrap();
        let stranger = AgentId(yard.agent.0 + 100);
        assert!(yard.next_task(stranger).await.unwrap().is_none());
        assert!(yard.event_csr(stranger, event, csr_pem("new.example.com")).await.is_err());
        assert!(yard.event_installed(stranger, event).await.is_err());
    }
}

/// `certdeck-agent --name`: the host's administrator knows best what the host is called.
#[tokio::test]
async fn an_agent_has_the_name_that_its_host_gives_it() {
    for shop in shops().await {
        for (added, given, shown) in [
            ("web 1", "web-1.example.com", "web 1"),
            ("web 2", "", "web 2"),
            ("web 3", " Web server 3 ", "Web server 3"),
        ] {
            let activation = shop.add_agent(&Actor::Operator, added).await.unwrap();
            let enroll = Enroll {
                activation_token: activation.token.reveal().to_owned(),
                attempt: "once".to_owned(),
                name: given.to_owned(),
                hostname: "web-1.example.com".to_owned(),
                version: "1".to_owned(),
                platform: "linux".to_owned(),
            };
            let agent = shop.enroll_agent(enroll).await.unwrap().agent;
            assert_eq!(shop.agent(&Actor::Operator, agent).await.unwrap().name, shown);
        }
    }
}
