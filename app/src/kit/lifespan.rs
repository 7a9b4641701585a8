//! Lifetimes, drawn on the server: how much of one is over, and several on one axis. The dates
//! stand beside the drawings in words, so assistive technology is not told them twice.

use domain::Timestamp;
use leptos::prelude::*;

use super::{Time, Tone, days_left};
use crate::viewer::Viewer;

/// The drawings' width in their own units.
const WIDTH: i64 = 1000;
/// Rows of a [`Timeline`]; those behind them are only counted.
const ROWS: usize = 12;

/// How much of a lifetime is over: a thin bar below its dates.
#[component]
pub fn Lifespan(
    /// First second of validity.
    from: Timestamp,
    /// Last second of validity.
    to: Timestamp,
) -> impl IntoView {
    let now = Viewer::current().now;
    let tone = match days_left(to, now).0 {
        Tone::Neutral => Tone::Good,
        soon => soon,
    };
    let over = place(now, from, to);
    view! {
        <svg class=format!("lifespan {}", tone.class()) viewBox="0 0 1000 6" preserveAspectRatio="none" aria-hidden="true" focusable="false">
            <rect class="span-all" width=WIDTH height="6"></rect>
            <rect class="span" width=over height="6"></rect>
        </svg>
    }
}

/// A lifetime among others.
#[derive(Debug, Clone)]
pub struct Span {
    /// What lives, as `Duplicate`.
    pub label: String,
    /// First second.
    pub from: Timestamp,
    /// Last second.
    pub to: Timestamp,
    /// How it is with it.
    pub tone: Tone,
}

/// Lifetimes on one axis, with a line for now; for lists that have the same in words.
#[component]
pub fn Timeline(
    /// The lifetimes from top to bottom; with fewer than two there is nothing to compare, and
    /// nothing is drawn.
    spans: Vec<Span>,
) -> impl IntoView {
    let bounds = |span: &Span| (span.from, span.to);
    let (from, to) = spans
        .iter()
        .map(bounds)
        .reduce(|(from, to), (first, last)| (from.min(first), to.max(last)))?;
    if spans.len() < 2 {
        return None;
    }
    let now = place(Viewer::current().now, from, to);
    let more = spans.len().saturating_sub(ROWS);
    let rows = spans.into_iter().take(ROWS).map(|span| {
        let start = place(span.from, from, to);
        let end = place(span.to, from, to).max(start + 4);
        let left = now.clamp(start, end);
        view! {
            <li class=span.tone.class()>
                <span>{span.label}</span>
                <svg viewBox="0 0 1000 14" preserveAspectRatio="none" focusable="false">
                    <rect class="span-all" y="6" width=WIDTH height="2"></rect>
                    <rect class="span over" x=start y="2" width=left - start height="10"></rect>
                    <rect class="span" x=left y="2" width=end - left height="10"></rect>
                    <line x1=now x2=now y1="0" y2="14"></line>
                </svg>
            </li>
        }
    });
    let rows = rows.collect_view();
    Some(view! {
        <div class="timeline" aria-hidden="true">
            <ol>{rows}</ol>
            <p class="muted small"><span class="now">"now"</span><Time at=from day_only=true/><Time at=to day_only=true/></p>
            {(more > 0).then(|| view! { <p class="muted small">{format!("and {more} more below")}</p> })}
        </div>
    })
}

/// Where `at` lies between `from` and `to`, of [`WIDTH`].
fn place(at: Timestamp, from: Timestamp, to: Timestamp) -> i64 {
    let whole = to.0.saturating_sub(from.0).max(1);
    let part = at.0.saturating_sub(from.0).clamp(0, whole);
    // Centuries of seconds times a thousand are far from the largest number.
    part.saturating_mul(WIDTH) / whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_stay_within_the_drawing() {
        let at = |second| place(Timestamp(second), Timestamp(100), Timestamp(300));
        assert_eq!([at(0), at(100), at(150), at(300), at(900)], [0, 0, 250, 1000, 1000]);
        assert_eq!(place(Timestamp(5), Timestamp(5), Timestamp(5)), 0, "no time at all");
    }
}
