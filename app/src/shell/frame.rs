//! The frame: skip link, top bar, left menu, the page.

use leptos::children::Children;
use leptos::prelude::*;

use super::menu::Menu;
use super::top::TopBar;
use crate::demo::DemoLine;
use crate::fault::Submitted;
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
                    {signed_in_again()}
                    {children()}
                </main>
            </div>
        </div>
    }
}

/// Above a form that its sender had to sign in for.
fn signed_in_again() -> Option<impl IntoView> {
    use_context::<Submitted>().filter(|sent| sent.error.is_none())?;
    Some(view! {
        <Notice tone=Tone::Info title="You are signed in again" autofocus=true>
            <p>"Nothing was done with what you sent. Look it over, and send it once more; passwords were not kept."</p>
        </Notice>
    })
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
