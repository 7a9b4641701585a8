//! Step 4: "Review": what will happen, in words, and "Submit request".

use domain::model::{EndpointAction, EventMode};
use domain::rules::Action;
use domain::{OrderNumber, Timestamp};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;

use super::api::{Frame, PlanView, ReviewView, SubmitRequest, review_step};
use super::frame::{Carried, asked, elsewhere, profile_first, sheet, step_of, to};
use crate::fault::PortalError;
use crate::kit::{
    Button, Fact, Facts, Form, FormActions, Hidden, LinkButton, NONE, Notice, Section, Time, Tone,
    Weight, days_left, in_words, page,
};
use crate::pages::activity::Explained;
use crate::paths;
use crate::query::Query;
use crate::viewer::Viewer;

/// Standard Users change auto-renew of what is their own only.
const KEPT: &str = "Stays as it is: auto-renew is on in another person's name";

/// Step 4.
#[component]
pub fn ReviewStep() -> impl IntoView {
    let (id, query) = asked();
    page(async move {
        let ReviewView { frame, plan, key } = review_step(id?.0, query).await?;
        let body = match plan {
            _ if frame.profile.is_none() => profile_first(&frame),
            Ok(plan) => review(&frame, &plan, key),
            Err(error) => problem(&frame, &error),
        };
        Ok(sheet(&frame, 4, body))
    })
}

fn problem(frame: &Frame, error: &PortalError) -> AnyView {
    let title = error.title();
    let message = error.to_string();
    let back = to(frame, paths::wizard_certificate(frame.endpoint.id));
    let faults = error.faults().iter().cloned().map(|fault| match step_of(frame, &fault.field) {
        Some(href) => view! { <p><a href=href>{fault.message}</a></p> }.into_any(),
        None => view! { <p>{fault.message}</p> }.into_any(),
    });
    let faults = faults.collect_view();
    view! {
        <Notice tone=Tone::Bad title=title>
            <p>{message}</p>
            {faults}
        </Notice>
        <p><LinkButton href=back>"Back to the certificate"</LinkButton></p>
    }
    .into_any()
}

fn review(frame: &Frame, plan: &PlanView, key: String) -> AnyView {
    let id = frame.endpoint.id;
    let state = frame.state.clone();
    let back = to(frame, paths::wizard_installation(id));
    let held = plan.held.clone().map(|why| {
        view! { <Notice tone=Tone::Warning title="The request will wait for a reviewer"><p>{why}</p></Notice> }
    });
    let differs = plan.differs.clone().map(|words| {
        view! { <Notice tone=Tone::Info title="The profile is for something else"><p>{words}</p></Notice> }
    });
    let (story, summary, elsewhere) = (story(frame, plan), summary(frame, plan), elsewhere(frame));
    view! {
        {held}
        {differs}
        <Section title="What will happen">{story}</Section>
        <Section title="Summary">{summary}</Section>
        <Form action=SubmitRequest::PATH elsewhere=elsewhere>
            <Carried id=id state=state/>
            <Hidden name="key" value=key/>
            <FormActions>
                <Button weight=Weight::Primary>"Submit request"</Button>
                <LinkButton href=back>"Back"</LinkButton>
                <LinkButton href=paths::endpoint(id) weight=Weight::Ghost>"Cancel"</LinkButton>
            </FormActions>
        </Form>
    }
    .into_any()
}

/// The steps in words, with the rule that decides each.
fn story(frame: &Frame, plan: &PlanView) -> AnyView {
    let when = match plan.scheduled_at {
        Some(at) => view! { "At "<Time at=at/>", " }.into_any(),
        None => "As soon as the agent asks for work, ".into_any(),
    };
    let decided =
        plan.decided.clone().map(|explanation| view! { <Explained explanation=explanation/> });
    view! {
        <ol class="story">
            <li>{when}{format!("the agent {} makes a private key and a CSR. The key never leaves its host.", frame.endpoint.host)}</li>
            <li>{obtained(frame, plan)}</li>
            <li>{validity(plan)}</li>
            <li>"The agent installs it, reloads the server and checks by a handshake that it is served; if that fails, the old files are put back."</li>
        </ol>
        {decided}
    }
    .into_any()
}

fn obtained(frame: &Frame, plan: &PlanView) -> AnyView {
    let link = plan
        .source_order
        .map(|order| view! { <a href=paths::order(order)>{order.to_string()}</a> });
    match (plan.mode, frame.action, link) {
        (EventMode::Duplicate, _, Some(order)) => view! {
            "A duplicate is issued under the same order ID "{order}" (rule D11). It is a new certificate with its own serial; no other certificate is revoked (rule D2). Whether it is still allowed is checked again when it runs (rule D17)."
        }
        .into_any(),
        (_, EndpointAction::Renew, Some(order)) => view! {
            "The certificate of order "{order}" is due. What is done for it now stands below; it is decided anew when it runs (rules D12 to D15)."
        }
        .into_any(),
        (_, EndpointAction::Reissue | EndpointAction::NextCertificate, Some(order)) => view! {
            "The next certificate of order "{order}" is issued: the same order ID and names."
        }
        .into_any(),
        (_, EndpointAction::Switch, _) => "A new order is placed, with an order ID of its own. The other CA's certificate is replaced here; revoking it is up to that CA.".into_any(),
        _ => "A new order is placed, with an order ID of its own.".into_any(),
    }
}

fn validity(plan: &PlanView) -> AnyView {
    match (plan.valid_till, plan.mode) {
        (Some(till), EventMode::Duplicate) => view! {
            "It ends with the original, to the second (rule D8): "<Exact at=till/>"."
        }
        .into_any(),
        (Some(till), _) => {
            view! { "Issued at that moment, it is valid until "<Exact at=till/>"." }.into_any()
        }
        (None, _) => "How long it is valid follows from its order at that moment.".into_any(),
    }
}

/// The last second of validity, in UTC to the second, in the person's time zone in the title, and with
/// the days left.
#[component]
fn Exact(at: Timestamp) -> impl IntoView {
    let utc = at.rfc3339();
    let text = in_words(&utc);
    let viewer = Viewer::current();
    let (_, left) = days_left(at, viewer.now);
    let here = viewer.zone.local(at);
    view! { <time datetime=utc title=here><strong>{text}</strong></time>{format!(" ({left})")} }
}

/// The order ID that the certificate will have, as things are now (rules D11 and D12).
fn order_line(plan: &PlanView) -> AnyView {
    let link = |order: OrderNumber| view! { <a href=paths::order(order)>{order.to_string()}</a> };
    match (&plan.decided, plan.source_order) {
        (Some(decided), Some(due)) if decided.action == Action::Renew => {
            view! { "New, renews "{link(decided.order.unwrap_or(due))} }.into_any()
        }
        (Some(decided), Some(due)) => link(decided.order.unwrap_or(due)).into_any(),
        (None, Some(order)) => link(order).into_any(),
        (_, None) => "New".into_any(),
    }
}

fn summary(frame: &Frame, plan: &PlanView) -> AnyView {
    let state = Query::parse(&frame.state);
    let text = |name: &str| state.get(name).unwrap_or_default().to_owned();
    let on = |name: &str| state.get(name) == Some("on");
    let switched = if plan.keeps_auto_renew {
        KEPT
    } else if on("auto_replace") {
        "On"
    } else {
        "Off"
    };
    let or_none = |name: &str| {
        Some(text(name)).filter(|text| !text.is_empty()).unwrap_or_else(|| NONE.to_owned())
    };
    let (emails, note) = (or_none("emails"), or_none("note"));
    let renew = if plan.keeps_auto_renew {
        KEPT.to_owned()
    } else if on("auto_renew") {
        format!(
            "{} days before expiry at {} ({})",
            text("days_before"),
            text("renew_time"),
            text("time_zone")
        )
    } else {
        "Off".to_owned()
    };
    let profile = frame.profile.clone();
    let mode = if plan.mode == EventMode::Duplicate {
        "Issue a duplicate certificate using an existing order"
    } else {
        "Issue a new certificate"
    };
    let order = order_line(plan);
    let when = plan.scheduled_at.map_or_else(
        || "Install as soon as it is issued".into_any(),
        |at| view! { <Time at=at/> }.into_any(),
    );
    let PlanView { product, terms, organization, common_name, names, .. } = plan.clone();
    let address = frame.endpoint.address.clone();
    view! {
        <Facts>
            <Fact term="Endpoint">{address}</Fact>
            <Fact term="Automation profile">{profile.map(|one| one.name)}</Fact>
            <Fact term="Certificate">{mode}</Fact>
            <Fact term="Order ID">{order}</Fact>
            <Fact term="Product">{product}<span class="small muted">{format!(" {terms}")}</span></Fact>
            <Fact term="Organization">{organization}</Fact>
            <Fact term="Common name">{common_name}</Fact>
            <Fact term="Names">{names.join(", ")}</Fact>
            <Fact term="Installation">{when}</Fact>
            <Fact term="Auto-renew and install certificate">{renew}</Fact>
            <Fact term="Auto-replace revoked or missing certificates">{switched}</Fact>
            <Fact term="Additional e-mails">{emails}</Fact>
            <Fact term="Note">{note}</Fact>
        </Facts>
    }
    .into_any()
}
