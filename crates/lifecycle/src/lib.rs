//! The use cases: request, approve, issue, duplicate, renew, reissue, revoke.
//!
//! The wizard, the JSON API, the ACME server and the automation worker are four doors to this one
//! desk. Only this crate opens write transactions for business acts; what it may do is decided by
//! [`domain::rules`], what it knows is in [`store`], what it signs with is [`ca`].

mod actor;
mod clock;
mod error;

use std::sync::Arc;

pub use actor::{Actor, Door, Person};
pub use clock::Clock;
pub use error::{FieldFault, LifecycleError, Result};
use store::Store;

/// The desk. Cheap to clone; every clone works on the same database, authority and clock.
#[derive(Debug, Clone)]
pub struct Lifecycle {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    clock: Clock,
}

impl Lifecycle {
    /// A desk on an opened and migrated store.
    pub fn new(store: Store, clock: Clock) -> Self {
        Self { inner: Arc::new(Inner { store, clock }) }
    }

    /// The database.
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// The clock; one `now` is read per use case.
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }
}
