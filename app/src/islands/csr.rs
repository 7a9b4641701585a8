//! Reads a CSR while it is pasted: its names and key, or what is wrong with it. Without scripts
//! the same is told when the form is sent.

use leptos::prelude::*;

/// What the CSR in the text area `target` says: `source` is sent its text and answers in words.
#[island]
pub fn CsrFacts(
    /// Id of the text area.
    target: String,
    /// URL that reads CSRs.
    source: String,
) -> impl IntoView {
    // Whether it is a fault, and the words.
    let (said, say) = signal((false, String::new()));
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| reading::listen(&target, source.clone(), say));
    #[cfg(not(feature = "hydrate"))]
    let _ = (target, source, say);
    view! {
        <p class=move || if said.get().0 { "csr-facts fault" } else { "csr-facts help" } aria-live="polite">
            {move || said.get().1}
        </p>
    }
}

#[cfg(feature = "hydrate")]
mod reading {
    use std::cell::RefCell;
    use std::rc::Rc;

    use leptos::prelude::*;
    use leptos::task::spawn_local;
    use leptos::wasm_bindgen::closure::Closure;
    use leptos::wasm_bindgen::{JsCast as _, JsValue};
    use leptos::web_sys::{HtmlTextAreaElement, RequestInit, Response};

    /// Waits this long for the next letter, in milliseconds.
    const PAUSE: u64 = 250;

    pub(super) fn listen(target: &str, source: String, say: WriteSignal<(bool, String)>) {
        let area = document()
            .get_element_by_id(target)
            .and_then(|found| found.dyn_into::<HtmlTextAreaElement>().ok());
        let Some(area) = area else { return };
        let field = area.clone();
        let last = Rc::new(RefCell::new(String::new()));
        let on_input = Closure::<dyn FnMut()>::new(move || {
            let (field, source, typed) = (field.clone(), source.clone(), field.value());
            let last = Rc::clone(&last);
            let ask = move || {
                // A pasted CSR comes as many lines: it is sent once.
                if field.value() != typed || *last.borrow() == typed {
                    return;
                }
                last.borrow_mut().clone_from(&typed);
                if !typed.contains("-----END") {
                    say.set((false, String::new()));
                    return;
                }
                spawn_local(async move {
                    if let Ok(said) = send(&source, &typed).await {
                        say.set(said);
                    }
                });
            };
            set_timeout(ask, std::time::Duration::from_millis(PAUSE));
        });
        let _ = area.add_event_listener_with_callback("input", on_input.as_ref().unchecked_ref());
        on_input.forget();
    }

    async fn send(source: &str, csr: &str) -> Result<(bool, String), JsValue> {
        let init = RequestInit::new();
        init.set_method("POST");
        init.set_body(&JsValue::from_str(csr));
        let answer =
            wasm_bindgen_futures::JsFuture::from(window().fetch_with_str_and_init(source, &init))
                .await?;
        let answer: Response = answer.dyn_into()?;
        let text = wasm_bindgen_futures::JsFuture::from(answer.text()?).await?;
        Ok((!answer.ok(), text.as_string().unwrap_or_default()))
    }
}
