//! The ACME door's use cases (RFC 8555): accounts, orders, authorizations, challenges, issuance,
//! renewal information; and the ACME Directory URLs that administrators make for clients.
//!
//! [`AcmeDesk`] is what the protocol layer talks to. Which order a request is about is decided by
//! [`domain::rules::decide_acme`] alone.

mod accounts;
mod again;
mod authorizations;
mod challenges;
mod decide;
mod error;
mod explain;
mod finalize;
mod fresh;
mod handover;
mod known;
mod new_order;
mod orders;
mod place;
mod policy;
mod quota;
mod replaces;
mod revoke;
mod secret;
mod sweep;
mod url_list;
mod urls;

use std::net::IpAddr;
use std::sync::Arc;

use domain::model::acme::AcmeAccount;

pub use accounts::{Registered, Registration};
pub use ca::CsrFacts;
pub use ca::bundle::Depth;
pub use ca::key_check::has_small_order;
pub use challenges::{ValidationOutcome, ValidationTask};
pub use error::{AcmeError, AcmeResult};
pub use explain::{DryRun, DryRunAnswer};
pub use finalize::FinalizeCsr;
pub use policy::{AcmeLimits, AcmePolicy};
pub use quota::Quota;
pub use replaces::RenewalWindow;
pub use revoke::Revoker;
pub use store::acme::{AcmeUrlFilter, AcmeUrlLine, AcmeUrlRecord, AcmeUrlSort, BindingKeyRecord};
pub use urls::{AcmeUrlDetail, BindingCredential, NewAcmeUrl};

pub(crate) use known::Known;

use crate::{Actor, Clock, Lifecycle};

/// The desk as the ACME server uses it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct AcmeDesk {
    desk: Lifecycle,
    policy: Arc<AcmePolicy>,
    purse: Arc<quota::Purse>,
    fresh: Arc<fresh::Fresh>,
}

impl AcmeDesk {
    /// A desk that works by `policy`.
    pub fn new(desk: Lifecycle, policy: AcmePolicy) -> Self {
        Self { desk, policy: Arc::new(policy), purse: Arc::default(), fresh: Arc::default() }
    }

    /// The clock that all ACME times come from.
    pub fn clock(&self) -> &Clock {
        self.desk.clock()
    }

    /// The policy.
    pub fn policy(&self) -> &AcmePolicy {
        &self.policy
    }
}

/// Reads a finalize request's CSR. What can't be read, or has a key or names that are never
/// issued, is `badCSR` (RFC 8555 section 7.4).
pub fn read_csr(der: &[u8]) -> AcmeResult<CsrFacts> {
    let bad = |words: String| AcmeError::fault("badCSR", words);
    // Readers of X.509 have panicked on hostile input before; such a request is no reason to fail.
    let read = std::panic::catch_unwind(|| ca::csr::read(der))
        .map_err(|_| bad("The CSR can't be read.".to_owned()))?;
    read.map_err(|fault| bad(fault.to_string()))
}

fn actor(account: &AcmeAccount, address: Option<IpAddr>) -> Actor {
    Actor::Acme { account: account.id, url: Some(account.url), address }
}
