//! An agent's page: its activation right after it was added, what it is, and its removal.

use domain::AgentId;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos_router::hooks::use_params_map;

use super::api::{AgentState, AgentView, RemoveAgent, agent};
use super::list::badge;
use crate::fault::PortalError;
use crate::kit::{
    Button, CodeBlock, Dialog, Fact, Facts, Form, FormActions, Hidden, LinkButton, NONE, Notice,
    OpenDialog, Section, Sheet, Time, Tone, Weight, page,
};
use crate::paths;
use crate::query::Query;

/// An agent.
#[component]
pub fn AgentPage() -> impl IntoView {
    let id = use_params_map().get_untracked().get("id").and_then(|id| id.parse::<AgentId>().ok());
    page(async move {
        let id = id.ok_or_else(|| PortalError::no_such("agent"))?;
        let view = agent(id.0).await?;
        let remove =
            (view.may_automate && view.row.state != AgentState::Removed).then(|| remove(&view));
        let state = badge(view.row.state);
        Ok(Sheet::new(view.row.name.clone(), body(&view))
            .under("Automation")
            .crumb("Agents", paths::agents())
            .lead(state)
            .actions(remove))
    })
}

fn body(view: &AgentView) -> AnyView {
    let activation = match (&view.token, view.row.state) {
        (Some(token), _) => Some(activation(view, token)),
        (None, AgentState::New | AgentState::Lapsed) => Some(token_gone(view)),
        _ => None,
    };
    view! { {activation}{facts(view)} }.into_any()
}

/// The token is here once: the database keeps only its digest.
fn activation(view: &AgentView, token: &str) -> AnyView {
    let server = view.server.clone();
    let keep = format!("install -m 600 /dev/stdin /etc/certdeck-agent.token <<'END'\n{token}\nEND");
    let run = format!(
        "certdeck-agent run --server '{server}' --token-file /etc/certdeck-agent.token --config /etc/certdeck-agent.toml"
    );
    let (token, until) = (token.to_owned(), view.row.activation_expires_at);
    view! {
        <Notice tone=Tone::Warning title="Copy the activation token now">
            <p>
                "It is shown this once and works once"
                {until.map(|at| view! { ", until "<Time at=at/> })}
                ". If it is lost, remove this agent and add it again."
            </p>
        </Notice>
        <Section title="Activate the agent" lead="On the host whose TLS servers it shall look after.">
            <CodeBlock label="Activation token" text=token/>
            <ol class="story">
                <li>"Install the program "<code>"certdeck-agent"</code>" and write its configuration file, which names the web servers (see the agent's own documentation)."</li>
                <li>"Keep the token in a file that only root reads:"</li>
            </ol>
            <CodeBlock label="Token file" text=keep/>
            <ol class="story" start="3"><li>"Start the agent:"</li></ol>
            <CodeBlock label="Command" text=run/>
            <p class="muted">"It calls this portal, reports the endpoints that it finds, and appears here as Active. Reload this page to see it; the token is not shown again."</p>
        </Section>
    }
    .into_any()
}

fn token_gone(view: &AgentView) -> AnyView {
    let lapsed = view.row.state == AgentState::Lapsed;
    let (title, words) = if lapsed {
        (
            "The activation token has expired",
            "It was good for a day and the agent never called. Remove this agent and add it again.",
        )
    } else {
        (
            "Waiting for the agent",
            "It has not called yet. Its activation token was shown when it was added and is not shown again; if it is lost, remove this agent and add it again.",
        )
    };
    view! { <Notice tone=Tone::Info title=title><p>{words}</p></Notice> }.into_any()
}

fn facts(view: &AgentView) -> AnyView {
    let row = view.row.clone();
    let text = |text: Option<String>| text.unwrap_or_else(|| NONE.to_owned());
    let seen =
        row.seen_at.map_or_else(|| "Never".into_any(), |at| view! { <Time at=at/> }.into_any());
    let found = Query::default().with("agent", row.id).href(&paths::endpoints());
    let link = view! { <LinkButton href=found>"Show endpoints"</LinkButton> }.into_any();
    view! {
        <Section title="Details" actions=link>
            <Facts>
                <Fact term="Host">{text(row.hostname)}</Fact>
                <Fact term="Version">{text(row.version)}</Fact>
                <Fact term="Platform">{text(row.platform)}</Fact>
                <Fact term="Last seen">{seen}</Fact>
                <Fact term="Endpoints found">{row.endpoints}</Fact>
                <Fact term="Added"><Time at=row.created_at/></Fact>
            </Facts>
        </Section>
    }
    .into_any()
}

fn remove(view: &AgentView) -> AnyView {
    let id = view.row.id.to_string();
    view! {
        <OpenDialog id="remove-agent">"Remove"</OpenDialog>
        <Dialog id="remove-agent" title="Remove this agent?">
            <Form action=RemoveAgent::PATH>
                <Hidden name="id" value=id/>
                <p>"Its access ends at once and its endpoints leave the list; their history stays. Certificates on its host stay as they are, and nobody renews them any more."</p>
                <FormActions><Button weight=Weight::Danger>"Remove agent"</Button></FormActions>
            </Form>
        </Dialog>
    }
    .into_any()
}
