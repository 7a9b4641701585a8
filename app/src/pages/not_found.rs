//! The page for addresses that lead nowhere.

use leptos::prelude::*;

use crate::fault::PortalError;
use crate::kit::{bare_page, page};
use crate::viewer::Viewer;

/// Status 404, inside the frame for signed-in people.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    let missing = async {
        Err(PortalError::NotFound(
            "There is no page at this address. It may have moved, or the link is broken."
                .to_owned(),
        ))
    };
    if Viewer::current().person.is_some() { page(missing) } else { bare_page(missing) }
}
