//! The frame: skip link, top bar, left menu, the page.

use leptos::children::Children;
use leptos::prelude::*;

use super::menu::Menu;
use super::top::TopBar;
use crate::demo::DemoLine;
use crate::kit::{Notice, Tone};

/// The frame around a page of a signed-in person.
#[component]
pub fn Frame(
    /// The page.
    children: Children,
) -> impl IntoView {
    view! {
        <a class="skip" href="#main">"Skip to the content"</a>
        <div class="frame">
            <Menu/>
            <div class="frame-main">
                <TopBar/>
                <DemoLine/>
                <main id="main" tabindex="-1">
                    {flash()}
                    {children()}
                </main>
            </div>
        </div>
    }
}

/// The notice that the last form left for this page.
#[cfg(feature = "ssr")]
fn flash() -> Option<impl IntoView> {
    crate::browser::take_flash()
        .map(|message| view! { <Notice tone=Tone::Good><p>{message}</p></Notice> })
}

#[cfg(not(feature = "ssr"))]
fn flash() -> Option<impl IntoView> {
    None::<String>.map(|message| view! { <Notice tone=Tone::Good><p>{message}</p></Notice> })
}
