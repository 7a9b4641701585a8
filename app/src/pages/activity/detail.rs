//! An event's own page: it follows the event while it goes on.

use domain::EventId;
use domain::model::EventStatus;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos_router::hooks::use_params_map;

use super::api::{CancelEvent, EventView, RetryEvent, event, event_tone, mode_label};
use super::explained::Explained;
use super::progress::progress;
use crate::fault::PortalError;
use crate::islands::Live;
use crate::kit::{
    Badge, Button, Fact, Facts, Form, Hidden, LinkButton, NONE, Notice, Section, Sheet, Time, Tone,
    Weight, page,
};
use crate::paths;

/// The element that is kept fresh.
const FOLLOWED: &str = "event";

/// An automation event.
#[component]
pub fn EventPage() -> impl IntoView {
    let id = use_params_map().get_untracked().get("id").and_then(|id| id.parse::<EventId>().ok());
    page(async move {
        let id = id.ok_or_else(|| PortalError::no_such("event"))?;
        let event = event(id.0).await?;
        let title = format!("{}: {}", event.row.action, event.row.common_name);
        let open = event.row.finished_at.is_none();
        let body = view! {
            <div id=FOLLOWED class="stack" aria-live="polite" tabindex="-1">{followed(event)}</div>
            {open.then(|| view! { <Live stream=paths::event_stream(id) target=FOLLOWED.to_owned()/> })}
        };
        let lead = view! { <p class="muted">{format!("Event #{id}")}</p> };
        Ok(Sheet::new(title, body)
            .under("Automation")
            .crumb("Activity", paths::activity())
            .lead(lead))
    })
}

fn followed(event: EventView) -> AnyView {
    let steps = progress(&event.row, event.stages);
    let explanation = event.explanation.clone();
    let badge = view! { <Badge tone=event_tone(event.row.status) text=event.row.status.label()/> };
    let why = match explanation {
        Some(explanation) => {
            view! { <Explained explanation=explanation at=event.stages.order/> }.into_any()
        }
        None => plain_reason(),
    };
    let (next, buttons) = (next_line(&event), buttons(&event));
    view! {
        {trouble(&event)}
        <Section title="Progress" actions=badge.into_any()>{steps}{next}{buttons}</Section>
        <Section title="Why">{why}</Section>
        {facts(event)}
    }
    .into_any()
}

/// Cause and solution, where a person is needed or something holds it up.
fn trouble(event: &EventView) -> Option<AnyView> {
    let silent = event.agent_silent.then(|| {
        let words = format!(
            "The agent {:?} has not been heard of for more than five minutes. Start it on its host and check that it \
             can reach this portal; the event then goes on by itself.",
            event.host
        );
        view! {
            <Notice tone=Tone::Warning title="The agent is silent">
                <p>{words}</p>
            </Notice>
        }
    });
    let cause = event.row.cause.clone().map(|cause| {
        let (tone, title) = match event.row.status {
            EventStatus::ApprovalPending => (Tone::Info, "Why it waits"),
            status if status.is_final() => (Tone::Bad, "What happened"),
            _ => (Tone::Warning, "What happened"),
        };
        let solution = event.solution.clone();
        view! {
            <Notice tone=tone title=title>
                <p>{cause}</p>
                {solution.map(|solution| view! { <p><strong>"What to do: "</strong>{solution}</p> })}
            </Notice>
        }
    });
    (silent.is_some() || cause.is_some()).then(|| view! { {silent}{cause} }.into_any())
}

fn next_line(event: &EventView) -> Option<AnyView> {
    let words = match event.row.status {
        EventStatus::Scheduled => view! { "Runs at "<Time at=event.row.scheduled_at/>", or as soon after it as the agent asks for work." }.into_any(),
        EventStatus::ApprovalPending => view! {
            "Waits for a reviewer. "
            {event.request.map(|request| view! { <a href=paths::request(request)>{format!("Request {request}")}</a>". " })}
        }
        .into_any(),
        EventStatus::InProgress => match event.next_attempt_at {
            Some(at) if event.attempt == 0 => view! { "It is looked at again at "<Time at=at/>" at the latest." }.into_any(),
            Some(at) => view! { {format!("Try {} failed. The next one is at ", event.attempt)}<Time at=at/>"." }.into_any(),
            None => "The agent and this portal are working on it.".into_any(),
        },
        EventStatus::Succeeded => "The endpoint serves the new certificate.".into_any(),
        _ => return None,
    };
    let again = (!event.row.status.is_final()).then(|| {
        view! {
            <span class="muted">
                " This page follows it; without scripts " <a href=paths::event(event.row.id)>"refresh it"</a> "."
            </span>
        }
    });
    Some(view! { <p>{words}{again}</p> }.into_any())
}

fn buttons(event: &EventView) -> AnyView {
    let id = event.row.id;
    let cancel = event.may_cancel.then(|| {
        view! {
            <Form action=CancelEvent::PATH class="inline">
                <Hidden name="id" value=id.to_string()/>
                <Hidden name="back" value=paths::event(id)/>
                <Button>"Cancel"</Button>
            </Form>
        }
    });
    let retry = event.may_retry.then(|| {
        view! {
            <Form action=RetryEvent::PATH class="inline">
                <Hidden name="id" value=id.to_string()/>
                <Button weight=Weight::Primary>"Retry"</Button>
            </Form>
        }
    });
    view! {
        <div class="actions">
            {retry}
            {cancel}
            <LinkButton href=paths::endpoint(event.row.endpoint)>"Show endpoint"</LinkButton>
            {event.row.order.map(|order| view! { <LinkButton href=paths::order(order)>{format!("Order {order}")}</LinkButton> })}
        </div>
    }
    .into_any()
}

/// Before it is decided.
fn plain_reason() -> AnyView {
    view! {
        <p>"When it runs, rules D13 to D15 decide: a duplicate of the latest renewed order where there is one and it may be duplicated, else the regular renewal."</p>
    }
    .into_any()
}

fn facts(event: EventView) -> AnyView {
    let EventView { row, names, extra_names, emails, .. } = event;
    let listed =
        |names: Vec<String>| if names.is_empty() { NONE.to_owned() } else { names.join(", ") };
    view! {
        <Section title="Details">
            <Facts>
                <Fact term="Endpoint"><a href=paths::endpoint(row.endpoint)>{event.address}</a>" on "{event.host}</Fact>
                <Fact term="Action">{row.action}" · "{mode_label(row.mode)}</Fact>
                <Fact term="Common name">{row.common_name}</Fact>
                <Fact term="Names">{listed(names)}</Fact>
                {(!extra_names.is_empty()).then(|| view! { <Fact term="Added names">{listed(extra_names)}</Fact> })}
                {event.source_order.map(|order| view! { <Fact term="Chosen order"><a href=paths::order(order)>{order.to_string()}</a></Fact> })}
                <Fact term="Automation profile">{event.profile}</Fact>
                <Fact term="Runs"><Time at=row.scheduled_at/>{format!(" (chosen in {})", event.time_zone)}</Fact>
                <Fact term="Requester">{row.requester.unwrap_or_else(|| "Auto-renew".to_owned())}</Fact>
                <Fact term="Requested"><Time at=event.created_at/></Fact>
                <Fact term="Additional e-mails">{listed(emails)}</Fact>
                {event.note.map(|note| view! { <Fact term="Note">{note}</Fact> })}
            </Facts>
        </Section>
    }
    .into_any()
}
