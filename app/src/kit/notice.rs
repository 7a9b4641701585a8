//! Notices, empty states and dialogs.

use leptos::children::Children;
use leptos::prelude::*;

use super::{Glyph, Icon, Tone};
use crate::fault::StandsOnPage;

/// A few sentences that stand out.
#[component]
pub fn Notice(
    /// How good or bad the news is.
    tone: Tone,
    /// The first words; none for a single sentence.
    #[prop(optional, into)]
    title: String,
    /// The keyboard is here when the page opens, so that screen readers read it first.
    #[prop(optional)]
    autofocus: bool,
    /// The sentences.
    children: Children,
) -> impl IntoView {
    let tabindex = autofocus.then_some("-1");
    let role = if matches!(tone, Tone::Bad | Tone::Warning) { "alert" } else { "status" };
    view! {
        <div class=format!("notice {}", tone.class()) role=role tabindex=tabindex autofocus=autofocus>
            <Icon glyph=tone.glyph()/>
            <div>
                {(!title.is_empty()).then(|| view! { <p class="notice-title">{title}</p> })}
                {children()}
            </div>
        </div>
    }
}

/// What a list shows while there is nothing in it: why, and what to do next.
#[component]
pub fn EmptyState(
    /// What is not there.
    #[prop(into)]
    title: String,
    /// What to do next, in words.
    #[prop(into)]
    text: String,
    /// Links or buttons.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="empty">
            <Icon glyph=Glyph::Empty/>
            <p class="empty-title">{title}</p>
            <p class="muted">{text}</p>
            {children.map(|children| view! { <div class="actions">{children()}</div> })}
        </div>
    }
}

/// A dialog that opens without scripts: a button with `popovertarget` set to its id opens it, Escape
/// and "Close" close it. The keyboard goes into it and comes back to the button.
#[component]
pub fn Dialog(
    /// The element's id.
    #[prop(into)]
    id: String,
    /// Its heading.
    #[prop(into)]
    title: String,
    /// What is in it.
    children: Children,
) -> impl IntoView {
    let heading = format!("{id}-title");
    let stands = || use_context::<StandsOnPage>().is_some_and(|stands| stands.get());
    let before = stands();
    let content = children().into_any();
    // A form in it that came back has the keyboard for its reasons.
    let autofocus = before || !stands();
    let (own_id, labelled_by) = (id.clone(), heading.clone());
    view! {
        <div id=own_id class="dialog" popover="auto" role="dialog" aria-labelledby=labelled_by tabindex="-1" autofocus=autofocus>
            <header>
                <h2 id=heading>{title}</h2>
                <button type="button" class="button ghost square" popovertarget=id popovertargetaction="hide" aria-label="Close">
                    <Icon glyph=Glyph::Close/>
                </button>
            </header>
            {content}
        </div>
    }
}
