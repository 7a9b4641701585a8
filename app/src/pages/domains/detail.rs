//! Adding a domain, and one domain with its validation.

use domain::model::DomainProof;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos_router::hooks::use_params_map;

use super::api::{
    AddDomain, CheckDns, CheckFile, DomainRow, ReplaceToken, ValidateDomain, domain, owners,
};
use super::coverage;
use super::list::owner_choices;
use crate::fault::PortalError;
use crate::kit::{
    Button, Checkbox, Copyable, Expiry, Fact, Facts, Form, FormActions, Hidden, LinkButton,
    Section, SelectField, Sheet, TextField, Time, Unavailable, Weight, page,
};
use crate::pages::organizations::{validation_badge, validation_end, withdrawal};
use crate::pages::permitted::for_administrators;
use crate::paths;
use crate::query::Query;
use crate::viewer::Viewer;

/// "Add domain".
#[component]
pub fn DomainNewPage() -> impl IntoView {
    let query = Query::parse(Viewer::current().query());
    page(async move {
        for_administrators()?;
        let choices = owner_choices(owners().await?);
        let chosen = query.get("organization").unwrap_or_default().to_owned();
        let form = view! {
            <Section title="Domain">
                <Form action=AddDomain::PATH>
                    <TextField
                        name="name" label="Domain" required=true maxlength=253
                        help="Without a wildcard: example.com can cover itself and every name below it."
                    />
                    <SelectField name="organization" label="Organization" choices=choices value=chosen required=true/>
                    <Checkbox
                        name="validated" label="I have checked that the organization controls this domain"
                        help="Otherwise it is added as pending, with a token for the DNS or the web server."
                    />
                    <FormActions>
                        <Button weight=Weight::Primary>"Add domain"</Button>
                        <LinkButton href=paths::domains() weight=Weight::Ghost>"Cancel"</LinkButton>
                    </FormActions>
                </Form>
            </Section>
        };
        Ok(Sheet::new("Add domain", form).under("Certificates").crumb("Domains", paths::domains()))
    })
}

/// A domain.
#[component]
pub fn DomainPage() -> impl IntoView {
    let id = use_params_map().get_untracked().get("id").and_then(|id| id.parse().ok());
    page(async move {
        let record = domain(id.ok_or_else(|| PortalError::no_such("domain"))?).await?;
        let badge = validation_badge(record.validated_until);
        let name = record.name.clone();
        let body = view! { {facts(&record)} {record.may_change.then(|| ways(&record))} };
        Ok(Sheet::new(name, body)
            .under("Certificates")
            .crumb("Domains", paths::domains())
            .lead(badge))
    })
}

fn facts(record: &DomainRow) -> AnyView {
    let record = record.clone();
    let shown_by = record.proof.map_or("not yet", DomainProof::label);
    let covers = coverage(record.proof);
    let until = validation_end(record.validated_until);
    view! {
        <Section title="Details">
            <Facts>
                <Fact term="Organization"><a href=paths::organization(record.organization)>{record.organization_name}</a></Fact>
                <Fact term="Control shown by">{shown_by}</Fact>
                <Fact term="Covers">{covers}</Fact>
                <Fact term="Validated until">{until}</Fact>
                <Fact term="Added"><Time at=record.created_at/></Fact>
            </Facts>
        </Section>
    }
    .into_any()
}

/// The three ways to show control, and the token that two of them look for.
fn ways(record: &DomainRow) -> AnyView {
    view! { {dns_record(record)} {http_file(record)} {token(record)} {own_decision(record)} }
        .into_any()
}

fn token(record: &DomainRow) -> AnyView {
    let id = record.id.to_string();
    let until = record.token_until;
    let weight = if record.token_refusal.is_some() { Weight::Primary } else { Weight::Plain };
    view! {
        <Section
            title="Token"
            lead="Whoever shows it in the DNS or in a file controls the domain. It is good for 30 days; a new one takes the old one's place."
        >
            <Facts><Fact term="Good until"><Expiry at=until/></Fact></Facts>
            <Form action=ReplaceToken::PATH>
                <Hidden name="id" value=id/>
                <FormActions><Button weight=weight>"Make a new token"</Button></FormActions>
            </Form>
        </Section>
    }
    .into_any()
}

fn dns_record(record: &DomainRow) -> AnyView {
    let id = record.id.to_string();
    let refusal = record.token_refusal.clone();
    let record = to_copy("Name", record.dns_name.clone(), "the record's name", "Value", record);
    let check = match refusal {
        Some(why) => view! { <Unavailable label=CHECK_DNS why/> }.into_any(),
        None => view! {
            <Form action=CheckDns::PATH>
                <Hidden name="id" value=id/>
                <FormActions><Button weight=Weight::Primary>{CHECK_DNS}</Button></FormActions>
            </Form>
        }
        .into_any(),
    };
    view! {
        <Section
            title="DNS TXT record"
            lead="Covers this name, wildcards and every name below it. Ask whoever runs the domain's DNS to add the record, then look for it."
        >
            {record}
            {check}
        </Section>
    }
    .into_any()
}

const CHECK_DNS: &str = "Check the DNS now";
const CHECK_FILE: &str = "Check the HTTP file";

fn http_file(record: &DomainRow) -> AnyView {
    let id = record.id.to_string();
    let file = to_copy("URL", record.file_url.clone(), "the file's URL", "Content", record);
    let check = match record.file_refusal.clone().or_else(|| record.token_refusal.clone()) {
        Some(why) => view! { <Unavailable label=CHECK_FILE why/> }.into_any(),
        None => view! {
            <Form action=CheckFile::PATH>
                <Hidden name="id" value=id/>
                <FormActions><Button>{CHECK_FILE}</Button></FormActions>
            </Form>
        }
        .into_any(),
    };
    view! {
        <Section
            title="HTTP file"
            lead="Covers this name only: no wildcard and no name below it. Ask whoever runs the web server to put the file there, readable by everybody on port 80, then look for it."
        >
            {file}
            {check}
        </Section>
    }
    .into_any()
}

/// A place for the token, `what` it is in words, and the token: somebody types them elsewhere.
fn to_copy(
    place: &'static str,
    text: String,
    what: &'static str,
    content: &'static str,
    record: &DomainRow,
) -> AnyView {
    let token = record.token.clone().unwrap_or_default();
    view! {
        <div class="to-copy">
            <Facts>
                <Fact term=place><Copyable text=text what=what/></Fact>
                <Fact term=content><Copyable text=token what="the token"/></Fact>
            </Facts>
        </div>
    }
    .into_any()
}

fn own_decision(record: &DomainRow) -> AnyView {
    let id = record.id.to_string();
    let own = id.clone();
    let validated = record.validated_until.is_some();
    let label =
        if validated { "Confirm control yourself again" } else { "Confirm control yourself" };
    view! {
        <Section
            title="Your own decision"
            lead="Confirm by yourself what you know otherwise. It covers this name, wildcards and every name below it, and stands in the audit log."
        >
            <div class="actions">
                <Form action=ValidateDomain::PATH key="valid" class="inline">
                    <Hidden name="id" value=id/>
                    <Hidden name="valid" value="true"/>
                    <Button>{label}</Button>
                </Form>
                {validated.then(|| {
                    withdrawal(ValidateDomain::PATH, own, "domain", "Nothing more is issued for its names until it is validated again.")
                })}
            </div>
        </Section>
    }
    .into_any()
}
