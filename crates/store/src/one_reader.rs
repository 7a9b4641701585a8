//! One reading connection for all that one piece of work reads.
//!
//! A pool looks at each connection that comes back, which is a way to the database and back: as much
//! as a statement costs. A page reads a dozen times, so it takes one connection and gives it back once.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use sqlx::pool::PoolConnection;
use sqlx::{Database, Pool, Postgres, Sqlite};
use tokio::sync::{Mutex, OwnedMappedMutexGuard, OwnedMutexGuard};

use crate::Store;

tokio::task_local! {
    static HELD: Held;
}

/// What the present work holds of its store: taken with the first reading, given back where the work
/// writes, or has ended and nobody reads any more.
pub(crate) struct Held {
    store: Store,
    pub(crate) sqlite: Place<Sqlite>,
    pub(crate) postgres: Place<Postgres>,
}

type Place<DB> = Arc<Mutex<Option<PoolConnection<DB>>>>;
type Lent<DB> = OwnedMappedMutexGuard<Option<PoolConnection<DB>>, PoolConnection<DB>>;

/// A connection, from the pool or lent by the present work.
#[derive(Debug)]
pub enum Lease<DB: Database> {
    /// From the pool.
    Own(PoolConnection<DB>),
    /// The work's.
    Lent(Lent<DB>),
}

impl<DB: Database> Deref for Lease<DB> {
    type Target = DB::Connection;
    fn deref(&self) -> &DB::Connection {
        match self {
            Self::Own(connection) => connection,
            Self::Lent(connection) => connection,
        }
    }
}

impl<DB: Database> DerefMut for Lease<DB> {
    fn deref_mut(&mut self) -> &mut DB::Connection {
        match self {
            Self::Own(connection) => connection,
            Self::Lent(connection) => connection,
        }
    }
}

impl<DB: Database> Lease<DB> {
    async fn take(pool: &Pool<DB>, place: Option<Place<DB>>) -> sqlx::Result<Self> {
        let Some(place) = place else { return Ok(Self::Own(pool.acquire().await?)) };
        let mut place = if let Ok(place) = place.clone().try_lock_owned() {
            place
        } else {
            // Two things are read at once: whatever is free first, so that works which all wait for a
            // second connection don't wait for each other while their first one is free again.
            tokio::select! {
                place = place.lock_owned() => place,
                own = pool.acquire() => return Ok(Self::Own(own?)),
            }
        };
        if place.is_none() {
            *place = Some(pool.acquire().await?);
        }
        match OwnedMutexGuard::try_map(place, Option::as_mut) {
            Ok(lent) => Ok(Self::Lent(lent)),
            Err(_) => Ok(Self::Own(pool.acquire().await?)),
        }
    }
}

impl Store {
    /// Runs `work`, all of whose readings one after another take one connection. It holds it to its
    /// end, until it writes, or until it gives it back: this is for work that does little else than read.
    pub async fn with_one_reader<F: Future>(&self, work: F) -> F::Output {
        let (sqlite, postgres) = (Place::default(), Place::default());
        HELD.scope(Held { store: self.clone(), sqlite, postgres }, work).await
    }

    /// Gives back what the present work holds, where nobody reads: before a write, which may take long,
    /// and whoever waits for it must keep nobody from reading; and where the work has read all it needs.
    pub fn give_back_reader(&self) {
        let _ = HELD.try_with(|held| {
            if held.store.is(self) {
                let _ = held.sqlite.try_lock().map(|mut place| place.take());
                let _ = held.postgres.try_lock().map(|mut place| place.take());
            }
        });
    }

    /// A connection of `readers`, or the one that the present work holds.
    pub(crate) async fn lease<DB: Database>(
        &self,
        readers: &Pool<DB>,
        place: fn(&Held) -> &Place<DB>,
    ) -> sqlx::Result<Lease<DB>> {
        let held = HELD.try_with(|held| held.store.is(self).then(|| place(held).clone()));
        Lease::take(readers, held.ok().flatten()).await
    }
}

#[cfg(test)]
mod tests;
