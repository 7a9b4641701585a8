//! The stages of an event: CSR, order, issued, installed, verified.

use domain::Timestamp;
use domain::model::EventStatus;
use leptos::prelude::*;

use super::api::{EventRow, Stages};
use crate::kit::{Stage, Tone, Track};

/// How far an event is.
pub(crate) fn progress(event: &EventRow, stages: Stages) -> AnyView {
    view! { <Track stages=track(event.status, stages)/> }.into_any()
}

/// The stages, each done, under way, failed or to come.
fn track(status: EventStatus, stages: Stages) -> Vec<Stage> {
    let all: [(&str, Option<Timestamp>); 5] = [
        ("CSR", stages.csr),
        ("Order", stages.order),
        ("Issued", stages.issued),
        ("Installed", stages.installed),
        ("Verified", stages.verified),
    ];
    let first_open = all.iter().position(|(_, at)| at.is_none()).unwrap_or(all.len());
    all.into_iter()
        .enumerate()
        .map(|(place, (label, at))| Stage {
            label: label.to_owned(),
            tone: match at {
                Some(_) => Tone::Good,
                None if place == first_open => open_tone(status),
                None => Tone::Neutral,
            },
            at,
        })
        .collect()
}

/// How the first stage that is not done looks.
const fn open_tone(status: EventStatus) -> Tone {
    match status {
        EventStatus::Scheduled | EventStatus::ApprovalPending => Tone::Waiting,
        EventStatus::InProgress => Tone::Info,
        EventStatus::Succeeded => Tone::Good,
        EventStatus::Canceled => Tone::Neutral,
        EventStatus::ApprovalDenied
        | EventStatus::ActionRequired
        | EventStatus::Failed
        | EventStatus::InstallFailed
        | EventStatus::ValidationFailed => Tone::Bad,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tones(status: EventStatus, stages: Stages) -> Vec<Tone> {
        track(status, stages).into_iter().map(|stage| stage.tone).collect()
    }

    #[test]
    fn the_first_open_stage_shows_how_the_event_stands() {
        let at = Some(Timestamp(1));
        let stages = Stages { csr: at, order: at, issued: at, ..Stages::default() };
        let (done, to_come) = (Tone::Good, Tone::Neutral);
        assert_eq!(tones(EventStatus::InProgress, stages), [done, done, done, Tone::Info, to_come]);
        assert_eq!(
            tones(EventStatus::InstallFailed, stages),
            [done, done, done, Tone::Bad, to_come]
        );
        assert_eq!(tones(EventStatus::Scheduled, Stages::default()).first(), Some(&Tone::Waiting));
        let all = Stages { installed: at, verified: at, ..stages };
        assert_eq!(tones(EventStatus::Succeeded, all), [done; 5]);
    }
}
