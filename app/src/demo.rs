//! The demonstration says that it is one, and gives administrators the way back to its start.

use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;

use crate::fault::PortalError;
use crate::kit::{Button, Form, Weight};

/// Puts the demonstration back to its start; the server leaves it in the request's extensions.
#[cfg(feature = "ssr")]
#[derive(Clone)]
pub struct ResetButton(std::sync::Arc<dyn Fn() + Send + Sync>);

#[cfg(feature = "ssr")]
impl ResetButton {
    /// A button that does `press`.
    pub fn new(press: impl Fn() + Send + Sync + 'static) -> Self {
        Self(std::sync::Arc::new(press))
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
    (button.0)();
    crate::browser::redirect(&crate::paths::sign_in());
    Ok(())
}

#[cfg(feature = "ssr")]
fn button() -> Option<ResetButton> {
    use_context::<http::request::Parts>()?.extensions.get::<ResetButton>().cloned()
}

#[cfg(feature = "ssr")]
fn is_demo() -> bool {
    button().is_some()
}

#[cfg(not(feature = "ssr"))]
fn is_demo() -> bool {
    false
}

/// The line under the top bar; nothing in a real portal.
#[component]
pub fn DemoLine() -> impl IntoView {
    is_demo().then(|| {
        let administrator = crate::viewer::Viewer::current()
            .person
            .is_some_and(|person| person.role == domain::model::Role::Administrator);
        view! {
            <aside class="demo-line" aria-label="Demonstration">
                <span>"This is a demonstration: everything in it may be tried."</span>
                {administrator.then(|| view! {
                    <Form action=ResetDemo::PATH>
                        <Button weight=Weight::Ghost>"Back to the start"</Button>
                    </Form>
                })}
            </aside>
        }
    })
}
