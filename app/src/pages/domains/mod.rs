//! "Certificates > Domains": names that organizations have shown control of.

pub mod api;
mod detail;
#[cfg(feature = "ssr")]
pub mod files;
mod list;

pub use detail::{DomainNewPage, DomainPage};
use domain::model::DomainProof;
pub use list::DomainsPage;

/// Which names a validation covers, in words.
fn coverage(proof: Option<DomainProof>) -> &'static str {
    match proof {
        None => crate::kit::NONE,
        Some(proof) if proof.covers_below() => "This name and all below it",
        Some(_) => "This name only",
    }
}
