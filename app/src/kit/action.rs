//! Buttons, links that look like them, and menus of further actions.

use leptos::children::Children;
use leptos::prelude::*;

use super::{Glyph, Icon};

/// How much a button asks to be pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Weight {
    /// The one next step of the page.
    Primary,
    /// Others.
    #[default]
    Plain,
    /// Without a border, for rows and bars.
    Ghost,
    /// Takes something away.
    Danger,
}

impl Weight {
    const fn class(self) -> &'static str {
        match self {
            Self::Primary => "button primary",
            Self::Plain => "button",
            Self::Ghost => "button ghost",
            Self::Danger => "button danger",
        }
    }
}

/// A button that sends its form.
#[component]
pub fn Button(
    /// How much it asks to be pressed.
    #[prop(optional)]
    weight: Weight,
    /// Sent along with `value` where the form has several buttons.
    #[prop(optional, into)]
    name: String,
    /// See `name`.
    #[prop(optional, into)]
    value: String,
    /// An icon before the label.
    #[prop(optional)]
    glyph: Option<Glyph>,
    /// The label.
    children: Children,
) -> impl IntoView {
    view! {
        <button type="submit" class=weight.class() name=filled(name) value=filled(value)>
            {glyph.map(|glyph| view! { <Icon glyph=glyph/> })}
            {children()}
        </button>
    }
}

/// A link that looks like a button: it leads somewhere and changes nothing.
#[component]
pub fn LinkButton(
    /// Where it leads.
    #[prop(into)]
    href: String,
    /// How much it asks to be pressed.
    #[prop(optional)]
    weight: Weight,
    /// An icon before the label.
    #[prop(optional)]
    glyph: Option<Glyph>,
    /// The label.
    children: Children,
) -> impl IntoView {
    view! {
        <a class=weight.class() href=href>
            {glyph.map(|glyph| view! { <Icon glyph=glyph/> })}
            {children()}
        </a>
    }
}

/// A button that is not offered, with the reason in words beside it for everybody.
#[component]
pub fn Unavailable(
    /// The label that the button would have.
    #[prop(into)]
    label: String,
    /// Why it is not offered, and what can be done instead.
    #[prop(into)]
    why: String,
) -> impl IntoView {
    view! {
        <div class="unavailable">
            <span class="button" aria-disabled="true"><Icon glyph=Glyph::Lock/>{label}</span>
            <p class="muted small">{why}</p>
        </div>
    }
}

/// A button that opens a dialog of this page.
#[component]
pub fn OpenDialog(
    /// The dialog's id.
    #[prop(into)]
    id: String,
    /// How much it asks to be pressed.
    #[prop(optional)]
    weight: Weight,
    /// The label.
    children: Children,
) -> impl IntoView {
    view! { <button type="button" class=weight.class() popovertarget=id aria-haspopup="dialog">{children()}</button> }
}

/// A menu of further actions: links and forms as its children, each in an `<li>`.
#[component]
pub fn ActionMenu(
    /// An id that no other menu of the page has.
    #[prop(into)]
    id: String,
    /// What the actions are for, as `Actions for order 12345`.
    #[prop(into)]
    label: String,
    /// The word on the button; an ellipsis where empty.
    #[prop(optional, into)]
    text: String,
    /// The entries.
    children: Children,
) -> impl IntoView {
    let bare = text.is_empty();
    let class = if bare { "button ghost square" } else { "button" };
    view! {
        <div class="action-menu">
            <button type="button" class=class popovertarget=id.clone() aria-label=label.clone()>
                {if bare { view! { <Icon glyph=Glyph::More/> }.into_any() } else { view! { {text}<Icon glyph=Glyph::Down/> }.into_any() }}
            </button>
            <ul id=id class="popover-menu" popover="auto" aria-label=label>{children()}</ul>
        </div>
    }
}

/// Attributes that are left out where they would be empty.
pub(crate) fn filled(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}
