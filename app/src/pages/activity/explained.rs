//! Why an event does what it does: candidates, rules, window, decision.

use domain::Timestamp;
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
    /// When it was decided, or is looked at; none for now.
    #[prop(optional_no_strip)]
    at: Option<Timestamp>,
) -> impl IntoView {
    let Explanation { action, order, candidates, window, why } = explanation;
    let order = order
        .map(|order| view! { " · order " <a href=paths::order(order)>{order.to_string()}</a> });
    view! {
        <div class="explanation">
            <p><strong>{action_label(action)}</strong>{order}</p>
            <p>{why}</p>
            {window.map(|window| window_line(window, at))}
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

/// Where the window stood when it was decided: by now it may have opened.
fn window_line(window: Window, at: Option<Timestamp>) -> AnyView {
    let what = match window.kind {
        WindowKind::Certificate => "The certificate's renewal window",
        WindowKind::Order => "The multi-year plan's renewal window",
    };
    let verb = verb(window, at, Viewer::current().now);
    view! { <p class="muted">{what}{verb}<Time at=window.opens_at/>"."</p> }.into_any()
}

fn verb(window: Window, at: Option<Timestamp>, now: Timestamp) -> &'static str {
    let open_by_now = window.is_open(now);
    match at.map_or(open_by_now, |at| window.is_open(at)) {
        true if at.is_some_and(|at| at < now) => " was open, since ",
        true if !open_by_now => " is open then, since ",
        true => " has been open since ",
        false if open_by_now => " was to open at ",
        false => " opens at ",
    }
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
    view! { <Table label="Orders that were looked at" columns=columns unlabelled=true>{rows}</Table> }
        .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_told_as_it_stood_when_it_was_decided() {
        let window = Window { kind: WindowKind::Certificate, opens_at: Timestamp(100) };
        let told = |at, now| verb(window, at, Timestamp(now));
        assert_eq!(told(None, 99), " opens at ");
        assert_eq!(told(None, 100), " has been open since ");
        assert_eq!(told(Some(Timestamp(50)), 99), " opens at ");
        assert_eq!(told(Some(Timestamp(50)), 200), " was to open at ");
        assert_eq!(told(Some(Timestamp(150)), 200), " was open, since ");
        assert_eq!(told(Some(Timestamp(150)), 50), " is open then, since ");
    }
}
