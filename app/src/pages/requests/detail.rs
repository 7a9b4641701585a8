//! A request with its review.

use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos_router::hooks::use_params_map;

use super::api::{Cancel, RequestDetail, Review, request};
use super::list::{kind_label, state_badge};
use crate::fault::PortalError;
use crate::kit::{
    Button, CodeBlock, Copyable, Expander, Fact, Facts, Form, FormActions, Hidden, Names, Notice,
    Section, Sheet, TextArea, Time, Tone, Unavailable, Weight, page,
};
use crate::pages::orders::plan_label;
use crate::paths;
use crate::viewer::Viewer;

/// A request.
#[component]
pub fn RequestPage() -> impl IntoView {
    let id = use_params_map().get_untracked().get("id").and_then(|id| id.parse().ok());
    page(async move {
        let detail = request(id.ok_or_else(|| PortalError::no_such("request"))?).await?;
        let title = format!("{} request {}", kind_label(&detail.row.kind), detail.row.id);
        let badge = state_badge(&detail.row.state);
        let pending = detail.row.state == "pending";
        let body = view! {
            {pending.then(|| waiting(&detail))}
            {decided(&detail)}
            {facts(&detail)}
            {pending.then(|| review(&detail))}
            {detail.csr_pem.clone().map(|csr| view! {
                <Expander title="CSR"><CodeBlock text=csr label="CSR"/></Expander>
            })}
        };
        Ok(Sheet::new(title, body)
            .under("Certificates")
            .crumb("Requests", paths::requests())
            .lead(badge)
            .actions(detail.may_cancel.then(|| cancel(&detail))))
    })
}

fn waiting(detail: &RequestDetail) -> AnyView {
    let requester = requester(detail);
    let why = detail.held_because.clone().unwrap_or_default();
    let until = detail.waits_until.map(|until| {
        view! { <p>"It is canceled unless somebody decides by " <Time at=until/> "."</p> }
    });
    view! {
        <Notice tone=Tone::Info title="Waits for approval">
            <p>"Asked for by " {requester} ". " {why}</p>
            {until}
        </Notice>
    }
    .into_any()
}

/// Who asked: a person, or who has an ACME Directory URL's credential.
fn requester(detail: &RequestDetail) -> AnyView {
    let Some(through) = detail.through.clone() else {
        let who = detail.row.requester.clone();
        return who.unwrap_or_else(|| "an ACME client".to_owned()).into_any();
    };
    let made_by = through.made_by.map(|name| format!(", made by {name}"));
    let approver = Viewer::current().person.is_some_and(|person| person.role.is_approver());
    let name = through.name;
    let url = if approver {
        view! { <a href=paths::acme_url(through.url)>{name}</a> }.into_any()
    } else {
        name.into_any()
    };
    view! { "a client of the ACME Directory URL "{url}{made_by} }.into_any()
}

fn decided(detail: &RequestDetail) -> Option<AnyView> {
    let (tone, word) = match detail.row.state.as_str() {
        "approved" => (Tone::Good, "Approved"),
        "rejected" => (Tone::Bad, "Rejected"),
        "canceled" => (Tone::Info, "Canceled"),
        _ => return None,
    };
    let at = detail.row.decided_at;
    let by = detail.row.reviewer.clone().map(|name| format!(" by {name}"));
    let note = detail.note.clone();
    Some(
        view! {
            <Notice tone=tone>
                <p>{word}{by}{at.map(|at| view! { ", " <Time at=at/> })}"."</p>
                {note.map(|note| view! { <p>{note}</p> })}
            </Notice>
        }
        .into_any(),
    )
}

fn facts(detail: &RequestDetail) -> AnyView {
    let RequestDetail {
        row,
        names,
        product,
        coverage_years,
        key,
        key_fingerprint,
        revocation,
        comment,
        ..
    } = detail.clone();
    let issued = if detail.is_issued { " (issued)" } else { "" };
    let requester = requester(detail);
    view! {
        <Section title="Details">
            <Facts>
                <Fact term="Order ID"><a href=paths::order(row.order)>{row.order.to_string()}</a>{issued}</Fact>
                {product.map(|product| view! { <Fact term="Product">{product}</Fact> })}
                {row.common_name.map(|name| view! { <Fact term="Common name"><Names names=vec![name]/></Fact> })}
                {(!names.is_empty()).then(|| view! { <Fact term="Names"><Names names=names/></Fact> })}
                {coverage_years.map(|years| view! { <Fact term="Coverage">{plan_label(years)}</Fact> })}
                {key.map(|key| view! { <Fact term="Key">{key}</Fact> })}
                {key_fingerprint.map(|text| view! { <Fact term="Key's SHA-256"><Copyable text=text what="the key's fingerprint"/></Fact> })}
                {revocation.map(|what| view! { <Fact term="Revokes">{what}</Fact> })}
                <Fact term="Requester">{requester}</Fact>
                <Fact term="Asked"><Time at=row.asked_at/></Fact>
                {comment.map(|comment| view! { <Fact term="Note">{comment}</Fact> })}
            </Facts>
        </Section>
    }
    .into_any()
}

fn review(detail: &RequestDetail) -> AnyView {
    if let Some(why) = detail.no_review.clone() {
        return view! { <Section title="Review"><Unavailable label="Approve" why=why/></Section> }
            .into_any();
    }
    let id = detail.row.id.to_string();
    let key = detail.key_fingerprint.clone().unwrap_or_default();
    view! {
        <Section title="Review" lead="The rules are asked again when you approve; it is carried out at once.">
            <Form action=Review::PATH>
                <Hidden name="id" value=id/>
                <Hidden name="seen_key" value=key/>
                <TextArea name="note" label="Comment" rows=3 help="The requester reads it. Needed to reject."/>
                <FormActions>
                    <Button weight=Weight::Primary name="decision" value="approve">"Approve"</Button>
                    <Button weight=Weight::Danger name="decision" value="reject">"Reject"</Button>
                </FormActions>
            </Form>
        </Section>
    }
    .into_any()
}

fn cancel(detail: &RequestDetail) -> AnyView {
    let id = detail.row.id.to_string();
    view! {
        <Form action=Cancel::PATH class="inline">
            <Hidden name="id" value=id/>
            <Button>"Cancel request"</Button>
        </Form>
    }
    .into_any()
}
