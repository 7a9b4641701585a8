//! Bar charts, drawn on the server. Heights are attributes: the content security policy allows no
//! inline styles.

use leptos::prelude::*;

use super::Tone;

/// Pixels of the highest bar.
const HEIGHT: u64 = 112;

/// A bar.
#[derive(Debug, Clone)]
pub struct Bar {
    /// What it counts, as `8–30 days`.
    pub label: String,
    /// How many.
    pub value: u64,
    /// The number as it is shown.
    pub shown: String,
    /// The list of what it counts; empty for none.
    pub href: String,
    /// Its colour.
    pub tone: Tone,
}

/// Bars side by side, each with its number, and a link where it has one.
#[component]
pub fn BarChart(
    /// What is counted.
    #[prop(into)]
    label: String,
    /// The bars from left to right.
    bars: Vec<Bar>,
) -> impl IntoView {
    let most = bars.iter().map(|bar| bar.value).max().unwrap_or(0).max(1);
    let items = bars.into_iter().map(|bar| {
        let height = (bar.value * HEIGHT).div_ceil(most).max(1);
        let drawing = view! {
            <span class="bar-drawing">
                <strong>{bar.shown}</strong>
                <svg height=height viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true" focusable="false">
                    <rect width="1" height="1"></rect>
                </svg>
            </span>
            <span class="bar-label">{bar.label}</span>
        };
        let inside = if bar.href.is_empty() {
            view! { <span class="bar">{drawing}</span> }.into_any()
        } else {
            view! { <a class="bar" href=bar.href>{drawing}</a> }.into_any()
        };
        view! { <li class=bar.tone.class()>{inside}</li> }
    });
    view! { <ol class="chart" aria-label=label>{items.collect_view()}</ol> }
}
