//! (ssr) What every page and server function finds in its context.

use domain::Timestamp;
use http::request::Parts;
use leptos::prelude::{provide_context, use_context};
use lifecycle::Lifecycle;

use crate::browser::{self, Cookie, of_request};
use crate::desk::SignedIn;
use crate::fault::{StandsOnPage, Submitted};
use crate::kit::Zone;
use crate::viewer::{Theme, Viewer, Who};

/// Names of the built files, with their digests.
#[derive(Debug, Clone)]
pub struct Site {
    /// Name of the script and the WASM without ending, where they were built.
    pub script: Option<String>,
    /// URL of the style sheet, where it was built.
    pub style: Option<String>,
}

/// Lets pages await on the Tokio runtime of the process. To be called once before pages are made.
pub fn start() {
    // An error says that it was called before.
    let _ = any_spawner::Executor::init_tokio();
}

/// Puts the lifecycle, the viewer and a form that came back into the context of a request.
pub fn provide(lifecycle: &Lifecycle) {
    provide_context(lifecycle.clone());
    let now = lifecycle.clock().now();
    let read = |parts: &Parts| (parts.extensions.get::<Submitted>().cloned(), viewer(parts, now));
    let Some((submitted, viewer)) = of_request(read) else { return };
    if let Some(submitted) = submitted {
        if let Some(error) = &submitted.error {
            browser::set_status(error.status());
        }
        provide_context(submitted);
        provide_context(StandsOnPage::default());
    }
    provide_context(viewer);
}

/// What the page shows was read; others may read while it is written.
pub(crate) fn done_reading() {
    if let Some(lifecycle) = use_context::<Lifecycle>() {
        lifecycle.done_reading();
    }
}

fn viewer(parts: &Parts, now: Timestamp) -> Viewer {
    let user = parts.extensions.get::<SignedIn>().map(|signed_in| &signed_in.person);
    Viewer {
        person: user.map(|person| Who {
            name: person.user.name.clone(),
            email: person.user.email.clone(),
            role: person.role,
        }),
        zone: user.map_or(Zone::UTC, |person| Zone::named(&person.user.time_zone)),
        now,
        url: parts.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string),
        theme: Cookie::Theme.of(parts).map(|text| Theme::read(&text)).unwrap_or_default(),
    }
}
