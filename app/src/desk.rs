//! The signed-in person, what they may do, and the lifecycle, from the request's context.
//!
//! Server functions are public POST endpoints: each begins with [`Desk::open`] or
//! [`Desk::require`].

use std::sync::Arc;

use axum::extract::FromRequestParts;
use domain::Timestamp;
use domain::model::Role;
use http::request::Parts;
use leptos::prelude::use_context;
use lifecycle::{Actor, Lifecycle, Person};

use crate::browser::{extension, of_request};
use crate::fault::PortalError;

/// Who is signed in on this request; the HTTP layer puts it into the request's extensions.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The person.
    pub person: Arc<Person>,
    /// The session's token, for signing out.
    pub token: Arc<str>,
}

impl SignedIn {
    /// Whoever sends this request; none where nobody is signed in.
    pub fn current() -> Option<Self> {
        extension()
    }
}

/// What a page or a server function wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum May {
    /// See what is not one's own: orders, requests, automation.
    SeeAll,
    /// Review the requests of others.
    Review,
    /// Set automation up: endpoints, profiles, agents, ACME Directory URLs.
    Automate,
    /// Change account settings, people, organizations and API keys of others.
    Administer,
}

impl May {
    /// Whether people with `role` may.
    pub const fn is_given_to(self, role: Role) -> bool {
        match self {
            Self::SeeAll => !matches!(role, Role::Limited),
            Self::Review | Self::Automate => role.is_approver(),
            Self::Administer => matches!(role, Role::Administrator),
        }
    }

    const fn refusal(self) -> &'static str {
        match self {
            Self::SeeAll => {
                "Limited Users see their own orders only. Ask an administrator for another role."
            }
            Self::Review => "Only Managers and Administrators review requests. Ask one of them.",
            Self::Automate => {
                "Only Managers and Administrators set automation up. Ask one of them."
            }
            Self::Administer => "Only Administrators may do this. Ask one of them.",
        }
    }
}

/// The desk as one signed-in person sees it.
#[derive(Debug, Clone)]
pub struct Desk {
    /// The use cases.
    pub lifecycle: Lifecycle,
    /// Who asks.
    pub person: Arc<Person>,
    /// The moment of this request.
    pub now: Timestamp,
}

impl Desk {
    /// The desk for whoever is signed in.
    pub fn open() -> Result<Self, PortalError> {
        let lifecycle = lifecycle()?;
        of_request(|parts| Self::of(lifecycle, parts)).ok_or(PortalError::Failed)?
    }

    /// The desk for someone who `may`.
    pub fn require(may: May) -> Result<Self, PortalError> {
        let desk = Self::open()?;
        desk.check(may)?;
        Ok(desk)
    }

    /// Refuses in words where the person may not.
    pub fn check(&self, may: May) -> Result<(), PortalError> {
        if self.may(may) { Ok(()) } else { Err(PortalError::Forbidden(may.refusal().to_owned())) }
    }

    /// Whether the person may.
    pub fn may(&self, may: May) -> bool {
        may.is_given_to(self.person.role)
    }

    /// Who acts, for use cases and the audit log.
    pub fn actor(&self) -> Actor {
        Actor::Person((*self.person).clone())
    }

    /// The brand word of "Switch to …".
    pub async fn brand(&self) -> Result<String, PortalError> {
        Ok(self.lifecycle.settings().await?.value("brand_word").to_owned())
    }

    fn of(lifecycle: Lifecycle, parts: &Parts) -> Result<Self, PortalError> {
        let signed_in = parts.extensions.get::<SignedIn>().ok_or(PortalError::SignedOut)?;
        let now = lifecycle.clock().now();
        Ok(Self { lifecycle, person: signed_in.person.clone(), now })
    }
}

/// The use cases, for the few server functions that work before sign-in.
pub fn lifecycle() -> Result<Lifecycle, PortalError> {
    use_context::<Lifecycle>().ok_or(PortalError::Failed)
}

/// For handlers that answer with files or streams instead of pages.
impl<S: Send + Sync> FromRequestParts<S> for Desk {
    type Rejection = (http::StatusCode, String);

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        let lifecycle = parts.extensions.get::<Lifecycle>().cloned().ok_or(PortalError::Failed);
        lifecycle.and_then(|lifecycle| Self::of(lifecycle, parts)).map_err(|error| {
            let status = http::StatusCode::from_u16(error.status())
                .unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
            (status, error.to_string())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_and_what_they_may() {
        let may = |role| {
            [May::SeeAll, May::Review, May::Automate, May::Administer]
                .map(|may| may.is_given_to(role))
        };
        assert_eq!(may(Role::Administrator), [true; 4]);
        assert_eq!(may(Role::Manager), [true, true, true, false]);
        assert_eq!(may(Role::Standard), [true, false, false, false]);
        assert_eq!(may(Role::Limited), [false; 4]);
    }
}
