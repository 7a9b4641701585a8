//! Step 2: "Certificate": a new one, or a duplicate using an existing order.

use domain::model::EndpointAction;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;

use super::api::{CertificateView, ChooseCertificate, certificate_step};
use super::frame::{Carried, asked, elsewhere, profile_first, sheet, to};
use super::orders::{OrderChoice, dropped, search};
use crate::kit::{
    Button, Fact, Facts, Form, FormActions, Hidden, LinkButton, Section, TextArea, TextField,
    Unavailable, Weight, page,
};
use crate::pages::orders::no_further_names;
use crate::paths;
use crate::query::Query;

/// The choice's exact words.
const NEW: &str = "Issue a new certificate";
const DUPLICATE: &str = "Issue a duplicate certificate using an existing order";

/// Step 2.
#[component]
pub fn CertificateStep() -> impl IntoView {
    let (id, query) = asked();
    page(async move {
        let view = certificate_step(id?.0, query).await?;
        let body =
            if view.frame.profile.is_none() { profile_first(&view.frame) } else { step(&view) };
        Ok(sheet(&view.frame, 2, body))
    })
}

fn step(view: &CertificateView) -> AnyView {
    let content = if view.duplicate { duplicate(view) } else { new(view) };
    view! {
        {profile_line(view)}
        {obtain(view)}
        {content}
    }
    .into_any()
}

fn profile_line(view: &CertificateView) -> AnyView {
    let change = to(&view.frame, paths::wizard_profile(view.frame.endpoint.id));
    let profile = view.frame.profile.clone();
    let words = profile.map(|profile| {
        view! {
            <strong>{profile.name}</strong>
            <span class="muted">{format!("{} for {} · {}", profile.product, profile.organization, profile.terms)}</span>
        }
    });
    view! { <p class="chosen">{words}" "<a href=change>"Change profile"</a></p> }.into_any()
}

/// The two ways as links, each with its own URL; a way that is not open says why.
fn obtain(view: &CertificateView) -> Option<AnyView> {
    if !view.knows_duplicates {
        return None;
    }
    let path = paths::wizard_certificate(view.frame.endpoint.id);
    let state = Query::parse(&view.frame.state);
    let way = |label: &'static str, help: &'static str, value: &str, current: bool| {
        let href = state.with("obtain", value).href(&path);
        view! {
            <li>
                <a class="way" href=href aria-current=current.then_some("true")>
                    <span class="way-mark" aria-hidden="true"></span>
                    <strong>{label}</strong>
                    <span class="muted small">{help}</span>
                </a>
            </li>
        }
    };
    let second = match &view.refused {
        None => way(
            DUPLICATE,
            "Same order ID, names and end of validity; a key of its own. Nothing is revoked.",
            "duplicate",
            view.duplicate,
        )
        .into_any(),
        Some((rule, why)) => not_offered(view, rule, why),
    };
    let first =
        way(NEW, "Under a new order ID, or the next one of its order.", "new", !view.duplicate);
    Some(view! { <ul class="ways" aria-label="How the certificate is obtained">{first}{second}</ul> }.into_any())
}

/// Rules D3 and D4: in the choice's place stands why it is not there and what can be done instead.
fn not_offered(view: &CertificateView, rule: &str, why: &str) -> AnyView {
    let (why, rule) = (format!("{why} (rule {rule})"), rule.to_owned());
    let preferences = (view.frame.may_administer && rule == "D3").then(|| {
        view! { <LinkButton href=paths::preferences()>"Open Preferences"</LinkButton> }
    });
    let manual = view.frame.endpoint.order.map(|order| {
        view! { <LinkButton href=paths::order_duplicate(order)>"Request duplicate by hand"</LinkButton> }.into_any()
    });
    let manual = manual.unwrap_or_else(|| {
        view! { <LinkButton href=paths::orders()>"Certificates > Orders"</LinkButton> }.into_any()
    });
    view! {
        <li class="way closed">
            <Unavailable label="Duplicate certificates are not available here" why=why/>
            <div class="actions">{manual}{preferences}</div>
        </li>
    }
    .into_any()
}

fn new(view: &CertificateView) -> AnyView {
    let view = view.clone();
    let (id, state) = (view.frame.endpoint.id, view.frame.state.clone());
    let elsewhere = elsewhere(&view.frame);
    view! {
        <Section title=NEW>
            <Form action=ChooseCertificate::PATH elsewhere=elsewhere>
                <Carried id=id state=state/>
                <Hidden name="obtain" value="new"/>
                {names(&view)}
                {buttons(&view)}
            </Form>
        </Section>
    }
    .into_any()
}

fn names(view: &CertificateView) -> AnyView {
    match &view.in_place {
        Some((common_name, names)) => in_place(view.frame.action, common_name, names),
        None => typed(view),
    }
}

fn typed(view: &CertificateView) -> AnyView {
    let state = Query::parse(&view.frame.state);
    let typed = |name: &str| state.get(name).map(str::to_owned);
    let (served, more) = view.suggested.clone().unzip();
    let common_name =
        typed("common_name").or(served).or_else(|| view.frame.endpoint.server_name.clone());
    // Emptied is an answer too: once a common name was sent, further names are as they were sent.
    let more = more.filter(|_| typed("common_name").is_none());
    let sans = typed("sans").or_else(|| more.map(|more| more.join(", ")));
    let organization =
        view.frame.profile.as_ref().map(|profile| profile.organization.clone()).unwrap_or_default();
    view! {
        <TextField
            name="common_name" label="Common name" value=common_name.unwrap_or_default() required=true maxlength=253
            help="The name that people connect to, such as www.example.com."
        />
        <TextArea
            name="sans" label="Subject alternative names" value=sans.unwrap_or_default() optional=true code=true maxlength=20_000
            help="Further names, separated by commas, spaces or lines."
        />
        <Facts><Fact term="Organization (from the profile)">{organization}</Fact></Facts>
    }
    .into_any()
}

fn in_place(action: EndpointAction, common_name: &str, names: &[String]) -> AnyView {
    let from = match action {
        EndpointAction::Reissue | EndpointAction::NextCertificate => "the order",
        _ => "the certificate in place",
    };
    let (common_name, names) = (common_name.to_owned(), names.join(", "));
    view! {
        <p>"The names come from "{from}"; there is nothing to type."</p>
        <Facts>
            <Fact term="Common name">{common_name}</Fact>
            <Fact term="Names">{names}</Fact>
        </Facts>
    }
    .into_any()
}

fn duplicate(view: &CertificateView) -> AnyView {
    let found = view.candidates.clone();
    let (id, state) = (view.frame.endpoint.id, view.frame.state.clone());
    let (order, elsewhere) = (view.order, elsewhere(&view.frame));
    let inside = view.clone();
    let names = match &view.in_place {
        Some((common_name, names)) => in_place(view.frame.action, common_name, names),
        None => search(view),
    };
    let dropped = dropped(view.dropped.clone());
    let form = match found {
        None => None,
        Some(found) if found.is_empty() => Some(
            view! {
                <p class="muted">"No order of this profile's product and organization holds these names. Issue a new certificate instead, or choose another profile."</p>
            }
            .into_any(),
        ),
        Some(found) => Some(
            view! {
                <Form action=ChooseCertificate::PATH class="stack wide" elsewhere=elsewhere>
                    <Carried id=id state=state/>
                    <Hidden name="obtain" value="duplicate"/>
                    <OrderChoice found=found chosen=order/>
                    {extra(&inside)}
                    {buttons(&inside)}
                </Form>
            }
            .into_any(),
        ),
    };
    view! {
        <Section title=DUPLICATE lead="The latest orders that hold the names and have the profile's product and organization.">
            {names}
            {form}
            {dropped}
        </Section>
    }
    .into_any()
}

/// Rule D6: only the duplicates of some products take further names.
fn extra(view: &CertificateView) -> AnyView {
    let profile = view.frame.profile.as_ref();
    if profile.is_some_and(|profile| profile.may_add_names) {
        let help = if view.in_place.is_some() {
            "Only names under the order's wildcard domain (rule D6). Those of the certificate in place are added by themselves (rule D10)."
        } else {
            "Only names under the order's wildcard domain (rule D6). Those searched for that the order does not list stand here already."
        };
        let names = view.extra_names.clone();
        return view! {
            <TextArea
                name="extra_names" label="Additional SANs" value=names optional=true
                code=true rows=2 help=help
            />
        }
        .into_any();
    }
    let product = profile.map(|profile| profile.product.clone()).unwrap_or_default();
    view! { <Unavailable label="Additional SANs" why=no_further_names(&product)/> }.into_any()
}

fn buttons(view: &CertificateView) -> AnyView {
    let id = view.frame.endpoint.id;
    let back = to(&view.frame, paths::wizard_profile(id));
    view! {
        <FormActions>
            <Button weight=Weight::Primary>"Continue"</Button>
            <LinkButton href=back>"Back"</LinkButton>
            <LinkButton href=paths::endpoint(id) weight=Weight::Ghost>"Cancel"</LinkButton>
        </FormActions>
    }
    .into_any()
}
