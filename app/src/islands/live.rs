//! Follows a piece of work: when the server says that something changed, the part of the page with
//! the given id is fetched anew. The page renders that part itself, so there is one rendering.

use leptos::prelude::*;

/// Keeps the element `target` fresh by the server-sent events at `stream`.
///
/// Each message means "look again"; a message with the data `end` closes the stream. Without
/// scripts the page offers a link that loads it again.
#[island]
pub fn Live(
    /// URL of the stream.
    stream: String,
    /// Id of the element to keep fresh; it should be a polite live region.
    target: String,
) -> impl IntoView {
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| following::start(&stream, target.clone()));
    #[cfg(not(feature = "hydrate"))]
    let _ = (stream, target);
}

#[cfg(feature = "hydrate")]
mod following {
    use leptos::prelude::*;
    use leptos::task::spawn_local;
    use leptos::wasm_bindgen::closure::Closure;
    use leptos::wasm_bindgen::{JsCast as _, JsValue};
    use leptos::web_sys::js_sys::Promise;
    use leptos::web_sys::{DomParser, EventSource, MessageEvent, Response, SupportedType};

    pub(super) fn start(stream: &str, target: String) {
        let Ok(source) = EventSource::new(stream) else { return };
        let closing = source.clone();
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |message: MessageEvent| {
            if message.data().as_string().as_deref() == Some("end") {
                closing.close();
            }
            let target = target.clone();
            spawn_local(async move {
                let _ = refresh(&target).await;
            });
        });
        source.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        // The page's life is the listener's life.
        on_message.forget();
    }

    async fn refresh(target: &str) -> Result<(), JsValue> {
        let url = window().location().href()?;
        let response: Response = resolved(window().fetch_with_str(&url)).await?.dyn_into()?;
        let html = resolved(response.text()?).await?.as_string().unwrap_or_default();
        let page = DomParser::new()?.parse_from_string(&html, SupportedType::TextHtml)?;
        if let Some((new, old)) =
            page.get_element_by_id(target).zip(document().get_element_by_id(target))
        {
            old.set_inner_html(&new.inner_html());
        }
        Ok(())
    }

    async fn resolved(promise: Promise) -> Result<JsValue, JsValue> {
        wasm_bindgen_futures::JsFuture::from(promise).await
    }
}
