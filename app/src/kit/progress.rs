//! Where something stands: the wizard's steps, an event's progress, an order's lineage.

use std::cmp::Ordering;

use domain::Timestamp;
use leptos::prelude::*;
use leptos::tachys::html::InertElement;

use super::{Badge, Expiry, Glyph, Icon, Markup, Time, Tone};

/// A step of a wizard.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its name.
    pub label: &'static str,
    /// Where it is, while one may go there.
    pub href: Option<String>,
}

/// The steps of a wizard, `current` counted from 1.
#[component]
pub fn Steps(
    /// All steps.
    steps: Vec<Step>,
    /// The one being shown, from 1.
    current: usize,
) -> impl IntoView {
    let mut html = Markup::with_capacity(1024);
    html.tags("<ol class=\"steps\" aria-label=\"Steps\">");
    for (number, step) in (1..).zip(steps) {
        html.tags(match number.cmp(&current) {
            Ordering::Less => "<li class=\"done\"><span class=\"step-mark\">",
            Ordering::Equal => "<li class=\"now\" aria-current=\"step\"><span class=\"step-mark\">",
            Ordering::Greater => "<li class=\"later\"><span class=\"step-mark\">",
        });
        if number < current {
            html.icon(Glyph::Check);
        } else {
            html.number(number);
        }
        html.tags("</span>");
        match step.href.filter(|_| number < current) {
            Some(href) => {
                html.tags("<a href=\"").text(&href).tags("\">").tags(step.label).tags("</a></li>")
            }
            None => html.tags("<span>").tags(step.label).tags("</span></li>"),
        };
    }
    html.tags("</ol>");
    InertElement::new(html.into_html())
}

/// A stage of a piece of work.
#[derive(Debug, Clone)]
pub struct Stage {
    /// Its name: "CSR", "Order", "Issued", "Installed", "Verified".
    pub label: String,
    /// Good where done, bad where it failed, info while it runs, neutral while it waits.
    pub tone: Tone,
    /// When it was done.
    pub at: Option<Timestamp>,
}

/// The progress of a piece of work.
#[component]
pub fn Track(
    /// Its stages in order.
    stages: Vec<Stage>,
) -> impl IntoView {
    let items = stages.into_iter().map(|stage| {
        let word = match stage.tone {
            Tone::Good => "done",
            Tone::Bad => "failed",
            Tone::Info => "under way",
            Tone::Warning | Tone::Waiting | Tone::Neutral => "not yet",
        };
        view! {
            <li class=stage.tone.class()>
                <Icon glyph=stage.tone.glyph()/>
                <span class="track-label">{stage.label}</span>
                <span class="muted small">{match stage.at {
                    Some(at) => view! { <Time at=at/> }.into_any(),
                    None => word.into_any(),
                }}</span>
            </li>
        }
    });
    view! { <ol class="track" aria-label="Progress">{items.collect_view()}</ol> }
}

/// A place in a chain of renewals.
#[derive(Debug, Clone)]
pub struct Link {
    /// What it is, as `12345`.
    pub label: String,
    /// Its page.
    pub href: String,
    /// A few words: what it is to the page being shown.
    pub note: String,
    /// Its status.
    pub status: Option<(Tone, &'static str)>,
    /// Until when it is good.
    pub till: Option<Timestamp>,
    /// Whether it is the page being shown.
    pub current: bool,
}

/// A chain of renewals as a line that one can walk, oldest first.
#[component]
pub fn Lineage(
    /// The chain.
    links: Vec<Link>,
) -> impl IntoView {
    let items = links.into_iter().map(|link| {
        view! {
            <li>
                <a href=link.href aria-current=link.current.then_some("page")>
                    <span class="lineage-head"><strong>{link.label}</strong>{link.status.map(|(tone, text)| view! { <Badge tone=tone text=text/> })}</span>
                    {link.till.map(|at| view! { <span class="small">"Valid till "<Expiry at=at/></span> })}
                    {(!link.note.is_empty()).then(|| view! { <span class="muted small">{link.note}</span> })}
                </a>
            </li>
        }
    });
    view! { <ol class="lineage" aria-label="Renewals, oldest first">{items.collect_view()}</ol> }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use domain::Days;

    use super::*;

    #[test]
    fn steps_lead_back_and_not_ahead() {
        let step = |label, href: &str| Step { label, href: Some(href.to_owned()) };
        let steps = vec![step("One", "/1?a&b"), step("Two", "/2"), step("Three", "/3")];
        let html = view! { <Steps steps=steps current=2/> }.to_html();
        assert!(html.contains("</svg></span><a href=\"/1?a&amp;b\">One</a></li>"), "{html}");
        let now = "<li class=\"now\" aria-current=\"step\"><span class=\"step-mark\">2</span>";
        assert!(html.contains(&format!("{now}<span>Two</span></li>")), "{html}");
        assert!(html.ends_with(
            "<li class=\"later\"><span class=\"step-mark\">3</span><span>Three</span></li></ol>"
        ));
        assert_eq!(html.matches("href=").count(), 1, "{html}");
    }

    #[test]
    fn the_days_left_stand_beside_each_expiry_of_a_lineage() {
        // Without a viewer it is the beginning of time.
        let link = |days| Link {
            label: "12345".to_owned(),
            href: "/".to_owned(),
            note: String::new(),
            status: None,
            till: Some(Timestamp(0).plus(Days(days))),
            current: false,
        };
        let links = vec![link(-2), link(40)];
        let html = Owner::new().with(|| view! { <Lineage links=links/> }.to_html());
        for text in ["expired 2 days ago", "40 days left"] {
            assert!(html.contains(text), "{text}: {html}");
        }
    }
}
