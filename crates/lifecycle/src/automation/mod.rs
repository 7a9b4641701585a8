//! Automation: profiles, agents, endpoints, and the events that put certificates on them.
//!
//! An event is scheduled ([`schedule`]), handed to the endpoint's agent step by step ([`work`]),
//! issued for the agent's CSR ([`issue`]), and ended by what the agent's handshake shows. Each
//! step is one transaction that may be repeated: an agent or this process killed in the middle
//! goes on where the last transaction left the event.

pub use store::agents::{AgentFilter, AgentRecord, AgentSort, AgentStanding};
pub use store::endpoints::{
    EndpointFilter, EndpointKey, EndpointRecord, EndpointReport, EndpointSort, Served,
};
pub use store::events::{EventFilter, EventRecord};
pub use store::profiles::ProfileSort;

mod agents;
mod auto_renew;
mod endpoints;
mod events;
mod gone;
mod intervene;
mod issue;
mod offers;
mod preview;
mod profiles;
mod resolve;
mod schedule;
mod work;

#[cfg(test)]
mod tests;

pub use agents::{Activation, AgentKey, Enroll};
pub(crate) use endpoints::moment;
pub use endpoints::{EndpointDetail, EndpointFound, EndpointPage, ReadChain};
pub use events::EventDetail;
pub use gone::Gone;
pub use offers::Offered;
pub use preview::Preview;
pub use profiles::{ProfileFilter, ProfileForm, ProfileView};
pub use schedule::{BulkOutcome, Install, Obtain, ScheduleForm};
pub use work::{FailedStage, Failure, Step, Task};
