//! The left main menu. Its groups open by themselves (`<details>`); on narrow screens the whole
//! menu is a popover that the button in the top bar opens.

use domain::model::Role;
use leptos::prelude::*;

use crate::kit::{Glyph, Icon};
use crate::paths::{self, Pattern};
use crate::viewer::Viewer;

/// Id of the menu, for the button that opens it.
pub(super) const MENU_ID: &str = "menu";

struct Group {
    label: &'static str,
    glyph: Glyph,
    pages: &'static [(&'static str, Pattern)],
}

const GROUPS: &[Group] = &[
    Group {
        label: "Certificates",
        glyph: Glyph::Certificate,
        pages: &[
            ("Orders", paths::ORDERS),
            ("Requests", paths::REQUESTS),
            ("Domains", paths::DOMAINS),
            ("Organizations", paths::ORGANIZATIONS),
        ],
    },
    Group {
        label: "Automation",
        glyph: Glyph::Automation,
        pages: &[
            ("Automated IPs", paths::ENDPOINTS),
            ("Manage profiles", paths::PROFILES),
            ("ACME Directory URLs", paths::ACME_URLS),
            ("Agents", paths::AGENTS),
            ("Activity", paths::ACTIVITY),
        ],
    },
    Group {
        label: "Account",
        glyph: Glyph::Account,
        pages: &[
            ("Users", paths::USERS),
            ("API keys", paths::API_KEYS),
            ("Audit log", paths::AUDIT_LOG),
        ],
    },
    Group {
        label: "Settings",
        glyph: Glyph::Settings,
        pages: &[
            ("Preferences", paths::PREFERENCES),
            ("Notifications", paths::NOTIFICATIONS),
            ("Product settings", paths::PRODUCT_SETTINGS),
        ],
    },
];

/// The left main menu.
#[component]
pub(super) fn Menu() -> impl IntoView {
    let viewer = Viewer::current();
    let path = viewer.path().to_owned();
    let limited = viewer.person.is_some_and(|person| person.role == Role::Limited);
    let groups = GROUPS.iter().filter(|group| !limited || group.label == "Certificates");
    let groups = groups.map(|group| entry(group, &path)).collect_view();
    let home = (path == "/").then_some("page");
    view! {
        <nav id=MENU_ID class="menu" popover="auto" aria-label="Main menu">
            <a class="brand" href=paths::dashboard()><span class="brand-mark"><Icon glyph=Glyph::Check/></span>"Certdeck"</a>
            <a class="menu-item" href=paths::dashboard() aria-current=home><Icon glyph=Glyph::Dashboard/>"Dashboard"</a>
            {groups}
        </nav>
    }
}

fn entry(group: &'static Group, path: &str) -> AnyView {
    let pages = group.pages.iter().map(|(label, pattern)| {
        let href = pattern.as_str();
        view! { <li><a class="menu-item" href=href aria-current=current(path, href)>{*label}</a></li> }
    });
    let pages = pages.collect_view();
    view! {
        <details class="menu-group" open=true>
            <summary class="menu-item"><Icon glyph=group.glyph/>{group.label}<Icon glyph=Glyph::Down/></summary>
            <ul>{pages}</ul>
        </details>
    }
    .into_any()
}

/// `page` on the page itself, `true` on the pages below it.
fn current(path: &str, href: &str) -> Option<&'static str> {
    let below = path.strip_prefix(href)?;
    match below.trim_end_matches('/') {
        "" => Some("page"),
        rest if rest.starts_with('/') => Some("true"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_menu_marks_the_page_and_those_below_it() {
        assert_eq!(current("/certificates/orders", "/certificates/orders"), Some("page"));
        assert_eq!(current("/certificates/orders/12345", "/certificates/orders"), Some("true"));
        assert_eq!(current("/certificates/orders-of-others", "/certificates/orders"), None);
    }
}
