//! Certificates by day and door: a small stacked chart, with the same numbers as a table for those who
//! can't see it.

use domain::Timestamp;
use leptos::prelude::*;

use super::api::DayView;
use crate::kit::{Section, Zone};

/// The chart's height in its own units.
const HEIGHT: u64 = 60;
/// A day's width, with its gap.
const WIDTH: u64 = 10;

/// Counting stops here.
const MOST: u64 = 10_000;

type Door = (&'static str, &'static str, fn(&DayView) -> u64);

const DOORS: [Door; 4] = [
    ("Portal", "door-portal", |day| day.portal),
    ("API", "door-api", |day| day.api),
    ("ACME", "door-acme", |day| day.acme),
    ("Automation", "door-automation", |day| day.automation),
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
    let total: u64 = days.iter().map(all).sum();
    let lead = if total >= MOST {
        "The newest 10,000 certificates, days in UTC."
    } else {
        "Certificates of the last two weeks, days in UTC."
    };
    view! {
        <Section title="Issued per day by door" lead=lead>
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

fn all(day: &DayView) -> u64 {
    DOORS.map(|(_, _, of)| of(day)).into_iter().sum()
}

fn row(day: &DayView) -> AnyView {
    let counts = DOORS.map(|(_, _, of)| view! { <td>{of(day)}</td> }).into_iter().collect_view();
    view! { <tr><th scope="row">{Zone::UTC.day(Timestamp(day.day))}</th>{counts}</tr> }.into_any()
}

fn drawing(days: &[DayView]) -> AnyView {
    let most = days.iter().map(all).max().unwrap_or(0).max(1);
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
