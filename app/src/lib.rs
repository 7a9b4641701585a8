//! The portal's screens: rendered on the server (`ssr`), with a few islands compiled to WASM
//! (`hydrate`). Every page works without scripts.

#![recursion_limit = "256"]
#![allow(clippy::needless_pass_by_value, reason = "components own their properties")]
#![allow(clippy::unused_async, reason = "server functions are async by their nature")]
#![allow(
    clippy::too_many_arguments,
    clippy::fn_params_excessive_bools,
    reason = "the fields of a form are the arguments of its server function"
)]

pub mod demo;
pub mod fault;
pub mod islands;
pub mod kit;
pub mod pages;
pub mod paths;
pub mod query;
pub mod shell;
pub mod viewer;

#[cfg(feature = "ssr")]
pub mod browser;
#[cfg(feature = "ssr")]
pub mod context;
#[cfg(feature = "ssr")]
pub mod desk;
#[cfg(feature = "ssr")]
pub mod files;

mod routes;

use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::components::{FlatRoutes, FlatRoutesProps, Router};

/// The app: whichever page the URL names.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Title formatter=title/>
        <Router>
            {pages_by_route()}
        </Router>
        <islands::Enhance/>
    }
}

/// The page's title as it stands between the tags. Leptos writes it as it is, so what a title holds
/// of a search or a name has to be escaped here.
fn title(page: String) -> String {
    let mut html = kit::Markup::default();
    html.text(&page).tags(" · Certdeck");
    html.into_html()
}

/// The route comes from a table, not from markup, so the component is called as the function that it is.
fn pages_by_route() -> impl IntoView {
    let routes = FlatRoutesProps::builder()
        .fallback(pages::not_found::NotFoundPage)
        .children(ToChildren::to_children(routes::table))
        .build();
    FlatRoutes(routes)
}
