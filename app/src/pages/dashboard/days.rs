//! Orders by day and door: a small stacked chart, with the same numbers as a table for those who
//! can't see it.

use domain::Timestamp;
use leptos::prelude::*;

use super::api::DayView;
use crate::kit::{Section, local};

/// The chart's height in its own units.
const HEIGHT: u64 = 60;
/// A day's width, with its gap.
const WIDTH: u64 = 10;

type Door = (&'static str, &'static str, fn(&DayView) -> u64);

const DOORS: [Door; 3] = [
    ("Portal and API", "door-portal", |day| day.portal),
    ("Automation", "door-automation", |day| day.automation),
    ("ACME", "door-acme", |day| day.acme),
];

pub(super) fn by_door(days: Vec<DayView>) -> AnyView {
    let keys = DOORS.map(|(label, class, of)| {
        let total: u64 = days.iter().map(of).sum();
        view! { <li class=class>{label}" "<strong>{total}</strong></li> }
    });
    let keys = keys.into_iter().collect_view();
    let rows = days.iter().map(row).collect_view();
    let heads =
        DOORS.map(|(label, ..)| view! { <th scope="col">{label}</th> }).into_iter().collect_view();
    let drawing = drawing(&days);
    view! {
        <Section title="Issued per day by door" lead="Orders of the last two weeks, days in UTC.">
            {drawing}
            <ul class="doors">{keys}</ul>
            <div class="visually-hidden">
                <table>
                    <caption>"Issued per day by door"</caption>
                    <thead><tr><th scope="col">"Day"</th>{heads}</tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </Section>
    }
    .into_any()
}

fn row(day: &DayView) -> AnyView {
    let counts = DOORS.map(|(_, _, of)| view! { <td>{of(day)}</td> }).into_iter().collect_view();
    view! { <tr><th scope="row">{local(Timestamp(day.day), "UTC", true)}</th>{counts}</tr> }
        .into_any()
}

fn drawing(days: &[DayView]) -> AnyView {
    let most =
        days.iter().map(|day| day.portal + day.automation + day.acme).max().unwrap_or(0).max(1);
    let width = WIDTH * u64::try_from(days.len()).unwrap_or(0);
    let columns = days.iter().zip(0..).map(|(day, position)| {
        let mut top = HEIGHT;
        let parts = DOORS.map(|(_, class, of)| {
            let height = (of(day) * HEIGHT).div_ceil(most).min(top);
            top -= height;
            view! { <rect class=class x=position * WIDTH + 2 width=WIDTH - 4 y=top height=height></rect> }
        });
        parts.into_iter().collect_view()
    });
    let columns = columns.collect_view();
    view! {
        <svg class="day-chart" viewBox=format!("0 0 {width} {HEIGHT}") preserveAspectRatio="none" aria-hidden="true" focusable="false">
            {columns}
        </svg>
    }
    .into_any()
}
