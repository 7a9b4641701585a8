//! What is not part of this release, and how screens say so: in the menu's areas that are still empty,
//! and beside settings that are kept for it.

use leptos::prelude::*;

use crate::kit::{EmptyState, LinkButton, Notice, Sheet, Tone, page};
use crate::paths;

/// Beside the addresses of one request.
pub(crate) const MAIL_OF_REQUEST: &str = "Separated by commas. They are kept with the request, but Certdeck sends no mail yet: \
     Activity shows how the request goes on.";
/// Beside the addresses of a profile.
pub(crate) const MAIL_OF_PROFILE: &str = "Separated by commas. They are kept with the profile, but Certdeck sends no mail yet: \
     Requests and Activity show what happens to requests of this profile.";

/// Above the settings of notices.
pub(crate) fn notices_are_kept() -> impl IntoView {
    view! {
        <Notice tone=Tone::Info>
            <p>
                "Certdeck sends no mail yet: the days and the recipients of notices are kept, but nobody is told. The "
                <a href=paths::dashboard()>"Dashboard"</a>
                " shows what expires in 90 days or less."
            </p>
        </Notice>
    }
}

/// A page that says honestly that there is nothing yet, and what there is `instead`.
pub(crate) fn later(
    title: &'static str,
    group: Option<&'static str>,
    instead: &'static str,
) -> AnyView {
    page(async move {
        let sheet = Sheet::new(
            title,
            view! {
                <EmptyState
                    title="This area is not part of this release yet"
                    text=format!("Nothing is hidden from you: it has not been built. {instead}")
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
