//! The top bar: menu button, global search, theme, the signed-in person.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos::tachys::html::InertElement;

use super::menu::MENU_ID;
use crate::kit::{Form, Glyph, Icon, Markup, PAGE_FIELD};
use crate::pages::session::api::{ChooseTheme, SignOut};
use crate::paths;
use crate::viewer::{Theme, Viewer, Who};

/// The top bar.
#[component]
pub(super) fn TopBar() -> impl IntoView {
    let viewer = Viewer::current();
    let searched = if viewer.path() == paths::SEARCH.as_str() {
        crate::query::Query::parse(viewer.query()).get("q").map(str::to_owned)
    } else {
        None
    };
    view! {
        <header class="top">
            <button type="button" class="button ghost square menu-button" popovertarget=MENU_ID aria-label="Main menu">
                <Icon glyph=Glyph::Menu/>
            </button>
            <form class="search" role="search" method="get" action=paths::search()>
                <label class="visually-hidden" for="global-search">"Order number, serial, name or IP"</label>
                <Icon glyph=Glyph::Search/>
                <input
                    id="global-search" class="input" type="search" name="q" value=searched maxlength="253"
                    placeholder="Order number, serial, name or IP" autocomplete="off"
                />
            </form>
            {InertElement::new(theme_form(viewer.theme, &viewer.url).into_html())}
            {viewer.person.map(|who| view! { <PersonMenu who=who/> })}
        </header>
    }
}

/// Auto, light, dark. Works as a form; where scripts run, at once.
fn theme_form(theme: Theme, page: &str) -> Markup {
    let mut html = Markup::with_capacity(2 * 1024);
    html.tags(r#"<form class="theme" method="post" aria-label="Colours" action=""#)
        .tags(ChooseTheme::PATH)
        .tags(r#""><input type="hidden" name=""#)
        .tags(PAGE_FIELD)
        .tags(r#"" value=""#)
        .text(page)
        .tags(r#""><input type="hidden" name="back" value=""#)
        .text(page)
        .tags("\">");
    for each in Theme::ALL {
        let (label, glyph) = match each {
            Theme::Auto => ("Colours as the system says", Glyph::Auto),
            Theme::Light => ("Light colours", Glyph::Light),
            Theme::Dark => ("Dark colours", Glyph::Dark),
        };
        html.tags(r#"<button type="submit" name="theme" value=""#)
            .tags(each.as_str())
            .tags(r#"" data-theme-choice=""#)
            .tags(each.as_str())
            .tags(r#"" aria-label=""#)
            .tags(label)
            .tags(r#"" title=""#)
            .tags(label)
            .tags(if each == theme {
                r#"" aria-pressed="true">"#
            } else {
                r#"" aria-pressed="false">"#
            })
            .icon(glyph)
            .tags("</button>");
    }
    html.tags("</form>");
    html
}

/// Who is signed in, with the way to their account and out.
#[component]
fn PersonMenu(who: Who) -> impl IntoView {
    let initials: String =
        who.name.split_whitespace().filter_map(|word| word.chars().next()).take(2).collect();
    view! {
        <div class="person">
            <button type="button" class="person-button" popovertarget="person-menu" aria-label=format!("Signed in as {}", who.name)>
                <span class="avatar" aria-hidden="true">{initials}</span>
                <span class="person-name">{who.name.clone()}</span>
                <Icon glyph=Glyph::Down/>
            </button>
            <div id="person-menu" class="popover-menu person-menu" popover="auto">
                <p class="person-facts">
                    <strong>{who.name}</strong>
                    <span class="muted small">{who.email}</span>
                    <span class="muted small">{who.role.label()}</span>
                </p>
                <a href=paths::my_account()>"My account"</a>
                <Form action=SignOut::PATH class="plain"><button type="submit">"Sign out"</button></Form>
            </div>
        </div>
    }
}
