//! The list of automation events.

use domain::model::EventStatus;
use leptos::prelude::*;

use super::api::{EventRow, SORTS, event_tone, events, mode_label};
use crate::kit::{
    Badge, Choice, Column, EmptyState, FilterBar, FilterSelect, FilterText, LinkButton, Listing,
    NONE, Names, Pager, Sheet, Table, Time, Weight, page,
};
use crate::pages::paged::Paged;
use crate::paths;
use crate::viewer::Viewer;

/// "Activity".
#[component]
pub fn ActivityPage() -> impl IntoView {
    let query = Viewer::current().query().to_owned();
    page(async move {
        let found = events(query.clone()).await?;
        let listing = Listing::read(paths::ACTIVITY, &query, &SORTS);
        Ok(Sheet::new("Activity", list(listing, found))
            .under("Automation")
            .lead("What automation did and will do, newest first."))
    })
}

fn list(listing: Listing, found: Paged<EventRow>) -> AnyView {
    let Paged { rows, previous, next } = found;
    let (bar, table) = (listing.clone(), listing.clone());
    let body = match (rows.is_empty(), listing.is_filtered()) {
        (true, true) => view! { <EmptyState title="No event matches" text="Clear the filters to see all of them."/> }.into_any(),
        (true, false) => view! {
            <EmptyState
                title="No automation events yet"
                text="Choose an endpoint under Automated IPs and request a certificate for it: what happens then is listed here."
            >
                <LinkButton href=paths::endpoints() weight=Weight::Primary>"Automated IPs"</LinkButton>
            </EmptyState>
        }
        .into_any(),
        (false, _) => view! {
            <Table label="Automation events" columns=event_columns(true) listing=table>{event_rows(rows, true)}</Table>
        }
        .into_any(),
    };
    view! {
        <FilterBar listing=bar export=true>
            <FilterSelect name="status" label="Status" choices=statuses()/>
            <FilterSelect name="requester" label="Requester" choices=vec![Choice::new("me", "Me")]/>
            <FilterText name="endpoint" label="Endpoint number" kind="number"/>
        </FilterBar>
        {body}
        <Pager listing=listing previous=previous next=next/>
    }
    .into_any()
}

fn statuses() -> Vec<Choice> {
    EventStatus::ALL.iter().map(|status| Choice::new(status.as_str(), status.label())).collect()
}

/// The columns of a table of events; only the list itself sorts.
pub(crate) fn event_columns(sorts: bool) -> Vec<Column> {
    let first = Column::new("Event");
    vec![
        if sorts { first.sorted("number") } else { first },
        Column::new("Action"),
        Column::new("Common name"),
        Column::new("Status"),
        Column::new("Order ID"),
        Column::new("Runs"),
        Column::new("Ended"),
        Column::new("Requester"),
    ]
}

/// The rows of a table of events; `endpoint` says whether they link to their endpoints.
pub(crate) fn event_rows(rows: Vec<EventRow>, endpoint: bool) -> AnyView {
    rows.into_iter().map(|event| row(event, endpoint)).collect_view().into_any()
}

fn row(event: EventRow, endpoint: bool) -> AnyView {
    let where_to = endpoint.then(|| {
        let number = format!("Endpoint {}", event.endpoint);
        let (name, beside) = match event.address {
            Some(address) => (address, Some(number)),
            None => (number, None),
        };
        view! {
            <a class="small nowrap" href=paths::endpoint(event.endpoint)>{name}</a>
            {beside.map(|number| view! { <span class="small muted nowrap">{number}</span> })}
        }
    });
    let more = (event.sans > 0)
        .then(|| view! { <span class="small muted">{format!("+ {} more", event.sans)}</span> });
    let ended =
        event.finished_at.map_or_else(|| NONE.into_any(), |at| view! { <Time at=at/> }.into_any());
    view! {
        <tr>
            <th scope="row"><a href=paths::event(event.id)>{format!("#{}", event.id)}</a>{where_to}</th>
            <td>{event.action}<span class="small muted">{mode_label(event.mode)}</span></td>
            <td class="roomy"><Names names=vec![event.common_name]/>{more}</td>
            <td>
                <Badge tone=event_tone(event.status) text=event.status.label()/>
                {event.cause.map(|cause| view! { <span class="small muted clamp">{cause}</span> })}
            </td>
            <td>{event.order.map(|order| view! { <a href=paths::order(order)>{order.to_string()}</a> })}</td>
            <td class="nowrap"><Time at=event.scheduled_at/></td>
            <td class="nowrap">{ended}</td>
            <td>{event.requester.unwrap_or_else(|| "Auto-renew".to_owned())}</td>
        </tr>
    }
    .into_any()
}
