//! "Automation > Agents": the programs on the hosts, which find endpoints and install there.

pub mod api;
mod detail;
#[cfg(feature = "ssr")]
pub mod files;
mod list;
mod new;
#[cfg(feature = "ssr")]
mod reading;

pub use detail::AgentPage;
pub use list::AgentsPage;
pub use new::AgentNewPage;
