//! Who acts.

use std::net::IpAddr;

use domain::model::{Role, User};
use domain::{AcmeAccountId, AcmeUrlId, UserId};

/// The door that a person came through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// A session in the browser.
    Portal,
    /// An API key.
    Api,
}

/// A signed-in person.
#[derive(Debug, Clone)]
pub struct Person {
    /// Who.
    pub user: User,
    /// What they may do here: the user's role, or the lesser one of their API key.
    pub role: Role,
    /// How they came in.
    pub door: Door,
    /// Where from, as the audit log keeps it.
    pub address: Option<IpAddr>,
}

/// Who acts in a use case; the audit log keeps it.
#[derive(Debug, Clone)]
pub enum Actor {
    /// A person.
    Person(Person),
    /// An ACME client's account.
    Acme {
        /// The account.
        account: AcmeAccountId,
        /// The ACME Directory URL it belongs to.
        url: Option<AcmeUrlId>,
        /// Where the client is.
        address: Option<IpAddr>,
    },
    /// The automation worker, for the person who set the automation up.
    Worker {
        /// Who scheduled the event or switched auto-renew on.
        on_behalf_of: Option<UserId>,
    },
    /// The operator at the command line of the server.
    Operator,
}

impl Actor {
    /// The person, where a person acts.
    pub const fn person(&self) -> Option<&Person> {
        match self {
            Self::Person(person) => Some(person),
            _ => None,
        }
    }

    /// The role that permissions are asked of. The operator holds the database and the keys
    /// anyway, so is an administrator.
    pub const fn role(&self) -> Option<Role> {
        match self {
            Self::Person(person) => Some(person.role),
            Self::Operator => Some(Role::Administrator),
            Self::Acme { .. } | Self::Worker { .. } => None,
        }
    }

    /// The audit log's word for the kind of actor.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Person(Person { door: Door::Portal, .. }) => "person",
            Self::Person(Person { door: Door::Api, .. }) => "api_key",
            Self::Acme { .. } => "acme_account",
            Self::Worker { .. } => "worker",
            Self::Operator => "operator",
        }
    }
}
