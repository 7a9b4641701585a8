//! Adding a domain, and one domain with its validation.

use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos_router::hooks::use_params_map;

use super::api::{AddDomain, CheckDns, DomainRow, ValidateDomain, domain, owners};
use super::list::owner_choices;
use crate::fault::PortalError;
use crate::kit::{
    Button, Checkbox, Copyable, Fact, Facts, Form, FormActions, Hidden, LinkButton, Section,
    SelectField, Sheet, TextField, Time, Weight, page,
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
                        help="Without a wildcard: example.com covers itself and every name below it."
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
        let body = view! { {facts(&record)} {record.may_change.then(|| validation(&record))} };
        Ok(Sheet::new(name, body)
            .under("Certificates")
            .crumb("Domains", paths::domains())
            .lead(badge))
    })
}

fn facts(record: &DomainRow) -> AnyView {
    let record = record.clone();
    let method = match (record.validated_until, record.method.as_deref()) {
        (None, _) | (_, None) => "not yet",
        (_, Some("dns-txt")) => "a TXT record in the DNS",
        (_, Some("http-file")) => "a file on the web server",
        (_, Some(_)) => "an administrator's decision",
    };
    let until = validation_end(record.validated_until);
    view! {
        <Section title="Details">
            <Facts>
                <Fact term="Organization"><a href=paths::organization(record.organization)>{record.organization_name}</a></Fact>
                <Fact term="Control shown by">{method}</Fact>
                <Fact term="Validated until">{until}</Fact>
                <Fact term="Added"><Time at=record.created_at/></Fact>
            </Facts>
        </Section>
    }
    .into_any()
}

fn validation(record: &DomainRow) -> AnyView {
    let id = record.id.to_string();
    let (own, asked) = (id.clone(), id.clone());
    let token = record.token.clone().unwrap_or_default();
    let (dns_name, file_url) = (record.dns_name.clone(), record.file_url.clone());
    let validated = record.validated_until.is_some();
    let label =
        if validated { "Confirm control yourself again" } else { "Confirm control yourself" };
    view! {
        <Section
            title="Validation"
            lead="Ask whoever runs the domain to put the token into the DNS, and look for it; or confirm by yourself what you know otherwise. Either stands in the audit log."
        >
            <Facts>
                <Fact term="Token"><Copyable text=token what="the token"/></Fact>
                <Fact term="TXT record"><Copyable text=dns_name what="the record's name"/></Fact>
                <Fact term="or file, for you to look at"><Copyable text=file_url what="the file's URL"/></Fact>
            </Facts>
            <Form action=CheckDns::PATH>
                <Hidden name="id" value=asked/>
                <FormActions><Button weight=Weight::Primary>"Check the DNS now"</Button></FormActions>
            </Form>
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
