//! The demonstration says that it is one, and gives administrators the way back to its start.

use leptos::either::Either;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;

use crate::fault::PortalError;
use crate::kit::{Button, Dialog, Form, FormActions, OpenDialog, Weight};

/// Puts the demonstration back to its start, or says why that can't be; the server leaves it in the
/// request's extensions.
#[cfg(feature = "ssr")]
#[derive(Clone)]
pub struct ResetButton(Result<std::sync::Arc<dyn Fn() + Send + Sync>, &'static str>);

#[cfg(feature = "ssr")]
impl ResetButton {
    /// A button that does `press`.
    pub fn new(press: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Ok(std::sync::Arc::new(press)))
    }

    /// No button: these words in its place.
    pub const fn missing(why: &'static str) -> Self {
        Self(Err(why))
    }
}

#[cfg(feature = "ssr")]
impl std::fmt::Debug for ResetButton {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ResetButton")
    }
}

/// Puts the demonstration back to its start.
#[server(prefix = "/api", endpoint = "demo/reset")]
pub async fn reset_demo() -> Result<(), PortalError> {
    use crate::desk::{Desk, May};

    Desk::require(May::Administer)?;
    let button = button().ok_or_else(|| PortalError::no_such("demonstration"))?;
    let press = button.0.map_err(|why| PortalError::Conflict(why.to_owned()))?;
    press();
    crate::browser::redirect(&crate::paths::sign_in());
    Ok(())
}

#[cfg(feature = "ssr")]
fn button() -> Option<ResetButton> {
    crate::browser::extension()
}

/// Whether this is a demonstration, and why there is no way back to its start where there is none.
#[cfg(feature = "ssr")]
fn demonstration() -> Option<Result<(), &'static str>> {
    button().map(|button| button.0.map(|_| ()))
}

#[cfg(not(feature = "ssr"))]
fn demonstration() -> Option<Result<(), &'static str>> {
    None
}

/// The line under the top bar; nothing in a real portal.
#[component]
pub fn DemoLine() -> impl IntoView {
    demonstration().map(|way_back| {
        let administrator = crate::viewer::Viewer::current()
            .person
            .is_some_and(|person| person.role == domain::model::Role::Administrator);
        view! {
            <aside class="demo-line" aria-label="Demonstration">
                <span>"This is a demonstration: everything in it may be tried."</span>
                {administrator.then(|| match way_back {
                    Ok(()) => Either::Left(view! {
                        <OpenDialog id="reset-demo" weight=Weight::Ghost>"Back to the start"</OpenDialog>
                        <Dialog id="reset-demo" title="Put the demonstration back to its start?">
                            <Form action=ResetDemo::PATH>
                                <p>"All that was done in it is lost: orders, requests, people, settings. Everybody is signed out."</p>
                                <FormActions><Button weight=Weight::Danger>"Begin anew"</Button></FormActions>
                            </Form>
                        </Dialog>
                    }),
                    Err(why) => Either::Right(view! { <span>{why}</span> }),
                })}
            </aside>
        }
    })
}
