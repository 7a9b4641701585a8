//! What the menu's areas show that are not part of this release.

use leptos::prelude::*;

use crate::kit::{EmptyState, LinkButton, Sheet, page};
use crate::paths;

/// A page that says honestly that there is nothing yet.
pub(crate) fn later(title: &'static str, group: Option<&'static str>) -> AnyView {
    page(async move {
        let sheet = Sheet::new(
            title,
            view! {
                <EmptyState
                    title="This area is not part of this release yet"
                    text="Nothing is hidden from you: it has not been built. The other areas of the menu work without it."
                >
                    <LinkButton href=paths::dashboard()>"To the dashboard"</LinkButton>
                </EmptyState>
            },
        );
        Ok(match group {
            Some(group) => sheet.under(group),
            None => sheet,
        })
    })
}
