//! An endpoint's details.

use domain::EndpointId;
use domain::rules::AutoRenewOutlook;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos_router::hooks::use_params_map;

use super::actions::Actions;
use super::api::{DisableAutoRenew, EndpointView, FailedTry, GoneView, SaveAutoRenew, endpoint};
use super::auto_renew::{RenewDefaults, clock, renew_fields};
use super::list::{issuer, revocation};
use crate::fault::PortalError;
use crate::kit::{
    Badge, Button, Checkbox, Choice, CodeBlock, Copyable, Expander, Expiry, Fact, Facts, Form,
    FormActions, Hidden, Lifespan, NONE, Names, Notice, Section, SelectField, Sheet, Table, Time,
    Tone, Weight, came_back, page,
};
use crate::pages::activity::api::{endpoint_tone, event_tone};
use crate::pages::activity::{event_columns, event_rows, progress};
use crate::paths;
use crate::viewer::Viewer;

/// The status of an endpoint that is gone.
const NOT_THERE: &str = "No longer there";

/// "Automated IP".
#[component]
pub fn EndpointPage() -> impl IntoView {
    let id =
        use_params_map().get_untracked().get("id").and_then(|id| id.parse::<EndpointId>().ok());
    page(async move {
        let id = id.ok_or_else(|| PortalError::no_such("endpoint"))?;
        let view = endpoint(id.0).await?;
        let there = view.gone.is_none();
        let actions = there.then(|| view! { <Actions row=view.row.clone() brand=view.brand.clone() may_automate=view.may_automate own_page=true/> });
        let name = view.row.server_name.clone().or_else(|| view.row.common_name.clone());
        let lead = view! {
            <div class="actions">
                {if there {
                    view! { <Badge tone=endpoint_tone(view.row.status) text=view.row.status.label()/> }
                } else {
                    view! { <Badge tone=Tone::Warning text=NOT_THERE/> }
                }}
                {name.map(|name| view! { <span class="muted">{name}</span> })}
            </div>
        };
        Ok(Sheet::new(view.row.address.clone(), body(view))
            .under("Automation")
            .crumb("Automated IPs", paths::endpoints())
            .lead(lead)
            .actions(actions))
    })
}

fn body(view: EndpointView) -> AnyView {
    let renew = view.gone.is_none().then(|| renewal(&view));
    view! {
        {trouble(&view)}
        {newest(&view)}
        <div class="columns">{served(&view)}{host(&view)}</div>
        {renew}
        {history(view)}
    }
    .into_any()
}

fn trouble(view: &EndpointView) -> Option<AnyView> {
    if let Some(gone) = view.gone.clone() {
        return Some(no_longer_there(gone));
    }
    let cause = view.row.cause.clone().map(|cause| {
        let tone = endpoint_tone(view.row.status);
        let tone = if matches!(tone, Tone::Bad | Tone::Warning) { tone } else { Tone::Info };
        let solution = view.solution.clone();
        view! {
            <Notice tone=tone title=view.row.status.label()>
                <p>{cause}</p>
                {solution.map(|solution| view! { <p><strong>"What to do: "</strong>{solution}</p> })}
            </Notice>
        }
    });
    let manual = view.manual_reason.clone().map(|reason| {
        view! {
            <Notice tone=Tone::Warning title="The agent can't install here by itself">
                <p>{reason}</p>
                <p>"Choose \"Submit manual request\" and install the certificate by hand, or mend the cause on the host."</p>
            </Notice>
        }
    });
    let failed = view.failed_try.clone().map(failed_try);
    let any = cause.is_some() || failed.is_some() || manual.is_some();
    any.then(|| view! { {cause}{failed}{manual} }.into_any())
}

/// What is shown of it is how it was.
fn no_longer_there(gone: GoneView) -> AnyView {
    view! {
        <Notice tone=Tone::Warning title=NOT_THERE>
            <p>{gone.cause}" Nothing is done here since "<Time at=gone.since/>"; what this page shows is how it was then."</p>
            <p><strong>"What to do: "</strong>{gone.solution}</p>
        </Notice>
    }
    .into_any()
}

/// What holds the present event up; it goes on by itself.
fn failed_try(failed: FailedTry) -> AnyView {
    let title = match failed.number {
        0 => "It waits".to_owned(),
        number => format!("Try {number} failed"),
    };
    view! {
        <Notice tone=Tone::Warning title=title>
            <p>{failed.cause}</p>
            {failed.solution.map(|solution| view! { <p><strong>"What to do: "</strong>{solution}</p> })}
            <p>"The next try is at "<Time at=failed.next_at/>" at the latest."</p>
        </Notice>
    }
    .into_any()
}

fn newest(view: &EndpointView) -> Option<AnyView> {
    let (event, stages) = view.newest.clone()?;
    let actions = view! {
        <Badge tone=event_tone(event.status) text=event.status.label()/>
        <a href=paths::event(event.id)>{format!("Event #{}", event.id)}</a>
    };
    let requester = event.requester.clone().unwrap_or_else(|| "Auto-renew".to_owned());
    let line = format!("{} · requested by {requester} · runs ", event.action);
    Some(
        view! {
            <Section title="Progress" actions=actions.into_any()>
                {progress(&event, stages)}
                <p class="muted small">{line}<Time at=event.scheduled_at/></p>
            </Section>
        }
        .into_any(),
    )
}

fn served(view: &EndpointView) -> AnyView {
    let Some(served) = view.served.clone() else {
        let error = view.probe_error.clone().map(|error| {
            view! { <details class="quiet"><summary>"What the last handshake said"</summary><p class="mono">{error}</p></details> }
        });
        return view! {
            <Section title="Served certificate">
                <p>"The last look at this endpoint showed no certificate: none is installed yet, or the server did not answer."</p>
                {error}
            </Section>
        }
        .into_any();
    };
    let row = view.row.clone();
    let issuer_name = row.issuer_name.clone().unwrap_or_default();
    let whose = issuer(&row);
    let standing = revocation(&row).map(|badge| view! { <Fact term="Status">{badge}</Fact> });
    let order = row
        .order
        .map(|order| view! { <a href=paths::order(order)>{order.to_string()}</a> }.into_any());
    view! {
        <Section title="Served certificate">
            <Facts>
                <Fact term="Common name"><Names names=Vec::from_iter(row.common_name.clone())/></Fact>
                <Fact term="Names"><Names names=served.names/></Fact>
                <Fact term="Issuer">{whose}<span class="small muted">{issuer_name}</span></Fact>
                {standing}
                <Fact term="Order ID">{order.unwrap_or_else(|| "Not one of ours".into_any())}</Fact>
                <Fact term="Serial number"><Copyable text=served.serial what="the serial number"/></Fact>
                <Fact term="Valid from"><Time at=served.not_before/></Fact>
                <Fact term="Expires"><Expiry at=served.not_after/><Lifespan from=served.not_before to=served.not_after/></Fact>
            </Facts>
            <Expander title="Certificate and chain">
                <CodeBlock label="Served chain, leaf first" text=served.chain_pem/>
            </Expander>
        </Section>
    }
    .into_any()
}

fn host(view: &EndpointView) -> AnyView {
    let row = view.row.clone();
    let (agent_seen_at, last_probe_at) = (view.agent_seen_at, view.last_probe_at);
    let error = view.probe_error.clone().filter(|_| view.served.is_some());
    let time = |at: Option<domain::Timestamp>| match at {
        Some(at) => view! { <Time at=at/> }.into_any(),
        None => "Never".into_any(),
    };
    let text = |text: Option<String>| text.unwrap_or_else(|| NONE.to_owned());
    view! {
        <Section title="Host">
            <Facts>
                <Fact term="Agent">{row.host}</Fact>
                <Fact term="Agent last seen">{time(agent_seen_at)}</Fact>
                <Fact term="Server software">{text(row.software)}</Fact>
                <Fact term="Server name">{text(row.server_name)}</Fact>
                <Fact term="Alias">{text(row.alias)}</Fact>
                <Fact term="Looked at">{time(last_probe_at)}</Fact>
                {error.map(|error| view! { <Fact term="Last handshake">{error}</Fact> })}
            </Facts>
        </Section>
    }
    .into_any()
}

fn renewal(view: &EndpointView) -> AnyView {
    let state = match &view.row.auto_renew {
        None => {
            view! { <p>"Auto-renew is off. The certificate expires unless somebody renews it."</p> }
                .into_any()
        }
        Some(renew) => {
            let words = format!(
                "Auto-renew is on: {} days before expiry at {} ({}). ",
                renew.days_before.0,
                clock(renew.minute_of_day),
                renew.time_zone
            );
            let next = next_run(view.row.outlook(Viewer::current().now));
            let names = view.auto_renew_names.clone();
            let names = (!names.is_empty()).then(|| {
                view! { <Facts><Fact term="Renews these names only"><Names names=names/></Fact></Facts> }
            });
            view! { <p>{words}{next}</p>{names} }.into_any()
        }
    };
    let on = view.row.auto_renew.is_some();
    let (id, may_automate) = (view.row.id, view.may_automate);
    let off = (on && may_automate).then(|| {
        view! {
            <Form action=DisableAutoRenew::PATH class="inline">
                <Hidden name="id" value=id.to_string()/>
                <Hidden name="back" value=paths::endpoint(id)/>
                <Button>"Disable auto-renew"</Button>
            </Form>
        }
    });
    let change = view.may_automate.then(|| renew_form(view, on));
    view! {
        <div id="auto-renew">
            <Section title="Auto-renew" lead="Rules D13 to D15 decide at each run: a duplicate of the latest renewed order, or a renewal.">
                {state}
                {off}
                {change}
            </Section>
        </div>
    }
    .into_any()
}

/// What comes of it next: that it is on doesn't say that it will act.
fn next_run(outlook: AutoRenewOutlook) -> AnyView {
    match outlook {
        AutoRenewOutlook::Off => ().into_any(),
        AutoRenewOutlook::At(at) => view! { "Next run: "<Time at=at/>"." }.into_any(),
        AutoRenewOutlook::UnderWay => {
            "An event is under way; the next run is set when it ends well.".into_any()
        }
        AutoRenewOutlook::NotYet => "It begins with the first certificate that is served here.".into_any(),
        AutoRenewOutlook::Stopped => view! {
            <strong>"It does nothing more by itself for now: "</strong>
            "its last event came to nothing, and it asks once for each certificate. To have it ask again, save its \
             settings below or retry the event; or request a certificate."
        }
        .into_any(),
    }
}

fn renew_form(view: &EndpointView, on: bool) -> AnyView {
    if view.profiles.is_empty() {
        return view! { <p class="muted">"Auto-renew needs an automation profile. "<a href=paths::profile_new()>"Add new profile"</a></p> }.into_any();
    }
    let profiles: Vec<Choice> =
        view.profiles.iter().map(|(id, name)| Choice::new(id.to_string(), name)).collect();
    let chosen = view.profile.map(|profile| profile.to_string()).unwrap_or_default();
    let defaults = RenewDefaults::of(view.row.auto_renew.as_ref(), &view.time_zone);
    let (title, label) =
        if on { ("Change auto-renew", "Save") } else { ("Enable auto-renew", "Enable auto-renew") };
    let replace = view.row.auto_replace;
    let id = view.row.id.to_string();
    view! {
        <Expander title=title open=!on || came_back(SaveAutoRenew::PATH)>
            <Form action=SaveAutoRenew::PATH>
                <Hidden name="id" value=id/>
                <SelectField name="profile" label="Automation profile" choices=profiles value=chosen/>
                {renew_fields(defaults, true)}
                <Checkbox name="auto_replace" label="Auto-replace revoked or missing certificates" checked=replace/>
                <FormActions><Button weight=Weight::Primary>{label}</Button></FormActions>
            </Form>
        </Expander>
    }
    .into_any()
}

fn history(view: EndpointView) -> AnyView {
    if view.events.is_empty() {
        return view! {
            <Section title="History"><p class="muted">"Nothing was automated here yet."</p></Section>
        }
        .into_any();
    }
    view! {
        <Section title="History">
            <Table label="Automation events of this endpoint" columns=event_columns(false)>{event_rows(view.events, false)}</Table>
        </Section>
    }
    .into_any()
}
