//! The top bar: menu button, global search, theme, the signed-in person.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos::tachys::html::InertElement;

use super::menu::MENU_ID;
use crate::kit::{Glyph, Markup, PAGE_FIELD};
use crate::pages::session::api::{ChooseTheme, SignOut};
use crate::paths;
use crate::query::Query;
use crate::viewer::{Theme, Viewer, Who};

/// The top bar, as text since it is on every page.
#[component]
pub(super) fn TopBar() -> impl IntoView {
    InertElement::new(top_bar(&Viewer::current()).into_html())
}

fn top_bar(viewer: &Viewer) -> Markup {
    let searched = (viewer.path() == paths::SEARCH.as_str())
        .then(|| Query::parse(viewer.query()).get("q").map(str::to_owned))
        .flatten();
    let mut html = Markup::with_capacity(8 * 1024);
    html.tags(r#"<header class="top"><button type="button" class="button ghost square menu-button" popovertarget=""#)
        .tags(MENU_ID)
        .tags(r#"" aria-label="Main menu">"#)
        .icon(Glyph::Menu)
        .tags(r#"</button><form class="search" role="search" method="get" action=""#)
        .tags(paths::SEARCH.as_str())
        .tags(r#""><label class="visually-hidden" for="global-search">Order number, serial, name or IP</label>"#)
        .icon(Glyph::Search)
        .tags(r#"<input id="global-search" class="input" type="search" name="q""#);
    if let Some(searched) = searched {
        html.tags(r#" value=""#).text(&searched).tags("\"");
    }
    html.tags(r#" maxlength="253" placeholder="Order number, serial, name or IP" autocomplete="off"></form>"#);
    theme_form(&mut html, viewer.theme, &viewer.url);
    if let Some(who) = &viewer.person {
        person_menu(&mut html, who, &viewer.url);
    }
    html.tags("</header>");
    html
}

/// Auto, light, dark. Works as a form; where scripts run, at once.
fn theme_form(html: &mut Markup, theme: Theme, page: &str) {
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
}

/// Who is signed in, with the way to their account and out. The form is what [`Form`](crate::kit::Form())
/// writes, without the place where it says why it came back: the page says so instead.
fn person_menu(html: &mut Markup, who: &Who, page: &str) {
    let initials: String =
        who.name.split_whitespace().filter_map(|word| word.chars().next()).take(2).collect();
    html.tags(r#"<div class="person"><button type="button" class="person-button" popovertarget="person-menu""#)
        .tags(r#" aria-label="Signed in as "#)
        .text(&who.name)
        .tags(r#""><span class="avatar" aria-hidden="true">"#)
        .text(&initials)
        .tags(r#"</span><span class="person-name">"#)
        .text(&who.name)
        .tags("</span>")
        .icon(Glyph::Down)
        .tags(r#"</button><div id="person-menu" class="popover-menu person-menu" popover="auto">"#)
        .tags(r#"<p class="person-facts"><strong>"#)
        .text(&who.name)
        .tags(r#"</strong><span class="muted small">"#)
        .text(&who.email)
        .tags(r#"</span><span class="muted small">"#)
        .text(who.role.label())
        .tags(r#"</span></p><a href=""#)
        .tags(paths::MY_ACCOUNT.as_str())
        .tags(r#"">My account</a><form method="post" class="plain" data-guard="" action=""#)
        .tags(SignOut::PATH)
        .tags(r#""><input type="hidden" name=""#)
        .tags(PAGE_FIELD)
        .tags(r#"" value=""#)
        .text(page)
        .tags(r#""><button type="submit">Sign out</button></form></div></div>"#);
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use domain::model::Role;

    use super::*;
    use crate::kit::Zone;

    #[test]
    fn nothing_of_a_person_or_an_address_is_markup() {
        let who = Who {
            name: "Zoë \"<b>\" Q".to_owned(),
            email: "zoe&@example.com".to_owned(),
            role: Role::Manager,
        };
        let viewer = Viewer {
            person: Some(who),
            zone: Zone::UTC,
            now: Timestamp(0),
            url: "/search?q=%22%3E%3Ci%3E&x=\"'>".to_owned(),
            theme: Theme::Dark,
        };
        let html = top_bar(&viewer).into_html();
        let has = |piece: &str| assert!(html.contains(piece), "{piece} in {html}");
        has(r#"name="q" value="&quot;&gt;&lt;i&gt;" maxlength="253""#);
        has(r#"aria-label="Signed in as Zoë &quot;&lt;b&gt;&quot; Q">"#);
        has(r#"<span class="avatar" aria-hidden="true">Z&quot;</span>"#);
        has(
            r#"value="dark" data-theme-choice="dark" aria-label="Dark colours" title="Dark colours" aria-pressed="true""#,
        );
        let here = "value=\"/search?q=%22%3E%3Ci%3E&amp;x=&quot;&#39;&gt;\"";
        for field in ["back", "__page"] {
            has(&format!("name=\"{field}\" {here}"));
        }
        has(">zoe&amp;@example.com</span>");
        has(r#"<button type="submit">Sign out</button>"#);
        for tag in ["form", "button", "div", "span", "p", "header", "label", "svg"] {
            let opened = html.matches(&format!("<{tag} ")).count()
                + html.matches(&format!("<{tag}>")).count();
            assert_eq!(opened, html.matches(&format!("</{tag}>")).count(), "{tag} in {html}");
        }
        let nobody = top_bar(&Viewer { person: None, url: "/".to_owned(), ..viewer }).into_html();
        assert!(!nobody.contains("Sign out") && !nobody.contains(r#"name="q" value"#), "{nobody}");
    }
}
