//! The left main menu. Its groups open by themselves (`<details>`); on narrow screens the whole
//! menu is a popover that the button in the top bar opens.

use domain::model::Role;
use leptos::prelude::*;
use leptos::tachys::html::InertElement;

use crate::kit::{Glyph, Markup};
use crate::paths::{self, Pattern};
use crate::viewer::Viewer;

/// Id of the menu, for the button that opens it.
pub(super) const MENU_ID: &str = "menu";

/// Whose menu has a page: a link that only leads to a refusal helps nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum For {
    Everyone,
    /// All but Limited Users.
    Staff,
    /// Managers and Administrators.
    Approvers,
    Administrators,
}

impl For {
    const fn has(self, role: Role) -> bool {
        match self {
            Self::Everyone => true,
            Self::Staff => !matches!(role, Role::Limited),
            Self::Approvers => role.is_approver(),
            Self::Administrators => matches!(role, Role::Administrator),
        }
    }
}

struct Group {
    label: &'static str,
    glyph: Glyph,
    /// Label, address, and who may see the page.
    pages: &'static [(&'static str, Pattern, For)],
}

const GROUPS: &[Group] = &[
    Group {
        label: "Certificates",
        glyph: Glyph::Certificate,
        pages: &[
            ("Orders", paths::ORDERS, For::Everyone),
            ("Requests", paths::REQUESTS, For::Everyone),
            ("Domains", paths::DOMAINS, For::Staff),
            ("Organizations", paths::ORGANIZATIONS, For::Staff),
        ],
    },
    Group {
        label: "Automation",
        glyph: Glyph::Automation,
        pages: &[
            ("Automated IPs", paths::ENDPOINTS, For::Staff),
            ("Manage profiles", paths::PROFILES, For::Staff),
            ("ACME Directory URLs", paths::ACME_URLS, For::Approvers),
            ("Agents", paths::AGENTS, For::Staff),
            ("Activity", paths::ACTIVITY, For::Staff),
        ],
    },
    Group {
        label: "Account",
        glyph: Glyph::Account,
        pages: &[
            ("Users", paths::USERS, For::Administrators),
            ("API keys", paths::API_KEYS, For::Staff),
            ("Audit log", paths::AUDIT_LOG, For::Administrators),
        ],
    },
    Group {
        label: "Settings",
        glyph: Glyph::Settings,
        pages: &[
            ("Preferences", paths::PREFERENCES, For::Staff),
            ("Notifications", paths::NOTIFICATIONS, For::Staff),
            ("Product settings", paths::PRODUCT_SETTINGS, For::Staff),
        ],
    },
];

/// The left main menu.
#[component]
pub(super) fn Menu() -> impl IntoView {
    let viewer = Viewer::current();
    let role = viewer.person.as_ref().map_or(Role::Limited, |person| person.role);
    InertElement::new(menu(viewer.path(), role).into_html())
}

/// As text, since it is on every page.
fn menu(path: &str, role: Role) -> Markup {
    let mut html = Markup::with_capacity(8 * 1024);
    html.tags(r#"<nav id=""#)
        .tags(MENU_ID)
        .tags(r#"" class="menu" popover="auto" aria-label="Main menu"><a class="brand" href=""#)
        .text(&paths::dashboard())
        .tags(r#""><span class="brand-mark">"#)
        .icon(Glyph::Check)
        .tags("</span>Certdeck</a>");
    item(&mut html, &paths::dashboard(), (path == "/").then_some("page"));
    html.icon(Glyph::Dashboard).tags("Dashboard</a>");
    for group in GROUPS {
        let mut pages = group.pages.iter().filter(|(_, _, who)| who.has(role)).peekable();
        if pages.peek().is_none() {
            continue;
        }
        html.tags(r#"<details class="menu-group" open><summary class="menu-item">"#)
            .icon(group.glyph)
            .tags(group.label)
            .icon(Glyph::Down)
            .tags("</summary><ul>");
        for (label, pattern, _) in pages {
            let href = pattern.as_str();
            html.tags("<li>");
            item(&mut html, href, current(path, href));
            html.tags(label).tags("</a></li>");
        }
        html.tags("</ul></details>");
    }
    html.tags("</nav>");
    html
}

/// The beginning of a link, up to what it shows.
fn item(html: &mut Markup, href: &str, current: Option<&'static str>) {
    html.tags(r#"<a class="menu-item" href=""#).text(href).tags("\"");
    if let Some(current) = current {
        html.tags(r#" aria-current=""#).tags(current).tags("\"");
    }
    html.tags(">");
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
    fn the_menu_has_what_the_role_may_see() {
        let labels = |role: Role| {
            let pages = GROUPS.iter().flat_map(|group| group.pages);
            pages.filter(|(_, _, who)| who.has(role)).map(|(label, ..)| *label).collect::<Vec<_>>()
        };
        assert_eq!(labels(Role::Limited), ["Orders", "Requests"]);
        assert!(!labels(Role::Standard).contains(&"ACME Directory URLs"));
        assert!(labels(Role::Manager).contains(&"ACME Directory URLs"));
        assert!(!labels(Role::Manager).contains(&"Audit log"));
        let all: usize = GROUPS.iter().map(|group| group.pages.len()).sum();
        assert_eq!(labels(Role::Administrator).len(), all);
    }

    /// As people know it from the manuals.
    #[test]
    fn the_menu_has_its_groups_and_pages_in_their_order() {
        let groups: Vec<String> = GROUPS
            .iter()
            .map(|group| {
                let pages: Vec<&str> = group.pages.iter().map(|(label, ..)| *label).collect();
                format!("{}: {}", group.label, pages.join(", "))
            })
            .collect();
        assert_eq!(
            groups,
            [
                "Certificates: Orders, Requests, Domains, Organizations",
                "Automation: Automated IPs, Manage profiles, ACME Directory URLs, Agents, Activity",
                "Account: Users, API keys, Audit log",
                "Settings: Preferences, Notifications, Product settings",
            ]
        );
    }

    #[test]
    fn what_is_written_is_what_the_role_may_see_and_where_one_is() {
        let html = menu("/certificates/orders/12345", Role::Limited).into_html();
        let count = |text| html.matches(text).count();
        // The brand, the dashboard, "Orders" and "Requests".
        assert_eq!((count("<details "), count("<a "), count("</a>")), (1, 4, 4), "{html}");
        assert!(html.contains(
            r#"<li><a class="menu-item" href="/certificates/orders" aria-current="true">Orders</a></li>"#
        ));
        assert_eq!(count("aria-current"), 1);
        let home = menu("/", Role::Administrator).into_html();
        assert!(home.contains(r#"<a class="menu-item" href="/" aria-current="page"><svg "#));
        assert_eq!(home.matches("<details ").count(), GROUPS.len());
    }

    #[test]
    fn the_menu_marks_the_page_and_those_below_it() {
        assert_eq!(current("/certificates/orders", "/certificates/orders"), Some("page"));
        assert_eq!(current("/certificates/orders/12345", "/certificates/orders"), Some("true"));
        assert_eq!(current("/certificates/orders-of-others", "/certificates/orders"), None);
    }
}
