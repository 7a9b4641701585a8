//! What was just made, for the client that asks for it next.
//!
//! A client fetches its order's authorizations right behind newOrder, and the certificate right behind
//! finalize. Whoever made them has them at hand: each is given out once, to its account, without
//! reading the database again. Only what nothing changes is here: the certificate of an order, and an
//! authorization by a validated domain, in the second in which it was made.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Mutex;

use domain::model::acme::Authorization;
use domain::{AcmeAccountId, AcmeOrderId, Timestamp};

/// Of each kind; all are forgotten when there are more.
const MOST: usize = 1_000;

#[derive(Debug, Default)]
pub(super) struct Fresh {
    authorizations: Shelf<i64, Authorization>,
    chains: Shelf<AcmeOrderId, String>,
}

impl Fresh {
    /// Puts those aside that are valid already.
    pub(super) fn put_authorizations(&self, made: Vec<Authorization>) {
        for one in made.into_iter().filter(|one| one.prevalidated) {
            self.authorizations.put(one.id, one.account, one);
        }
    }

    /// An account's authorization, once, in the second in which it was made.
    pub(super) fn authorization(
        &self,
        account: AcmeAccountId,
        id: i64,
        now: Timestamp,
    ) -> Option<Authorization> {
        self.authorizations.take(id, account).filter(|made| made.created_at == now)
    }

    /// To be told before an authorization is changed.
    pub(super) fn forget_authorization(&self, id: i64) {
        self.authorizations.forget(id);
    }

    /// Puts the certificate of an account's order aside, with what servers send behind it.
    pub(super) fn put_chain(&self, account: AcmeAccountId, order: AcmeOrderId, chain: String) {
        self.chains.put(order, account, chain);
    }

    /// The certificate of an account's order, once.
    pub(super) fn chain(&self, account: AcmeAccountId, order: AcmeOrderId) -> Option<String> {
        self.chains.take(order, account)
    }
}

/// Things of accounts.
#[derive(Debug)]
struct Shelf<K, V>(Mutex<HashMap<K, (AcmeAccountId, V)>>);

impl<K, V> Default for Shelf<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash + Copy, V> Shelf<K, V> {
    fn put(&self, key: K, owner: AcmeAccountId, thing: V) {
        let Ok(mut things) = self.0.lock() else { return };
        if things.len() >= MOST {
            things.clear();
        }
        things.insert(key, (owner, thing));
    }

    fn take(&self, key: K, account: AcmeAccountId) -> Option<V> {
        let mut things = self.0.lock().ok()?;
        if things.get(&key)?.0 != account {
            return None;
        }
        things.remove(&key).map(|(_, thing)| thing)
    }

    fn forget(&self, key: K) {
        if let Ok(mut things) = self.0.lock() {
            things.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_is_given_once_and_to_its_account_only() {
        let fresh = Fresh::default();
        let (owner, other, order) = (AcmeAccountId(1), AcmeAccountId(2), AcmeOrderId(7));
        fresh.put_chain(owner, order, "PEM".to_owned());
        assert_eq!(fresh.chain(other, order), None);
        assert_eq!(fresh.chain(owner, order).as_deref(), Some("PEM"));
        assert_eq!(fresh.chain(owner, order), None);
    }

    #[test]
    fn what_nobody_fetches_takes_no_more_room_than_that() {
        let fresh = Fresh::default();
        let owner = AcmeAccountId(1);
        for number in 0..=MOST {
            let order = AcmeOrderId(i64::try_from(number).unwrap());
            fresh.put_chain(owner, order, "PEM".to_owned());
        }
        assert_eq!(fresh.chain(owner, AcmeOrderId(0)), None);
        assert_eq!(fresh.chains.0.lock().unwrap().len(), 1);
    }
}
