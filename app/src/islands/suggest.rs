//! Suggestions as one types: fills the `<datalist>` of a field from a URL that answers with a JSON
//! list of texts.

use leptos::prelude::*;

/// Suggestions for the field `input`, from `source` with `?q=` and what was typed so far.
///
/// Renders the `<datalist>`; give its id to the field as `list`. Without scripts the field is an
/// ordinary one.
#[island]
pub fn Suggest(
    /// Id of the `<datalist>`.
    list: String,
    /// Id of the field.
    input: String,
    /// URL of the suggestions.
    source: String,
) -> impl IntoView {
    let (names, set_names) = signal(Vec::<String>::new());
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| typing::listen(&input, source.clone(), set_names));
    #[cfg(not(feature = "hydrate"))]
    let _ = (input, source, set_names);
    view! {
        <datalist id=list>
            {move || names.get().into_iter().map(|name| view! { <option value=name></option> }).collect_view()}
        </datalist>
    }
}

#[cfg(feature = "hydrate")]
mod typing {
    use leptos::prelude::*;
    use leptos::task::spawn_local;
    use leptos::wasm_bindgen::closure::Closure;
    use leptos::wasm_bindgen::{JsCast as _, JsValue};
    use leptos::web_sys::js_sys::{Array, Promise};
    use leptos::web_sys::{HtmlInputElement, Response};

    /// Waits this long for the next letter, in milliseconds.
    const PAUSE: u64 = 150;

    pub(super) fn listen(input: &str, source: String, names: WriteSignal<Vec<String>>) {
        let Some(input) = document()
            .get_element_by_id(input)
            .and_then(|found| found.dyn_into::<HtmlInputElement>().ok())
        else {
            return;
        };
        let field = input.clone();
        let on_input = Closure::<dyn FnMut()>::new(move || {
            let (field, source, typed) = (field.clone(), source.clone(), field.value());
            let ask = move || {
                // Only the last letter of a fast typist asks.
                if field.value() == typed && typed.len() >= 2 {
                    spawn_local(async move {
                        if let Ok(found) = fetch(&source, &typed).await {
                            names.set(found);
                        }
                    });
                }
            };
            set_timeout(ask, std::time::Duration::from_millis(PAUSE));
        });
        let _ = input.add_event_listener_with_callback("input", on_input.as_ref().unchecked_ref());
        on_input.forget();
    }

    async fn fetch(source: &str, typed: &str) -> Result<Vec<String>, JsValue> {
        let url = format!("{source}?q={}", crate::query::encode(typed));
        let response: Response = resolved(window().fetch_with_str(&url)).await?.dyn_into()?;
        let list: Array = resolved(response.json()?).await?.dyn_into()?;
        Ok(list.iter().filter_map(|name| name.as_string()).collect())
    }

    async fn resolved(promise: Promise) -> Result<JsValue, JsValue> {
        wasm_bindgen_futures::JsFuture::from(promise).await
    }
}
