//! Why an event does what it does: candidates, rules, window, decision.

use domain::rules::{Action, CandidateVerdict, Explanation, Window, WindowKind};
use leptos::prelude::*;

use crate::kit::{Badge, Column, Table, Time, Tone};
use crate::paths;
use crate::viewer::Viewer;

/// A decision with its reasons.
#[component]
pub fn Explained(
    /// The reasons.
    explanation: Explanation,
) -> impl IntoView {
    let Explanation { action, order, candidates, window, why } = explanation;
    let order = order
        .map(|order| view! { " · order " <a href=paths::order(order)>{order.to_string()}</a> });
    view! {
        <div class="explanation">
            <p><strong>{action_label(action)}</strong>{order}</p>
            <p>{why}</p>
            {window.map(window_line)}
            {(!candidates.is_empty()).then(|| table(candidates))}
        </div>
    }
}

const fn action_label(action: Action) -> &'static str {
    match action {
        Action::Enroll => "A new order",
        Action::Renew => "Renewal under a new order ID",
        Action::Reissue => "The next certificate of the same order",
        Action::Duplicate => "A duplicate under the same order ID",
    }
}

fn window_line(window: Window) -> AnyView {
    let what = match window.kind {
        WindowKind::Certificate => "The certificate's renewal window",
        WindowKind::Order => "The multi-year plan's renewal window",
    };
    let verb =
        if window.is_open(Viewer::current().now) { " has been open since " } else { " opens at " };
    view! { <p class="muted">{what}{verb}<Time at=window.opens_at/>"."</p> }.into_any()
}

fn table(candidates: Vec<CandidateVerdict>) -> AnyView {
    let columns = vec![
        Column::new("Order ID"),
        Column::new("Outcome"),
        Column::new("Rule"),
        Column::new("Why"),
    ];
    let rows = candidates.into_iter().map(|one| {
        let (tone, text) =
            if one.kept { (Tone::Good, "Chosen") } else { (Tone::Neutral, "Not chosen") };
        view! {
            <tr>
                <th scope="row"><a href=paths::order(one.order)>{one.order.to_string()}</a></th>
                <td><Badge tone=tone text=text/></td>
                <td>{one.rule}</td>
                <td>{one.why}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    view! { <Table label="Orders that were looked at" columns=columns>{rows}</Table> }.into_any()
}
