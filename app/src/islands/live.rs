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
    use std::cell::Cell;
    use std::rc::Rc;

    use leptos::prelude::*;
    use leptos::task::spawn_local;
    use leptos::wasm_bindgen::closure::Closure;
    use leptos::wasm_bindgen::{JsCast as _, JsValue};
    use leptos::web_sys::js_sys::Promise;
    use leptos::web_sys::{
        DomParser, Element, EventSource, HtmlElement, MessageEvent, Response, SupportedType,
    };

    pub(super) fn start(stream: &str, target: String) {
        let Ok(source) = EventSource::new(stream) else { return };
        let closing = source.clone();
        // Answers may overtake each other: one asked for earlier never replaces a later one.
        let (mut asked, shown) = (0_u32, Rc::new(Cell::new(0_u32)));
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |message: MessageEvent| {
            asked += 1;
            let (turn, shown) = (asked, Rc::clone(&shown));
            let (target, closing) = (target.clone(), closing.clone());
            spawn_local(async move {
                let end = message.data().as_string().as_deref() == Some("end");
                let Ok(html) = fetched().await else { return };
                if turn > shown.get() {
                    shown.set(turn);
                    let _ = show(&html, &target);
                }
                // Where the last state could not be fetched, the browser opens the stream again.
                if end {
                    closing.close();
                }
            });
        });
        source.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        // The page's life is the listener's life.
        on_message.forget();
    }

    async fn fetched() -> Result<String, JsValue> {
        let url = window().location().href()?;
        let response: Response = resolved(window().fetch_with_str(&url)).await?.dyn_into()?;
        Ok(resolved(response.text()?).await?.as_string().unwrap_or_default())
    }

    fn show(html: &str, target: &str) -> Result<(), JsValue> {
        let page = DomParser::new()?.parse_from_string(html, SupportedType::TextHtml)?;
        if let Some((new, old)) =
            page.get_element_by_id(target).zip(document().get_element_by_id(target))
        {
            renew(&old, &new)?;
        }
        Ok(())
    }

    /// Only the parts that changed are put in place and thus read out; the keyboard stays where it
    /// was, on what looks the same as before.
    fn renew(old: &Element, new: &Element) -> Result<(), JsValue> {
        let focused = document().active_element().filter(|one| old.contains(Some(one)));
        let (parts, fresh) = (old.children(), new.children());
        if parts.length() == fresh.length() {
            for (was, is) in (0..parts.length()).map(|at| (parts.item(at), fresh.item(at))) {
                if let Some((was, is)) =
                    was.zip(is).filter(|(was, is)| !was.is_equal_node(Some(is)))
                {
                    was.set_outer_html(&is.outer_html());
                }
            }
        } else {
            old.set_inner_html(&new.inner_html());
        }
        let Some(lost) = focused.filter(|one| !old.contains(Some(one))) else { return Ok(()) };
        let (all, looks) = (old.query_selector_all(&lost.tag_name())?, lost.outer_html());
        let same = (0..all.length())
            .filter_map(|at| all.item(at)?.dyn_into::<HtmlElement>().ok())
            .find(|one| one.outer_html() == looks);
        same.or_else(|| old.clone().dyn_into().ok()).map_or(Ok(()), |one| one.focus())
    }

    async fn resolved(promise: Promise) -> Result<JsValue, JsValue> {
        wasm_bindgen_futures::JsFuture::from(promise).await
    }
}
