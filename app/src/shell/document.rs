//! The HTML document around the app.

use leptos::hydration::HydrationScripts;
use leptos::prelude::*;
use leptos_meta::MetaTags;

use crate::App;
use crate::viewer::{Theme, Viewer};

const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect \
    width='32' height='32' rx='8' fill='%233454d1'/%3E%3Cpath d='M9 16.5l5 5 9.5-11' fill='none' stroke='white' \
    stroke-width='3.5' stroke-linecap='round' stroke-linejoin='round'/%3E%3C/svg%3E";

/// The document. `script` and `style` are missing where the site was not built: pages then work
/// unstyled.
#[component]
pub fn Document(
    /// Where the built scripts are, where they were built.
    script: Option<LeptosOptions>,
    /// URL of the style sheet.
    style: Option<String>,
) -> impl IntoView {
    let theme =
        Some(Viewer::current().theme).filter(|theme| *theme != Theme::Auto).map(Theme::as_str);
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=theme>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <link rel="icon" href=ICON/>
                {style.map(|href| view! { <link rel="stylesheet" href=href/> })}
                {script.map(|options| view! { <HydrationScripts options=options islands=true/> })}
                <MetaTags/>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}
