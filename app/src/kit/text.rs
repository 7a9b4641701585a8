//! Facts, code, things to copy.

use leptos::children::Children;
use leptos::prelude::*;

use super::{Glyph, Icon};

/// In the place of what is not there.
pub const NONE: &str = "—";

/// A list of facts: terms and what they are.
#[component]
pub fn Facts(
    /// [`Fact`]s.
    children: Children,
) -> impl IntoView {
    view! { <dl class="facts">{children()}</dl> }
}

/// One fact.
#[component]
pub fn Fact(
    /// The term.
    #[prop(into)]
    term: String,
    /// What it is.
    children: Children,
) -> impl IntoView {
    view! { <div><dt>{term}</dt><dd>{children()}</dd></div> }
}

/// A part of a page with a heading of its own.
#[component]
pub fn Section(
    /// The heading.
    #[prop(into)]
    title: String,
    /// What the part is about, in a sentence.
    #[prop(optional, into)]
    lead: String,
    /// Buttons beside the heading.
    #[prop(optional)]
    actions: Option<AnyView>,
    /// What is in it.
    children: Children,
) -> impl IntoView {
    view! {
        <section class="card">
            <header class="card-head">
                <div>
                    <h2>{title}</h2>
                    {(!lead.is_empty()).then(|| view! { <p class="muted">{lead}</p> })}
                </div>
                {actions.map(|actions| view! { <div class="actions">{actions}</div> })}
            </header>
            <div class="card-body">{children()}</div>
        </section>
    }
}

/// A part that opens: closed until clicked, unless `open`.
#[component]
pub fn Expander(
    /// The line that opens it.
    #[prop(into)]
    title: String,
    /// Whether it is open at first.
    #[prop(optional)]
    open: bool,
    /// What is in it.
    children: Children,
) -> impl IntoView {
    view! {
        <details class="expander" open=open>
            <summary><Icon glyph=Glyph::Right/><h2>{title}</h2></summary>
            <div class="expander-body">{children()}</div>
        </details>
    }
}

/// A button that copies `text`; only there where scripts run.
#[component]
pub fn CopyButton(
    /// What is copied.
    #[prop(into)]
    text: String,
    /// What it is, as `the KID`.
    #[prop(into)]
    what: String,
) -> impl IntoView {
    view! {
        <button type="button" class="button ghost square copy" data-copy=text aria-label=format!("Copy {what}")>
            <Icon glyph=Glyph::Copy/>
        </button>
    }
}

/// A short value to copy: a serial, a KID, a URL.
#[component]
pub fn Copyable(
    /// The value.
    #[prop(into)]
    text: String,
    /// What it is, as `the serial number`.
    #[prop(into)]
    what: String,
) -> impl IntoView {
    view! { <span class="copyable"><code>{text.clone()}</code><CopyButton text=text what=what/></span> }
}

/// Lines of code or PEM, with a button that copies them.
#[component]
pub fn CodeBlock(
    /// The lines.
    #[prop(into)]
    text: String,
    /// What they are, as `certbot command`.
    #[prop(into)]
    label: String,
) -> impl IntoView {
    let class = if text.starts_with("-----BEGIN") { "code pem" } else { "code" };
    view! {
        <figure class=class>
            <figcaption>{label.clone()}<CopyButton text=text.clone() what=format!("the {label}")/></figcaption>
            <pre tabindex="0" role="region" aria-label=label><code>{text}</code></pre>
        </figure>
    }
}
