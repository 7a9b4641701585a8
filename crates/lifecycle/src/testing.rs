//! Desks for tests: one on each database, with nobody and nothing in it.

pub(crate) mod issuing;

use std::ops::Deref;

use domain::model::Role;
use store::testing::{TestDatabase, databases};

use crate::accounts::NewUser;
use crate::audit::{AuditFilter, AuditRow};
use crate::lists::PageOf;
use crate::{Actor, Clock, Door, Lifecycle, Person};

/// A desk with the database under it.
pub(crate) struct Desk {
    lifecycle: Lifecycle,
    database: TestDatabase,
}

impl Deref for Desk {
    type Target = Lifecycle;
    fn deref(&self) -> &Lifecycle {
        &self.lifecycle
    }
}

impl Desk {
    /// The address of its database, for processes of their own.
    pub(crate) fn url(&self) -> &str {
        &self.database.url
    }

    /// Runs one statement without asking anybody, as somebody with the database file could.
    pub(crate) async fn tamper(&self, sql: &'static str) {
        self.database.execute(sql).await.unwrap();
    }

    /// The entries of the audit log for this act, the newest first.
    pub(crate) async fn told(&self, action: &str) -> Vec<AuditRow> {
        newest(self).await.into_iter().filter(|row| row.action == action).collect()
    }

    /// Adds a person with a password known to tests.
    pub(crate) async fn person(&self, email: &str, role: Role) -> Person {
        let new = NewUser {
            email: email.into(),
            name: String::new(),
            role,
            password: Some(PASSWORD.into()),
        };
        let id = self.add_user(&Actor::Operator, new).await.unwrap();
        let user = self.user(&Actor::Operator, id).await.unwrap().user;
        Person { user, role, door: Door::Portal, address: None }
    }
}

/// The password of [`Desk::person`].
pub(crate) const PASSWORD: &str = "harbour violet anvil";

/// The newest entries of the audit log, newest first.
pub(crate) async fn newest(desk: &Desk) -> Vec<AuditRow> {
    let page = PageOf { descending: true, ..PageOf::first((), 50) };
    desk.audit_page(&Actor::Operator, AuditFilter::default(), &page).await.unwrap().rows
}

/// A fresh desk on each database.
pub(crate) async fn desks() -> Vec<Desk> {
    let fresh = |database: TestDatabase| Desk {
        lifecycle: Lifecycle::new(database.store.clone(), Clock::system()),
        database,
    };
    databases().await.into_iter().map(fresh).collect()
}
