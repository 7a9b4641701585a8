//! The top bar: menu button, global search, theme, the signed-in person.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use super::menu::MENU_ID;
use crate::kit::{Form, Glyph, Icon, PAGE_FIELD};
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
            <ThemeSwitch theme=viewer.theme/>
            {viewer.person.map(|who| view! { <PersonMenu who=who/> })}
        </header>
    }
}

/// Auto, light, dark. Works as a form; where scripts run, at once.
#[component]
fn ThemeSwitch(theme: Theme) -> impl IntoView {
    let page = Viewer::current().url;
    let buttons = Theme::ALL.map(|each| {
        let (label, glyph) = match each {
            Theme::Auto => ("Colours as the system says", Glyph::Auto),
            Theme::Light => ("Light colours", Glyph::Light),
            Theme::Dark => ("Dark colours", Glyph::Dark),
        };
        view! {
            <button
                type="submit" name="theme" value=each.as_str() aria-label=label title=label
                aria-pressed=if each == theme { "true" } else { "false" } data-theme-choice=each.as_str()
            >
                <Icon glyph=glyph/>
            </button>
        }
    });
    view! {
        <form class="theme" method="post" action=ChooseTheme::PATH aria-label="Colours">
            <input type="hidden" name=PAGE_FIELD value=page.clone()/>
            <input type="hidden" name="back" value=page/>
            {buttons.into_iter().collect_view()}
        </form>
    }
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
