//! "Dashboard": what ends soon, what waits for somebody, what was issued.

pub mod api;
mod days;
mod lists;

use leptos::prelude::*;

use self::api::{DashboardView, EndingView};
use crate::kit::{Bar, BarChart, Glyph, LinkButton, Section, Sheet, Tone, Weight, page};
use crate::pages::endpoints::NEEDS_ACTION;
use crate::paths;
use crate::query::Query;

/// The dashboard.
#[component]
pub fn DashboardPage() -> impl IntoView {
    page(async {
        let shown = api::dashboard().await?;
        let (ending, days) = (shown.ending.clone(), shown.days.clone());
        let body = view! {
            {figures(&shown)}
            <div class="dashboard">
                <div class="stack">
                    {expiry(ending)}
                    {lists::expiring(shown.expiring)}
                </div>
                <div class="stack">
                    {lists::requests(shown.requests, shown.may_review)}
                    {shown.shows_automation.then(|| lists::trouble(shown.trouble))}
                    {days::by_door(days)}
                </div>
            </div>
        };
        Ok(Sheet::new("Dashboard", body).actions(view! {
            <LinkButton href=paths::request_certificate() weight=Weight::Primary glyph=Glyph::Add>"Request a certificate"</LinkButton>
        }))
    })
}

/// The three numbers that one looks for first.
fn figures(shown: &DashboardView) -> AnyView {
    let within = |span: &&EndingView| span.to.is_some_and(|to| to <= 30);
    let soon = shown.ending.iter().filter(within).map(|span| span.orders).sum();
    let pending = Query::default().with("status", "pending").href(paths::REQUESTS.as_str());
    view! {
        <ul class="figures" aria-label="At a glance">
            {figure("Expire in 30 days or less", soon, expiring_in(0, Some(30)), Tone::Warning)}
            {figure("Requests wait for approval", shown.waiting, pending, Tone::Waiting)}
            {shown.shows_automation.then(|| {
                let all = Query::default().with("status", NEEDS_ACTION);
                let all = all.href(paths::ENDPOINTS.as_str());
                figure("Automated IPs need action", shown.needing_action, all, Tone::Bad)
            })}
        </ul>
    }
    .into_any()
}

fn figure(label: &'static str, count: u64, href: String, tone: Tone) -> AnyView {
    let class =
        if count == 0 { "figure neutral".to_owned() } else { format!("figure {}", tone.class()) };
    view! { <li><a class=class href=href><strong>{bounded(count)}</strong><span>{label}</span></a></li> }.into_any()
}

/// Counting stops at ten thousand.
fn bounded(count: u64) -> String {
    if count >= 10_000 { "10,000+".to_owned() } else { count.to_string() }
}

fn expiry(ending: Vec<EndingView>) -> AnyView {
    let bars = ending.into_iter().map(|span| Bar {
        label: match span.to {
            Some(to) => format!("{}–{to} days", span.from),
            None => format!("over {} days", span.from - 1),
        },
        value: span.orders,
        shown: bounded(span.orders),
        href: expiring_in(span.from, span.to),
        tone: match span.from {
            ..=7 => Tone::Bad,
            8..=30 => Tone::Warning,
            31..=90 => Tone::Info,
            _ => Tone::Neutral,
        },
    });
    let bars = bars.collect();
    view! {
        <Section
            title="Certificates by days to expiry"
            lead="Certificates expiring in 90 days or less so you can schedule them. Of a multi-year plan it is the present certificate that counts. Renewed orders are left out."
        >
            <BarChart label="Certificates by days to expiry" bars=bars/>
        </Section>
    }
    .into_any()
}

/// The list of the orders that a bar counts.
fn expiring_in(from: i64, to: Option<i64>) -> String {
    let query = Query::default().with("status", "issued").with("renewed", "no");
    let query = if from > 0 { query.with("expires_from", from) } else { query };
    let query = match to {
        Some(to) => query.with("expires", to),
        None => query,
    };
    query.with("sort", "expires").href(paths::ORDERS.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_lead_to_what_they_count() {
        assert_eq!(
            expiring_in(8, Some(30)),
            "/certificates/orders?status=issued&renewed=no&expires_from=8&expires=30&sort=expires"
        );
        assert_eq!(bounded(10_000), "10,000+");
    }
}
