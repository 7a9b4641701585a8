//! Portal and agent are killed together in the middle of an event.

use std::time::{Duration, Instant};

use domain::model::{EndpointAction, EventStatus, KeyType, Profile, SignatureHash};
use domain::{EventId, NameSet, ProductId, ProfileId};
use lifecycle::Actor;
use lifecycle::automation::{
    EndpointFilter, EndpointRecord, EndpointSort, Install, Obtain, ProfileForm, ScheduleForm,
};

use crate::host::Host;
use crate::nginx::served;
use crate::portal::{ISSUE_POINTS, PATIENCE, Portal};

/// Points of the agent, one between any two of its calls and one in the middle of the files.
const AGENT_POINTS: [&str; 5] = [
    "after_csr_noted",
    "after_csr_sent",
    "after_first_rename",
    "after_reload",
    "after_verified_sent",
];
/// Kills at a moment that nobody chose.
const BLIND: usize = 3;

enum Kill {
    PortalAt(&'static str),
    AgentAt(&'static str),
    After(Duration),
}

fn kills() -> Vec<(String, Kill)> {
    let portal = ISSUE_POINTS.map(|point| (format!("portal {point}"), Kill::PortalAt(point)));
    let agent = AGENT_POINTS.map(|point| (format!("agent {point}"), Kill::AgentAt(point)));
    let blind = (0..BLIND).map(|_| {
        let after = Duration::from_millis(u64::from(rand()) % 1500);
        (format!("both after {after:?}"), Kill::After(after))
    });
    portal.into_iter().chain(agent).chain(blind).collect()
}

fn rand() -> u32 {
    use std::hash::{BuildHasher as _, Hasher as _, RandomState};
    u32::try_from(RandomState::new().build_hasher().finish() >> 32).unwrap()
}

async fn profile(portal: &Portal) -> ProfileId {
    let profile = Profile {
        id: ProfileId(0),
        name: "Standard SSL".to_owned(),
        product: ProductId::from("ssl_plus"),
        organization: portal.organization,
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
    portal.desk.save_profile(&Actor::Operator, form).await.unwrap()
}

async fn endpoints(portal: &Portal) -> Vec<EndpointRecord> {
    let (filter, by) = (EndpointFilter::default(), EndpointSort::Address);
    portal.desk.endpoints(&Actor::Operator, filter, by, false, None, 100).await.unwrap().rows
}

/// Looks again and again until something is there.
async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < end, "{what}: still not so");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn ended(portal: &Portal, event: EventId, case: &str) {
    let status = eventually(case, async || {
        let event = portal.desk.event(&Actor::Operator, event).await.unwrap().event;
        event.finished_at.map(|_| (event.status, event.cause))
    })
    .await;
    assert_eq!(status, (EventStatus::Succeeded, None), "{case}");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_together_portal_and_agent_finish_what_they_began() {
    for mut portal in Portal::all().await {
        let kills = kills();
        let mut host = Host::start(kills.len()).await;
        let profile = profile(&portal).await;
        let activation = portal.desk.add_agent(&Actor::Operator, "host").await.unwrap();
        portal.start("").await;
        host.configure(&portal, activation.token.reveal());
        host.start_agent("");
        let found = eventually("endpoints are reported", async || {
            Some(endpoints(&portal).await).filter(|found| found.len() == kills.len())
        })
        .await;
        host.kill_agent().await;
        portal.kill().await;

        for (number, (case, kill)) in kills.into_iter().enumerate() {
            let case = format!("{}: {case}", portal.kind);
            let (name, address) = host.servers[number].clone();
            let endpoint = found.iter().find(|one| one.port == address.port()).unwrap().id;
            let form = ScheduleForm {
                endpoint,
                action: EndpointAction::Switch,
                profile,
                obtain: Obtain::New { common_name: None, names: NameSet::default() },
                install: Install::Now,
                auto_renew: None,
                auto_replace: false,
                emails: Vec::new(),
                note: None,
                idempotency_key: case.clone(),
            };
            let event = portal.desk.schedule(&portal.admin, form).await.unwrap();
            let (portal_fault, agent_fault) = match kill {
                Kill::PortalAt(point) => (point, ""),
                Kill::AgentAt(point) => ("", point),
                Kill::After(_) => ("", ""),
            };
            portal.start(portal_fault).await;
            host.start_agent(agent_fault);
            match kill {
                Kill::PortalAt(point) => portal.aborted(point).await,
                Kill::AgentAt(point) => host.agent_aborted(point).await,
                Kill::After(time) => tokio::time::sleep(time).await,
            }
            host.kill_agent().await;
            portal.kill().await;
            portal.let_two_minutes_pass().await;

            portal.start("").await;
            host.start_agent("");
            ended(&portal, event, &case).await;
            host.kill_agent().await;
            portal.kill().await;
            let event = portal.desk.event(&Actor::Operator, event).await.unwrap().event;
            let certificates = portal.certificates(event.order.unwrap()).await;
            let serial = &certificates[0].certificate.serial;
            assert_eq!(&served(address, &name).await.serial, serial, "{case}");
            assert!(host.nginx.accepts_its_files(), "{case}: the key fits the certificate");
            portal.assert_one_certificate_each(number + 1, &case).await;
        }
    }
}
