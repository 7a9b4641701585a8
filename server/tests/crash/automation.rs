//! Portal and agent are killed together in the middle of an event.

use std::time::Duration;

use domain::model::{EndpointAction, EventStatus};
use domain::{EventId, NameSet};
use lifecycle::Actor;
use lifecycle::automation::{
    EndpointFilter, EndpointRecord, EndpointSort, Install, Obtain, ScheduleForm,
};

use crate::certdeck_agent::faults::POINTS;
use crate::host::Host;
use crate::nginx::served;
use crate::portal::{ISSUE_POINTS, Portal, eventually, on_each, profile};

/// Points of the agent for PostgreSQL too: one between any two of its calls, one in the middle of the
/// files, and one where they are taken back.
const CHOSEN: [&str; 6] = [
    "after_csr_noted",
    "after_csr_sent",
    "after_first_rename",
    "after_reload",
    "after_verified_sent",
    "after_restore",
];
/// Kills at a moment that nobody chose.
const BLIND: usize = 3;

enum Kill {
    PortalAt(&'static str),
    AgentAt(&'static str),
    /// Where the agent takes back what the server's configuration test refuses.
    UndoAt(&'static str),
    After(Duration),
}

fn kills(all: bool) -> Vec<(String, Kill)> {
    let begin = POINTS.iter().position(|point| *point == "before_undo").unwrap();
    let chosen = |point: &&&'static str| all || CHOSEN.contains(*point);
    let portal = ISSUE_POINTS.map(|point| (format!("portal {point}"), Kill::PortalAt(point)));
    let agent = POINTS[..begin].iter().filter(chosen);
    let agent = agent.map(|point| (format!("agent {point}"), Kill::AgentAt(point)));
    let undo = POINTS[begin..].iter().filter(chosen);
    let undo = undo.map(|point| (format!("agent {point}"), Kill::UndoAt(point)));
    let blind = (0..BLIND).map(|_| {
        let after = Duration::from_millis(u64::from(rand()) % 1500);
        (format!("both after {after:?}"), Kill::After(after))
    });
    portal.into_iter().chain(agent).chain(undo).chain(blind).collect()
}

fn rand() -> u32 {
    use std::hash::{BuildHasher as _, Hasher as _, RandomState};
    u32::try_from(RandomState::new().build_hasher().finish() >> 32).unwrap()
}

async fn endpoints(portal: &Portal) -> Vec<EndpointRecord> {
    let (filter, by) = (EndpointFilter::default(), EndpointSort::Address);
    portal.desk.endpoints(&Actor::Operator, filter, by, false, None, 100).await.unwrap().rows
}

async fn ended(portal: &Portal, event: EventId, case: &str) {
    let status = eventually(case, async || {
        let event = portal.desk.event(&Actor::Operator, event).await.unwrap().event;
        event.finished_at.map(|_| (event.status, event.cause))
    })
    .await;
    assert_eq!(status, (EventStatus::Succeeded, None), "{case}");
}

/// Once the agent has said that its installation failed, the server is mended, and pauses are over at
/// once.
async fn taken_back(portal: &Portal, host: &Host, event: EventId, case: &str) {
    let look = async || portal.desk.event(&Actor::Operator, event).await.unwrap().event;
    eventually(case, async || {
        let event = look().await;
        assert_eq!(event.finished_at, None, "{case}: {:?}", event.cause);
        (event.attempt > 0).then_some(())
    })
    .await;
    host.nginx.mend_configuration();
    assert!(host.nginx.accepts_its_files(), "{case}: the old key fits the old certificate");
    eventually(case, async || {
        portal.execute("UPDATE events SET next_attempt_at = NULL WHERE finished_at IS NULL").await;
        look().await.finished_at
    })
    .await;
}

async fn killed_together(mut portal: Portal) {
    let kills = kills(portal.kind == "sqlite");
    let mut host = Host::start(kills.len()).await;
    let profile = profile(&portal, None).await;
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
        let scheduled = portal.desk.schedule(&portal.admin, form).await;
        let all = endpoints(&portal).await;
        let endpoint = all.iter().find(|one| one.id == endpoint);
        let event = scheduled.unwrap_or_else(|why| panic!("{case}: {why}; {endpoint:?}"));
        let (portal_fault, agent_fault) = match kill {
            Kill::PortalAt(point) => (point, ""),
            Kill::AgentAt(point) | Kill::UndoAt(point) => ("", point),
            Kill::After(_) => ("", ""),
        };
        if matches!(kill, Kill::UndoAt(_)) {
            host.nginx.break_configuration();
        }
        portal.start(portal_fault).await;
        host.start_agent(agent_fault);
        match kill {
            Kill::PortalAt(point) => portal.aborted(point).await,
            Kill::AgentAt(point) | Kill::UndoAt(point) => host.agent_aborted(point).await,
            Kill::After(time) => tokio::time::sleep(time).await,
        }
        host.kill_agent().await;
        portal.kill().await;
        portal.let_two_minutes_pass().await;

        portal.start("").await;
        host.start_agent("");
        if matches!(kill, Kill::UndoAt(_)) {
            taken_back(&portal, &host, event, &case).await;
        }
        ended(&portal, event, &case).await;
        host.kill_agent().await;
        portal.kill().await;
        let event = portal.desk.event(&Actor::Operator, event).await.unwrap().event;
        let certificates = portal.certificates(event.order.unwrap()).await;
        let serial = &certificates[0].certificate.serial;
        assert_eq!(&served(address, &name).await.serial, serial, "{case}");
        assert!(host.nginx.accepts_its_files(), "{case}: the key fits the certificate");
        assert_eq!(portal.on_record(&case).await.len(), number + 1, "{case}: lost or doubled");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_together_portal_and_agent_finish_what_they_began() {
    on_each(Portal::all().await, killed_together).await;
}
