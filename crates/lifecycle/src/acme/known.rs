//! Accounts that signed something a moment ago.
//!
//! Each request of a client is signed, and its account's key is needed to check it: four times for
//! an order. What this node changes itself it forgets at once; what another node or a command
//! changes shows within [`MOMENT`]. So this serves reading only, and what is checked again in the
//! transaction that it leads to ([`super::new_order::usable_url`]).

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use domain::AcmeAccountId;
use domain::model::acme::AcmeAccount;

/// How long another node's change may stay unseen.
const MOMENT: Duration = Duration::from_secs(1);

/// Accounts that are remembered at once; all are forgotten when there are more.
const MOST: usize = 10_000;

#[derive(Debug, Default)]
pub(crate) struct Known(Mutex<Accounts>);

#[derive(Debug, Default)]
struct Accounts {
    read: HashMap<AcmeAccountId, (Instant, AcmeAccount)>,
    /// Grows with each change that this node makes.
    changes: u64,
}

impl Known {
    /// An account as it was a moment ago.
    pub(crate) fn get(&self, id: AcmeAccountId) -> Option<AcmeAccount> {
        let accounts = self.0.lock().ok()?;
        let (read, account) = accounts.read.get(&id)?;
        (read.elapsed() < MOMENT).then(|| account.clone())
    }

    /// To be told to [`Self::put`]: what is read from now on counts as read at this point.
    pub(crate) fn point(&self) -> u64 {
        self.0.lock().map_or(0, |accounts| accounts.changes)
    }

    /// Remembers an account that was read after `point`, unless some account was changed since.
    pub(crate) fn put(&self, point: u64, account: &AcmeAccount) {
        let Ok(mut accounts) = self.0.lock() else { return };
        if accounts.changes != point {
            return;
        }
        if accounts.read.len() >= MOST {
            accounts.read.clear();
        }
        accounts.read.insert(account.id, (Instant::now(), account.clone()));
    }

    /// Forgets all accounts, once a change of one is on disk.
    pub(crate) fn forget(&self) {
        if let Ok(mut accounts) = self.0.lock() {
            accounts.changes += 1;
            accounts.read.clear();
        }
    }
}
