//! The portal ends in the middle of an event. The agent's part is played by hand, so that nothing but
//! the portal's part takes time.

use agent_api::{
    CsrReport, EventAnswer, InstalledReport, PollAnswer, PollRequest, Step, Task, VerifiedReport,
    paths,
};
use domain::model::{AutoRenew, CertificateKind, EndpointAction, EventStatus};
use domain::{
    AgentId, Days, EndpointId, EventId, Name, NameSet, OrderNumber, ProfileId, RequestId,
};
use lifecycle::Actor;
use lifecycle::automation::{
    EndpointFound, EndpointReport, Enroll, EventFilter, Install, Obtain, ReadChain, ScheduleForm,
    Served,
};
use lifecycle::lists::PageOf;
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::certificates::CertificateRecord;

use crate::portal::{Portal, client, csr, eventually, on_each, profile};
use crate::program::{Call, Program, wanted_new};

const PRODUCT: &str = "ssl_plus";

/// What a person wants on an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    New,
    Duplicate,
    /// A duplicate that the account no longer offers when the portal starts again.
    NoLongerOffered,
    /// Rule D13 on two endpoints: the portal ends in the renewal.
    Renewal,
    /// The same: it ends in the duplicate of the renewal.
    AfterRenewal,
    /// Of a certificate that is gone from its endpoint.
    Reissue,
    /// A new order that waits for a reviewer: the portal ends while it is asked for.
    Held,
    /// The same: it ends in the approval.
    Approval,
    /// The same: it ends when the event goes on.
    Decision,
}

/// After the CSR, around each step of the issuance, and before the event knows of it.
const STEPS: [&str; 5] = [
    "event.after_csr",
    "issue.after_plan",
    "issue.after_sign",
    "issue.after_store",
    "event.after_ask",
];

fn cases() -> Vec<(Way, &'static str)> {
    let whole = [Way::New, Way::Duplicate, Way::Renewal, Way::AfterRenewal, Way::Reissue];
    let mut cases: Vec<_> =
        whole.into_iter().flat_map(|way| STEPS.map(|point| (way, point))).collect();
    cases.extend([
        (Way::NoLongerOffered, "issue.after_plan"),
        (Way::NoLongerOffered, "event.after_ask"),
        (Way::Held, "event.after_csr"),
        (Way::Held, "issue.after_place"),
        (Way::Held, "event.after_ask"),
        (Way::Approval, "issue.after_place"),
        (Way::Approval, "issue.after_sign"),
        (Way::Approval, "issue.after_store"),
        (Way::Decision, "event.after_decision"),
    ]);
    cases
}

/// A case with its endpoints, and the order that they duplicate, renew or reissue.
struct Case {
    way: Way,
    point: &'static str,
    name: String,
    source: OrderNumber,
    endpoints: Vec<EndpointId>,
}

/// The agent.
struct Hand {
    client: reqwest::Client,
    token: String,
}

impl Hand {
    async fn enroll(portal: &Portal) -> (Self, AgentId) {
        let activation = portal.desk.add_agent(&Actor::Operator, "host").await.unwrap();
        let enroll = Enroll {
            activation_token: activation.token.reveal().to_owned(),
            attempt: "once".to_owned(),
            name: String::new(),
            hostname: "host".to_owned(),
            version: "1".to_owned(),
            platform: "linux".to_owned(),
        };
        let key = portal.desk.enroll_agent(enroll).await.unwrap();
        (Self { client: client(), token: key.token.reveal().to_owned() }, key.agent)
    }

    async fn call<Answer: DeserializeOwned>(
        &self,
        portal: &Portal,
        path: &str,
        body: &impl Serialize,
    ) -> reqwest::Result<Answer> {
        let call = self.client.post(format!("{}{path}", portal.url)).bearer_auth(&self.token);
        call.json(body).send().await?.error_for_status()?.json().await
    }

    async fn poll(&self, portal: &Portal) -> Option<Task> {
        let poll = PollRequest { version: "1".to_owned(), wait_seconds: 1 };
        self.call::<PollAnswer>(portal, paths::POLL, &poll).await.unwrap().task
    }

    /// Sends the CSR that is asked for next.
    async fn send_csr(&self, portal: &Portal) -> reqwest::Result<EventAnswer> {
        let task = eventually("a CSR is asked for", async || self.poll(portal).await).await;
        self.answer_csr(portal, &task).await
    }

    async fn answer_csr(&self, portal: &Portal, task: &Task) -> reqwest::Result<EventAnswer> {
        let Step::MakeCsr { names, .. } = &task.step else { panic!("{:?}", task.step) };
        let names: Vec<&str> = names.iter().map(Name::as_str).collect();
        let report = CsrReport { csr_pem: csr(&names).pem().unwrap() };
        let path = paths::for_event(paths::EVENT_CSR, task.event_id);
        self.call(portal, &path, &report).await
    }

    /// Does whatever is asked for, until these events ended well.
    async fn work(&self, portal: &Portal, events: &[EventId], case: &str) {
        eventually(case, async || {
            if let Some(task) = self.poll(portal).await {
                self.carry_out(portal, &task).await;
            }
            let mut ended = true;
            for event in events {
                let event = portal.desk.event(&Actor::Operator, *event).await.unwrap().event;
                ended &= event.finished_at.is_some();
                let fine = event.finished_at.is_none() || event.status == EventStatus::Succeeded;
                assert!(fine, "{case}: {} {:?}", event.status, event.cause);
            }
            ended.then_some(())
        })
        .await;
    }

    async fn carry_out(&self, portal: &Portal, task: &Task) {
        let Step::Install { leaf_pem, expected_serial, .. } = &task.step else {
            self.answer_csr(portal, task).await.unwrap();
            return;
        };
        let path = |pattern| paths::for_event(pattern, task.event_id);
        let installed = InstalledReport { serial: expected_serial.clone() };
        let verified = VerifiedReport { chain_pem: leaf_pem.clone() };
        let _: EventAnswer =
            self.call(portal, &path(paths::EVENT_INSTALLED), &installed).await.unwrap();
        let _: EventAnswer =
            self.call(portal, &path(paths::EVENT_VERIFIED), &verified).await.unwrap();
    }
}

fn found(port: u16, serves: Option<&CertificateRecord>) -> EndpointFound {
    let report = EndpointReport {
        ip: "127.0.0.1".to_owned(),
        port,
        server_name: String::new(),
        software: None,
        alias: None,
        manual_reason: None,
    };
    let chain = serves.map(|record| {
        let one = &record.certificate;
        ReadChain {
            fingerprint: record.fingerprint_sha256.clone().unwrap(),
            served: Served {
                chain_pem: record.pem.clone().unwrap(),
                serial: one.serial.clone(),
                issuer: "Certdeck".to_owned(),
                common_name: Some(one.common_name.clone()),
                names: one.names.clone(),
                not_before: one.not_before,
                not_after: one.not_after,
            },
        }
    });
    EndpointFound { report, chain, probe_error: None }
}

/// The cases with their orders and endpoints, all of one host.
async fn prepare(
    portal: &mut Portal,
    buyer: &Program,
    agent: AgentId,
    cases: &[(Way, &'static str)],
) -> Vec<Case> {
    portal.start("").await;
    let (mut first, mut last) = (Vec::new(), Vec::new());
    let mut prepared = Vec::new();
    for (number, (way, point)) in cases.iter().enumerate() {
        let name = format!("case-{number}.example.com");
        let call = wanted_new(portal, PRODUCT, &[&name], "");
        let source = buyer.buy(portal, &call).await.order;
        let record = portal.certificates(source).await.remove(0);
        let (before, now) = match way {
            Way::Renewal | Way::AfterRenewal => (Some(&record), Some(&record)),
            Way::Reissue => (Some(&record), None),
            _ => (None, None),
        };
        let count = if matches!(way, Way::Renewal | Way::AfterRenewal) { 2 } else { 1 };
        for _ in 0..count {
            let port = 1_000 + u16::try_from(first.len()).unwrap();
            first.push(found(port, before));
            last.push(found(port, now));
        }
        let case = Case { way: *way, point, name, source, endpoints: Vec::new() };
        prepared.push((case, count));
    }
    portal.kill().await;
    portal.desk.report_endpoints(agent, first).await.unwrap();
    let mut ids = portal.desk.report_endpoints(agent, last).await.unwrap().into_iter();
    let with_endpoints =
        |(case, count)| Case { endpoints: ids.by_ref().take(count).collect(), ..case };
    prepared.into_iter().map(with_endpoints).collect()
}

impl Case {
    async fn schedule(&self, portal: &Portal, profile: ProfileId) -> Vec<EventId> {
        let (action, obtain) = match self.way {
            Way::Duplicate | Way::NoLongerOffered => {
                let (order, extra_names) = (self.source, NameSet::default());
                (EndpointAction::Request, Obtain::Duplicate { order, extra_names })
            }
            way => {
                let action = match way {
                    Way::Renewal | Way::AfterRenewal => EndpointAction::Renew,
                    Way::Reissue => EndpointAction::Reissue,
                    _ => EndpointAction::Request,
                };
                let names = match action {
                    EndpointAction::Request => NameSet::parse_list(&self.name).unwrap(),
                    _ => NameSet::default(),
                };
                (action, Obtain::New { common_name: None, names })
            }
        };
        let who = match self.way {
            Way::Held | Way::Approval | Way::Decision => &portal.standard,
            _ => &portal.admin,
        };
        let mut events = Vec::new();
        for endpoint in &self.endpoints {
            let form = ScheduleForm {
                endpoint: *endpoint,
                action,
                profile,
                obtain: obtain.clone(),
                install: Install::Now,
                auto_renew: None,
                auto_replace: false,
                emails: Vec::new(),
                note: None,
                idempotency_key: "page".to_owned(),
            };
            events.push(portal.desk.schedule(who, form).await.unwrap());
        }
        events
    }
}

/// The event's request, once it waits for a reviewer.
async fn waiting(portal: &Portal, event: EventId) -> RequestId {
    eventually("it waits for a reviewer", async || {
        let event = portal.desk.event(&Actor::Operator, event).await.unwrap().event;
        event.request.filter(|_| event.status == EventStatus::ApprovalPending)
    })
    .await
}

/// Brings the portal to the case's point, where it ends.
async fn cut_off(
    portal: &mut Portal,
    hand: &Hand,
    reviewer: &Program,
    case: &Case,
    events: &[EventId],
) {
    let point = case.point;
    let before_it = match case.way {
        Way::AfterRenewal | Way::Approval | Way::Decision => {
            portal.start("").await;
            if case.way == Way::AfterRenewal {
                hand.work(portal, &events[..1], &case.name).await;
                None
            } else {
                hand.send_csr(portal).await.unwrap();
                Some(waiting(portal, events[0]).await)
            }
        }
        _ => None,
    };
    portal.kill().await;
    portal.start(point).await;
    match (case.way, before_it) {
        (Way::Approval, Some(request)) => {
            return reviewer.cut_off(portal, &Call::approve(request), point).await;
        }
        (Way::Decision, Some(request)) => {
            // The scheduler may be faster than the answer.
            let _ = reviewer.send(portal, &Call::approve(request)).await;
        }
        _ => {
            let answer = hand.send_csr(portal).await;
            assert!(answer.is_err(), "{point}: it was answered");
        }
    }
    portal.aborted(point).await;
}

async fn offer_duplicates(portal: &Portal, value: &str) {
    let key = "duplicates_in_automation";
    portal.desk.settings_set(&Actor::Operator, key, value).await.unwrap();
}

async fn cut_off_all(mut portal: Portal, cases: &[(Way, &'static str)]) {
    let buyer = Program::of(&portal, &portal.admin).await;
    offer_duplicates(&portal, "on").await;
    let profile = profile(&portal, Some(Days(60))).await;
    let (hand, agent) = Hand::enroll(&portal).await;
    for case in prepare(&mut portal, &buyer, agent, cases).await {
        let (way, point) = (case.way, case.point);
        let said = format!("{}: {way:?} {point}", portal.kind);
        let before = portal.promised().await;
        let events = case.schedule(&portal, profile).await;
        cut_off(&mut portal, &hand, &buyer, &case, &events).await;
        let promised = portal.promised().await;
        portal.let_two_minutes_pass().await;
        if way == Way::NoLongerOffered {
            offer_duplicates(&portal, "off").await;
        }

        portal.start("").await;
        if way == Way::Held {
            let request = waiting(&portal, events[0]).await;
            buyer.done(&portal, &Call::approve(request)).await;
        }
        hand.work(&portal, &events, &said).await;
        let records = portal.on_record(&said).await;
        portal.kill().await;
        assert_eq!(records.len(), before.len() + events.len(), "{said}: lost or doubled");
        assert!(promised.iter().all(|serial| records.contains_key(serial)), "{said}: lost");
        check(&portal, &case, &events, &records.into_values().collect::<Vec<_>>()).await;
        offer_duplicates(&portal, "on").await;
    }
}

/// Each event has a certificate of its own, of the kind and the order that it should be of.
async fn check(portal: &Portal, case: &Case, events: &[EventId], records: &[CertificateRecord]) {
    let mut kinds = Vec::new();
    let mut orders = Vec::new();
    for event in events {
        let event = portal.desk.event(&Actor::Operator, *event).await.unwrap().event;
        let record = records.iter().find(|one| Some(one.certificate.id) == event.certificate);
        let certificate = &record.unwrap().certificate;
        kinds.push(certificate.kind.as_str());
        orders.push(certificate.order);
        // What the renewal made itself is not told as what it found.
        let found = event.explanation.is_some_and(|text| text.contains("can be duplicated"));
        assert!(!found || certificate.kind == CertificateKind::Duplicate, "{:?}", case.way);
    }
    let renewed = portal.desk.order(&Actor::Operator, case.source).await.unwrap();
    let (wanted, from): (&[&str], _) = match case.way {
        Way::Duplicate | Way::NoLongerOffered => (&["duplicate"], Some(case.source)),
        Way::Reissue => (&["reissue"], Some(case.source)),
        Way::Renewal | Way::AfterRenewal => {
            (&["original", "duplicate"], renewed.record.order.renewed_by)
        }
        _ => (&["original"], None),
    };
    assert_eq!(kinds, wanted, "{:?} {}", case.way, case.point);
    if let Some(from) = from {
        assert!(orders.iter().all(|order| *order == from), "{:?} {}", case.way, case.point);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_event_was_about_when_the_portal_ended_is_issued_once() {
    on_each(Portal::all().await, async |portal| cut_off_all(portal, &cases()).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_signature_for_an_event_is_made_by_the_next_start() {
    let cases: Vec<_> = [Way::New, Way::Duplicate, Way::Renewal, Way::Reissue]
        .map(|way| (way, "issue.after_sign"))
        .into();
    on_each(Portal::all_signing_slowly().await, async |portal| cut_off_all(portal, &cases).await)
        .await;
}

/// The scheduler ends with the portal between two endpoints that are due.
async fn auto_renewals(mut portal: Portal) {
    const POINT: &str = "auto_renew.after_event";
    let buyer = Program::of(&portal, &portal.admin).await;
    offer_duplicates(&portal, "on").await;
    let profile = profile(&portal, Some(Days(60))).await;
    let (hand, agent) = Hand::enroll(&portal).await;
    let case = prepare(&mut portal, &buyer, agent, &[(Way::Renewal, POINT)]).await.remove(0);
    let renew = AutoRenew { days_before: Days(30), minute_of_day: 0, time_zone: "UTC".to_owned() };
    let endpoints = case.endpoints.clone();
    let admin = portal.admin.clone();
    portal.desk.set_auto_renew(&admin, endpoints, Some(profile), Some(renew), false).await.unwrap();
    portal.execute("UPDATE endpoints SET next_auto_renew_at = 1").await;
    portal.start(POINT).await;
    portal.aborted(POINT).await;
    portal.start("").await;
    let events = eventually("both are due", async || {
        let (filter, page) = (EventFilter::default(), PageOf::first((), 10));
        let rows = portal.desk.events(&Actor::Operator, filter, &page).await.unwrap().rows;
        Some(rows.into_iter().map(|event| event.id).collect::<Vec<_>>())
            .filter(|all| all.len() == 2)
    })
    .await;
    let said = format!("{}: auto-renew", portal.kind);
    hand.work(&portal, &events, &said).await;
    let records = portal.on_record(&said).await;
    assert_eq!(records.len(), 3, "{said}: one renewal and one duplicate of it");
    check(&portal, &case, &events, &records.into_values().collect::<Vec<_>>()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn endpoints_that_were_due_when_the_portal_ended_are_renewed_once() {
    on_each(Portal::all().await, auto_renewals).await;
}
