//! What only some people are offered. The server functions behind it ask again.

use domain::model::Role;
use leptos::prelude::*;

use crate::fault::PortalError;
use crate::viewer::Viewer;

/// `view`, for administrators.
pub(crate) fn administrators<V: IntoView + 'static>(view: impl FnOnce() -> V) -> Option<AnyView> {
    is_administrator().then(|| view().into_any())
}

/// Refuses a page that is for administrators only, before anything is typed into it.
pub(crate) fn for_administrators() -> Result<(), PortalError> {
    if is_administrator() {
        return Ok(());
    }
    Err(PortalError::Forbidden("Only Administrators may do this. Ask one of them.".to_owned()))
}

fn is_administrator() -> bool {
    Viewer::current().person.is_some_and(|person| person.role == Role::Administrator)
}
