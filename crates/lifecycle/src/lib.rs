//! The use cases: request, approve, issue, duplicate, renew, reissue, revoke.
//!
//! The wizard, the JSON API, the ACME server and the automation worker are four doors to this one
//! desk. Only this crate opens write transactions for business acts; what it may do is decided by
//! [`domain::rules`], what it knows is in [`store`], what it signs with is [`ca`].

pub mod accounts;
pub mod acme;
mod actor;
pub mod api_keys;
pub mod approve;
pub mod ask;
pub mod audit;
pub mod auth;
pub mod authority;
pub mod automation;
pub mod caa;
mod clock;
pub mod dashboard;
pub mod duplicate;
mod error;
pub mod fault;
pub mod issue;
mod listener;
pub mod lists;
pub mod order_new;
pub mod orders;
pub mod organizations;
mod place;
pub mod public_url;
mod random;
pub mod rate;
pub mod recover;
pub mod reissue;
pub mod renew;
pub mod revoke;
pub mod sessions;
pub mod settings;
mod signals;
mod submitted;
mod suffixes;
#[cfg(test)]
pub(crate) mod testing;
pub mod upkeep;

use std::sync::Arc;

pub use actor::{Actor, Door, Person};
pub use ask::{Ask, Exact, NewOrder, Outcome, What};
pub use authority::Issuer;
pub use ca::{AuthorityOptions, MasterKey};
pub use clock::Clock;
pub use error::{FieldFault, LifecycleError, Result};
pub use issue::Issued;
pub use listener::ListenerCertificate;
pub use renew::Due;
pub use store::{Store, StoreOptions};

/// The desk. Cheap to clone; every clone works on the same database, authority and clock.
#[derive(Debug, Clone)]
pub struct Lifecycle {
    inner: Arc<Inner>,
}

#[derive(Debug, Clone)]
struct Inner {
    store: Store,
    clock: Clock,
    signals: Arc<signals::Signals>,
    known_accounts: Arc<acme::Known>,
    ends: Arc<orders::Ends>,
    issuer: Option<Arc<Issuer>>,
    tokens: Option<Arc<dyn organizations::TokenLookup>>,
}

impl Lifecycle {
    /// A desk on an opened and migrated store.
    pub fn new(store: Store, clock: Clock) -> Self {
        Self {
            inner: Arc::new(Inner {
                store,
                clock,
                signals: Arc::default(),
                known_accounts: Arc::default(),
                ends: Arc::default(),
                issuer: None,
                tokens: None,
            }),
        }
    }

    /// The same desk, changed in one thing; it shares all else.
    fn with(&self, change: impl FnOnce(&mut Inner)) -> Self {
        let mut inner = (*self.inner).clone();
        change(&mut inner);
        Self { inner: Arc::new(inner) }
    }

    /// The same desk with an authority: it can issue.
    #[must_use]
    pub fn with_issuer(&self, issuer: Issuer) -> Self {
        self.with(|inner| inner.issuer = Some(Arc::new(issuer)))
    }

    /// The same desk at another time: the demonstration's history is made so.
    #[must_use]
    pub fn with_clock(&self, clock: Clock) -> Self {
        self.with(|inner| inner.clock = clock)
    }

    /// The same desk with a way to look outside: it can look for domains' tokens.
    #[must_use]
    pub fn with_token_lookup(&self, tokens: Arc<dyn organizations::TokenLookup>) -> Self {
        self.with(|inner| inner.tokens = Some(tokens))
    }

    /// The accounts that signed something a moment ago.
    pub(crate) fn known_accounts(&self) -> &acme::Known {
        &self.inner.known_accounts
    }

    pub(crate) fn token_lookup(&self) -> Result<&dyn organizations::TokenLookup> {
        let none = || LifecycleError::Internal("no way to look for tokens".to_owned());
        self.inner.tokens.as_deref().ok_or_else(none)
    }

    /// The authority.
    pub fn issuer(&self) -> Result<&Issuer> {
        self.inner.issuer.as_deref().ok_or_else(no_issuer)
    }

    pub(crate) fn issuer_arc(&self) -> Result<Arc<Issuer>> {
        self.inner.issuer.clone().ok_or_else(no_issuer)
    }

    /// The database.
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// The present work needs nothing more of the database: what it read with goes to others, while
    /// the work makes something of what it has read.
    pub fn done_reading(&self) {
        self.inner.store.give_back_reader();
    }

    /// The clock; one `now` is read per use case.
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }
}

fn no_issuer() -> LifecycleError {
    LifecycleError::Internal(
        "this process was started without the certificate authority".to_owned(),
    )
}
