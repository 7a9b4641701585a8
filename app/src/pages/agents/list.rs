//! The list of agents.

use leptos::prelude::*;

use super::api::{AgentList, AgentRow, AgentState, SORTS, agents};
use crate::kit::{
    Badge, Choice, Column, EmptyState, FilterBar, FilterSelect, FilterText, Glyph, LinkButton,
    Listing, NONE, Pager, Sheet, Table, Time, Tone, Weight, page,
};
use crate::pages::paged::Paged;
use crate::paths;
use crate::query::Query;
use crate::viewer::Viewer;

/// "Agents".
#[component]
pub fn AgentsPage() -> impl IntoView {
    let query = Viewer::current().query().to_owned();
    page(async move {
        let found = agents(query.clone()).await?;
        let listing = Listing::read(paths::AGENTS, &query, &SORTS);
        let add = found.may_automate.then(add_button);
        Ok(Sheet::new("Agents", list(listing, found))
            .under("Automation")
            .lead("An agent on a host finds its TLS servers, makes keys there and installs certificates. It only calls out.")
            .actions(add))
    })
}

fn add_button() -> AnyView {
    view! { <LinkButton href=paths::agent_new() weight=Weight::Primary glyph=Glyph::Add>"Add agent"</LinkButton> }.into_any()
}

fn list(listing: Listing, found: AgentList) -> AnyView {
    let AgentList { page: Paged { rows, previous, next }, may_automate } = found;
    let body = if rows.is_empty() {
        empty(listing.is_filtered(), may_automate)
    } else {
        table(listing.clone(), rows)
    };
    let states =
        AgentState::LISTED.map(|state| Choice::new(state.as_str(), state.label())).to_vec();
    let bar = listing.clone();
    view! {
        <FilterBar listing=bar export=true>
            <FilterText name="text" label="Name or host"/>
            <FilterSelect name="state" label="State" choices=states/>
        </FilterBar>
        {body}
        <Pager listing=listing previous=previous next=next/>
    }
    .into_any()
}

fn empty(filtered: bool, may_automate: bool) -> AnyView {
    if filtered {
        return view! { <EmptyState title="No agent matches" text="Clear the filters to see all of them."/> }.into_any();
    }
    view! {
        <EmptyState
            title="No agents yet"
            text="Add one for each host with TLS servers. It is activated with a one-time token and a single command."
        >
            {may_automate.then(add_button)}
        </EmptyState>
    }
    .into_any()
}

fn table(listing: Listing, rows: Vec<AgentRow>) -> AnyView {
    let columns = vec![
        Column::new("Name").sorted("name"),
        Column::new("State"),
        Column::new("Host").sorted("host"),
        Column::new("Version"),
        Column::new("Platform"),
        Column::new("Last seen").sorted("seen"),
        Column::new("Endpoints").number(),
    ];
    let rows = rows.into_iter().map(row).collect_view();
    view! { <Table label="Agents" columns=columns listing=listing>{rows}</Table> }.into_any()
}

fn row(agent: AgentRow) -> AnyView {
    let found = Query::default().with("agent", agent.id).href(&paths::endpoints());
    let text = |text: Option<String>| text.unwrap_or_else(|| NONE.to_owned());
    let seen =
        agent.seen_at.map_or_else(|| "Never".into_any(), |at| view! { <Time at=at/> }.into_any());
    view! {
        <tr>
            <th scope="row"><a href=paths::agent(agent.id)>{agent.name}</a></th>
            <td>{badge(agent.state)}</td>
            <td>{text(agent.hostname)}</td>
            <td>{text(agent.version)}</td>
            <td>{text(agent.platform)}</td>
            <td class="nowrap">{seen}</td>
            <td class="number"><a href=found>{agent.endpoints}</a></td>
        </tr>
    }
    .into_any()
}

/// How an agent stands.
pub(super) fn badge(state: AgentState) -> AnyView {
    let tone = match state {
        AgentState::New => Tone::Waiting,
        AgentState::Lapsed | AgentState::Removed => Tone::Neutral,
        AgentState::Active => Tone::Good,
        AgentState::Silent => Tone::Warning,
    };
    view! { <Badge tone=tone text=state.label()/> }.into_any()
}
