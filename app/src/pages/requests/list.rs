//! The list of requests.

use domain::Timestamp;
use domain::model::RequestKind;
use leptos::prelude::*;

use super::api::{RequestRow, SORTS, requests};
use crate::kit::{
    Badge, Choice, Column, EmptyState, FilterBar, FilterSelect, FilterText, Glyph, LinkButton,
    Listing, NONE, Names, Pager, Sheet, Table, Time, Tone, Weight, page,
};
use crate::pages::paged::Paged;
use crate::paths;
use crate::viewer::Viewer;

/// What was asked for, in words.
pub(crate) fn kind_label(kind: &str) -> &'static str {
    match kind.parse() {
        Ok(RequestKind::New) => "New certificate",
        Ok(RequestKind::Duplicate) => "Duplicate",
        Ok(RequestKind::Reissue) => "Reissue",
        Ok(RequestKind::Renew) => "Renewal",
        Ok(RequestKind::Revoke) => "Revocation",
        Err(_) => "Request",
    }
}

/// Where a request stands.
pub(crate) fn state_badge(state: &str) -> AnyView {
    let (tone, text) = match state {
        "pending" => (Tone::Waiting, "Pending"),
        "approved" => (Tone::Good, "Approved"),
        "rejected" => (Tone::Bad, "Rejected"),
        _ => (Tone::Neutral, "Canceled"),
    };
    view! { <Badge tone=tone text=text/> }.into_any()
}

/// "Requests".
#[component]
pub fn RequestsPage() -> impl IntoView {
    let query = Viewer::current().query().to_owned();
    page(async move {
        let found = requests(query.clone()).await?;
        let listing = Listing::read(paths::REQUESTS, &query, &SORTS);
        Ok(Sheet::new("Requests", list(listing, found))
            .under("Certificates")
            .lead("What waits for approval, and what became of the rest.")
            .actions(view! {
                <LinkButton href=paths::request_certificate() weight=Weight::Primary glyph=Glyph::Add>
                    "Request a certificate"
                </LinkButton>
            }))
    })
}

fn list(listing: Listing, found: Paged<RequestRow>) -> AnyView {
    let Paged { rows, previous, next } = found;
    let columns = vec![
        Column::new("Request"),
        Column::new("Type"),
        Column::new("Status"),
        Column::new("Order ID"),
        Column::new("Common name"),
        Column::new("Requester"),
        Column::new("Asked").sorted("asked"),
        Column::new("Reviewer"),
    ];
    let states = ["pending", "approved", "rejected", "canceled"];
    let states = states.map(|state| Choice::new(state, capital(state))).to_vec();
    let kinds = RequestKind::ALL
        .iter()
        .map(|kind| Choice::new(kind.as_str(), kind_label(kind.as_str())))
        .collect();
    let (none, filtered) = (rows.is_empty(), listing.is_filtered());
    let (bar, table) = (listing.clone(), listing.clone());
    let rows = rows.into_iter().map(row).collect_view();
    view! {
        <FilterBar listing=bar export=true>
            <FilterSelect name="status" label="Status" choices=states/>
            <FilterSelect name="type" label="Type" choices=kinds/>
            <FilterText name="order" label="Order ID"/>
            <FilterText name="requester" label="Requester"/>
        </FilterBar>
        {match (none, filtered) {
            (true, true) => view! {
                <EmptyState title="No request matches" text="Clear the filters to see all."/>
            }.into_any(),
            (true, false) => view! {
                <EmptyState title="No requests yet" text="Requests that need no approval never stop here: they go straight to Orders."/>
            }.into_any(),
            _ => view! { <Table label="Requests" columns=columns listing=table>{rows}</Table> }.into_any(),
        }}
        <Pager listing=listing previous=previous next=next/>
    }
    .into_any()
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// How long something has waited, in the largest whole unit.
fn age(since: Timestamp, now: Timestamp) -> String {
    let seconds = now.seconds_since(since).max(0);
    let (count, unit) = match seconds {
        ..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

fn row(request: RequestRow) -> impl IntoView {
    let badge = state_badge(&request.state);
    let waits = (request.state == "pending").then(|| age(request.asked_at, Viewer::current().now));
    let dash = |text: Option<String>| text.unwrap_or_else(|| NONE.to_owned());
    view! {
        <tr>
            <th scope="row"><a href=paths::request(request.id)>{request.id.to_string()}</a></th>
            <td>{kind_label(&request.kind)}</td>
            <td>{badge}{waits.map(|age| view! { <p class="muted small">"for " {age}</p> })}</td>
            <td><a href=paths::order(request.order)>{request.order.to_string()}</a></td>
            <td><Names names=vec![dash(request.common_name)]/></td>
            <td>{dash(request.requester)}</td>
            <td><Time at=request.asked_at/></td>
            <td>{dash(request.reviewer)}</td>
        </tr>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_in_words() {
        let now = Timestamp(1_000_000);
        for (seconds, words) in
            [(59, "0 minutes"), (60, "1 minute"), (7_300, "2 hours"), (200_000, "2 days")]
        {
            assert_eq!(age(now.plus_seconds(-seconds), now), words);
        }
    }
}
