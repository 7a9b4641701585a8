//! One island for the whole page: copy buttons, the theme at once, and no form sent twice.

use leptos::prelude::*;

/// Listens on the document, so that the server's HTML needs no scripts of its own.
#[island]
pub fn Enhance() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    Effect::new(|_| listening::start());
}

#[cfg(feature = "hydrate")]
mod listening {
    use leptos::ev;
    use leptos::prelude::*;
    use leptos::wasm_bindgen::JsCast as _;
    use leptos::web_sys::{Element, Event, HtmlDocument};

    /// How long "Copied" is said, in milliseconds.
    const SAID: u64 = 1500;

    pub(super) fn start() {
        if let Some(root) = document().document_element() {
            let _ = root.set_attribute("data-js", "");
        }
        window_event_listener(ev::click, |event| {
            if let Some(button) = closest(&event, "[data-copy]") {
                copy(&button);
            } else if let Some(button) = closest(&event, "[data-theme-choice]") {
                event.prevent_default();
                choose_theme(&button);
            }
        });
        window_event_listener(ev::submit, |event| {
            if let Some(form) = closest(&event, "form[data-guard]") {
                guard(&form, &event);
            }
        });
        window_event_listener(ev::pageshow, |_| release());
    }

    fn closest(event: &Event, selector: &str) -> Option<Element> {
        event.target()?.dyn_into::<Element>().ok()?.closest(selector).ok()?
    }

    fn copy(button: &Element) {
        let text = button.get_attribute("data-copy").unwrap_or_default();
        let _ = window().navigator().clipboard().write_text(&text);
        let _ = button.set_attribute("data-copied", "");
        let button = button.clone();
        set_timeout(
            move || {
                let _ = button.remove_attribute("data-copied");
            },
            std::time::Duration::from_millis(SAID),
        );
    }

    fn choose_theme(button: &Element) {
        let Some(root) = document().document_element() else { return };
        let theme = button.get_attribute("data-theme-choice").unwrap_or_default();
        let _ = if theme == "auto" {
            root.remove_attribute("data-theme")
        } else {
            root.set_attribute("data-theme", &theme)
        };
        each("[data-theme-choice]", |other| {
            let pressed =
                other.get_attribute("data-theme-choice").as_deref() == Some(theme.as_str());
            let _ = other.set_attribute("aria-pressed", if pressed { "true" } else { "false" });
        });
        if let Some(page) = document().dyn_ref::<HtmlDocument>() {
            let _ = page.set_cookie(&format!(
                "certdeck-theme={theme}; Path=/; SameSite=Lax; Max-Age=31536000"
            ));
        }
    }

    /// A second submission while the first one is under way is dropped.
    fn guard(form: &Element, event: &Event) {
        if form.has_attribute("aria-busy") {
            event.prevent_default();
        } else if !event.default_prevented() {
            let _ = form.set_attribute("aria-busy", "true");
        }
    }

    /// The back button shows the page as it was left: forms may be sent again.
    fn release() {
        each("form[aria-busy]", |form| {
            let _ = form.remove_attribute("aria-busy");
        });
    }

    fn each(selector: &str, act: impl Fn(&Element)) {
        let Ok(found) = document().query_selector_all(selector) else { return };
        for position in 0..found.length() {
            if let Some(element) =
                found.item(position).and_then(|node| node.dyn_into::<Element>().ok())
            {
                act(&element);
            }
        }
    }
}
