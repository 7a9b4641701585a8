//! The automation request page, one URL per step. What was filled in travels in the query: the
//! back button, reload, links and browsers without scripts all work.

pub mod api;
mod certificate;
#[cfg(feature = "ssr")]
mod facts;
#[cfg(feature = "ssr")]
pub mod files;
mod frame;
mod installation;
mod orders;
mod profile;
mod review;
#[cfg(feature = "ssr")]
pub(crate) mod state;

pub use certificate::CertificateStep;
pub use installation::InstallationStep;
pub use profile::ProfileStep;
pub(crate) use profile::profile_choices;
pub use review::ReviewStep;

pub(crate) use installation::{InstallDefaults, installation_fields};
